"""How much two texts share, pair by pair: the Jaccard of the one similarity for a great many pairs at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sluice.core.progress import Progress
from sluice.curate.similar.similarity import Numbers, Sort, is_short, ngram_sets, normalise

BATCH = 5_000  # pairs at a time: bounds memory, changes no result


def shares(pairs: Sequence[tuple[str, str]], progress: Progress | None = None) -> list[float]:
    """Return the Jaccard similarity of the two texts of each pair, 1 where their normal forms are equal.

    By character 5-grams where either is short, else by word 3-grams; nothing is left out as boilerplate.
    """
    found: list[float] = []
    for low in range(0, len(pairs), BATCH):
        if progress is not None:
            progress("similarity", low, len(pairs))
        found += _shares([(normalise(a), normalise(b)) for a, b in pairs[low : low + BATCH]])
    return found


def _shares(pairs: Sequence[tuple[str, str]]) -> list[float]:
    short = np.array([is_short((a,)) or is_short((b,)) for a, b in pairs], dtype=bool)
    hits, sizes = np.zeros(len(pairs), np.int64), np.zeros(len(pairs), np.int64)
    sorts: tuple[tuple[Sort, Numbers], ...] = (("char", np.flatnonzero(short)), ("word", np.flatnonzero(~short)))
    for sort, of in sorts:
        sides = [ngram_sets([(pairs[i][side],) for i in of.tolist()], sort) for side in (0, 1)]
        grams = np.concatenate([side.flat for side in sides])
        owners = np.concatenate([side.owners for side in sides])
        order = np.lexsort((grams, owners))
        grams, owners = grams[order], owners[order]
        both = (grams[1:] == grams[:-1]) & (owners[1:] == owners[:-1])  # each set holds an n-gram once
        hits[of] = np.bincount(owners[1:][both], minlength=len(of))
        sizes[of] = sides[0].sizes + sides[1].sizes
    union = np.maximum(sizes - hits, 1)
    equal = np.array([a == b for a, b in pairs], dtype=bool)
    return np.where(equal, 1.0, hits / union).tolist()
