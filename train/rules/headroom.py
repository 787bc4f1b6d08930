"""headroom: where the prompt already reaches the target, ship the prompt."""

from __future__ import annotations

from sluice.train.evidence import Evidence
from sluice.train.rules.result import RuleResult, later, ok, refused

RULE = "headroom"


def headroom(evidence: Evidence) -> RuleResult:
    """Hold when the lower bound of the best baseline on the eval set has not reached the target."""
    rate = evidence.baselines.best_rate if evidence.baselines is not None else None
    if evidence.baselines is None or rate is None or rate.n == 0 or evidence.bench is None:
        return later(RULE, "needs the baseline")
    question = evidence.bench.question
    low, high = question.score_range
    best = high if question.direction == "higher" else low
    target = evidence.target if evidence.target is not None else best
    if question.direction == "higher":
        reached, gap = rate.low >= target, rate.low - target
    else:
        reached, gap = rate.high <= target, target - rate.high
    shown = f"{evidence.baselines.best_label} {rate.estimate:.2f} [{rate.low:.2f}, {rate.high:.2f}], n {rate.n}"
    if reached:
        return refused(
            RULE, f"the prompt already reaches the target {target:.2f}: {shown}", "ship the prompt", value=f"{gap:.6f}"
        )
    return ok(RULE, f"{shown}; the target is {target:.2f}")
