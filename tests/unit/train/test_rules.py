"""Each rule of the gate on evidence made by hand: when it holds, when it refuses, what it says of missing pieces."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest

from sluice.core.prompt import Block
from sluice.curate.leaks.find import Leak
from sluice.evalsuite.stats.rates import wilson
from sluice.train.baseline_evidence import BaselineEvidence, Recorded
from sluice.train.evidence import Evidence, GradingEvidence
from sluice.train.policy import HARD, WAIVABLE
from sluice.train.render import EXPLANATIONS, Rendered
from sluice.train.rules import HARD_RULES, WAIVABLE_RULES
from sluice.train.rules.audit import audit
from sluice.train.rules.eval_set_frozen import eval_set_frozen
from sluice.train.rules.gradable import gradable
from sluice.train.rules.headroom import headroom
from sluice.train.rules.no_leakage import no_leakage
from sluice.train.rules.prompt_baseline import prompt_baseline
from sluice.train.rules.rows_trainable import rows_trainable

ALL = (*HARD_RULES, *WAIVABLE_RULES)

NOTHING_IS_WELL = {
    "set_problem": "None says that nothing is wrong with the set",
    "set_remedy": "goes with set_problem",
    "train_remedy": "shown where train is empty",
    "baseline_problem": "None says that nothing is wrong with the baselines",
    "baseline_remedy": "goes with baseline_problem",
    "render_problem": "None says that every row rendered",
    "ledger_problems": "none were found",
    "spent": "told beside the rules, and no piece of any: openings are left",
    "leaks": "() says: looked at, none found",
    "text_leaks": "() says: looked at, none found",
    "lacking": "() says: looked at, none lacks anything",
    "waived": "nothing is waived",
    "pairs": "advice of preference rows alone: None says that the training rows are none",
    "void_waivers": "no waiver is left out; shown only",
    "loosened": "nothing is looser",
    "labels": "only advice reads it: nobody labelled these rows",
    "needs": "only advice reads it: nobody has said, or neither",
    "target": "the best score of the range is then the target",
}
"""Fields whose None or emptiness is a finding, not a gap; `leaks`, `text_leaks` and `lacking` only when empty."""
NAMES = ("method", "task", "dataset", "data", "train_version", "base", "base_sha256", "form", "facts", "max_tokens")
NAMES = (*NAMES, "limit_of")
"""Names that evidence is shown under; the spine takes them from what it read itself."""


def baselines(evidence: Evidence, **changes: object) -> Evidence:
    assert evidence.baselines is not None
    return replace(evidence, baselines=replace(evidence.baselines, **changes))


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.__name__)
def test_each_rule_holds_on_good_evidence_and_has_a_fixed_name(rule, good):
    assert rule(good).status == "ok", rule(good).found
    assert rule(good).rule in (*HARD, *WAIVABLE)
    assert rule(good).fix is None


def test_the_rules_are_the_seven_that_the_policy_names(good):
    assert tuple(r(good).rule for r in HARD_RULES) == HARD
    assert tuple(r(good).rule for r in WAIVABLE_RULES) == WAIVABLE


def gaps(good: Evidence):
    """Yield (field, value) for each way in which a piece of evidence can be missing."""
    for field in dataclasses.fields(Evidence):
        if field.name in NAMES:
            continue
        value = getattr(good, field.name)
        if field.name not in NOTHING_IS_WELL or field.name in ("leaks", "text_leaks", "lacking"):
            yield field.name, None
        if isinstance(value, tuple) and field.name not in NOTHING_IS_WELL:
            yield field.name, ()


def test_no_rule_takes_a_missing_piece_for_a_pass(good):
    tried = 0
    for name, value in gaps(good):
        evidence = replace(good, **{name: value})
        results = [rule(evidence) for rule in ALL]
        assert any(not r.holds for r in results), f"{name} = {value} and everything holds"
        assert all(r.status in ("refused", "later") for r in results if not r.holds)
        tried += 1
    assert tried >= 12


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(BaselineEvidence)])
def test_no_rule_takes_a_missing_piece_of_the_baselines_for_a_pass(name, good):
    fine = {"rerun", "does_not_stop", "other_models", "max_new_tokens", "best_spec"}
    value = () if isinstance(getattr(good.baselines, name), tuple) else None
    results = [rule(baselines(good, **{name: value})) for rule in ALL]
    assert all(r.holds for r in results) == (name in fine)


@pytest.mark.parametrize("name", ["controls", "controls_right", "graded", "agree"])
def test_a_grading_without_a_count_is_none(name, good):
    evidence = replace(good, grading=replace(good.grading, **{name: 0}))
    assert gradable(evidence).status == "refused"


@pytest.mark.parametrize("name", ["checks", "rows"])
def test_a_quality_report_without_content_is_none(name, good):
    report = good.report.model_copy(update={name: () if name == "checks" else 0})
    assert audit(replace(good, report=report)).word == "absent"


def test_a_quality_report_that_leaves_a_check_out_is_none(good):
    report = good.report.model_copy(update={"checks": tuple(c for c in good.report.checks if c.name != "conflict")})
    found = audit(replace(good, report=report))
    assert (found.status, found.word) == ("refused", "absent")
    assert "conflict" in found.found


# eval-set-frozen


def test_nineteen_rows_unlike_each_other_are_too_few_and_those_alike_are_listed(good):
    rows = [c[0] for c in good.clusters]
    alike = ((rows[0], *rows[19:]), *((r,) for r in rows[1:19]))
    found = eval_set_frozen(replace(good, clusters=alike))
    assert found.status == "refused"
    assert len(found.details) == 1
    assert all(row[:10] in found.details[0] for row in rows[19:])
    assert eval_set_frozen(replace(good, clusters=(*alike, ("x",)))).status == "ok"


def test_twenty_ways_of_saying_one_thing_are_one_row(good):
    found = eval_set_frozen(replace(good, clusters=(tuple(c[0] for c in good.clusters),)))
    assert "only 1 unlike" in found.found


@pytest.mark.parametrize("word", ["absent", "tampered"])
def test_a_set_that_is_not_whole_is_refused_by_its_word(word, good):
    problem = f"{word}: evals/tickets-12345678"
    found = eval_set_frozen(replace(good, set_problem=problem, set_remedy="git checkout evals"))
    assert (found.status, found.word, found.fix) == ("refused", word, "git checkout evals")
    state = good.set_state.model_copy(update={"word": word})
    assert eval_set_frozen(replace(good, set_state=state)).status == "refused"


@pytest.mark.parametrize("word", ["absent", "tampered"])
def test_a_ledger_that_is_not_whole_refuses(word, good):
    found = eval_set_frozen(replace(good, ledger_problems=(f"{word}: ledger/0.json: its reason",)))
    assert (found.status, found.word) == ("refused", word)


def test_rows_that_lack_the_target_are_listed(good):
    found = eval_set_frozen(replace(good, lacking=("a" * 64,)))
    assert found.status == "refused"
    assert found.details == ("a" * 64,)


# prompt-baseline


@pytest.mark.parametrize("word", ["missing", "absent", "tampered"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_every_prompt_asked_for_must_stand(word, at, good):
    recorded = list(good.baselines.recorded)
    recorded[at] = Recorded(recorded[at].label, recorded[at].place, word, "because")
    found = prompt_baseline(baselines(good, recorded=tuple(recorded)))
    assert found.status == "refused"
    assert found.word == ("tampered" if word == "tampered" else "absent")
    assert recorded[at].label in found.found
    assert "because" in found.details[0]


def test_a_run_without_scores_does_not_stand(good):
    recorded = (*good.baselines.recorded[:2], Recorded("few-shot", "tickets", "intact"))
    assert prompt_baseline(baselines(good, recorded=recorded)).status == "refused"


def test_dev_alone_is_no_baseline(good):
    assert prompt_baseline(baselines(good, recorded=good.baselines.recorded[:2])).status == "refused"
    assert prompt_baseline(baselines(good, recorded=good.baselines.recorded[2:])).status == "refused"


def test_cut_answers_must_be_run_again(good):
    found = prompt_baseline(baselines(good, rerun=192))
    assert found.status == "refused"
    assert "192" in found.found


def test_a_model_that_does_not_stop_is_said_and_holds(good):
    found = prompt_baseline(baselines(good, does_not_stop=True))
    assert found.status == "ok"
    assert "does not stop" in found.found


def test_rows_in_error_refuse(good):
    scores = good.baselines.recorded[0].scores
    spoilt = scores.model_copy(
        update={"total": scores.total.model_copy(update={"classes": {**scores.total.classes, "error": 1}})}
    )
    recorded = (Recorded("zero-shot", "dev", "intact", scores=spoilt), *good.baselines.recorded[1:])
    assert "error" in prompt_baseline(baselines(good, recorded=recorded)).found


def test_another_model_is_named_when_the_baseline_lacks(good):
    lacking = tuple(replace(r, word="missing", scores=None) for r in good.baselines.recorded)
    found = prompt_baseline(baselines(good, recorded=lacking, other_models=("gpt-5-mini",), best_label=None))
    assert "gpt-5-mini" in found.found
    assert "does not show that this one needs tuning" in found.found


# no-leakage


@pytest.mark.parametrize("how", ["equal", "near-equal", "contained", "group"])
def test_a_leak_into_train_or_dev_refuses_and_names_both_rows(how, good):
    asked = good.set_state.frozen.rows[0].row
    for row, where in ((good.train[3].row, "tickets/train"), ("d" * 64, "tickets/dev")):
        leak = Leak(row=row, eval_row=asked, how=how, share=1.0, field="input", span="x")
        found = no_leakage(replace(good, leaks=(leak,)))
        assert found.status == "refused"
        assert found.fix == f"sluice decontaminate {where}"
        assert row[:10] in found.found
        assert asked[:10] in found.found


def test_a_leak_into_a_text_refuses_and_names_it(good):
    leak = Leak(row="prompts/x.md", eval_row="e" * 64, how="contained", share=1.0, field="prompts/x.md", span="x")
    found = no_leakage(replace(good, text_leaks=(leak,)))
    assert found.status == "refused"
    assert "prompts/x.md" in (found.fix or "")


# rows-trainable


@pytest.mark.parametrize("problem", sorted(EXPLANATIONS))
def test_every_problem_of_rendering_refuses(problem, good):
    rendered = ((good.train[0].row, Rendered((1, 2), 1, problem)), *good.rendered[1:])
    found = rows_trainable(replace(good, rendered=rendered))
    assert found.status == "refused"
    assert problem in found.found
    assert good.train[0].row[:10] in found.details[0]


def test_tokens_of_other_rows_than_those_to_be_trained_on_refuse(good):
    assert rows_trainable(replace(good, rendered=good.rendered[:-1])).status == "refused"
    assert rows_trainable(replace(good, rendered=good.rendered[::-1])).status == "refused"
    assert rows_trainable(replace(good, train=good.train[1:])).status == "refused"


# gradable


@pytest.mark.parametrize(
    ("controls_right", "agree", "holds"),
    [(10, 20, True), (9, 16, True), (8, 20, False), (10, 15, False), (0, 0, False)],
)
def test_nine_controls_and_four_fifths_are_needed(controls_right, agree, holds, good):
    grading = replace(good.grading, controls_right=controls_right, agree=agree)
    assert gradable(replace(good, grading=grading)).holds == holds


def test_a_part_of_the_grading_is_none(good):
    for grading in (
        GradingEvidence(good.grading.fact, controls=10, controls_right=10, graded=1, agree=1),
        GradingEvidence(good.grading.fact, controls=9, controls_right=9, graded=20, agree=20),
    ):
        found = gradable(replace(good, grading=grading))
        assert (found.status, found.word) == ("refused", "absent")


def test_grading_badly_is_worse_than_not_grading(good):
    """A waiver of "nobody has graded" lapses when somebody has, and it does not hold."""
    absent = float(gradable(replace(good, grading=None)).value)
    for changes in ({"controls_right": 8}, {"agree": 15}):
        assert float(gradable(replace(good, grading=replace(good.grading, **changes))).value) > absent


# headroom


def test_a_prompt_that_reaches_the_target_refuses(good):
    rate = wilson(24, 24)
    assert headroom(replace(baselines(good, best_rate=rate), target=0.8)).status == "refused"
    assert headroom(replace(baselines(good, best_rate=rate), target=0.95)).status == "ok"
    assert headroom(baselines(good, best_rate=rate)).status == "ok", "Wilson's bound never reaches 1"


def test_headroom_knows_that_lower_can_be_better(good):
    question = good.bench.question.model_copy(update={"direction": "lower"})
    evidence = replace(good, bench=replace(good.bench, question=question), target=0.2)
    assert headroom(baselines(evidence, best_rate=wilson(0, 24))).status == "refused"
    assert headroom(baselines(evidence, best_rate=wilson(12, 24))).status == "ok"


def test_a_score_of_zero_is_a_value(good):
    found = headroom(baselines(good, best_rate=wilson(0, 24)))
    assert found.status == "ok"
    assert "0.00" in found.found


def test_a_train_prompt_that_was_not_measured_refuses(good):
    other = good.prompt.model_copy(update={"blocks": (Block(role="user", text="Say: {{ input }}"),)})
    found = prompt_baseline(replace(good, prompt=other))
    assert (found.status, found.word) == ("refused", "absent")
    assert "train prompt" in found.found


def test_facts_of_another_project_id_that_name_the_set_refuse(good):
    found = eval_set_frozen(replace(good, ledger_problems=("foreign: 3 facts of another project id name this set",)))
    assert found.status == "refused"
    assert found.fix == "set [project] id back"


# audit


def test_a_failing_check_refuses_with_the_command_that_drops_its_rows(good):
    checks = tuple(
        c.model_copy(update={"status": "found", "count": 3, "summary": "three rows"}) if c.name == "conflict" else c
        for c in good.report.checks
    )
    found = audit(replace(good, report=good.report.model_copy(update={"checks": checks})))
    assert found.status == "refused"
    assert found.fix == "sluice filter tickets/train --failing conflict"
    assert found.value == "3"


def test_a_severe_check_without_its_input_is_absent_unless_the_task_has_no_such_thing(good):
    assert any(a.name == "schema" for a in good.report.absent), "this task has no schema, and that is no gap"
    checks = tuple(
        c.model_copy(update={"status": "absent", "missing": ("no tokenizer",)}) if c.name == "overlong" else c
        for c in good.report.checks
    )
    overlong = good.report.absent[0].model_copy(update={"name": "overlong", "missing": ("no tokenizer",)})
    lacking = (*good.report.absent, overlong)
    found = audit(replace(good, report=good.report.model_copy(update={"checks": checks, "absent": lacking})))
    assert found.word == "absent"
    assert "overlong" in found.found


def test_a_warning_that_the_project_calls_a_failure_refuses_too(good):
    raised = {"status": "found", "severity": "fail", "count": 2, "summary": "two rows", "missing": ()}
    checks = tuple(c.model_copy(update=raised) if c.name == "markup" else c for c in good.report.checks)
    found = audit(replace(good, report=good.report.model_copy(update={"checks": checks})))
    assert (found.status, found.value, found.parts) == ("refused", "2", {"markup": "2"})
    blind = {"status": "absent", "severity": "fail", "missing": ("something",)}
    checks = tuple(c.model_copy(update=blind) if c.name == "markup" else c for c in good.report.checks)
    lacking = good.report.absent[0].model_copy(update={"name": "markup", "missing": ("something",)})
    report = good.report.model_copy(update={"checks": checks, "absent": (*good.report.absent, lacking)})
    assert audit(replace(good, report=report)).word == "absent"
