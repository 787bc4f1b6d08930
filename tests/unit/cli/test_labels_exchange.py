"""`labels --import` and `--export` as people type them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice.cli.app import run

ASKED = ("--labels", "billing,shipping,other")


@pytest.fixture(autouse=True)
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.jsonl").write_text("".join(json.dumps({"body": f"message {n}", "to": "other"}) + "\n" for n in range(4)))
    assert run(["add", "t", "t.jsonl", "--input", "body", "--target", "to"]) == 0
    capsys.readouterr()


def said(capsys: Any, code: int, *words: str) -> Any:
    assert run(["labels", "t", *words, "--json"]) == code, words
    told = json.loads(capsys.readouterr().out)
    return told["error"] if told["result"] is None or code else told["result"]


def test_away_and_back(capsys):
    written = said(capsys, 0, "--export", "tasks.json", "--format", "label-studio", "--what", "tasks", *ASKED)
    assert (written["rows"], written["words"]) == (4, 0)
    tasks = json.loads(Path("tasks.json").read_text())
    for task, label in zip(tasks, ("billing", "shipping", "Billing"), strict=False):
        result = [{"from_name": "label", "type": "choices", "value": {"choices": [label]}}]
        task["annotations"] = [{"completed_by": 3, "result": result, "created_at": "2024-01-02T03:04:05Z"}]
    Path("back.json").write_text(json.dumps(tasks))
    back = ("--import", "back.json", "--who", "3=ana", *ASKED)
    assert said(capsys, 2, *back, "--strict")["code"] == "bad-input"
    assert said(capsys, 0, *back, "--dry-run")["new"] == 2
    found = said(capsys, 0, *back)
    assert (found["new"], found["skipped"], found["people"]) == (2, 1, {"ana": 2})
    assert [(a["line"], a["record"]) for a in found["set_aside"]] == [(1, 3)]
    assert said(capsys, 0, "--import", "back.json", "--who", "3=ana")["known"] == 2  # the question is remembered
    assert said(capsys, 0, "--apply")["labelled"] == 2


def test_people_read_what_was_not_taken(capsys):
    Path("x.csv").write_text("body,label,by\nmessage 0,billing,ana\nmessage 1,spam,ana\nmessage 9,other,ana\n")
    assert run(["labels", "t", "--import", "x.csv", *ASKED]) == 0
    drawn = capsys.readouterr().out
    assert "'spam' 1" in drawn
    assert "1 word new" in drawn
    assert run(["labels", "t", "--export", "out.json", "--format", "argilla"]) == 0
    assert "time" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("--import", "none.json"),
        ("--import", "t.jsonl", "--export", "x.json"),
        ("--import", "t.jsonl", "--apply"),
        ("--export", "x.json"),  # for which tool?
        ("--export", "x.csv", "--dry-run"),
        ("--export", "x.csv", "--what", "everything"),
        ("--import", "t.jsonl", "--who", "ana"),
        ("--import", "t.jsonl", "--question", "target", "--field", "target"),
        ("--strict",),
        ("--by", "ana"),
    ],
)
def test_words_that_do_not_fit_are_refused(words, capsys):
    error = said(capsys, 2, *words)
    assert error["message"]
    assert not Path("x.json").exists()


def test_a_file_that_stands_is_not_written_over(capsys):
    Path("x.csv").write_text("mine")
    assert said(capsys, 2, "--export", "x.csv", "--what", "tasks", *ASKED)
    assert Path("x.csv").read_text() == "mine"
    assert said(capsys, 0, "--export", "x.csv", "--what", "tasks", *ASKED, "--yes")["rows"] == 4
