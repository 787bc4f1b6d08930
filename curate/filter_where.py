"""`filter NAME "EXPRESSION"`: keep the rows that a condition is true of, or drop them, with the condition as the
reason.

The condition is asked where nothing but these rows can be reached (`sluice.curate.sql`). What is null, because a column
is absent in a row, is not true: such a row is not kept, nor dropped by `--drop`, and is counted apart.
"""

from __future__ import annotations

from typing import Any

from sluice.core.errors import InputError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.wording import counted
from sluice.curate.audit import failing_rows
from sluice.curate.audit_dataset import Tokens, audit_dataset
from sluice.curate.checks import CheckContext
from sluice.curate.dataset import Version
from sluice.curate.drops import Drop, Plan, drop_from
from sluice.curate.filter import FilterResult, filter_result
from sluice.curate.metadata import metadata_of
from sluice.curate.sql.ask import Judged, judge
from sluice.curate.sql.names import Names


def filter_where(
    project: Project,
    dataset: str,
    expression: str,
    *,
    drop: bool = False,
    schema: dict[str, Any] | None = None,
    count_tokens: Tokens | None = None,
    max_tokens: int | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> FilterResult:
    """Keep the rows of a dataset that an expression is true of, and make its next version where others go.

    Args:
        project: of the dataset.
        dataset: its name; the newest version is read.
        expression: a DuckDB condition over the names of `sluice.curate.sql.names` and `failing('CHECK')`.
        drop: drop the rows that it is true of instead.
        schema, count_tokens, max_tokens, progress: as for `audit_dataset`, for the checks that it names; the tokens
        also
            for `tokens`.
        dry_run: only say what would be dropped.

    Raises InputError with the place for what is no condition over these rows, for a check that lacks what it needs, and
    where no row would be left.
    """
    judged: list[Judged] = []
    reason = f"{'dropped' if drop else 'not kept'}: {' '.join(expression.split())}"

    def plan(version: Version) -> Plan:
        def failing(check: str) -> set[str]:
            audit = audit_dataset(
                project,
                version.ref,
                schema=schema,
                count_tokens=count_tokens,
                max_tokens=max_tokens,
                checks=[check],
                progress=progress,
            )
            return set(failing_rows(audit.report, [check], dataset))

        said = _judged(version, expression, count_tokens, failing, progress)
        judged.append(said)
        drops = [
            Drop(row, reason, None, None, "a column of it is absent in this row" if value is None else None)
            for row, value in zip(version.frame()["row"].to_list(), said.values, strict=True)
            if (value is True) == drop
        ]
        none = "is true of every row" if drop else "is true of no row"
        return Plan(
            verb="filter",
            drops=drops,
            parameters={"expression": expression, "drop": drop, "columns": list(said.columns)},
            counts={reason: len(drops)} if drops else {},
            none_left=InputError(
                f"the expression {none}: none of {counted(len(drops), 'row')} would be left",
                where=version.ref,
                remedy=f"look at the rows first: sluice show {dataset}",
            ),
        )

    gone = drop_from(project, dataset, plan, dry_run=dry_run)
    return filter_result(
        project,
        dataset,
        gone,
        dry_run=dry_run,
        expression=expression,
        keeps=not drop,
        absent=sum(value is None for value in judged[-1].values),
        columns=judged[-1].columns,
    )


def _judged(
    version: Version, expression: str, count_tokens: Tokens | None, failing: Any, progress: Progress | None
) -> Judged:
    context = CheckContext(
        version.rows(progress),
        metadata=metadata_of(version, progress=progress),
        count_tokens=count_tokens,
        progress=progress,
    )
    return judge(expression, Names(context), failing)
