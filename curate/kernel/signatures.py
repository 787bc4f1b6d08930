"""MinHash signatures and the groups of texts that share a band of them: where candidates come from.

Two texts of Jaccard s share at least one of b bands of r permutations with probability 1 - (1 - s^r)^b (Leskovec et
al., Mining of Massive Datasets, ch. 3). datasketch chooses b and r for a threshold; recall is weighed far above
precision, since each candidate is counted exactly afterwards.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from sluice.curate.kernel import compiled
from sluice.curate.kernel.fold import Folded
from sluice.curate.kernel.room import MEMORY, Room
from sluice.curate.kernel.threads import share_out
from sluice.curate.similar.similarity import NEAR_PERCENT, Mask, Numbers

PERMUTATIONS = 128
WEIGHTS = (0.01, 0.99)
"""Of a false positive and a false negative when bands are chosen: 25 bands of 5, recall 0.99 at a Jaccard of 0.7."""
CHOSEN = {NEAR_PERCENT: (25, 5)}
"""What datasketch says for the usual threshold (a test holds it): to ask it costs half a second."""
SEED = 1  # fixed: which pairs are candidates depends on the two texts alone

Keys = np.ndarray[Any, np.dtype[np.uint32]]


@cache
def bands_for(percent: int) -> tuple[int, int]:
    """Return (bands, permutations in a band) for a threshold in hundredths; from the usual one on its own serve.

    Signatures of one sort then serve all those thresholds, at a recall above 0.99.
    """
    percent = min(percent, NEAR_PERCENT)
    if percent in CHOSEN:
        return CHOSEN[percent]
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=percent / 100, num_perm=PERMUTATIONS, weights=WEIGHTS)
    return index.b, index.r


@cache
def permutations(count: int) -> tuple[Any, Any]:
    """Return (odd multipliers, shifts) of so many permutations of 32-bit numbers; the same on every machine."""
    drawn = np.random.Generator(np.random.PCG64(SEED)).integers(0, 2**32, (2, PERMUTATIONS), dtype=np.uint64)
    multipliers, shifts = drawn.astype(np.uint32)
    return (multipliers | np.uint32(1))[:count].copy(), shifts[:count].copy()


def band_keys(texts: Folded, sort: int, wanted: Mask, bands: int, rows: int, room: Room = MEMORY) -> Keys:
    """Return the (bands, texts) keys of the wanted texts, 0 where a text is not wanted or has no n-gram."""
    keys: Keys = room.zeros((bands, len(wanted)), np.uint32)
    multipliers, shifts = permutations(bands * rows)
    arrays = (texts.data, texts.starts, texts.texts, wanted, sort, multipliers, shifts, rows, keys)
    share_out(lambda a, b: compiled.sign(*arrays, a, b), len(wanted))
    return keys


def group(keys: Keys) -> Numbers:
    """Turn keys into groups in place, 0 where a text is alone in its band; return where each band's groups begin."""
    bands, count = keys.shape
    size = 1 << max(4, (2 * count).bit_length())
    groups = np.zeros(bands + 1, np.int64)

    def work(first: int, last: int) -> None:
        table, counts = np.empty(size, np.uint32), np.empty(size, np.int32)
        for band in range(first, last):
            groups[band + 1] = compiled.group(keys[band], table, counts)

    share_out(work, bands, least=1)
    return np.cumsum(groups)
