"""How many rows a claim needs: before a run from what is hoped for, after it from what was seen.

Both ask the rule that decides, at larger n. What this module does not know: whether further rows would behave like
those seen. "The n that would tell" is an arithmetic answer, not a forecast.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from sluice.core.errors import InputError
from sluice.evalsuite.stats import paired
from sluice.evalsuite.stats.graded import adjusted_mean_and_error
from sluice.evalsuite.stats.power import (
    POWER,
    USUAL_SPREAD,
    Kind,
    alpha_of_one,
    chance_of_better,
    chance_of_not_worse,
    graded_gain,
    graded_margin,
)
from sluice.evalsuite.stats.rates import check_alpha

_MOST_ROWS = 10**12  # a search for n stops here: no eval set has as many rows


def n_that_could_decide(
    kind: Kind,
    *,
    wanted: float,
    claim: Literal["better", "not-worse"] = "better",
    alpha: float = 0.05,
    openings: int = 1,
) -> int:
    """Return how many rows show a gain of `wanted` (or not-worse by that margin) with 80%, at churn .2 or sd .3.

    Counts of 0/1 scores make power rise in saw-teeth, so a few rows fewer may do as well by luck. A gain above the
    churn cannot occur in 0/1 scores: it is read as "every change is a gain".

    Args:
        kind: "binary" for 0/1 scores of single rows, "graded" for all else, groups among it.
        wanted: the gain hoped for, or the margin declared, in shares of the score range; above 0.
        claim: what is to be shown.
        alpha: error probability, two-sided, of all openings together.
        openings: K.

    Raises:
        InputError: `wanted` not above 0, alpha outside (0, 0.5), openings below 1.
    """
    level = alpha_of_one(alpha, openings)
    spread = USUAL_SPREAD[kind]
    if not wanted > 0:
        raise InputError(f"a gain or margin of {wanted} cannot be shown", remedy="give one above 0")

    def enough(n: int) -> bool:
        if kind == "graded":
            smallest = (graded_gain if claim == "better" else graded_margin)(n, spread, level)
            return smallest is not None and smallest <= wanted
        if claim == "better":
            return chance_of_better(n, spread, min(wanted, spread), level) >= POWER
        return chance_of_not_worse(n, spread, 0.0, min(wanted, 1 - 1e-9), level) >= POWER

    return _first(enough, 1)


def n_that_would_tell_counts(
    losses: int, gains: int, n: int, *, alpha: float, margin: float | None = None
) -> int | None:
    """Return the smallest number of rows, n at least, with the verdict at the observed shares of losses and gains.

    Counts are rounded against the claim (losses up, gains down), so that it is no luck of rounding.

    Args:
        losses, gains, n: as observed.
        alpha: alpha / K.
        margin: of not-worse; None for better.

    Returns:
        None where the estimate points the other way: no number of such rows would show it.
    """
    from scipy.special import ndtri

    paired.check_counts(losses, gains, n)
    check_alpha(alpha)
    z = float(ndtri(1 - alpha / 2 if margin is None else 1 - alpha))
    against = 0.0 if margin is None else -margin
    statistic = float(paired.tango_statistic(losses, gains, n, against))
    if not statistic > 0 or gains - losses <= n * against:
        return None
    # At equal shares the statistic grows with the square root of n; rounding only lowers it.
    start = max(n, math.floor(n * (z / statistic) ** 2) - 1)
    block = 4096
    while start < _MOST_ROWS:
        rows = np.arange(start, start + block, dtype=np.int64)
        b, c = -(-rows * losses // n), rows * gains // n
        shown = paired.gain_shown(b, c, alpha) if margin is None else paired.not_worse_shown(b, c, rows, margin, alpha)
        if shown.any():
            return int(rows[int(np.argmax(shown))])
        start += block
        block = min(2 * block, 1 << 20)
    return None


def n_that_would_tell_graded(
    mean: float, sd: float, n: int, *, alpha: float, margin: float | None = None
) -> int | None:
    """Return the smallest number of rows or groups, n at least, with the verdict at the observed mean and sd.

    Args:
        mean: plain mean difference, in [-1, 1].
        sd: root mean square deviation from it (divisor n).
        n: as observed.
        alpha: alpha / K.
        margin: of not-worse; None for better.

    Returns:
        None where the estimate points the other way.
    """
    from scipy.special import stdtrit

    check_alpha(alpha)
    against = 0.0 if margin is None else -margin
    if mean <= against:
        return None
    tail = alpha / 2 if margin is None else alpha

    def enough(rows: int) -> bool:
        centre, error = adjusted_mean_and_error(mean, sd, rows)
        return float(centre - stdtrit(rows + 1, 1 - tail) * error) > against

    return _first(enough, n) if enough(_MOST_ROWS) else None


def _first(enough: Callable[[int], bool], start: int) -> int:
    """Return the first n from `start` on that is enough, for a condition that once reached stays."""
    low, high = start - 1, start
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
