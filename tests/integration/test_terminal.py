"""Verbs that ask a person, on a real pseudo-terminal: what is typed is what is done."""

from __future__ import annotations

import json
import sys

import pytest

pytest.importorskip("pty", reason="needs pseudo-terminals")
from support.screen import Screen
from support.typist import typed

from sluice.core.project import Project

pytestmark = [pytest.mark.model, pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")]


def records_of(road) -> list[dict]:
    """Return all decisions, in the order they were made."""
    lines = [line for file in road.project.decisions.glob("*.jsonl") for line in file.read_text().splitlines()]
    return sorted(map(json.loads, lines), key=lambda r: r["time"])


def words_of(road) -> list[str]:
    """Return the words of all decisions."""
    return [record["word"] for record in records_of(road)]


def test_grading_takes_one_key_an_answer_and_goes_on_where_it_was(measured):
    with Screen(measured.root, ["grade", "--by", "ana"]) as screen:
        screen.until("0 of 30").press("r").until("1 of 30").press("0").until("no key here")
        screen.press("w").until("2 of 30").press("\x1b[D").until("you said: wrong").press("r").until("row 3")
        screen.press(" ").until("1 skipped").press("\x03")
        assert screen.end() == 0
        assert screen.given_back
        assert "2 of 30 graded" in screen.shown
    assert words_of(measured) == ["right", "wrong", "right"], "the one before was thought better of, none taken back"
    assert {kind["kind"] for kind in records_of(measured)} == {"grade"}

    with Screen(measured.root, ["grade", "--by", "ana"]) as screen:
        screen.until("2 of 30")
        for n in range(3, 31):
            screen.press("r").until(f"{n} of 30")
        screen.until("All rows are decided").press("\x1b")
        code = screen.end()
        assert "judged" in screen.shown
    assert code in (0, 4), "all graded: the rule holds or does not"
    assert len(words_of(measured)) == 31
    assert len(measured.facts().of("graded")) == 1


def test_a_no_opens_trains_and_spends_nothing(trained):
    before = {f.hash for f in trained.facts().facts}, trained.adapters()
    code, shown = typed(trained.root, ["compare", "sft-1", "--final"], [("[y/N]", "n\n")])
    assert "opening 1 of" in shown
    code_of_training, shown = typed(trained.root, ["train", "sft", "--seed", "7"], [("[y/N]", "\n")])
    assert (code, code_of_training) != (0, 0)
    assert ({f.hash for f in trained.facts().facts}, trained.adapters()) == before


def test_a_yes_trains(trained):
    code, shown = typed(trained.root, ["train", "sft", "--seed", "7"], [("[y/N]", "y\n")])
    assert code == 0, shown[-1500:]
    assert trained.adapters() == ["sft-1", "sft-2"]


def test_init_asks_and_writes_what_was_answered(tmp_path):
    script = [
        ("Name of the task", "billing mails\n"),
        ("Name of the dataset", "\n"),
        ("What is wanted", "Say which department a mail is for.\n"),
        ("What is an answer?", "essay\n"),
        ("What is an answer?", "classification\n"),
        ("come with answers?", "\n"),
        ("The labels", "billing, returns\n"),
    ]
    code, shown = typed(tmp_path, ["init"], script)
    assert code == 0, shown
    config = Project(tmp_path).config
    assert (config.task.name, config.task.metric) == ("billing mails", "choice")
    assert config.task.description == "Say which department a mail is for."
    assert "'essay'" in shown, "a wrong answer is said and asked again"
