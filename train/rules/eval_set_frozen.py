"""eval-set-frozen: what is measured must not move, and must be more than twenty ways of saying one thing."""

from __future__ import annotations

from sluice.core.wording import counted
from sluice.train.evidence import Evidence
from sluice.train.policy import FEWEST_CLUSTERS
from sluice.train.rules.result import RuleResult, absent, ok, refused

RULE = "eval-set-frozen"
_LEDGER_FIX = {"tampered": "sluice verify, then git checkout ledger", "foreign": "set [project] id back"}


def eval_set_frozen(evidence: Evidence) -> RuleResult:
    """Hold when a frozen eval set equals its freeze entry and has 20 rows unlike each other, each gradable."""
    if evidence.ledger_problems:
        first = sorted(evidence.ledger_problems, key=lambda problem: not problem.startswith("tampered"))[0]
        word = first.split(":")[0]
        return refused(
            RULE,
            first,
            _LEDGER_FIX.get(word, "copy ledger/ from where it was written"),
            word=word if word in ("absent", "tampered") else "",
            details=evidence.ledger_problems,
        )
    if evidence.set_problem is not None:
        word = evidence.set_problem.split(":")[0]
        return refused(
            RULE,
            evidence.set_problem,
            evidence.set_remedy,
            word=word if word in ("absent", "tampered") else "",
        )
    state = evidence.set_state
    if state is None or state.frozen is None or state.word != "intact" or not state.frozen.rows:
        return absent(RULE, "no eval set is frozen", "sluice freeze")
    if evidence.clusters is None or evidence.lacking is None:
        return absent(RULE, "the eval set was not looked at", "sluice verify")
    if evidence.lacking:
        return refused(
            RULE,
            f"{counted(len(evidence.lacking), 'eval row lacks', 'eval rows lack')} the target that the grader needs",
            'freeze a set whose rows have targets: sluice freeze PART --as NAME --reason "..."',
            details=evidence.lacking,
        )
    n = len(state.frozen.rows)
    if len(evidence.clusters) < FEWEST_CLUSTERS:
        alike = [c for c in evidence.clusters if len(c) > 1]
        return refused(
            RULE,
            f"{state.name}: {n} rows, only {len(evidence.clusters)} unlike each other ({FEWEST_CLUSTERS} needed)",
            'collect rows that differ, then: sluice split, sluice freeze --as NAME --reason "..."',
            details=tuple(" = ".join(row[:10] for row in c) for c in alike),
        )
    return ok(RULE, f"{state.name}: {n} rows, {len(evidence.clusters)} unlike each other ({FEWEST_CLUSTERS} needed)")
