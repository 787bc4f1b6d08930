"""Advice: printed and stored, refusing only where `[gate] strict` asks for it.

Rules that refuse without a fault teach people to waive; these only say what is usual or was not measured.
"""

from __future__ import annotations

from collections.abc import Callable

from sluice.core.wording import counted
from sluice.evalsuite.stats.power import resolvable as can_resolve
from sluice.train.evidence import Evidence
from sluice.train.policy import TRAIN_ROWS
from sluice.train.rules.result import RuleResult, ok


def _advice(rule: str, found: str) -> RuleResult:
    return RuleResult(rule=rule, status="advice", found=found)


def train_size(evidence: Evidence) -> RuleResult:
    """Say where the number of training rows is unusual."""
    n, (low, high) = len(evidence.train), TRAIN_ROWS
    if low <= n <= high:
        return ok("train-size", counted(n, "training row"))
    return _advice("train-size", f"{counted(n, 'training row')}; most narrow tasks are learnt from {low:,} to {high:,}")


def resolvable(evidence: Evidence) -> RuleResult:
    """Say where the eval set is too small for the gain that is still possible."""
    rate = evidence.baselines.best_rate if evidence.baselines is not None else None
    if evidence.bench is None or rate is None:
        return _advice("resolvable", "not measured: needs the baseline")
    question = evidence.bench.question
    low, high = question.score_range
    higher = question.direction == "higher"
    target = evidence.target if evidence.target is not None else (high if higher else low)

    def share(score: float) -> float:
        """Return where a score lies from the worst (0) to the best (1)."""
        return (score - low if higher else high - score) / (high - low)

    if can_resolve(
        question.kind,
        rate.n,
        best_baseline=share(rate.estimate),
        target=share(target),
        alpha=float(question.alpha),
        openings=question.openings,
    ):
        return ok("resolvable", f"{rate.n} eval rows can show a gain within what is left to gain")
    return _advice(
        "resolvable",
        f"{counted(rate.n, 'eval row')} can hardly show a gain from {rate.estimate:.2f} to {target:.2f}: "
        "the verdict may be 'cannot tell'",
    )


def ladder(evidence: Evidence) -> RuleResult:
    """Say that retrieval and tools were not tried first."""
    return _advice(
        "ladder", "not measured: how far the base gets when it may look things up (retrieval) or use tools, untrained"
    )


def label_agreement(evidence: Evidence) -> RuleResult:
    """Say that nobody measured whether two people label alike."""
    return _advice("label-agreement", "not measured: whether two people would give these rows the same answers")


ADVICE_RULES: tuple[Callable[[Evidence], RuleResult], ...] = (train_size, resolvable, ladder, label_agreement)
