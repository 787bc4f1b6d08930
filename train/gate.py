"""The gate: a pure function from evidence and policy to a report of rules.

It decides nothing else and writes nothing. A pass that was written somewhere opens nothing: the recipe's spine calls
this again, on the rows it is about to train on.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import Refused
from sluice.core.wording import counted
from sluice.train.evidence import Evidence
from sluice.train.policy import ADVICE, WAIVABLE, Policy
from sluice.train.rules import ADVICE_RULES, HARD_RULES, WAIVABLE_RULES, RuleResult
from sluice.train.waivers import covers, form_problem


class GateReport(BaseModel):
    """What the gate says, rule by rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    dataset: str
    version: str
    """Hash of the dataset version that is judged; empty where there is none yet."""
    base: str
    form: str
    open: bool
    rules: tuple[RuleResult, ...]
    """All that can refuse: under `[gate] strict` advice stands among them."""
    advice: tuple[RuleResult, ...]
    """All that cannot."""
    loosened: tuple[str, ...]
    """Values looser than ours, which count as waivers and stay on certificate and card."""
    notices: tuple[str, ...] = ()

    @property
    def refused(self) -> list[RuleResult]:
        """The rules that do not hold; those that wait for another one only where nothing else stands in the way."""
        return [r for r in self.rules if r.status == "refused"] or [r for r in self.rules if not r.holds]

    @property
    def sentence(self) -> str:
        """How many of the rules do not hold, as every screen and error says it."""
        closed = len(self.refused)
        return f"{closed} of {len(self.rules)} rules {'does' if closed == 1 else 'do'} not hold"

    def refusal(self) -> Refused:
        """Return the error of a closed gate: which rules do not hold, and the first command that mends one."""
        closed = self.refused
        return Refused(
            f"the gate is closed: {self.sentence} ({', '.join(r.rule for r in closed)})",
            remedy=next((r.fix for r in closed if r.fix), "sluice gate"),
            result=self,
        )

    def rule(self, name: str) -> RuleResult | None:
        """Return the result of one rule."""
        return next((r for r in (*self.rules, *self.advice) if r.rule == name), None)


def evaluate(evidence: Evidence, policy: Policy) -> GateReport:
    """Judge the evidence. Absent evidence refuses like failing evidence; nothing is defaulted."""
    advice = tuple(said for rule in ADVICE_RULES if (said := rule(evidence)) is not None)
    rules = tuple(rule(evidence) for rule in (*HARD_RULES, *WAIVABLE_RULES))
    if policy.strict:
        rules, advice = (*rules, *(_refusing(r) for r in advice)), ()
    rules = tuple(_waived(r, evidence) for r in rules)
    return GateReport(
        task=evidence.task,
        dataset=evidence.dataset,
        version=evidence.train_version,
        base=evidence.base,
        form=evidence.form,
        open=all(r.holds for r in rules),
        rules=rules,
        advice=advice,
        loosened=tuple(f"{name} {value}" for name, value in evidence.loosened.items()),
        notices=_notices(evidence),
    )


def _refusing(advice: RuleResult) -> RuleResult:
    """Return advice as a rule; without a value it is not measured yet, and waits for the rule that it needs."""
    if advice.status != "advice":
        return advice
    if advice.value is None:
        return advice.model_copy(update={"status": "later"})
    waiver = f'sluice waive {advice.rule} --reason "..."'
    fix = waiver if advice.fix is None else f"{advice.fix}, or: {waiver}"
    return advice.model_copy(update={"status": "refused", "fix": fix})


def _waived(result: RuleResult, evidence: Evidence) -> RuleResult:
    """Return a refused rule as waived where a waiver is bound to it and the value found has not got worse."""
    if result.status != "refused" or result.value is None or result.word == "tampered":
        return result
    if result.rule not in (*WAIVABLE, *ADVICE):
        return result
    low, high = (0.0, 0.0) if evidence.bench is None else evidence.bench.question.score_range
    for fact in reversed(evidence.waived):
        if covers(fact, result) and form_problem(fact.body, width=high - low) is None:
            reason = f"{str(fact.body['reason']).strip()} ({fact.account})"
            return result.model_copy(update={"status": "waived", "waiver": reason, "fix": None})
    return result


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
    notices += [f"a waiver counts for nothing: {problem}" for problem in evidence.void_waivers]
    notices += evidence.spent
    return tuple(notices)
