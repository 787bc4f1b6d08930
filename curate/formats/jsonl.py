"""JSON Lines: one object a line, and a line ends at LF only (U+2028, U+0085 and CR do not end it).

Each line is read by `parse_exact`; a line it refuses is set aside and its neighbours arrive whole. Columns are the
keys of all lines, not of the first ones. Knows nothing of rows.
"""

from __future__ import annotations

from typing import Any

from sluice.core.canonical import JsonProblem, parse_exact
from sluice.core.errors import InputError
from sluice.curate.formats.decode import decode
from sluice.curate.formats.records import (
    FORMATS,
    STEP,
    Format,
    Progress,
    ReadOptions,
    SetAside,
    Source,
    Table,
    empty,
    none_of,
)


def sniff(data: bytes) -> bool:
    """Return whether the first line opens an object (UTF-8 or UTF-16)."""
    return data[:200].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b'{"')


def read(source: Source, options: ReadOptions, progress: Progress | None) -> Table:
    """Read the objects of a JSON Lines file.

    Raises InputError for another encoding, a file that is one JSON array, or one without a line.
    """
    decoded = decode(source, options.encoding)
    text = decoded.text
    physical = text.split("\n")
    if _opens_array(physical):
        raise _array(source)
    lines: list[int] = []
    records: list[dict[str, Any]] = []
    aside: list[SetAside] = []
    columns: dict[str, None] = {}
    for number, line in enumerate(physical, start=1):
        if progress is not None and number % STEP == 0:
            progress(f"reading {source.path.name}", number, len(physical))
        if not line or not line.strip(" \t\r"):
            continue
        bad = decoded.bad_column(line)
        if bad is not None:
            aside.append(SetAside(number, bad, f"bytes that are not {decoded.encoding}", decoded.lossy(line)))
            continue
        try:
            value = parse_exact(line.removeprefix("\ufeff"))
        except JsonProblem as problem:
            aside.append(SetAside(number, problem.column, problem.reason, line))
            continue
        if not isinstance(value, dict):
            aside.append(SetAside(number, 1, f"not an object but {_noun(value)}", line))
            continue
        if value.keys() - columns.keys():
            columns.update(dict.fromkeys(value))
        lines.append(number)
        records.append(value)
    if not records:
        if text[:1000].lstrip().startswith("["):
            raise _array(source)
        raise _nothing(source, aside)
    return Table(list(columns), lines, records, lambda i: physical[lines[i] - 1], aside, decoded.encoding)


def _opens_array(physical: list[str]) -> bool:
    """Return whether the first line opens an array that it does not close: then the file is one array."""
    first = next((line for line in physical if line.strip()), "")
    if not first.lstrip("\ufeff \t").startswith("["):
        return False
    try:
        parse_exact(first)
    except JsonProblem:
        return True
    return False


def _array(source: Source) -> InputError:
    return InputError(
        "this is one JSON array, not one object a line",
        where=str(source.path),
        remedy=f"jq -c '.[]' {source.path.name} > {source.path.stem}-lines.jsonl",
    )


def _nothing(source: Source, aside: list[SetAside]) -> InputError:
    if not aside:
        return empty(source.path, "every line is blank")
    first = aside[0]
    return InputError(
        f"{none_of(len(aside), 'line')} is a JSON object; line {first.line}: {first.reason}",
        where=str(source.path),
        remedy="give one JSON object a line, or say what it is with --format csv or --format parquet",
    )


def _noun(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    return {"str": "a text", "list": "a list"}.get(type(value).__name__, "a number")


FORMATS.register("jsonl")(
    Format(
        name="jsonl",
        extensions=(".jsonl", ".ndjson", ".json", ".jsonlines"),
        help="JSON Lines: one object a line",
        example='{"body": "Where is my parcel?", "category": "delivery", "ticket": 870}\n',
        sniff=sniff,
        read=read,
    )
)
