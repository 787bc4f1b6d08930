"""`filter`: drop the rows that checks of `audit` name, with the check as the reason and its words beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, UsageError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.wording import counted
from sluice.curate.adding.add import parts_of
from sluice.curate.audit import AuditReport, failing_rows
from sluice.curate.audit_dataset import Tokens, audit_dataset
from sluice.curate.dataset import Version, open_dataset
from sluice.curate.drops import Drop, Gone, Plan, ShownRow, drop_from, shown_row

FIRST = 5


class FilteredRow(BaseModel):
    """A row that was dropped, and what the check said of it; nothing where an expression speaks for itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: ShownRow
    reason: str
    detail: str


class FilterResult(BaseModel):
    """What `filter` did, or would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    changed: bool
    rows_in: int
    rows: int
    """Rows that are left."""
    dropped: int
    counts: dict[str, int]
    """Dropped rows by check (a row that several checks name counts for each), or by the expression."""
    first_dropped: tuple[FilteredRow, ...]
    parts: tuple[str, ...]
    dry_run: bool = False
    expression: str | None = None
    keeps: bool | None = None
    """Whether the rows that the expression is true of are kept (else they are dropped)."""
    absent: int = 0
    """Rows of which the expression is neither true nor false, because a column is absent in them; they are not kept."""
    columns: tuple[str, ...] = ()
    """What the expression looked at."""


def filter_rows(
    project: Project,
    dataset: str,
    failing: Sequence[str],
    *,
    schema: dict[str, Any] | None = None,
    count_tokens: Tokens | None = None,
    max_tokens: int | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> FilterResult:
    """Drop the rows of a dataset that the named checks find, and make its next version where there are any.

    Args:
        project: of the dataset.
        dataset: its name, usually a part such as `tickets/train`; the newest version is read.
        failing: names of checks.
        schema, count_tokens, max_tokens, progress: as for `audit_dataset`.
        dry_run: only say what would be dropped.

    Raises InputError for a name that is no check, for a check that lacks what it needs, and where no row would be
    left; UsageError for a check that names no rows.
    """
    if not failing:
        raise UsageError("no check is named", remedy=f"sluice filter {dataset} --failing schema,empty")

    def plan(version: Version) -> Plan:
        audit = audit_dataset(
            project,
            version.ref,
            schema=schema,
            count_tokens=count_tokens,
            max_tokens=max_tokens,
            checks=failing,
            progress=progress,
        )
        drops = _drops(audit.report, failing, dataset)
        return Plan(
            verb="filter",
            drops=drops,
            parameters={"failing": list(failing)},
            counts=_counts(drops),
            none_left=InputError(
                f"all of it, {counted(len(drops), 'row')}, fails: {', '.join(failing)}",
                where=version.ref,
                remedy="look at the rows first: sluice audit " + dataset,
            ),
        )

    return filter_result(project, dataset, drop_from(project, dataset, plan, dry_run=dry_run), dry_run=dry_run)


def filter_result(project: Project, dataset: str, gone: Gone, *, dry_run: bool, **asked: Any) -> FilterResult:
    """Return what was done, or would be.

    Args:
        gone: what `drop_from` did.
        asked: further fields of FilterResult.
    """
    rows_in, dropped = gone.before.manifest.rows, gone.goes.height
    first = gone.goes.head(FIRST).iter_rows(named=True)
    return FilterResult(
        dataset=dataset,
        version=open_dataset(project, dataset).number,
        changed=gone.changed,
        rows_in=rows_in,
        rows=rows_in - dropped,
        dropped=dropped,
        counts=gone.counts,
        first_dropped=tuple(FilteredRow(row=shown_row(r), reason=r["reason"], detail=r["detail"] or "") for r in first),
        parts=parts_of(project, dataset),
        dry_run=dry_run,
        **asked,
    )


def _drops(report: AuditReport, failing: Sequence[str], dataset: str) -> list[Drop]:
    """Return a drop for each row that the checks name: their names are the reason, their words the detail."""
    details = failing_rows(report, failing, dataset)
    checks: dict[str, list[str]] = {}
    repeats: dict[str, str] = {}
    for name in dict.fromkeys(failing):
        for finding in report.check(name).rows:
            if finding.row is not None:
                checks.setdefault(finding.row, []).append(name)
                if name in ("leak", "dev-in-train") and finding.related:
                    repeats.setdefault(finding.row, finding.related[0])
    return [
        Drop(row, "+".join(dict.fromkeys(checks[row])), repeats.get(row), None, detail)
        for row, detail in details.items()
    ]


def _counts(drops: Sequence[Drop]) -> dict[str, int]:
    return dict(Counter(name for drop in drops for name in drop.reason.split("+")))
