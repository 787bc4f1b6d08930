"""What `split` did, as one record: the parts, the rows that are in none, and what the draw went by."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.project import Project
from sluice.curate.dataset import PARTS, has_dataset, open_dataset
from sluice.curate.drops import ShownRow, find_records, shown_row
from sluice.curate.splits.draw import SetAside
from sluice.curate.splits.report import SplitReport

FIRST = 5


class PartMade(BaseModel):
    """One part as it is now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: int
    """0 where it was not made (a dry run)."""
    rows: int
    new: int
    """Rows that came in now."""


class PutAside(BaseModel):
    """A row that is in no part, and the row that it touches."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: ShownRow
    reason: str
    touches: ShownRow | None


class SplitDone(BaseModel):
    """What `split` did, or would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    changed: bool
    extended: bool
    """Whether the parts were there already: new rows were added to them."""
    parts: tuple[PartMade, ...]
    set_aside: int
    reasons: dict[str, int]
    """Rows set aside now, by reason."""
    first_set_aside: tuple[PutAside, ...]
    left: int
    """Rows of the other dataset (`source`) that were not drawn; they stay there."""
    gone: int
    """Training rows that were dropped from the whole dataset since, and so left train."""
    notes: tuple[str, ...]
    strata: dict[str, dict[str, int]]
    components: int
    largest: int
    boilerplate: int
    """n-grams that were left out as boilerplate."""
    seed: int
    report: SplitReport | None = None
    """What the parts are made of; None where a split of an earlier Sluice made them and nothing is new."""
    brought_back: tuple[str, ...] = ()
    """Versions of parts whose content was gone from this copy and is here again, by repeating the split."""
    dry_run: bool = False


def split_done(
    project: Project,
    dataset: str,
    seen: dict[str, Any],
    *,
    changed: bool,
    brought_back: tuple[str, ...] = (),
    dry_run: bool,
) -> SplitDone:
    """Return the record of a split from what it noted: whole, aside, rows, new, report, seed, extended."""
    aside: list[SetAside] = seen["aside"]
    shown = {a.row for a in aside[:FIRST]} | {a.touches for a in aside[:FIRST] if a.touches}
    records = find_records(seen["whole"], shown)

    def show(row: str) -> ShownRow:
        return shown_row(records[row]) if row in records else ShownRow(row=row, input=None)

    parts = [
        PartMade(
            name=f"{dataset}/{part}",
            version=open_dataset(project, f"{dataset}/{part}").number
            if has_dataset(project, f"{dataset}/{part}")
            else 0,
            rows=seen["rows"][part],
            new=seen["new"].get(part, 0),
        )
        for part in PARTS
        if seen["rows"].get(part)
    ]
    report = seen["report"]
    return SplitDone(
        dataset=dataset,
        changed=changed,
        extended=seen["extended"],
        parts=tuple(parts),
        set_aside=len(aside),
        reasons=dict(Counter(a.reason for a in aside)),
        first_set_aside=tuple(
            PutAside(row=show(a.row), reason=a.reason, touches=show(a.touches) if a.touches else None)
            for a in aside[:FIRST]
        ),
        left=report["left"],
        gone=report["gone"],
        notes=tuple(report["notes"]),
        strata=report["strata"],
        components=report["components"],
        largest=report["largest"],
        boilerplate=len(report["boilerplate"]["ngrams"]),
        seed=seen["seed"],
        report=SplitReport.model_validate(made_of) if (made_of := report.get("made_of")) else None,
        brought_back=brought_back,
        dry_run=dry_run,
    )
