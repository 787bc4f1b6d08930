"""Precision and recall of each finder on the faults planted in datasets/helpdesk; support-tickets has test_planted.py.

The table of docs/checks.md is what is measured here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from support.tiny_road import Tiny

from sluice.curate.dataset import open_dataset
from sluice.curate.metadata import metadata_by_row

SAMPLES = Path(__file__).parents[2] / "datasets"
FAULTS: dict[str, Any] = json.loads((SAMPLES / "helpdesk" / "faults.json").read_text(encoding="utf-8"))
CHECKS = {
    "conflict": "conflict",
    "personal": "personal_data",
    "mojibake": "mojibake",
    "truncated": "truncated",
    "refusal": "refusal",
    "language": "wrong_language",
}
TABLE = (SAMPLES.parent / "docs" / "checks.md").read_text(encoding="utf-8").partition("<!-- table: planted -->")[2]
SURE = ("set aside", "exact", "normalised", "near", "leak", *CHECKS)
FLOORS = dict.fromkeys(SURE, (1.0, 1.0)) | {"label-errors": (0.8, 0.8)}  # least precision and recall


def rates(found: set[Any], planted: set[Any]) -> tuple[float, float, int, int]:
    """Return precision, recall, how many were found and how many planted."""
    right = len(found & planted)
    return right / max(len(found), 1), right / len(planted), len(found), len(planted)


def ids(road: Tiny, version: str, *keys: str) -> dict[str, set[str]]:
    """Return the rows of a version with the ids of the talks that they were seen as."""
    found = dict[str, set[str]]()
    for row, places in metadata_by_row(open_dataset(road.project, version)).items():
        for place in places:
            beside = json.loads(place["metadata"])
            found.setdefault(row, set()).update(str(beside[key]) for key in keys if key in beside)
    return found


def fault(name: str, key: str = "id") -> list[str]:
    """Return the talks that carry a fault."""
    return [entry[key] for entry in FAULTS["faults"][name]]


def pairs(road: Tiny, version: str, of: dict[str, set[str]], reason: str) -> set[frozenset[str]]:
    """Return the pairs of talks that dedup took for repeats of each other."""
    dropped = road("show", version, "--dropped", "--reason", reason).result["dropped"]
    return {frozenset((min(of[d["row"]]), min(of[d["kept"]["row"]]))) for d in dropped}


@pytest.fixture(scope="module")
def helpdesk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[float, float, int, int]]:
    """What each finder found of the three exports."""
    pytest.importorskip("cleanlab")
    road = Tiny(tmp_path_factory.mktemp("helpdesk"))
    for name in ("chats.jsonl", "desk.csv", "mails.jsonl.gz", "exam.jsonl"):
        (road.root / name).write_bytes((SAMPLES / "helpdesk" / name).read_bytes())
    road("init", "--kind", "curate", "--name", "h", "--data", "h", "--description", "Answers of a shop.", "--yes")
    table = ("desk.csv", "--encoding", "cp1252")
    added = [
        road("add", "h", "chats.jsonl").result,
        road("add", "h", *table, "--input", "message", "--target", "answer").result,
        road(
            "add", "h", "mails.jsonl.gz", "--thread", "thread", "--order", "date", "--role", "from", "--roles", "note=-"
        ).result,
    ]
    of = ids(road, "h", "id", "ticket", "thread")
    table_of = dict[str, tuple[float, float, int, int]]()
    lines = {(s["file"], s["line"]) for s in road("show", "h", "--set-aside").result["set_aside"]}
    planted = {(file, line) for file, some in FAULTS["set_aside"].items() for line in some}
    table_of["set aside"] = rates(lines, planted)
    assert sum(a["set_aside"] for a in added) == len(planted)

    def talks(rows: Iterable[str], names: dict[str, set[str]]) -> set[str]:
        return {min(names[row]) for row in rows}

    seen = {frozenset(some) for some in of.values() if len(some) > 1}
    table_of["exact"] = rates(seen, twins("exact_duplicate"))
    for check, name in CHECKS.items():
        rows = [f["row"] for f in road("show", "h", "--failing", check).result["failing"]]
        wanted = set(fault(name)) | (set(fault(name, "of")) if name == "conflict" else set())
        table_of[check] = rates(talks(rows, of), wanted)
    before = set(of)
    road("decontaminate", "h", "--against", "exam.jsonl", "--input", "question", "--target", "answer")
    gone = before - set(open_dataset(road.project, "h").frame()["row"])
    table_of["leak"] = rates(talks(gone, of), set(fault("leak")))
    road("dedup", "h")
    table_of["normalised"] = rates(pairs(road, "h", of, "exact-duplicate"), twins("normalised_duplicate"))
    table_of["near"] = rates(pairs(road, "h", of, "near-duplicate"), twins("near_duplicate"))
    road("add", "teams", *table, "--input", "subject,message", "--target", "team")
    named = road("show", "teams", "--failing", "label-errors").result["failing"]
    teams = ids(road, "teams", "ticket")
    table_of["label-errors"] = rates(talks((f["row"] for f in named), teams), set(fault("wrong_label")))
    return table_of


def twins(name: str) -> set[frozenset[str]]:
    """Return the planted pairs: a talk and the one it repeats."""
    return {frozenset((entry["id"], entry["of"])) for entry in FAULTS["faults"][name]}


@pytest.mark.parametrize("finder", FLOORS)
def test_a_finder_keeps_its_floors(helpdesk, finder):
    precision, recall, found, planted = helpdesk[finder]
    rows = [line for line in TABLE.splitlines() if line.startswith(f"| {finder} |")]
    assert rows == [f"| {finder} | {planted} | {found} | {precision:.2f} | {recall:.2f} |"]
    least_precise, least_found = FLOORS[finder]
    assert precision >= least_precise
    assert recall >= least_found
