"""`split` by time and `decontaminate` against a file, as they are typed and read."""

from __future__ import annotations

import json

import pytest

from sluice.cli.app import run
from tests.unit.curate.conftest import message


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder whose dataset `d` holds 40 unlike rows, one a day, and a file of eval rows beside it."""
    monkeypatch.chdir(tmp_path)
    rows = [
        {"text": message(n), "label": "yn"[n % 2], "sent": f"2026-{n // 28 + 1:02d}-{n % 28 + 1:02d}"}
        for n in range(40)
    ]
    write(tmp_path / "d.jsonl", rows)
    write(tmp_path / "bench.jsonl", [{"question": f"Hello! {message(5)}", "gold": "y"}])
    assert run(["add", "d", "d.jsonl", "--input", "text", "--target", "label"]) == 0
    return tmp_path


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_a_split_by_time_says_its_cuts_and_reports_its_parts(folder, capsys):
    assert run(["split", "d", "--eval", "25%", "--dev", "0.1", "--by-time", "sent", "--report"]) == 0
    drawn = capsys.readouterr().out
    assert "2026-02-03 (eval)" in drawn
    assert "no row of train is younger" in drawn
    assert "2026-01-01" in drawn  # the oldest of train
    capsys.readouterr()
    assert run(["split", "d", "--report", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)["result"]["report"]
    assert {p["part"]: p["rows"] for p in report["parts"]} == {"train": 26, "dev": 4, "eval": 10}
    assert (report["younger_in_train"], report["weight"]) == (0, 40)


def test_sizes_and_times_that_make_no_sense_are_refused(folder, capsys):
    for line, word in (
        (["--eval", "0.01"], "less than one row"),
        (["--eval", "10", "--by-time", "when"], "sent"),
        (["--eval", "10", "--by-time", "sent", "--per-class"], "--by-time"),
        (["--eval", "100%"], "no size"),
    ):
        assert run(["split", "d", *line]) == 2
        assert word in capsys.readouterr().err


def test_what_a_row_repeats_stands_above_it_with_the_shared_words_marked(folder, capsys):
    line = ["decontaminate", "d", "--against", "bench.jsonl", "--input", "question", "--target", "gold"]
    assert run([*line, "--dry-run"]) == 0
    drawn = capsys.readouterr().out
    assert f"eval  Hello! [{message(5)}]" in drawn
    assert f"row   [{message(5)}]" in drawn
    assert "bench.jsonl:1" in drawn
    assert run([*line, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["result"]
    assert (result["dropped"], result["lost"][0]["rows"], result["lost"][0]["where"]) == (1, 1, "bench.jsonl:1")
    assert run(["show", "d", "--dropped"]) == 0
    assert "leak-near-equal" in capsys.readouterr().out
    assert run(["restore", "d", "--reason-was", "leak-near-equal"]) == 0


def test_a_file_that_is_not_there_or_holds_no_rows_is_refused(folder, capsys):
    (folder / "empty.jsonl").write_text("")
    for word in ("bensh.jsonl", "empty.jsonl", "*.parquet"):
        assert run(["decontaminate", "d", "--against", word]) == 2
        assert "Fix:" in capsys.readouterr().err
    assert run(["decontaminate", "d"]) == 2
    assert "--against" in capsys.readouterr().err
    assert run(["decontaminate", "d", "--against", "bench.jsonl", "--input", "question", "--nearest", "3"]) == 2
    assert "--model" in capsys.readouterr().err
