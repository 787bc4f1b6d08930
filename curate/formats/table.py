"""Rows as lines of columns: each row in a shape, its metadata beside it, and the names that columns take.

A table is made anew each time it is gone through, so that it is never held whole. Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from sluice.core.errors import InputError, UsageError
from sluice.core.progress import Progress
from sluice.core.rows import SHOWN
from sluice.curate.formats.encoders import Column, Survey
from sluice.curate.formats.records import STEP
from sluice.curate.formats.writers import WRITERS, ExportRow, WriteOptions, Writer
from sluice.curate.formats.writers.base import Kind, Line

STORY = ("status", "reason", "kept_row")
PREFIX = {"answers": "sluice_", "metadata": "metadata.", "story": "sluice_"}
"""What is put before the name of a column that has to make way."""


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
