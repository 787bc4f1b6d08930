"""JSON as one document: an array of objects, or one object that has them under one key; exact as JSON Lines is.

Each element is found in the text first and then read by `parse_exact`, so that one that cannot be read exactly is set
aside with its line and column, and its neighbours arrive whole. Where the document itself breaks (a bracket that never
closes, no comma between two elements) it is refused with the place. Knows nothing of rows.
"""

from __future__ import annotations

import codecs
import json
import re
import shlex
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from sluice.core.canonical import JsonProblem, parse_exact
from sluice.core.columns import CONVERSATIONS
from sluice.core.errors import InputError
from sluice.curate.formats.decode import Decoded, decode
from sluice.curate.formats.jsonl import noun
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

HOLDERS = ("data", "rows", "records", "examples", "items", "results", "entries", "samples", "instances", "documents")
"""Keys under which documents keep their rows beside other things; a key that stands alone may be called anything."""
OF_ONE_ROW = frozenset({"messages", "tools", "prompt", "completion", "chosen", "rejected", "turns", *CONVERSATIONS})
"""Keys whose list of objects is one row's own: its chat."""
HEAD = 1 << 20  # bytes in which a first line is looked for
_BLANK = re.compile("[ \t\r\n\ufeff]*")
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},"]', re.DOTALL)
_SCAN = json.JSONDecoder()


def sniff(data: bytes) -> bool:
    """Return whether this is one array, or one object that is spread over lines, rather than an object a line."""
    end = data.find(b"\n", 0, HEAD)
    if end > 0 and data.startswith(b"{") and end + 1 < len(data) and _is_json(data[:end].decode("utf-8", "replace")):
        return False  # as nearly all lines are, without a look at all of them
    body = _text(data).strip(" \t\r\n\ufeff")
    first, _, rest = body.partition("\n")
    first = first.strip()
    if body.startswith("["):
        return not rest.strip() or not _is_json(first.removesuffix(","))
    if not body.startswith("{") or not body.endswith("}") or not rest.strip():
        return False
    return not _is_json(first.removesuffix(",")) and _is_json(body)


def one_object(data: bytes) -> bool:
    """Return whether there is one object on one line and nothing else: a row, or rows under a key."""
    body = _text(data).strip(" \t\r\n\ufeff")
    return body.startswith("{") and "\n" not in body


def _text(data: bytes) -> str:
    """Return the text of bytes that may be anything; what is not Unicode is replaced, as it does not matter here."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if not wide and data[:200].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"[", b"{"):
        return ""
    return data.decode("utf-16" if wide else "utf-8", "replace")


def _is_json(text: str) -> bool:
    """Return whether a text is one JSON document, exact or not."""
    try:
        _, end = _SCAN.raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return not text[end:].strip()


def read(source: Source, options: ReadOptions, progress: Progress | None) -> Table:
    """Read the objects of a JSON document.

    Raises InputError for another encoding, for a document that is broken or holds no objects, and for one whose rows
    could lie in more than one place.
    """
    decoded = decode(source, options.encoding)
    document = _Document(source, decoded)
    at = document.after_blank(0)
    if at == len(decoded.text):
        raise empty(source.path, "every line is blank")
    left_out: dict[str, str] = {}
    if decoded.text[at] == "[":
        spans = list(document.elements(at, "]"))
        document.refuse_more(spans[-1].close if spans else document.after_blank(at + 1) + 1)
    elif decoded.text[at] == "{":
        spans, left_out = _rows_of_object(document, at, options)
    else:
        raise document.broken("neither an array nor an object", at)
    if not spans:
        raise empty(source.path, "a JSON document with an empty array")
    return _table(document, spans, left_out, progress)


def _table(document: _Document, spans: list[_Span], left_out: dict[str, str], progress: Progress | None) -> Table:
    source, decoded = document.source, document.decoded
    lines: list[int] = []
    records: list[dict[str, Any]] = []
    raws: list[tuple[int, int]] = []
    aside: list[SetAside] = []
    columns: dict[str, None] = {}
    for number, span in enumerate(spans, start=1):
        if progress is not None and number % STEP == 0:
            progress(f"reading {source.path.name}", number, len(spans))
        found = document.value(span)
        if isinstance(found, SetAside):
            aside.append(found)
            continue
        if found.keys() - columns.keys():
            columns.update(dict.fromkeys(found))
        lines.append(document.place(span.start)[0])
        raws.append((span.start, span.end))
        records.append(found)
    if not records:
        raise InputError(
            f"{none_of(len(aside), 'element')} is an object that can be read; "
            f"line {aside[0].line}, column {aside[0].column}: {aside[0].reason}",
            where=str(source.path),
            remedy="give an array of objects, or one JSON object a line",
        )
    text = decoded.text
    return Table(
        list(columns), lines, records, lambda i: text[slice(*raws[i])], aside, decoded.encoding, left_out=left_out
    )


def _rows_of_object(document: _Document, at: int, options: ReadOptions) -> tuple[list[_Span], dict[str, str]]:
    """Return the elements under the one key that holds rows and what is left out beside it; else the object itself."""
    members = list(document.members(at))
    document.refuse_more(members[-1][1].close if members else document.after_blank(at + 1) + 1)
    named = {part.strip() for part in f"{options.input or ''},{options.target or ''}".split(",")} - {""}
    keys = [key for key, span in members if document.holds_objects(span)]
    if len({key for key, _ in members}) != len(members) or named & {key for key, _ in members}:
        keys = []  # a row, if need be one with a key twice
    likely = [key for key in keys if key not in OF_ONE_ROW and (key in HOLDERS or len(members) == 1)]
    others = [key for key in keys if key not in OF_ONE_ROW]
    name = shlex.quote(document.source.path.name)
    if len(likely) > 1 or (not likely and others and not OF_ONE_ROW & {key for key, _ in members}):
        listed = ", ".join(f"'{key}'" for key in (likely or others)[:5])
        first = json.dumps((likely or others)[0], ensure_ascii=False)
        raise InputError(
            f"one object: its rows could lie under {listed}",
            where=str(document.source.path),
            remedy=f"say which: jq -c {shlex.quote(f'.[{first}][]')} {name} > rows.jsonl; "
            f"where the object itself is the row: jq -c . {name} > rows.jsonl",
        )
    if not likely:
        start = document.after_blank(0)
        last = members[-1][1].close if members else document.after_blank(at + 1) + 1
        return [_Span(start, last, last)], {}
    spans = dict(members)
    why = f"stands beside the rows under '{likely[0]}'"
    beside = {key: f"'{key}' {why}" for key, _ in members if key != likely[0]}
    return list(document.elements(spans[likely[0]].start, "]")), beside


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a value lies in the text; `close` is the place behind what closes its container, where it is the last."""

    start: int
    end: int
    close: int


class _Document:
    """A text, and the places of the values in it."""

    def __init__(self, source: Source, decoded: Decoded):
        self.source = source
        self.decoded = decoded
        self.text = decoded.text
        self._starts = [0, *(m.end() for m in re.finditer("\n", decoded.text))]

    def place(self, at: int) -> tuple[int, int]:
        """Return line and column, from 1."""
        line = bisect_right(self._starts, at)
        return line, at - self._starts[line - 1] + 1

    def broken(self, what: str, at: int) -> InputError:
        line, column = self.place(min(at, len(self.text)))
        cut = at >= len(self.text)
        return InputError(
            f"broken JSON: {what}" + (": the file is cut off" if cut else ""),
            where=f"{self.source.path}:{line}:{column}",
            remedy="fetch or export the file again" if cut else "mend the place; the rows behind it cannot be told",
        )

    def after_blank(self, at: int) -> int:
        return _BLANK.match(self.text, at).end()  # type: ignore[union-attr]  # it matches nothing, too

    def refuse_more(self, at: int) -> None:
        """Raise where something follows the document."""
        at = self.after_blank(at)
        if at < len(self.text):
            raise self.broken("the document is complete, and more follows", at)

    def elements(self, at: int, close: str) -> Iterator[_Span]:
        """Yield the values of the array that opens at a place."""
        at = self.after_blank(at + 1)
        if self.text[at : at + 1] == close:
            return
        while True:
            end = self._end(at)
            behind = self.after_blank(end)
            mark = self.text[behind : behind + 1]
            yield _Span(at, end, behind + 1)
            if mark == close:
                return
            if mark != ",":
                raise self.broken(f"',' or '{close}' is missing", behind)
            at = self.after_blank(behind + 1)
            if self.text[at : at + 1] == close:  # a comma behind the last one says nothing
                raise self.broken("a comma behind the last element", behind)

    def members(self, at: int) -> Iterator[tuple[str, _Span]]:
        """Yield the keys of the object that opens at a place, each with the place of its value."""
        at = self.after_blank(at + 1)
        if self.text[at : at + 1] == "}":
            return
        while True:
            try:
                key, end = _SCAN.raw_decode(self.text, at)
            except (ValueError, RecursionError):
                raise self.broken("a key in double quotes is missing", at) from None
            colon = self.after_blank(end)
            if not isinstance(key, str) or self.text[colon : colon + 1] != ":":
                raise self.broken("a key in double quotes and a colon are missing", at)
            start = self.after_blank(colon + 1)
            end = self._end(start)
            behind = self.after_blank(end)
            yield key, _Span(start, end, behind + 1)
            mark = self.text[behind : behind + 1]
            if mark == "}":
                return
            if mark != ",":
                raise self.broken("',' or '}' is missing", behind)
            at = self.after_blank(behind + 1)

    def _end(self, at: int) -> int:
        """Return the place behind a value: by reading it, else by its brackets, as a bad one has an end, too."""
        try:
            return _SCAN.raw_decode(self.text, at)[1]
        except (ValueError, RecursionError):
            pass
        depth = 0
        for piece in _PIECE.finditer(self.text, at):
            mark = piece.group()
            if mark == '"':
                raise self.broken(
                    "a text that is never closed: the file is cut off, or a quote is missing", piece.start()
                )
            if mark in "[{":
                depth += 1
            elif mark in "]}":
                depth -= 1
                if depth < 0:
                    return piece.start()
                if depth == 0:
                    return piece.end()
            elif mark == "," and depth == 0:
                return piece.start()
        raise self.broken("a bracket that is never closed", len(self.text))

    def holds_objects(self, span: _Span) -> bool:
        """Return whether the value of a member is a list that begins with an object."""
        inside = self.after_blank(span.start + 1)
        return self.text[span.start : span.start + 1] == "[" and self.text[inside : inside + 1] == "{"

    def value(self, span: _Span) -> dict[str, Any] | SetAside:
        """Return an element as an object, or why it is none."""
        text = self.text[span.start : span.end]
        line, column = self.place(span.start)
        bad = self.decoded.bad_column(text)
        if bad is not None:
            return SetAside(line, None, f"bytes that are not {self.decoded.encoding}", self.decoded.lossy(text))
        try:
            value = parse_exact(text)
        except JsonProblem as problem:
            if problem.line is not None and problem.column is not None:
                column = problem.column + (column - 1 if problem.line == 1 else 0)
                line += problem.line - 1
            return SetAside(line, column, problem.reason, text)
        if not isinstance(value, dict):
            return SetAside(line, column, f"not an object but {noun(value)}", text)
        return cast("dict[str, Any]", value)


FORMATS.register("json")(
    Format(
        name="json",
        extensions=(".json",),
        help="JSON: one array of objects, or one object with the rows under one key",
        example='[{"body": "Where is my parcel?", "category": "delivery", "ticket": 870}]\n',
        sniff=sniff,
        read=read,
    )
)
