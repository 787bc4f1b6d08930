"""The nouns of reading: what is asked, what a format gives, what a caller gets. No behaviour, no bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sluice.core.errors import InputError
from sluice.core.progress import Progress
from sluice.core.registry import Registry
from sluice.core.rows import AnyRow

STEP = 8192  # records between two reports of progress


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user said about a file; None is "see for yourself"."""

    input: str | None = None
    """The input column, or several separated by commas."""
    target: str | None = None
    """The target column, or several separated by commas: their values become one JSON object in that order."""
    encoding: str | None = None
    """A name that Python's codecs know, such as `cp1252`; `auto` takes what is detected in each file."""
    delimiter: str | None = None
    """One character, or `tab`."""
    format: str | None = None
    """A name in FORMATS."""
    shape: str | None = None
    """A name in SHAPES."""
    map: tuple[str, ...] = ()
    """FIELD=TEMPLATE, one for each field of a row."""
    thread: str | None = None
    """The column that says which conversation a message belongs to; a row is then a whole conversation."""
    order: str | None = None
    """The column that says in which order its messages stand: numbers or times."""
    role: str | None = None
    """The column that says who speaks."""
    text: str | None = None
    """The column of what is said."""
    roles: str | None = None
    """What the words of the role column mean: `agent=assistant,customer=user`."""
    sheet: str | None = None
    """The sheet of a workbook; None: the first one with cells."""
    per: str | None = None
    """What a row of a plain text is: `file`, `paragraph` or `line`; None: `file`."""
    fix_mojibake: bool = False
    """Whether texts whose characters were decoded twice are mended in the columns that rows are made of."""


AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file to read, where more is to be said of it than its path."""

    path: Path
    """Where its bytes lie; a name in the place of a path where `data` holds them."""
    name: str | None = None
    """What it is remembered by; None: its path."""
    data: bytes | None = None
    """Its bytes, where they came another way than from a file: stdin."""


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One row, and where it stood."""

    row: AnyRow
    line: int
    """The first physical line, from 1; for Parquet and Arrow the number of the row, for Excel that of the sheet."""
    metadata: dict[str, Any]
    """All other columns of the record that are not absent."""
    before: AnyRow | None = None
    """The row as the file has it, where mojibake was mended in it."""
    more: tuple[int, ...] = ()
    """Further lines that the row is made of: the other messages of a thread."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """One record that could not be taken exactly, kept with its reason."""

    line: int
    column: int | None
    """The place in the line, from 1, where it is known (bytes for undecodable bytes, else characters)."""
    reason: str
    raw: str
    """The physical line or lines, undecodable bytes written as \\xNN; a Parquet row as JSON or Python text."""


@dataclass(frozen=True, slots=True)
class Mojibake:
    """A row that holds text whose bytes were once decoded in the wrong encoding."""

    line: int
    column: str
    """The column that holds it."""
    found: str
    """The text around the place."""
    mended: str
    """The same, as it was meant."""


@dataclass(frozen=True, slots=True)
class ReadResult:
    """A file that was read: its facts, its rows in order, and what was set aside in order."""

    path: str
    sha256: str
    """Of the file's bytes, 64 hex digits."""
    size: int
    """Bytes."""
    format: str
    shape: str
    """A name in SHAPES."""
    read_as: str
    """What the rows were taken for, for people: "ShareGPT chats"."""
    encoding: str
    """`utf-8`, `utf-8-sig`, `utf-16`, the encoding that was named or detected; `binary` for Parquet, Arrow, Excel."""
    columns: list[str]
    """All columns of the file, in order of first appearance."""
    rows: Sequence[ReadRow]
    """A list; `ColumnRows` where the file is large."""
    set_aside: list[SetAside]
    left_out: dict[str, str] = field(default_factory=dict[str, str])
    """Columns that are no metadata because they could not be read, each with the reason."""
    note: str | None = None
    """What else the columns fit, and how the file is then read."""
    sheet: str | None = None
    """The sheet of a workbook that was read."""
    packed: str | None = None
    """`gzip` or `zstd` where the file was packed; hash and size are of the packed bytes."""
    detected: bool = False
    """Whether the encoding was detected rather than told by the file, by the user, or by being UTF-8."""
    mojibake: list[Mojibake] = field(default_factory=list["Mojibake"])
    """Texts that were decoded twice, in order; mended where that was asked for."""


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of one file, read once, so that hash and rows are of the same bytes."""

    path: Path
    """For messages and, by its extension, for the format; without the extension of a packed file."""
    data: bytes
    """Unpacked."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a format gives: records of columns, absent cells left out, and the lines that are no record."""

    columns: list[str]
    lines: list[int]
    """The line of each record."""
    records: list[dict[str, Any]]
    raw: Callable[[int], str]
    """From the index of a record to its physical text."""
    set_aside: list[SetAside]
    encoding: str
    nulls_are_gaps: bool = False
    """Whether a null inside a nested value only says that another row has that key (Parquet structs)."""
    left_out: dict[str, str] = field(default_factory=dict[str, str])
    """Columns that could not be read and that no row is made of, each with the reason."""
    sheet: str | None = None
    """The sheet of a workbook that was read."""
    pieces: list[list[tuple[int, str]]] | None = None
    """Where each record was folded of several lines: their numbers and texts, in the order of the record."""

    def more(self, index: int) -> tuple[int, ...]:
        """Return the further lines that a record was folded of."""
        return tuple(line for line, _ in self.pieces[index][1:]) if self.pieces else ()

    def aside(self, index: int, reason: str) -> list[SetAside]:
        """Return a record that cannot be taken, as the lines that are set aside."""
        pieces = self.pieces[index] if self.pieces else [(self.lines[index], self.raw(index))]
        return [SetAside(line, None, reason, raw) for line, raw in pieces]


@dataclass(frozen=True, slots=True)
class Format:
    """A file format that can be read."""

    name: str
    extensions: tuple[str, ...]
    help: str
    """One line for people."""
    example: str
    """A small file in this format, as text."""
    sniff: Callable[[bytes], bool]
    """From the whole file to whether it is surely of this format, whatever it is called."""
    read: Callable[[Source, ReadOptions, Progress | None], Table]
    binary: bool = False
    """Whether its first bytes say more than any name."""


FORMATS: Registry[Format] = Registry("file format")


def near(name: str, known: Iterable[str]) -> str:
    """Return a remedy that names the nearest of the known names, or all of them."""
    names = list(known)
    close = get_close_matches(name, names, n=1)
    if not close:
        folded = {n.casefold().strip(): n for n in names}
        close = [folded[name.casefold().strip()]] if name.casefold().strip() in folded else []
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return f"did you mean '{close[0]}'? It has: {shown}" if close else f"it has: {shown}"


def empty(path: Path, what: str) -> InputError:
    """Return the error for a file in which there is no row."""
    return InputError(f"no rows: {what}", where=str(path), remedy="check that this is the file you mean")


def none_of(count: int, noun: str) -> str:
    """Return the beginning of a sentence that is true of no record of a file: "none of its 3 rows"."""
    return f"none of its {count:,} {noun}s" if count != 1 else f"not even its one {noun}"
