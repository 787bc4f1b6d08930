"""prompt-baseline: nobody may tune before knowing how far a strong prompt gets, with this very model in this form."""

from __future__ import annotations

from sluice.train.evidence import Evidence
from sluice.train.rules.result import RuleResult, absent, later, ok, refused

RULE = "prompt-baseline"
FIX = "sluice baseline"


def prompt_baseline(evidence: Evidence) -> RuleResult:
    """Hold when every prompt is measured on dev, and the best and the few-shot one on the eval set."""
    if evidence.set_problem is not None or evidence.set_state is None:
        return later(RULE, "needs the eval set")
    model = f"{evidence.base} ({evidence.form})"
    b = evidence.baselines
    if b is None:
        return absent(
            RULE, evidence.baseline_problem or f"nothing of {model} is measured", evidence.baseline_remedy or FIX
        )
    tampered = [r for r in b.recorded if r.word == "tampered"]
    if tampered:
        return refused(
            RULE,
            f"tampered: {tampered[0].label} on {tampered[0].place}: {tampered[0].reason}",
            "sluice verify; then delete that run's folder and: sluice baseline",
            word="tampered",
            details=tuple(f"{r.label} on {r.place}: {r.reason}" for r in tampered),
        )
    lacking = [r for r in b.recorded if r.word != "intact" or r.scores is None]
    on_dev = sum(r.place == "dev" for r in b.recorded)
    if lacking or b.best_label is None or not on_dev or on_dev == len(b.recorded) or b.best_rate is None:
        what = ", ".join(dict.fromkeys(f"{r.label} on {r.place}" for r in lacking)) or "a prompt on dev and eval set"
        aside = (
            f" Your {', '.join(b.other_models[:3])} is of another model or form: "
            "it does not show that this one needs tuning."
            if b.other_models
            else ""
        )
        return absent(
            RULE,
            f"{what} not measured for {model}.{aside}",
            FIX,
            details=tuple(f"{r.label} on {r.place}: {r.word}, {r.reason}" for r in lacking),
        )
    if evidence.prompt is not None and evidence.prompt.sha256 not in b.prompts:
        return absent(RULE, f"the train prompt {evidence.prompt.name} is not measured on dev for {model}", FIX)
    if b.rerun is not None:
        return refused(
            RULE,
            f"over 5% of the answers of {b.best_label} on dev are cut; it must be run with {b.rerun} new tokens",
            FIX,
        )
    failed = [r for r in b.recorded if r.scores is not None and r.scores.errors]
    if failed:
        return refused(
            RULE,
            f"{failed[0].label} on {failed[0].place} has rows in error: every row must be answered and graded",
            FIX,
        )
    endless = f"; {b.best_label} does not stop" if b.does_not_stop else ""
    rate = b.best_rate
    score = f"; best on the eval set {rate.estimate:.2f} [{rate.low:.2f}, {rate.high:.2f}], n {rate.n}"
    return ok(RULE, f"{on_dev} prompts of {model} on dev, {b.best_label} chosen{score}{endless}")
