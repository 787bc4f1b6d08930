"""A file that rows were read from is never written over, by no verb that writes, agreed to or not."""

from __future__ import annotations

import json

import pytest

from sluice.cli.app import run


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A dataset `d` of two versions, of two files, with a line set aside."""
    monkeypatch.chdir(tmp_path)
    one, two = tmp_path / "one.json", tmp_path / "two.html"
    one.write_text('[{"input": "a b c", "target": "x"}]')
    two.write_text('{"input": "d e f", "target": "y"}\n{broken\n')
    assert run(["add", "d", "one.json"]) == 0
    assert run(["add", "d", "two.html", "--format", "jsonl"]) == 0
    return {path: path.read_bytes() for path in (one, two)}


@pytest.mark.parametrize(
    "argv",
    [
        ["audit", "d", "--out", "one.json"],
        ["audit", "d", "--checks", "empty", "--out", "two.html"],
        ["diff", "d@1", "d@2", "--out", "one.json"],
        ["diff", "d", "--out", "two.html"],
        ["show", "d", "--set-aside", "--out", "one.json", "--yes"],
        ["export", "d", "one.json", "--yes"],
        ["card", "d", "--out", "one.json", "--yes"],
    ],
)
def test_no_verb_writes_over_a_file_that_rows_were_read_from(sources, capsys, argv):
    capsys.readouterr()
    assert run([*argv, "--json"]) == 2
    assert "read from" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert {path: path.read_bytes() for path in sources} == sources


def test_another_file_is_written(sources):
    assert run(["audit", "d", "--checks", "empty", "--out", "report.json"]) == 0
    assert run(["show", "d", "--set-aside", "--out", "mend.txt"]) == 0


def _stored(folder):
    return [p for p in (folder / ".sluice").rglob("*") if p.is_file() and p.suffix != ".duckdb"]


@pytest.mark.parametrize(
    "argv",
    [
        ["export", "d", ".sluice/x.jsonl"],
        ["export", "d", ".sluice/x", "--format", "hf", "--no-checks"],
        ["card", "d", "--out", ".sluice/store.duckdb", "--yes"],
        ["show", "d", "--set-aside", "--out", ".sluice/mend.txt"],
        ["audit", "d", "--checks", "empty", "--out", ".sluice/report.html"],
    ],
)
def test_nobody_writes_into_the_store(sources, tmp_path, argv):
    before = {path: path.read_bytes() for path in _stored(tmp_path)}
    index = (tmp_path / ".sluice" / "store.duckdb").exists()
    assert run(argv) == 2
    after = {path: path.read_bytes() for path in _stored(tmp_path)}
    assert after == before
    assert (tmp_path / ".sluice" / "store.duckdb").exists() == index
