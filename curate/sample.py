"""`sample`: a smaller dataset drawn at random, stratified, the same each time for one seed.

Rows are taken in the order of a hash of seed and row, so that the draw depends on neither machine nor file order, and a
smaller draw of the same seed lies (but for rounding between classes) within a larger one.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.core.rows import AnyRow
from sluice.curate.add import parts_of
from sluice.curate.checks.balance import few_values, label_values
from sluice.curate.dataset import Version, check_name, has_dataset, open_dataset, open_newest, version_hash
from sluice.curate.drops import Drop, drop_rows
from sluice.curate.metadata import metadata_of
from sluice.curate.operation import Outcome, commit

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
    task = version.project.config.task if version.project.has_config else None
    path, labels = strata(rows, task.stratify if task else None, metadata_of(version))
    by_label: dict[str | None, list[str]] = defaultdict(list)
    for row, label in zip(rows, labels, strict=True):
        by_label[label].append(row.row)
    shares = proportional({label: len(of_label) for label, of_label in by_label.items()}, min(count, len(rows)))
    drawn: set[str] = set()
    for label, of_label in by_label.items():
        drawn.update(sorted(of_label, key=lambda row: _order(seed, row))[: shares[label]])
    named = {str(label): n for label, n in shares.items() if label is not None}
    top = dict(sorted(named.items(), key=lambda item: (-item[1], item[0]))[:50])
    return drawn, path, top if path else {}


def strata(
    rows: Sequence[AnyRow], stratify: str | None, metadata: dict[str, dict[str, Any]]
) -> tuple[str | None, list[str | None]]:
    """Return the path of the label to keep in proportion and each row's label; (None, no labels) where there is none.

    `stratify` where it is set, else the target where it takes at most 50 values, of 5 rows or more on average. Raises
    InputError where no row has a label at the path that was set.
    """
    labels = label_values(rows, stratify or "target", metadata)
    if stratify is not None:
        if not any(label is not None for label in labels):
            raise InputError(f"no row has a label at '{stratify}'", where="[task] stratify", remedy="correct the path")
        return stratify, labels
    return ("target", labels) if few_values(labels) else (None, [None] * len(rows))


def proportional(sizes: dict[str | None, int], count: int) -> dict[str | None, int]:
    """Share `count` out in proportion to sizes, by largest remainder (Hamilton's method), never more than a size."""
    total = sum(sizes.values())
    exact = {label: Fraction(size * count, total) for label, size in sizes.items()} if total else {}
    shares = {label: int(share) for label, share in exact.items()}
    rest = sorted(exact, key=lambda label: (shares[label] - exact[label], str(label)))
    for label in rest[: count - sum(shares.values())]:
        shares[label] += 1
    return shares


def _order(seed: int, row: str) -> str:
    return hashlib.sha256(f"sluice/sample/1 {seed} {row}".encode()).hexdigest()
