"""`read_file`: one file to rows, what was set aside, and the facts of the file. Exact, or refused with a remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sluice.core.errors import InputError
from sluice.curate.formats import mojibake
from sluice.curate.formats.decode import UTF8_NAMES
from sluice.curate.formats.open_file import open_entry, tell_format
from sluice.curate.formats.records import (
    AUTO,
    STEP,
    Entry,
    Mojibake,
    Progress,
    ReadOptions,
    ReadResult,
    ReadRow,
    SetAside,
    Table,
    none_of,
)
from sluice.curate.formats.shapes import Built, Reading, choose, row_of

LARGE = 32 << 20
"""Bytes from which JSON Lines are read by columns (`read_large`): below, compiling once costs more than it saves."""
MOST_COLUMNS = 6


def read_file(file: Path | Entry, options: ReadOptions | None = None, progress: Progress | None = None) -> ReadResult:
    """Read a file of rows, losing nothing: what cannot be taken exactly is set aside with its reason.

    Args:
        file: its path, or an Entry; the format is told by content, then by extension.
        options: what the user said of columns, encoding, delimiter and format.
        progress: called with (what, records done, records in all).

    Raises InputError where the file as a whole cannot be read: missing, a folder, empty, forbidden, damaged, of another
    encoding or format, of unrecognised columns, or with no row that can be taken.
    """
    options = options or ReadOptions()
    entry = file if isinstance(file, Entry) else Entry(file)
    opened = open_entry(entry)
    source, path = opened.source, opened.source.path
    form = tell_format(source, options)
    if form.name == "jsonl" and len(source.data) >= LARGE:
        from sluice.curate.formats.read_large import read_large

        large = read_large(opened, options, progress)
        if large is not None:
            return replace(large, path=entry.name or str(entry.path))
    table = form.read(source, options, progress)
    taken = take_rows(table, options, path, progress, mojibake.possible(source.data, table.encoding))
    if not taken.rows:
        raise none_taken(path, taken, options)
    return ReadResult(
        path=entry.name or str(entry.path),
        sha256=opened.sha256,
        size=opened.size,
        format=form.name,
        shape=taken.reading.shape,
        read_as=taken.reading.title,
        encoding=table.encoding,
        columns=table.columns,
        rows=taken.rows,
        set_aside=taken.set_aside,
        left_out=table.left_out,
        note=taken.reading.note,
        sheet=table.sheet,
        packed=opened.packed,
        detected=options.encoding == AUTO and table.encoding not in (*UTF8_NAMES, "utf-16", "binary"),
        mojibake=taken.mojibake,
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """The rows of a table, and what was met on the way."""

    reading: Reading
    rows: Sequence[ReadRow]
    set_aside: list[SetAside]
    """In order of their lines."""
    mojibake: list[Mojibake]
    advice: str | None
    """What the first record that was set aside would have needed."""


def take_rows(
    table: Table, options: ReadOptions, path: Path, progress: Progress | None = None, look: bool = False
) -> Taken:
    """Choose the shape of a table and make its rows.

    Args:
        table: what a format gave.
        options: what the user said.
        path: for messages.
        progress: called with (what, records done, records in all).
        look: whether texts can hold mojibake.
    """
    reading = choose(table.columns, options, path, table.records, nulls_are_gaps=table.nulls_are_gaps)
    if reading.fold is not None:
        table = reading.fold(table)
    return build_rows(table, reading, options, path, progress, look)


def build_rows(
    table: Table,
    reading: Reading,
    options: ReadOptions,
    path: Path,
    progress: Progress | None = None,
    look: bool = False,
) -> Taken:
    """Make the rows of a table whose shape is chosen. Arguments as for `take_rows`."""
    rows: list[ReadRow] = []
    aside: list[SetAside] = []
    marks: list[Mojibake] = []
    advice: str | None = None
    told = options.input or options.shape or options.map or options.thread
    looked_at = reading.used | reading.no_metadata
    taken, build, total = reading.no_metadata, reading.build, len(table.records)
    for i, record in enumerate(table.records):
        if progress is not None and i % STEP == 0:
            progress(f"taking rows of {path.name}", i, total)
        before = None
        try:
            built = build(record)
            found = mojibake.look(record, looked_at, table.lines[i]) if look else None
            if found:
                marks.append(found.first)
                if options.fix_mojibake:
                    before, built = row_of(built), build(record | found.mended)
        except InputError as problem:
            advice = advice or problem.remedy
            aside += table.aside(i, problem.message + ("" if told else _other_shape(reading, record)))
            continue
        metadata = {k: v for k, v in record.items() if k not in taken}
        if isinstance(built, Built):
            metadata |= built.beside
        rows.append(ReadRow(row_of(built), table.lines[i], metadata, before, table.more(i)))
    return Taken(reading, rows, _in_order(table, aside), marks, advice)


def _other_shape(reading: Reading, record: dict[str, Any]) -> str:
    """Return what is said of a line that has columns, and none of those that the file is read by: another shape."""
    columns = [name for name, value in record.items() if value is not None]
    if not columns or any(name in reading.used for name in columns):
        return ""
    known = ", ".join(columns[:MOST_COLUMNS]) + (", ..." if len(columns) > MOST_COLUMNS else "")
    return f" (the file is read as {reading.title}, and this line has: {known})"


def _in_order(table: Table, aside: list[SetAside]) -> list[SetAside]:
    return sorted([*table.set_aside, *aside], key=lambda a: a.line)


def none_taken(path: Path, taken: Taken, options: ReadOptions) -> InputError:
    first = taken.set_aside[0]
    usual = (
        f"check --input {options.input}"
        if options.input
        else (f"mend it, if these are {taken.reading.title}; else name the columns: --input COL --target COL")
    )
    return InputError(
        f"{none_of(len(taken.set_aside), 'row')} can be taken; line {first.line}: {first.reason}",
        where=str(path),
        remedy=taken.advice or usual,
    )
