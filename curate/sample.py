"""`sample`: a smaller dataset drawn at random, stratified, the same each time for one seed.

Rows are taken in the order of a hash of seed and row, so that the draw depends on neither machine nor file order, and a
smaller draw of the same seed lies (but for rounding between classes) within a larger one.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.curate.adding.add import parts_of
from sluice.curate.dataset import Version, check_name, has_dataset, open_dataset, open_newest, version_hash
from sluice.curate.drops import Drop, drop_rows
from sluice.curate.metadata import class_path
from sluice.curate.operation import Outcome, commit
from sluice.curate.splits.strata import classes, quotas

REASON = "not-sampled"


class SampleResult(BaseModel):
    """What `sample` did, or would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: str
    dataset: str
    """Where the sample is."""
    version: int
    changed: bool
    rows_in: int
    rows: int
    seed: int
    stratified_by: str | None
    """The label that was kept in proportion, None where there is none."""
    labels: dict[str, int]
    """Rows drawn by label, the most frequent first, at most 50."""
    parts: tuple[str, ...]
    dry_run: bool = False


def sample(
    project: Project, ref: str, rows: int, *, seed: int = 0, to: str | None = None, dry_run: bool = False
) -> SampleResult:
    """Draw rows and make the dataset's next version of them (the others are dropped and can be restored).

    Args:
        project: of the dataset.
        ref: the dataset; with `to`, any version of one.
        rows: how many, from 1; a dataset of no more rows stays as it is.
        seed: of the draw.
        to: the name of a new dataset that gets the sample; the one drawn from then stays as it is.
        dry_run: only say what would be drawn.

    Raises UsageError for fewer than 1 row, InputError where `to` is there already with other rows.
    """
    if rows < 1:
        raise UsageError(f"{rows} rows cannot be drawn", remedy="give a number from 1 on")
    if to is not None:
        check_name(to)
        if "/" in to:  # `split` would then take the rest of the dataset for training rows, and never draw an eval part
            raise UsageError(
                f"'{to}' is a part, and parts are drawn by `sluice split`",
                where="--to",
                remedy="choose a name without /",
            )
    seen: dict[str, Any] = {}

    def build() -> Outcome | None:
        version = open_newest(project, ref) if to is None else open_dataset(project, ref)
        drawn, path, labels = draw(version, rows, seed)
        frame = version.frame()
        stays, goes = drop_rows(frame, [Drop(row, REASON) for row in frame["row"] if row not in drawn])
        seen.update(version=version, rows=stays.height, path=path, labels=labels)
        parameters = {"rows": rows, "seed": seed, "stratify": path, "to": to}
        if to is None:
            if not goes.height:
                return None
            return Outcome(
                verb="sample",
                parameters=parameters,
                parents=(version.parent,),
                contents={version.dataset: stays},
                rows_in=frame.height,
                dropped=goes,
                counts={REASON: goes.height},
            )
        if has_dataset(project, to):
            if open_dataset(project, to).hash == version_hash(stays):
                return None
            raise InputError(
                f"'{to}' is there already, with other rows", where=to, remedy="choose another name for the sample"
            )
        return Outcome(
            verb="sample",
            parameters=parameters,
            parents=(version.parent,),
            contents={to: stays},
            rows_in=frame.height,
        )

    if dry_run:
        build()
        changed = False
    else:
        changed = commit(project, build) is not None
    version: Version = seen["version"]
    dataset = to or version.dataset
    return SampleResult(
        of=version.ref,
        dataset=dataset,
        version=open_dataset(project, dataset).number if has_dataset(project, dataset) else 0,
        changed=changed,
        rows_in=version.manifest.rows,
        rows=seen["rows"],
        seed=seed,
        stratified_by=seen["path"],
        labels=seen["labels"],
        parts=parts_of(project, dataset),
        dry_run=dry_run,
    )


def draw(version: Version, count: int, seed: int) -> tuple[set[str], str | None, dict[str, int]]:
    """Return (the rows drawn, the path of the label kept in proportion or None, rows drawn by label)."""
    rows = version.rows()
    stratify = class_path(version)
    labels, _ = classes(rows, stratify)
    by_label: dict[str, list[str]] = defaultdict(list)
    for row, label in zip(rows, labels or [""] * len(rows), strict=True):
        by_label[label].append(row.row)
    shares = quotas({label: len(of_label) for label, of_label in by_label.items()}, count)
    drawn: set[str] = set()
    for label, of_label in by_label.items():
        drawn.update(sorted(of_label, key=lambda row: draw_order(seed, row))[: shares[label]])
    if labels is None:
        return drawn, None, {}
    return drawn, stratify or "target", dict(sorted(shares.items(), key=lambda item: (-item[1], item[0]))[:50])


def draw_order(seed: int, row: str) -> str:
    """Return what rows are sorted by before the first ones are taken, here and for the examples of a prompt.

    One order for both: the examples of a prompt are the first rows of seed 0, so that a sample of seed 0 holds them.
    """
    return hashlib.sha256(f"sluice/sample/1 {seed} {row}".encode()).hexdigest()
