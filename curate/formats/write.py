"""`write_rows`: rows to a file in one atomic step, in a shape and a form of file; read back, they are the same rows.

A shape (`writers`) makes columns of a row, an encoder (`encoders`) makes bytes of columns. Rows are gone through twice
where a form must know all columns before the first line, and never held all at once. What cannot be said is refused,
and columns of which values change are named in the result. docs/writing.md has the table. Knows nothing of datasets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from sluice.core.errors import InputError, UsageError
from sluice.core.progress import Progress
from sluice.core.rows import SHOWN
from sluice.curate.formats.encoders import ENCODERS, CannotHold, Column, Encoder, Survey
from sluice.curate.formats.output import PACKED, FileStands, write_file
from sluice.curate.formats.records import STEP
from sluice.curate.formats.writers import WRITERS, ExportRow, WriteOptions, Writer
from sluice.curate.formats.writers.base import Kind, Line

__all__ = ["FileStands", "Table", "WriteResult", "form_of", "inexact_columns", "packing_of", "table_of", "write_rows"]

CHATS = ("messages", "tools", "prompt", "chosen", "rejected", "completion")
"""Columns of turns."""
STORY = ("status", "reason", "kept_row")
PREFIX = {"answers": "sluice_", "metadata": "metadata.", "story": "sluice_"}
"""What is put before the name of a column that has to make way."""


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


@dataclass(slots=True)
class Table:
    """Rows as lines of columns, made anew each time they are gone through."""

    rows: Sequence[ExportRow]
    writer: Writer
    options: WriteOptions
    progress: Progress | None
    what: str
    """What is done, for the progress."""
    names: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """By part and name: the column that it became."""
    notes: dict[str, str] = field(default_factory=dict[str, str])
    """By column: what became of values that the shape changed."""
    forms: set[str] = field(default_factory=set[str])
    """Forms of input that were met: fields, messages."""

    def lines(self, columns: Sequence[str] = ()) -> Iterator[Line]:
        """Yield one line a row, its keys in the order of `columns` where they are given, else in their own."""
        for parts in self._parts(self.what):
            named = {self.names.get((part, name), name): v for part, line in parts for name, v in line.items()}
            yield {name: named[name] for name in columns if name in named} if columns else named

    def survey(self, title: str, *, values: bool) -> Survey:
        """Go through all rows once; returns the columns in order, and with `values` what they hold."""
        seen: dict[tuple[str, str], Column] = {}
        for parts in self._parts("looking through the rows"):
            for part, line in parts:
                for name, value in line.items():
                    column = seen.get((part, name))
                    if column is None:
                        column = seen[part, name] = Column()
                    if values:
                        column.add(value)
        self._name(list(seen))
        found = {self.names[key]: column for key, column in seen.items()}
        known = [c for c in self.options.columns if c in found] if self.writer.carries_metadata else []
        order = known + [c for c in found if c not in set(known)]
        return Survey({name: found[name] for name in order}, len(self.rows), title)

    def _name(self, keys: list[tuple[str, str]]) -> None:
        """Give each column a name; one that an earlier part has already gets a prefix, in all lines."""
        taken = {name for part, name in keys if part == "own"}
        if taken & {"messages", "prompt", "conversations"}:
            taken.add("tools")  # beside a chat these are the chat's
        self.names = {("own", name): name for part, name in keys if part == "own"}
        for part, prefix in PREFIX.items():
            names = [name for p, name in keys if p == part]
            for name in names:
                free = name
                while free in taken or (free != name and free in names):
                    free = prefix + free
                if free != name and part == "answers" and name in ("chosen", "rejected", "completion", "label"):
                    self.notes[free] = f"it is not found under this name: a column {name} is an input"
                self.names[part, name] = free
            taken |= {self.names[part, name] for name in names}

    def _parts(self, what: str) -> Iterator[list[tuple[str, Line]]]:
        shape, options, note = self.writer.shape, self.options, self.notes.setdefault
        carries, beside = self.writer.carries_metadata, options.beside
        told = self.rows[0].status is not None
        kind: str | None = None
        for i, row in enumerate(self.rows):
            if self.progress is not None and i % STEP == 0:
                self.progress(what, i, len(self.rows))
            if row.record["kind"] != kind:
                kind = _check_kind(row, kind, self.writer)
            own = shape(row, options, note)
            self.forms.add(row.record["input_form"])
            parts: list[tuple[str, Line]] = [("own", own.own)]
            if own.answers:
                parts.append(("answers", own.answers))
            if carries:
                beside_row = row.metadata
                if own.told:
                    beside_row = {name: v for name, v in beside_row.items() if name not in own.told}
                parts.append(("metadata", beside_row))
            elif beside:
                parts.append(("metadata", {name: row.metadata[name] for name in beside if name in row.metadata}))
            if told:
                parts.append(("story", dict(zip(STORY, (row.status, row.reason, row.kept), strict=True))))
            yield parts


def table_of(
    rows: Sequence[ExportRow],
    shape: str,
    options: WriteOptions | None = None,
    progress: Progress | None = None,
    what: str = "writing",
) -> Table:
    """Return rows as a table in a shape. Raises InputError for no rows and for kinds that the shape cannot hold."""
    writer = WRITERS.get(shape)
    options = options or WriteOptions()
    if not rows:
        raise InputError("no rows to write", remedy="choose other rows; no file was written")
    if options.render is not None and not writer.takes_prompt:
        raise UsageError(
            f"a prompt makes messages of the fields, and {shape} writes the fields as they are",
            where="--prompt",
            remedy="add --format messages, or leave the prompt out",
        )
    if options.implicit and shape != "preference":
        raise UsageError("only preference rows have an implicit prompt", remedy="add --format preference")
    return Table(rows, writer, options, progress, what)


def _check_kind(row: ExportRow, before: str | None, writer: Writer) -> str:
    """Return the kind of a row. Raises InputError where the shape cannot hold it, or the rows before are of another."""
    kind: str = row.record["kind"]
    where = f"row {row.record['row'][:SHOWN]}"
    if before is not None:
        raise InputError(
            f"a file holds rows of one kind, and these are {before} and {kind}",
            where=where,
            remedy=f"write them apart: --kind {before}, then --kind {kind}",
        )
    if kind not in writer.holds:
        raise InputError(f"{writer.name} holds no {kind} row", where=where, remedy=writer.refuses[cast("Kind", kind)])
    return kind


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
