"""How much many pairs of n-gram sets have in common, counted by compiled code on all cores."""

from __future__ import annotations

import numpy as np

from sluice.curate.kernel import compiled
from sluice.curate.kernel.threads import share_out
from sluice.curate.similar.similarity import Numbers, Sets


def in_common(left: Sets, right: Sets, i: Numbers, j: Numbers) -> Numbers:
    """Return how many n-grams each pair (number left, number right) has in common."""
    hits = np.empty(len(i), np.int64)
    arrays = (left.flat, left.starts, right.flat, right.starts, i, j, hits)
    share_out(lambda a, b: compiled.count_common(*arrays, a, b), len(i))
    return hits
