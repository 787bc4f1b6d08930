"""`dedup`: a version without its repeated rows, each shown beside the row kept in its place.

What counts as a duplicate is the business of `sluice.curate.duplicates`; here its answer becomes a version, with every
dropped row kept. Conflicts and near rows with another target are reported and stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.curate.add import parts_of
from sluice.curate.dataset import Version, open_dataset, open_newest
from sluice.curate.drops import Drop, ShownRow, drop_rows, shown_row
from sluice.curate.duplicates import DedupResult, Dropped, Rules, dedup
from sluice.curate.operation import Outcome, commit

FIRST = 5
"""Examples of each finding in the result."""


class DroppedTwin(BaseModel):
    """A dropped row beside the row that stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str
    similarity: float
    row: ShownRow
    kept: ShownRow


class Twins(BaseModel):
    """Rows that are alike and stay: a conflict, or near rows with different targets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: tuple[ShownRow, ...]
    similarity: float | None = None


class DeduplicateResult(BaseModel):
    """What `dedup` did, or would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    changed: bool
    rows_in: int
    rows: int
    """Rows that are left."""
    dropped: int
    counts: dict[str, int]
    """Dropped rows by reason."""
    conflicts: int
    """Inputs that are there with more than one target; all their rows stay."""
    conflicting_rows: int
    near_other_target: int
    """Rows near another in input, with another target; they stay unless `drop_near`."""
    first_dropped: tuple[DroppedTwin, ...]
    first_conflicts: tuple[Twins, ...]
    first_near_other_target: tuple[Twins, ...]
    way: str
    """How candidates were found: `exact`, or `lsh` above 50,000 rows."""
    parts: tuple[str, ...]
    dry_run: bool = False


def deduplicate(
    project: Project,
    dataset: str,
    *,
    drop_near: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> DeduplicateResult:
    """Drop the rows of a dataset that repeat another one, and make its next version where there are any.

    Args:
        project: of the dataset.
        dataset: its name; the newest version is read.
        drop_near: also drop rows near another one in input that have another target.
        dry_run: only say what would be dropped.
        progress: called with (what, done, total).
    """
    seen: dict[str, Any] = {}

    def build() -> Outcome | None:
        version = open_newest(project, dataset)
        found = dedup(version.frame(), Rules(drop_near=drop_near), progress=progress)
        seen.update(version=version, found=found)
        return _outcome(version, found, drop_near) if found.dropped else None

    if dry_run:
        build()
        changed = False
    else:
        changed = commit(project, build) is not None
    before: Version = seen["version"]
    return _result(project, before, seen["found"], changed=changed, dry_run=dry_run)


def _outcome(version: Version, found: DedupResult, drop_near: bool) -> Outcome:
    drops = [
        Drop(d.row, d.reason, d.kept, d.jaccard, None if d.target_jaccard == 1 else f"targets {d.target_jaccard:.2f}")
        for d in found.dropped
    ]
    stays, goes = drop_rows(version.frame(), drops)
    return Outcome(
        verb="dedup",
        parameters={"drop_near": drop_near, "way": found.way},
        parents=(version.parent,),
        contents={version.dataset: stays},
        rows_in=stays.height + goes.height,
        dropped=goes,
        counts=found.counts,
        report={
            "conflicts": [list(c.rows) for c in found.conflicts],
            "near_other_target": [[p.row, p.other, round(p.jaccard, 4)] for p in found.near_other_target],
        },
    )


def _first_of_each(drops: Sequence[Dropped]) -> list[Dropped]:
    """Return the first drops, one of each reason before a second of any."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, int, Dropped]] = []
    for number, drop in enumerate(drops):
        ranked.append((seen[drop.reason], number, drop))
        seen[drop.reason] += 1
    return [drop for _, _, drop in sorted(ranked, key=lambda r: r[:2])[:FIRST]]


def _result(
    project: Project, before: Version, found: DedupResult, *, changed: bool, dry_run: bool
) -> DeduplicateResult:
    drops = _first_of_each(found.dropped)
    conflicts = found.conflicts[:FIRST]
    near = found.near_other_target[:FIRST]
    wanted = {r for d in drops for r in (d.row, d.kept)} | {r for c in conflicts for r in c.rows}
    wanted |= {r for p in near for r in (p.row, p.other)}
    frame = before.frame()
    shown = {r["row"]: shown_row(r) for r in frame.filter(frame["row"].is_in(list(wanted))).iter_rows(named=True)}
    return DeduplicateResult(
        dataset=before.dataset,
        version=open_dataset(project, before.dataset).number,
        changed=changed,
        rows_in=frame.height,
        rows=len(found.kept),
        dropped=len(found.dropped),
        counts=found.counts,
        conflicts=len(found.conflicts),
        conflicting_rows=len({r for c in found.conflicts for r in c.rows}),
        near_other_target=len(found.near_other_target),
        first_dropped=tuple(
            DroppedTwin(reason=d.reason, similarity=d.jaccard, row=shown[d.row], kept=shown[d.kept]) for d in drops
        ),
        first_conflicts=tuple(Twins(rows=tuple(shown[r] for r in c.rows)) for c in conflicts),
        first_near_other_target=tuple(Twins(rows=(shown[p.row], shown[p.other]), similarity=p.jaccard) for p in near),
        way=found.way,
        parts=parts_of(project, before.dataset),
        dry_run=dry_run,
    )
