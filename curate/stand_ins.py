"""Which rows stand in a dataset in the place of others that they were made of (`redact`, a mend).

A row that comes back takes its place again, so that the two never stand side by side. Knows nothing of why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sluice.curate.dataset import Version, open_dataset, operation_frames
from sluice.curate.drops import dropped_frame, operations_on

if TYPE_CHECKING:
    import polars as pl


class StandIns(NamedTuple):
    """What becomes of the rows that stand in for some that come back."""

    leave: dict[str, str]
    """Rows of the version that leave, each with a row that comes back."""
    shared: dict[str, str]
    """Rows that stay, since they stand for others as well, each with a row that comes back beside it."""
    covered: frozenset[str]
    """Rows that do not come back, since the row that they were made of does."""


def stand_ins(version: Version, back: pl.DataFrame) -> StandIns:
    """Return what stands in a version for dropped rows that come back.

    Args:
        version: that they come back to.
        back: dropped rows of `dropped_frame`.
    """
    gone = dropped_frame(version)
    operations = operations_on(version)
    edges = operation_frames(version.project, operations, "edges")
    if gone is None or edges is None:
        return StandIns({}, {}, frozenset())
    joined = {frozenset(pair) for pair in zip(edges["old"], edges["new"], strict=True)}
    replaced = {
        row: kept
        for row, kept in zip(gone["row"], gone["kept"], strict=True)
        if kept is not None and frozenset((row, kept)) in joined
    }
    asked = set(back["row"])
    covered = {row for first in asked for row in _after(first, replaced)} & asked
    held = set(version.frame()["row"])
    ends = {row: end for row in asked - covered for end in _after(row, replaced)[-1:] if end in held}
    stay_out = {_after(row, replaced)[-1] for row in replaced.keys() - asked if not _leads_back(row, replaced, asked)}
    was_there = _before(version, set(zip(edges["operation"], edges["new"], strict=True)), set(ends.values()))
    leave: dict[str, str] = {}
    shared: dict[str, str] = {}
    for row, end in ends.items():
        (shared if end in stay_out or end in was_there else leave).setdefault(end, row)
    return StandIns(leave, shared, frozenset(covered))


def _after(row: str, replaced: dict[str, str]) -> list[str]:
    """Return the rows that stand, or stood, in the place of a row, the last of them last."""
    found: list[str] = []
    while row in replaced and replaced[row] not in found:
        row = replaced[row]
        found.append(row)
    return found


def _leads_back(row: str, replaced: dict[str, str], asked: set[str]) -> bool:
    """Return whether a row that stays out is only a step between one that comes back and what stands for it."""
    return any(row in _after(first, replaced) for first in asked)


def _before(version: Version, made: set[tuple[str, str]], ends: set[str]) -> set[str]:
    """Return which rows were there before another row became the same: they are rows of their own."""
    found: set[str] = set()
    for operation in operations_on(version):
        new = {row for made_by, row in made if made_by == operation.id} & ends
        for parent in operation.parents if new else ():
            held = open_dataset(version.project, f"{parent.dataset}@{parent.number}").frame()["row"]
            found |= new & set(held)
    return found
