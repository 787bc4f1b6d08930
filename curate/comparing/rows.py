"""What became of a row that only one side has: changed into another, moved to another part, or dropped for a reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from sluice.core.canonical import dump_exact
from sluice.core.errors import InputError
from sluice.curate.comparing.sides import Side
from sluice.curate.dataset import PARTS, Version, has_dataset, lineage, operation_frames, versions
from sluice.curate.splits.parts import LEFT_WHOLE

Tie = Literal["change", "key", "input"]


def find_ties(
    first: Side, second: Side, gone: Sequence[str], come: Sequence[str], key: str | None
) -> dict[str, tuple[str, Tie, str | None]]:
    """Return, for rows that went, the row that each became: (new row, what ties them, verb of the change)."""
    found: dict[str, tuple[str, Tie, str | None]] = {}
    free = dict.fromkeys(come)

    def tie(old: str, new: str, how: Tie, verb: str | None = None) -> None:
        if old not in found and new in free:
            found[old] = (new, how, verb)
            del free[new]

    for old, new, verb in _changes(first, second, gone, set(come)):
        tie(old, new, "change", verb)
    if key is not None:
        keys = _keyed(second, free, key)
        before = _keyed(first, gone, key)
        if not any(key in beside for side in (first, second) for beside in side.metadata.values()):
            raise InputError(
                f"no row has a column '{key}' beside it", where="--key", remedy=f"columns: {_columns(first, second)}"
            )
        for value, old in before.items():
            if value in keys:
                tie(old, keys[value], "key")
    inputs: dict[str, list[str]] = {}
    for new in free:
        inputs.setdefault(second.rows[new].input_hash, []).append(new)
    for old in gone:
        if old not in found and (same := inputs.get(first.rows[old].input_hash)):
            tie(old, same.pop(0), "input")
    return {old: found[old] for old in gone if old in found}


def _keyed(side: Side, rows: Iterable[str], key: str) -> dict[str, str]:
    """Return rows by their value of a column; a value that several rows have names none of them."""
    values: dict[str, str | None] = {}
    for row in rows:
        value = side.metadata.get(row, {}).get(key)
        if value is not None:
            text = value if isinstance(value, str) else dump_exact(value)
            values[text] = None if text in values else row
    return {value: row for value, row in values.items() if row is not None}


def _columns(*sides: Side) -> str:
    names = dict.fromkeys(name for side in sides for beside in list(side.metadata.values())[:100] for name in beside)
    return ", ".join(names) or "none"


def _changes(first: Side, second: Side, gone: Sequence[str], come: set[str]) -> list[tuple[str, str, str]]:
    """Return (old, new, verb) for each row that went and, change by change, became one that came."""
    if first.version is None or second.version is None:
        return []
    project = first.version.project
    operations = {o.id: o for version in (first.version, second.version) for o in lineage(version)}
    frame = operation_frames(project, list(operations.values()), "edges")
    if frame is None:
        return []
    became: dict[str, list[tuple[str, str]]] = {}
    for old, new, operation in frame.select("old", "new", "operation").iter_rows():
        became.setdefault(old, []).append((new, operations[operation].verb))
        became.setdefault(new, []).append((old, operations[operation].verb))  # B may be the older one
    found: list[tuple[str, str, str]] = []
    for row in gone:
        seen, waiting = {row}, list(became.get(row, ()))
        while waiting:
            new, verb = waiting.pop(0)
            if new in come:
                found.append((row, new, verb))
                break
            if new not in seen:
                seen.add(new)
                waiting += became.get(new, ())
    return found


def find_moved(first: Side, second: Side, gone: Sequence[str], come: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return (part before, part after) of rows that went to, or came from, another part of the same dataset."""
    if first.version is None or second.version is None:
        return {}
    a, b = first.version, second.version
    if a.dataset.partition("/")[0] != b.dataset.partition("/")[0]:
        return {}
    found: dict[str, tuple[str, str]] = {}
    for sister in _sisters(b, beside=a):
        held = set(sister.frame()["row"])
        found.update((row, (a.dataset, sister.dataset)) for row in gone if row in held)
    for sister in _sisters(a, beside=b):
        held = set(sister.frame()["row"])
        found.update((row, (sister.dataset, b.dataset)) for row in come if row in held)
    return found


def _sisters(version: Version, beside: Version) -> list[Version]:
    """Return the other parts as they were when a version of a part was the newest one."""
    base, _, part = version.dataset.partition("/")
    found: list[Version] = []
    for other in PARTS if part else ():
        name = f"{base}/{other}"
        if name in (version.dataset, beside.dataset) or not has_dataset(version.project, name):
            continue
        known = versions(version.project, name)
        same = [v for v in known if v.entry.operation == version.entry.operation]
        before = same or [v for v in known if v.entry.time <= version.entry.time]
        found += [v for v in before[-1:] if v.is_here]
    return found


def find_drops(version: Version | None, rows: set[str]) -> dict[str, dict[str, Any]]:
    """Return the latest drop of each row on the way to a version: reason, kept, detail, verb."""
    import polars as pl

    if version is None or not rows:
        return {}
    operations = lineage(version)[::-1]
    frame = operation_frames(version.project, operations, "dropped")
    if frame is None:
        return {}
    verbs = {o.id: o.verb for o in operations}
    wanted = frame.filter(pl.col("row").is_in(list(rows)))
    told = wanted.sort(pl.col("reason") != LEFT_WHOLE, maintain_order=True)  # why it left the whole says more
    latest = told.unique("row", keep="last", maintain_order=True)
    found = latest.select("row", "reason", "kept", "detail", "operation").iter_rows(named=True)
    return {record["row"]: {**record, "verb": verbs[record["operation"]]} for record in found}
