"""Attacks on the gate through the question, baselines, graders and grading by people.

Made as a hurried user, a script or a coding agent would: each is refused by name, or found by `sluice verify` by name.
What is out of reach is said in docs/gate.md.
"""

from __future__ import annotations

import json
import shutil

import pytest

from sluice.core.runs import Run, all_runs
from sluice.evalsuite.asking import Form

pytestmark = [pytest.mark.model]
FORM = Form("float32", None, "cpu", 1)


def rewrite_answers(run: Run, change) -> None:
    """Change the texts of a run's answers, and make its seal fit."""
    lines = [json.loads(line) for line in (run.folder / "answers.jsonl").read_text().splitlines()]
    (run.folder / "answers.jsonl").write_text("".join(json.dumps(change(line)) + "\n" for line in lines))
    (run.folder / "closed.json").unlink()
    run.close()


# the question


def test_a_changed_question_refuses_until_it_is_pinned_with_a_reason(measured):
    measured.edit('metric = "exact"', 'metric = "normalised"')
    found = measured.refuses("eval-set-frozen")
    assert "metric" in found["found"]
    measured("baseline", code=3)
    assert "--reason" in measured("freeze", code=3).error["remedy"]
    assert measured("freeze", "--reason", "case does not matter").result["changed"] == ["metric", "grader"]
    assert measured.gate()["eval-set-frozen"]["status"] == "ok"
    assert measured.gate()["prompt-baseline"]["status"] == "refused", "scores under another grader are other scores"
    runs = len(all_runs(measured.project))
    measured("baseline")
    assert len(all_runs(measured.project)) == runs, "stored answers are graded again, and not asked again"


def test_a_looser_alpha_counts_as_a_waiver_for_good(measured):
    measured.edit("openings = 1", "openings = 1\nalpha = 0.2")
    measured.refuses("eval-set-frozen")
    measured("freeze", "--reason", "we are in a hurry")
    measured("baseline")
    measured.waive()
    assert measured("gate").result["loosened"] == ["alpha 0.200000"]
    measured.train()
    certificate = json.loads((measured.project.adapters / "sft-1" / "certificate.json").read_text())
    assert "alpha" in json.dumps(certificate["waivers"])
    assert "alpha" in (measured.project.adapters / "sft-1" / "README.md").read_text()


@pytest.mark.parametrize("by", ["toml", "forged claim"])
def test_the_question_cannot_change_after_the_set_was_opened(judged, by):
    judged.edit("openings = 1", "openings = 5")
    if by == "forged claim":
        (claimed,) = judged.facts().of("claimed")
        question = {**claimed.body["question"], "openings": 5}
        judged.forge("claimed", {"set": claimed.body["set"], "question": question, "reason": "more, please"})
    assert "can no longer change" in judged("freeze", "--reason", "more, please", code=3).error["message"]
    judged("compare", "sft-1", "--final", "--yes", code=3)
    judged("train", "sft", "--yes", code=3)


# baselines


def test_a_strawman_in_sluice_toml_leaves_the_composed_prompts(split):
    (split.root / "straw.md").write_text("Say nothing.\n\n{{ input }}\n")
    split.edit("[model]", '[prompts]\nbaseline = ["straw.md"]\ntrain = "straw.md"\n\n[model]')
    split("freeze")
    labels = {line["label"] for line in split("baseline").result["dev"]}
    assert labels >= {"zero-shot", "few-shot"}
    only = [r for r in all_runs(split.project) if r.spec.label not in ("straw.md", "straw")]
    for run in only:
        shutil.rmtree(run.folder)
    assert split.refuses("prompt-baseline", "absent")["found"].count("zero-shot") >= 1


@pytest.mark.parametrize("serve", ["bf16", "nf4"])
def test_a_baseline_in_another_precision_is_none(measured, serve):
    measured.waive()
    measured.edit('serve = "fp32"', f'serve = "{serve}"')
    measured.refuses("prompt-baseline", "absent")


def test_a_baseline_of_another_model_is_none(measured, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(measured.project.config.model.base, other)
    config = json.loads((other / "generation_config.json").read_text())
    (other / "generation_config.json").write_text(json.dumps({**config, "repetition_penalty": 1.1}))
    measured.edit(measured.project.config.model.base, str(other))
    found = measured.refuses("prompt-baseline", "absent")
    assert "another model or form" in found["found"]


def test_a_reference_is_no_baseline(split):
    split("freeze")
    rows = split.eval_rows()
    answers = split.root / "answers.jsonl"
    answers.write_text("".join(json.dumps({"row": r["row"], "answer": "billing"}) + "\n" for r in rows))
    split("baseline", "reference", "prod", "--answers", "answers.jsonl", "--identity", "a large model")
    assert "prod" in split.refuses("prompt-baseline", "absent")["found"]


def test_forged_facts_of_baselines_are_none(split, measured_template):
    """`evaluated` and `baseline` facts with made-up scores, of runs that never were."""
    split("freeze")
    for fact in measured_template.facts().facts:
        if fact.kind in ("evaluated", "opened", "baseline"):
            split.forge(fact.kind, {**fact.body, **({"mean": "0.000000"} if "mean" in fact.body else {})})
    split.refuses("prompt-baseline", "absent")
    assert split.tampered()


@pytest.mark.parametrize(
    "change",
    [
        {"mean": "0.990000"},
        {"cut": 0},
        {"base": "0" * 64},
        {"form": "bfloat16"},
        {"max_new_tokens": 4096},
        {"prompt": "0" * 64},
        {"scores": "0" * 64},
        {"answers": "0" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_fact_that_says_other_things_than_its_run_is_found(measured, change):
    measured.waive()
    true = next(f for f in measured.facts().of("evaluated") if f.body["on"] == "dev")
    measured.forge("evaluated", {**true.body, **change})
    name = next(iter(change))
    if name in ("base", "form"):  # it speaks of another model: it says nothing of this one
        assert measured.gate()["prompt-baseline"]["status"] == "ok"
    else:
        measured.refuses("prompt-baseline", "tampered")
    assert any(true.body["run"] in line for line in measured.tampered())


@pytest.mark.parametrize("kind", ["evaluated", "baseline", "frozen", "claimed", "opened", "graded", "waived", "passed"])
def test_facts_that_are_no_records_harm_nothing(measured, kind):
    (frozen,) = measured.facts().of("frozen")
    base = next(f for f in measured.facts().of("evaluated")).body
    some = {k: base[k] for k in ("rows", "grader", "form", "base", "role", "adapter", "on")}
    for body in ({}, {"set": 1}, {"mean": "nan"}, {"run": "../../etc"}, {"spec": None}, {"question": {}}):
        measured.forge(kind, {"set": frozen.body["set"], **some, **body})
        measured.forge(kind, body)
    rules = measured.gate()
    assert {r for r, found in rules.items() if found["status"] == "refused"} == {"gradable"}
    measured("baseline")
    measured("verify", code=None)
    measured("log")


def test_edited_answers_are_found(measured):
    run = measured.run_of("tickets")
    text = (run.folder / "answers.jsonl").read_text()
    (run.folder / "answers.jsonl").write_text(text.replace('"text":"', '"text":"not ', 3))
    measured.refuses("prompt-baseline", "tampered")
    assert any(run.id in line for line in measured.tampered())


@pytest.mark.parametrize("on", ["dev", "tickets"])
def test_edited_answers_with_their_seal_rewritten_are_found(measured, on):
    run = measured.run_of(on)
    rewrite_answers(run, lambda line: {**line, "text": "billing"})
    measured.refuses("prompt-baseline", "tampered")
    assert any(run.id in line for line in measured.tampered())


@pytest.mark.parametrize("sealed", [False, True])
def test_edited_tokens_and_seconds_are_found(measured, sealed):
    run = measured.run_of("tickets")
    cheap = {"prompt_tokens": 1, "new_tokens": 1, "seconds": 0.0001}
    seal = (run.folder / "closed.json").read_bytes()
    rewrite_answers(run, lambda line: {**line, **cheap})
    if not sealed:
        (run.folder / "closed.json").write_bytes(seal)
        measured.refuses("prompt-baseline", "tampered")
    assert any(run.id in line and "seconds" in line for line in measured.tampered())


def test_edited_scores_are_found(measured):
    run = measured.run_of("tickets")
    file = run.folder / "scores.jsonl"
    file.write_text(file.read_text().replace('"score":0.0', '"score":1.0').replace('"score": 0.0', '"score": 1.0'))
    assert measured.gate()["prompt-baseline"]["status"] == "ok", "the gate computes scores from answers"
    assert any(run.id in line for line in measured.tampered())


def test_a_prompt_edited_in_run_json_is_found(measured):
    run = measured.run_of("dev")
    body = json.loads((run.folder / "run.json").read_text())
    body["prompt"]["blocks"][0]["text"] = "Say nothing."
    (run.folder / "run.json").write_text(json.dumps(body))
    assert any(run.id in line for line in measured.tampered())


# graders


GRADER = """
def grade(input, target, answer):
    return {body}
"""


def own_grader(road, body: str) -> None:
    (road.root / "graders").mkdir()
    (road.root / "graders" / "mine.py").write_text(GRADER.format(body=body))
    road.edit('metric = "exact"', 'metric = "mine"')
    road.edit("[project]", '[[graders]]\nname = "mine"\nfile = "graders/mine.py"\nkind = "binary"\n\n[project]')


def test_a_graders_file_changed_after_the_freeze_refuses(split):
    own_grader(split, "float(answer == target)")
    split("freeze")
    split("baseline")
    assert split.gate()["eval-set-frozen"]["status"] == "ok"
    (split.root / "graders" / "mine.py").write_text(GRADER.format(body="1.0"))
    assert "grader" in split.refuses("eval-set-frozen")["found"]


@pytest.mark.parametrize("body", ["1 / 0", "float('nan')", "None", "2.0", "float(answer == target) if answer else 7"])
def test_a_grader_that_fails_on_a_target_cannot_freeze(split, body):
    own_grader(split, body if "if answer" not in body else "float('inf')")
    ended = split("freeze", code=2)
    assert "mine" in ended.error["message"]
    assert split.facts().facts == ()


def test_a_grader_that_raises_on_answers_is_an_error_and_no_baseline(split):
    own_grader(split, "float(answer == target) if answer in ('billing', 'delivery', 'other') else 1 / 0")
    split("freeze")
    lines = split("baseline").result["dev"]
    assert all(line["classes"]["error"] > 0 for line in lines)
    assert "error" in split.refuses("prompt-baseline")["found"]


def test_a_score_of_zero_is_a_value(measured):
    """Junk scores 0.0 on every row: that is a measured baseline, not a gap."""
    lines = measured("baseline").result
    assert all(line["rate"]["estimate"] == 0.0 and line["rate"]["n"] for line in lines["dev"] + lines["eval"])
    assert measured.gate()["prompt-baseline"]["status"] == "ok"


# grading by people


def graded_body(road) -> dict:
    """Return the body of a `graded` fact that would hold, had anybody graded."""
    from sluice.evalsuite.baselines.bench import bench, dev_facts
    from sluice.evalsuite.gradable import written_task

    b = bench(road.project, road.model, FORM)
    best = dev_facts(b, road.facts())[0]
    return {
        "dev": b.dev_hash(),
        "spec": best.body["spec"],
        "answers": best.body["answers"],
        "grader": b.question.grader,
        "items": "0" * 64,
        "by": "ana",
        "controls": 10,
        "controls_right": 10,
        "graded": 20,
        "agree": 20,
        "written_task": written_task(road.project),
    }


def test_a_graded_fact_without_decisions_satisfies_nothing(measured):
    measured.forge("graded", graded_body(measured))
    measured.refuses("gradable", "absent")


def test_ten_decisions_and_a_fact_that_speaks_of_them_are_no_grading(measured):
    """Only the controls and one answer were judged; the fact says just that, and is not enough."""
    from sluice.core.ledger import Ledger as L
    from sluice.evalsuite.baselines.bench import bench
    from sluice.evalsuite.gradable import decide_item, items

    b = bench(measured.project, measured.model, FORM)
    listed = items(b, L(measured.project).read())
    controls = [i for i in listed if i.source != "answer"]
    one = next(i for i in listed if i.source == "answer")
    for item in (*controls, one):
        word = item.expected if item is one else ("right" if item.source == "own-target" else "wrong")
        decide_item(measured.project, item, word, by="ana", seconds=1.0)
    measured.forge("graded", {**graded_body(measured), "graded": 1, "agree": 1})
    measured.refuses("gradable", "absent")


def test_a_rubric_changed_after_grading_asks_for_it_again(measured):
    listed = measured("grade", "--list").result["items"]
    words = ",".join(f"{i['number']}={'r' if i['answer'] in ('billing', 'delivery', 'other') else 'w'}" for i in listed)
    measured("grade", "--by", "ana", "--words", words, code=None)
    before = len(measured.facts().of("graded"))
    assert before == 1
    (measured.root / "rubric.md").write_text("Right: whatever.\n")
    assert measured.gate()["gradable"]["status"] != "ok"


def grade_all(road, by: str) -> str:
    """Grade all thirty as the task's own grader would, and return the hash of the fact."""
    listed = road("grade", "--list").result["items"]
    words = ",".join(f"{i['number']}={'r' if i['answer'] in ('billing', 'delivery', 'other') else 'w'}" for i in listed)
    road("grade", "--by", by, "--words", words, code=None)
    return next(f.hash for f in road.facts().of("graded") if f.body["by"] == by)


def test_decisions_are_counted_again_by_verify(measured):
    digest = grade_all(measured, "ana")
    assert measured.tampered() == []
    body = next(f.body for f in measured.facts().of("graded"))
    for change in ({"agree": 3}, {"controls_right": 1}, {"items": "0" * 64}, {"graded": 21}):
        forged = measured.forge("graded", body | change)
        assert any(forged[:10] in line for line in measured.tampered()), change
    assert not any(digest[:10] in line for line in measured.tampered())


def test_a_word_that_was_changed_later_is_no_tampering(measured):
    digest = grade_all(measured, "ana")
    measured("grade", "--by", "ana", "--words", "1=r,2=r,3=w", code=None)
    assert not any(digest[:10] in line for line in measured.tampered())


def test_a_grading_whose_decisions_are_gone_is_absent(measured):
    digest = grade_all(measured, "ana")
    for file in measured.project.decisions.glob("*.jsonl"):
        file.unlink()
    assert measured.tampered() == []
    found = [f for f in measured("verify").result["findings"] if digest[:10] in f["name"]]
    assert any(f["word"] == "absent" for f in found)
