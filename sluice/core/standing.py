"""What lies in a project's folder, read as it is for `status` and `log`: datasets, facts, adapters.

Nothing is recomputed or believed to be whole: that is what `gate` and `verify` are for. It imports no engine. A file
that cannot be read counts as empty here, and a sluice.toml that cannot be read becomes a notice.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sluice.core.errors import InputError
from sluice.core.ledger import Fact, Facts, Ledger
from sluice.core.looked import looked
from sluice.core.project import CONFIG, Project

PARTS = ("train", "dev", "eval")
ONLY_DROP = ("dedup", "filter", "sample", "decontaminate", "forget")
"""Verbs after which a dataset holds no row that it did not hold before."""


@dataclass(frozen=True)
class DatasetState:
    """A dataset and its newest version."""

    name: str
    version: int
    rows: int | None
    """None where the content is not in this copy."""
    made_by: str | None
    kinds: tuple[str, ...] = ()
    """The kinds of its rows; none where the content is not in this copy."""


@dataclass
class Seen:
    """What was read."""

    task: dict[str, Any]
    """The section [task] as it stands, unchecked."""
    data: str
    datasets: dict[str, DatasetState]
    facts: Facts | None
    notices: list[str] = field(default_factory=list[str])
    broken: bool = False
    """Whether sluice.toml is there and cannot be used: nothing else comes before mending it."""

    def of(self, kind: str, **body: Any) -> list[Fact]:
        """Return the facts of a kind with these values; none where the ledger could not be read."""
        return [] if self.facts is None else self.facts.of(kind, **body)


def read_standing(project: Project) -> Seen:
    """Return what a project's folder holds."""
    notices: list[str] = []
    task: dict[str, Any] = {}
    if project.has_config:
        try:
            raw = tomllib.loads(project.config_file.read_text(encoding="utf-8-sig"))
            task = cast("dict[str, Any]", raw.get("task") if isinstance(raw.get("task"), dict) else {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            notices.append(f"{CONFIG} cannot be read: {problem}")
    facts: Facts | None = None
    try:
        facts = Ledger(project).read()
    except InputError as problem:
        if not notices:
            notices.append(str(problem))
    broken = project.has_config and bool(notices)
    if (project.store / "privacy" / "forget.json").is_file():
        notices.append("a forget was cut, and rows are half gone: sluice forget finishes it")
    datasets = {d.name: d for d in datasets_of(project)}
    wholes = [n for n in datasets if "/" not in n]
    data = task.get("data") if isinstance(task.get("data"), str) else None
    return Seen(task, str(data or (wholes[0] if wholes else "tickets")), datasets, facts, notices, broken)


def datasets_of(project: Project) -> Iterator[DatasetState]:
    """Yield each dataset with its newest version, parts after their whole."""
    if not project.names.is_dir():
        return
    newest: dict[str, int] = {}
    for file in project.names.rglob("*.json"):
        if file.stem.isdigit():
            name = file.parent.relative_to(project.names).as_posix()
            newest[name] = max(newest.get(name, 0), int(file.stem))
    for name, number in sorted(newest.items()):
        entry = read_json(project.names / name / f"{number}.json")
        manifest = read_json(project.data / str(entry.get("version")) / "manifest.json")
        operation = read_json(project.operations / str(entry.get("operation")) / "operation.json")
        rows = manifest.get("rows")
        held = manifest.get("kinds")
        kinds = tuple(map(str, cast("dict[str, Any]", held))) if isinstance(held, dict) else ()
        yield DatasetState(name, number, rows if isinstance(rows, int) else None, operation.get("verb"), kinds)


def read_json(file: Path) -> dict[str, Any]:
    """Return a JSON object, empty where there is none: whether it should be there is for `verify` to say."""
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def came_since_split(project: Project, dataset: str) -> bool:
    """Return whether rows came to a dataset since its parts were made of it, so that they are in no part.

    Rows that a split set aside are not meant: they are in none for good.
    """
    joined = max((_joined(project, dataset, part) for part in PARTS), default=0)
    newest = _newest(project, dataset)
    first = max(joined, looked(project).get("split", {}).get(dataset, 0)) + 1
    for number in range(first, newest + 1) if joined else ():
        entry = read_json(project.names / dataset / f"{number}.json")
        operation = read_json(project.operations / str(entry.get("operation")) / "operation.json")
        counts = operation.get("counts")
        returned = isinstance(counts, dict) and bool(cast("dict[str, Any]", counts).get("returned"))
        if operation.get("verb") not in ONLY_DROP or returned:
            return True
    return False


def _newest(project: Project, dataset: str) -> int:
    return max((int(f.stem) for f in (project.names / dataset).glob("*.json") if f.stem.isdigit()), default=0)


def _joined(project: Project, dataset: str, part: str) -> int:
    """Return the number of the whole that the last split of a part stands on, 0 for none."""
    for number in range(_newest(project, f"{dataset}/{part}"), 0, -1):
        entry = read_json(project.names / dataset / part / f"{number}.json")
        operation = read_json(project.operations / str(entry.get("operation")) / "operation.json")
        parents = operation.get("parents")
        if operation.get("verb") != "split" or not isinstance(parents, list):
            continue
        found = [p["number"] for p in cast("list[dict[str, Any]]", parents) if p.get("dataset") == dataset]
        if found:
            return int(found[0])
    return 0


def parts_of(seen: Seen) -> dict[str, DatasetState]:
    """Return the parts of the task's dataset by their short names."""
    return {p: seen.datasets[f"{seen.data}/{p}"] for p in PARTS if f"{seen.data}/{p}" in seen.datasets}


def is_set(fact: Fact) -> bool:
    """Return whether a `frozen` fact says what such a fact says; others are shown by the log and count for nothing."""
    kinds = {"set": str, "name": str, "guard": bool, "rows": int, "rows_sha256": str}
    return all(isinstance(fact.body.get(key), kind) for key, kind in kinds.items())


def deciding(seen: Seen) -> tuple[Fact | None, list[Fact]]:
    """Return the set that decides, and those that were frozen apart where nobody chose."""
    if seen.facts is None:
        return None, []
    return decided(seen.facts, [f for f in seen.facts.of("frozen") if f.body.get("guard") is False and is_set(f)])


def decided(facts: Facts, frozen: list[Fact]) -> tuple[Fact | None, list[Fact]]:
    """Return which of the freeze entries of eval sets decides, and those that were frozen apart where nobody chose.

    A choice counts where it stands on all that it chooses from, and no other copy chose apart from it.
    """
    newest = newest_facts(facts, frozen)
    if len(newest) < 2:
        return (newest[0] if newest else None), []
    choices = newest_facts(facts, facts.of("chosen"))
    if len(choices) == 1 and facts.ancestors(choices[0].hash) >= {f.hash for f in newest}:
        chosen = next((f for f in newest if f.body.get("set") == choices[0].body.get("set")), None)
        if chosen is not None:
            return chosen, []
    return None, newest


def newest_facts(facts: Facts, some: list[Fact]) -> list[Fact]:
    """Return those of some facts that no other of them stands on: what holds now."""
    covered: set[str] = set()
    for fact in reversed(some):
        if fact.hash not in covered:
            covered |= facts.ancestors(fact.hash)
    return [f for f in some if f.hash not in covered]


def is_graded(facts: Facts) -> bool:
    """Return whether somebody graded answers blind, or waived that: what it comes to is for the gate to say."""
    return bool(facts.of("graded") or facts.of("waived", rule="gradable"))


def verdict_file(project: Project, adapter: str, set_sha256: str) -> Path:
    """Return where the verdict on an adapter is kept to be shown again; it is evidence of nothing.

    Args:
        adapter: hash of the adapter.
        set_sha256: hash of the eval set.
    """
    return project.store / "verdicts" / f"{set_sha256[:16]}-{adapter[:16]}.json"


def adapter_certificates(project: Project) -> dict[str, dict[str, Any]]:
    """Return the certificate of each adapter by id, oldest first (empty for a foreign one)."""
    folder = project.adapters
    if not folder.is_dir():
        return {}
    found = [p for p in folder.iterdir() if (p / "adapter_config.json").is_file()]
    found.sort(key=lambda p: (p.name.rstrip("0123456789"), len(p.name), p.name))
    return {p.name: read_json(p / "certificate.json") for p in found}
