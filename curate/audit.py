"""The quality report: every check over one set of rows, and which rows a check would have `filter` drop.

Pure over rows in memory: who has a dataset, a file or a frozen set builds the `CheckContext`. A check whose input is
not there is listed as absent, with what is missing; it never counts as passed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, UsageError
from sluice.curate.checks import CHECKS, CheckContext, CheckResult
from sluice.curate.checks.choice import Choice
from sluice.curate.checks.lengths import answer_length, input_length, quantiles

Worst = Literal["ok", "warn", "fail"]


class Absent(BaseModel):
    """A check that could not look, and what it lacks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    missing: tuple[str, ...]


class AuditReport(BaseModel):
    """What is in a set of rows, and what is wrong with them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    kinds: dict[str, int]
    """Rows by kind."""
    checks: tuple[CheckResult, ...]
    """Those of severity fail first."""
    figures: dict[str, Any]
    """`input_characters` and `answer_characters` (min, p50, p95, p99, max), `inputs` (how many distinct),
    `labels` (rows by label, from the check balance)."""
    worst: Worst
    """The most severe finding. No rows at all is a failure. Absent checks are not in it: see `absent`."""
    absent: tuple[Absent, ...]
    disabled: tuple[str, ...] = ()
    """Checks that the project leaves out."""

    def check(self, name: str) -> CheckResult:
        """Return the result of one check; UsageError where it was not asked for."""
        for result in self.checks:
            if result.name == name:
                return result
        if name in self.disabled:
            raise UsageError(f"the check '{name}' is left out here", remedy="sluice.toml: [checks] disable")
        CHECKS.get(name)
        known = ", ".join(result.name for result in self.checks)
        raise UsageError(f"the check '{name}' is not in this report", remedy=f"it holds: {known}")


def audit_rows(context: CheckContext, names: Sequence[str] | None = None, choice: Choice | None = None) -> AuditReport:
    """Run all checks, or those named, over the rows of a context.

    Args:
        context: rows, and what else checks may look at.
        names: of checks; None: all that the project does not leave out.
        choice: the checks of a project with its severities and thresholds (`checks_of`); None: ours as they are.

    Raises InputError for a name that is no check (with the near one), and for a schema that cannot be applied.
    """
    choice = choice or Choice()
    context = replace(context, settings=choice.settings)
    checks = [choice.get(name) for name in dict.fromkeys(choice.names() if names is None else names)]
    severe = choice.severe()
    checks.sort(key=lambda check: check.spec.name not in severe)
    results: list[CheckResult] = []
    for i, check in enumerate(checks):
        if context.progress:
            context.progress(f"checking: {check.spec.name}", i, len(checks))
        results.append(check.run(context))
    if context.progress:
        context.progress("checking", len(checks), len(checks))
    return AuditReport(
        rows=len(context.rows),
        kinds=dict(Counter(row.kind for row in context.rows)),
        checks=tuple(results),
        figures=_figures(context, results),
        worst=_worst(context, results),
        absent=tuple(Absent(name=r.name, missing=r.missing) for r in results if r.status == "absent"),
        disabled=choice.disabled if names is None else (),
    )


def failing_rows(report: AuditReport, names: Iterable[str], dataset: str = "NAME") -> dict[str, str]:
    """Return row hash -> reason for each row that the named checks found, in the order of the report.

    Of a conflict all rows are named: which answer is right cannot be known here. Remedies name `dataset`. Raises
    InputError where a check was absent (nothing was looked at, so "no such rows" would be a guess), and UsageError
    where one found something about the set as a whole, which no dropping of rows would mend.
    """
    reasons: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        result = report.check(name)
        if result.status == "absent":
            raise InputError(
                f"the check '{name}' could not look at the rows: {', '.join(result.missing)}",
                remedy="give it what it lacks, or leave it out",
            )
        of_whole = name in CHECKS and CHECKS.get(name).spec.whole  # it names none where it finds nothing, too
        if of_whole or (result.status == "found" and not result.droppable):
            raise UsageError(
                f"the check '{name}' speaks of the set as a whole and names no rows: {result.summary}",
                remedy=result.remedy.format(dataset=dataset) if result.remedy else None,
            )
        for finding in result.rows:
            if finding.row is not None:
                reasons.setdefault(finding.row, []).append(f"{name}: {finding.detail}")
    return {row: "; ".join(dict.fromkeys(found)) for row, found in reasons.items()}


def _worst(context: CheckContext, results: Sequence[CheckResult]) -> Worst:
    if not context.rows or any(result.fails for result in results):
        return "fail"
    return "warn" if any(result.status == "found" for result in results) else "ok"


def _figures(context: CheckContext, results: Sequence[CheckResult]) -> dict[str, Any]:
    given = [length for row in context.rows if (length := answer_length(row)) is not None]
    balance = next((result.figures for result in results if result.name == "balance"), {})
    return {
        "inputs": len({row.input_hash for row in context.rows}),
        "input_characters": quantiles([input_length(row) for row in context.rows]),
        "answer_characters": quantiles(given),
        "labels": balance.get("counts", {}),
    }
