"""Verbs that are killed with SIGKILL: each leaves the old state or the new one, and the same command goes on."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from pathlib import Path

import pytest
from support import tiny_road

pytestmark = [pytest.mark.model, pytest.mark.skipif(not hasattr(os, "fork"), reason="forks and POSIX kills")]
TRAIN = ("train", "sft", "--yes", "--batch", "8", "--rank", "4")
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
    "train": lambda road: road.adapters() == ["sft-1"] and len(road.facts().of("trained")) == 1,
}


@pytest.fixture(scope="session")
def before_each_verb(split_template, measured_template, tmp_path_factory):
    """Projects as they are before each verb of VERBS."""
    root = tmp_path_factory.mktemp("before")
    empty = tiny_road.Tiny(root / "empty")
    empty.root.mkdir()
    for name in ("sluice.toml", "rubric.md", "rows.jsonl"):
        shutil.copy(split_template.root / name, empty.root / name)
    added = empty.copy(root / "added")
    added("add", "tickets", "rows.jsonl")
    frozen = split_template.copy(root / "frozen")
    frozen("freeze")
    waived = measured_template.copy(root / "waived")
    waived("waive", "gradable", "--reason", tiny_road.WAIVED, "--by", "test")
    return {"empty": empty, "added": added, "split": split_template, "frozen": frozen, "waived": waived}


def pull(verb: str, before, forked, folder: Path, *, at: int = 0, seconds: float = 0) -> bool:
    """Kill a verb, check what it left behind, run it again to its end; return whether it was killed at all.

    One that asks a model makes some fsyncs more or less from run to run: it may end before its last fault points.
    """
    state, argv = VERBS[verb]
    road = before[state].copy(folder / f"{verb}-{at}-{seconds}")
    old = {f.hash for f in road.facts().facts}
    ended = forked(argv, road.root, at=at, seconds=seconds)
    assert ended.killed or ended.code == 0, ended.stderr
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
        assert pull(verb, before_each_verb, forked, tmp_path, at=at)


@pytest.mark.parametrize("verb", ["add", "dedup", "split", "freeze"])
def test_killed_at_random(verb, before_each_verb, forked, tmp_path):
    """At a fault point and at two moments that differ from run to run; what is held is held wherever it dies."""
    started = time.monotonic()
    n = points(verb, before_each_verb, forked, tmp_path)
    took = time.monotonic() - started
    draw = random.SystemRandom()
    assert pull(verb, before_each_verb, forked, tmp_path, at=draw.randint(1, n))
    for _ in range(2):
        pull(verb, before_each_verb, forked, tmp_path, seconds=draw.uniform(0.01, took))


@pytest.mark.long
@pytest.mark.parametrize(
    ("verb", "kills"), [("add", 15), ("dedup", 10), ("split", 15), ("freeze", 17), ("baseline", 25), ("train", 22)]
)
def test_killed_at_fault_points_of_every_verb(verb, kills, before_each_verb, forked, tmp_path):
    n = points(verb, before_each_verb, forked, tmp_path)
    chosen = sorted({1 + round(i * (n - 1) / (kills - 1)) for i in range(kills)})
    assert len(chosen) >= min(kills, n)
    killed = [pull(verb, before_each_verb, forked, tmp_path, at=at) for at in chosen]
    assert sum(killed) >= len(chosen) - 2
    assert all(killed[: len(chosen) // 2])


@pytest.mark.long
@pytest.mark.parametrize("verb", ["baseline", "train"])
def test_killed_at_any_moment(verb, before_each_verb, forked, tmp_path):
    killed = [pull(verb, before_each_verb, forked, tmp_path, seconds=0.3 + 0.25 * i) for i in range(8)]
    assert any(killed)
