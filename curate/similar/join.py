"""The exact join: every pair of texts that stands in the similarity, without comparing all pairs.

A text that is near-equal to another, or contained in it, shares at least 70% of its n-grams with it (or as much as the
caller calls near). So it shares at least one of its rarest 30% (plus one): candidates are the texts that hold one of
those (prefix filtering; Chaudhuri et al. 2006, Bayardo et al. 2007), and each candidate is then counted exactly. No
pair is missed and none is guessed. It knows prepared texts by number; rows, groups and what is done about a pair are
its callers' business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from sluice.core.progress import Progress
from sluice.curate.similar.similarity import (
    CONTAINED_TENTHS,
    MANY,
    NEAR_PERCENT,
    Hashes,
    Mask,
    Numbers,
    Prepared,
    Sets,
    Sort,
    ngrams_in_order,
    spread,
    stretch,
)

FIRST_BLOCK = 2048  # look-ups
CHUNK = 2_000_000  # candidate pairs looked at together: about 100 MB

Skip = Callable[[Numbers, Numbers], Mask]
"""Given numbers of texts left and right, which pairs need not be looked at."""
Roots = Callable[[], tuple[Numbers, Numbers]]
"""The set each left and right text is in by now (-1 on the right: in none). Pairs within a set are not asked for."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of text numbers that stand in the relation."""

    left: Numbers
    right: Numbers
    share: np.ndarray[Any, np.dtype[np.float64]]
    """Jaccard where near-equal, else the share of the left text's n-grams that the right one holds."""
    near: Mask
    """Whether the pair is near-equal; else the left text is contained in the right one."""


def each(pairs: Pairs) -> Iterator[tuple[int, int, bool, float]]:
    """Yield (left, right, near, share) of every pair."""
    return zip(pairs.left.tolist(), pairs.right.tolist(), pairs.near.tolist(), pairs.share.tolist(), strict=True)


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


def related(
    left: Side,
    right: Side,
    skip: Skip | None = None,
    roots: Roots | None = None,
    percent: int = NEAR_PERCENT,
    progress: Progress | None = None,
) -> Iterator[Pairs]:
    """Yield all pairs (near-equal, or left contained in right), in parts.

    A pair of texts that are mostly boilerplate can come twice: contained without it, and near-equal with it.

    Args:
        left, right: the two sides; both may be the same texts, then `skip` should pass over each text with itself.
        skip: pairs for which it says yes are left out before they are counted; asked anew for each part.
        roots: where only connectedness is wanted: pairs that are in one set already are left out.
        percent: least Jaccard of a near-equal pair, in hundredths; under 80 where contained texts are looked for.
        progress: told how many n-grams of the left side have been looked up.
    """
    a, b = left.texts, right.texts
    for sort in ("word", "char"):
        poor_a, poor_b = ~a.enough(sort), ~b.enough(sort)
        pairings: list[tuple[Mask, Mask]] = (
            [(~a.short, ~b.short)]
            if sort == "word"
            else [(a.short, np.ones(len(b), dtype=bool)), (~a.short, b.short.copy())]
        )
        for of_a, of_b in pairings:
            near = (left.may_be_near(), right.may_be_near())
            held = (a.may_be_contained(sort), right.may_hold())
            poor = (poor_a, poor_b)
            yield from _join(a, b, sort, False, (of_a, of_b), near, held, poor, skip, roots, percent, progress)
            if poor_a.any() and poor_b.any():
                near = (near[0] & poor_a, near[1] & poor_b)
                nothing = (np.zeros(len(a), dtype=bool), np.zeros(len(b), dtype=bool))
                yield from _join(a, b, sort, True, (of_a, of_b), near, nothing, nothing, skip, roots, percent, progress)


def _join(
    a: Prepared,
    b: Prepared,
    sort: Sort,
    with_boilerplate: bool,
    of: tuple[Mask, Mask],
    near: tuple[Mask, Mask],
    held: tuple[Mask, Mask],
    poor: tuple[Mask, Mask],
    skip: Skip | None,
    roots: Roots | None,
    percent: int,
    progress: Progress | None,
) -> Iterator[Pairs]:
    """Join two selections of texts by one sort of n-gram; where both texts are poor they are not near by this join."""
    numbers_a = np.flatnonzero(of[0] & (near[0] | held[0]))
    numbers_b = np.flatnonzero(of[1] & (near[1] | held[1]))
    if not len(numbers_a) or not len(numbers_b):
        return
    all_a, all_b = ((side.all if with_boilerplate else side.left)[sort] for side in (a, b))
    numbers_a, numbers_b = _of_fitting_sizes(all_a.sizes, all_b.sizes, (numbers_a, numbers_b), near, held, percent)
    if not len(numbers_a) or not len(numbers_b):
        return
    sets_a, sets_b = all_a.take(numbers_a), all_b.take(numbers_b)
    near_a, near_b = near[0][numbers_a], near[1][numbers_b]
    held_a, held_b = held[0][numbers_a], held[1][numbers_b]
    poor_a, poor_b = poor[0][numbers_a], poor[1][numbers_b]
    counter = Counter(sets_a, sets_b, percent)

    def roots_here() -> tuple[Numbers, Numbers]:
        root_a, root_b = roots() if roots is not None else (numbers_a, numbers_b)
        return root_a[numbers_a], root_b[numbers_b]

    def wanted(i: Numbers, j: Numbers) -> Mask:
        size_a, size_b = sets_a.sizes[i], sets_b.sizes[j]
        close = (100 * size_b >= percent * size_a) & (100 * size_a >= percent * size_b)
        roomy = 10 * size_b >= CONTAINED_TENTHS * size_a
        good = (near_a[i] & near_b[j] & ~(poor_a[i] & poor_b[j]) & close) | (held_a[i] & held_b[j] & roomy)
        if skip is not None and good.any():
            good[good] = ~skip(numbers_a[i[good]], numbers_b[j[good]])
        if roots is not None and good.any():
            root_a, root_b = roots_here()
            good[good] = root_a[i[good]] != root_b[j[good]]
        return good

    told = None if progress is None else partial(progress, f"similarity by {sort}s")
    for i, j in counter.candidates(wanted, None if roots is None else roots_here, told):
        hits = counter.count(i, j)
        size_a, size_b = sets_a.sizes[i], sets_b.sizes[j]
        union = size_a + size_b - hits
        is_near = near_a[i] & near_b[j] & ~(poor_a[i] & poor_b[j]) & (100 * hits >= percent * union)
        inside = held_a[i] & held_b[j] & (10 * hits >= CONTAINED_TENTHS * size_a) & ~is_near
        if sort == "char":
            inside[inside] = _in_a_stretch(sets_a, i[inside], b, numbers_b[j[inside]])
        found = is_near | inside
        if found.any():
            i, j, hits, union, is_near = i[found], j[found], hits[found], union[found], is_near[found]
            share = np.where(is_near, hits / union, hits / sets_a.sizes[i])
            yield Pairs(numbers_a[i], numbers_b[j], share, is_near)


def _of_fitting_sizes(
    sizes_a: Numbers,
    sizes_b: Numbers,
    numbers: tuple[Numbers, Numbers],
    near: tuple[Mask, Mask],
    held: tuple[Mask, Mask],
    percent: int,
) -> tuple[Numbers, Numbers]:
    """Leave out texts that are too long for every text on the right, or too short for every one on the left."""
    lefts, rights = numbers
    of_b = sizes_b[rights]
    longest_near = of_b[near[1][rights]].max(initial=0)
    longest_held = of_b[held[1][rights]].max(initial=0)
    of_a = sizes_a[lefts]
    fits = (near[0][lefts] & (percent * of_a <= 100 * longest_near)) | (
        held[0][lefts] & (CONTAINED_TENTHS * of_a <= 10 * longest_held)
    )
    lefts, of_a = lefts[fits & (of_a > 0)], of_a[fits & (of_a > 0)]
    if not len(lefts):
        return lefts, rights
    least = int(of_a.min())  # a partner of either way has at least `percent`, or eight tenths, of it
    return lefts, rights[100 * of_b >= min(percent, 10 * CONTAINED_TENTHS) * least]


def _in_a_stretch(sets: Sets, lefts: Numbers, texts: Prepared, rights: Numbers) -> Mask:
    """Return of each pair whether one stretch of a segment of the right text holds enough of the left set."""
    found = np.zeros(len(lefts), dtype=bool)
    fields: list[tuple[str, Hashes]] = []
    last = -1
    for place in np.argsort(rights, kind="stable").tolist():  # text by text: the n-grams of each are made once
        if rights[place] != last:
            last = int(rights[place])
            fields = [(field, ngrams_in_order(field, "char")) for field in texts.texts[last] if field]
        number = int(lefts[place])
        if sets.sizes[number]:
            best = max(stretch(sets.of(number), field, "char", hashes)[0] for field, hashes in fields)
            found[place] = 10 * best >= CONTAINED_TENTHS * int(sets.sizes[number])
    return found


class Counter:
    """Finds candidate pairs between two collections of sets, and counts what a pair has in common.

    Args:
        left: sets whose rare n-grams are looked up.
        right: sets that are indexed by those n-grams.
        percent: of the left set, what a pair has to share at least.
    """

    def __init__(self, left: Sets, right: Sets, percent: int = NEAR_PERCENT):
        self.left, self.right, self.percent = left, right, percent
        self._vocabulary, left_ids = np.unique(left.flat, return_inverse=True)
        places = np.minimum(np.searchsorted(self._vocabulary, right.flat), max(0, len(self._vocabulary) - 1))
        inside = self._vocabulary[places] == right.flat if len(self._vocabulary) else np.zeros(0, dtype=bool)
        self._left_ids = left_ids.astype(np.int64)
        self._right_ids = places[inside]
        self._right_owners = right.owners[inside]
        self._matrices: tuple[Any, Any] | None = None

    def candidates(
        self,
        wanted: Callable[[Numbers, Numbers], Mask],
        roots: Roots | None = None,
        told: Callable[[int, int], None] | None = None,
    ) -> Iterator[tuple[Numbers, Numbers]]:
        """Yield (left, right) numbers of all pairs that can share enough of the left set, filtered by `wanted`.

        With `roots`, pairs of one root are passed over without being looked at. Left sets are then worked in blocks
        that grow, and the index is sorted by root anew for each: a family of thousands of near-equal texts is tied
        together by the first block and costs next to nothing in the others.
        """
        frequency = np.bincount(self._right_ids, minlength=len(self._vocabulary))
        grams, lefts = self._rare(frequency)
        looked_up = np.zeros(len(frequency), dtype=bool)
        looked_up[grams] = True  # the rare ones: few of all that stand on the right, and only these are sorted
        kept = looked_up[self._right_ids]
        ids, owners = self._right_ids[kept], self._right_owners[kept]
        frequency = np.where(looked_up, frequency, 0)
        starts = np.concatenate(([0], np.cumsum(frequency)))
        width = max(1, len(self.right.sizes))
        low, size = 0, FIRST_BLOCK if roots is not None else len(grams)
        while low < len(grams):
            high = self._whole_sets(lefts, min(low + size, len(grams)))
            part, mine = grams[low:high], lefts[low:high]
            if told is not None:
                told(low, len(grams))
            if roots is None:
                order = np.argsort(ids, kind="stable")
                pieces = [(starts[part], frequency[part])]
            else:
                root_left, root_right = roots()
                top = int(max(root_left.max(initial=0), root_right.max(initial=0))) + 2
                keys = ids * top + root_right[owners] + 1
                order = np.argsort(keys)
                keys = keys[order]
                own = part * top + root_left[mine] + 1
                own_from, own_to = np.searchsorted(keys, own, side="left"), np.searchsorted(keys, own, side="right")
                pieces = [(starts[part], own_from - starts[part]), (own_to, starts[part + 1] - own_to)]
            postings = owners[order]
            for first, counts in pieces:
                for begin, end in self._parts(mine, counts):
                    i = np.repeat(mine[begin:end], counts[begin:end])
                    j = postings[spread(first[begin:end], counts[begin:end])]
                    good = wanted(i, j)
                    if good.any():
                        pairs = np.unique(i[good] * width + j[good])
                        yield pairs // width, pairs % width
            low, size = high, size * 8

    def _rare(self, frequency: Numbers) -> tuple[Numbers, Numbers]:
        """Return look-ups (n-gram, left set): of each left set the rare n-grams that a partner cannot all lack."""
        owners, sizes = self.left.owners, self.left.sizes
        if len(sizes) >= MANY:
            from sluice.curate.kernel.compiled import rarest

            some, lefts = np.empty((2, len(self._left_ids)), np.int64)
            count = rarest(self.left.starts, self._left_ids, frequency, self.percent, some, lefts)
            return some[:count], lefts[:count]
        by_rarity = np.empty(len(frequency), np.int64)
        by_rarity[np.argsort(frequency, kind="stable")] = np.arange(len(frequency))
        order = np.argsort(owners * len(frequency) + by_rarity[self._left_ids])  # one key sorts faster than three
        rank = np.arange(len(order)) - self.left.starts[owners]
        prefix = sizes - (self.percent * sizes + 99) // 100 + 1
        rare = rank < prefix[owners]
        grams, lefts = self._left_ids[order][rare], owners[rare]
        found = frequency[grams] > 0
        return grams[found], lefts[found]

    @staticmethod
    def _whole_sets(lefts: Numbers, high: int) -> int:
        """Move a cut forward until it does not part the look-ups of one left set."""
        return high if high >= len(lefts) else int(np.searchsorted(lefts, lefts[high - 1], side="right"))

    def _parts(self, lefts: Numbers, counts: Numbers) -> Iterator[tuple[int, int]]:
        """Cut the look-ups into parts of about CHUNK candidates, never within one left set."""
        done = np.cumsum(counts)
        low = 0
        while low < len(lefts):
            reached = int(np.searchsorted(done, CHUNK + (done[low - 1] if low else 0), side="right"))
            high = self._whole_sets(lefts, min(max(low + 1, reached), len(lefts)))
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
