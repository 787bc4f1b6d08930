"""What n rows can show, before any run: the smallest gain and the smallest margin (`rows_needed` turns it round).

For 0/1 scores power is the exact probability, summed over all paired tables, that the deciding rule itself
(`paired.gain_shown`, `paired.not_worse_shown`) holds; for graded scores it is the t formula over rows and pseudo-rows.
What this module does not know: the task's real churn or spread. It shows a range, and the dev set tells where in it.

Words: *churn* is the share of rows whose 0/1 score changes, (b + c) / n; *sd* is the standard deviation of the
differences of graded scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError
from sluice.evalsuite.stats import paired
from sluice.evalsuite.stats.graded import adjusted_mean_and_error
from sluice.evalsuite.stats.rates import check_alpha

Kind = Literal["binary", "graded"]
Counts = NDArray[np.int64]

POWER = 0.8
SPREADS = (0.1, 0.2, 0.3, 0.4)  # churns of 0/1 scores, standard deviations of graded ones
USUAL_SPREAD = {"binary": 0.2, "graded": 0.3}  # where `usual_gain` reads the table
_TAIL = 7.5  # standard deviations of a binomial kept on each side: less than 1e-12 is left out


class PowerLine(BaseModel):
    """What can be shown with 80% probability at one churn or sd."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spread: float
    """Churn of 0/1 scores, sd of graded ones."""
    gain: float | None
    """Smallest true gain shown as better; None where even the largest possible is not."""
    margin: float | None
    """Smallest margin for which not-worse is shown when nothing truly differs; None where none up to 1 is."""


class Power(BaseModel):
    """What n rows can show, at alpha divided by the number of openings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    """0/1 or graded scores; groups are graded."""
    n: int
    """Rows, or groups."""
    alpha: float
    """Error probability of all openings together, two-sided."""
    openings: int
    """K: each candidate is judged at alpha / K."""
    lines: tuple[PowerLine, ...]
    """One line for each churn or sd, ascending."""

    @property
    def cannot_decide(self) -> bool:
        """True where no gain at any churn or sd of the table can be shown."""
        return all(line.gain is None for line in self.lines)

    def cannot_decide_margin(self, margin: float) -> bool:
        """True where not-worse by `margin` can be shown at no churn or sd of the table."""
        return all(line.margin is None or line.margin > margin for line in self.lines)


def power_of(kind: Kind, n: int, *, alpha: float = 0.05, openings: int = 1) -> Power:
    """Return the smallest gain and margin that n rows show with 80%, for the usual range of churn or sd.

    Args:
        kind: "binary" for 0/1 scores of single rows, "graded" for all else, groups among it.
        n: rows, or groups.
        alpha: error probability, two-sided, of all openings together.
        openings: K.

    Raises:
        InputError: n below 1, alpha outside (0, 0.5), openings below 1.
    """
    level = alpha_of_one(alpha, openings)
    gain, margin = (smallest_gain, smallest_margin) if kind == "binary" else (graded_gain, graded_margin)
    lines = tuple(
        PowerLine(spread=spread, gain=gain(n, spread, level), margin=margin(n, spread, level)) for spread in SPREADS
    )
    return Power(kind=kind, n=n, alpha=alpha, openings=openings, lines=lines)


def alpha_of_one(alpha: float, openings: int) -> float:
    """Return alpha / K, the error probability of one candidate: the first is judged as strictly as the last."""
    check_alpha(alpha)
    if openings < 1:
        raise InputError(f"{openings} openings cannot be", remedy="allow at least one opening of the eval set")
    return alpha / openings


def usual_gain(kind: Kind, n: int, *, alpha: float = 0.05, openings: int = 1) -> float | None:
    """Return the gain that n rows (or groups) show at the usual churn .2 or sd .3, or None; errors as `power_of`.

    A set is `resolvable` where this fits between the best baseline and the target.
    """
    level = alpha_of_one(alpha, openings)
    return (smallest_gain if kind == "binary" else graded_gain)(n, USUAL_SPREAD[kind], level)


# 0/1 scores: exact enumeration of the rule


class _Tables(NamedTuple):
    """The numbers of changed rows that matter at one churn, and what is needed at each."""

    changed: Counts
    weights: paired.Floats
    """Probability of each number of changed rows."""
    needed: Counts
    """Fewest gains that are shown as better; one more than `changed` where even all gains are not."""


@lru_cache(maxsize=256)
def _better_tables(n: int, churn: float, alpha: float) -> _Tables:
    check_alpha(alpha)
    if n < 1:
        raise InputError("power over zero rows does not exist", remedy="give at least one row")
    if not 0 < churn <= 1:
        raise InputError(f"churn is {churn}, not a share above 0", remedy="give the share of rows that change")
    changed, weights = _binomial(n, churn)
    tables = _Tables(changed, weights, _fewest_gains(changed, lambda b, c: paired.gain_shown(b, c, alpha)))
    for table in tables:
        table.flags.writeable = False  # shared by all callers
    return tables


def _fewest_gains(changed: NDArray[np.int64], shown: Callable[[Counts, Counts], paired.Bools]) -> NDArray[np.int64]:
    """Return the fewest gains among `changed` rows for which a rule holds, by bisection: rules are monotone in them."""
    low, high = np.full(changed.shape, -1), changed + 1
    while True:
        unsettled = high - low > 1
        if not unsettled.any():
            return high
        middle = np.where(unsettled, (low + high) // 2, changed)
        holds = shown(changed - middle, middle)
        low = np.where(unsettled & ~holds, middle, low)
        high = np.where(unsettled & holds, middle, high)


def chance_of_better(n: int, churn: float, gain: float, alpha: float) -> float:
    """Return the exact probability that n rows show "better" at two-sided alpha.

    Args:
        n: rows.
        churn: probability that a row's 0/1 score changes.
        gain: true candidate minus baseline, within [-churn, churn].
        alpha: alpha / K.

    Raises:
        InputError: n below 1, churn outside (0, 1], a gain that churn does not allow.
    """
    changed, weights, needed = _better_tables(n, churn, alpha)
    _check_gain(gain, churn)
    return float(weights @ _shown_given(changed, needed, churn, gain))


def chance_of_not_worse(n: int, churn: float, gain: float, margin: float, alpha: float) -> float:
    """Return the exact probability that n rows show "not worse by margin" at one-sided alpha; else as above."""
    changed, weights, _ = _better_tables(n, churn, alpha)
    _check_gain(gain, churn)
    needed = _fewest_gains(changed, lambda b, c: paired.not_worse_shown(b, c, n, margin, alpha))
    return float(weights @ _shown_given(changed, needed, churn, gain))


def smallest_gain(n: int, churn: float, alpha: float, power: float = POWER) -> float | None:
    """Return the smallest true gain in a 0/1 score that n rows show with the given power, or None.

    None: even if every change were a gain it would not be shown often enough. Arguments and errors as
    `chance_of_better`.
    """
    changed, weights, needed = _better_tables(n, churn, alpha)
    if weights @ _shown_given(changed, needed, churn, churn) < power:
        return None
    low, high = 0.0, churn
    for _ in range(40):
        middle = (low + high) / 2
        if weights @ _shown_given(changed, needed, churn, middle) < power:
            low = middle
        else:
            high = middle
    return high


def smallest_margin(n: int, churn: float, alpha: float, power: float = POWER) -> float | None:
    """Return the smallest margin by which n rows show not-worse when nothing truly differs, or None above 1.

    Arguments and errors as `chance_of_better`; alpha is one-sided.
    """
    low, high = 0.0, 1 - 1e-9
    if chance_of_not_worse(n, churn, 0.0, high, alpha) < power:
        return None
    for _ in range(34):
        middle = (low + high) / 2
        if chance_of_not_worse(n, churn, 0.0, middle, alpha) < power:
            low = middle
        else:
            high = middle
    return high


def _check_gain(gain: float, churn: float) -> None:
    if abs(gain) > churn + 1e-12:
        raise InputError(
            f"a gain of {gain} needs a churn of at least as much, not {churn}", remedy="give a churn above the gain"
        )


def _binomial(n: int, share: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the counts of Binomial(n, share) that matter, and their probabilities."""
    reach = _TAIL * math.sqrt(n * share * (1 - share)) + 10
    counts = np.arange(max(0, math.floor(n * share - reach)), min(n, math.ceil(n * share + reach)) + 1)
    return counts, _point(counts, np.full(counts.shape, n), share)


def _point(counts: NDArray[np.int64], trials: NDArray[np.int64], share: float) -> NDArray[np.float64]:
    from scipy.special import gammaln, xlog1py, xlogy

    ways = gammaln(trials + 1) - gammaln(counts + 1) - gammaln(trials - counts + 1)
    return np.exp(ways + xlogy(counts, share) + xlog1py(trials - counts, -share))


def _shown_given(
    changed: NDArray[np.int64], needed: NDArray[np.int64], churn: float, gain: float
) -> NDArray[np.float64]:
    """Return P(at least `needed` of `changed` rows are gains), each with probability (churn + gain) / (2 churn)."""
    from scipy.special import bdtrc

    share = min(1.0, max(0.0, (churn + gain) / (2 * churn)))
    drawn = (needed > 0) & (needed <= changed)  # elsewhere the probability is 1 or 0, and bdtrc is not defined
    chance = bdtrc(np.where(drawn, needed - 1, 0).astype(np.float64), np.where(drawn, changed, 1), share)
    return np.where(drawn, chance, np.where(needed <= 0, 1.0, 0.0))


# Graded scores: the t formula


def graded_gain(n: int, sd: float, alpha: float, power: float = POWER) -> float | None:
    """Return the smallest true mean gain that n graded differences show with the given power, None above 1.

    ((n+2)/n) t(1 - alpha/2; n+1) se + z sd / sqrt(n), se = sqrt((n sd^2 + 2) / ((n+1)(n+2))); z = .84 for 80%.

    Args:
        n: rows, or groups.
        sd: standard deviation of the differences.
        alpha: alpha / K, two-sided.
        power: chance of seeing it.
    """
    return _graded(n, sd, alpha / 2, alpha, power)


def graded_margin(n: int, sd: float, alpha: float, power: float = POWER) -> float | None:
    """Return the smallest margin of not-worse shown with the given power at no true difference, None above 1.

    As `graded_gain` with t(1 - alpha; n+1).
    """
    return _graded(n, sd, alpha, alpha, power)


def _graded(n: int, sd: float, tail: float, alpha: float, power: float) -> float | None:
    from scipy.special import ndtri, stdtrit

    check_alpha(alpha)
    if n < 1 or sd < 0:
        raise InputError(f"power of {n} rows with sd {sd} does not exist", remedy="give at least one row and sd >= 0")
    _, error = adjusted_mean_and_error(0.0, sd, n)
    smallest = (n + 2) / n * float(stdtrit(n + 1, 1 - tail) * error) + float(ndtri(power)) * sd / math.sqrt(n)
    return smallest if smallest <= 1 else None
