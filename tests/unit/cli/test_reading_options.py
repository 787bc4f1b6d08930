"""`add`, `audit` and `diff` read files by the same options, and what one says to type next can be typed."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import polars as pl
import pytest

from sluice.cli.app import run

THREAD = "id,who,say,n\n1,a,hello there,1\n1,b,hi you,2\n2,b,late,2\n2,a,where is it,1\n"
WORDS = ["th.csv", "--thread", "id", "--order", "n", "--role", "who", "--text", "say", "--roles", "a=user,b=assistant"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "th.csv").write_text(THREAD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_threads_are_audited_and_compared_as_they_are_added(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["audit", *WORDS, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["result"]["report"]["rows"] == 2
    assert run(["audit", *WORDS]) == 0
    line = next(part for part in capsys.readouterr().out.splitlines() if part.strip().startswith("sluice add NAME"))
    assert run(shlex.split(line.split("    ")[0].strip().replace("NAME", "talks"))[1:]) == 0
    capsys.readouterr()
    (folder / "other.csv").write_text(THREAD.replace("late", "later"), encoding="utf-8")
    assert run(["diff", "th.csv", "other.csv", *WORDS[1:], "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["result"]
    assert (result["same"], result["changed"]) == (1, 1)


def test_a_shape_and_templates_are_taken_too(folder: Path, capsys: pytest.CaptureFixture[str]):
    chat = {"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]}
    (folder / "c.jsonl").write_text(json.dumps(chat) + "\n", encoding="utf-8")
    assert run(["audit", "c.jsonl", "--shape", "sharegpt"]) == 0
    assert run(["audit", "c.jsonl", "--shape", "nonsense"]) == 2
    assert run(["audit", "th.csv", "--map", "input={{who}}: {{say}}"]) == 0
    assert "sharegpt" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["a.jsonl", "--delimiter", "::"], "--delimiter is for CSV files"),
        (["a.jsonl", "--sheet", "1"], "--sheet is for Excel workbooks"),
        (["a.jsonl", "--per", "line"], "--per is for plain text"),
        (["a.parquet", "--encoding", "cp1252"], "--encoding is for files of text"),
        (["a.jsonl", "--shape", "text", "--thread", "text"], "--thread says nothing about the shape text"),
        ([""], "has no name"),
        (["https://example.com/a.jsonl"], "nothing is downloaded from the web"),
    ],
)
def test_what_is_read_by_nothing_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
):
    (folder / "a.jsonl").write_text('{"text": "one two"}\n', encoding="utf-8")
    pl.DataFrame({"text": ["one two"]}).write_parquet(folder / "a.parquet")
    for verb in (["add", "m"], ["audit"]):
        capsys.readouterr()
        assert run([*verb, *words]) == 2
        assert says in capsys.readouterr().err
    assert (
        run(["add", "m", "a.jsonl", "th.csv", "--delimiter", ",", "--input", "text"]) == 2
    )  # th.csv has no such column
    assert "--delimiter is" not in capsys.readouterr().err
    assert not (folder / ".sluice").exists()


def test_the_empty_name_is_not_the_current_folder(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "a.jsonl").write_text('{"text": "one two"}\n', encoding="utf-8")
    assert run(["add", "m", "a.jsonl"]) == 0
    before = sorted(folder.iterdir())
    for words in (
        ["export", "m", ""],
        ["card", "m", "--out", ""],
        ["diff", "m", ""],
        ["decontaminate", "m", "--against", ""],
    ):
        assert run(words) == 2, words
    assert sorted(folder.iterdir()) == before
