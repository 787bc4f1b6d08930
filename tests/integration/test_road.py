"""The whole road on a tiny model: refused, opened, trained, judged; repeated, cut, killed, and gone on with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import tiny_road

from sluice.core.ledger import Ledger
from sluice.core.runs import Run, all_runs

pytestmark = [pytest.mark.model, pytest.mark.skipif(not hasattr(os, "fork"), reason="forks and POSIX kills")]
TRAIN = ("train", "sft", "--yes", "--batch", "8", "--rank", "4")


def kinds(road) -> list[str]:
    """Return the kinds of all facts, sorted."""
    return sorted(f.kind for f in road.facts().facts)


def files(road) -> dict[str, bytes]:
    """Return every file of the project by its bytes, but for the catalogue (a cache) and locks."""
    return {
        str(p.relative_to(road.root)): p.read_bytes()
        for p in sorted(road.root.rglob("*"))
        if p.is_file() and "store.duckdb" not in p.name and p.suffix not in (".lock", ".owner")
    }


def adapter_bytes(road, name: str = "sft-1") -> bytes:
    return (road.project.adapters / name / "adapter_model.safetensors").read_bytes()


# refused first, then open


def test_each_step_before_the_road_is_open_is_refused_and_writes_nothing(split):
    before = files(split)
    for argv, missing in (
        (("train", "sft", "--yes"), "eval-set-frozen"),
        (("gate",), "eval-set-frozen"),
    ):
        ended = split(*argv, code=3)
        assert missing in ended.error["message"]
    split("baseline", code=3)
    split("grade", "--list", code=3)
    split("waive", "gradable", "--reason", "nobody has the time", "--by", "x", code=3)
    split("eval", "base", code=3)
    split("compare", "sft-1", "--final", "--yes", code=2)
    assert files(split) == before

    split("freeze")
    frozen = files(split)
    ended = split("train", "sft", "--yes", code=3)
    assert {r["rule"] for r in ended.result["rules"] if r["status"] != "ok"} >= {"prompt-baseline", "gradable"}
    assert files(split) == frozen
    assert split.adapters() == []


def test_the_road_to_a_verdict(measured):
    rules = measured.gate()
    assert [r for r, found in rules.items() if found["status"] == "refused"] == ["gradable"]
    measured("train", "sft", "--yes", code=3)
    measured("waive", "gradable", "--reason", "nobody grades in a test", "--by", "ana")
    assert "nobody grades in a test (ana)" in measured.gate()["gradable"]["waiver"]
    trained = measured(*TRAIN).result
    assert trained["adapter"] == "sft-1"
    assert trained["result"]["samples"] == 30
    assert trained["dev"]["on"] == "dev"

    cost = measured("compare", "sft-1", "--final", code=2).error  # asks, and nobody is there to answer
    assert "--yes" in cost["remedy"]
    assert not [f for f in measured.facts().of("opened") if f.body["adapter"]]
    judged = measured("compare", "sft-1", "--final", "--yes", code=None)
    assert judged.code in (1, 4), "junk is never better"
    comparison = judged.result["comparison"]
    assert comparison["verdict"]["n"] == 24
    assert judged.result["opening"] == judged.result["allowed"] == 1
    assert judged.result["waived"] == ["gradable"]
    assert measured.tampered() == []
    kept = ["adapter", "answers", "scores", "spec"]
    (fact,) = (f for f in measured.facts().of("evaluated") if f.body["adapter"] and f.body["on"] == "set")
    assert all(len(fact.body[key]) == 64 for key in kept)
    told = json.dumps(measured("log").result)
    assert all(kind in told for kind in ("frozen", "baseline", "waived", "passed", "trained", "opened", "evaluated"))


def test_under_strict_every_rule_is_listed_and_the_gate_can_be_opened(measured):
    measured.edit("[model]", "[gate]\nstrict = true\n\n[model]")
    closed = measured("gate", code=3)
    assert len(closed.result["rules"]) == 12
    refused = [r for r in closed.result["rules"] if r["status"] == "refused"]
    assert [r["rule"] for r in refused] == ["gradable", "train-size", "resolvable", "ladder", "label-agreement"]
    assert all(r["fix"] for r in refused)
    assert "5 of 12" in closed.error["message"]
    measured.edit('metric = "exact"', 'metric = "exact"\nneeds = []')
    for rule in ("gradable", "train-size", "resolvable", "label-agreement"):
        measured("waive", rule, "--reason", tiny_road.WAIVED, "--by", "ana")
    measured(*TRAIN)
    card = (measured.project.adapters / "sft-1" / "README.md").read_text()
    assert "label-agreement" in card.split("Waived:")[1].split("\n")[0]
    assert measured.tampered() == []


def test_grading_by_words_satisfies_gradable(measured):
    listed = measured("grade", "--list").result["items"]
    assert len(listed) == 30
    assert all("source" not in item and "expected" not in item for item in listed), "whose answer it is stays hidden"
    targets = {
        json.loads(line)["input"]: json.loads(line)["target"]
        for line in (measured.root / "rows.jsonl").read_text().splitlines()
    }
    words = {i["number"]: "r" if i["answer"] == targets[i["input"]["input"]] else "w" for i in listed}
    first = ",".join(f"{n}={w}" for n, w in words.items() if n <= 10)
    rest = ",".join(f"{n}={w}" for n, w in words.items() if n > 10)
    part = measured("grade", "--by", "ana", "--words", first).result
    assert (part["done"], part["of"], part["fact"]) == (10, 30, None)
    assert measured.gate()["gradable"]["word"] == "absent"
    whole = measured("grade", "--by", "ana", "--words", rest).result
    assert whole["holds"]
    assert whole["controls_right"] == 10
    assert measured.gate()["gradable"]["status"] == "ok"
    wrong = ",".join(f"{n}={'w' if w == 'r' else 'r'}" for n, w in words.items())
    assert not measured("grade", "--by", "bob", "--words", wrong, code=4).result["holds"]
    assert measured.gate()["gradable"]["status"] == "ok", "another person's bad grading takes nothing away"


# repeated verbs are safe


def test_repeated_verbs_make_nothing_new(judged):
    before, runs = kinds(judged), {r.id for r in all_runs(judged.project)}
    assert judged("freeze").result["already"]
    judged("baseline")
    again = judged("compare", "sft-1", "--final", "--yes", code=None)
    assert again.code in (1, 4)
    assert again.result["opening"] == 1
    judged("compare", "sft-1", "--final", code=None)  # looking again asks nothing
    judged("compare", "sft-1")
    assert kinds(judged) == before
    assert {r.id for r in all_runs(judged.project)} == runs


def test_the_same_training_again_is_the_same_candidate(judged):
    """As where the adapter was lost, trained anew, and found again."""
    shutil.move(judged.project.adapters / "sft-1", judged.root / "elsewhere")
    judged(*TRAIN)
    shutil.move(judged.root / "elsewhere", judged.project.adapters / "sft-1")
    assert judged.adapters() == ["sft-1", "sft-2"]
    assert adapter_bytes(judged, "sft-1") == adapter_bytes(judged, "sft-2")
    again = judged("compare", "sft-2", "--final", "--yes", code=None)
    assert again.code in (1, 4), "equal bytes under an equal prompt are one candidate, and no second opening"
    assert len({f.body["spec"] for f in judged.facts().of("opened") if f.body["adapter"]}) == 1


def test_the_same_training_again_gives_the_adapter_that_is_there(trained):
    """As after a process that died while it measured the adapter on dev."""
    again = trained.train().result
    assert (again["adapter"], trained.adapters()) == ("sft-1", ["sft-1"])
    assert len(trained.facts().of("trained")) == 1
    assert trained.train("--seed", "1").result["adapter"] == "sft-2"
    weights = trained.project.adapters / "sft-1" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"oops")
    assert trained.train().result["adapter"] == "sft-3"


def test_the_pass_says_in_which_form_is_trained(trained):
    (passed,) = trained.facts().of("passed")
    (made,) = trained.facts().of("trained")
    assert passed.body["training_form"] == made.body["training_form"]
    trained.forge("trained", {**made.body, "training_form": "bfloat16"})
    assert any("training_form" in line for line in trained.tampered())


def test_a_cut_baseline_goes_on_where_it_was(measured):
    run = next(r for r in all_runs(measured.project) if r.spec.on == "tickets")
    whole = run.answers()
    lines = (run.folder / "answers.jsonl").read_bytes().splitlines(keepends=True)
    (run.folder / "closed.json").unlink()
    (run.folder / "answers.jsonl").write_bytes(b"".join(lines[:9]) + lines[9][:20])
    assert measured.gate()["prompt-baseline"]["status"] == "refused"
    before = {r.id for r in all_runs(measured.project)}
    measured("baseline")
    assert {r.id for r in all_runs(measured.project)} == before
    assert {k: a.text for k, a in run.answers().items()} == {k: a.text for k, a in whole.items()}
    kept = (run.folder / "answers.jsonl").read_bytes().splitlines(keepends=True)
    assert kept[:9] == lines[:9], "what was answered is not asked again"
    assert measured.gate()["prompt-baseline"]["status"] == "ok"
    assert measured.tampered() == []


def test_a_lost_run_is_measured_again(measured):
    for run in all_runs(measured.project):
        shutil.rmtree(run.folder)
    found = measured.gate()["prompt-baseline"]
    assert (found["status"], found["word"]) == ("refused", "absent")
    measured("baseline")
    assert measured.gate()["prompt-baseline"]["status"] == "ok"
    measured("verify")


def test_a_cut_verdict_goes_on_and_is_no_second_opening(judged):
    run = next(r for r in all_runs(judged.project) if r.spec.on == "tickets" and r.spec.adapter)
    lines = (run.folder / "answers.jsonl").read_bytes().splitlines(keepends=True)
    (run.folder / "closed.json").unlink()
    (run.folder / "answers.jsonl").write_bytes(b"".join(lines[:5]))
    again = judged("compare", "sft-1", "--final", "--yes", code=None)
    assert again.code in (1, 4)
    assert len([f for f in judged.facts().of("opened") if f.body["adapter"]]) == 1
    assert judged.tampered() == []


def test_an_interrupted_training_goes_on_from_its_checkpoint(trained):
    """The very library call of `train sft`, with a checkpoint at each step and Ctrl-C at the third."""
    from sluice.evalsuite.asking import Form
    from sluice.evalsuite.models.identity import ModelFiles
    from sluice.train.recipes.config import SftConfig
    from sluice.train.recipes.spine import Order, run

    base = trained.project.config.model.base
    files_, form = ModelFiles(base, Path(base)), Form("float32", None, "cpu", 1)
    config = SftConfig(rank=4, alpha=8.0, batch=4, checkpoint_steps=1, seed=7)
    order = Order("tickets/train", "sft", config, form, form)
    copy = trained.copy(trained.root.parent / "uninterrupted")
    straight = run(copy.project, order, files_)

    def stop(what: str, done: int, total: int) -> None:
        if what == "training" and done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(trained.project, order, files_, progress=stop)
    assert trained.adapters() == ["sft-1"]
    again = run(trained.project, order, files_)
    assert again.id == straight.id == "sft-2"
    assert again.result.resumed_from >= 2
    assert again.result.losses == straight.result.losses
    assert again.certificate.adapter == straight.certificate.adapter
    assert len(trained.facts().of("passed")) == 2
    assert trained.tampered() == []


# the other verbs of the road


def test_plan_eval_and_regress_say_what_they_found_and_open_nothing(trained):
    planned = trained("plan").result
    assert (planned["rows"], planned["overlong"], planned["steps"]) == (30, 0, 2)
    trained_pieces = [p["trained"] for p in planned["samples"][0]["pieces"]]
    assert trained_pieces == [*[False] * (len(trained_pieces) - 1), True]
    assert trained("eval", "base").result["rate"]["n"] == 22
    runs = {r.id for r in all_runs(trained.project)}
    assert trained("eval", "sft-1").result["on"] == "dev"
    assert {r.id for r in all_runs(trained.project)} == runs, "train measured it on dev already"
    unchanged = trained("regress", "base", "--margin", "0.1").result
    assert (unchanged["word"], unchanged["exit_code"]) == ("unchanged", 0)
    trained("regress", "base", code=2)  # no margin is given and none is written down
    trained.add_rows("watch", tiny_road.words(8, 30))
    assert trained("freeze", "watch", "--guard").result["guard"]
    assert trained("regress", "base", "--on", "watch", "--margin", "0.1").result["word"] == "recorded"
    found = trained("regress", "sft-1", "--on", "watch", "--margin", "0.1", code=None)
    assert found.code in (0, 1, 4)
    assert found.result["comparison"]["verdict"]["n"] == 30
    trained("eval", "sft-1", "--on", "watch")
    assert not [f for f in trained.facts().of("opened") if f.body["adapter"]]
    assert trained.tampered() == []


def test_a_changed_model_is_held_against_the_one_that_was_measured(measured, tmp_path):
    """Another file that the loader reads, the same weights: another model by its hash, the same by its answers."""
    other = tmp_path / "other"
    shutil.copytree(measured.project.config.model.base, other)
    (other / "special_tokens_map.json").write_text("{}")
    measured.edit(measured.project.config.model.base, str(other))
    assert measured.gate()["prompt-baseline"]["status"] == "refused"
    found = measured("regress", "base", "--margin", "0.1").result
    assert (found["word"], found["exit_code"]) == ("unchanged", 0)


def test_a_claim_against_a_reference_is_judged_beside_the_best_prompt(measured):
    rows = measured.eval_rows()
    answers = "".join(json.dumps({"row": r["row"], "answer": r["target"]}) + "\n" for r in rows)
    (measured.root / "answers.jsonl").write_text(answers)
    rate = measured("baseline", "reference", "prod", "--answers", "answers.jsonl").result["rate"]
    assert rate["estimate"] == 1.0
    measured.edit("openings = 1", 'openings = 1\nagainst = "reference:prod"')
    measured("freeze", "--reason", "production is what it must beat")
    measured.waive()
    measured.train()
    judged = measured("compare", "sft-1", "--final", "--yes", code=1)
    assert judged.result["against_reference"]["verdict"]["word"] == "worse", "junk against right answers"
    assert judged.result["against_reference"]["baseline"]["label"] == "reference prod"
    assert measured.tampered() == []


# a user's own files


def test_a_users_own_files_with_our_names_do_not_matter(measured):
    trap = "raise SystemExit('a file of the user was imported')\n"
    for name in ("train.py", "curate.py", "evalsuite.py", "sluice_core.py"):
        (measured.root / name).write_text(trap)
    for name in ("datasets", "evaluate"):
        (measured.root / name).mkdir()
        (measured.root / name / "__init__.py").write_text(trap)
    done = subprocess.run(
        [sys.executable, "-m", "sluice", "gate", "--json"],
        cwd=measured.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    rules = {r["rule"]: r["status"] for r in json.loads(done.stdout)["result"]["rules"]}
    assert rules["prompt-baseline"] == "ok"
    (measured.root / "train.py").write_text("import sluice\nprint(sluice.Project('.').datasets())\n")
    script = subprocess.run(
        [sys.executable, "train.py"], cwd=measured.root, capture_output=True, text=True, check=False
    )
    assert "tickets/train" in script.stdout, script.stderr


def test_a_run_folder_that_was_only_begun_is_gone_on_with(measured):
    """A process that died between run.json and the first answer, before any fact was written."""
    for fact in measured.facts().facts:
        if fact.kind not in ("frozen", "claimed"):
            for folder in (measured.project.ledger, measured.project.ledger_copy):
                (folder / f"{fact.hash}.json").unlink()
    for asked in all_runs(measured.project):
        if asked.spec.on != "dev":
            shutil.rmtree(asked.folder)
    run = next(r for r in all_runs(measured.project) if r.spec.on == "dev")
    for later in all_runs(measured.project):
        if later.spec.on != "dev":
            shutil.rmtree(later.folder)
    for name in ("closed.json", "answers.jsonl"):
        (run.folder / name).unlink()
    measured("baseline")
    assert Run(run.folder).closed is not None
    assert Ledger(measured.project).read().problems == ()
