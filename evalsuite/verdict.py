"""The one decider: from paired scores and the pinned claim to better, worse, not-worse or cannot tell.

The interval of the claim decides, two-sided at 1 - alpha/K: better where it lies above 0, worse where below; not-worse
where the one-sided lower bound lies above -margin. 0/1 scores take Tango's interval, and better and worse also need
McNemar's mid-p at the same level; graded scores, and all scores in groups, take the adjusted t interval alone.

What this module does not know: files, runs, baselines, whether the eval set was frozen or how often it was opened. It
is handed scores of the same rows in the same order and says one word with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError
from sluice.evalsuite.stats import graded, paired
from sluice.evalsuite.stats.groups import group_means
from sluice.evalsuite.stats.power import Kind, alpha_of_one
from sluice.evalsuite.stats.rates import RATE_ALPHA, as_scores, check_range
from sluice.evalsuite.stats.rows_needed import n_that_would_tell_counts, n_that_would_tell_graded

Word = Literal["better", "worse", "not-worse", "cannot-tell"]
Claim = Literal["better", "not-worse"]

EXIT_CODES: dict[Word, int] = {"better": 0, "not-worse": 0, "worse": 1, "cannot-tell": 4}
_SPOKEN: dict[Word, str] = {
    "better": "better",
    "worse": "worse",
    "not-worse": "not worse",
    "cannot-tell": "cannot tell",
}
_REAL_LOSS = "not worse by the margin, and a real loss"
_NOISE = 1e-12  # differences below this come from adding decimal fractions, not from the answers


class Verdict(BaseModel):
    """One word about a candidate against a baseline, with all that it rests on.

    Differences are candidate minus baseline, turned so that above 0 is better, in shares of the score range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    word: Word
    """What may be said."""
    claim: Claim
    """What was asked."""
    exit_code: int
    """0 claim shown, 1 worse, 4 cannot tell."""
    kind: Kind
    """0/1 or graded scores, as the grader declares."""
    helped: int
    """Rows that the candidate scores higher on."""
    hurt: int
    """Rows that the candidate scores lower on."""
    tied: int
    """Rows with equal scores."""
    n: int
    """Rows compared."""
    n_groups: int | None
    """Groups compared; None where rows stand alone."""
    difference: float
    """Plain mean difference (of the group means, where there are groups)."""
    low: float
    """Lower end of the two-sided interval."""
    high: float
    """Upper end of the two-sided interval."""
    adjusted: bool
    """True where the interval counts two pseudo-rows, so that its middle is not the plain mean."""
    level: float
    """Level of the interval: 1 - alpha / K."""
    openings: int
    """K."""
    margin: float | None
    """Loss that not-worse allows; None for better."""
    bound: float | None
    """One-sided lower bound at the same level, which decides not-worse; None for better."""
    p: float
    """Two-sided p, shown beside the interval."""
    p_name: str
    """Which test gave it."""
    why: str
    """The reason for the word."""
    n_that_would_tell: int | None
    """Where it cannot tell: the rows (or groups) that would, at what was observed; None where none would."""
    sentence: str
    """All of it in one line, as people say it."""


@dataclass(frozen=True)
class _Finding:
    """What one rule found; `above` and `below` speak of the interval alone."""

    difference: float
    low: float
    high: float
    bound: float | None
    above: bool
    below: bool
    better: bool
    worse: bool
    not_worse: bool
    p: float
    p_name: str
    unchanged: bool
    n_that_would_tell: int | None


def decide(
    baseline: Sequence[float | int | bool | None],
    candidate: Sequence[float | int | bool | None],
    *,
    kind: Kind,
    score_range: tuple[float, float] = (0.0, 1.0),
    higher_is_better: bool = True,
    claim: Claim = "better",
    margin: float | None = None,
    groups: Sequence[Hashable | None] | None = None,
    alpha: float = 0.05,
    openings: int = 1,
    rows: Sequence[str] | None = None,
) -> Verdict:
    """Judge the claim about `candidate` on rows that both runs answered.

    Args:
        baseline: shape (n,), scores of the baseline, in the grader's units.
        candidate: shape (n,), scores of the candidate on the same rows in the same order.
        kind: "binary" where each score is one end of the range, "graded" for anything between; declared, not guessed.
        score_range: lowest and highest score that the grader declares.
        higher_is_better: False for an error rate or a distance.
        claim: "better", or "not-worse" by `margin`.
        margin: for not-worse, the loss allowed, in shares of the range, within [0, 1).
        groups: shape (n,), equal keys for rows that belong together, None for a row alone. With any key the
            differences are averaged within groups, n is the number of groups, and the graded rule decides.
        alpha: error probability, two-sided, of all openings together.
        openings: K: this candidate is judged at alpha / K.
        rows: shape (n,), names of the rows for messages.

    Returns:
        The verdict. It never fails for want of evidence: that is the word "cannot-tell".

    Raises:
        InputError: no rows, lists of different length, a missing, non-finite or out-of-range score, a binary score
            between the ends, or a claim and margin that do not fit.
    """
    level = alpha_of_one(alpha, openings)
    _check_words(kind, claim, margin)
    _check_lengths(baseline, candidate, rows)
    differences = _scaled(candidate, score_range, kind, "candidate scores", rows)
    differences = differences - _scaled(baseline, score_range, kind, "baseline scores", rows)
    if not higher_is_better:
        differences = -differences
    differences[np.abs(differences) < _NOISE] = 0.0

    n = len(differences)
    helped, hurt = int(np.count_nonzero(differences > 0)), int(np.count_nonzero(differences < 0))
    grouped = groups is not None and any(key is not None for key in groups)
    means = differences
    if groups is not None:
        means = group_means(differences, groups)
        means[np.abs(means) < _NOISE] = 0.0
    if kind == "binary" and not grouped:
        finding = _judge_counts(hurt, helped, n, level, margin)
    else:
        finding = _judge_graded(means if grouped else differences, level, margin)

    word, why = _word(finding, claim, margin, level)
    n_groups = len(means) if grouped else None
    verdict = Verdict(
        word=word,
        claim=claim,
        exit_code=EXIT_CODES[word],
        kind=kind,
        helped=helped,
        hurt=hurt,
        tied=n - helped - hurt,
        n=n,
        n_groups=n_groups,
        difference=finding.difference,
        low=finding.low,
        high=finding.high,
        adjusted=kind == "graded" or grouped,
        level=1 - level,
        openings=openings,
        margin=margin,
        bound=finding.bound,
        p=finding.p,
        p_name=finding.p_name,
        why=why,
        n_that_would_tell=finding.n_that_would_tell if word == "cannot-tell" else None,
        sentence="",
    )
    return verdict.model_copy(update={"sentence": _sentence(verdict, real_loss=finding.worse)})


def _judge_counts(losses: int, gains: int, n: int, level: float, margin: float | None) -> _Finding:
    low, high = paired.tango_interval(losses, gains, n, level)
    return _Finding(
        difference=(gains - losses) / n,
        low=low,
        high=high,
        bound=None if margin is None else paired.tango_bound(losses, gains, n, level),
        above=bool(paired.interval_excludes_zero(losses, gains, level)),
        below=bool(paired.interval_excludes_zero(gains, losses, level)),
        better=bool(paired.gain_shown(losses, gains, level)),
        worse=bool(paired.gain_shown(gains, losses, level)),
        not_worse=margin is not None and bool(paired.not_worse_shown(losses, gains, n, margin, level)),
        p=float(paired.mid_p(losses, gains)),
        p_name="McNemar's mid-p",
        unchanged=losses == gains == 0,
        n_that_would_tell=n_that_would_tell_counts(losses, gains, n, alpha=level, margin=margin),
    )


def _judge_graded(differences: NDArray[np.float64], level: float, margin: float | None) -> _Finding:
    found = graded.adjusted_interval(differences, level)
    bound = None if margin is None else graded.adjusted_bound(differences, level)
    return _Finding(
        difference=found.mean,
        low=found.low,
        high=found.high,
        bound=bound,
        above=found.low > 0,
        below=found.high < 0,
        better=found.low > 0,
        worse=found.high < 0,
        not_worse=bound is not None and margin is not None and bound > -margin,
        p=graded.sign_flip_p(differences),
        p_name="sign-flip p",
        unchanged=not differences.any(),
        n_that_would_tell=n_that_would_tell_graded(found.mean, found.sd, found.n, alpha=level, margin=margin),
    )


def _word(found: _Finding, claim: Claim, margin: float | None, level: float) -> tuple[Word, str]:
    p = f"{found.p_name} is {_apart(found.p, level)}"
    if claim == "not-worse" and margin is not None and found.bound is not None:
        places = _places((found.bound, -margin))
        bound = f"the lower bound {_signed(found.bound, places)} is{{}} above the margin {_signed(-margin, places)}"
        if found.not_worse:
            return "not-worse", _REAL_LOSS if found.worse else bound.format("")
        if found.worse:
            return "worse", f"{bound.format(' not')}, and the interval lies below 0"
        reasons = [bound.format(" not")]
        if found.unchanged:
            reasons.insert(0, "all differences are zero, but so few rows cannot exclude a loss of the margin")
        elif found.below:
            reasons.append(f"only the interval excludes 0: {p}, not below {level:.3g}")
        return "cannot-tell", "; ".join(reasons)
    if found.better or found.worse:
        return ("better", "the interval lies above 0") if found.better else ("worse", "the interval lies below 0")
    if found.unchanged:
        return "cannot-tell", "all differences are zero"
    if found.above or found.below:
        return "cannot-tell", f"only the interval excludes 0: {p}, not below {level:.3g}"
    if found.p < level:
        return "cannot-tell", f"the interval includes 0, and it decides; only the test is significant: {p}"
    return "cannot-tell", "the interval includes 0"


def _sentence(verdict: Verdict, *, real_loss: bool) -> str:
    thresholds = [(verdict.low, 0.0), (verdict.high, 0.0)]
    if verdict.bound is not None and verdict.margin is not None:
        thresholds.append((verdict.bound, -verdict.margin))
    places = _places(*thresholds)
    of = f"{verdict.n}" if verdict.n_groups is None else f"{verdict.n} rows in {verdict.n_groups} groups"
    interval = f"[{_plain(verdict.low, places)}, {_plain(verdict.high, places)}]"
    parts = [
        f"helped {verdict.helped}, hurt {verdict.hurt} of {of}: {_signed(verdict.difference, places)} {interval}"
        + (" adjusted" if verdict.adjusted else "")
        + _level(verdict)
    ]
    if verdict.bound is not None and verdict.margin is not None:
        parts.append(f"lower bound {_plain(verdict.bound, places)} for a margin of {_plain(verdict.margin, places)}")
    parts.append(_REAL_LOSS if verdict.word == "not-worse" and real_loss else _SPOKEN[verdict.word])
    return ", ".join(parts)


def _level(verdict: Verdict) -> str:
    """Return the level of the interval and where it comes from; nothing at 95%, the level of every rate beside it."""
    alpha = (1 - verdict.level) * verdict.openings
    if abs(1 - verdict.level - RATE_ALPHA) < _NOISE:
        return ""
    over = f" over {verdict.openings} openings" if verdict.openings > 1 else ""
    return f" ({100 * verdict.level:.3g}%: alpha {alpha:.2g}{over})"


def _places(*pairs: tuple[float, float]) -> int:
    """Return the decimals, 2 at least, at which no value reads as equal to the threshold that it is held against."""
    for places in range(2, 7):
        if all(value == threshold or round(value, places) != round(threshold, places) for value, threshold in pairs):
            return places
    return 6


def _plain(value: float, places: int) -> str:
    return f"{round(value, places) + 0.0:.{places}f}"  # adding 0.0 turns -0.0 into 0.0


def _signed(value: float, places: int) -> str:
    rounded = round(value, places) + 0.0
    return f"{rounded:+.{places}f}" if rounded else f"{rounded:.{places}f}"


def _apart(p: float, level: float) -> str:
    """Return p with 3 digits, or with as many as it takes to read apart from the level."""
    digits = next((digits for digits in range(3, 16) if p == level or f"{p:.{digits}g}" != f"{level:.{digits}g}"), 16)
    return f"{p:.{digits}g}"


def _check_words(kind: str, claim: str, margin: float | None) -> None:
    if kind not in get_args(Kind):
        raise InputError(f"scores of kind '{kind}' cannot be compared", remedy="declare binary or graded in the grader")
    if claim not in get_args(Claim):
        raise InputError(f"there is no claim '{claim}'", remedy="claim better or not-worse")
    if claim == "better" and margin is not None:
        raise InputError("a margin belongs to the claim not-worse", remedy="leave out the margin, or claim not-worse")
    if claim == "not-worse" and not (margin is not None and math.isfinite(margin) and 0 <= margin < 1):
        raise InputError(
            f"not-worse needs a margin of at least 0 and below 1, not {margin}",
            remedy="pin the loss you can live with, such as 0.05",
        )


def _check_lengths(baseline: Sequence[object], candidate: Sequence[object], rows: Sequence[str] | None) -> None:
    if len(baseline) != len(candidate):
        raise InputError(
            f"the baseline has {len(baseline)} scores, the candidate {len(candidate)}: runs are compared row by row",
            remedy="compare runs over the same rows",
        )
    if rows is not None and len(rows) != len(baseline):
        raise InputError(f"{len(rows)} row names for {len(baseline)} rows", remedy="give one name a row")


def _scaled(
    scores: Sequence[float | int | bool | None],
    score_range: tuple[float, float],
    kind: Kind,
    name: str,
    rows: Sequence[str] | None,
) -> NDArray[np.float64]:
    """Return scores in shares of the range; 0/1 scores become exactly 0 and 1."""
    bottom, top = check_range(score_range)
    shares = np.clip((as_scores(scores, score_range, name=name, rows=rows) - bottom) / (top - bottom), 0, 1)
    if kind == "graded":
        return shares
    nearest = np.rint(shares)
    between = np.abs(shares - nearest) > _NOISE
    if between.any():
        row = int(np.argmax(between))
        raise InputError(
            f"the score {scores[row]} is neither {bottom:g} nor {top:g}, but the grader is declared as binary",
            where=f"row {rows[row]}" if rows is not None else f"row {row + 1} of the {name}",
            remedy="declare the grader as graded, or return one of the two",
        )
    return nearest
