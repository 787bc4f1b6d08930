"""The gate over its rules: open only when all hold, waivers bound to what was found, advice only under strict."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from sluice.core.errors import InputError, Refused, UsageError
from sluice.core.ledger import Fact
from sluice.core.project import Project
from sluice.train.baseline_evidence import Recorded
from sluice.train.evidence import Evidence
from sluice.train.gate import evaluate
from sluice.train.policy import ADVICE, HARD, RULES, WAIVABLE, Policy
from sluice.train.rules import HARD_RULES
from sluice.train.waive import waive

LAX, STRICT = Policy(), Policy(strict=True)


def waiver(rule: str, value: object = "1", reason: object = "graded on paper", **more: object) -> Fact:
    body = {"rule": rule, "task": "tickets", "dataset": "tickets/train", "value": value, "reason": reason, **more}
    return Fact(hash="a" * 64, project="p", kind="waived", body=body, parents=(), time="", account="ana", tool="t")


def failing(evidence: Evidence, fact: Fact, **counts: int) -> Evidence:
    """Return the evidence with failing checks in its quality report, and a waiver."""
    checks = tuple(
        c.model_copy(update={"status": "found", "count": counts[c.name]}) if c.name in counts else c
        for c in evidence.report.checks
    )
    return replace(evidence, report=evidence.report.model_copy(update={"checks": checks}), waived=(fact,))


def ungraded(evidence: Evidence) -> Evidence:
    return replace(evidence, grading=None)


def resolvable(evidence: Evidence) -> Evidence:
    """Return the evidence with an eval set that says of itself that it has 200 rows."""
    frozen = evidence.bench.frozen
    many = frozen.manifest.model_copy(update={"groups": ((),) * 200})
    return replace(evidence, bench=replace(evidence.bench, frozen=frozen.model_copy(update={"manifest": many})))


def test_the_gate_is_open_when_all_rules_hold(good):
    report = evaluate(good, LAX)
    assert report.open
    assert report.refused == []
    assert [r.rule for r in report.rules[:4]] == list(HARD)


def test_one_rule_that_does_not_hold_closes_it(good):
    report = evaluate(ungraded(good), LAX)
    assert not report.open
    assert [r.rule for r in report.refused] == ["gradable"]


def test_a_rule_that_cannot_be_judged_yet_closes_it(good):
    report = evaluate(replace(good, leaks=None), LAX)
    assert not report.open
    assert report.rule("no-leakage").status == "later"


def test_a_waiver_opens_its_rule_alone_and_its_reason_is_shown(good):
    report = evaluate(replace(ungraded(good), waived=(waiver("gradable"),)), LAX)
    assert report.open
    assert report.rule("gradable").status == "waived"
    assert report.rule("gradable").waiver == "graded on paper (ana)"
    assert not evaluate(replace(ungraded(good), waived=(waiver("audit"),)), LAX).open


@pytest.mark.parametrize("rule", HARD)
def test_no_waiver_opens_a_hard_rule(rule, good):
    broken = {
        "eval-set-frozen": replace(good, set_problem="absent: no eval set is frozen"),
        "prompt-baseline": replace(good, baselines=None),
        "no-leakage": replace(good, leaks=None),
        "rows-trainable": replace(good, train=()),
    }[rule]
    report = evaluate(replace(broken, waived=tuple(waiver(r, "999999") for r in HARD)), LAX)
    assert not report.open
    assert report.rule(rule).status in ("refused", "later")


def test_a_waiver_lapses_when_what_was_found_gets_worse(good):
    fact = waiver("audit", "3", parts={"conflict": "3"})
    assert evaluate(failing(good, fact, conflict=3), LAX).open
    assert evaluate(failing(good, fact, conflict=2), LAX).open
    assert not evaluate(failing(good, fact, conflict=4), LAX).open


def test_a_waiver_of_one_check_covers_no_other(good):
    """As many rows, of another kind: what was waived is not what is found."""
    fact = waiver("audit", "5", parts={"conflict": "3", "empty": "2"})
    assert evaluate(failing(good, fact, conflict=3, empty=2), LAX).open
    assert evaluate(failing(good, fact, empty=1), LAX).open
    assert not evaluate(failing(good, fact, conflict=1, empty=3), LAX).open
    assert not evaluate(failing(good, fact, overlong=1), LAX).open
    assert not evaluate(failing(good, waiver("audit", "5"), conflict=1), LAX).open


def test_a_check_that_could_not_be_made_is_waived_as_just_that(good):
    checks = tuple(
        c.model_copy(update={"status": "absent", "missing": ("no tokenizer",)}) if c.name == "overlong" else c
        for c in good.report.checks
    )
    overlong = good.report.absent[0].model_copy(update={"name": "overlong", "missing": ("no tokenizer",)})
    report = good.report.model_copy(update={"checks": checks, "absent": (*good.report.absent, overlong)})
    unmade = replace(good, report=report)
    fact = waiver("audit", "0", parts={"overlong": "absent"})
    assert evaluate(replace(unmade, waived=(fact,)), LAX).open
    assert not evaluate(replace(unmade, waived=(waiver("audit", "9", parts={"overlong": "9"}),)), LAX).open
    assert not evaluate(failing(good, fact, overlong=1), LAX).open


@pytest.mark.parametrize("value", ["inf", "Infinity", "nan", None, "", "all", [1]])
def test_a_waiver_without_a_finite_value_waives_nothing(value, good):
    assert not evaluate(replace(ungraded(good), waived=(waiver("gradable", value),)), LAX).open


@pytest.mark.parametrize("reason", ["", "  ", None])
def test_a_waiver_without_a_reason_waives_nothing(reason, good):
    assert not evaluate(replace(ungraded(good), waived=(waiver("gradable", reason=reason),)), LAX).open


def test_what_was_tampered_with_cannot_be_waived(good):
    spoilt = tuple(replace(r, word="tampered") for r in good.baselines.recorded)
    evidence = replace(good, baselines=replace(good.baselines, recorded=spoilt), waived=(waiver("prompt-baseline"),))
    assert not evaluate(evidence, LAX).open


def test_advice_refuses_only_under_strict_and_is_a_rule_there(good):
    lax = evaluate(good, LAX)
    assert (lax.open, len(lax.rules)) == (True, len((*HARD, *WAIVABLE)))
    assert "train-size" in {r.rule for r in lax.advice if r.status == "advice"}
    strict = evaluate(good, STRICT)
    assert not strict.open
    assert [r.rule for r in strict.rules] == [rule for rule in RULES if rule != "pair-balance"]  # these are no pairs
    assert not strict.advice
    closed = [r for r in strict.rules if r.status == "refused"]
    assert {r.rule for r in closed} <= set(ADVICE)
    for rule in closed:
        assert f"sluice waive {rule.rule}" in (rule.fix or "")
    error = strict.refusal()
    assert f"{len(closed)} of {len(strict.rules)} rules do not hold" in error.message
    assert error.remedy == closed[0].fix


def test_strict_can_be_satisfied(good):
    """By enough rows, by what is said of the task, and where nothing can be measured by a written reason."""
    evidence = replace(resolvable(good), train=good.train * 30, rendered=good.rendered * 30, needs=())
    report = evaluate(evidence, STRICT)
    assert [r.rule for r in report.refused] == ["label-agreement"]
    fact = waiver("label-agreement", report.rule("label-agreement").value)
    opened = evaluate(replace(evidence, waived=(fact,)), STRICT)
    assert opened.open
    assert opened.rule("label-agreement").status == "waived"
    assert not evaluate(replace(evidence, needs=None, waived=(fact,)), STRICT).open
    assert not evaluate(replace(evidence, needs=("tools",), waived=(fact,)), STRICT).open


def test_a_waiver_of_advice_lapses_when_it_gets_worse(good):
    waived = replace(resolvable(good), needs=(), waived=(waiver("label-agreement"), waiver("train-size", "960")))
    assert evaluate(waived, STRICT).open
    assert not evaluate(replace(waived, train=good.train[:39], rendered=good.rendered[:39]), STRICT).open


def test_what_waits_for_another_rule_is_counted_only_where_nothing_else_is_in_the_way(good):
    strict = evaluate(replace(good, baselines=None), STRICT)
    assert strict.rule("resolvable").status == "later"
    assert "resolvable" not in {r.rule for r in strict.refused}
    assert [r.rule for r in evaluate(replace(good, leaks=None), LAX).refused] == ["no-leakage"]
    assert evaluate(replace(good, leaks=None), LAX).sentence == "1 of 7 rules does not hold"


def test_advice_is_waived_only_where_it_refuses(good, project):
    with pytest.raises(Refused, match="strict"):
        waive(project, evaluate(good, LAX), "label-agreement", "two of us labelled 50 rows", by="ana")
    fact = waive(project, evaluate(good, STRICT), "label-agreement", "two of us labelled 50 rows", by="ana")
    assert evaluate(replace(good, waived=(fact,)), STRICT).rule("label-agreement").status == "waived"


def test_a_looser_value_is_on_the_report(good):
    report = evaluate(replace(good, loosened={"alpha": "0.200000"}), LAX)
    assert report.open
    assert report.loosened == ("alpha 0.200000",)


def test_the_hard_rules_are_no_registry(good):
    with pytest.raises((AttributeError, TypeError)):
        HARD_RULES.append(None)  # type: ignore[attr-defined]
    assert isinstance(HARD_RULES, tuple)


def test_notices_say_what_git_does_not_hold(good):
    facts = good.facts.model_copy(update={"uncommitted": None})
    assert "not in git" in evaluate(replace(good, facts=facts), LAX).notices[0]
    facts = good.facts.model_copy(update={"uncommitted": ("a", "b"), "written_back": ("a",)})
    assert len(evaluate(replace(good, facts=facts), LAX).notices) == 2


def test_a_problem_of_the_ledger_closes_it(good):
    assert not evaluate(replace(good, ledger_problems=("tampered: ledger/x.json: y",)), LAX).open


@pytest.fixture
def project(tmp_path) -> Project:
    (tmp_path / "sluice.toml").write_text(
        '[task]\nname="tickets"\ndata="tickets"\ndescription="x"\n[model]\nbase="m"\n[project]\nid="p"\n'
    )
    return Project(tmp_path)


def test_waive_binds_to_what_was_found(good, project):
    report = evaluate(ungraded(good), LAX)
    fact = waive(project, report, "gradable", "graded on paper, 2 March", by="ana")
    assert fact.body["value"] == report.rule("gradable").value
    assert fact.account == "ana"
    assert evaluate(replace(ungraded(good), waived=(fact,)), LAX).open


@pytest.mark.parametrize(
    ("rule", "reason", "error"),
    [
        ("prompt-baseline", "I know that it would be bad", UsageError),
        ("no-such-rule", "I know that it would be bad", UsageError),
        ("gradable", "ok", InputError),
        ("gradable", "          ", InputError),
        ("audit", "there is nothing to waive here", Refused),
    ],
)
def test_waive_refuses(rule, reason, error, good, project):
    with pytest.raises(error):
        waive(project, evaluate(ungraded(good), LAX), rule, reason, by="ana")
    assert not project.ledger.exists()


def test_the_gate_stands_without_assert():
    """The rules hold under python -O: no statement of theirs is an assert."""
    import ast
    import inspect

    for name, module in sorted(sys.modules.items()):
        if name.startswith(("sluice.train", "sluice.evalsuite", "sluice.core")) and getattr(module, "__file__", None):
            tree = ast.parse(inspect.getsource(module))
            assert not [n for n in ast.walk(tree) if isinstance(n, ast.Assert)], name


def test_recorded_evidence_cannot_be_changed_in_place(good):
    with pytest.raises(AttributeError):
        good.baselines.recorded[0].word = "intact"
    with pytest.raises(AttributeError):
        good.leaks = ()
    assert isinstance(good.baselines.recorded[0], Recorded)
