"""`write_rows`: rows to a file in one atomic step, in a shape and a form of file; read back, they are the same rows.

A shape (`writers`) makes columns of a row, an encoder (`encoders`) makes bytes of columns. Rows are gone through twice
where a form must know all columns before the first line, and never held all at once. What cannot be said is refused,
and columns of which values change are named in the result. docs/writing.md has the table. Knows nothing of datasets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sluice.core.errors import InputError, UsageError
from sluice.core.progress import Progress
from sluice.core.rows import SHOWN
from sluice.curate.formats.encoders import ENCODERS, CannotHold, Encoder, Survey
from sluice.curate.formats.output import PACKED, FileStands, write_file
from sluice.curate.formats.table import Table, table_of
from sluice.curate.formats.writers import WRITERS, ExportRow, WriteOptions
from sluice.curate.formats.writers.base import Line

__all__ = ["FileStands", "WriteResult", "form_of", "packing_of", "write_rows"]

CHATS = ("messages", "tools", "prompt", "chosen", "rejected", "completion")
"""Columns of turns."""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What was written."""

    path: str
    format: str
    """The form of file, as in ENCODERS; with `.gz` or `.zst` where it is packed."""
    shape: str
    """The shape of rows, as in WRITERS."""
    rows: int
    columns: list[str]
    size: int
    """Bytes."""
    sha256: str
    """Of the file's bytes, 64 hex digits."""
    inexact: dict[str, str]
    """Columns that are not read back as they were, each with what became of their values."""
    read_with: tuple[str, ...]
    """What `add` has to be told to read it back; nothing where it sees for itself."""


def write_rows(
    rows: Sequence[ExportRow],
    path: Path,
    shape: str = "columns",
    options: WriteOptions | None = None,
    progress: Progress | None = None,
    *,
    format: str | None = None,
    title: str = "rows",
    replace: bool = True,
) -> WriteResult:
    """Write rows to a file in one step.

    Args:
        rows: in order; gone through up to twice.
        path: the file; its folder is made. Behind the ending of a text form, .gz and .zst pack it.
        shape: a name in WRITERS.
        options: order of columns, name of the target column, prompt.
        progress: called with (what, rows done, rows in all).
        format: a name in ENCODERS; None: by the file's ending.
        title: a name for the content (of a sheet).
        replace: whether a file that holds something else is replaced; the same bytes are never in the way.

    Raises FileStands where it is not; InputError for no rows, for a kind or a row that the shape cannot hold (its name
    is given; nothing is written) and for an ending that says nothing; SurroundingsError where the disk refuses.
    """
    encoder, packing = form_of(path, shape, format), packing_of(path)
    if packing is not None and not encoder.packs:
        raise UsageError(f"{encoder.name} is packed by itself", where=str(path), remedy=f"leave {path.suffix} away")
    table = table_of(rows, shape, options, progress, f"writing {path.name}")
    twice = table.writer.carries_metadata or bool(table.options.beside) or rows[0].status is not None
    if encoder.needs_survey or twice:
        survey = table.survey(title, values=encoder.needs_survey)
        columns = list(survey.columns)
        lines = table.lines(columns)
    else:  # one pass: no name can be taken twice
        survey, columns = Survey({}, len(rows), title), []
        lines = _noting(table.lines(), columns)
    try:
        written = write_file(path, encoder.encode(lines, survey), packing=packing, replace=replace)
    except CannotHold as problem:
        where = f"row {rows[problem.number - 1].record['row'][:SHOWN]}"
        raise InputError(problem.why, where=where, remedy=problem.remedy) from None
    except UnicodeEncodeError:
        raise InputError("a text holds half a surrogate pair", where=str(path), remedy="mend that row") from None
    inexact = inexact_columns(table, encoder, survey)
    return WriteResult(
        path=str(path),
        format=encoder.name + (path.suffix if packing else ""),
        shape=shape,
        rows=len(rows),
        columns=columns,
        size=written.size,
        sha256=written.sha256,
        inexact={name: inexact[name] for name in columns if name in inexact},
        read_with=(*_read_with(table), *encoder.read_with(survey)),
    )


def inexact_columns(table: Table, encoder: Encoder, survey: Survey) -> dict[str, str]:
    """Return the columns that are not read back as they were, each with what became of its values."""
    found = {name: what for name, what in encoder.inexact(survey).items() if name not in table.writer.cells}
    if table.rows[0].record["kind"] == "unpaired":
        found = {name: what for name, what in found.items() if name != "label"}  # true in a cell is read as true
    if "messages" in table.forms:  # lists of turns in cells are read as JSON
        found = {name: what for name, what in found.items() if name not in CHATS}
        if "fields" in table.forms and table.writer.name == "columns":
            found |= dict.fromkeys(CHATS, "rows of fields are beside these chats: read back, they are set aside")
    return found | table.notes


def _read_with(table: Table) -> tuple[str, ...]:
    """Return which shape and columns `add` has to be told, where rows of fields do not say it by themselves."""
    kind = table.rows[0].record["kind"]
    if table.writer.name not in ("columns", "text") or "messages" in table.forms:
        return ()
    if kind == "text":
        return ("--shape", "text") if len(table.names) > 1 else ()
    fields = [name for part, name in table.names if part == "own"]
    told = () if kind == "example" else ("--shape", kind)
    if kind != "example" and fields == ["prompt"]:
        return told
    answer = next((free for (part, _), free in table.names.items() if part == "answers"), None)
    target = ("--target", answer) if kind == "example" and answer else ()
    return (*told, "--input", ",".join(fields), *target)


def _noting(lines: Iterator[Line], columns: list[str]) -> Iterator[Line]:
    seen: dict[str, None] = {}
    for line in lines:
        if line.keys() - seen.keys():
            seen.update(dict.fromkeys(line))
            columns[:] = list(seen)
        yield line


def packing_of(path: Path) -> str | None:
    """Return how a file of this name is packed: `gzip`, `zstd` or None."""
    return PACKED.get(path.suffix.lower())


def form_of(path: Path, shape: str, format: str | None = None) -> Encoder:
    """Return the form of a file from its ending, or from what was named, where the shape can be put in it.

    Raises InputError for an ending that says nothing, UsageError for one that says something else.
    """
    writer = WRITERS.get(shape)
    inner = path.with_suffix("") if packing_of(path) else path
    by_ending = {ending: encoder for _, encoder in ENCODERS for ending in encoder.extensions}
    named = by_ending.get(inner.suffix.lower())
    if format is not None:
        encoder = ENCODERS.get(format)
        if named is not None and named is not encoder and named.name != "txt":  # anything may be called .txt
            raise UsageError(
                f"a file that ends in {inner.suffix} would hold {encoder.help}",
                where=str(path),
                remedy=f"end it in {encoder.extensions[0]}",
            )
    elif named is None:
        if shape == "columns":
            ending = inner.suffix
            endings = ", ".join(encoder.extensions[0] for _, encoder in ENCODERS)
            raise InputError(
                f"the ending '{ending}' names no format" if ending else "the file has no ending",
                where=str(path),
                remedy=f"end it in one of {endings}, or add --format",
            )
        encoder = ENCODERS.get(writer.formats[0])
    else:
        encoder = named
    if encoder.name not in writer.formats:
        raise UsageError(
            f"{shape} is not written as {encoder.name}"
            + (": it would hold lists of turns in cells" if encoder.name in ("csv", "tsv", "xlsx") else ""),
            where=str(path),
            remedy=f"end it in {' or '.join(ENCODERS.get(name).extensions[0] for name in writer.formats)}",
        )
    return encoder
