"""One mean score with its n and its interval: shares of right answers, and graded scores in a declared range.

A `Rate` cannot be made without n and interval, so none can be shown without them. What it does not know: whether the
rows are independent. Rows that share a document make every interval here too short; compare runs by groups instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from sluice.core.errors import InputError
from sluice.core.wilson import wilson_bounds

RATE_ALPHA = 0.05
"""One minus the level of the interval of every rate that is shown."""
RateKind = Literal["wilson", "adjusted-t"]


class Rate(BaseModel):
    """A share or mean score, never without its n and its interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    estimate: float
    """Plain mean of the scores, in the grader's units."""
    n: int
    """Rows counted, whatever became of them; at least 1."""
    low: float
    """Lower end of the two-sided interval."""
    high: float
    """Upper end of the two-sided interval."""
    alpha: float
    """One minus the level: 0.05 for a 95% interval."""
    kind: RateKind
    """How the interval was made."""

    @model_validator(mode="after")
    def _ordered(self) -> Rate:
        if self.n < 1 or not self.low <= self.high or not all(map(math.isfinite, (self.estimate, self.low, self.high))):
            raise ValueError("a rate needs n of at least 1 and finite low <= high")
        return self

    def __str__(self) -> str:
        return f"{self.estimate:.2f} [{self.low:.2f}, {self.high:.2f}], n {self.n}"


def wilson(right: int, n: int, alpha: float = 0.05) -> Rate:
    """Return the share `right / n` with Wilson's score interval.

    Args:
        right: rows counted as right, 0 to n.
        n: all rows, wrong, unparsed, cut, refused and failed ones among them.
        alpha: one minus the two-sided level.

    Raises:
        InputError: no rows, or `right` outside 0..n.

    Source: Wilson 1927; recommended for small n by Brown, Cai and DasGupta 2001.
    """
    _check_count(right, n)
    check_alpha(alpha)
    low, high = wilson_bounds(right, n, alpha)
    return Rate(estimate=right / n, n=n, low=low, high=high, alpha=alpha, kind="wilson")


def graded_mean(scores: Sequence[float], *, score_range: tuple[float, float] = (0.0, 1.0), alpha: float = 0.05) -> Rate:
    """Return the mean of graded scores with the t interval over the scores and two pseudo-rows, the ends of the range.

    The pseudo-rows stand for the perfect and the ruined answer not yet seen: without them the interval of 20 equal
    scores would have no width.

    Args:
        scores: shape (n,), each within `score_range`; a missing score is an error, never dropped.
        score_range: lowest and highest score the grader declares.
        alpha: one minus the two-sided level.

    Raises:
        InputError: no scores, a missing or non-finite score, a score outside the range.

    Source: the adjustment of Agresti and Caffo 2000, applied to bounded scores.
    """
    from scipy.special import stdtrit

    check_alpha(alpha)
    values = as_scores(scores, score_range, name="scores")
    bottom, top = score_range
    padded = np.append(values, [bottom, top])
    n = len(values)
    half = float(stdtrit(n + 1, 1 - alpha / 2)) * float(padded.std(ddof=1)) / math.sqrt(n + 2)
    centre = float(padded.mean())
    return Rate(
        estimate=float(values.mean()),
        n=n,
        low=max(bottom, centre - half),
        high=min(top, centre + half),
        alpha=alpha,
        kind="adjusted-t",
    )


def mean_rate(
    scores: Sequence[float],
    *,
    kind: Literal["binary", "graded"],
    score_range: tuple[float, float] = (0.0, 1.0),
    alpha: float = RATE_ALPHA,
) -> Rate:
    """Return the mean of scores as their kind asks: Wilson's interval for two-valued ones, stretched to their range.

    Arguments and errors as `graded_mean`; a binary score is one end of the range.
    """
    if kind == "graded":
        return graded_mean(scores, score_range=score_range, alpha=alpha)
    bottom, top = score_range
    width = top - bottom
    shares = (as_scores(scores, score_range, name="scores") - bottom) / width
    rate = wilson(round(float(shares.sum())), len(shares), alpha)
    ends = {name: bottom + width * getattr(rate, name) for name in ("estimate", "low", "high")}
    return rate.model_copy(update=ends)


def as_scores(
    scores: Sequence[float | int | bool | None],
    score_range: tuple[float, float],
    *,
    name: str,
    rows: Sequence[str] | None = None,
) -> np.ndarray:
    """Return scores as a float array after the checks that every statistic here relies on.

    Args:
        scores: shape (n,), in the grader's units.
        score_range: lowest and highest score the grader declares; ends included.
        name: what the scores are called in a message ("candidate scores").
        rows: shape (n,), names of the rows for messages; positions from 1 where absent.

    Raises:
        InputError: no scores; a missing, non-numeric, non-finite or out-of-range one, named by its row.
    """
    bottom, top = check_range(score_range)
    if len(scores) == 0:
        raise InputError(f"there are no {name}: nothing can be said of zero rows", remedy="evaluate at least one row")
    values = np.empty(len(scores))
    slack = 1e-9 * (top - bottom)
    for index, score in enumerate(scores):  # in Python, row by row: each error names its row
        where = f"row {rows[index]}" if rows is not None else f"row {index + 1} of the {name}"
        if score is None:
            raise InputError("the score is missing", where=where, remedy="grade the row again, or count it as an error")
        if not isinstance(score, Real | np.bool_):
            raise InputError(f"the score {score!r} is not a number", where=where, remedy="return a number")
        value = float(score)
        if not math.isfinite(value):
            raise InputError(
                f"the score is {value}", where=where, remedy="count a row that cannot be graded as an error"
            )
        if not bottom - slack <= value <= top + slack:
            raise InputError(
                f"the score {value:g} lies outside the declared range {bottom:g} to {top:g}",
                where=where,
                remedy="declare the range that the grader really uses",
            )
        values[index] = value
    return values


def check_range(score_range: tuple[float, float]) -> tuple[float, float]:
    """Return the range as two floats, or raise InputError where it is not finite with low below high."""
    bottom, top = float(score_range[0]), float(score_range[1])
    if not (math.isfinite(bottom) and math.isfinite(top) and bottom < top):
        raise InputError(
            f"the score range {bottom:g} to {top:g} is empty or not finite", remedy="declare it as (lowest, highest)"
        )
    return bottom, top


def check_alpha(alpha: float) -> None:
    """Raise InputError where alpha is no error probability between 0 and 1/2."""
    if not 0 < alpha < 0.5:
        raise InputError(f"alpha is {alpha}, not between 0 and 0.5", remedy="give alpha as 0.05 or smaller")


def _check_count(right: int, n: int) -> None:
    if n < 1:
        raise InputError("a rate over zero rows does not exist", remedy="evaluate at least one row")
    if not 0 <= right <= n:
        raise InputError(f"{right} right answers of {n} rows cannot be", remedy="count each row once")
