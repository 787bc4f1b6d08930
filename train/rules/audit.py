"""audit: the quality report of that very version names no row that must not be trained on."""

from __future__ import annotations

from sluice.train.evidence import Evidence
from sluice.train.rules.result import RuleResult, absent, ok, refused

RULE = "audit"
OPTIONAL = {"schema": "schema", "dev-in-train": "dev", "leak": "eval"}
"""Checks that have nothing to look at where the task has no such thing; the hard rules ask for dev and eval set."""


def audit(evidence: Evidence) -> RuleResult:
    """Hold when no check of severity fail has found anything, and none lacked what it needs."""
    report = evidence.report
    if report is None:
        return absent(RULE, "there is no quality report", f"sluice audit {evidence.dataset}")
    failing = [c for c in report.checks if c.fails]
    if failing:
        count = sum(c.count for c in failing)
        names = ",".join(c.name for c in failing)
        return refused(
            RULE,
            "; ".join(f"{c.name}: {c.summary}" for c in failing),
            f"sluice filter {evidence.dataset} --failing {names}",
            value=str(count),
            details=tuple(f"{c.name} {(f.row or '-')[:10]} {f.detail}" for c in failing for f in c.rows),
        )
    severe = {c.name for c in report.checks if c.severity == "fail"}
    lacking = [a for a in report.absent if a.name in severe and OPTIONAL.get(a.name) not in a.missing]
    if lacking:
        return absent(
            RULE,
            f"the check {lacking[0].name} lacks its {', '.join(lacking[0].missing)}",
            'mend that, or: sluice waive audit --reason "..."',
            value="0",
        )
    warnings = sum(c.status == "found" for c in report.checks if c.severity == "warn")
    return ok(
        RULE, f"no failing check, {warnings} warning{'s' if warnings != 1 else ''} (sluice audit {evidence.dataset})"
    )
