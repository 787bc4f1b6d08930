"""`diff`: two versions, or two files, row by row and distribution by distribution.

A row is named by its content, so a row is the same, or another one. What ties a row that went to one that came is, in
this order: a change that an operation recorded; a column with an id, where one is named; the same input with another
answer. What is left was added or removed, with the reason that an operation gives. Rows that went to a sister part are
moved, not removed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.rows import to_record
from sluice.curate.comparing.distributions import Comparison, compare, compare_rows
from sluice.curate.comparing.measure import label_paths, measure
from sluice.curate.comparing.rows import Tie, find_drops, find_moved, find_ties
from sluice.curate.comparing.sides import Side, Word, open_sides
from sluice.curate.drops import ShownRow, shown_row
from sluice.curate.formats import ReadOptions

FIRST = 20
"""Rows of each sort that a result shows."""
NO_REASON = "no operation says why"


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


def diff(
    project: Project | None,
    a: Word,
    b: Word | None = None,
    options: ReadOptions | None = None,
    *,
    key: str | None = None,
    limit: int = FIRST,
    progress: Progress | None = None,
) -> Diff:
    """Compare two datasets, versions or files.

    Args:
        project: in which names are looked up first; None: all are files.
        a: NAME, NAME@3, NAME:tag; or a file, a folder, a pattern. Without `b` a dataset, held against the version
            before it.
        b: the same.
        options: how files are read.
        key: a column beside the rows that names them, such as ticket_id: one key with other content is a change.
        limit: rows of each sort in the result.
        progress: called with (what, done, total).

    Raises InputError where a side cannot be found or read, or no row has the key, UsageError where there is nothing to
    compare with.
    """
    first, second = open_sides(project, a, b, options, progress)
    gone = [row for row in first.rows if row not in second.rows]
    come = [row for row in second.rows if row not in first.rows]
    ties = find_ties(first, second, gone, come, key)
    new = {other for other, _, _ in ties.values()}
    moved = find_moved(first, second, [r for r in gone if r not in ties], [r for r in come if r not in new])
    removed = [r for r in gone if r not in ties and r not in moved]
    added = [r for r in come if r not in new and r not in moved]
    drops = find_drops(second.version, set(removed))
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
