"""Any verb may change dev rows; one rule says what that costs once something was measured on them."""

from __future__ import annotations

import json

import pytest

from sluice.cli.app import run
from sluice.core.ledger import Ledger
from sluice.core.project import Project
from sluice.curate.dataset import open_dataset
from sluice.curate.drops import dropped_rows
from tests.unit.curate.conftest import message

CONFIG = '[task]\nname = "t"\ndata = "d"\ndescription = "x"\n[model]\nbase = "b"\n[project]\nid = "p"\n'
OWED = "owed again"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a project whose parts d/train and d/dev were added, with one row of dev in a file of eval rows."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sluice.toml").write_text(CONFIG)
    for part, numbers in (("train", range(20, 40)), ("dev", range(10))):
        rows = [{"text": f"{message(n)} Write to me{n}@example.com", "label": "yn"[n % 2]} for n in numbers]
        write(tmp_path / f"{part}.jsonl", [*rows, rows[0] | {"text": rows[0]["text"].upper()}])
        assert run(["add", f"d/{part}", f"{part}.jsonl", "--input", "text", "--target", "label"]) == 0
    write(tmp_path / "bench.jsonl", [{"question": message(5), "gold": "y"}])
    write(tmp_path / "new.jsonl", [{"text": message(50), "label": "y"}])
    return tmp_path


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def measured(folder):
    Ledger(Project(folder)).write("evaluated", {"on": "dev", "mean": "0.5"})


VERBS = {
    "decontaminate": ["decontaminate", "{}", "--against", "bench.jsonl", "--input", "question", "--target", "gold"],
    "dedup": ["dedup", "{}"],
    "filter": ["filter", "{}", "target = 'y'"],
    "redact": ["redact", "{}"],
    "add": ["add", "{}", "new.jsonl", "--input", "text", "--target", "label"],
}


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_that_changes_measured_dev_says_that_baselines_are_owed(folder, capsys, name):
    line = [word.format("d/dev") for word in VERBS[name]]
    measured(folder)
    capsys.readouterr()
    assert run(line) == 0
    assert open_dataset(Project(folder), "d/dev").number == 2
    assert OWED in capsys.readouterr().err
    if name in ("filter", "dedup", "decontaminate"):
        gone = dropped_rows(open_dataset(Project(folder), "d/dev"))[0].row
        assert run(["restore", "d/dev", gone, "--json"]) == 0
        assert OWED in capsys.readouterr().err


def test_nothing_is_said_where_nothing_was_measured_or_nothing_changed(folder, capsys):
    assert run(["dedup", "d/dev"]) == 0
    measured(folder)
    assert run(["dedup", "d/dev"]) == 0  # nothing is left to drop
    assert run(["dedup", "d/train"]) == 0
    assert run(["filter", "d/dev", "target = 'y'", "--dry-run"]) == 0
    assert OWED not in capsys.readouterr().err
