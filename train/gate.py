"""The gate: a pure function from evidence and policy to a report of rules.

It decides nothing else and writes nothing. A pass that was written somewhere opens nothing: the recipe's spine calls
this again, on the rows it is about to train on.
"""

from __future__ import annotations

import math
from typing import Any, cast

from pydantic import BaseModel, ConfigDict

from sluice.core.ledger import Fact
from sluice.core.wording import counted
from sluice.evalsuite.openings import all_spent, openings
from sluice.train.evidence import Evidence
from sluice.train.policy import WAIVABLE, Policy
from sluice.train.rules import ADVICE_RULES, HARD_RULES, WAIVABLE_RULES, RuleResult
from sluice.train.rules.result import ABSENT


class GateReport(BaseModel):
    """What the gate says, rule by rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    dataset: str
    base: str
    form: str
    open: bool
    rules: tuple[RuleResult, ...]
    advice: tuple[RuleResult, ...]
    loosened: tuple[str, ...]
    """Values looser than ours, which count as waivers and stay on certificate and card."""
    notices: tuple[str, ...] = ()

    @property
    def refused(self) -> list[RuleResult]:
        """The rules that stand in the way."""
        return [r for r in (*self.rules, *self.advice) if not r.holds]

    def rule(self, name: str) -> RuleResult | None:
        """Return the result of one rule."""
        return next((r for r in (*self.rules, *self.advice) if r.rule == name), None)


def evaluate(evidence: Evidence, policy: Policy) -> GateReport:
    """Judge the evidence. Absent evidence refuses like failing evidence; nothing is defaulted."""
    hard = [rule(evidence) for rule in HARD_RULES]
    waivable = [_waived(rule(evidence), evidence.waived) for rule in WAIVABLE_RULES]
    advice = [rule(evidence) for rule in ADVICE_RULES]
    if policy.strict:
        advice = [r.model_copy(update={"status": "refused"}) if r.status == "advice" else r for r in advice]
    rules = (*hard, *waivable)
    return GateReport(
        task=evidence.task,
        dataset=evidence.dataset,
        base=evidence.base,
        form=evidence.form,
        open=all(r.holds for r in (*rules, *advice)),
        rules=rules,
        advice=tuple(advice),
        loosened=tuple(f"{name} {value}" for name, value in evidence.loosened.items()),
        notices=_notices(evidence),
    )


def _waived(result: RuleResult, waivers: tuple[Fact, ...]) -> RuleResult:
    """Return a refused rule as waived where a waiver is bound to it and the value found has not got worse."""
    if result.status != "refused" or result.rule not in WAIVABLE or result.value is None or result.word == "tampered":
        return result
    for fact in reversed(waivers):
        bound, reason = _bound(fact), str(fact.body.get("reason") or "").strip()
        holds = bound is not None and float(result.value) <= bound and _covers(fact, result.parts)
        if fact.body.get("rule") == result.rule and reason and holds:
            return result.model_copy(update={"status": "waived", "waiver": f"{reason} ({fact.account})", "fix": None})
    return result


def _bound(fact: Fact) -> float | None:
    """Return the value that a waiver is bound to; None where it has none: such a waiver waives nothing."""
    try:
        value = float(str(fact.body.get("value")))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _covers(fact: Fact, parts: dict[str, str]) -> bool:
    """Return whether every part of what is found was waived, and none has grown since."""
    found = fact.body.get("parts")
    if not parts:
        return True
    if not isinstance(found, dict):
        return False
    waived = cast("dict[str, Any]", found)
    for name, count in parts.items():
        then = str(waived.get(name, ""))
        if count == ABSENT or then == ABSENT:
            if then != count:
                return False
        elif not then.isdecimal() or int(count) > int(then):
            return False
    return True


def _notices(evidence: Evidence) -> tuple[str, ...]:
    facts = evidence.facts
    notices: list[str] = []
    if facts.uncommitted is None:
        notices.append("this project is not in git: nothing outside it anchors the ledger")
    elif facts.uncommitted:
        waiting = counted(len(facts.uncommitted), "fact is", "facts are")
        notices.append(f"{waiting} not committed yet (git add ledger evals decisions)")
    if facts.written_back:
        notices.append(
            f"{counted(len(facts.written_back), 'fact was', 'facts were')} missing from ledger/: written back"
        )
    if evidence.bench is not None:
        b = evidence.bench
        count = openings(b.project, facts, b.frozen, b.question)
        if count.used >= count.allowed:
            spent = all_spent(count, b.frozen)
            notices.append(f"{spent.message}: no verdict on what is trained now is possible. {spent.remedy}")
    return tuple(notices)
