"""The sheet in which a person goes through what a check names: written in rank order, read back with what was changed.

One line a row: its rank, its whole hash, `label` (to be changed), what was given, what is suggested, how sure, and the
texts. It is any form of table that `export` writes (CSV, TSV, Excel, JSON Lines). `sluice.curate.labels.relabel` takes
it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.core.canonical import dump_exact
from sluice.core.errors import InputError

if TYPE_CHECKING:
    from sluice.curate.show import FailingRow

NEEDED = ("row", "label", "given")
MARK = b"#"
"""How a sheet of lines that were set aside begins; it goes another way."""


@dataclass(frozen=True)
class Answer:
    """One line of a sheet that was gone through."""

    line: int
    row: str
    given: str
    label: str


def write_review(rows: Sequence[FailingRow], file: Path, *, replace: bool = False) -> None:
    """Write rows that a check names to a table, in their order.

    Args:
        rows: with what the check says of each; those of `label-errors` get a column to change the label in.
        file: its ending names the form (.csv, .tsv, .xlsx, .jsonl, .parquet, ...).
        replace: whether a file that holds something else is replaced.

    Raises InputError for no rows and an unknown ending, FileStands where a file is in the way.
    """
    from sluice.curate.formats.encoders import Column, Survey
    from sluice.curate.formats.output import write_file
    from sluice.curate.formats.write import form_of, packing_of

    if not rows:
        raise InputError("there is no row to write", where=str(file), remedy="the check names none")
    encoder = form_of(file, "columns")
    lines = [_line(row) for row in rows]
    columns = {name: Column() for line in lines for name in line}
    for line in lines:
        for name, value in line.items():
            columns[name].add(value)
    write_file(
        file, encoder.encode(lines, Survey(columns, len(lines), "review")), packing=packing_of(file), replace=replace
    )


def is_review(file: Path) -> bool:
    """Return whether a file is a table rather than a sheet of lines that were set aside (those begin with a mark)."""
    from sluice.curate.formats.encoders import ENCODERS

    if file.suffix.lower() not in {ending for _, encoder in ENCODERS for ending in encoder.extensions}:
        return False
    try:
        with file.open("rb") as opened:
            return not opened.read(16).removeprefix(b"\xef\xbb\xbf").startswith(MARK)
    except OSError:
        return False


def read_review(file: Path) -> list[Answer]:
    """Return the lines of a sheet that a person went through.

    Raises InputError for a file without the columns `row`, `label` and `given`, for an empty label, and for a row that
    stands twice with two labels.
    """
    from sluice.curate.formats import Entry, ReadOptions
    from sluice.curate.formats.open_file import open_entry, tell_format

    source = open_entry(Entry(file)).source
    options = ReadOptions(input="row")  # some forms look for an input while they read
    table = tell_format(source, options).read(source, options, None)
    lacking = [name for name in NEEDED if name not in table.columns]
    if lacking:
        raise InputError(
            f"no sheet of labels: it has no column {', '.join(lacking)}",
            where=str(file),
            remedy="sluice show NAME --failing label-errors --out FILE writes one",
        )
    if table.set_aside:
        first = table.set_aside[0]
        raise InputError(first.reason, where=f"{file}:{first.line}", remedy="mend that line, then give the sheet again")
    found: dict[str, Answer] = {}
    for line, record in zip(table.lines, table.records, strict=True):
        row, given, label = (_text(record.get(name)) for name in ("row", "given", "label"))
        place = f"{file}:{line}"
        if not label.strip():
            raise InputError("the label is empty", where=place, remedy="write one, or take the line out of the sheet")
        answer = Answer(line, row.strip().lower(), given, label)
        before = found.setdefault(answer.row, answer)
        if before.label != label:
            raise InputError(
                f"row {answer.row[:10]} has another label at line {before.line}", where=place, remedy="keep one of them"
            )
    return list(found.values())


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else dump_exact(value)


def _line(row: FailingRow) -> dict[str, Any]:
    """Return a row as a line: rank, hash, what is to be judged, then the texts."""
    said = row.figures
    line: dict[str, Any] = {"rank": row.rank, "row": row.row}
    if "given" in said:
        line |= {"label": said["given"], "given": said["given"], "suggested": said["suggested"]}
        line |= {"quality": said["quality"], "suggested_probability": said["suggested_probability"]}
    else:
        line["detail"] = row.detail
    taken = set(line)
    content: dict[str, Any] = row.input if isinstance(row.input, dict) else {"input": row.input}
    for name, value in content.items():
        line[name if name not in taken else f"input.{name}"] = value if isinstance(value, str) else dump_exact(value)
    if row.target is not None and row.target != said.get("given"):
        line["answer" if "answer" not in line else "target"] = row.target
    return line
