"""How like one text each of many is: exact Jaccard with all of them, in one pass over their bytes.

Two hundred thousand texts take a fraction of a second; to fill an index of them for one question takes a hundred times
that, and an index of signatures finds near-equal texts only, not the nearest of those that are further off.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sluice.curate.kernel import compiled
from sluice.curate.kernel.fold import Folded
from sluice.curate.kernel.threads import share_out
from sluice.curate.similar.similarity import Prepared

Shares = np.ndarray[Any, np.dtype[np.float64]]


def likeness(asked: Prepared, texts: Folded) -> Shares:
    """Return the (n,) Jaccard of one text with each of many, by the sort of n-gram of the pair."""
    share = np.zeros(len(texts), np.float64)
    words, chars = asked.all["word"].of(0), asked.all["char"].of(0)
    arrays = (texts.data, texts.starts, texts.texts, texts.short, words, chars, bool(asked.short[0]), share)
    share_out(lambda a, b: compiled.likeness(*arrays, a, b), len(texts))
    return share
