"""Drift: rows that came or went between two versions unlike those that stayed, training rows unlike the eval rows.

Compared are the lengths of inputs and answers (Kolmogorov-Smirnov) and the labels (Jensen-Shannon). A shift counts
where
its effect is large enough to matter and chance makes one as large in under 1 of 100 random partitions, all three
comparisons together: a fair split does not cry wolf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

from sluice.core.rows import AnyRow, Example
from sluice.core.wording import counted
from sluice.curate.checks.balance import few_values, label_values
from sluice.curate.checks.base import Check, CheckContext, CheckSpec, Examples, Finding, Found, file_check
from sluice.curate.checks.distributions import Distance, js_distance, ks_distance
from sluice.curate.checks.lengths import answer_length, input_length

ALPHA = 0.01
"""False alarms a set, shared by the comparisons (Bonferroni)."""
FEWEST = 20
"""Rows of either side, below which no shift of the size that counts can be told from chance."""
THRESHOLD = (
    "lengths of inputs and answers: Kolmogorov-Smirnov D of {limit} or more; labels: Jensen-Shannon distance of "
    "{limit} or "
    f"more; and p under {ALPHA} by permutation, shared by the comparisons; from {FEWEST} rows on either side"
)
SOURCE = "Kolmogorov-Smirnov; Lin 1991 (Jensen-Shannon); Phipson & Smyth 2010 (permutation p); the effect is ours"


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
            figures[name + "_against_stayed"] = {key: asdict(value) for key, value in distances.items()}
            of = f"{counted(len(some), 'row')} that {name}"
            findings += _shifts(distances, self.limit(context), of, f"{len(stayed):,} that stayed")
        if not compared:
            return Found(
                summary=f"{len(came):,} rows came, {len(went):,} went: too few to be compared", figures=figures
            )
        if not findings:
            return Found(
                summary=f"{len(came):,} rows came and {len(went):,} went, like those that stayed", figures=figures
            )
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
        figures = {key: asdict(value) for key, value in distances.items()}
        findings = _shifts(distances, self.limit(context), "the rows", f"{len(others):,} eval rows")
        if not findings:
            return Found(summary=f"like {counted(len(others), 'eval row')} in length and label", figures=figures)
        return Found(findings, "; ".join(f.detail for f in findings), figures)

    def examples(self) -> Examples:
        """Return eval rows of another label, and eval rows like the others."""
        return Examples(
            found=CheckContext(_rows(0, "ab"), eval_rows=_rows(40, "c")),
            ok=CheckContext(_rows(0, "ab"), eval_rows=_rows(40, "ab")),
        )


def compare(rows: Sequence[AnyRow], others: Sequence[AnyRow], context: CheckContext) -> dict[str, Distance]:
    """Return how far two sets lie apart, by `input length`, `answer length` and `label` (where both sides have
    them)."""
    found = {"input length": ks_distance([input_length(r) for r in rows], [input_length(r) for r in others])}
    answers = [[n for r in side if (n := answer_length(r)) is not None] for side in (rows, others)]
    if min(map(len, answers)) >= FEWEST:
        found["answer length"] = ks_distance(*answers)
    path = context.stratify or "target"
    labels = [[v for v in label_values(side, path, context.metadata) if v is not None] for side in (rows, others)]
    if min(map(len, labels)) >= FEWEST and few_values([*labels[0], *labels[1]]):
        found["label"] = js_distance(*labels)
    return found


def _shifts(distances: dict[str, Distance], least: float, of: str, others: str) -> list[Finding]:
    alpha = ALPHA / len(distances)
    return [
        Finding(row=None, detail=f"{name} of {of} is unlike that of {others}: {d.effect:.2f}, p {d.p:.3f}")
        for name, d in distances.items()
        if d.effect >= least and d.p <= alpha
    ]


def _rows(first: int, labels: str) -> list[AnyRow]:
    return [
        Example(input={"text": f"message {i} " + "is on its way " * (i % 7)}, target=labels[i % len(labels)])
        for i in range(first, first + 40)
    ]
