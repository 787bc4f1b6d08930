"""`read_file`: one file to rows, what was set aside, and the facts of the file. Exact, or refused with a remedy."""

from __future__ import annotations

import hashlib
from difflib import get_close_matches
from pathlib import Path

from sluice.core.errors import BadPath, InputError, NoPermission

# the built-in formats file themselves in FORMATS, in this order
from sluice.curate.formats import delimited, jsonl, parquet  # noqa: F401
from sluice.curate.formats.records import (
    FORMATS,
    STEP,
    Format,
    Progress,
    ReadOptions,
    ReadResult,
    ReadRow,
    SetAside,
    Source,
    Table,
    none_of,
)
from sluice.curate.formats.shapes import Built, choose


def read_file(path: Path, options: ReadOptions | None = None, progress: Progress | None = None) -> ReadResult:
    """Read a file of rows, losing nothing: what cannot be taken exactly is set aside with its reason.

    Args:
        path: a JSONL, CSV or Parquet file; the format is told by content, then by extension.
        options: what the user said of columns, encoding, delimiter and format.
        progress: called with (what, records done, records in all).

    Raises InputError where the file as a whole cannot be read: missing, a folder, empty, forbidden, damaged, of another
    encoding or format, of unrecognised columns, or with no row that can be taken.
    """
    options = options or ReadOptions()
    source = _load(path)
    form = _format(source, options)
    table = form.read(source, options, progress)
    reading = choose(table.columns, options, path, table.records, nulls_are_gaps=table.nulls_are_gaps)
    rows: list[ReadRow] = []
    aside: list[SetAside] = []
    advice: str | None = None
    used, build, total = reading.used, reading.build, len(table.records)
    for i, record in enumerate(table.records):
        if progress is not None and i % STEP == 0:
            progress(f"taking rows of {path.name}", i, total)
        try:
            built = build(record)
        except InputError as problem:
            advice = advice or problem.remedy
            aside += table.aside(i, problem.message)
            continue
        metadata = {k: v for k, v in record.items() if k not in used}
        if isinstance(built, Built):
            metadata |= built.beside
            built = built.row
        rows.append(ReadRow(built, table.lines[i], metadata, table.more(i)))
    if not rows:
        raise _none_taken(path, aside, options, advice)
    return ReadResult(
        path=str(path),
        sha256=hashlib.sha256(source.data).hexdigest(),
        size=len(source.data),
        format=form.name,
        shape=reading.shape,
        read_as=reading.title,
        encoding=table.encoding,
        columns=table.columns,
        rows=rows,
        set_aside=_in_order(table, aside),
        left_out=table.left_out,
        note=reading.note,
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


def _load(path: Path) -> Source:
    try:
        if path.is_dir():
            inside = sorted(p.name for p in path.iterdir() if p.suffix.lower() in _extensions())
            remedy = f"name its files, for example {path / inside[0]}" if inside else "name a file"
            raise BadPath("this is a folder", where=str(path), remedy=remedy)
        data = path.read_bytes()
    except FileNotFoundError:
        raise BadPath("no such file", where=str(path), remedy=_nearest(path)) from None
    except PermissionError:
        raise NoPermission(
            "this file may not be read", where=str(path), remedy=f"chmod u+r {path}, or ask its owner"
        ) from None
    except OSError as problem:
        raise InputError(f"cannot be read: {problem.strerror}", where=str(path), remedy="check the path") from None
    if not data:
        raise InputError("the file is empty (0 bytes)", where=str(path), remedy="check that it was written in full")
    return Source(path, data)


def _nearest(path: Path) -> str:
    try:
        names = [p.name for p in path.parent.iterdir()]
    except OSError:
        return f"the folder {path.parent} is not there either; check the path"
    close = get_close_matches(path.name, names, n=1)
    return f"did you mean {path.parent / close[0]}?" if close else "check the path"


def _extensions() -> dict[str, Format]:
    return {extension: form for _, form in FORMATS for extension in form.extensions}


def _format(source: Source, options: ReadOptions) -> Format:
    if options.format is not None:
        return FORMATS.get(options.format)
    by_name = _extensions().get(source.path.suffix.lower())
    sure = [form for _, form in FORMATS if form.sniff(source.data)]
    binary = [form for form in sure if form.name == "parquet"]
    found = (binary or sure or [None])[0] if binary or by_name is None else by_name
    if found is None:
        raise InputError(
            f"the name ends in {source.path.suffix or 'no extension'}, and the content does not tell the format",
            where=str(source.path),
            remedy=f"say what it is: --format {' | '.join(FORMATS.names())}",
        )
    return found
