"""The whole road on a tiny model: refused, opened, trained, judged; repeated, cut, killed, and gone on with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
    judged(*TRAIN)
    assert judged.adapters() == ["sft-1", "sft-2"]
    assert adapter_bytes(judged, "sft-1") == adapter_bytes(judged, "sft-2")
    again = judged("compare", "sft-2", "--final", "--yes", code=None)
    assert again.code in (1, 4), "equal bytes under an equal prompt are one candidate, and no second opening"
    assert len({f.body["spec"] for f in judged.facts().of("opened") if f.body["adapter"]}) == 1


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


def test_plan_eval_and_regress_say_what_they_found_and_open_nothing(trained, road_module):
    planned = trained("plan").result
    assert (planned["rows"], planned["overlong"], planned["steps"]) == (30, 0, 2)
    assert [p["trained"] for p in planned["samples"][0]["pieces"]] == [False, True]
    assert trained("eval", "base").result["rate"]["n"] == 22
    runs = {r.id for r in all_runs(trained.project)}
    assert trained("eval", "sft-1").result["on"] == "dev"
    assert {r.id for r in all_runs(trained.project)} == runs, "train measured it on dev already"
    unchanged = trained("regress", "base", "--margin", "0.1").result
    assert (unchanged["word"], unchanged["exit_code"]) == ("unchanged", 0)
    trained("regress", "base", code=2)  # no margin is given and none is written down
    trained.add_rows("watch", road_module.words(8, 30))
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


# kill -9: every verb leaves the old state or the new one, and the same command then comes to its end

VERBS = {
    "add": ("empty", ("add", "tickets", "rows.jsonl")),
    "dedup": ("added", ("dedup", "tickets")),
    "split": ("added", ("split", "tickets", "--eval", "24", "--dev", "22")),
    "freeze": ("split", ("freeze",)),
    "baseline": ("frozen", ("baseline",)),
    "train": ("waived", TRAIN),
}
NEW = {
    "add": lambda road: "tickets" in json.dumps(road("ls").result),
    "dedup": lambda road: "tickets" in json.dumps(road("ls").result),
    "split": lambda road: "tickets/eval" in json.dumps(road("ls").result),
    "freeze": lambda road: len(road.facts().of("frozen")) == len(road.facts().of("claimed")) == 1,
    "baseline": lambda road: road.gate()["prompt-baseline"]["status"] == "ok" and len(road.facts().of("baseline")) == 1,
    # killed while the new adapter was measured, it is whole, and the same command trains the next one
    "train": lambda road: (
        road.adapters() in (["sft-1"], ["sft-1", "sft-2"]) and len(road.facts().of("trained")) == len(road.adapters())
    ),
}


@pytest.fixture(scope="session")
def before_each_verb(split_template, measured_template, tmp_path_factory, road_module):
    """Projects as they are before each verb of VERBS."""
    root = tmp_path_factory.mktemp("before")
    empty = road_module.Tiny(root / "empty")
    empty.root.mkdir()
    for name in ("sluice.toml", "rubric.md", "rows.jsonl"):
        shutil.copy(split_template.root / name, empty.root / name)
    added = empty.copy(root / "added")
    added("add", "tickets", "rows.jsonl")
    frozen = split_template.copy(root / "frozen")
    frozen("freeze")
    waived = measured_template.copy(root / "waived")
    waived("waive", "gradable", "--reason", road_module.WAIVED, "--by", "test")
    return {"empty": empty, "added": added, "split": split_template, "frozen": frozen, "waived": waived}


def pull(verb: str, before, forked, folder: Path, *, at: int = 0, seconds: float = 0) -> bool:
    """Kill a verb, check what it left behind, run it again to its end; return whether it was killed at all."""
    state, argv = VERBS[verb]
    road = before[state].copy(folder / f"{verb}-{at}-{seconds}")
    old = {f.hash for f in road.facts().facts}
    ended = forked(argv, road.root, at=at, seconds=seconds)
    if not seconds:
        assert ended.killed, ended.stderr
    facts = road.facts()
    assert facts.problems == ()
    assert old <= {f.hash for f in facts.facts}, "no fact is lost"
    assert road.tampered() == []
    road("status")
    road(*argv)
    assert NEW[verb](road)
    assert road.tampered() == []
    with road.project.staging.job() as job:
        assert [p for p in job.parent.iterdir() if p.is_dir()] == [job], "the next writer clears what the dead left"
    shutil.rmtree(road.root)
    return ended.killed


def points(verb: str, before, forked, folder: Path) -> int:
    """Return how many fsyncs a verb makes."""
    state, argv = VERBS[verb]
    road = before[state].copy(folder / f"{verb}-whole")
    ended = forked(argv, road.root)
    assert ended.code == 0, ended.stderr
    shutil.rmtree(road.root)
    return ended.syncs


@pytest.mark.parametrize("verb", ["freeze", "baseline", "train"])
def test_a_killed_verb_leaves_a_usable_project(verb, before_each_verb, forked, tmp_path):
    n = points(verb, before_each_verb, forked, tmp_path)
    assert n > 10
    for at in (n // 3, 2 * n // 3):
        pull(verb, before_each_verb, forked, tmp_path, at=at)


@pytest.mark.long
@pytest.mark.parametrize(
    ("verb", "kills"), [("add", 15), ("dedup", 10), ("split", 15), ("freeze", 17), ("baseline", 25), ("train", 22)]
)
def test_killed_at_fault_points_of_every_verb(verb, kills, before_each_verb, forked, tmp_path):
    n = points(verb, before_each_verb, forked, tmp_path)
    chosen = sorted({1 + round(i * (n - 1) / (kills - 1)) for i in range(kills)})
    assert len(chosen) >= min(kills, n)
    for at in chosen:
        assert pull(verb, before_each_verb, forked, tmp_path, at=at)


@pytest.mark.long
@pytest.mark.parametrize("verb", ["baseline", "train"])
def test_killed_at_any_moment(verb, before_each_verb, forked, tmp_path):
    killed = [pull(verb, before_each_verb, forked, tmp_path, seconds=0.3 + 0.25 * i) for i in range(8)]
    assert any(killed)


def test_a_run_folder_that_was_only_begun_is_gone_on_with(measured):
    """A process that died between run.json and the first answer, before any fact was written."""
    for fact in measured.facts().facts:
        if fact.kind not in ("frozen", "claimed"):
            for folder in (measured.project.ledger, measured.project.ledger_copy):
                (folder / f"{fact.hash}.json").unlink()
    run = next(r for r in all_runs(measured.project) if r.spec.on == "dev")
    for name in ("closed.json", "answers.jsonl"):
        (run.folder / name).unlink()
    measured("baseline")
    assert Run(run.folder).closed is not None
    assert Ledger(measured.project).read().problems == ()
