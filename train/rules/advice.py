"""Advice: printed and stored, refusing only where `[gate] strict` asks for it.

Rules that refuse without a fault teach people to waive; these only say what is usual or was not measured. Each carries
the value that a waiver is bound to under strict, and what would satisfy it, where that can be said.
"""

from __future__ import annotations

from collections.abc import Callable

from sluice.core.wording import counted
from sluice.evalsuite.question import deciding_rule
from sluice.evalsuite.stats.power import USUAL_SPREAD, usual_gain
from sluice.train.evidence import Evidence
from sluice.train.policy import AGREEMENT, FEWEST_DEV, TRAIN_ROWS
from sluice.train.rules.pairs import pair_balance
from sluice.train.rules.result import RuleResult, ok

UNMEASURED = "1"
"""The value of what was not measured: it cannot get worse."""
USUAL = {
    "binary": f"where {USUAL_SPREAD['binary']:g} of the rows change",
    "graded": f"at a spread of {USUAL_SPREAD['graded']:g}",
}
LADDER = {"retrieval": "look things up (retrieval)", "tools": "use tools"}


def _advice(
    rule: str, found: str, *, value: str | None = None, fix: str | None = None, details: tuple[str, ...] = ()
) -> RuleResult:
    return RuleResult(rule=rule, status="advice", found=found, value=value, fix=fix, details=details)


def train_size(evidence: Evidence) -> RuleResult:
    """Say where the number of training rows is unusual."""
    n, (low, high) = len(evidence.train), TRAIN_ROWS
    if low <= n <= high:
        return ok("train-size", counted(n, "training row"))
    return _advice(
        "train-size",
        f"{counted(n, 'training row')}; most narrow tasks are learnt from {low:,} to {high:,}",
        value=str(max(low - n, n - high)),
        fix=f"sluice add {evidence.data} FILES" if n < low else None,
    )


def dev_size(evidence: Evidence) -> RuleResult:
    """Say where dev is so small that choices among prompts are noise."""
    if evidence.bench is None:
        return _advice("dev-size", "not measured: needs the eval set")
    n = len(evidence.bench.dev)
    if n >= FEWEST_DEV:
        return ok("dev-size", counted(n, "dev row"))
    return _advice(
        "dev-size",
        f"{counted(n, 'dev row')}: under {FEWEST_DEV} it is chance which prompt or adapter looks best; one row is "
        f"{1 / max(n, 1):.2f} of a rate",
        value=str(FEWEST_DEV - n),
        fix=f"sluice add {evidence.data} FILES, then: sluice split {evidence.data}",
    )


def resolvable(evidence: Evidence) -> RuleResult:
    """Say where the eval set is too small for the gain that is still possible, under the rule that decides over it."""
    rate = evidence.baselines.best_rate if evidence.baselines is not None else None
    if evidence.bench is None or rate is None:
        return _advice("resolvable", "not measured: needs the baseline")
    question = evidence.bench.question
    low, high = question.score_range
    higher = question.direction == "higher"
    target = evidence.target if evidence.target is not None else (high if higher else low)
    kind, n = deciding_rule(question, evidence.bench.frozen.manifest)
    left = (target - rate.estimate if higher else rate.estimate - target) / (high - low)
    gain = usual_gain(kind, n, alpha=float(question.alpha), openings=question.openings)
    units = counted(n, "group") if any(evidence.bench.frozen.manifest.groups) else counted(n, "eval row")
    shown = f"{'no gain' if gain is None else f'a gain of {gain:.3f}'} {USUAL[kind]}"
    if gain is not None and gain <= left:
        return ok("resolvable", f"{units} can show {shown}; {left:.3f} is left to gain")
    return _advice(
        "resolvable",
        f"{units} can show {shown}; {max(left, 0.0):.3f} is left from {rate.estimate:.2f} to {target:.2f}: "
        "the verdict may be 'cannot tell'",
        value=f"{(1.0 if gain is None else gain) - left:.6f}",
    )


def ladder(evidence: Evidence) -> RuleResult:
    """Say that retrieval and tools were not tried first, unless the task is said to need neither."""
    if evidence.needs == ():
        return ok("ladder", "an answer takes neither retrieval nor tools ([task] needs)")
    steps = " or ".join(LADDER[need] for need in (evidence.needs or LADDER))
    return _advice(
        "ladder",
        f"not measured: how far the base gets when it may {steps}, untrained",
        value=UNMEASURED,
        fix=None if evidence.needs else "where an answer takes neither, write needs = [] below [task] in sluice.toml",
    )


def label_agreement(evidence: Evidence) -> RuleResult:
    """Hold where two people label these rows alike: the interval of each question that was measured is high enough."""
    fix = f"sluice label {evidence.data} --overlap 2, by two people"
    if not evidence.labels:
        asked = "whether two people would give these rows the same answers"
        return _advice("label-agreement", f"not measured: {asked}", value=UNMEASURED, fix=fix)
    measured = [one for one in evidence.labels if one.measure.low is not None]
    if not measured:
        first = max(evidence.labels, key=lambda one: one.judged)
        why = "one annotator" if first.people == 1 else first.measure.absent
        return _advice("label-agreement", f"not measured ({why})", value=UNMEASURED, fix=fix)
    least = min(measured, key=lambda one: one.measure.low or 0.0)
    low = least.measure.low or 0.0
    shown = f"{least.question}: {least.measure.sentence}, {counted(least.people, 'annotator')}"
    details = tuple(f"{one.question}: {one.measure.sentence}" for one in evidence.labels if one is not least)
    if low >= AGREEMENT:
        return ok("label-agreement", shown)
    return _advice(
        "label-agreement",
        f"{shown}; the lower bound is under {AGREEMENT:g}: people do not agree on what is right",
        value=f"{min(AGREEMENT - low, 1.0):.6f}",
        fix=f"write task and rubric so that they do: sluice labels {evidence.data} shows what is confused",
        details=details,
    )


ADVICE_RULES: tuple[Callable[[Evidence], RuleResult | None], ...] = (
    train_size,
    dev_size,
    resolvable,
    ladder,
    label_agreement,
    pair_balance,
)
"""Each says None where it has nothing to look at: `pair-balance` of rows that are no pairs."""
