"""forget on a trained and judged project: what is left goes on, and the next call finishes one that was killed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import polars as pl
import pytest

from sluice.curate.dataset import open_dataset
from sluice.curate.privacy.erasure import pending

pytestmark = [pytest.mark.model, pytest.mark.skipif(not hasattr(os, "fork"), reason="forks and POSIX kills")]
WHY = ("--reason", "asked for on 1 May", "--yes")


def held(road: Any, words: list[str]) -> list[str]:
    """Which files below the project hold any of some words, Parquet read, too; the person's own file apart."""
    found: list[str] = []
    for file in sorted(road.root.rglob("*")):
        if not file.is_file() or ".git" in file.parts or file.parent == road.root:
            continue
        data = file.read_bytes()
        if file.suffix == ".parquet":
            data += json.dumps(pl.read_parquet(file).to_dicts(), ensure_ascii=False).encode()
        found += [f"{file.relative_to(road.root)}: {w[:20]}" for w in words if w.encode() in data]
    return found


def a_row(road: Any, part: str) -> tuple[str, str]:
    record = open_dataset(road.project, f"tickets/{part}").frame().to_dicts()[0]
    return record["row"], json.loads(record["input"])["input"]


def shot(road: Any) -> tuple[str, str]:
    """A training row that the few-shot prompt showed, and its text."""
    run = next(p for p in road.project.runs.glob("dev-few-shot-*"))
    row = json.loads((run / "run.json").read_bytes())["prompt"]["shots"][0]
    records = open_dataset(road.project, "tickets/train").frame().to_dicts()
    return row, next(json.loads(r["input"])["input"] for r in records if r["row"] == row)


def intact(road: Any) -> list[str]:
    """What verify calls anything but intact, gradings apart."""
    return [
        f"{f['word']} {f['name']}: {f['reason']}"
        for f in road("verify", code=None).result["findings"]
        if f["word"] != "intact"
    ]


@pytest.mark.parametrize("part", ["train", "dev", "eval", "shot"])
def test_a_judged_project_without_one_row_goes_on(judged, part):
    row, text = shot(judged) if part == "shot" else a_row(judged, part)
    assert held(judged, [row, text])
    said = judged("forget", "tickets", "--row", row, *WHY).result
    assert held(judged, [row, text]) == []
    assert intact(judged) == []
    if part == "eval":
        (verdict,) = said["verdicts"]
        assert (verdict["n"], verdict["left"]) == (24, 23)
        assert "of 24" in verdict["with_rows"]
        assert "of 23" in verdict["without_rows"]
        assert judged.gate()["prompt-baseline"]["status"] == "refused"
        assert judged("compare", "sft-1", "--final", "--yes", code=3).error["code"] == "refused"
    if part in ("train", "shot"):
        assert said["adapters"] == ["sft-1"]
    for line in said["still_there"]:
        assert line["file"] == "rows.jsonl"
    judged("baseline")
    gate = judged.gate()
    assert not [r for r in gate.values() if r["word"] == "tampered"]
    assert gate["prompt-baseline"]["status"] == "ok"
    assert intact(judged) == []


def test_the_commits_that_still_hold_a_row_are_named(judged):
    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *words],
            cwd=judged.root, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    git("init", "-q")
    git("add", "evals", "ledger", "sluice.toml")
    git("commit", "-qm", "frozen")
    head = git("rev-parse", "HEAD")
    row, _ = a_row(judged, "eval")
    said = judged("forget", "tickets", "--row", row, *WHY).result
    assert [c["commit"] for c in said["commits"]] == [head]
    assert any(name.endswith("rows.jsonl") for name in said["commits"][0]["files"])


def pull(road: Any, forked: Any, argv: tuple[str, ...], words: list[str], at: int) -> bool:
    """Kill a forget at a fault point, look, and let the next call finish it."""
    ended = forked(argv, road.root, at=at)
    assert ended.killed or ended.code == 0, ended.stderr
    assert road.tampered() == []
    cut = pending(road.project) is not None
    if cut:
        assert any("forget" in note for note in road("status").result["notices"])
        road("forget")
    if held(road, words):  # it died before anything was decided
        assert not road.facts().of("forgotten")
        road(*argv)
    assert held(road, words) == []
    assert pending(road.project) is None
    assert len(road.facts().of("forgotten")) == 1
    assert intact(road) == []
    return ended.killed


@pytest.mark.parametrize("part", ["eval", "shot"])
def test_a_killed_forget_is_finished_by_the_next_call(part, judged_template, forked, tmp_path):
    row, text = shot(judged_template) if part == "shot" else a_row(judged_template, part)
    argv = ("forget", "tickets", "--row", row, *WHY)
    whole = judged_template.copy(tmp_path / "whole")
    n = forked(argv, whole.root).syncs
    assert n > 30
    for at in sorted({1 + round(i * (n - 2) / 7) for i in range(8)}):
        road = judged_template.copy(tmp_path / f"at-{at}")
        assert pull(road, forked, argv, [row, text], at)
        shutil.rmtree(road.root)


@pytest.mark.long
def test_killed_at_every_fault_point(judged_template, forked, tmp_path):
    row, text = a_row(judged_template, "eval")
    argv = ("forget", "tickets", "--row", row, *WHY)
    n = forked(argv, judged_template.copy(tmp_path / "whole").root).syncs
    for at in range(1, n):
        road = judged_template.copy(tmp_path / f"at-{at}")
        pull(road, forked, argv, [row, text], at)
        shutil.rmtree(road.root)
