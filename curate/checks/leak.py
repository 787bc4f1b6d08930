"""Training rows that repeat an eval row, or a dev row: equal, near-equal, holding it, of one group, or one by a change.

The relation is the one of `sluice.curate.leaks.find`, with the boilerplate that the context brings. It finds copies,
not meaning: a paraphrase or a translation passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from sluice.core.rows import SHOWN, AnyRow, Example
from sluice.core.wording import counted
from sluice.curate.checks.base import Check, CheckContext, CheckSpec, Examples, Finding, Found, file_check, rows_of

if TYPE_CHECKING:
    from sluice.curate.leaks.find import Leak

MOST_RELATED = 20
"""Rows listed beside a finding."""


@file_check
class LeakedEval(Check):
    """A row that repeats an eval row: the score would measure memory."""

    spec = CheckSpec(
        name="leak",
        severity="fail",
        what="the row repeats an eval row",
        threshold="similarity version 1: near-equal at Jaccard 0.7, contained at 80% of the eval input's n-grams, same "
        "group, one became the other by a change",
        needs=frozenset({"eval"}),
        remedy="sluice decontaminate {dataset}",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows that repeat an eval row."""
        return _repeats(context, cast("Sequence[AnyRow]", context.eval_rows), "eval")

    def examples(self) -> Examples:
        """Return a row that holds an eval row, and one that does not."""
        rows = _example_rows()
        return Examples(
            found=CheckContext([rows[0]], eval_rows=[rows[1]]), ok=CheckContext([rows[2]], eval_rows=[rows[1]])
        )


@file_check
class LeakedDev(Check):
    """A row that repeats a dev row: choices made on dev would be made on rows already learnt."""

    spec = CheckSpec(
        name="dev-in-train",
        severity="fail",
        what="the row repeats a dev row",
        threshold="the relation of the check `leak`, with the dev part in the place of the eval set",
        needs=frozenset({"dev"}),
        remedy="sluice filter {dataset} --failing dev-in-train",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows that repeat a dev row."""
        return _repeats(context, cast("Sequence[AnyRow]", context.dev_rows), "dev")

    def examples(self) -> Examples:
        """Return a row that repeats a dev row in other case, and one that does not."""
        rows = _example_rows()
        return Examples(
            found=CheckContext([rows[0]], dev_rows=[rows[1]]), ok=CheckContext([rows[2]], dev_rows=[rows[1]])
        )


def _repeats(context: CheckContext, others: Sequence[AnyRow], part: str) -> Found:
    from sluice.curate.leaks.find import find_leaks
    from sluice.curate.similar.similarity import Relation

    eval_groups = context.eval_groups if part == "eval" else None
    leaks = find_leaks(
        context.rows,
        others,
        context.relation or Relation(),
        groups=context.groups,
        eval_groups=eval_groups,
        edges=context.edges,
        progress=context.progress,
    )
    by_row: dict[str, list[Leak]] = {}
    for leak in leaks:
        by_row.setdefault(leak.row, []).append(leak)
    findings = [
        Finding(
            row=row,
            detail=_detail(found[0], len({leak.eval_row for leak in found}), part),
            related=tuple(dict.fromkeys(leak.eval_row for leak in found))[:MOST_RELATED],
        )
        for row, found in by_row.items()
    ]
    touched = len({leak.eval_row for leak in leaks})
    figures = {"rows": len(findings), f"{part}_rows": len(others), f"{part}_rows_repeated": touched}
    if not findings:
        return Found(summary=f"no row repeats one of {counted(len(others), f'{part} row')}", figures=figures)
    sentence = (
        f"{rows_of(len(findings), len(context.rows))} repeat {touched:,} of {counted(len(others), f'{part} row')}"
    )
    return Found(findings, sentence, figures)


def _detail(leak: Leak, count: int, part: str) -> str:
    other = f"{part} row {leak.eval_row[:SHOWN]}"
    said = {
        "equal": f"repeats {other}" if leak.field != "changes" else f"was changed from or into {other}",
        "near-equal": f"is {leak.share:.0%} like {other}",
        "contained": f"holds {leak.share:.0%} of {other}",
        "group": f"is of one group with {other}",
    }[leak.how]
    place = f" in {leak.field}" if leak.field not in ("input", "groups", "changes") else ""
    return f"{said}{place}" + (f", and {count - 1:,} more" if count > 1 else "")


def _example_rows() -> list[AnyRow]:
    asked = "My parcel has been on its way for two weeks and the tracking page shows nothing at all"
    return [
        Example(input={"text": f"Hello! {asked.upper()}!!"}, target="delivery"),
        Example(input={"text": asked}, target="delivery"),
        Example(input={"text": "Why was I charged twice for the same lamp last Friday?"}, target="billing"),
    ]
