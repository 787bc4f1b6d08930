"""Several processes in one project, and two copies of it that go apart and are merged by real git: nothing is lost."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from support import git, tiny_road

from sluice.core.files import read_lines
from sluice.curate.dataset import open_dataset, versions

pytestmark = [pytest.mark.model, pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")]
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed here")


def right_words(road) -> list[str]:
    """Return how each of the thirty answers is graded by somebody who knows the targets: 1=r, 2=w, ..."""
    targets = {
        json.loads(line)["input"]: json.loads(line)["target"]
        for line in (road.root / "rows.jsonl").read_text().splitlines()
    }
    listed = road("grade", "--list").result["items"]
    return [f"{i['number']}={'r' if i['answer'] == targets[i['input']['input']] else 'w'}" for i in listed]


def test_processes_that_add_label_and_freeze_at_once_lose_nothing(measured, forked):
    road = measured
    for seed, name in enumerate(("safety", "tone"), start=20):
        tiny_road.write_rows(road.root / f"{name}.jsonl", tiny_road.words(seed, 24))
        road("add", name, f"{name}.jsonl")
    texts = {
        f"{name}-{i}": tiny_road.words(30 + 2 * k + i, 40) for k, name in enumerate(("one", "two")) for i in (0, 1)
    }
    for file, some in texts.items():
        tiny_road.write_rows(road.root / f"{file}.jsonl", some)
    words = right_words(road)
    before = {f.hash for f in road.facts().facts}
    commands = [
        ("add", "one", "one-0.jsonl"),
        ("grade", "--by", "ana", "--words", ",".join(words[:15])),
        ("freeze", "safety", "--guard"),
        ("add", "two", "two-0.jsonl"),
        ("grade", "--by", "ana", "--words", ",".join(words[15:])),
        ("add", "one", "one-1.jsonl"),
        ("freeze", "tone", "--guard"),
        ("grade", "--by", "ben", "--words", ",".join(words)),
        ("add", "two", "two-1.jsonl"),
    ]
    for argv, ended in zip(commands, forked.together(commands, road.root), strict=True):
        assert ended.code == 0, (argv, ended.stderr)

    for name in ("one", "two"):
        inputs = {row.input["input"] for row in open_dataset(road.project, name).examples()}
        assert inputs == {*texts[f"{name}-0"], *texts[f"{name}-1"]}
        assert [v.number for v in versions(road.project, name)] == [1, 2]
    facts = road.facts()
    assert facts.problems == ()
    assert before <= {f.hash for f in facts.facts}
    for name in ("safety", "tone"):
        frozen = facts.of("frozen", name=name)
        assert len(frozen) == 1
        assert len(facts.of("claimed", set=frozen[0].body["set"])) == 1
    records = [r for file in road.project.decisions.glob("*.jsonl") for r in read_lines(file)]
    for by in ("ana", "ben"):
        mine = [r for r in records if r["by"] == by]
        assert (len(mine), len({r["item"] for r in mine})) == (30, 30)
        assert {f.body["controls_right"] for f in facts.of("graded", by=by)} == {10}
    assert road.gate()["gradable"]["status"] == "ok"
    assert road.tampered() == []


@needs_git
def test_copies_that_were_graded_and_opened_apart_are_merged_and_all_of_it_counts(measured, tmp_path):
    one = measured
    git.git(one.root, "init", "-q")
    git.commit(one.root, "measured")
    shared = {f.hash for f in one.facts().facts}
    two = one.copy(tmp_path / "two")
    for copy, by, seed in ((one, "ana", "0"), (two, "ben", "1")):
        copy("grade", "--by", by, "--words", ",".join(right_words(copy)))
        copy.train("--seed", seed)
        alone = copy("compare", "sft-1", "--final", "--yes", code=None)
        assert alone.result["comparison"]["verdict"]["openings"] == 1
        git.commit(copy.root, by)
    apart = {f.hash for copy in (one, two) for f in copy.facts().facts}

    git.merge(one.root, two.root)
    facts = one.facts()
    assert {f.hash for f in facts.facts} == apart
    assert facts.problems == ()
    assert facts.uncommitted == ()
    opened = [f for f in facts.of("opened") if f.body.get("adapter")]
    assert len({f.body["adapter"] for f in opened}) == 2
    assert not {f.hash for f in opened} & shared
    again = one("compare", "sft-1", "--final", code=None)
    verdict = again.result["comparison"]["verdict"]
    assert verdict["openings"] == 2, "both openings count, though one was allowed: each is judged at alpha / 2"
    assert verdict["level"] == pytest.approx(1 - 0.05 / 2)
    one.train("--seed", "2")
    spent = one("compare", one.adapters()[-1], "--final", "--yes", code=3)
    assert "opening" in spent.error["message"]
    assert {f.body["by"] for f in facts.of("graded")} == {"ana", "ben"}
    items = {(r["by"], r["item"]) for file in one.project.decisions.glob("*.jsonl") for r in read_lines(file)}
    assert len(items) == 60
    assert one.gate()["gradable"]["status"] == "ok"


@needs_git
def test_sets_that_were_frozen_apart_under_one_name_are_asked_about(split, tmp_path):
    one = split
    git.git(one.root, "init", "-q")
    git.commit(one.root, "split")
    two = one.copy(tmp_path / "two")
    two.add_rows("tickets/eval", tiny_road.words(77, 1))
    sets = {}
    for copy in (one, two):
        sets[copy.root] = copy("freeze").result["set"]
        git.commit(copy.root, "frozen")
    assert len(set(sets.values())) == 2

    git.merge(one.root, two.root)
    assert len(one.facts().of("frozen")) == 2
    found = one.gate()["eval-set-frozen"]
    assert found["status"] == "refused"
    assert "freeze --keep" in found["fix"]
    one("baseline", code=3)
    kept = sets[one.root]
    one("freeze", "--keep", kept[:8], "--reason", "the one that both of us have read")
    assert [f.body["set"] for f in one.facts().of("chosen")] == [kept]
    assert one.gate()["eval-set-frozen"]["status"] == "ok"
    git.commit(one.root, "chosen")
    git.merge(two.root, one.root)
    assert two.gate()["eval-set-frozen"]["status"] == "ok", "who merges is not asked again"
    assert one.tampered() == []
