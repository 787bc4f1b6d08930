"""The nouns of shapes: what is known of a file, a shape, and how the records of one file become rows. No behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sluice.core.chats import ROLES
from sluice.core.registry import Registry
from sluice.core.rows import AnyRow
from sluice.curate.formats.records import ReadOptions, Table

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Built:
    """A row whose record said more than its own columns do."""

    row: AnyRow
    beside: Record
    """What goes to the metadata with the columns that no row is made of."""


def row_of(built: AnyRow | Built) -> AnyRow:
    """Return the row alone."""
    return built.row if isinstance(built, Built) else built


Build = Callable[[Record], "AnyRow | Built"]
"""From a record to a row; raises InputError with the reason for which it is set aside."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a file when its shape is chosen."""

    columns: list[str]
    """All columns, in order."""
    options: ReadOptions
    path: Path
    """For messages."""
    records: Sequence[Record] = ()
    """All records, where they are at hand."""
    tidy: Callable[[Any], Any] = lambda value: value
    """Takes nulls out of a nested value where they only say that another row has that key (Parquet structs)."""

    def has(self, *columns: str) -> bool:
        """Return whether the file has all these columns."""
        return set(columns) <= set(self.columns)


@dataclass(frozen=True, slots=True)
class Direct:
    """What is made of an ordinary record, said so plainly that no record has to be: `lines_make` reads it.

    Ordinary are turns of a role and a text alone, inputs and targets that are texts, and no other column of `used`.
    """

    turns: str | None = None
    """The column of turns, whose closing assistant turn is the target."""
    spelt: tuple[str, str] = ("role", "content")
    """The keys of a turn: who speaks, and what is said."""
    speakers: Mapping[str, str] = field(default_factory=lambda: {r: r for r in ROLES})
    """How speakers are called, and which role each is."""
    inputs: tuple[str, ...] = ()
    """The columns of named fields, in order, where there are no turns."""
    target: str | None = None
    """The target's column."""
    drops_blank: bool = False
    """Whether fields that are blank or absent are left out."""
    kind: str = "example"
    """`example` or `text`."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the records of one file become rows."""

    shape: str
    """The name of its Shape."""
    title: str
    """What the file holds, for people: "ShareGPT chats"."""
    used: frozenset[str]
    """The columns that make the row; all others are metadata."""
    build: Build
    note: str | None = None
    """What else the file could be, and how it is then read."""
    taken: frozenset[str] | None = None
    """The columns that are no metadata, where those are not just the used ones."""
    fold: Callable[[Table], Table] | None = None
    """Makes one record of several, before rows are built."""
    direct: Direct | None = None
    """What `build` makes of ordinary records; a large file's are read by it."""

    @property
    def no_metadata(self) -> frozenset[str]:
        """The columns of a record that do not stay beside its row."""
        return self.used if self.taken is None else self.taken


@dataclass(frozen=True, slots=True)
class Shape:
    """A form that the records of a file can have."""

    name: str
    title: str
    """What such a file holds, for people: "read as ShareGPT chats"."""
    help: str
    """One line for people: the columns, and what becomes of them."""
    examples: tuple[Record, ...]
    """Records of this shape."""
    fits: Callable[[Seen], bool]
    """Whether the columns (and records) of a file say so by themselves."""
    read: Callable[[Seen], Reading]
    """How to read a file so; raises InputError where it lacks what is needed."""
    options: tuple[str, ...] = field(default=())
    """The options of `add` that this shape needs, where columns alone do not tell it."""


SHAPES: Registry[Shape] = Registry("shape")
"""In the order in which they are tried; the first that fits is taken, and others that fit are named."""
