"""How many of the faults planted in the sample data a step of the road has found, counted row by row.

The sample's faults.json says which line carries which fault; what was found is read back from the datasets. A wrong
label is not among them: none but a person finds it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from sluice.core.project import Project
from sluice.curate.dataset import open_dataset

WORDS = {
    "malformed": "malformed lines",
    "exact_duplicate": "repeated rows",
    "empty_input": "blank messages",
    "conflict": "contradictions",
    "invalid_answer": "invalid answers",
    "personal_data": "personal data",
    "over_long": "over-long messages",
    "normalised_duplicate": "repeats but for case or blanks",
    "near_duplicate": "near-repeats",
    "leak_exact": "eval or dev rows",
    "leak_near": "nearly such rows",
    "leak_contained": "such rows inside others",
}
CHECKS = {
    "empty_input": "empty",
    "conflict": "conflict",
    "invalid_answer": "schema",
    "personal_data": "personal",
    "over_long": "lengths",
}
Fault = dict[str, Any]


@dataclass(frozen=True)
class Tally:
    """How many rows with one fault there are in the file, and how many of them the step has found."""

    fault: str
    planted: int
    found: int

    def __str__(self) -> str:
        return f"{WORDS[self.fault]}: planted {self.planted}, found {self.found}"


def tallies(project: Project, step: str, dataset: str) -> list[Tally]:
    """Return the tallies of a step that has just been carried out; none for a step that finds no faults."""
    if step not in _STEPS:
        return []
    faults: dict[str, list[Fault]] = json.loads(
        (files("sluice") / "_samples" / "support-tickets" / "faults.json").read_text(encoding="utf-8")
    )["faults"]
    holds = _STEPS[step](project, dataset)
    names = [name for name in WORDS if name in holds]
    return [Tally(name, len(faults[name]), sum(map(holds[name], faults[name]))) for name in names]


Found = dict[str, Callable[[Fault], bool]]


def _added(project: Project, dataset: str) -> Found:
    rows, aside = _rows(project, dataset), _set_aside(project, dataset)
    return {
        "malformed": lambda fault: fault["line"] in aside,
        "exact_duplicate": lambda fault: rows[fault["ticket_id"]] == rows[fault["of"]],
        "empty_input": lambda fault: fault["line"] in aside,
    }


def _audited(project: Project, dataset: str) -> Found:
    from sluice.curate.audit_dataset import audit_dataset

    rows, aside = _rows(project, dataset), _set_aside(project, dataset)
    report = audit_dataset(project, dataset, checks=list(CHECKS.values())).report
    named = {fault: {f.row for f in report.check(check).rows} for fault, check in CHECKS.items()}
    found: Found = {fault: lambda entry, name=fault: rows.get(entry["ticket_id"]) in named[name] for fault in CHECKS}
    seen = found["empty_input"]
    return {**found, "empty_input": lambda fault: fault["line"] in aside or seen(fault)}


def _deduplicated(project: Project, dataset: str) -> Found:
    from sluice.curate.drops import dropped_rows

    rows = _rows(project, dataset)
    gone = {frozenset((d.row, d.kept.row)) for d in dropped_rows(open_dataset(project, dataset)) if d.kept}

    def dropped(fault: Fault) -> bool:
        return frozenset((rows[fault["ticket_id"]], rows[fault["of"]])) in gone

    return {"normalised_duplicate": dropped, "near_duplicate": dropped}


def _split(project: Project, dataset: str) -> Found:
    rows = _rows(project, dataset)
    train = set(open_dataset(project, f"{dataset}/train").frame()["row"])

    def kept_out(fault: Fault) -> bool:
        return rows[fault["ticket_id"]] not in train

    return dict.fromkeys(("leak_exact", "leak_near", "leak_contained"), kept_out)


_STEPS: dict[str, Callable[[Project, str], Found]] = {
    "add": _added,
    "audit": _audited,
    "dedup": _deduplicated,
    "split": _split,
}


def _rows(project: Project, dataset: str) -> dict[str, str]:
    """Return the row of each ticket that was read."""
    from sluice.curate.metadata import metadata_by_row

    found: dict[str, str] = {}
    for row, places in metadata_by_row(open_dataset(project, dataset)).items():
        for place in places:  # a line's metadata is JSON text: one object a line
            found[json.loads(place["metadata"])["ticket_id"]] = row
    return found


def _set_aside(project: Project, dataset: str) -> set[int]:
    from sluice.curate.show import show_set_aside

    return {line.line for line in show_set_aside(project, dataset, limit=None).set_aside}
