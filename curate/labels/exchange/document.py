"""JSON and JSON Lines as pairs of a line and a record, so that whatever is wrong can be named by its line.

A list's broken element ends the reading with an error, as nothing behind it can be told apart; a broken line of JSON
Lines is set aside alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sluice.core.canonical import JsonProblem, dump_exact, parse_exact
from sluice.core.errors import InputError
from sluice.curate.formats.open_file import open_entry
from sluice.curate.formats.records import Entry
from sluice.curate.labels.exchange.word import Place

Lines = list[tuple[Place, Any]]
Problems = list[tuple[Place, str]]

_BLANK = " \t\r\n"
_FINDER = json.JSONDecoder()


def read_document(path: Path) -> tuple[Lines, Problems]:
    """Return the records of a JSON or JSON Lines file with their lines, and the lines that are none.

    Packed files (.gz, .zst) are unpacked. Raises InputError with the line for a broken list, BadPath for no file.
    """
    data = open_entry(Entry(path)).source.data.removeprefix(b"\xef\xbb\xbf")
    start = data.lstrip()[:1]
    if start == b"[":
        return list(_elements(_decoded(data, path), path)), []
    found, problems = _each_line(data)
    if not found and start == b"{":  # one object over several lines
        text = _decoded(data, path)
        line = _line(text, len(text) - len(text.lstrip(_BLANK)))
        try:
            return [(Place(line, 1), parse_exact(text))], []
        except JsonProblem:
            pass
    if not found and not problems:
        raise InputError("there is no record in it", where=str(path), remedy="check that it was written in full")
    return found, problems


def peek(path: Path, most: int = 20) -> list[dict[str, Any]]:
    """Return the first JSON objects of a file; none where no line is one. Raises as `read_document` does."""
    found, _ = read_document(path)
    return [record for _, record in found[:most] if isinstance(record, dict)]


def json_lines(records: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Yield JSON Lines."""
    for record in records:
        yield (dump_exact(record) + "\n").encode()


def json_list(records: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Yield one JSON list, an element a line."""
    before = b"[\n"
    for record in records:
        yield before + dump_exact(record).encode()
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise InputError("bytes that are not UTF-8", where=f"{path}:{line}", remedy="write it as UTF-8") from None


def _each_line(data: bytes) -> tuple[Lines, Problems]:
    found: Lines = []
    problems: Problems = []
    for line, raw in enumerate(data.split(b"\n"), start=1):  # a text may hold other line breaks
        if not raw.strip():
            continue
        place = Place(line, len(found) + len(problems) + 1)
        try:
            found.append((place, parse_exact(raw.decode().strip(_BLANK))))
        except JsonProblem as problem:
            problems.append((place, str(problem)))
        except UnicodeDecodeError:
            problems.append((place, "bytes that are not UTF-8"))
    return found, problems


def _elements(text: str, path: Path) -> Iterator[tuple[Place, Any]]:
    place = text.index("[") + 1
    line, counted, number = 1, 0, 0
    while True:
        place = _past_blanks(text, place)
        sign = text[place : place + 1]
        if sign == "]" and _past_blanks(text, place + 1) == len(text):
            return
        if number:
            if sign != ",":
                raise _broken(text, place, path, "a comma or the end of the list is missing")
            place = _past_blanks(text, place + 1)
        line, counted = line + text.count("\n", counted, place), place
        try:
            _, end = _FINDER.raw_decode(text, place)
            number += 1
            yield Place(line, number), parse_exact(text[place:end])
        except json.JSONDecodeError as problem:
            raise _broken(text, problem.pos, path, f"broken JSON: {problem.msg}") from None
        except JsonProblem as problem:
            raise _broken(text, place, path, str(problem)) from None
        except (RecursionError, ValueError):
            raise _broken(text, place, path, "nested too deep, or a number too long") from None
        place = end


def _past_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place] in _BLANK:
        place += 1
    return place


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _broken(text: str, place: int, path: Path, reason: str) -> InputError:
    return InputError(reason, where=f"{path}:{_line(text, place)}", remedy="write the file anew: nothing was taken")
