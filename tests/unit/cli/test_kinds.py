"""Pairs, judged answers and texts as a user meets them: every verb of curation takes them, training says no by name."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from sluice.cli.app import run
from sluice.core.errors import InputError
from sluice.core.project import Project
from sluice.curate.dataset import open_dataset

WORDS = [f"word{letter}" for letter in "abcdefghijklmnop"]


def question(n: int) -> str:
    return " ".join(f"{word}{n * (i + 3) % 97}" for i, word in enumerate(WORDS))


def answer(n: int, better: bool) -> str:
    return ("we send " if better else "no idea about ") + " ".join(
        f"{w}{n * (i + (5 if better else 7)) % 89}" for i, w in enumerate(WORDS)
    )


def records(kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for n in [*range(1, 30), 5]:
        asked, better, worse = question(n), answer(n, True), answer(n, False)
        found.append(
            {
                "preference": {"prompt": asked, "chosen": better, "rejected": worse, "n": n},
                "unpaired": {"prompt": asked, "completion": better, "label": n % 3 > 0, "n": n},
                "text": {"text": asked.upper() if len(found) == 29 else asked},
            }[kind]
        )
    if kind == "preference":
        found.append({**found[0], "chosen": found[0]["rejected"], "rejected": found[0]["chosen"]})
    if kind == "unpaired":
        found.append({**found[0], "label": not found[0]["label"]})
    return found


@pytest.fixture(params=["preference", "unpaired", "text"])
def kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> str:
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records(request.param)))
    assert run(["add", "d", "rows.jsonl"]) == 0
    capsys.readouterr()
    return request.param


def result(capsys: Any, *words: str, code: int = 0) -> Any:
    assert run([*words, "--json"]) == code, words
    said = json.loads(capsys.readouterr().out)
    return said["result"] if code == 0 else said["error"]


def test_every_verb_of_curation_takes_every_kind(kind: str, capsys: Any):
    shown = result(capsys, "show", "d")
    assert {row["kind"] for row in shown["rows"]} == {kind}
    audit = result(capsys, "audit", "d")
    conflicts = next(c for c in audit["report"]["checks"] if c["name"] == "conflict")
    assert (conflicts["status"] == "ok") == (kind == "text"), "two pairs, or judgements, that say the opposite"
    dropped = result(capsys, "dedup", "d")
    assert dropped["dropped"] == (1 if kind == "text" else 0), "equal rows came in once; one text differs in case only"
    result(capsys, "filter", "d", "--failing", "conflict")
    parts = result(capsys, "split", "d", "--eval", "5", "--dev", "4")
    assert sum(p["rows"] for p in parts["parts"]) == open_dataset(Project("."), "d").manifest.rows
    result(capsys, "decontaminate", "d/train")
    row = result(capsys, "show", "d/train")["rows"][0]["row"]
    story = result(capsys, "why", "d", row[:10])
    assert [place["file"] for place in story["seen"]] == ["rows.jsonl"]
    assert len(story["answers"]) == {"preference": 2, "unpaired": 1, "text": 0}[kind]
    assert result(capsys, "sample", "d/train", "3", "--to", "few")["rows"] == 3
    assert {d["name"] for d in result(capsys, "ls")["datasets"]} >= {"d", "few"}
    result(capsys, "status")
    assert result(capsys, "export", "d/train", "out.jsonl")["rows"] > 0
    assert run(["add", "again", "out.jsonl"]) == 0
    capsys.readouterr()
    back, train = open_dataset(Project("."), "again"), open_dataset(Project("."), "d/train")
    assert {r.row for r in back.rows()} == {r.row for r in train.rows()}


def test_what_is_no_example_is_refused_by_name_with_a_command_that_works(kind: str, capsys: Any):
    assert run(["split", "d", "--eval", "5", "--dev", "4"]) == 0
    capsys.readouterr()
    version = open_dataset(Project("."), "d/train")
    noun = {"preference": "preference pairs", "unpaired": "judged answers", "text": "plain texts"}[kind]
    for ask in (version.examples, version.checked_examples):
        with pytest.raises(InputError, match=f"d/train holds {noun}") as problem:
            ask()
        remedy = problem.value.remedy or ""
    assert "sluice export d/train" in remedy
    words = shlex.split(remedy.partition(" reads ")[0])
    assert run(words[1:]) == 0
    assert open_dataset(Project("."), "d-examples").examples()


def test_both_answers_of_a_pair_and_the_judgement_are_on_screen(kind: str, capsys: Any):
    assert run(["show", "d", "-n", "1"]) == 0
    out = capsys.readouterr().out
    assert ("rejected: no idea" in out) == (kind == "preference")
    assert ("-> good: we" in out or "-> bad: we" in out) == (kind == "unpaired")
    assert "(no target)" not in out
