"""Text to records of cells, by the letter of RFC 4180, and back to the next sound line after a fault.

Python's csv module reads on through a stray quote and swallows the rows behind it. Here a record is either sound or a
`Problem` with its physical lines. After a fault the question is whether the next line begins inside a quoted cell: the
first quote that only one of the two readings explains tells (a cell opens behind a delimiter or line start, and closes
before a delimiter or line end). That quote can be a second fault, far away, so what lies between is heard too: lines
that are records on their own are no text of a cell. Knows delimiters and quotes, and nothing of columns, bytes or rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

TELLING = 3
"""Delimiters, each in its place, that tell records from the text of a cell: one comma a line is common in prose."""


class Record(NamedTuple):
    """A sound record: its first line (from 1), its place in the text, its cells."""

    line: int
    start: int
    end: int
    cells: list[str]


class Problem(NamedTuple):
    """Physical lines that are no record. `column` (from 1) is known where the fault is on the first of them."""

    line: int
    last: int
    start: int
    end: int
    reason: str
    column: int | None


class _Fault(NamedTuple):
    at: int
    reason: str
    quoted: bool
    """Whether the line after it may lie inside a quoted cell."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text read under one delimiter."""

    header: list[str]
    header_line: int
    records: list[Record]
    problems: list[Problem]

    @property
    def agreement(self) -> float:
        """The share of records with the header's number of cells; 1.0 where there are none."""
        total = len(self.records) + len(self.problems)
        return len(self.records) / total if total else 1.0


def parse(text: str, delimiter: str) -> Parsed | None:
    """Read a text under one delimiter. Returns None where no line is a sound header. Blank lines are passed over."""
    return _Parser(text, delimiter).run()


class _Parser:
    """One pass over one text. `width` is the header's number of cells, None before the header."""

    def __init__(self, text: str, delimiter: str):
        self.text = text
        self.size = len(text)
        self.delimiter = delimiter
        self.newline = "\r" if "\n" not in text and "\r" in text else "\n"
        self.plain = re.compile(f'[^"\r\n{re.escape(delimiter)}]*')
        self.width: int | None = None

    def run(self) -> Parsed | None:
        header: Record | None = None
        records: list[Record] = []
        problems: list[Problem] = []
        at, line = 0, 1
        while at < self.size:
            found = self._record(at)
            end = self._line_end(at)
            if isinstance(found, _Fault):
                if header is None:
                    return None
                end = self._resume(found, end)
                column = found.at - at + 1 if found.at <= self._line_end(at) else None
                problems.append(self._problem(line, at, end, found.reason, column))
            elif found is not None:
                cells, end = found
                if header is None:
                    header = Record(line, at, end, cells)
                    self.width = len(cells)
                elif len(cells) == self.width:
                    records.append(Record(line, at, end, cells))
                else:
                    end = self._first_line_only(at, end)
                    noun = "cell" if len(cells) == 1 else "cells"
                    reason = f"{len(cells)} {noun} where the header has {self.width}"
                    problems.append(self._problem(line, at, end, reason, None))
            line += self.text.count(self.newline, at, end)
            at = end
        return Parsed(header.cells, header.line, records, problems) if header else None

    def _problem(self, line: int, at: int, end: int, reason: str, column: int | None) -> Problem:
        last = line + self.text.count(self.newline, at, end - 1)  # but for the line end of the last one
        return Problem(line, last, at, end, reason, column)

    def _line_end(self, at: int) -> int:
        """Return the place behind the line's end."""
        stop = self.text.find(self.newline, at)
        return self.size if stop < 0 else stop + 1

    def _record(self, at: int) -> tuple[list[str], int] | _Fault | None:
        """Read a record that begins at a line's start: its cells and the place behind it; None for a blank line."""
        end = self._line_end(at)
        return self._simple(at, end) if self.text.find('"', at, end) < 0 else self._quoted(at)

    def _simple(self, at: int, end: int) -> tuple[list[str], int] | _Fault | None:
        """Read a line without quotes; None where it is blank."""
        body = self.text[at:end]
        if body.endswith("\n"):
            body = body[:-1]
        if body.endswith("\r"):
            body = body[:-1]
        if not body:
            return None
        if "\r" in body:
            return _Fault(at + body.index("\r"), "a carriage return outside quotes", quoted=False)
        return body.split(self.delimiter), end

    def _quoted(self, at: int) -> tuple[list[str], int] | _Fault:
        """Read a record that holds quotes, over as many lines as it takes."""
        text, cells = self.text, list[str]()
        while True:
            opening = at
            quoted = text.startswith('"', at)
            if quoted:
                close = self._close(at + 1)
                if close < 0:
                    return _Fault(opening, "a quote that is never closed", quoted=True)
                cells.append(text[at + 1 : close].replace('""', '"'))
                at = close + 1
            else:
                match = self.plain.match(text, at)
                stop = match.end() if match else at
                cells.append(text[at:stop])
                at = stop
            if at >= self.size:
                return cells, at
            if text[at] == self.delimiter:
                at += 1
            elif text[at] == self.newline:
                return cells, at + 1
            elif text[at] == "\r" and (at + 1 == self.size or text[at + 1] == "\n"):
                return cells, min(at + 2, self.size)
            elif text[at] == "\r":
                return _Fault(at, "a carriage return outside quotes", quoted=False)
            elif quoted:
                return _Fault(opening, "a quoted cell with text behind its closing quote, or never closed", quoted=True)
            else:
                return _Fault(at, "a quote inside a cell that is not quoted", quoted=False)

    def _close(self, at: int) -> int:
        """Return the place of the quote that closes a cell (doubled quotes are passed over), or -1."""
        while True:
            at = self.text.find('"', at)
            if at < 0 or not self.text.startswith('"', at + 1):
                return at
            at += 2

    def _resume(self, fault: _Fault, first_end: int) -> int:
        """Return the place of the next line that is not part of a faulty record."""
        if not fault.quoted and fault.at < first_end:
            return first_end
        behind = self._behind_cell(first_end)
        return first_end if behind is None or self._holds_records(first_end, behind) else behind

    def _behind_cell(self, first_end: int) -> int | None:
        """Return the place behind the line on which a quoted cell that runs on closes; None where none runs on.

        Two readings of what follows its first line are walked side by side, quotes by quotes: outside a cell, and
        inside one. The first place that only one of them can explain decides; a place that neither can is passed over.
        """
        outside, closed = True, -1  # the first reading: whether it is outside now; where the second one left its cell
        for at, behind in self._quote_runs(first_end):
            opens = at == first_end or self.text[at - 1] in (self.delimiter, self.newline)
            closes = behind >= self.size or self.text[behind] in (self.delimiter, "\r", "\n")
            if (behind - at) % 2 == 0:  # doubled quotes inside a cell, or a whole cell of its own
                if opens and closes:
                    return None if outside else self._line_end(closed)
                if outside:
                    continue
                return None
            if closed < 0 and closes:
                closed = behind - 1
            if opens != closes:
                return None if opens == outside else self._line_end(closed)
            if opens:
                outside = not outside
        return None if outside or closed < 0 else self._line_end(closed)

    def _quote_runs(self, at: int) -> Iterator[tuple[int, int]]:
        """Yield start and end of each run of quotes from a place on."""
        while (at := self.text.find('"', at)) >= 0:
            behind = at
            while self.text.startswith('"', behind):
                behind += 1
            yield at, behind
            at = behind

    def _first_line_only(self, start: int, end: int) -> int:
        """Return where a record of the wrong width ends: behind its first line, if the lines after it are records.

        Then its first line has a quote too many that happened to be closed by a later row.
        """
        first_end = self._line_end(start)
        return first_end if self._holds_records(first_end, end) else end

    def _holds_records(self, start: int, end: int) -> bool:
        """Return whether some lines are records of the header's width, rather than the text of a quoted cell.

        They are where all of them are sound, or most of them, with delimiters enough in their places. Blank lines tell
        nothing, and lines of one column have no delimiter that could tell.
        """
        sound = faulty = 0
        at = start
        while at < end:
            found = self._record(at)
            if isinstance(found, _Fault) or (found and (len(found[0]) != self.width or found[1] > end)):
                faulty += 1
                at = self._line_end(at)
            else:
                sound += found is not None
                at = found[1] if found else self._line_end(at)
        return not faulty or (sound > faulty and sound * ((self.width or 1) - 1) >= TELLING)


def join_cells(cells: list[str], delimiter: str = ",") -> str:
    """Return one CSV line (with its LF). Cells with any common delimiter, quotes or line breaks are quoted."""
    line = delimiter.join(_cell(c) for c in cells) or '""'  # a line of nothing would be a blank line
    return line + "\n"


_NEEDS_QUOTES = re.compile('[",;\t|\r\n\ufeff]')


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text
