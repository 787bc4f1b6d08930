"""Near-equal pairs among many texts: two ways to find candidates, one exact count that decides.

`exact` looks up rare n-grams (`sluice.curate.join`) and misses nothing; `lsh` is MinHash with locality-sensitive
hashing (Broder 1997; Leskovec et al., Mining of Massive Datasets, ch. 3), made by datasketch, for collections whose
index of all n-grams would not fit. Each candidate of either is counted exactly before it is believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from sluice.curate.join import Counter, Pairs, Side, Skip, related
from sluice.curate.similarity import NEAR_TENTHS, SORTS, Mask, Numbers, Prepared, Sets

Way = Literal["exact", "lsh"]
Shares = np.ndarray[Any, np.dtype[np.float64]]

BANDS, ROWS_A_BAND = 25, 5
"""P(candidate) at Jaccard s is 1 - (1 - s^5)^25: 0.99 at the threshold of 0.7, 0.9999 at 0.8, 0.06 at 0.3."""
PERMUTATION_SEED = 1  # fixed: which pairs are candidates depends on the two texts alone


def near_pairs(texts: Prepared, left: Numbers, right: Numbers, way: Way, skip: Skip) -> Iterator[Pairs]:
    """Yield near-equal pairs with their Jaccard, in parts; by "lsh" a pair can come twice.

    Args:
        texts: the prepared texts; `left` and `right` are numbers of them.
        way: how candidates are found.
        skip: pairs that are not asked for.
    """
    if way == "exact":
        a, b = _selected(texts, left), _selected(texts, right)
        yield from related(a, b, skip)
        return
    for i, j in lsh_candidates(texts, left, right):
        wanted = ~skip(i, j)
        i, j = i[wanted], j[wanted]
        share = jaccard(texts, i, j)
        near = share > 0
        if near.any():
            yield Pairs(i[near], j[near], share[near], near[near])


def _selected(texts: Prepared, numbers: Numbers) -> Side:
    near = np.zeros(len(texts), dtype=bool)
    near[numbers] = True
    return Side(texts, near, np.zeros(len(texts), dtype=bool))


def jaccard(texts: Prepared, i: Numbers, j: Numbers) -> Shares:
    """Return the exact Jaccard of each pair where it is near-equal, else 0; by the pair rules of the similarity."""
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
                shares[places] = _near_share(sets, i[places], j[places])
    return shares


def _near_share(sets: Sets, i: Numbers, j: Numbers) -> Shares:
    chosen, places = np.unique(np.concatenate((i, j)), return_inverse=True)
    some = sets.take(chosen)
    a, b = places[: len(i)], places[len(i) :]
    hits = Counter(some, some).count(a, b)
    union = some.sizes[a] + some.sizes[b] - hits
    near = (union > 0) & (10 * hits >= NEAR_TENTHS * union)
    return np.where(near, hits / np.maximum(union, 1), 0.0)


def lsh_candidates(texts: Prepared, left: Numbers, right: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield candidate pairs of the two selections by MinHash LSH, once by words and once by characters."""
    for sort in SORTS:
        chosen = _comparable(texts, sort)
        a, b = left[chosen[left]], right[chosen[right]]
        if len(a) and len(b):
            yield _banded(texts.left[sort], a, b)
            if not texts.enough(sort).all():  # where both are mostly boilerplate they are judged with it
                yield _banded(texts.all[sort], a, b)


def _comparable(texts: Prepared, sort: str) -> Mask:
    """Return which texts can meet a partner by this sort: long ones by words; by characters, short ones and those
    long ones that are not too long for any short one."""
    if sort == "word":
        return ~texts.short
    sizes = texts.left["char"].sizes
    longest = int(sizes[texts.short].max()) if texts.short.any() else 0
    return texts.short | (10 * longest >= NEAR_TENTHS * sizes)


def _banded(sets: Sets, left: Numbers, right: Numbers) -> tuple[Numbers, Numbers]:
    from datasketch import MinHash, MinHashLSH

    width = BANDS * ROWS_A_BAND
    empty = MinHash(num_perm=width, seed=PERMUTATION_SEED, hashfunc=_low_bits)
    index = MinHashLSH(num_perm=width, params=(BANDS, ROWS_A_BAND))
    signed: dict[int, Any] = {}
    for number in np.union1d(left, right).tolist():  # datasketch signs one set at a time
        signature = empty.copy()
        signature.update_batch(sets.of(number).tolist())
        signed[number] = signature
    for number in right.tolist():
        index.insert(number, signed[number])
    i: list[int] = []
    j: list[int] = []
    for number in left.tolist():
        met = [int(str(other)) for other in index.query(signed[number])]
        i += [number] * len(met)
        j += met
    return np.array(i, dtype=np.int64), np.array(j, dtype=np.int64)


def _low_bits(hashed: int) -> int:
    return hashed & 0xFFFFFFFF
