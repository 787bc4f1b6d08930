"""`pairs` as it is typed: from what people said to a dataset of pairs, and how each wrong word ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice.cli.app import run


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> list[str]:
    """The names of four rows of a dataset `t`: two inputs, two answers to each."""
    monkeypatch.chdir(tmp_path)
    texts = ["we will send a new kettle today", "please wait", "your order is on its way to you", "no"]
    lines = [{"body": f"message number {n // 2} of a customer", "reply": text} for n, text in enumerate(texts)]
    Path("t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run(["add", "t", "t.jsonl", "--input", "body", "--target", "reply"]) == 0
    capsys.readouterr()
    return [row["row"] for row in said(capsys, 0, "show", "t")["rows"]]


def said(capsys: Any, code: int, *words: str) -> Any:
    assert run([*words, "--json"]) == code, words
    told = json.loads(capsys.readouterr().out)
    return told["error"] if told["result"] is None else told["result"]


def label(capsys: Any, row: str, mode: str, value: str, by: str = "ana") -> None:
    said(capsys, 0, "label", "t", "--mode", mode, "--row", row[:10], "--label", value, "--by", by)


def test_from_ratings_and_corrections_to_pairs_and_the_story_of_one(rows, capsys):
    for row, stars in zip(rows, "5152", strict=True):
        label(capsys, row, "rate", stars)
    label(capsys, rows[1], "correct", "please wait, we are looking for it", "ben")
    dry = said(capsys, 0, "pairs", "t", "--from", "ratings", "--from", "corrections", "--per-input", "3", "--dry-run")
    assert (dry["changed"], dry["version"], dry["rows"]) == (False, 0, 3)
    done = said(capsys, 0, "pairs", "t", "--from", "ratings", "--from", "corrections", "--per-input", "3")
    assert (done["dataset"], done["version"], done["rows"], done["inputs"]) == ("t-pairs", 1, 3, 2)
    assert done["sources"] == {"ratings": 2, "corrections": 1}
    assert done["audit"]["people"] == {"ana": 2, "ben": 1}
    pairs = said(capsys, 0, "show", "t-pairs")["rows"]
    assert {(p["target"], p["rejected"]) for p in pairs} == {
        ("we will send a new kettle today", "please wait"),
        ("your order is on its way to you", "no"),
        ("please wait, we are looking for it", "please wait"),
    }
    story = said(capsys, 0, "why", "t-pairs", pairs[0]["row"])
    assert any("ana rated it 5, the other one 1" in event["what"] for event in story["events"])
    origin = said(capsys, 0, "why", "t", rows[0])
    assert not any(event["what"] == "changed" for event in origin["events"])
    assert run(["pairs", "t", "--from", "ratings", "--from", "corrections", "--per-input", "3"]) == 0
    assert "nothing changed" in capsys.readouterr().out


def test_kto_takes_the_answers_one_by_one(rows, capsys):
    for row, stars in zip(rows, "5152", strict=True):
        label(capsys, row, "rate", stars)
    done = said(capsys, 0, "pairs", "t", "--from", "ratings", "--kind", "unpaired", "--as", "kto")
    assert (done["rows"], done["audit"]) == (4, None)
    assert {row["good"] for row in said(capsys, 0, "show", "kto")["rows"]} == {True, False}


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--from", "choices"),
        ("--from", "wishes"),
        ("--from", "samples"),
        ("--from", "ratings:x"),
        ("--from", "ratings", "--kind", "triples"),
        ("--from", "ratings", "--margin", "2"),
        ("--from", "ratings", "--per-input", "0"),
        ("--from", "ratings", "--rejected", "worst"),
        ("--from", "ratings", "--columns", "answer=x"),
        ("--from", "feedback:none.jsonl", "--columns", "answer"),
        ("--from", "ratings", "--as", "t"),
    ],
)
def test_each_wrong_word_is_one_error_and_builds_nothing(rows, capsys, words):
    label(capsys, rows[0], "rate", "5")
    error = said(capsys, 2, "pairs", "t", *words)
    assert error["remedy"]
    assert [d["name"] for d in said(capsys, 0, "ls")["datasets"]] == ["t"]


def test_ratings_that_do_not_differ_enough_say_by_how_much_they_do(rows, capsys):
    for row, stars in zip(rows, "5445", strict=True):
        label(capsys, row, "rate", stars)
    error = said(capsys, 2, "pairs", "t", "--from", "ratings", "--margin", "0.5")
    assert "0.25" in error["message"]
    assert "--margin 0.25" in error["remedy"]
