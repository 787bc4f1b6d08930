"""Duplicates by the exact join: every pair is found. For the thousands of rows that a task has; see `bulk` for more.

Rows are worked in blocks of growing size, each first against the rows kept so far and then against itself: a family of
thousands of near-equal rows is held against its one kept member, not against each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from sluice.core.progress import Progress
from sluice.curate.duplicates.keys import Keys, keys_of_record
from sluice.curate.duplicates.rules import Conflict, Found, NearPair, Rules
from sluice.curate.similar.join import Counter, Pairs, Side, related
from sluice.curate.similar.similarity import NEAR_PERCENT, SORTS, Mask, Numbers, Prepared, Relation, Sets, normalise

if TYPE_CHECKING:
    import polars as pl

FIRST_BLOCK = 256
FEW = 256  # kept rows that are tried first: a row that meets one with another target need not meet them all

Shares = np.ndarray[Any, np.dtype[np.float64]]


def find(frame: pl.DataFrame, fixed: pl.DataFrame, rules: Rules, progress: Progress | None) -> Found:
    """Find the duplicates among rows (frames of rows.COLUMNS), given others that stay."""
    keys = {r["row"]: keys_of_record(r, rules.on) for r in frame.iter_rows(named=True)}
    before = {r["row"]: keys_of_record(r, rules.on) for r in fixed.iter_rows(named=True)}
    conflicts = conflicts_among(before | keys, rules.relation)
    contested = {name for conflict in conflicts for name in conflict.rows}
    ranked = sorted(before), sorted(keys, key=lambda n: rules.order(n, sum(map(len, keys[n].input))))
    stand_ins: dict[tuple[Any, ...], str] = {}
    exact: dict[str, str] = {}
    every = before | keys
    for name in dict.fromkeys([*ranked[0], *ranked[1]]):
        first = stand_ins.setdefault((every[name].shape, every[name].input, every[name].learnt), name)
        if first != name:
            exact[name] = first
    unique = list(stand_ins.values())
    held = [n in contested or n in before for n in unique]
    near, others = _Greedy([every[n] for n in unique], held, rules).run(progress)
    return Found(
        exact=exact,
        near={unique[i]: (unique[j], share, target) for i, (j, share, target) in near.items()},
        others=[
            NearPair(unique[i], unique[j], share) for i, (j, share) in sorted(others.items()) if unique[i] not in before
        ],
        conflicts=[c for c in conflicts if any(name in keys for name in c.rows)],
        way="exact",
    )


def conflicts_among(keys: Mapping[str, Keys], relation: Relation) -> list[Conflict]:
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
    """Takes rows in order and keeps each that is unlike all kept before it."""

    def __init__(self, keys: list[Keys], held: list[bool], rules: Rules):
        self.keys, self.rules = keys, rules
        relation = rules.relation
        self.held: Mask = np.array(held, dtype=bool)
        self.texts: Prepared = relation.prepare([key.input for key in keys])
        self.shapes = numbered([key.shape for key in keys])
        self.inputs = numbered([(key.shape, key.input) for key in keys])
        self.learnt = numbered([key.learnt for key in keys])
        self.prose: Mask = np.array([any(key.prose) for key in keys], dtype=bool)
        parts = max((len(key.learnt) for key in keys), default=0)
        self.target_parts = [p for p in range(parts) if any(p < len(key.prose) and key.prose[p] for key in keys)]
        self.targets = [
            relation.prepare(
                [(normalise(key.learnt[p]),) if p < len(key.learnt) and key.prose[p] else () for key in keys]
            )
            for p in self.target_parts
        ]
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
        sides = _selected(self.texts, later), _selected(self.texts, earlier)
        for pairs in related(*sides, self._skip, percent=self.rules.percent):
            i, j, share = pairs.left, pairs.right, pairs.share
            target = self._target_share(i, j)
            apart = (target == 0) & (self.inputs[i] != self.inputs[j])
            drops = ~self.held[i] & ((target > 0) | (apart if self.rules.drop_near else False))
            same += zip(
                i[drops].tolist(), j[drops].tolist(), share[drops].tolist(), target[drops].tolist(), strict=True
            )
            other.append(Pairs(i[apart], j[apart], share[apart], np.ones(int(apart.sum()), bool)))
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
        return useless if self.rules.drop_near else useless | (surely_other & self.has_other[i])

    def _target_share(self, i: Numbers, j: Numbers) -> Shares:
        """Return 1 where targets are equal, their smallest Jaccard where the parts that differ are near-equal prose."""
        share: Shares = (self.learnt[i] == self.learnt[j]).astype(np.float64)
        for place in np.flatnonzero((share == 0) & self.prose[i] & self.prose[j]):
            share[place] = self._prose_share(int(i[place]), int(j[place]))
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
            least = min(least, float(jaccard(texts, np.array([a]), np.array([b]), self.rules.percent)[0]))
        return least


def _selected(texts: Prepared, numbers: Numbers) -> Side:
    near = np.zeros(len(texts), dtype=bool)
    near[numbers] = True
    return Side(texts, near, np.zeros(len(texts), dtype=bool))


def numbered(values: Sequence[Any]) -> Numbers:
    """Return a number for each value, equal where the values are."""
    known: dict[Any, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], dtype=np.int64)


def jaccard(texts: Prepared, i: Numbers, j: Numbers, percent: int = NEAR_PERCENT) -> Shares:
    """Return the exact Jaccard of each pair where it reaches `percent`, else 0; by the pair rules of the similarity."""
    shares = np.zeros(len(i), dtype=np.float64)
    for sort in SORTS:
        either_short = texts.short[i] | texts.short[j]
        of_sort = either_short if sort == "char" else ~either_short
        enough = texts.enough(sort)
        for sets, wanted in (
            (texts.left[sort], of_sort & (enough[i] | enough[j])),
            (texts.all[sort], of_sort & ~(enough[i] | enough[j])),
        ):
            places = np.flatnonzero(wanted)
            if len(places):
                shares[places] = _near_share(sets, i[places], j[places], percent)
    return shares


def _near_share(sets: Sets, i: Numbers, j: Numbers, percent: int) -> Shares:
    chosen, places = np.unique(np.concatenate((i, j)), return_inverse=True)
    some = sets.take(chosen)
    a, b = places[: len(i)], places[len(i) :]
    hits = Counter(some, some).count(a, b)
    union = some.sizes[a] + some.sizes[b] - hits
    near = (union > 0) & (100 * hits >= percent * union)
    return np.where(near, hits / np.maximum(union, 1), 0.0)
