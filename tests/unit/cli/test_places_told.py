"""What is said of places and versions is whole: every version named, links followed, devices left alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sluice.cli.app import run


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines = [
        {"input": f"the lamp {i} flickers at night", "target": "y", "mail": f"a{i}@example.com"} for i in range(12)
    ]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + "{broken\n")
    assert run(["add", "t", "t.jsonl"]) == 0
    return tmp_path


def story(capsys, *argv: str) -> dict:
    capsys.readouterr()
    assert run(["why", *argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["result"]


def test_why_names_every_version_that_holds_a_row(here, capsys):
    for i in range(10):
        Path(f"more{i}.jsonl").write_text(json.dumps({"input": f"another {i}", "target": "z"}) + "\n")
        assert run(["add", "t", f"more{i}.jsonl"]) == 0
    capsys.readouterr()
    assert run(["why", "t", "t.jsonl:1"]) == 0
    assert "in t @1 to @11\n" in capsys.readouterr().out


def test_why_says_that_columns_were_redacted_where_the_text_stays(here, capsys):
    assert run(["redact", "t"]) == 0
    told = [event["what"] for event in story(capsys, "t", "t.jsonl:1")["events"] if event["verb"] == "redact"]
    assert len(told) == 1
    assert "as redacted" in told[0]


def test_why_follows_a_link_and_the_folder_one_is_in(here, capsys, monkeypatch):
    Path("sub").mkdir()
    Path("sub/link.jsonl").symlink_to("../t.jsonl")
    row = story(capsys, "t", "t.jsonl:2")["row"]
    assert story(capsys, "t", "sub/link.jsonl:2")["row"] == row
    assert story(capsys, "t", "sub/link.jsonl:13")["set_aside"]["line"] == 13
    monkeypatch.chdir(here / "sub")
    assert story(capsys, "t", "link.jsonl:2")["row"] == row
    assert story(capsys, "t", "t.jsonl:2")["row"] == row


def test_why_takes_a_name_of_two_lines(here, capsys):
    Path("two\nlines.jsonl").write_text('{"input": "seen in an odd file", "target": "z"}\n')
    assert run(["add", "t", "two\nlines.jsonl"]) == 0
    assert story(capsys, "t", "two\nlines.jsonl:1")["input"] == {"input": "seen in an odd file"}


def test_a_sample_says_that_the_parts_stay(here, capsys):
    assert run(["split", "t", "--eval", "2", "--dev", "2"]) == 0
    capsys.readouterr()
    assert run(["sample", "t", "5"]) == 0
    assert "t/train, t/dev, t/eval did not change" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [["export", "t", "pipe", "--format", "jsonl"], ["card", "t", "--out", "pipe"]])
def test_a_pipe_is_not_replaced_by_a_file(here, capsys, argv):
    os.mkfifo("pipe")
    assert run([*argv, "--yes"]) == 2
    assert Path("pipe").is_fifo()


@pytest.mark.parametrize("argv", [["export", "t", "-", "--format", "jsonl"], ["card", "t", "--out", "-"]])
def test_no_file_called_minus_is_made(here, argv):
    assert run([*argv, "--yes"]) == 2
    assert not Path("-").exists()


@pytest.mark.parametrize("argv", [["--model", "somewhere"]])
def test_an_option_that_does_nothing_here_is_refused(here, capsys, argv):
    assert run(["split", "t", "--eval", "2", "--dev", "2"]) == 0
    assert run(["decontaminate", "t/train", *argv]) == 2


def test_restore_names_no_reason_where_nothing_is_out(here, capsys):
    assert run(["filter", "t", "input <> 'the lamp 1 flickers at night'"]) == 0
    assert run(["restore", "t", "--reason-was", "filtered"]) in (0, 2)
    capsys.readouterr()
    assert run(["restore", "t", "--reason-was", "nope", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["remedy"].rstrip() != "reasons:"


def test_a_dataset_beside_files_is_named_as_one(here, capsys):
    capsys.readouterr()
    assert run(["audit", "t", "t.jsonl", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert "'t' is a dataset" in error["message"]


def test_adding_a_file_again_notes_nothing(here, capsys):
    capsys.readouterr()
    assert run(["add", "t", "t.jsonl"]) == 0
    said = capsys.readouterr().out
    assert "12 lines repeat a row" in said
    assert "noted" not in said


def test_ls_and_show_count_the_same_rows_after_a_forget(here, capsys):
    asked = ["--where", "mail=a3@example.com", "--reason", "asked for on 1 May", "--yes"]
    assert run(["forget", "t", *asked]) == 0
    capsys.readouterr()
    assert run(["ls", "t", "--json"]) == 0
    listed = {d["version"]: d for d in json.loads(capsys.readouterr().out)["result"]["datasets"]}
    for number, version in listed.items():
        assert run(["show", f"t@{number}", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["result"]["total"] == version["rows"] == 11
    assert [d["forgotten"] for d in listed.values()] == [1, 0]
