"""Judgements and the table they make: items down, annotators across, a code for each value.

A value is a text, a number, a set of texts, or an object (compared by its canonical JSON). None says "cannot say": it
is counted, and for the measures it is a missing judgement. The scale says how values are compared: `nominal` (equal or
not), `ordinal` (their order counts), `interval` (their distance counts), `sets` (several labels an item).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from sluice.core.canonical import canonical
from sluice.core.errors import InputError, UsageError
from sluice.core.wording import counted

Scale = Literal["nominal", "ordinal", "interval", "sets"]
Value: TypeAlias = str | int | float | tuple[str, ...]
"""As it stands in a table: a set is a sorted tuple, an object its canonical JSON."""
MISSING = -1


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one person said of one item."""

    item: str
    annotator: str
    value: Any
    """Text, number, collection of texts (sets), mapping (an object); None: looked at it and cannot say."""
    slice: str | None = None
    """The part of the data that the item belongs to, where agreement is asked for by slice."""


@dataclass(frozen=True, eq=False)
class Table:
    """Judgements as codes."""

    items: tuple[str, ...]
    annotators: tuple[str, ...]
    """Sorted, as `items` are: no order of arrival changes a number."""
    values: tuple[Value, ...]
    """All that were allowed, else all that were given; in their order where the scale has one."""
    codes: np.ndarray
    """Shape (items, annotators): place in `values`, MISSING where there is no judgement."""
    slices: tuple[str | None, ...]
    cannot_say: Mapping[str, int]
    """By annotator."""
    scale: Scale

    def take(self, items: np.ndarray) -> Table:
        """Return the table of some items (a mask), with the same annotators and values."""
        chosen = np.flatnonzero(items)
        return Table(
            tuple(self.items[i] for i in chosen),
            self.annotators,
            self.values,
            self.codes[chosen],
            tuple(self.slices[i] for i in chosen),
            {},
            self.scale,
        )


def tabulate(judgements: Iterable[Judgement], *, scale: Scale, allowed: Sequence[Any] | None = None) -> Table:
    """Return judgements as a table.

    Args:
        judgements: at most one of a person on an item (the last word of each is what counts).
        scale: how values are compared.
        allowed: every value that could be given, for `ordinal` from lowest to highest; without it those that were
            given, numbers in their order, texts by the alphabet. `sets`: the labels that a set may hold.

    Raises:
        UsageError: an unknown scale; ordered texts without their order.
        InputError: two judgements of a person on an item, a value that is not allowed or not of the scale, no
            annotator.
    """
    if scale not in get_args(Scale):
        raise UsageError(f'"{scale}" is no scale', remedy=f"one of {', '.join(get_args(Scale))}")
    seen: dict[tuple[str, str], Value] = {}
    cannot: Counter[str] = Counter()
    slices: dict[str, str | None] = {}
    for judgement in judgements:  # values of uneven types: one by one, each error names its item
        where = f"item {judgement.item}, annotator {judgement.annotator}"
        if not judgement.annotator:
            raise InputError(
                "a judgement has no annotator", where=f"item {judgement.item}", remedy="say who judged it (--by)"
            )
        key = (judgement.item, judgement.annotator)
        if key in seen:
            raise InputError("judged twice by one person", where=where, remedy="give only the last word of each person")
        if slices.get(judgement.item) is None:
            slices[judgement.item] = judgement.slice
        if judgement.value is None:
            cannot[judgement.annotator] += 1
            continue
        seen[key] = as_value(judgement.value, scale, where)
    values = _ordered(set(seen.values()), scale, allowed)
    code = {value: i for i, value in enumerate(values)}
    items = tuple(sorted(slices))
    annotators = tuple(sorted({annotator for _, annotator in seen} | set(cannot)))
    row, column = {item: i for i, item in enumerate(items)}, {name: i for i, name in enumerate(annotators)}
    codes = np.full((len(items), len(annotators)), MISSING, dtype=np.int64)
    if seen:
        places = np.array([(row[i], column[a], code[value]) for (i, a), value in seen.items()])
        codes[places[:, 0], places[:, 1]] = places[:, 2]
    return Table(items, annotators, values, codes, tuple(slices[i] for i in items), dict(sorted(cannot.items())), scale)


def as_value(value: Any, scale: Scale, where: str = "value") -> Value:
    """Return a value in the form in which it is compared, or raise InputError where the scale does not take it."""
    if scale == "sets":
        if isinstance(value, str) or not isinstance(value, Iterable) or isinstance(value, Mapping):
            raise InputError(f"{value!r} is no list of labels", where=where, remedy='give a list, such as ["a", "b"]')
        return tuple(sorted({str(label) for label in value}))
    if scale == "interval" or (isinstance(value, int | float) and not isinstance(value, bool)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"{value!r} is no number", where=where, remedy="give a number, or use another scale")
        return value
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple | set | frozenset) and scale == "nominal":
        raise InputError("a list of labels was given", where=where, remedy="use the scale `sets`")
    return canonical(value)


def _ordered(given: set[Value], scale: Scale, allowed: Sequence[Any] | None) -> tuple[Value, ...]:
    if scale == "sets":
        if allowed is not None:
            _refuse({label for labels in given for label in labels} - set(allowed), allowed)  # pyright: ignore
        return tuple(sorted(given))  # pyright: ignore[reportArgumentType]
    if allowed is not None:
        order = tuple(dict.fromkeys(as_value(value, scale, "allowed values") for value in allowed))
        _refuse(given - set(order), order)
        if scale == "interval":
            return tuple(sorted(order))  # pyright: ignore[reportArgumentType]
        return order
    texts = [value for value in given if isinstance(value, str)]
    if scale == "ordinal" and texts:
        raise UsageError(
            "the values are texts and their order is not known",
            remedy="name the allowed values from lowest to highest, or use the scale `nominal`",
        )
    numbers = sorted(value for value in given if isinstance(value, int | float))
    return (*numbers, *sorted(texts))


def _refuse(strange: set[Any], allowed: Sequence[Any]) -> None:
    if strange:
        some = ", ".join(repr(value) for value in sorted(strange, key=str)[:3])
        raise InputError(
            f"{counted(len(strange), 'value is', 'values are')} not among those allowed: {some}",
            remedy=f"allowed are {', '.join(map(str, list(allowed)[:12]))}",
        )
