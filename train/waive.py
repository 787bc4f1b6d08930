"""Waive one rule, with a reason: bound to rule, task, dataset and the value found, and lapsing when that gets worse."""

from __future__ import annotations

from sluice.core.errors import Refused, UsageError
from sluice.core.ledger import Fact, Ledger
from sluice.core.project import Project
from sluice.core.reasons import check_reason
from sluice.train.gate import GateReport
from sluice.train.policy import ADVICE, HARD, WAIVABLE


def check_waiver(rule: str, reason: str) -> None:
    """Raise for what can be told without the gate: a rule that cannot be waived, a reason that is none."""
    if rule in HARD:
        raise UsageError(
            f"'{rule}' cannot be waived; nothing opens it but what it asks for", remedy=f"can be: {', '.join(WAIVABLE)}"
        )
    if rule not in (*WAIVABLE, *ADVICE):
        raise UsageError(f"no rule '{rule}' can be waived", remedy=f"can be: {', '.join(WAIVABLE)}")
    check_reason(reason, what="a waiver", remedy=f'sluice waive {rule} --reason "what was done in its place, and when"')


def waive(project: Project, report: GateReport, rule: str, reason: str, *, by: str) -> Fact:
    """Write the fact `waived` for a rule that refuses now; the very same one is written once.

    Args:
        report: the gate's report of this moment; its value is what the waiver is bound to.
        by: who waives.

    Raises:
        UsageError: a rule that cannot be waived, or none of that name.
        Refused: the rule does not refuse now, or its evidence was tampered with.
        InputError: no reason worth the name.
    """
    check_waiver(rule, reason)
    result = report.rule(rule)
    if result is None or result.status == "later":
        raise Refused(f"'{rule}' cannot be judged yet", remedy="sluice gate")
    if result.word == "tampered" or result.status not in ("refused", "waived") or result.value is None:
        never = "; it would only under [gate] strict = true" if result.status == "advice" else ""
        raise Refused(
            f"'{rule}' does not refuse now ({result.status}): there is nothing to waive{never}", remedy="sluice gate"
        )
    body = {
        "rule": rule,
        "task": report.task,
        "dataset": report.dataset,
        "version": report.version,
        "value": result.value,
        "parts": result.parts,
        "found": result.found if "/" not in result.found else result.found[:300],
        "reason": reason.strip(),
    }
    ledger = Ledger(project)
    said = [f for f in ledger.read().of("waived", rule=rule, dataset=report.dataset) if f.account == by]
    if result.status == "waived" and said and {**said[-1].body, "found": None} == {**body, "found": None}:
        return said[-1]  # typed twice
    return ledger.write("waived", body, by=by)
