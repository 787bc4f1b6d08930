"""Every fault that is planted in the sample data is found by the step that should, and nothing else is taken for one.

No model: the commands that a user types, over the whole of datasets/support-tickets.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.tiny_road import Ended, Tiny

from sluice.cli.demo.planted import WORDS, Tally, tallies
from sluice.cli.demo.steps import before_training
from sluice.cli.demo.walk import Walk
from sluice.cli.terminal import Terminal
from sluice.curate.dataset import open_dataset
from sluice.curate.metadata import metadata_by_row

SAMPLES = Path(__file__).parents[2] / "datasets" / "support-tickets"
PLANTED = json.loads((SAMPLES / "faults.json").read_text(encoding="utf-8"))
LEAKS = ("leak_exact", "leak_near", "leak_contained")
READ = ("--input", "message", "--target", "answer")


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tiny, dict[str, Ended], list[Tally]]:
    """The road to a frozen eval set: the project, what each verb said, what was found of what is planted."""
    road = Tiny(tmp_path_factory.mktemp("planted"))
    for name in ("raw.jsonl", "handwritten.jsonl", "schema.json", "rubric.md"):
        (road.root / name).write_bytes((SAMPLES / name).read_bytes())
    description = (SAMPLES / "description.txt").read_text(encoding="utf-8").strip()
    road("init", "--kind", "json", "--name", "s", "--data", "tickets", "--description", description, "--yes")
    road("add", "hand", "handwritten.jsonl", *READ)
    steps = {
        "add": ("add", "tickets", "raw.jsonl", *READ),
        "audit": ("audit", "tickets"),
        "dedup": ("dedup", "tickets"),
        "split": ("split", "tickets", "--eval", "100", "--dev", "40", "--from", "hand"),
    }
    said, found = dict[str, Ended](), list[Tally]()
    for name, argv in steps.items():
        said[name] = road(*argv)
        found += tallies(road.project, name, "tickets")
    road("freeze")
    return road, said, found


@pytest.fixture(scope="module")
def rows(walked: tuple[Tiny, Any, Any]) -> dict[str, str]:
    """The row of each ticket."""
    places = metadata_by_row(open_dataset(walked[0].project, "tickets@1"))
    return {json.loads(p["metadata"])["ticket_id"]: row for row, some in places.items() for p in some}


def planted(rows: dict[str, str], *names: str, key: str = "ticket_id") -> set[str]:
    """Return the rows with a fault."""
    return {rows[entry[key]] for name in names for entry in PLANTED["faults"][name]}


def named(ended: Ended, check: str) -> set[str]:
    """Return the rows that a check of the audit names."""
    found = next(c for c in ended.result["report"]["checks"] if c["name"] == check)
    return {f["row"] for f in found["rows"]}


def test_the_step_that_should_finds_each_planted_row(walked):
    last = {tally.fault: tally for tally in walked[2]}
    assert {name: (t.planted, t.found) for name, t in last.items()} == {
        name: (PLANTED["counts"][name],) * 2 for name in WORDS
    }
    assert set(PLANTED["counts"]) - set(WORDS) == {"wrong_label"}, "which only a person finds"
    assert "contradictions: planted 12, found 12" in map(str, walked[2])


def test_add_takes_nothing_else_for_a_repeat_or_sets_it_aside(walked):
    counts, added = PLANTED["counts"], walked[1]["add"].result
    blank = next(t.found for t in walked[2] if t.fault == "empty_input")
    assert added["repeated"] == counts["exact_duplicate"]
    assert added["set_aside"] == counts["malformed"] + blank
    assert added["added"] == PLANTED["lines"] - added["repeated"] - added["set_aside"] == 1556


def test_audit_names_the_planted_rows_and_no_others(walked, rows):
    audit = walked[1]["audit"]
    assert named(audit, "schema") == planted(rows, "invalid_answer")
    assert named(audit, "personal") == planted(rows, "personal_data")
    assert named(audit, "lengths") == planted(rows, "over_long")
    assert named(audit, "conflict") == planted(rows, "conflict") | planted(rows, "conflict", key="of")
    assert len(named(audit, "empty")) == 1


def test_dedup_drops_one_of_each_planted_pair_and_no_other_row(walked, rows):
    road, said, _ = walked
    assert said["dedup"].result["counts"] == {"exact-duplicate": 14, "near-duplicate": 40}
    gone = {d["row"] for d in road("show", "tickets@2", "--dropped").result["dropped"]}
    pairs = ("normalised_duplicate", "near_duplicate")
    assert len(gone) == sum(PLANTED["counts"][name] for name in pairs)
    assert gone <= planted(rows, *pairs) | planted(rows, *pairs, key="of")


def leaked(result: dict[str, Any], part: str) -> int:
    return sum(n for reason, n in result["reasons"].items() if reason.endswith(f"of {part}"))


def test_split_keeps_out_the_planted_leaks_and_no_other_row(walked, rows):
    road, said, _ = walked
    split = said["split"].result
    assert split["set_aside"] == sum(PLANTED["counts"][name] for name in LEAKS)
    before = set(open_dataset(road.project, "tickets@2").frame()["row"])
    train = set(open_dataset(road.project, "tickets/train").frame()["row"])
    assert before - train == planted(rows, *LEAKS)
    assert leaked(split, "eval") + leaked(split, "dev") == split["set_aside"]


def test_decontaminate_finds_those_that_come_another_way(walked, rows):
    """The raw lines, added again under another name, lose the planted rows that meet an eval row."""
    road, said, _ = walked
    road("add", "again", "raw.jsonl", *READ)
    found = road("decontaminate", "again").result
    assert found["dropped"] == leaked(said["split"].result, "eval")
    kept = set(open_dataset(road.project, "again").frame()["row"])
    assert set(rows.values()) - kept <= planted(rows, *LEAKS)


def test_the_demo_says_at_the_step_what_was_planted_and_found(tmp_path, monkeypatch, capsys):
    (tmp_path / "raw.jsonl").write_bytes((SAMPLES / "raw.jsonl").read_bytes())
    monkeypatch.chdir(tmp_path)
    add = next(step for step in before_training("d") if step.name == "add")
    Walk(Terminal(), tmp_path).step(add)
    said = capsys.readouterr().out.splitlines()
    assert "malformed lines: planted 9, found 9; repeated rows: planted 30, found 30; blank messages" in "\n".join(said)
