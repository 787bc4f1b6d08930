"""Judgements from tables, for the tests of agreement and label models: a row an item, a column a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sluice.curate.labels.agreement import Judgement
from sluice.curate.labels.agreement.measure import Name, named


def judged(rows: Sequence[Sequence[Any]], slices: Sequence[str] | None = None) -> list[Judgement]:
    """Return the judgements of a table; None is no judgement at all."""
    return [
        Judgement(f"item-{i:05}", f"person-{j}", value, slices[i] if slices else None)
        for i, row in enumerate(rows)
        for j, value in enumerate(row)
        if value is not None
    ]


def measure_of(found: Any, name: str) -> Any:
    """Return the measure of a name in a record with `measures`, which has to have it."""
    return sure(named(found.measures, cast(Name, name)))


def sure(value: Any) -> Any:
    """Return a value that has to be there."""
    assert value is not None
    return value


def from_counts(table: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return ratings (items x raters) from how many raters chose each category (items x categories)."""
    return [[category for category, count in enumerate(row) for _ in range(count)] for row in table]


def from_contingency(table: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the ratings of two people from their contingency table."""
    return [[a, b] for a, row in enumerate(table) for b, count in enumerate(row) for _ in range(count)]
