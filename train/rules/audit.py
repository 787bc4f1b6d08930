"""audit: the quality report of that very version names no row that must not be trained on."""

from __future__ import annotations

from sluice.core.wording import counted
from sluice.curate.checks import CHECKS
from sluice.curate.checks.base import MISSING
from sluice.train.evidence import Evidence
from sluice.train.policy import ABSENT
from sluice.train.rules.result import RuleResult, absent, later, ok, refused

RULE = "audit"
OPTIONAL = {"schema": MISSING["schema"], "dev-in-train": MISSING["dev"], "leak": MISSING["eval"]}
"""Checks that have nothing to look at where the task has no such thing; the hard rules ask for dev and eval set."""


def audit(evidence: Evidence) -> RuleResult:
    """Hold when no check of severity fail has found anything, and none lacked what it needs.

    Severe are ours, whatever a project says, and those of a project: its own, and warnings that it calls failures.
    """
    report = evidence.report
    if report is None and not evidence.train:
        return later(RULE, f"needs rows in {evidence.dataset}")
    if report is None:
        return absent(RULE, "there is no quality report", f"sluice audit {evidence.dataset}")
    ours = {name for name in CHECKS.names() if CHECKS.get(name).spec.severity == "fail"}
    severe = ours | {c.name for c in report.checks if c.severity == "fail"}
    unasked = sorted(severe - {c.name for c in report.checks})
    failing = [c for c in report.checks if c.fails]
    lacking = [a for a in report.absent if a.name in severe and a.missing != (OPTIONAL.get(a.name),)]
    parts = {c.name: str(c.count) for c in failing} | {a.name: ABSENT for a in lacking}
    if failing and not unasked:
        count = sum(c.count for c in failing)
        names = ",".join(c.name for c in failing)
        return refused(
            RULE,
            "; ".join(f"{c.name}: {c.summary}" for c in failing),
            f"sluice filter {evidence.dataset} --failing {names}",
            value=str(count),
            parts=parts,
            details=tuple(f"{c.name} {(f.row or '-')[:10]} {f.detail}" for c in failing for f in c.rows),
        )
    if unasked or not report.rows:
        what = f"the check {unasked[0]}" if unasked else "any row"
        return absent(RULE, f"the quality report does not hold {what}", f"sluice audit {evidence.dataset}")
    if lacking:
        return absent(
            RULE,
            f"the check {lacking[0].name} lacks its {', '.join(lacking[0].missing)}",
            'mend that, or: sluice waive audit --reason "..."',
            value="0",
            parts=parts,
        )
    warnings = sum(c.status == "found" for c in report.checks if c.severity == "warn")
    return ok(RULE, f"no failing check, {counted(warnings, 'warning')} (sluice audit {evidence.dataset})")
