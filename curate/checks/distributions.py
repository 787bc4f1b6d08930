"""How far two sets of rows lie apart, and whether chance would put them there: Kolmogorov-Smirnov and Jensen-Shannon.

Each comparison has an effect (how far) and a p value by permutation (how rarely two random parts of the same rows
lie as
far apart). Both have to speak: in 100,000 rows the smallest shift is significant, in 20 a large one is chance.
Values in,
numbers out; it knows nothing of rows or checks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

SHUFFLES = 999
"""Permutations: the smallest p value is 1 in 1,000."""
MOST = 20_000
"""Values of each side that are drawn for the comparison: more move the effect by under 0.01."""
SEED = 20_240_501
"""Fixed: the same two sets are always judged alike."""


@dataclass(frozen=True)
class Distance:
    """How far two samples lie apart."""

    effect: float
    """0 for the same distribution, 1 for two without a common value."""
    p: float
    """Share of random partitions of all values whose parts lie at least as far apart (Phipson & Smyth 2010: +1)."""
    sizes: tuple[int, int]


def ks_distance(a: Sequence[float] | Values, b: Sequence[float] | Values) -> Distance:
    """Return the Kolmogorov-Smirnov statistic of two samples: the greatest gap between their distribution functions.

    Args:
        a, b: values, at least one each.
    """
    left, right = _drawn(np.asarray(a, dtype=np.float64)), _drawn(np.asarray(b, dtype=np.float64))
    levels, codes = np.unique(np.concatenate((left, right)), return_inverse=True)
    return _permuted(codes, len(left), len(levels), _ks)


def js_distance(a: Sequence[str], b: Sequence[str]) -> Distance:
    """Return the Jensen-Shannon distance of two samples of labels: the root of the divergence in bits (Lin 1991).

    Args:
        a, b: labels, at least one each.
    """
    left, right = _drawn(np.asarray(a, dtype=object)), _drawn(np.asarray(b, dtype=object))
    levels, codes = np.unique(np.concatenate((left, right)).astype(str), return_inverse=True)
    return _permuted(codes, len(left), len(levels), _js)


def _drawn(values: npt.NDArray[np.generic] | Values) -> npt.NDArray[np.generic]:
    if len(values) <= MOST:
        return values
    return np.random.default_rng(SEED).choice(values, MOST, replace=False)


def _ks(left: Values, right: Values) -> float:
    return float(np.max(np.abs(np.cumsum(left) / left.sum() - np.cumsum(right) / right.sum())))


def _js(left: Values, right: Values) -> float:
    p, q = left / left.sum(), right / right.sum()
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log2(p / middle), 0) + np.where(q > 0, q * np.log2(q / middle), 0)
    return float(np.sqrt(max(float(terms.sum()) / 2, 0.0)))


def _permuted(codes: Codes, size: int, levels: int, measure: Callable[[Values, Values], float]) -> Distance:
    """Return the distance of the first `size` codes from the rest, and how often a shuffle reaches it.

    A shuffle deals the counts of each level to the two sides: a draw without replacement of `size` codes, which is the
    multivariate hypergeometric distribution of the counts.
    """
    counts = np.bincount(codes, minlength=levels)
    left = np.bincount(codes[:size], minlength=levels)
    effect = measure(left.astype(np.float64), (counts - left).astype(np.float64))
    generator = np.random.default_rng(SEED)
    dealt = generator.multivariate_hypergeometric(counts, size, SHUFFLES, method="marginals")
    as_far = sum(measure(one.astype(np.float64), (counts - one).astype(np.float64)) >= effect - 1e-12 for one in dealt)
    return Distance(round(effect, 6), (as_far + 1) / (SHUFFLES + 1), (size, len(codes) - size))
