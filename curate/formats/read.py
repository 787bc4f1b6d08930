"""`read_file`: one file to rows, what was set aside, and the facts of the file. Exact, or refused with a remedy."""

from __future__ import annotations

from pathlib import Path

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
from sluice.curate.formats.shapes import Built, choose, row_of


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
    table = form.read(source, options, progress)
    reading = choose(table.columns, options, path, table.records, nulls_are_gaps=table.nulls_are_gaps)
    if reading.fold is not None:
        table = reading.fold(table)
    looked = mojibake.possible(source.data, table.encoding)
    rows: list[ReadRow] = []
    aside: list[SetAside] = []
    marks: list[Mojibake] = []
    advice: str | None = None
    looked_at = reading.used | reading.no_metadata
    taken, build, total = reading.no_metadata, reading.build, len(table.records)
    for i, record in enumerate(table.records):
        if progress is not None and i % STEP == 0:
            progress(f"taking rows of {path.name}", i, total)
        before = None
        try:
            built = build(record)
            found = mojibake.look(record, looked_at, table.lines[i]) if looked else None
            if found:
                marks.append(found.first)
                if options.fix_mojibake:
                    before, built = row_of(built), build(record | found.mended)
        except InputError as problem:
            advice = advice or problem.remedy
            aside += table.aside(i, problem.message)
            continue
        metadata = {k: v for k, v in record.items() if k not in taken}
        if isinstance(built, Built):
            metadata |= built.beside
        rows.append(ReadRow(row_of(built), table.lines[i], metadata, before, table.more(i)))
    if not rows:
        raise _none_taken(path, aside, options, advice)
    return ReadResult(
        path=entry.name or str(entry.path),
        sha256=opened.sha256,
        size=opened.size,
        format=form.name,
        shape=reading.shape,
        read_as=reading.title,
        encoding=table.encoding,
        columns=table.columns,
        rows=rows,
        set_aside=_in_order(table, aside),
        left_out=table.left_out,
        note=reading.note,
        packed=opened.packed,
        detected=options.encoding == AUTO and table.encoding not in (*UTF8_NAMES, "utf-16", "binary"),
        mojibake=marks,
    )


def _in_order(table: Table, aside: list[SetAside]) -> list[SetAside]:
    return sorted([*table.set_aside, *aside], key=lambda a: a.line)


def _none_taken(path: Path, aside: list[SetAside], options: ReadOptions, advice: str | None) -> InputError:
    first = aside[0]
    usual = f"check --input {options.input}" if options.input else "name the columns: --input COL --target COL"
    return InputError(
        f"{none_of(len(aside), 'row')} can be taken; line {first.line}: {first.reason}",
        where=str(path),
        remedy=advice or usual,
    )
