"""What an encoder is: lines of columns to the bytes of one file, chunk by chunk, the same bytes each time.

`Survey` is what a first pass over the lines found: the columns in order, and what their values are, so that a form with
a header or types can write the first line before it has seen the last. Knows nothing of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from json import dumps
from typing import Any, cast

from sluice.core.canonical import dump_exact
from sluice.core.registry import Registry

Line = dict[str, Any]
AS_TEXT, EMPTIED = "values became text", "empty texts became absent"
TURN_KEYS = ("role", "content", "name", "tool_calls", "tool_call_id", "weight", "from", "value")
"""Keys of a turn, in the order of their columns. `tool_calls` is JSON, all others are flat."""


@dataclass(slots=True)
class Column:
    """What the values of one column are."""

    types: set[type] = field(default_factory=set[type])
    low: int = 0
    high: int = 0
    """The least and the greatest integer (and zero)."""
    empty: bool = False
    """Whether some value is the empty text."""
    items: Column | None = None
    """Of lists without lists or objects in them: what their items are."""
    turns: set[str] | None = field(default_factory=set[str])
    """Of lists of turns: the keys that they have; None where some value is no such list."""

    def add(self, value: Any) -> None:
        """Take one more value into account; None is absent."""
        if value is None:
            return
        kind = type(value)
        self.types.add(kind)
        if kind is str:
            self.turns = None
            self.empty = self.empty or not value
        elif kind is int:
            self.turns = None
            self.low, self.high = min(self.low, value), max(self.high, value)
        elif kind is list:
            self._add_list(value)
        else:
            self.turns = None

    def _add_list(self, value: list[Any]) -> None:
        if self.turns is not None:
            self.turns = self.turns.union(*map(set, value)) if all(map(_is_turn, value)) else None
        if self.items is None:
            self.items = Column()
        for item in value:
            self.items.add(item)


@dataclass(frozen=True, slots=True)
class Survey:
    """The columns of a file in order, each with what its values are (empty `Column`s where nobody asked)."""

    columns: Mapping[str, Column]
    rows: int
    title: str
    """A name for the content, where a form has a place for one."""


class CannotHold(Exception):
    """A line that a form of file cannot hold; who knows the rows says which one it is.

    Args:
        number: of the line, from 1.
        why: what stands in the way.
        remedy: what to do.
    """

    def __init__(self, number: int, why: str, remedy: str):
        super().__init__(why)
        self.number, self.why, self.remedy = number, why, remedy


Encode = Callable[[Iterable[Line], Survey], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Encoder:
    """A form of file that lines can be written in."""

    name: str
    extensions: tuple[str, ...]
    help: str
    encode: Encode
    inexact: Callable[[Survey], dict[str, str]]
    """From what the columns hold to those that are not read back as they were, each with what became of its values."""
    needs_survey: bool
    """Whether it has to know all columns and values before the first line."""
    packs: bool = False
    """Whether it is text, for which .gz and .zst are written too."""
    read_with: Callable[[Survey], tuple[str, ...]] = lambda _: ()
    """What `add` has to be told of the form to read the file back."""


ENCODERS: Registry[Encoder] = Registry("file format")


def exact(_: Survey) -> dict[str, str]:
    """Return no columns: the form holds any value as it is."""
    return {}


def compact(value: Any) -> str:
    """Return what `dump_exact` does; values that the standard library writes alike go through its compiled writer."""
    try:
        return dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return dump_exact(value)


def _is_turn(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    turn = cast("dict[str, Any]", value)
    if not (isinstance(turn.get("role"), str) or isinstance(turn.get("from"), str)):
        return False
    return all(key in TURN_KEYS and (key == "tool_calls" or type(v) in (str, int)) for key, v in turn.items())
