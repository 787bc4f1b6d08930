"""audit: the quality report of that very version names no row that must not be trained on."""

from __future__ import annotations

from sluice.curate.checks import CHECKS
from sluice.curate.checks.base import MISSING
from sluice.train.evidence import Evidence
from sluice.train.rules.result import RuleResult, absent, ok, refused

RULE = "audit"
OPTIONAL = {"schema": MISSING["schema"], "dev-in-train": MISSING["dev"], "leak": MISSING["eval"]}
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
    severe = {name for name in CHECKS.names() if CHECKS.get(name).spec.severity == "fail"}
    unasked = sorted(severe - {c.name for c in report.checks})
    if unasked or not report.rows:
        what = f"the check {unasked[0]}" if unasked else "any row"
        return absent(RULE, f"the quality report does not hold {what}", f"sluice audit {evidence.dataset}")
    lacking = [a for a in report.absent if a.name in severe and a.missing != (OPTIONAL.get(a.name),)]
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
