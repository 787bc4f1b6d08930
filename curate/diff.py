"""`diff`: two versions, or two files, row by row and distribution by distribution.

A row is named by its content, so a row is the same, or another one. What ties a row that went to one that came is, in
this order: a change that an operation recorded; a column with an id, where one is named; the same input with another
answer. What is left was added or removed, with the reason that an operation gives. Rows that went to a sister part are
moved, not removed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import dump_exact
from sluice.core.errors import InputError, UsageError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.rows import AnyRow, to_record
from sluice.curate.add import name_of
from sluice.curate.dataset import (
    PARTS,
    Version,
    has_dataset,
    lineage,
    open_dataset,
    operation_frames,
    read_name,
    versions,
)
from sluice.curate.distributions import Comparison, compare, compare_rows
from sluice.curate.drops import ShownRow, shown_row
from sluice.curate.formats import ReadOptions, read_file
from sluice.curate.measure import label_paths, measure
from sluice.curate.metadata import class_path, metadata_by_row, metadata_of
from sluice.curate.parts import LEFT_WHOLE

FIRST = 20
"""Rows of each sort that a result shows."""
NO_REASON = "no operation says why"

Tie = Literal["change", "key", "input"]


class Record(BaseModel):
    """What all records of a diff share."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AddedRow(Record):
    """A row that only the second side has."""

    row: ShownRow
    place: str | None
    """Where it was seen: file, line."""


class RemovedRow(Record):
    """A row that only the first side has."""

    row: ShownRow
    reason: str | None
    """As the operation that dropped it says; None where none says it."""
    verb: str | None
    detail: str | None
    kept: ShownRow | None
    """The row that stands in its place."""


class ChangedRow(Record):
    """A row that became another one."""

    old: ShownRow
    new: ShownRow
    tie: Tie
    """What ties the two: a recorded change, the key column, the same input."""
    verb: str | None
    """Of the recorded change."""


class MovedRow(Record):
    """A row that is in another part of the same dataset."""

    row: ShownRow
    before: str
    after: str


class Diff(Record):
    """What is different between two sides."""

    a: str
    b: str
    rows_a: int
    rows_b: int
    same: int
    """Rows that both have."""
    added: int
    removed: int
    changed: int
    moved: int
    reasons: dict[str, int]
    """Of the removed rows, the commonest first."""
    first_added: tuple[AddedRow, ...]
    first_removed: tuple[RemovedRow, ...]
    first_changed: tuple[ChangedRow, ...]
    first_moved: tuple[MovedRow, ...]
    distributions: tuple[Comparison, ...]
    set_aside: int = 0
    """Lines of files that could not be read exactly; they are on neither side."""

    @property
    def any_rows(self) -> bool:
        """Whether a row differs."""
        return bool(self.added or self.removed or self.changed or self.moved)

    @property
    def drifted(self) -> tuple[Comparison, ...]:
        """The distributions that differ; how many rows there are is none."""
        return tuple(d for d in self.distributions if d.word == "differs" and d.name != "rows")


@dataclass(frozen=True)
class Side:
    """One of the two: rows by hash, in order, and what stands beside them."""

    name: str
    rows: dict[str, AnyRow]
    version: Version | None = None
    stratify: str | None = None
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    places: Mapping[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    set_aside: int = 0


def diff(
    project: Project | None,
    a: str,
    b: str | None = None,
    options: ReadOptions | None = None,
    *,
    key: str | None = None,
    limit: int = FIRST,
    progress: Progress | None = None,
) -> Diff:
    """Compare two datasets, versions or files.

    Args:
        project: in which names are looked up first; None: all are files.
        a: NAME, NAME@3, NAME:tag, or a file. Without `b` a dataset: this version against the one before it.
        b: the same.
        options: how files are read.
        key: a column beside the rows that names them, such as ticket_id: one key with other content is a change.
        limit: rows of each sort in the result.
        progress: called with (what, done, total).

    Raises InputError where a side cannot be found or read, or no row has the key, UsageError where there is nothing to
    compare with.
    """
    first, second = _sides(project, a, b, options, progress)
    gone = [row for row in first.rows if row not in second.rows]
    come = [row for row in second.rows if row not in first.rows]
    ties = _ties(first, second, gone, come, key)
    new = {other for other, _, _ in ties.values()}
    moved = _moved(first, second, [r for r in gone if r not in ties], [r for r in come if r not in new])
    removed = [r for r in gone if r not in ties and r not in moved]
    added = [r for r in come if r not in new and r not in moved]
    drops = _drops(second.version, set(removed))
    counts = Counter(drops[r]["reason"] if r in drops else NO_REASON for r in removed)
    kept = _shown_by_hash({d["kept"] for d in drops.values() if d["kept"]}, second, first)
    return Diff(
        a=first.name,
        b=second.name,
        rows_a=len(first.rows),
        rows_b=len(second.rows),
        same=len(first.rows) - len(gone),
        added=len(added),
        removed=len(removed),
        changed=len(ties),
        moved=len(moved),
        reasons=dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))) if first.version else {},
        first_added=tuple(AddedRow(row=_shown(second, r), place=_place(second, r)) for r in added[:limit]),
        first_removed=tuple(_removed(first, r, drops.get(r), kept) for r in removed[:limit]),
        first_changed=tuple(
            ChangedRow(old=_shown(first, r), new=_shown(second, other), tie=tie, verb=verb)
            for r, (other, tie, verb) in list(ties.items())[:limit]
        ),
        first_moved=tuple(
            MovedRow(row=_shown(first if r in first.rows else second, r), before=before, after=after)
            for r, (before, after) in list(moved.items())[:limit]
        ),
        distributions=_distributions(first, second),
        set_aside=first.set_aside + second.set_aside,
    )


def _sides(
    project: Project | None, a: str, b: str | None, options: ReadOptions | None, progress: Progress | None
) -> tuple[Side, Side]:
    if b is not None:
        return _side(project, a, options, progress), _side(project, b, options, progress)
    if project is None or not _is_dataset(project, a):
        raise UsageError("there is one side only", where=a, remedy=f"name the other one: sluice diff {a} OTHER")
    version = open_dataset(project, a)
    if version.number == 1:
        raise InputError(
            f"'{version.dataset}' has no version before this one",
            where=version.ref,
            remedy=f"name the other side: sluice diff {version.dataset} OTHER",
        )
    return _of_version(Version(project, read_name(project, version.dataset, version.number - 1))), _of_version(version)


def _is_dataset(project: Project, word: str) -> bool:
    """Return whether a word names a dataset rather than a file (`./tickets` is a file)."""
    return not word.startswith((".", "/", "~")) and has_dataset(project, word.partition("@")[0].partition(":")[0])


def _side(project: Project | None, word: str, options: ReadOptions | None, progress: Progress | None) -> Side:
    if project is not None and _is_dataset(project, word):
        return _of_version(open_dataset(project, word))
    path = Path(word)
    if project is not None and not path.exists() and not path.suffix:
        return _of_version(open_dataset(project, word))  # raises, and says which was meant
    return _of_file(path, options, progress)


def _of_version(version: Version) -> Side:
    seen = metadata_by_row(version)
    return Side(
        name=version.ref,
        rows={row.row: row for row in version.rows()},
        version=version,
        stratify=class_path(version),
        metadata=metadata_of(version),
        groups=version.groups(),
        places={row: (str(places[0]["file"]), int(places[0]["line"])) for row, places in seen.items()},
    )


def _of_file(path: Path, options: ReadOptions | None, progress: Progress | None) -> Side:
    read = read_file(path, options, progress)
    name = name_of(Project("."), path)
    rows: dict[str, AnyRow] = {}
    metadata: dict[str, Mapping[str, Any]] = {}
    places: dict[str, tuple[str, int]] = {}
    for taken in read.rows:
        hashed = taken.row.row
        if hashed not in rows:
            rows[hashed], metadata[hashed], places[hashed] = taken.row, taken.metadata, (name, taken.line)
    return Side(name, rows, metadata=metadata, places=places, set_aside=len(read.set_aside))


def _ties(
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


def _moved(first: Side, second: Side, gone: Sequence[str], come: Sequence[str]) -> dict[str, tuple[str, str]]:
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


def _drops(version: Version | None, rows: set[str]) -> dict[str, dict[str, Any]]:
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


def _removed(side: Side, row: str, drop: dict[str, Any] | None, kept: Mapping[str, ShownRow]) -> RemovedRow:
    if drop is None:
        return RemovedRow(row=_shown(side, row), reason=None, verb=None, detail=None, kept=None)
    stays = kept.get(drop["kept"]) or (ShownRow(row=drop["kept"], input=None) if drop["kept"] else None)
    return RemovedRow(
        row=_shown(side, row), reason=drop["reason"], verb=drop["verb"], detail=drop["detail"], kept=stays
    )


def _shown(side: Side, row: str) -> ShownRow:
    return shown_row(to_record(side.rows[row]))


def _shown_by_hash(rows: set[str], *sides: Side) -> dict[str, ShownRow]:
    return {row: _shown(side, row) for side in reversed(sides) for row in rows if row in side.rows}


def _place(side: Side, row: str) -> str | None:
    place = side.places.get(row)
    return f"{place[0]}:{place[1]}" if place else None


def _distributions(first: Side, second: Side) -> tuple[Comparison, ...]:
    every = [*first.rows.values(), *second.rows.values()]
    labelled = label_paths(every, second.stratify or first.stratify)
    files = first.version is None and second.version is None  # two files are two sources: that says nothing
    measured = [
        measure(
            list(side.rows.values()),
            labelled=labelled,
            metadata=side.metadata,
            groups=side.groups,
            sources=None if files else {row: file for row, (file, _) in side.places.items()},
        )
        for side in (first, second)
    ]
    return (compare_rows(len(first.rows), len(second.rows)), *compare(*measured))
