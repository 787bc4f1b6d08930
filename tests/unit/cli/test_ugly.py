"""Counts, paths and names that nobody means: the answer is an exit code of the table and never a bug of ours."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys

import openpyxl
import pytest

from sluice.cli.app import run
from sluice.core.project import Project
from sluice.curate.adding.add import add
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
        ["split", "d", "--eval", "1", "--from", "d@1"],
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


@pytest.mark.parametrize("argv", [["export", "many", "out.jsonl"], ["sample", "many", "15000"], ["redact", "many"]])
def test_a_file_that_may_not_grow_is_a_full_disk_and_leaves_nothing_behind(folder, argv):
    words = (f'{{"a": "mail u{n * 7919}@example.com {n * 104729}"}}\n' for n in range(20_000))
    (folder / "many.jsonl").write_text("".join(words))
    add(Project(folder), "many", [folder / "many.jsonl"], ReadOptions(input="a"))
    command = shlex.join([sys.executable, "-m", "sluice", *argv, "--json"])
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 20; {command}"], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (5, "disk-full")
    assert not (folder / "out.jsonl").exists()
    assert len(list((folder / ".sluice/names/many").iterdir())) == 1


def test_one_row_is_not_sent_on_to_a_split_that_cannot_be(folder, capsys):
    (folder / "e.jsonl").write_text('{"a": "alone"}\n')
    add(Project(folder), "e", [folder / "e.jsonl"], ReadOptions(input="a"))
    assert run(["dedup", "e"]) == 0
    assert "sluice split" not in capsys.readouterr().out


def test_a_row_seen_at_hundreds_of_places_is_told_on_one_screen_and_whole_in_json(folder, capsys):
    (folder / "e.jsonl").write_text('{"a": "same"}\n' * 300)
    add(Project(folder), "e", [folder / "e.jsonl"], ReadOptions(input="a"))
    assert run(["why", "e", "e.jsonl:7"]) == 0
    told = capsys.readouterr().out
    assert len(told.splitlines()) < 24
    assert "295 more places" in told
    assert "is in e@1" in told
    assert run(["why", "e", "e.jsonl:7", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["result"]["seen"]) == 300


def test_a_title_above_the_header_of_a_sheet_is_named_as_what_was_taken_for_the_header(folder, capsys):
    book = openpyxl.Workbook()
    for line in (["Report of May"], [], ["id", "text"], [1, "hello"]):
        book.worksheets[0].append(line)
    book.save("book.xlsx")
    assert run(["add", "b", "book.xlsx", "--input", "text", "--json"]) == 2
    assert "Report of May" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_what_decontaminate_says_of_a_file_in_another_encoding_can_be_typed(folder, capsys):
    (folder / "old.csv").write_bytes("body;label\nGröße fehlt ständig;a\nx;b\n".encode("cp1252"))
    argv = ["decontaminate", "d", "--against", "old.csv", "--input", "body", "--json"]
    assert run(argv) == 2
    assert "--encoding cp1252" in json.loads(capsys.readouterr().out)["error"]["remedy"]
    assert run([*argv, "--encoding", "cp1252"]) == 0
    assert json.loads(capsys.readouterr().out)["result"]["dropped"] == 1
