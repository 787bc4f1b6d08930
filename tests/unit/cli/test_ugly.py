"""Counts, paths and names that nobody means: the answer is an exit code of the table and never a bug of ours."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys

import pytest

from sluice.cli.app import run
from sluice.core.project import Project
from sluice.curate.add import add
from sluice.curate.formats import ReadOptions

BIG = "9" * 20


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a dataset `d` of two rows."""
    (tmp_path / "d.jsonl").write_text('{"a": "x"}\n{"a": "y"}\n')
    add(Project(tmp_path), "d", [tmp_path / "d.jsonl"], ReadOptions(input="a"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("words", [[], ["--dropped"], ["--set-aside"]])
def test_more_rows_than_any_machine_counts_are_all_there_are(folder, capsys, words):
    assert run(["show", "d", *words, "-n", BIG, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["result"]
    assert len(shown["rows"]) == (0 if words else 2)


@pytest.mark.parametrize("argv", [["add", "st", "loop.jsonl"], ["audit", "loop.jsonl"], ["export", "d", "loop.jsonl"]])
def test_a_link_to_itself_is_a_wrong_path(folder, capsys, argv):
    (folder / "loop.jsonl").symlink_to("loop.jsonl")
    assert run([*argv, "--json"]) == 2
    assert "loop.jsonl" in json.loads(capsys.readouterr().out)["error"]["where"]


WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-all", "--"]


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root reads every file")
@pytest.mark.parametrize("argv", [["add", "few"], ["audit"], ["filter", "d", "--failing", "schema", "--schema"]])
def test_a_file_that_may_not_be_read_is_the_surroundings(folder, argv):
    (folder / "closed.jsonl").write_text("{}")
    (folder / "closed.jsonl").chmod(0)
    ahead = WITHOUT_RIGHTS if os.geteuid() == 0 else []
    command = [*ahead, sys.executable, "-m", "sluice", *argv, "closed.jsonl", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"], error["where"]) == (5, "no-permission", "closed.jsonl")


@pytest.mark.parametrize(
    "argv",
    [
        ["audit", "d", "--checks", "", "--fail-on", "warn"],
        ["audit", "d.jsonl", "--input", "a", "--checks", " , "],
        ["redact", "d", "--kinds", ""],
        ["redact", "d", "--region", ""],
        ["redact", "d", "--region", "XX"],
        ["forget", "d", "--person", "jane@example.com", "--region", "XX", "--dry-run"],
        ["dedup", "d", "--threshold", "nan"],
        ["dedup", "d", "--threshold", "inf"],
        ["sample", "d", "1", "--to", "d/train"],
    ],
)
def test_what_names_nothing_is_refused_and_never_reads_like_a_clean_set(folder, capsys, argv):
    assert run([*argv, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["remedy"]
    assert not (folder / ".sluice/names/d/train").exists()


def test_the_command_after_a_dry_run_of_forget_holds_the_reason_that_it_needs(folder, capsys):
    assert run(["forget", "d", "--where", "a=x", "--dry-run"]) == 0
    out = capsys.readouterr().out
    command = next(line.split("    ")[0] for line in out.splitlines() if line.startswith("  sluice forget"))
    assert run([*shlex.split(command)[1:], "--yes"]) == 0


def test_a_line_is_told_from_what_was_read_of_it_also_after_redact_and_in_another_dataset(folder, capsys):
    (folder / "m.jsonl").write_text('{"a": "ask jane@example.com", "b": "and sam@example.com"}\n')
    for name, column in (("m", "a"), ("n", "b")):
        add(Project(folder), name, [folder / "m.jsonl"], ReadOptions(input=column))
    for kinds in ("email", "phone"):
        assert run(["redact", "m", "--kinds", kinds]) == 0
    capsys.readouterr()
    for name, column, text in (("m", "a", "ask jane@example.com"), ("n", "b", "and sam@example.com")):
        assert run(["why", name, "m.jsonl:1", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["result"]["input"] == {column: text}
