"""Drop the rows that another row makes superfluous, and list those that only look so.

A row is dropped only for a kept row that it is proven similar to itself, input and target both: there are no chains,
so a row never goes because of a neighbour's neighbour. Rows are taken in a fixed order; each is kept unless it is
similar to a row kept before it, and then it goes for the first such row. So the kept rows are pairwise unlike, and a
second run drops nothing. The order is by content (the longest input first, then the row hash) or, where the caller
knows where rows were first seen, by that place; never by the order in which rows are given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Literal

import numpy as np

from sluice.core.progress import Progress
from sluice.core.rows import AnyRow
from sluice.curate.duplicates.keys import Keys, keys_of
from sluice.curate.duplicates.near import Shares, Way, jaccard, near_pairs
from sluice.curate.join import Pairs
from sluice.curate.similarity import Mask, Numbers, Prepared, Relation

EXACT_UP_TO = 50_000
"""Rows from which on MinHash LSH finds the candidates; up to it the exact join is faster and misses nothing."""
FIRST_BLOCK = 256
FEW = 256  # kept rows that are tried first: a row that meets one with another target need not meet them all

Keep = Literal["longest", "first"]
Reason = Literal["exact-duplicate", "near-duplicate", "near-other-target"]


@dataclass(frozen=True)
class Dropped:
    """A row that goes, and the row kept in its place."""

    row: str
    reason: Reason
    kept: str
    jaccard: float
    """Of the two inputs, counted exactly (1.0 for an exact duplicate)."""
    target_jaccard: float
    """Of the two targets: 1.0 where they are equal, less for near-equal prose, 0.0 for `near-other-target`."""


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
class DedupResult:
    """What `dedup` found. Rows are named by their hash."""

    kept: tuple[str, ...]
    """In the order of the rows given."""
    dropped: tuple[Dropped, ...]
    """In the order of the rows given."""
    conflicts: tuple[Conflict, ...] = ()
    near_other_target: tuple[NearPair, ...] = ()
    way: Way = "exact"
    """How candidates were found."""
    counts: dict[str, int] = field(default_factory=dict[str, int])
    """How many rows each reason took."""


def dedup(
    rows: Sequence[AnyRow],
    *,
    relation: Relation | None = None,
    drop_near: bool = False,
    keep: Keep = "longest",
    places: Mapping[str, Any] | None = None,
    way: Way | None = None,
    progress: Progress | None = None,
) -> DedupResult:
    """Find the duplicates among rows.

    Args:
        rows: of any kinds; only rows of one kind and one shape of input are compared. A row that comes twice is one.
        relation: the similarity; by default without boilerplate, since nothing is pinned yet.
        drop_near: also drop rows that are near-equal in input to a kept row and have another target. A row of a
            conflict stays all the same.
        keep: "longest" keeps the longest input of those that stand for one another; "first" the one seen first.
        places: for "first": row hash to a sortable place, such as (file, line); rows without one come last.
        way: "exact" or "lsh"; by default exact up to 50,000 rows.
        progress: told how many of the rows were compared.
    """
    relation = relation or Relation()
    given = {row.row: row for row in rows}
    keys = {name: keys_of(row) for name, row in given.items()}
    order = sorted(given, key=_order(keys, keep, places or {}))
    conflicts = _conflicts(keys, relation)
    contested = {name for conflict in conflicts for name in conflict.rows}

    stand_ins: dict[tuple[Any, ...], str] = {}
    exact: dict[str, str] = {}
    for name in order:
        first = stand_ins.setdefault((keys[name].shape, keys[name].input, keys[name].learnt), name)
        if first != name:
            exact[name] = first
    unique = list(stand_ins.values())
    way = way or ("exact" if len(unique) <= EXACT_UP_TO else "lsh")
    near, others = _Greedy([keys[n] for n in unique], [n in contested for n in unique], relation, drop_near, way).run(
        progress
    )
    near_of = {unique[i]: drop for i, drop in near.items()}

    dropped: list[Dropped] = []
    for name in given:
        stand_in = exact.get(name, name)
        if stand_in in near_of:  # equal texts have equal n-grams: what was counted for the stand-in holds for the row
            kept, share, target = near_of[stand_in]
            reason: Reason = "near-duplicate" if target else "near-other-target"
            dropped.append(Dropped(name, reason, unique[kept], share, target))
        elif name in exact:
            dropped.append(Dropped(name, "exact-duplicate", stand_in, 1.0, 1.0))
    gone = {d.row for d in dropped}
    pairs = [NearPair(unique[i], unique[j], share) for i, (j, share) in sorted(others.items())]
    counts: dict[str, int] = defaultdict(int)
    for drop in dropped:
        counts[drop.reason] += 1
    return DedupResult(
        kept=tuple(name for name in given if name not in gone),
        dropped=tuple(dropped),
        conflicts=tuple(Conflict(tuple(name for name in c.rows if name not in gone)) for c in conflicts),
        near_other_target=tuple(pairs),
        way=way,
        counts=dict(counts),
    )


def _order(keys: Mapping[str, Keys], keep: Keep, places: Mapping[str, Any]) -> Callable[[str], tuple[Any, ...]]:
    if keep == "first":
        return lambda name: (0, places[name], name) if name in places else (1, name)
    return lambda name: (-sum(map(len, keys[name].input)), name)


def _conflicts(keys: Mapping[str, Keys], relation: Relation) -> list[Conflict]:
    """Return the conflicts; long texts that are near-equal do not contradict each other."""
    claims: dict[tuple[Any, ...], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    prose: dict[str, bool] = {}
    for name, key in keys.items():
        if key.claim is not None:
            claims[key.shape, key.input, key.claim][key.says].append(name)
            prose[key.says] = bool(key.prose) and key.prose[0]
    found: list[Conflict] = []
    for says in claims.values():
        if len(says) > 1 and not all(
            prose[a] and prose[b] and relation.near_equal(a, b) is not None for a, b in combinations(says, 2)
        ):
            found.append(Conflict(tuple(sorted(name for names in says.values() for name in names))))
    return sorted(found, key=lambda conflict: conflict.rows)


class _Greedy:
    """Takes rows in order and keeps each that is unlike all kept before it.

    Rows are worked in blocks of growing size, each first against the rows kept so far and then against itself: a family
    of thousands of near-equal rows is held against its one kept member, not against each other.
    """

    def __init__(self, keys: list[Keys], contested: list[bool], relation: Relation, drop_near: bool, way: Way):
        self.keys, self.drop_near = keys, drop_near
        self.way: Way = way
        self.contested: Mask = np.array(contested, dtype=bool)
        self.texts: Prepared = relation.prepare([key.input for key in keys])
        self.shapes = _numbers([key.shape for key in keys])
        self.inputs = _numbers([(key.shape, key.input) for key in keys])
        self.learnt = _numbers([key.learnt for key in keys])
        self.prose: Mask = np.array([any(key.prose) for key in keys], dtype=bool)
        parts = max((len(key.learnt) for key in keys), default=0)
        self.targets = [
            relation.prepare([(key.learnt[p],) if p < len(key.learnt) and key.prose[p] else () for key in keys])
            for p in range(parts)
            if any(p < len(key.prose) and key.prose[p] for key in keys)
        ]
        self.target_parts = [p for p in range(parts) if any(p < len(key.prose) and key.prose[p] for key in keys)]
        self.dropped: dict[int, tuple[int, float, float]] = {}
        self.others: dict[int, tuple[int, float]] = {}
        self.has_other: Mask = np.zeros(len(keys), dtype=bool)
        self.gone: Mask = np.zeros(len(keys), dtype=bool)

    def run(
        self, progress: Progress | None
    ) -> tuple[dict[int, tuple[int, float, float]], dict[int, tuple[int, float]]]:
        """Return (dropped: number to kept number, input and target share; near others: number to number, share)."""
        kept: Numbers = np.zeros(0, dtype=np.int64)
        low, size = 0, FIRST_BLOCK
        while low < len(self.keys):
            block = np.arange(low, min(low + size, len(self.keys)))
            for some in (kept[:FEW], kept[FEW:]):
                if len(some) and len(block):
                    self._settle(block, some, final=True)
                    block = block[~self.gone[block]]
            self._settle(block, block, final=False)
            kept = np.concatenate((kept, block[~self.gone[block]]))
            low, size = low + size, size * 2
            if progress is not None:
                progress("duplicates", min(low, len(self.keys)), len(self.keys))
        others = {i: near for i, near in self.others.items() if not self.gone[i]}
        return self.dropped, others

    def _settle(self, later: Numbers, earlier: Numbers, final: bool) -> None:
        """Find the pairs of two selections and decide them in order: the first similar kept row takes the later one.

        `final` says that the earlier rows stay for certain.
        """
        same: list[tuple[int, int, float, float]] = []
        other: list[Pairs] = []
        for pairs in near_pairs(self.texts, later, earlier, self.way, self._skip):
            i, j = pairs.left, pairs.right
            target = self._target_share(i, j)
            apart = (target == 0) & (self.inputs[i] != self.inputs[j])
            drops = ~self.contested[i] & ((target > 0) | (apart if self.drop_near else False))
            shares, targets = pairs.share[drops].tolist(), target[drops].tolist()
            same += zip(i[drops].tolist(), j[drops].tolist(), shares, targets, strict=True)
            other.append(Pairs(i[apart], j[apart], pairs.share[apart], pairs.near[apart]))
            if final:
                self.has_other[i[apart]] = True
        for i, j, share, target in sorted(same):
            if not self.gone[i] and not self.gone[j]:
                self.dropped[i] = (j, share, target)
                self.gone[i] = True
        for pairs in other:
            stay = ~(self.gone[pairs.left] | self.gone[pairs.right])
            i, j, share = pairs.left[stay], pairs.right[stay], pairs.share[stay]
            order = np.lexsort((j, i))
            rows, first = np.unique(i[order], return_index=True)
            for row, place in zip(rows.tolist(), order[first].tolist(), strict=True):
                best = self.others.get(row)
                if best is None or int(j[place]) < best[0]:
                    self.others[row] = (int(j[place]), float(share[place]))
                    self.has_other[row] = True

    def _skip(self, i: Numbers, j: Numbers) -> Mask:
        """Pass over a row with itself and with later ones, other shapes, and pairs that can change nothing."""
        useless = (i <= j) | (self.shapes[i] != self.shapes[j])
        surely_other = (self.learnt[i] != self.learnt[j]) & ~(self.prose[i] & self.prose[j])
        return useless if self.drop_near else useless | (surely_other & self.has_other[i])

    def _target_share(self, i: Numbers, j: Numbers) -> Shares:
        """Return 1 where targets are equal, their smallest Jaccard where the parts that differ are near-equal prose."""
        share: Shares = (self.learnt[i] == self.learnt[j]).astype(np.float64)
        for place in np.flatnonzero((share == 0) & self.prose[i] & self.prose[j]):
            a, b = int(i[place]), int(j[place])
            share[place] = self._prose_share(a, b)
        return share

    def _prose_share(self, a: int, b: int) -> float:
        least = 1.0
        left, right = self.keys[a], self.keys[b]
        for p, (one, two) in enumerate(zip(left.learnt, right.learnt, strict=True)):
            if one == two:
                continue
            if not (left.prose[p] and right.prose[p]):
                return 0.0
            texts = self.targets[self.target_parts.index(p)]
            least = min(least, float(jaccard(texts, np.array([a]), np.array([b]))[0]))
        return least


def _numbers(values: Sequence[Any]) -> Numbers:
    """Return a number for each value, equal where the values are."""
    known: dict[Any, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], dtype=np.int64)
