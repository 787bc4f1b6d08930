"""A large file of JSON Lines to rows as columns: ordinary lines directly, the others one by one, all in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.curate.formats import mojibake
from sluice.curate.formats.column_rows import ColumnRows
from sluice.curate.formats.lines_make import Made, empty_frame, frame_of, make_directly, plan_of
from sluice.curate.formats.lines_scan import CHUNK, Chunk, Records, plain_table, pool_of_cores, scan_lines
from sluice.curate.formats.open_file import Opened
from sluice.curate.formats.read import Taken, build_rows, none_taken
from sluice.curate.formats.records import Mojibake, Progress, ReadOptions, ReadResult, ReadRow, SetAside
from sluice.curate.formats.shapes import choose

if TYPE_CHECKING:
    import polars as pl


def read_large(
    opened: Opened, options: ReadOptions, progress: Progress | None = None, chunk: int = CHUNK
) -> ReadResult | None:
    """Read JSON Lines as `read_file` does; None where the file has to be read whole, line by line.

    Args:
        opened: the file.
        options: what the user said.
        progress: called with (what, done, total).
        chunk: bytes that one thread works on at a time.

    Raises InputError as `read_file` does.
    """
    source, path = opened.source, opened.source.path
    lines = scan_lines(source, options, progress, chunk)
    if lines is None:
        return None
    reading = choose(lines.columns, options, path, Records(lines))
    if reading.fold is not None:
        return None
    plan, look = plan_of(reading), mojibake.possible(source.data, lines.encoding)
    frames: list[pl.DataFrame] = []
    aside: list[SetAside] = []
    marks: list[Mojibake] = []
    mended: dict[int, ReadRow] = {}
    advice: str | None = None
    height = 0
    with pool_of_cores() as pool:
        made = pool.map(lambda part: make_directly(lines.data, part, plan), lines.chunks)
        for part, found in zip(lines.chunks, made, strict=True):
            if progress is not None:
                progress(
                    f"taking rows of {path.name}", int(part.starts[0]) if part.starts.size else 0, len(source.data)
                )
            table = plain_table(lines, part, found.left)
            others = build_rows(table, reading, options, path, None, look)
            aside += others.set_aside
            marks += others.mojibake
            advice = advice or others.advice
            frame = _in_order(part, found, others)
            if any(row.before is not None for row in others.rows):
                places = {line: at for at, line in enumerate(frame["line"].to_list())}
                mended |= {height + places[row.line]: row for row in others.rows if row.before is not None}
            height += frame.height
            frames.append(frame)
    import polars as pl

    rows = ColumnRows(pl.concat(frames) if frames else empty_frame(), mended)
    if not rows:
        raise none_taken(path, Taken(reading, rows, aside, marks, advice), options)
    return ReadResult(
        path=str(path),
        sha256=opened.sha256,
        size=opened.size,
        format="jsonl",
        shape=reading.shape,
        read_as=reading.title,
        encoding=lines.encoding,
        columns=lines.columns,
        rows=rows,
        set_aside=aside,
        note=reading.note,
        packed=opened.packed,
        mojibake=marks,
    )


def _in_order(part: Chunk, found: Made, others: Taken) -> pl.DataFrame:
    """Return the rows of a chunk in the order of their lines."""
    import polars as pl

    if not others.rows:
        return found.frame
    rest = frame_of(others.rows)
    return pl.concat([found.frame, rest]).sort("line") if found.frame.height else rest
