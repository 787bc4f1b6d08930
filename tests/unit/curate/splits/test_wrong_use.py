"""What cannot be split is said with the option that asked for it, and with what would do."""

from __future__ import annotations

import json

import pytest

from sluice.cli.app import run
from tests.unit.curate.conftest import message


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a project whose dataset `d` holds 40 unlike rows with a column `customer` beside them."""
    monkeypatch.chdir(tmp_path)
    rows = [{"text": message(n), "label": f"l{n}", "customer": f"c{n % 10}", "sent": f"2026-01-{n % 28 + 1:02d}"}
            for n in range(40)]  # fmt: skip
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "e.jsonl").write_text("".join(json.dumps({"text": message(n), "label": "x"}) + "\n" for n in (60, 61)))
    for name in "de":
        assert run(["add", name, f"{name}.jsonl", "--input", "text", "--target", "label"]) == 0
    return tmp_path


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["--eval", "10", "--group", "costumer"], ["--group", "did you mean customer"]),
        (["--eval", "10", "--by-time", "when"], ["--by-time", "customer, sent"]),
        (["--eval", "10", "--by-time", "customer"], ["--by-time", "no row has a time"]),
        (["--eval", "10", "--by-time", "sent", "--seed", "0"], ["--seed", "--by-time"]),
        (["--eval", "10", "--stratify", "label"], ["--stratify", "neither target nor input"]),
        (["--eval", "10", "--stratify", "target.x"], ["leave --stratify out"]),
        (["--eval", "10", "--per-class"], ["--per-class", "too many values", "--stratify target.KEY"]),
        (["--eval", "0"], ["neither eval nor dev has a size", "--eval 16"]),
        (["--eval", "40"], ["40 of 40 rows", "none would be left", "--eval 16"]),
        (["--eval", "60%", "--dev", "0.5"], ["eval and dev would take 44 of 40 rows"]),
        (["--eval", "40", "--by-time", "sent"], ["none would be left"]),
        (["--eval", "3", "--from", "e"], ["3 of 2 rows"]),
    ],
)  # fmt: skip
def test_the_message_names_what_was_asked_and_what_would_do(folder, capsys, line, words):
    capsys.readouterr()
    assert run(["split", "d", *line, "--dry-run"]) == 2
    said = capsys.readouterr().err
    assert "[task]" not in said
    for word in words:
        assert word in said


def test_what_the_task_asks_for_is_named_as_that(folder, capsys):
    task = '[task]\nname = "t"\ndata = "d"\ndescription = "x"\ngroup = "nope"\n'
    (folder / "sluice.toml").write_text(task + '[model]\nbase = "b"\n[project]\nid = "p"\n')
    assert run(["split", "d", "--eval", "10"]) == 2
    assert "[task] group" in capsys.readouterr().err


def test_all_rows_of_another_dataset_can_be_eval(folder):
    assert run(["split", "d", "--eval", "2", "--from", "e", "--dry-run"]) == 0
