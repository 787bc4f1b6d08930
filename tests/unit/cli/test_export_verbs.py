"""`export` and `card` at the command line: what a user types, is told, and finds in the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice.cli.app import run


@pytest.fixture
def tickets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Path:
    """A folder with a dataset of two rows, one of them with an e-mail address."""
    monkeypatch.chdir(tmp_path)
    rows = [
        {"body": "Where is my kettle?", "label": "where"},
        {"body": "Write to ana@example.com, please", "label": "x"},
    ]
    (tmp_path / "raw.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(["add", "tickets", "raw.jsonl", "--input", "body", "--target", "label"]) == 0
    capsys.readouterr()
    return tmp_path


def test_a_file_is_written_and_how_it_is_read_back_is_said(tickets: Path, capsys: Any):
    assert run(["export", "tickets", "out.csv.gz"]) == 0
    assert "--input body --target label" in capsys.readouterr().out
    assert run(["add", "again", "out.csv.gz", "--input", "body", "--target", "label"]) == 0
    assert run(["export", "tickets", "chats.csv.gz", "--format", "messages"]) == 2
    assert "not written as csv" in capsys.readouterr().err


def test_the_result_has_hash_rows_and_version(tickets: Path, capsys: Any):
    assert run(["export", "tickets", "out.jsonl", "--format", "trl", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["result"]
    assert (result["rows"], result["shape"], result["format"]) == (2, "trl", "jsonl")
    assert len(result["sha256"]) == len(result["version"]) == 64
    assert result["inexact"] == {"prompt": "the input field is called prompt, its own name is lost"}


def test_a_folder_is_written_and_what_its_card_lacks_is_said(tickets: Path, capsys: Any):
    assert run(["export", "tickets", "out", "--format", "hf", "--license", "mit"]) == 0
    said = capsys.readouterr()
    assert "load_dataset" in said.out
    assert "language" in said.out
    assert "license" not in said.out
    assert "personal 1" in said.err
    card = (tickets / "out" / "README.md").read_text()
    assert "license: mit" in card
    assert "ana@example.com" not in card
    assert run(["card", "tickets", "--license", "mit", "--out", "CARD.md", "--croissant", "c.json"]) == 0
    assert (tickets / "CARD.md").read_text() == card
    assert (tickets / "c.json").read_bytes() == (tickets / "out" / "croissant.json").read_bytes()
    capsys.readouterr()
    assert run(["card", "tickets"]) == 0
    assert capsys.readouterr().out.startswith("---\n")


@pytest.mark.parametrize(
    "words",
    [
        ["export", "tickets", "o.jsonl", "--rows", "trl"],
        ["export", "tickets", "o.jsonl", "--license", "mit"],
        ["export", "tickets", "out", "--format", "hf", "--all"],
        ["export", "tickets", "out", "--format", "hf", "--language", "English"],
        ["export", "tickets", "raw.jsonl"],
        ["export", "tickets", "raw.jsonl", "--format", "hf"],
        ["export", "tickets", ".", "--format", "hf", "--yes"],
        ["card", "tickets", "--rows", "preference"],
        ["card", "tickets", "--out", "raw.jsonl", "--yes"],
    ],
)
def test_what_makes_no_sense_is_exit_2_and_writes_nothing(tickets: Path, words: list[str]):
    before = {path: path.stat().st_mtime_ns for path in tickets.iterdir()}
    assert run(words) == 2
    assert {path: path.stat().st_mtime_ns for path in tickets.iterdir() if path.name != ".sluice"} == {
        path: time for path, time in before.items() if path.name != ".sluice"
    }
