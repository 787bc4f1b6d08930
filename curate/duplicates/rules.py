"""The nouns of duplicates: what counts as one, and what is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sluice.core.errors import UsageError
from sluice.curate.duplicates.keys import On
from sluice.curate.similar.similarity import NEAR_PERCENT, Relation

LOWEST = 40
"""Hundredths: below this nearly any two texts of one domain are alike, and so are their candidates too many."""

Way = Literal["exact", "lsh"]
Reason = Literal["exact-duplicate", "near-duplicate", "near-other-target", "semantic-duplicate"]
REASONS: tuple[Reason, ...] = ("exact-duplicate", "near-duplicate", "near-other-target", "semantic-duplicate")


@dataclass(frozen=True)
class Conflict:
    """Kept rows with the same normalised input that say different things about it."""

    rows: tuple[str, ...]
    """Sorted."""


@dataclass(frozen=True)
class NearPair:
    """Two kept rows with near-equal inputs and different targets."""

    row: str
    other: str
    """The first of the kept rows, in the keeping order, that `row` is near to."""
    jaccard: float


@dataclass(frozen=True)
class Rules:
    """What counts as a duplicate, and which of two rows stays.

    Args:
        relation: the similarity; without boilerplate, since nothing is pinned yet.
        on: what has to be alike.
        percent: least Jaccard, in hundredths.
        drop_near: also drop rows near-equal in input to a kept row that have another target. A row of a conflict stays.
        rank: row hash to what orders it (lowest first; rows without one come last); equal ones, and all where it is
            None, go by the longest input.
    """

    relation: Relation = field(default_factory=Relation)
    on: On = "both"
    percent: int = NEAR_PERCENT
    drop_near: bool = False
    rank: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not LOWEST <= self.percent <= 100:
            raise UsageError(
                f"a threshold of {self.percent / 100:g} is none that rows can be compared by",
                remedy=f"choose one from {LOWEST / 100:g} to 1",
            )

    def order(self, name: str, characters: int) -> tuple[Any, ...]:
        """Return what a row is sorted by: the lower is kept."""
        longest = (-characters, name)
        if self.rank is None:
            return longest
        return (0, self.rank[name], *longest) if name in self.rank else (1, *longest)


@dataclass(frozen=True)
class Found:
    """What either way finds, by row hash."""

    exact: dict[str, str]
    """A row to the one that says the same, and stands for it."""
    near: dict[str, tuple[str, float, float]]
    """Of those that stand for others: a row to (the kept row, Jaccard of inputs, of targets)."""
    others: list[NearPair]
    conflicts: list[Conflict]
    way: Way
