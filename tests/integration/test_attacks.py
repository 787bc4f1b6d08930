"""Attacks on the gate, as a hurried user, a script or a coding agent would make them.

Each way in (files, verbs, Python, the environment) and each file of evidence at least once; each is refused by name, or
found by `sluice verify` by name. What is out of reach is said in docs/gate.md.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sluice.core.errors import InputError, Refused, SluiceError, Tampered
from sluice.core.evalset import SetManifest, rows_bytes
from sluice.core.ledger import Ledger
from sluice.core.rows import Example
from sluice.core.runs import Run, all_runs
from sluice.evalsuite.asking import Form
from sluice.evalsuite.models.identity import ModelFiles

pytestmark = [pytest.mark.model]
TRAIN = ("train", "sft", "--yes", "--batch", "8", "--rank", "4")
HARD = {"eval-set-frozen", "prompt-baseline", "no-leakage", "rows-trainable"}
FORM = Form("float32", None, "cpu", 1)


def model(road) -> ModelFiles:
    base = road.project.config.model.base
    return ModelFiles(base, Path(base))


def forge(road, kind: str, body: dict) -> str:
    """Write a fact as any script can, by the library's own door."""
    return Ledger(road.project).write(kind, body).hash


def eval_folder(road) -> Path:
    return next(road.project.evals.iterdir())


def eval_rows(road) -> list[dict]:
    return [json.loads(line) for line in (eval_folder(road) / "rows.jsonl").read_text().splitlines()]


def eval_text(road, i: int = 0) -> str:
    return json.loads(eval_rows(road)[i]["input"])["input"]


def run_of(road, on: str, *, adapter: bool = False) -> Run:
    return next(r for r in all_runs(road.project) if r.spec.on == on and bool(r.spec.adapter) == adapter)


def rewrite_answers(run: Run, change) -> None:
    """Change the texts of a run's answers, and make its seal fit."""
    lines = [json.loads(line) for line in (run.folder / "answers.jsonl").read_text().splitlines()]
    (run.folder / "answers.jsonl").write_text("".join(json.dumps(change(line)) + "\n" for line in lines))
    (run.folder / "closed.json").unlink()
    run.close()


def add_rows(road, part: str, texts: list[str], target: str = "billing") -> None:
    """Add rows to a part, as `sluice add` or a script can."""
    file = road.root / "more.jsonl"
    file.write_text("".join(json.dumps({"input": t, "target": target}) + "\n" for t in texts))
    road("add", part, "more.jsonl")


def waived(road):
    road("waive", "gradable", "--reason", "nobody grades in a test", "--by", "x")
    return road


# the environment


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONOPTIMIZE": "2"},
        {f"SLUICE_{n}": "1" for n in ("SKIP_GATE", "NO_GATE", "FORCE", "GATE", "YES", "DEV", "TEST", "ALLOW", "DEBUG")},
    ],
    ids=["optimised", "guessed variables"],
)
def test_no_variable_opens_the_gate(split, environment):
    done = subprocess.run(
        [sys.executable, "-m", "sluice", *TRAIN, "--json"],
        cwd=split.root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    rules = {r["rule"]: r["status"] for r in json.loads(done.stdout)["result"]["rules"]}
    assert all(rules[name] in ("refused", "later") for name in HARD - {"rows-trainable"})
    assert split.adapters() == []


@pytest.mark.parametrize("flag", ["--force", "--no-gate", "--skip-gate", "--skip-rules", "--allow"])
def test_no_flag_opens_the_gate(split, flag):
    assert split("train", "sft", flag, code=2).error
    assert split.adapters() == []


@pytest.mark.parametrize("key", ["skip", "open", "force", "enabled", "rules", "waive"])
def test_no_key_of_sluice_toml_opens_the_gate(split, key):
    split.edit("[model]", f"[gate]\n{key} = false\n\n[model]")
    split("train", "sft", "--yes", code=2)


# verbs and Python


@pytest.mark.parametrize("rule", sorted(HARD))
def test_no_hard_rule_can_be_waived(split, rule):
    split("waive", rule, "--reason", "I know what I am doing here", "--by", "x", code=2)
    forge(
        split, "waived", {"rule": rule, "task": "tickets", "dataset": "tickets/train", "value": "99", "reason": "x y"}
    )
    split("train", "sft", "--yes", code=3)
    assert any("waived" in name and rule in name for name in split.tampered())


def test_a_pass_that_was_written_or_pickled_opens_nothing(measured, trained_template, tmp_path):
    (passed,) = trained_template.facts().of("passed")
    forge(measured, "passed", passed.body)
    (measured.project.store / "passed.pickle").write_bytes(pickle.dumps(passed))
    measured.refuses("gradable")
    assert any(name.startswith("passed") for name in measured.tampered())


def test_the_spine_judges_by_itself(measured):
    """Calling the recipe's door directly, with a report that says open, trains nothing."""
    from sluice.train.recipes.config import SftConfig
    from sluice.train.recipes.spine import Order, run

    with pytest.raises(Refused) as refused:
        run(measured.project, Order("tickets/train", "sft", SftConfig(), FORM, FORM), model(measured))
    assert not refused.value.result.open
    assert measured.adapters() == []
    assert not measured.facts().of("passed")


def test_the_spine_hashes_the_model_itself(measured):
    """One weight changed in place, with size, time and inode kept: a cache of hashes is not believed."""
    waived(measured)
    base = Path(measured.project.config.model.base)
    other = measured.root / "other"
    shutil.copytree(base, other)
    measured.edit(str(base), str(other))
    assert measured.gate()["prompt-baseline"]["status"] == "ok", "the same bytes are the same model"
    weights = other / "model.safetensors"
    stat = weights.stat()
    with open(weights, "r+b") as file:
        file.seek(-2, os.SEEK_END)
        byte = file.read(1)
        file.seek(-2, os.SEEK_END)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(weights, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    found = measured.refuses("prompt-baseline", "absent")
    assert "does not show that this one needs tuning" in found["found"]


def test_rows_handed_in_are_held_against_the_version(measured):
    """The library's collect takes rows; whoever hands others in gets no pass for the version's name."""
    from sluice.train.evidence import collect
    from sluice.train.gate import evaluate
    from sluice.train.policy import Policy

    waived(measured)
    row = Example(input={"input": eval_text(measured)}, target="billing")
    evidence = collect(measured.project, model(measured), FORM, rows=[row])
    report = evaluate(evidence, Policy())
    assert not report.open
    assert report.rule("no-leakage").status == "refused"
    swapped = replace(evidence, leaks=(), text_leaks=(), train=evidence.train[:0])
    assert not evaluate(swapped, Policy()).open


# training data


def test_a_rows_text_edited_in_the_parquet_is_found(measured):
    import polars as pl

    waived(measured)
    from sluice.curate.dataset import open_dataset

    file = open_dataset(measured.project, "tickets/train").files[0]
    frame = pl.read_parquet(file)
    changed = frame.with_columns(pl.lit("other").alias("target"))
    changed.write_parquet(file)
    ended = measured("train", "sft", "--yes", code=None)
    assert ended.code in (1, 3), ended.result
    assert measured.adapters() == []
    assert any(name.startswith("tickets/train") for name in measured.tampered())


def test_a_versions_manifest_edited_to_fit_other_rows_is_found(measured):
    import polars as pl

    from sluice.curate.dataset import file_sha256, open_dataset, rows_frame

    waived(measured)
    version = open_dataset(measured.project, "tickets/train")
    file = version.files[0]
    leaky = [Example(input={"input": eval_text(measured, i)}, target="billing") for i in range(24)]
    frame = rows_frame(list(leaky))
    frame.write_parquet(file)
    assert pl.read_parquet(file).height == 24
    manifest = measured.project.data / version.hash / "manifest.json"
    body = json.loads(manifest.read_text())
    body["rows"] = 24
    body["files"][0] |= {"sha256": file_sha256(file), "rows": 24}
    manifest.write_text(json.dumps(body))
    ended = measured("train", "sft", "--yes", code=None)
    assert ended.code in (1, 3)
    assert measured.adapters() == []
    assert any(name.startswith("tickets/train") for name in measured.tampered())


@pytest.mark.parametrize("how", ["equal", "near", "inside", "capitals", "in the target"])
def test_an_eval_row_in_the_training_rows_refuses(measured, how):
    text = eval_text(measured)
    filler = "and so we went on and on about nothing much at all until the evening came and we all went home again"
    hidden = {
        "equal": text,
        "near": text + " ba",
        "inside": f"{filler} {text} {filler}",
        "capitals": text.upper() + "!",
        "in the target": "what did the customer write to us on that day, word by word, please",
    }[how]
    target = text if how == "in the target" else "billing"
    add_rows(measured, "tickets/train", [hidden], target)
    measured("baseline", code=None)
    found = measured.refuses("no-leakage")
    assert found["fix"] == "sluice decontaminate tickets/train"


def test_an_eval_row_in_dev_refuses(measured):
    add_rows(measured, "tickets/dev", [eval_text(measured)])
    assert measured.refuses("no-leakage")["fix"] == "sluice decontaminate tickets/dev"
    measured("eval", "base", code=3)  # and dev that holds an eval row is not measured on


@pytest.mark.parametrize("place", ["baseline prompt", "train prompt", "rubric", "schema", "description"])
def test_an_eval_row_in_a_text_around_the_rows_refuses(measured, place):
    text = eval_text(measured)
    root = measured.root
    if place in ("baseline prompt", "train prompt"):
        (root / "hint.md").write_text(f"Name the desk. For example:\n{text}\nbilling\n\n{{{{ input }}}}\n")
        key = 'baseline = ["hint.md"]' if place.startswith("baseline") else 'train = "hint.md"'
        measured.edit("[model]", f"[prompts]\n{key}\n\n[model]")
    elif place == "rubric":
        (root / "rubric.md").write_text(f"Right, as in: {text}\n")
    elif place == "schema":
        (root / "schema.json").write_text(json.dumps({"type": "string", "examples": [text]}))
        measured.edit("openings = 1", 'openings = 1\nschema = "schema.json"')
    else:
        measured.edit('description = "Name the desk."', f'description = "Name the desk. {text}"')
    measured("baseline", code=3)
    assert measured.gate()["no-leakage"]["status"] == "refused"
    measured("train", "sft", "--yes", code=3)
    assert measured.adapters() == []


def test_an_eval_row_among_the_few_shot_examples_refuses(measured):
    """All training rows are eval rows: whichever are drawn as examples, the prompt holds one."""
    add_rows(measured, "tickets/train", [eval_text(measured, i) for i in range(24)])
    ended = measured("baseline", code=3)
    assert "holds an eval row" in ended.error["message"]
    details = measured("gate", "--rows", "no-leakage", code=3).result
    leaks = next(r for r in details["rules"] if r["rule"] == "no-leakage")["details"]
    assert any("few-shot" in line for line in leaks)


# the frozen set


def test_an_edited_eval_row_is_found(measured):
    file = eval_folder(measured) / "rows.jsonl"
    file.write_text(
        file.read_text()
        .replace('"target": "billing"', '"target": "delivery"', 1)
        .replace('"target":"billing"', '"target":"delivery"', 1)
    )
    measured.refuses("eval-set-frozen", "tampered")
    assert any(name.startswith("evals/") for name in measured.tampered())


@pytest.mark.parametrize("rename", [False, True])
def test_an_edited_eval_row_with_its_manifest_rewritten_is_found(measured, rename):
    folder = eval_folder(measured)
    manifest = SetManifest.model_validate_json((folder / "manifest.json").read_bytes())
    rows = [Example(input=json.loads(r["input"]), target="billing") for r in eval_rows(measured)]
    rows.sort(key=lambda r: r.row)
    data = rows_bytes(list(rows), {})
    import hashlib

    forged = manifest.model_copy(
        update={
            "rows": tuple(r.row for r in rows),
            "inputs": tuple(r.input_hash for r in rows),
            "rows_sha256": hashlib.sha256(data).hexdigest(),
        }
    )
    (folder / "rows.jsonl").write_bytes(data)
    (folder / "manifest.json").write_bytes(forged.to_bytes())
    if rename:
        folder.rename(folder.with_name(f"tickets-{forged.sha256[:8]}"))
    found = measured.refuses("eval-set-frozen")
    assert found["word"] == ("absent" if rename else "tampered")
    if not rename:
        assert any(name.startswith("evals/") for name in measured.tampered())


def test_a_forged_freeze_entry_of_an_easier_set_is_found(measured):
    """The script writes folder and facts by itself, of rows whose answer is always the same."""
    easy = measured.copy(measured.root.parent / "easy")
    shutil.rmtree(easy.project.ledger)
    shutil.rmtree(easy.project.ledger_copy)
    shutil.rmtree(easy.project.evals)
    easy("freeze", "tickets/dev", "--as", "easy")
    (frozen,) = easy.facts().of("frozen")
    (claimed,) = easy.facts().of("claimed")
    shutil.copytree(eval_folder(easy), measured.project.evals / eval_folder(easy).name)
    forge(measured, "frozen", frozen.body)
    forge(measured, "claimed", claimed.body)
    found = measured.refuses("eval-set-frozen", "tampered")
    assert "no reason" in found["found"]


def test_twenty_paraphrases_are_no_eval_set(split):
    lines = [{"input": f"please tell me where my parcel with the kettle is{'!' * i}", "target": "x"} for i in range(25)]
    (split.root / "para.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    split("add", "para", "para.jsonl")
    ended = split("freeze", "para", "--as", "para", code=2)
    assert "unlike each other" in ended.error["message"]
    assert not split.project.evals.exists() or not list(split.project.evals.iterdir())


def test_an_eval_set_with_a_row_that_lacks_its_target_is_no_eval_set(split, road_module):
    texts = road_module.words(9, 25)
    lines = [{"input": t, "target": "x"} for t in texts[:-1]] + [{"input": texts[-1]}]
    (split.root / "some.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    split("add", "some", "some.jsonl")
    assert "target" in split("freeze", "some", "--as", "some", code=2).error["message"]


def test_the_eval_rows_under_another_name_are_refused(trained):
    texts = [json.loads(r["input"])["input"] for r in eval_rows(trained)]
    add_rows(trained, "practice", texts)
    assert "belong to the eval set" in trained("eval", "sft-1", "--on", "practice", code=3).error["message"]
    assert (
        "belong to the eval set" in trained("freeze", "practice", "--as", "watch", "--guard", code=3).error["message"]
    )
    trained("eval", "sft-1", "--on", "tickets/eval", code=3)
    trained("eval", "sft-1", "--on", "tickets", code=3)
    trained("regress", "sft-1", "--on", "tickets", "--margin", "0.1", code=3)
    assert not [f for f in trained.facts().of("opened") if f.body["adapter"]]


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
    waived(measured)
    assert measured("gate").result["loosened"] == ["alpha 0.200000"]
    measured(*TRAIN)
    certificate = json.loads((measured.project.adapters / "sft-1" / "certificate.json").read_text())
    assert "alpha" in json.dumps(certificate["waivers"])
    assert "alpha" in (measured.project.adapters / "sft-1" / "README.md").read_text()


@pytest.mark.parametrize("by", ["toml", "forged claim"])
def test_the_question_cannot_change_after_the_set_was_opened(judged, by):
    judged.edit("openings = 1", "openings = 5")
    if by == "forged claim":
        (claimed,) = judged.facts().of("claimed")
        question = {**claimed.body["question"], "openings": 5}
        forge(judged, "claimed", {"set": claimed.body["set"], "question": question, "reason": "more, please"})
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
    waived(measured)
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
    rows = eval_rows(split)
    answers = split.root / "answers.jsonl"
    answers.write_text("".join(json.dumps({"row": r["row"], "answer": "billing"}) + "\n" for r in rows))
    split("baseline", "reference", "prod", "--answers", "answers.jsonl", "--identity", "a large model")
    assert "prod" in split.refuses("prompt-baseline", "absent")["found"]


def test_forged_facts_of_baselines_are_none(split, measured_template):
    """`evaluated` and `baseline` facts with made-up scores, of runs that never were."""
    split("freeze")
    for fact in measured_template.facts().facts:
        if fact.kind in ("evaluated", "opened", "baseline"):
            forge(split, fact.kind, {**fact.body, **({"mean": "0.000000"} if "mean" in fact.body else {})})
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
    waived(measured)
    true = next(f for f in measured.facts().of("evaluated") if f.body["on"] == "dev")
    forge(measured, "evaluated", {**true.body, **change})
    name = next(iter(change))
    if name in ("base", "form"):  # it speaks of another model: it says nothing of this one
        assert measured.gate()["prompt-baseline"]["status"] == "ok"
    else:
        measured.refuses("prompt-baseline", "tampered")
    assert any(true.body["run"] in line for line in measured.tampered())


@pytest.mark.parametrize("body", [{}, {"set": 1}, {"mean": "nan"}, {"run": "../../etc"}, {"spec": None}])
@pytest.mark.parametrize("kind", ["evaluated", "baseline", "frozen", "claimed", "opened", "graded", "waived", "passed"])
def test_a_fact_that_is_no_record_harms_nothing(measured, kind, body):
    (frozen,) = measured.facts().of("frozen")
    base = next(f for f in measured.facts().of("evaluated")).body
    forge(measured, kind, {"set": frozen.body["set"], "on": "dev", "role": "baseline", "adapter": None, **body})
    forge(measured, kind, {k: base[k] for k in ("rows", "grader", "form", "base", "role", "adapter", "on")} | body)
    rules = measured.gate()
    assert {r for r, found in rules.items() if found["status"] == "refused"} == {"gradable"}
    measured("verify", code=None)
    measured("status")
    measured("log")


def test_edited_answers_are_found(measured):
    run = run_of(measured, "tickets")
    text = (run.folder / "answers.jsonl").read_text()
    (run.folder / "answers.jsonl").write_text(text.replace('"text":"', '"text":"not ', 3))
    measured.refuses("prompt-baseline", "tampered")
    assert any(run.id in line for line in measured.tampered())


@pytest.mark.parametrize("on", ["dev", "tickets"])
def test_edited_answers_with_their_seal_rewritten_are_found(measured, on):
    run = run_of(measured, on)
    rewrite_answers(run, lambda line: {**line, "text": "billing"})
    measured.refuses("prompt-baseline", "tampered")
    assert any(run.id in line for line in measured.tampered())


def test_edited_scores_are_found(measured):
    run = run_of(measured, "tickets")
    file = run.folder / "scores.jsonl"
    file.write_text(file.read_text().replace('"score":0.0', '"score":1.0').replace('"score": 0.0', '"score": 1.0'))
    assert measured.gate()["prompt-baseline"]["status"] == "ok", "the gate computes scores from answers"
    assert any(run.id in line for line in measured.tampered())


def test_a_prompt_edited_in_run_json_is_found(measured):
    run = run_of(measured, "dev")
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


@pytest.mark.parametrize(
    "body", ["1 / 0 if answer not in ('billing', 'delivery', 'other') else float(answer == target)"]
)
def test_a_grader_that_raises_on_answers_is_an_error_and_no_baseline(split, body):
    own_grader(split, body)
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
    from sluice.evalsuite.baselines.measure import bench, dev_facts
    from sluice.evalsuite.gradable import written_task

    b = bench(road.project, model(road), FORM)
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
    forge(measured, "graded", graded_body(measured))
    measured.refuses("gradable", "absent")


def test_ten_decisions_and_a_fact_that_speaks_of_them_are_no_grading(measured):
    """Only the controls and one answer were judged; the fact says just that, and is not enough."""
    from sluice.core.ledger import Ledger as L
    from sluice.evalsuite.baselines.measure import bench
    from sluice.evalsuite.gradable import decide_item, items

    b = bench(measured.project, model(measured), FORM)
    listed = items(b, L(measured.project).read())
    controls = [i for i in listed if i.source != "answer"]
    one = next(i for i in listed if i.source == "answer")
    for item in (*controls, one):
        word = item.expected if item is one else ("right" if item.source == "own-target" else "wrong")
        decide_item(measured.project, item, word, by="ana", seconds=1.0)
    forge(measured, "graded", {**graded_body(measured), "graded": 1, "agree": 1})
    measured.refuses("gradable", "absent")


def test_a_rubric_changed_after_grading_asks_for_it_again(measured):
    listed = measured("grade", "--list").result["items"]
    words = ",".join(f"{i['number']}={'r' if i['answer'] in ('billing', 'delivery', 'other') else 'w'}" for i in listed)
    measured("grade", "--by", "ana", "--words", words, code=None)
    before = len(measured.facts().of("graded"))
    assert before == 1
    (measured.root / "rubric.md").write_text("Right: whatever.\n")
    assert measured.gate()["gradable"]["status"] != "ok"


# openings


def second_adapter(road) -> None:
    road("train", "sft", "--yes", "--batch", "8", "--rank", "4", "--seed", "5")


def test_another_adapter_is_refused_when_the_openings_are_spent(judged):
    second_adapter(judged)
    before = {f.hash for f in judged.facts().facts}
    ended = judged("compare", "sft-2", "--final", "--yes", code=3)
    assert "openings" in ended.error["message"]
    judged("eval", "sft-2", "--on", "tickets", "--final", "--yes", code=3)
    assert {f.hash for f in judged.facts().facts} == before
    assert not [r for r in all_runs(judged.project) if r.spec.on == "tickets" and r.spec.adapter][1:]


def test_an_opening_that_claims_to_be_a_baselines_counts(judged):
    """`opened` written beforehand without an adapter does not make the next opening free."""
    second_adapter(judged)
    (opened,) = (f for f in judged.facts().of("opened") if f.body["adapter"])
    from sluice.evalsuite.asking import spec_for
    from sluice.evalsuite.baselines.measure import bench, reached_limit
    from sluice.train.adapters import open_adapter

    b = bench(judged.project, model(judged), FORM)
    adapter = open_adapter(judged.project, "sft-2")
    spec = spec_for(
        b.files,
        b.form,
        adapter.prompt,
        list(b.frozen.rows),
        role="eval",
        on="tickets",
        max_new_tokens=reached_limit(b, judged.facts()),
        adapter=adapter.sha256,
    )
    forge(judged, "opened", {**opened.body, "spec": spec.sha256, "adapter": None, "role": "baseline"})
    assert "openings" in judged("compare", "sft-2", "--final", "--yes", code=3).error["message"]


def test_openings_thrown_out_of_the_ledger_still_count(judged):
    """The last facts are deleted from both places; the answers that lie here count."""
    second_adapter(judged)
    (opened,) = (f for f in judged.facts().of("opened") if f.body["adapter"])
    for fact in judged.facts().facts:
        if fact.hash == opened.hash or opened.hash in judged.facts().ancestors(fact.hash):
            for place in (judged.project.ledger, judged.project.ledger_copy):
                (place / f"{fact.hash}.json").unlink()
    judged("compare", "sft-2", "--final", "--yes", code=None)
    assert not [f for f in judged.facts().of("opened") if f.body.get("adapter")], "nothing was opened"


def test_a_new_set_of_the_same_rows_inherits_their_openings(judged):
    second_adapter(judged)
    judged("freeze", "--as", "again", code=3)
    judged("freeze", "--as", "again", "--reason", "a fresh start, please")
    judged("baseline")
    ended = judged("compare", "sft-2", "--final", "--yes", code=3)
    assert "openings" in ended.error["message"]


def git(folder: Path, *words: str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ("-c", "user.name=x", "-c", "user.email=x@y", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *who, "-C", str(folder), *words], env=environment, check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed here")
def test_two_copies_that_opened_apart_are_judged_at_a_smaller_alpha(trained, tmp_path):
    from sluice.core.project import gitattributes_text, gitignore_text

    (trained.root / ".gitignore").write_text(gitignore_text())
    (trained.root / ".gitattributes").write_text(gitattributes_text())
    git(trained.root, "init", "-q")
    git(trained.root, "add", "-A")
    git(trained.root, "commit", "-qm", "one")
    other = trained.copy(tmp_path / "other")
    first = trained("compare", "sft-1", "--final", "--yes", code=None).result["comparison"]["verdict"]
    git(trained.root, "add", "-A")
    git(trained.root, "commit", "-qm", "opened here")
    second_adapter(other)
    assert other.adapters() == ["sft-1", "sft-2"]
    other("compare", "sft-2", "--final", "--yes", code=None)
    git(other.root, "add", "-A")
    git(other.root, "commit", "-qm", "opened there")
    git(other.root, "pull", "-q", "--no-rebase", "--no-edit", str(trained.root), "main")
    judged = other("compare", "sft-2", "--final", "--yes", code=None)
    assert judged.code in (1, 4), judged.error
    verdict = judged.result["comparison"]["verdict"]
    assert verdict["openings"] == 2
    assert verdict["alpha"] <= first["alpha"]
    widths = [v["high"] - v["low"] for v in (first, verdict)] if "high" in verdict else None
    assert widths is None or widths[1] > widths[0]
    other("train", "sft", "--yes", "--batch", "8", "--rank", "4", "--seed", "6")
    other("compare", "sft-3", "--final", "--yes", code=3)


def test_a_fact_of_the_ledger_edited_is_found(judged):
    (opened,) = (f for f in judged.facts().of("opened") if f.body["adapter"])
    for place in (judged.project.ledger, judged.project.ledger_copy):
        file = place / f"{opened.hash}.json"
        text = file.read_text()
        file.write_text(text.replace(opened.body["adapter"], "0" * 64))
    judged.refuses("eval-set-frozen", "tampered")
    assert any(opened.hash in line for line in judged.tampered())


def test_a_fact_removed_from_one_place_is_written_back(judged):
    (opened,) = (f for f in judged.facts().of("opened") if f.body["adapter"])
    (judged.project.ledger / f"{opened.hash}.json").unlink()
    assert any("written back" in n for n in judged("gate", code=None).result["notices"])
    assert (judged.project.ledger / f"{opened.hash}.json").is_file()


def test_a_fact_removed_from_both_places_is_absent_and_refuses(judged):
    (frozen,) = judged.facts().of("frozen")
    (opened,) = (f for f in judged.facts().of("opened") if f.body["adapter"])
    for place in (judged.project.ledger, judged.project.ledger_copy):
        (place / f"{opened.hash}.json").unlink()
    found = judged.refuses("eval-set-frozen", "absent")
    assert opened.hash in found["found"]
    second = judged("compare", "sft-1", "--final", "--yes", code=None)
    assert second.code in (1, 3, 4)
    assert frozen.hash in {f.hash for f in judged.facts().facts}


def test_facts_of_another_project_do_not_count(split, measured_template):
    other = measured_template.copy(split.root.parent / "donor")
    other.edit('id = "p-tiny"', 'id = "p-other"')
    for place in (other.project.ledger, other.project.ledger_copy):
        shutil.rmtree(place)
    shutil.rmtree(other.project.evals)
    other("freeze")
    other("baseline")
    waived(other)
    split("freeze")
    for name in ("ledger", ".sluice/ledger", ".sluice/runs"):
        shutil.copytree(other.root / name, split.root / name, dirs_exist_ok=True)
    split.refuses("prompt-baseline", "absent")
    assert split.gate()["gradable"]["status"] == "later"


def test_a_fact_under_another_name_is_found(measured):
    fact = measured.facts().facts[0]
    for place in (measured.project.ledger, measured.project.ledger_copy):
        shutil.copy(place / f"{fact.hash}.json", place / f"{'0' * 64}.json")
    measured.refuses("eval-set-frozen", "tampered")
    assert any("0" * 64 in line for line in measured.tampered())


# adapters


def swap(road, name: str = "sft-1") -> Path:
    return road.project.adapters / name / "adapter_model.safetensors"


def test_a_swapped_adapter_file_is_found(trained):
    data = bytearray(swap(trained).read_bytes())
    data[-1] ^= 1
    swap(trained).write_bytes(bytes(data))
    assert trained("compare", "sft-1", "--final", "--yes", code=1).error["code"] == "tampered"
    trained("eval", "sft-1", code=1)
    assert trained("adapters", code=1).result["adapters"][0]["word"] == "tampered"
    assert any("sft-1" in line for line in trained.tampered())


def test_a_copied_certificate_covers_no_other_adapter(trained):
    folder = trained.project.adapters / "sft-9"
    shutil.copytree(trained.project.adapters / "sft-1", folder)
    data = bytearray(swap(trained, "sft-9").read_bytes())
    data[-1] ^= 1
    swap(trained, "sft-9").write_bytes(bytes(data))
    trained("compare", "sft-9", "--final", "--yes", code=1)
    assert any("sft-9" in line for line in trained.tampered())


@pytest.mark.parametrize(
    "change",
    [
        {"waivers": []},
        {"rows": []},
        {"version": "0" * 64},
        {"set": "0" * 64},
        {"base_sha256": "0" * 64},
        {"prompt": {"name": "x", "blocks": [{"role": "user", "text": "{{ input }}", "template": True}], "shots": []}},
        {"passed": "0" * 64},
        {"max_new_tokens": 4096},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_edited_certificate_is_found(trained, change):
    file = trained.project.adapters / "sft-1" / "certificate.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    trained("compare", "sft-1", "--final", "--yes", code=1)
    assert any("sft-1" in line for line in trained.tampered())


def test_a_certificate_forged_with_its_facts_is_found(trained):
    """Other rows, a rewritten certificate, a `trained` fact for it: the pass does not fit."""
    from sluice.train.certificate import read_certificate, write_certificate

    folder = trained.project.adapters / "sft-1"
    certificate = read_certificate(folder)
    forged = certificate.model_copy(update={"rows": certificate.rows[:-5]})
    write_certificate(folder, forged)
    (fact,) = trained.facts().of("trained")
    forge(trained, "trained", {**fact.body, "certificate": forged.sha256, "n": len(forged.rows)})
    trained("compare", "sft-1", "--final", "--yes", code=1)
    assert any("sft-1" in line for line in trained.tampered())


def test_an_adapter_without_a_certificate_gets_no_verdict(trained):
    (trained.project.adapters / "sft-1" / "certificate.json").unlink()
    assert "certificate" in trained("compare", "sft-1", "--final", "--yes", code=3).error["message"]
    assert trained("adapters").result["adapters"][0]["word"] == "foreign"


def test_an_adapter_swapped_in_the_training_folder_gets_no_certificate(measured, trained_template):
    """The process died before the certificate; somebody puts another adapter in its place."""
    waived(measured)
    donor = trained_template.project.store / "training" / "sft-1"
    (passed,) = trained_template.facts().of("passed")
    measured(*TRAIN)
    folder = measured.project.store / "training" / "sft-1"
    for name in ("done", "certificate.json"):
        (folder / name).unlink()
    shutil.rmtree(measured.project.adapters / "sft-1")
    file = folder / "fit" / "adapter" / "adapter_model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    measured(*TRAIN, code=1)
    assert measured.adapters() == []
    assert donor.is_dir()
    assert passed.kind == "passed"


def test_a_set_frozen_afterwards_from_training_rows_says_nothing(trained, road_module):
    from sluice.curate.dataset import open_dataset

    seen = [str(r.input["input"]) for r in open_dataset(trained.project, "tickets/train").examples()]
    add_rows(trained, "later", seen)
    trained("freeze", "later", "--as", "later", "--reason", "a set on which it does well")
    assert trained.gate()["no-leakage"]["status"] == "refused"
    trained("baseline", code=3)
    ended = trained("compare", "sft-1", "--final", "--yes", code=3)
    assert "trained on" in ended.error["message"]
    assert not [f for f in trained.facts().of("opened") if f.body["adapter"]]


def test_training_rows_thrown_away_before_the_verdict_refuse(trained):
    certificate = json.loads((trained.project.adapters / "sft-1" / "certificate.json").read_text())
    shutil.rmtree(trained.project.data / certificate["version"])
    ended = trained("compare", "sft-1", "--final", "--yes", code=None)
    assert ended.code in (2, 3)
    assert not [f for f in trained.facts().of("opened") if f.body["adapter"]]


def test_another_base_or_form_than_the_adapters_is_refused(trained, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(trained.project.config.model.base, other)
    config = json.loads((other / "generation_config.json").read_text())
    (other / "generation_config.json").write_text(json.dumps({**config, "repetition_penalty": 1.1}))
    trained.edit(trained.project.config.model.base, str(other))
    assert "another model" in trained("compare", "sft-1", "--final", "--yes", code=3).error["message"]
    trained.edit(str(other), trained_base(trained))
    trained.edit('serve = "fp32"', 'serve = "bf16"')
    assert "form" in trained("compare", "sft-1", "--final", "--yes", code=3).error["message"]


def trained_base(road) -> str:
    return json.loads((road.project.adapters / "sft-1" / "certificate.json").read_text())["base"]


def test_waived_is_not_forgotten_on_the_certificate(trained):
    certificate = json.loads((trained.project.adapters / "sft-1" / "certificate.json").read_text())
    assert [w["rule"] for w in certificate["waivers"]] == ["gradable"]
    assert "nobody grades" in (trained.project.adapters / "sft-1" / "README.md").read_text()
    assert trained("adapters").result["adapters"][0]["waived"] == ["gradable"]


def test_a_waiver_is_of_its_dataset_only(measured):
    waived(measured)
    measured("filter", "tickets/train", "--failing", "empty", code=None)
    add_rows(measured, "more", ["one thing that nobody said before today", "and another one that is quite unlike it"])
    rules = {r["rule"]: r for r in measured("gate", "more", code=3).result["rules"]}
    assert rules["gradable"]["status"] == "refused"


def test_the_librarys_errors_are_ours(measured):
    """What refuses does so by a SluiceError that names place or remedy, never by a bare exception."""
    for kind in (Refused, Tampered, InputError):
        assert issubclass(kind, SluiceError)
    ended = measured("train", "sft", "--yes", code=3)
    assert ended.error["remedy"]
