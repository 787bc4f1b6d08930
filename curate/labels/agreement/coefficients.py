"""The coefficients themselves, over patterns: each takes counts of patterns (draws, patterns) and returns (draws,).

Where a coefficient is 0/0 (all judgements are one value, no item with two judgements) it is nan here, and a reason in
`measure`. Sources: Cohen 1960 and 1968; Fleiss 1971; Krippendorff 2011, "Computing Krippendorff's alpha-reliability";
Gwet 2008 (doi 10.1348/000711006X126600) and, for missing judgements and weights, Gwet 2014, chapters 2 to 5; MASI:
Passonneau 2006 (LREC, L06-1392).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sluice.curate.labels.agreement.judgements import Scale, Value
from sluice.curate.labels.agreement.patterns import Patterns, Statistic

TINY = 1e-12
"""What floating point leaves of a zero chance of disagreement."""
MOST_ORDERED = 200
"""Ordered values up to which weights and ranks are computed: their tables have that many squared cells."""
MOST_SETS = 2_000
"""Distinct sets up to which their distances are computed, for the same reason."""


def corrected(agreed: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return (agreed - chance) / (1 - chance), nan where chance alone agrees always."""
    room = 1.0 - chance
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(room > TINY, (agreed - chance) / room, np.nan)


def ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Return top / bottom, nan where the bottom is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > TINY, top / bottom, np.nan)


def weights(scale: Scale, values: Sequence[Value]) -> np.ndarray | None:
    """Return how far two values agree: (values, values), 1 on the diagonal; None where only equal ones do.

    Linear in the rank for ordered values, quadratic in the number for interval ones (Cohen 1968, Gwet 2014).
    """
    if scale in ("nominal", "sets") or len(values) < 2:
        return None
    points = np.arange(len(values), dtype=float) if scale == "ordinal" else np.array(values, dtype=float)
    gaps = np.abs(points[:, None] - points[None, :]) / (points.max() - points.min())
    return 1.0 - (gaps if scale == "ordinal" else gaps**2)


def raw_agreement(patterns: Patterns, weight: np.ndarray | None = None) -> Statistic:
    """Return the mean over items of the share of pairs of judgements that agree (weighted: how far they do)."""
    share = _agreeing(patterns, weight)
    return lambda drawn: ratio(drawn @ (share * patterns.paired), drawn @ patterns.paired)


def _agreeing(patterns: Patterns, weight: np.ndarray | None) -> np.ndarray:
    pairs = patterns.judged * (patterns.judged - 1) / 2
    agree = patterns.pair_sum(lambda a, b: (a == b).astype(float) if weight is None else weight[a, b])
    return agree / np.maximum(pairs, 1)


def value_shares(patterns: Patterns, drawn: np.ndarray) -> np.ndarray:
    """Return the mean over items of the share of its judgements that name each value: (draws, values)."""
    each = patterns.tally.T.multiply(1.0 / patterns.judged).tocsr()
    return (each @ drawn.T).T / drawn.sum(axis=1, keepdims=True)


def fleiss_kappa(patterns: Patterns, weight: np.ndarray | None = None) -> Statistic:
    """Return Fleiss' kappa; items may differ in how often they were judged (Gwet 2014, equation 2.28)."""
    agreed = raw_agreement(patterns, weight)

    def statistic(drawn: np.ndarray) -> np.ndarray:
        shares = value_shares(patterns, drawn)
        chance = (shares**2).sum(axis=1) if weight is None else ((shares @ weight) * shares).sum(axis=1)
        return corrected(agreed(drawn), chance)

    return statistic


def gwet_ac(patterns: Patterns, weight: np.ndarray | None = None) -> Statistic:
    """Return Gwet's AC1, with weights AC2. Its chance agreement counts every value that could have been given."""
    agreed = raw_agreement(patterns, weight)
    total = float(patterns.values if weight is None else weight.sum())

    def statistic(drawn: np.ndarray) -> np.ndarray:
        if patterns.values < 2:
            return np.full(len(drawn), np.nan)
        shares = value_shares(patterns, drawn)
        spread = total / (patterns.values * (patterns.values - 1)) * (shares * (1 - shares)).sum(axis=1)
        return corrected(agreed(drawn), spread)

    return statistic


def cohen_kappa(pairs: np.ndarray, values: int, weight: np.ndarray | None = None) -> Statistic:
    """Return Cohen's kappa of two people, from the distinct pairs of codes that they gave: shape (patterns, 2)."""
    same = (pairs[:, 0] == pairs[:, 1]).astype(float) if weight is None else weight[pairs[:, 0], pairs[:, 1]]
    first, second = (one_hot(pairs[:, side], values) for side in (0, 1))

    def statistic(drawn: np.ndarray) -> np.ndarray:
        items = drawn.sum(axis=1)
        one, other = (first @ drawn.T).T / items[:, None], (second @ drawn.T).T / items[:, None]
        chance = (one * other).sum(axis=1) if weight is None else ((one @ weight) * other).sum(axis=1)
        return corrected(drawn @ same / items, chance)

    return statistic


def one_hot(codes: np.ndarray, values: int) -> Any:
    """Return a sparse matrix (values, patterns) with a 1 where the pattern has the code."""
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(values, len(codes)))


def nominal_alpha(patterns: Patterns) -> Statistic:
    """Return Krippendorff's alpha where values are equal or not."""
    differ = patterns.pair_sum(lambda a, b: (a != b).astype(float))
    return _alpha(patterns, differ, lambda seen: seen.sum(axis=1) ** 2 - (seen**2).sum(axis=1))


def interval_alpha(patterns: Patterns, values: Sequence[Value]) -> Statistic:
    """Return Krippendorff's alpha with the squared difference of two numbers as their distance."""
    points = np.array(values, dtype=float)
    points = points - points.mean()  # moments of large numbers would lose the differences
    differ = patterns.pair_sum(lambda a, b: (points[a] - points[b]) ** 2)
    powers = np.column_stack([np.ones(len(points)), points, points**2])
    observed = _observed(patterns, differ)
    moments = patterns.paired[:, None] * (patterns.tally @ powers)  # no table of values: there may be thousands

    def statistic(drawn: np.ndarray) -> np.ndarray:
        total, first, second = (drawn @ moments).T
        expected = 2 * (total * second - first**2)
        return 1.0 - ratio((total - 1) * (drawn @ observed), expected)

    return statistic


def masi_alpha(patterns: Patterns, values: Sequence[tuple[str, ...]]) -> Statistic:
    """Return Krippendorff's alpha of sets, with the MASI distance."""
    distance = masi(values)
    differ = patterns.pair_sum(lambda a, b: distance[a, b])
    return _alpha(patterns, differ, lambda seen: ((seen @ distance) * seen).sum(axis=1))


def _alpha(patterns: Patterns, differ: np.ndarray, expected: Statistic) -> Statistic:
    """Return 1 - observed / expected distance: `differ` of each pattern's pairs, `expected` of all pairs of values."""
    observed = _observed(patterns, differ)
    pairable = patterns.tally.T.multiply(patterns.paired).tocsr()

    def statistic(drawn: np.ndarray) -> np.ndarray:
        seen = (pairable @ drawn.T).T
        return 1.0 - ratio((seen.sum(axis=1) - 1) * (drawn @ observed), expected(seen))

    return statistic


def _observed(patterns: Patterns, differ: np.ndarray) -> np.ndarray:
    """Return both directions of each pattern's pairs, divided by its judgements less one (Krippendorff's m - 1)."""
    return 2 * differ / np.maximum(patterns.judged - 1, 1)


def ordinal_alpha(patterns: Patterns) -> Statistic:
    """Return Krippendorff's alpha of ordered values.

    Their distance is the squared difference of their mid-ranks among the judgements, which each draw has of its own.
    """
    from scipy.sparse import csr_array

    rows, columns, data = [], [], []
    for a in range(patterns.codes.shape[1]):
        for b in range(patterns.codes.shape[1]):
            held = np.flatnonzero(patterns.codes[:, max(a, b)] >= 0) if a != b else np.zeros(0, dtype=np.int64)
            rows.append(held)
            columns.append(patterns.codes[held, a] * patterns.values + patterns.codes[held, b])
            data.append(1.0 / (patterns.judged[held] - 1))
    parts = (np.concatenate(data), (np.concatenate(columns), np.concatenate(rows)))
    coincidences = csr_array(parts, shape=(patterns.values**2, len(patterns.codes)))
    pairable = patterns.tally.T.multiply(patterns.paired).tocsr()

    def statistic(drawn: np.ndarray) -> np.ndarray:
        seen = (pairable @ drawn.T).T
        middle = np.cumsum(seen, axis=1) - seen / 2
        together = (coincidences @ drawn.T).T.reshape(len(drawn), patterns.values, patterns.values)
        joint = np.einsum("dij,di,dj->d", together, middle, middle, optimize=True)
        observed = 2 * ((seen * middle**2).sum(axis=1) - joint)
        total = seen.sum(axis=1)
        expected = 2 * (total * (seen * middle**2).sum(axis=1) - (seen * middle).sum(axis=1) ** 2)
        return 1.0 - ratio((total - 1) * observed, expected)

    return statistic


def masi(sets: Sequence[tuple[str, ...]]) -> np.ndarray:
    """Return the MASI distance between sets, shape (sets, sets): 1 - Jaccard x monotonicity.

    Monotonicity is 1 for equal sets, 2/3 where one holds the other, 1/3 where they only overlap, 0 where they are
    disjoint (Passonneau 2006). Two empty sets are equal; an empty set is disjoint from any other.
    """
    labels = {label: i for i, label in enumerate(sorted({label for one in sets for label in one}))}
    held = np.zeros((len(sets), max(len(labels), 1)))
    for i, one in enumerate(sets):
        held[i, [labels[label] for label in one]] = 1.0
    sizes = held.sum(axis=1)
    common = held @ held.T
    union = sizes[:, None] + sizes[None, :] - common
    small = np.minimum(sizes[:, None], sizes[None, :])
    monotone = np.where(common > 0, np.where(common == small, 2 / 3, 1 / 3), 0.0)
    distance = 1.0 - common / np.maximum(union, 1) * monotone
    distance[union == common] = 0.0  # equal sets, empty ones too
    return distance
