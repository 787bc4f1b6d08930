"""The exact join: every pair of texts that stands in the similarity, without comparing all pairs.

A text that is near-equal to another, or contained in it, shares at least 70% of its n-grams with it. So it shares at
least one of its rarest 30% (plus one): candidates are the texts that hold one of those (prefix filtering; Chaudhuri et
al. 2006, Bayardo et al. 2007), and each candidate is then counted exactly. No pair is missed and none is guessed. It
knows prepared texts by number; rows, groups and what is done about a pair are its callers' business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sluice.curate.similarity import CONTAINED_TENTHS, NEAR_TENTHS, Mask, Numbers, Prepared, Sets, Sort, spread, stretch

CHUNK = 2_000_000  # candidate pairs looked at together: about 100 MB

Skip = Callable[[Numbers, Numbers], Mask]
"""Given numbers of texts left and right, which pairs need not be looked at."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of text numbers that stand in the relation."""

    left: Numbers
    right: Numbers
    share: np.ndarray[Any, np.dtype[np.float64]]
    """Jaccard where near-equal, else the share of the left text's n-grams that the right one holds."""
    near: Mask
    """Whether the pair is near-equal; else the left text is contained in the right one."""


@dataclass(frozen=True)
class Side:
    """Which of the prepared texts take part, and how.

    Args:
        texts: the prepared texts.
        near: which may be near-equal (None: all).
        holds: which may contain a text of the left side (None: all). Not read on the left side.
    """

    texts: Prepared
    near: Mask | None = None
    holds: Mask | None = None

    def may_be_near(self) -> Mask:
        """Return which texts may be near-equal."""
        return np.ones(len(self.texts), dtype=bool) if self.near is None else self.near

    def may_hold(self) -> Mask:
        """Return which texts may contain others."""
        return np.ones(len(self.texts), dtype=bool) if self.holds is None else self.holds


def related(left: Side, right: Side, skip: Skip | None = None) -> Iterator[Pairs]:
    """Yield all pairs (near-equal, or left contained in right), in parts.

    A pair whose boilerplate outweighs the rest can come twice: contained without it, and near-equal with it.

    Args:
        left, right: the two sides; both may be the same texts, then `skip` should pass over each text with itself.
        skip: pairs for which it says yes are left out before they are counted; asked anew for each part.
    """
    a, b = left.texts, right.texts
    for sort in ("word", "char"):
        enough_a, enough_b = a.enough(sort), b.enough(sort)
        pairings: list[tuple[Mask, Mask]] = (
            [(~a.short, ~b.short)]
            if sort == "word"
            else [(a.short, np.ones(len(b), dtype=bool)), (~a.short, b.short.copy())]
        )
        for of_a, of_b in pairings:
            near = (left.may_be_near() & enough_a, right.may_be_near() & enough_b)
            held = (a.may_be_contained(sort), right.may_hold())
            yield from _join(a, b, sort, False, (of_a, of_b), near, held, skip)
            nothing = (np.zeros(len(a), dtype=bool), np.zeros(len(b), dtype=bool))
            for poor_a, poor_b in ((~enough_a, np.ones(len(b), dtype=bool)), (enough_a, ~enough_b)):
                near = (left.may_be_near() & poor_a, right.may_be_near() & poor_b)
                yield from _join(a, b, sort, True, (of_a, of_b), near, nothing, skip)


def _join(
    a: Prepared,
    b: Prepared,
    sort: Sort,
    with_boilerplate: bool,
    of: tuple[Mask, Mask],
    near: tuple[Mask, Mask],
    held: tuple[Mask, Mask],
    skip: Skip | None,
) -> Iterator[Pairs]:
    """Join two selections of texts by one sort of n-gram."""
    numbers_a = np.flatnonzero(of[0] & (near[0] | held[0]))
    numbers_b = np.flatnonzero(of[1] & (near[1] | held[1]))
    if not len(numbers_a) or not len(numbers_b):
        return
    sets_a = (a.all if with_boilerplate else a.left)[sort].take(numbers_a)
    sets_b = (b.all if with_boilerplate else b.left)[sort].take(numbers_b)
    near_a, near_b = near[0][numbers_a], near[1][numbers_b]
    held_a, held_b = held[0][numbers_a], held[1][numbers_b]
    counter = Counter(sets_a, sets_b)

    def wanted(i: Numbers, j: Numbers) -> Mask:
        size_a, size_b = sets_a.sizes[i], sets_b.sizes[j]
        close = (10 * size_b >= NEAR_TENTHS * size_a) & (10 * size_a >= NEAR_TENTHS * size_b)
        roomy = 10 * size_b >= CONTAINED_TENTHS * size_a
        good = (near_a[i] & near_b[j] & close) | (held_a[i] & held_b[j] & roomy)
        if skip is not None and good.any():
            good[good] = ~skip(numbers_a[i[good]], numbers_b[j[good]])
        return good

    for i, j in counter.candidates(wanted):
        hits = counter.count(i, j)
        size_a, size_b = sets_a.sizes[i], sets_b.sizes[j]
        union = size_a + size_b - hits
        is_near = near_a[i] & near_b[j] & (10 * hits >= NEAR_TENTHS * union)
        inside = held_a[i] & held_b[j] & (10 * hits >= CONTAINED_TENTHS * size_a) & ~is_near
        if sort == "char":
            for place in np.flatnonzero(inside):
                inside[place] = _in_a_stretch(sets_a, int(i[place]), b.texts[numbers_b[j[place]]])
        found = is_near | inside
        if found.any():
            i, j, hits, union, is_near = i[found], j[found], hits[found], union[found], is_near[found]
            share = np.where(is_near, hits / union, hits / sets_a.sizes[i])
            yield Pairs(numbers_a[i], numbers_b[j], share, is_near)


def _in_a_stretch(sets: Sets, number: int, field: tuple[str, ...]) -> bool:
    if not sets.sizes[number]:
        return False
    best = max(stretch(sets.of(number), segment, "char")[0] for segment in field if segment)
    return 10 * best >= CONTAINED_TENTHS * int(sets.sizes[number])


class Counter:
    """Finds candidate pairs between two collections of sets, and counts what a pair has in common.

    Args:
        left: sets whose rare n-grams are looked up.
        right: sets that are indexed by those n-grams.
    """

    def __init__(self, left: Sets, right: Sets):
        self.left, self.right = left, right
        self._vocabulary, left_ids = np.unique(left.flat, return_inverse=True)
        places = np.minimum(np.searchsorted(self._vocabulary, right.flat), max(0, len(self._vocabulary) - 1))
        inside = self._vocabulary[places] == right.flat if len(self._vocabulary) else np.zeros(0, dtype=bool)
        self._left_ids = left_ids.astype(np.int64)
        self._right_ids = places[inside]
        self._right_owners = right.owners[inside]
        self._matrices: tuple[Any, Any] | None = None

    def candidates(self, wanted: Callable[[Numbers, Numbers], Mask]) -> Iterator[tuple[Numbers, Numbers]]:
        """Yield (left, right) numbers of all pairs that can share 70% of the left set, filtered by `wanted`."""
        frequency = np.bincount(self._right_ids, minlength=len(self._vocabulary))
        owners = self.left.owners
        order = np.lexsort((self._left_ids, frequency[self._left_ids], owners))
        rank = np.arange(len(order)) - self.left.starts[owners]
        sizes = self.left.sizes
        prefix = sizes - (NEAR_TENTHS * sizes + 9) // 10 + 1
        grams = self._left_ids[order][rank < prefix[owners]]
        lefts = owners[rank < prefix[owners]]
        found = frequency[grams] > 0
        grams, lefts = grams[found], lefts[found]
        if not len(grams):
            return
        by_gram = np.argsort(self._right_ids, kind="stable")
        postings = self._right_owners[by_gram]
        starts = np.concatenate(([0], np.cumsum(frequency)))
        for low, high in self._parts(lefts, frequency[grams]):
            part, counts = grams[low:high], frequency[grams[low:high]]
            i = np.repeat(lefts[low:high], counts)
            j = postings[spread(starts[part], counts)]
            keys = np.unique(i * len(self.right.sizes) + j)
            i, j = keys // len(self.right.sizes), keys % len(self.right.sizes)
            good = wanted(i, j)
            if good.any():
                yield i[good], j[good]

    @staticmethod
    def _parts(lefts: Numbers, counts: Numbers) -> Iterator[tuple[int, int]]:
        """Cut the look-ups into parts of about CHUNK candidates, never within one left set."""
        done = np.cumsum(counts)
        low = 0
        while low < len(lefts):
            reached = int(np.searchsorted(done, CHUNK + (done[low - 1] if low else 0), side="right"))
            high = max(low + 1, reached)
            while high < len(lefts) and lefts[high] == lefts[high - 1]:
                high += 1
            yield low, high
            low = high

    def count(self, i: Numbers, j: Numbers) -> Numbers:
        """Return how many n-grams each pair of sets has in common."""
        left, right = self._as_matrices()
        hits = np.empty(len(i), dtype=np.int64)
        step = 100_000
        for low in range(0, len(i), step):
            both = left[i[low : low + step]].multiply(right[j[low : low + step]])
            hits[low : low + step] = np.asarray(both.sum(axis=1)).ravel()
        return hits

    def _as_matrices(self) -> tuple[Any, Any]:
        if self._matrices is None:
            from scipy.sparse import csr_matrix

            width = max(1, len(self._vocabulary))
            held = np.concatenate(([0], np.cumsum(np.bincount(self._right_owners, minlength=len(self.right.sizes)))))
            self._matrices = (
                csr_matrix(
                    (np.ones(len(self._left_ids), dtype=np.int32), self._left_ids, self.left.starts),
                    shape=(len(self.left.sizes), width),
                ),
                csr_matrix(
                    (np.ones(len(self._right_ids), dtype=np.int32), self._right_ids, held),
                    shape=(len(self.right.sizes), width),
                ),
            )
        return self._matrices
