"""Texts that come one at a time: an index that is asked for the near texts of one, and grows as they come.

datasketch's MinHashLSH holds the bands, fed with the signatures of `signatures` (the same n-grams, permutations, bands
and rows), so that it finds what the bulk way finds; each text found is proven by exact Jaccard before it is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sluice.curate.kernel.signatures import bands_for, permutations
from sluice.curate.similar.similarity import NEAR_PERCENT, SORTS, Relation, Sort, normalise

BLOCK = 4096  # n-grams that are permuted at once: bounds memory for long texts
HALF = np.uint64(32)

Hashes = np.ndarray[Any, np.dtype[np.uint64]]


@dataclass(frozen=True)
class Near:
    """A text of the index, by its number in the order of coming, and its Jaccard to the text asked for."""

    number: int
    jaccard: float


class NearIndex:
    """An index of texts for questions about single ones.

    Args:
        percent: least Jaccard, in hundredths. Recall is 0.99 there and rises above it (`signatures.bands_for`).
    """

    def __init__(self, percent: int = NEAR_PERCENT):
        from datasketch import MinHashLSH

        self._percent = percent
        bands, rows = bands_for(percent)
        self._permutations = permutations(bands * rows)
        self._bands: dict[Sort, Any] = {sort: MinHashLSH(num_perm=bands * rows, params=(bands, rows)) for sort in SORTS}
        self._grams: list[dict[Sort, Hashes]] = []
        self._short: list[bool] = []

    def __len__(self) -> int:
        return len(self._short)

    def add(self, texts: Sequence[str]) -> range:
        """Add texts as they are written; return the numbers that they got. A text without a word gets one, too."""
        first = len(self)
        for number, (grams, short) in enumerate(self._read(texts), start=first):
            self._grams.append(grams)
            self._short.append(short)
            for sort in SORTS:
                if len(grams[sort]) and not (short and sort == "word"):  # a short text meets all others by characters
                    self._bands[sort].insert(number, self._signature(grams[sort]))
        return range(first, len(self))

    def query(self, text: str) -> list[Near]:
        """Return the texts of the index near to one, proven, the nearest first."""
        ((grams, short),) = self._read([text])
        found: set[int] = set()
        if len(grams["char"]):
            some = self._bands["char"].query(self._signature(grams["char"]))
            found |= {n for n in some if short or self._short[n]}
        if len(grams["word"]) and not short:
            found |= set(self._bands["word"].query(self._signature(grams["word"])))
        near: list[Near] = []
        for number in found:
            sort: Sort = "char" if short or self._short[number] else "word"
            one, other = grams[sort], self._grams[number][sort]
            hits = len(np.intersect1d(one, other, assume_unique=True))
            union = len(one) + len(other) - hits
            if 100 * hits >= self._percent * union:
                near.append(Near(number, hits / union))
        return sorted(near, key=lambda n: (-n.jaccard, n.number))

    def _read(self, texts: Sequence[str]) -> list[tuple[dict[Sort, Hashes], bool]]:
        ready = Relation().prepare([(form,) if (form := normalise(text)) else () for text in texts])
        return [
            ({sort: ready.all[sort].of(i).astype(np.uint64) for sort in SORTS}, bool(ready.short[i]))
            for i in range(len(texts))
        ]

    def _signature(self, grams: Hashes) -> Any:
        """Return the MinHash of n-grams: per permutation the least of their upper 32 bits, permuted."""
        from datasketch import MinHash

        multipliers, shifts = self._permutations
        upper = (grams >> HALF).astype(np.uint32)
        least = np.full(len(multipliers), 2**32 - 1, np.uint32)
        for low in range(0, len(upper), BLOCK):
            permuted = upper[low : low + BLOCK, None] * multipliers[None, :] + shifts[None, :]
            least = np.minimum(least, permuted.min(axis=0))
        return MinHash(num_perm=len(least), hashvalues=least, scheme="affine32")
