"""Drift: rows that came or went between two versions unlike those that stayed, training rows unlike the eval rows.

Compared are the lengths of inputs and answers in words (Kolmogorov-Smirnov) and the labels (total variation), by the
measures and the permutation test of `comparing.distributions`, as `diff` and the report have them. A shift counts where
it is large enough to matter and chance makes one as large in under 1 of 100 deals, all three comparisons together: a
fair split does not cry wolf.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sluice.core.rows import AnyRow, Example
from sluice.core.wording import counted
from sluice.curate.checks.balance import few_values, label_values
from sluice.curate.checks.base import Check, CheckContext, CheckSpec, Examples, Finding, Found, file_check
from sluice.curate.comparing.distributions import Categories, Comparison, compare_categories, compare_lengths

ALPHA = 0.01
"""False alarms a set, shared by the comparisons (Bonferroni)."""
FEWEST = 20
"""Rows of either side, below which no shift of the size that counts can be told from chance."""
THRESHOLD = (
    "lengths of inputs and answers in words: a widest gap (Kolmogorov-Smirnov D) of {limit} or more; labels: {limit} "
    f"or more of the rows would have to change (total variation); and further than all but {ALPHA:.0%} of random deals "
    f"are, shared by the comparisons; from {FEWEST} rows on either side"
)
SOURCE = "Kolmogorov-Smirnov; total variation; permutation test (Fisher 1935); how far counts is ours"


@file_check
class Drift(Check):
    """Rows added to a version, or taken from it, that are unlike the rest."""

    spec = CheckSpec(
        name="drift",
        severity="warn",
        what="rows that came or went since the version before are unlike those that stayed",
        threshold=THRESHOLD,
        limit=0.15,
        source=SOURCE,
        needs=frozenset({"before"}),
        remedy="sluice show {dataset}; is the new data of the same task?",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the shifts as findings about the set."""
        before = cast("Sequence[AnyRow]", context.before_rows)
        old, new = {row.row for row in before}, {row.row for row in context.rows}
        came = [row for row in context.rows if row.row not in old]
        stayed = [row for row in before if row.row in new]
        went = [row for row in before if row.row not in new]
        findings: list[Finding] = []
        figures: dict[str, Any] = {"came": len(came), "went": len(went), "stayed": len(stayed)}
        compared = False
        for name, some in (("came", came), ("went", went)):
            if min(len(some), len(stayed)) < FEWEST:
                continue
            compared = True
            distances = compare(some, stayed, context)
            figures[name + "_against_stayed"] = _figures(distances)
            of = f"{counted(len(some), 'row')} that {name}"
            findings += _shifts(distances, self.limit(context), of, f"{len(stayed):,} that stayed")
        if not compared:
            return Found(
                summary=f"{len(came):,} rows came, {len(went):,} went: too few to be compared", figures=figures
            )
        if not findings:
            moved = f"{len(came):,} rows came and {len(went):,} went"
            return Found(summary=f"{moved}: no shift that matters against those that stayed", figures=figures)
        return Found(findings, "; ".join(f.detail for f in findings), figures)

    def examples(self) -> Examples:
        """Return rows of another label that came, and rows like the others."""
        rows = _rows(0, "ab")
        return Examples(
            found=CheckContext([*rows, *_rows(40, "c")], before_rows=rows),
            ok=CheckContext([*rows, *_rows(40, "ab")], before_rows=rows),
        )


@file_check
class DriftEval(Check):
    """Training rows unlike the eval rows: a score on them says little of what was learnt."""

    spec = CheckSpec(
        name="drift-eval",
        severity="warn",
        what="the rows are unlike the eval rows in length or label",
        threshold=THRESHOLD,
        limit=0.15,
        source=SOURCE,
        needs=frozenset({"eval"}),
        remedy="sluice split NAME deals like rows to all parts; or add rows like the eval rows: sluice add {dataset} "
        "FILE",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the shifts as findings about the set."""
        others = cast("Sequence[AnyRow]", context.eval_rows)
        if min(len(others), len(context.rows)) < FEWEST:
            return Found(summary=f"under {FEWEST} rows on one side: too few to be compared")
        distances = compare(context.rows, others, context)
        figures = _figures(distances)
        findings = _shifts(distances, self.limit(context), "the rows", f"{len(others):,} eval rows")
        if not findings:
            said = f"no shift that matters against {counted(len(others), 'eval row')}{_widest(distances)}"
            return Found(summary=said, figures=figures)
        return Found(findings, "; ".join(f.detail for f in findings), figures)

    def examples(self) -> Examples:
        """Return eval rows of another label, and eval rows like the others."""
        return Examples(
            found=CheckContext(_rows(0, "ab"), eval_rows=_rows(40, "c")),
            ok=CheckContext(_rows(0, "ab"), eval_rows=_rows(40, "ab")),
        )


def compare(rows: Sequence[AnyRow], others: Sequence[AnyRow], context: CheckContext) -> dict[str, Comparison]:
    """Return how far two sets lie apart, by `input length`, `answer length` and `label` (where both sides have them).

    Measured and judged as `diff` and the report do it, at a share of ALPHA each, so that what is found here differs
    there, too.
    """
    from sluice.curate.comparing.measure import lengths  # it stands on other checks

    sides = [{one.name: one for one in lengths(side)} for side in (others, rows)]
    pairs = {
        f"{name} length": (sides[0][name], sides[1][name])
        for name in sides[0]
        if min(side[name].total for side in sides) >= FEWEST
    }
    path = context.stratify or "target"
    values = [[v for v in label_values(side, path, context.metadata) if v is not None] for side in (others, rows)]
    labelled = min(map(len, values)) >= FEWEST and few_values([*values[0], *values[1]])
    alpha = ALPHA / max(1, len(pairs) + labelled)
    found = {name: compare_lengths(*pair, alpha=alpha) for name, pair in pairs.items()}
    if labelled:
        label = [Categories.of("labels", f"label ({path})", side) for side in values]
        found["label"] = compare_categories(*label, alpha=alpha)
    return {name: one for name, one in found.items() if one is not None}


def _shifts(found: dict[str, Comparison], least: float, of: str, others: str) -> list[Finding]:
    return [
        Finding(row=None, detail=f"{name} of {of} is unlike that of {others}: {one.sentence}")
        for name, one in found.items()
        if one.value >= least and one.value > one.chance
    ]


def _widest(found: dict[str, Comparison]) -> str:
    """Return the widest difference in words: `diff` may rightly call it one, it is only too small to warn of."""
    name, one = max(found.items(), key=lambda item: item[1].value)
    return f" (widest: {name}, {one.value:.1%} apart)"


def _figures(found: dict[str, Comparison]) -> dict[str, Any]:
    return {name: {"value": one.value, "chance": one.chance, "measure": one.measure} for name, one in found.items()}


def _rows(first: int, labels: str) -> list[AnyRow]:
    return [
        Example(input={"text": f"message {i} " + "is on its way " * (i % 7)}, target=labels[i % len(labels)])
        for i in range(first, first + 40)
    ]
