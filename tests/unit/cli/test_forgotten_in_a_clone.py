"""A clone holds the fact that rows were forgotten, and not the key that knows them again: `add` says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sluice.cli.app import run

MAIL = "jane.doe@example.com"


@pytest.fixture
def clone(tmp_path, monkeypatch) -> Path:
    """What git carries of a project with a forgotten row: its file and its ledger."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    monkeypatch.chdir(here)
    lines = [{"input": f"I am {MAIL}, where is it?", "target": "x"}, {"input": "the lamp flickers", "target": "y"}]
    Path("t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run(["init", "--kind", "curate", "--data", "t", "--description", "Clean.", "--yes"]) == 0
    assert run(["add", "t", "t.jsonl"]) == 0
    assert run(["forget", "t", "--person", MAIL, "--reason", "asked for on 1 May", "--yes"]) == 0
    shutil.copytree(here, there, ignore=shutil.ignore_patterns(".sluice"))
    monkeypatch.chdir(there)
    return there


def added(capsys, *argv: str) -> dict:
    capsys.readouterr()
    assert run(["add", "t", "t.jsonl", "--json", *argv]) == 0
    return json.loads(capsys.readouterr().out)["result"]


def test_without_the_key_add_says_that_it_cannot_tell_forgotten_rows(clone, capsys):
    result = added(capsys)
    assert (result["added"], result["forgotten"], result["forgotten_unknown"]) == (2, 0, 1)
    assert run(["verify"]) == 0
    assert "sluice forget t --row" in capsys.readouterr().out


def test_it_is_said_in_words_before_anything_is_added(clone, capsys):
    capsys.readouterr()
    assert run(["add", "t", "t.jsonl", "--dry-run"]) == 0
    assert ".sluice/privacy/key is not here" in capsys.readouterr().out


def test_with_the_key_the_row_stays_out(clone, capsys):
    (clone / ".sluice" / "privacy").mkdir(parents=True)
    shutil.copy(clone.parent / "here" / ".sluice" / "privacy" / "key", clone / ".sluice" / "privacy" / "key")
    result = added(capsys)
    assert (result["added"], result["forgotten"], result["forgotten_unknown"]) == (1, 1, 0)
