"""JSON Lines: one object a line, and a line ends at LF only (U+2028, U+0085 and CR do not end it).

Each line is read by `parse_exact`; a line it refuses is set aside and its neighbours arrive whole. Columns are the
keys of all lines, not of the first ones. Knows nothing of rows.
"""

from __future__ import annotations

import shlex
from typing import Any, cast

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

    Raises InputError for another encoding, for JSON that is not one object a line, and for a file without a line.
    """
    decoded = decode(source, options.encoding)
    text = decoded.text
    physical = text.split("\n")
    spoken = [line.strip("\ufeff \t\r") for line in physical if line.strip("\ufeff \t\r")]
    if _is_spread(spoken):
        raise _nothing(source, spoken, [])
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
        value = read_line(line, number)
        if isinstance(value, SetAside):
            aside.append(value)
            continue
        if value.keys() - columns.keys():
            columns.update(dict.fromkeys(value))
        lines.append(number)
        records.append(value)
    if not records:
        raise _nothing(source, spoken, aside)
    return Table(list(columns), lines, records, lambda i: physical[lines[i] - 1], aside, decoded.encoding)


def read_line(line: str, number: int) -> dict[str, Any] | SetAside:
    """Return the object on a line, or why it is none."""
    try:
        value = parse_exact(line.removeprefix("\ufeff"))
    except JsonProblem as problem:
        return SetAside(number, problem.column, problem.reason, line)
    if not isinstance(value, dict):
        return SetAside(number, 1, f"not an object but {noun(value)}", line)
    return cast("dict[str, Any]", value)


def _is_spread(lines: list[str]) -> bool:
    """Return whether the first line opens an array or an object that other lines close: its parts are no records."""
    if not lines:
        return False
    first, last = lines[0], lines[-1]
    opens_array = first.startswith("[") and not _is_json(first.removesuffix(","))
    return opens_array or (first == "{" and len(lines) > 1 and last.endswith("}"))


def _nothing(source: Source, lines: list[str], aside: list[SetAside]) -> InputError:
    """Return the error for a file without an object on a line, with the command that makes it one.

    Args:
        source: the file.
        lines: its lines that are not blank.
        aside: why they are no objects.
    """
    if not lines:
        return empty(source.path, "every line is blank")
    first, last = lines[0], lines[-1]
    name, made = shlex.quote(source.path.name), shlex.quote(f"{source.path.stem}-lines.jsonl")
    listed = "jq -c '{input: .[0], target: .[1]}'"
    if "\r" in first:
        what, command = "its lines end in CR alone, not in LF", f"tr '\\r' '\\n' < {name}"
    elif first.endswith(",") and _is_json(first[:-1]):
        what, command = "its lines end in commas", f"sed 's/,[[:space:]]*$//' {name}"
        command += f" | {listed}" if first.startswith("[") else ""
    elif first.startswith("[") and len(lines) > 1 and _is_json(first):
        what, command = "each line is a list, not an object", f"{listed} {name}"
    elif first.startswith("["):
        return InputError(
            "this is one JSON array, not one object a line", where=str(source.path), remedy="--format json reads it"
        )
    elif first.startswith("{") and len(lines) > 1 and not first.endswith("}") and last.endswith("}"):
        what, command = "an object is spread over several lines, not one object a line", f"jq -c . {name}"
    else:
        return InputError(
            f"{none_of(len(aside), 'line')} is a JSON object; line {aside[0].line}: {aside[0].reason}",
            where=str(source.path),
            remedy="give one JSON object a line, or say what it is with --format csv or --format parquet",
        )
    return InputError(what, where=str(source.path), remedy=f"{command} > {made}")


def _is_json(line: str) -> bool:
    try:
        parse_exact(line)
    except JsonProblem:
        return False
    return True


def noun(value: Any) -> str:
    """Return what a JSON value that is no object is, with its article."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    return {"str": "a text", "list": "a list"}.get(type(value).__name__, "a number")


FORMATS.register("jsonl")(
    Format(
        name="jsonl",
        extensions=(".jsonl", ".ndjson", ".jsonlines"),
        help="JSON Lines: one object a line",
        example='{"body": "Where is my parcel?", "category": "delivery", "ticket": 870}\n',
        sniff=sniff,
        read=read,
    )
)
