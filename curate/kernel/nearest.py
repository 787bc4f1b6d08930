"""The nearest text of each text, among those that share a band with it: for histograms and for questions about one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sluice.curate.kernel import compiled
from sluice.curate.kernel.fold import Folded
from sluice.curate.kernel.survivors import WORD_SORT, Here, candidates
from sluice.curate.similar.similarity import Numbers

MOST = 64
"""Texts of a band that each text is held against: in a family of thousands any of them is as near as the others."""


@dataclass(frozen=True)
class Nearest:
    """For each text the nearest other one.

    Args:
        other: (n,) its number, -1 where none reaches the threshold.
        share: (n,) the exact Jaccard of the two, 0 where there is none.
    """

    other: Numbers
    share: np.ndarray[Any, np.dtype[np.float64]]


def nearest(texts: Folded, shapes: Numbers, percent: int) -> Nearest:
    """Return the nearest text of each of the first n, n the number of shapes.

    Args:
        texts: the texts, then others.
        shapes: only texts of one shape are compared.
        percent: least Jaccard, in hundredths.
    """
    count = len(shapes)
    groups, offsets = candidates(texts, np.ones(count, bool), percent)
    wanted = np.zeros((2, len(texts)), bool)
    wanted[WORD_SORT, :count] = ~texts.short[:count] & (groups > 0).any(axis=0)
    here = Here.of(texts, wanted=wanted)
    other, share = np.full(count, -1, np.int64), np.zeros(count, np.float64)
    arrays = (
        texts.data,
        texts.starts,
        texts.texts,
        texts.short,
        here.flat,
        here.places,
        here.sizes,
        groups,
        offsets,
        shapes,
    )
    compiled.nearest(*arrays, percent, MOST, other, share)
    return Nearest(other, share)
