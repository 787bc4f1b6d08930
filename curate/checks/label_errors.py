"""Labels that are likely wrong, ranked: where the target, or a place in it, takes few values."""

from __future__ import annotations

from sluice.core.rows import Example
from sluice.core.wording import counted
from sluice.curate.checks.balance import few_values, label_values
from sluice.curate.checks.base import Check, CheckContext, CheckSpec, Examples, Finding, Found, file_check, rows_of
from sluice.curate.checks.columns import cut
from sluice.curate.labels.confident import EXTRA, FEWEST, available, suspects

FEWEST_ROWS = 50
"""Rows, below which a classifier knows too little to doubt anybody."""
FEWEST_RIGHT = 0.6
"""Accuracy out of fold, below which the classifier does not know the task and its doubts mean nothing."""
SURE = 3.0
"""Times likelier than the given label that the suggested one has to be."""


@file_check
class LabelErrors(Check):
    """A label that a plain classifier, trained on the other rows, would not give: the first ones are nearly all
    wrong."""

    spec = CheckSpec(
        name="label-errors",
        severity="warn",
        what="the label is likely wrong",
        threshold=f"confident learning out of fold (logistic regression over TF-IDF, or over the vectors of a model "
        f"that is named), and a label at least {{limit}} "
        f"times as "
        f"likely as the given one; labels of {FEWEST} rows or more, from {FEWEST_ROWS} rows on; ranked by the "
        f"probability "
        f"of the given label; absent where the classifier is right for under {FEWEST_RIGHT:.0%} of the rows",
        limit=SURE,
        limits=(1.0, 1000.0),
        source="Northcutt et al. 2021, arXiv 1911.00068 (cleanlab)",
        slow=True,
        ranked=True,
        remedy="sluice show {dataset} --failing label-errors --out review.csv; go through it; then: sluice add "
        "{dataset} --fix review.csv",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows whose label is likely wrong, the likeliest first."""
        path = context.stratify or "target"
        labels = label_values(context.rows, path, context.metadata)
        given = [i for i, label in enumerate(labels) if label is not None]
        if len(given) < FEWEST_ROWS:
            return Found(missing=(f"{FEWEST_ROWS} rows with a label",))
        if not few_values(labels):
            return Found(missing=("no label: the target takes too many values, and [task] stratify is not set",))
        if not available():
            return Found(missing=(f'cleanlab, which comes by: pip install "sluiceway[{EXTRA}]"',))
        asked = context.columns.frame["input"].to_list()
        found = suspects(
            [asked[i] for i in given],
            [labels[i] or "" for i in given],
            embed=context.embed,
            progress=context.progress,
        )
        if found is None:
            return Found(missing=(f"two labels of {FEWEST} rows or more",))
        figures = {
            "judged": found.judged,
            "labels": found.labels,
            "accuracy": found.accuracy,
            "path": path,
            "by": "TF-IDF" if context.embed is None else context.embed.name,
        }
        if found.accuracy < FEWEST_RIGHT:
            why = f"a classifier that knows the labels from the input: ours is right for {found.accuracy:.0%}"
            return Found(missing=(why,), figures=figures)
        likely = [s for s in found.found if s.suggested_probability >= self.limit(context) * s.quality]
        findings = [
            Finding(
                row=context.rows[given[s.place]].row,
                detail=f"given {cut(s.given, 40)!r}, likelier {cut(s.suggested, 40)!r}, quality {s.quality:.2f}",
                figures={
                    "given": s.given,
                    "suggested": s.suggested,
                    "quality": s.quality,
                    "suggested_probability": s.suggested_probability,
                    "rank": rank,
                },
            )
            for rank, s in enumerate(likely, start=1)
        ]
        if not findings:
            said = f"no label of {rows_of(found.judged)} in {counted(found.labels, 'class', 'classes')} is doubted"
            return Found(summary=said, figures=figures)
        return Found(findings, f"{rows_of(len(findings), found.judged)} with a label that is likely wrong", figures)

    def examples(self) -> Examples:
        """Return messages of two sorts with three labels swapped, and the same ones as they were labelled."""
        rows = [_message(i, "delivery" if i % 2 else "billing") for i in range(80)]
        swapped = [_message(i, "delivery") if i in (10, 40, 62) else row for i, row in enumerate(rows)]
        return Examples(found=CheckContext(swapped), ok=CheckContext(rows))


def _message(i: int, label: str) -> Example:
    words = ("invoice", "charged", "refund", "card", "payment"), ("parcel", "courier", "late", "tracking", "address")
    said = words[i % 2]
    text = f"the {said[i % 5]} and the {said[i // 2 % 5]} about my {said[i // 3 % 5]}, number {i}"
    return Example(input={"text": text}, target=label)
