"""gradable: if a person cannot grade the outputs from the written task, it is too early to tune."""

from __future__ import annotations

from sluice.evalsuite.gradable import AGREEMENT_NEEDED, ANSWERS, CONTROLS_NEEDED, OTHER_TARGETS, OWN_TARGETS
from sluice.train.evidence import Evidence
from sluice.train.rules.result import RuleResult, absent, later, ok, refused

RULE = "gradable"
NOT_GRADED = "1"
CONTROLS = OWN_TARGETS + OTHER_TARGETS


def gradable(evidence: Evidence) -> RuleResult:
    """Hold when a person graded 30 dev answers blind, controls rightly, and agrees with the task's grader."""
    if evidence.baselines is None or evidence.baselines.best_label is None:
        return later(RULE, "needs the baseline, whose answers are graded")
    grading = evidence.grading
    if grading is None:
        return absent(
            RULE,
            f"nobody has graded the {ANSWERS + CONTROLS} answers blind, about ten minutes",
            "sluice grade",
            value=NOT_GRADED,
        )
    if (grading.graded, grading.controls) != (ANSWERS, CONTROLS):
        return absent(
            RULE,
            f"{grading.graded + grading.controls} answers are graded, {ANSWERS + CONTROLS} are asked for",
            "sluice grade",
            value=NOT_GRADED,
        )
    by = grading.fact.account
    share = grading.agree / grading.graded
    if grading.controls_right < CONTROLS_NEEDED or share < AGREEMENT_NEEDED:
        need = f"{AGREEMENT_NEEDED:.0%}"
        return refused(
            RULE,
            f"{by} judged {grading.controls_right} of {grading.controls} controls rightly ({CONTROLS_NEEDED} needed) "
            f"and agrees with the grader on {grading.agree} of {grading.graded} answers ({need} needed)",
            "write the task and rubric so that a person can tell right from wrong, then: sluice grade",
            value=f"{1 + max(AGREEMENT_NEEDED - share, 0) + max(CONTROLS_NEEDED - grading.controls_right, 0):.3f}",
        )
    return ok(
        RULE,
        f"{grading.controls + grading.graded} answers graded by {by}, agrees on {grading.agree} of {grading.graded}",
    )
