"""Label balance: a class that hardly occurs, or one that nearly always does.

The label is the value at `[task] stratify`, else the whole target where it takes few values (the rule by which `split`
stratifies). Findings speak of the set, not of single rows: dropping the rows of a rare class would mend nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from sluice.core.canonical import JsonProblem, canonical, parse_exact
from sluice.core.rows import AnyRow, Example, Messages
from sluice.core.wording import counted
from sluice.curate.checks.base import (
    Check,
    CheckContext,
    CheckSpec,
    Examples,
    Finding,
    Found,
    file_check,
    no_answers,
    rows_of,
    wanted_answer,
)

MOST_LABELS = 50
FEWEST_ROWS = 5
"""A target is a label where it has at most 50 values of 5 rows or more on average."""
RARE = 10
"""A class with less than a tenth of the mean class is rare: of 200 eval rows in 5 classes it would get under 4."""
DOMINANT = 0.8
"""One answer in more than four of five rows: a model that always gives it looks 80% right."""
SHOWN = 60
"""Characters of a label that are shown."""


def label_values(
    rows: Sequence[AnyRow], path: str, metadata: Mapping[str, Mapping[str, Any]] | None = None
) -> list[str | None]:
    """Return each row's label at `path`, or None where the row has none.

    `target` is the whole answer, `target.a.b` a place in a JSON answer, `input.field` a field, `metadata.column` or a
    bare name a column beside the row. Text is taken as it is, any other value as its canonical JSON text.
    """
    root, _, rest = path.partition(".")
    steps = rest.split(".") if rest else []
    if root not in ("target", "input", "metadata"):
        root, steps = "metadata", [path]
    return [_value(row, root, steps, metadata or {}) for row in rows]


def _value(row: AnyRow, root: str, steps: list[str], metadata: Mapping[str, Mapping[str, Any]]) -> str | None:
    value: Any
    if root == "target":
        value = wanted_answer(row)
        if value is not None and steps:
            try:
                value = parse_exact(value)
            except JsonProblem:
                return None
    elif root == "input":
        value = None if isinstance(row.input, Messages) else row.input
    else:
        value = metadata.get(row.row)
    for step in steps:
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = cast("Mapping[str, Any]", value)[step]
    if value is None:
        return "null" if root == "target" and steps else None
    return value if isinstance(value, str) else canonical(value)


def few_values(labels: Sequence[str | None]) -> bool:
    """Return whether these values are labels: at most 50, of 5 rows or more on average."""
    given = [label for label in labels if label is not None]
    return bool(given) and len(set(given)) <= min(MOST_LABELS, len(given) / FEWEST_ROWS)


@file_check
class Balance(Check):
    """A rare class, or an answer that nearly all rows share."""

    spec = CheckSpec(
        name="balance",
        whole=True,
        severity="warn",
        what="a label is rare, or one label holds nearly all rows",
        threshold=f"a class under 1/{RARE} of the mean class, or one over {DOMINANT:.0%} of the rows; label: [task] "
        f"stratify, else a target of at most {MOST_LABELS} values of {FEWEST_ROWS} rows or more on average",
        remedy="add rows of the rare classes: sluice add {dataset} FILE",
    )

    def find(self, context: CheckContext) -> Found:
        """Return what is out of balance, as findings about the whole set."""
        path = context.stratify or "target"
        if path.partition(".")[0] == "target" and (nothing := no_answers(context.rows)) is not None:
            return nothing
        labels = label_values(context.rows, path, context.metadata)
        counts = Counter(label for label in labels if label is not None)
        total = counts.total()
        if not total:
            return Found(missing=(f"no row has a label at '{path}'",))
        top, most = counts.most_common(1)[0]
        figures: dict[str, Any] = {"path": path, "labels": len(counts), "largest_share": round(most / total, 4)}
        figures["without_label"] = len(labels) - total
        dominant = most / total > DOMINANT
        if not context.stratify and not few_values(labels) and not dominant:
            return Found(
                missing=("no label: the target takes too many values, and [task] stratify is not set",), figures=figures
            )
        figures["counts"] = dict(counts.most_common(MOST_LABELS))
        findings: list[Finding] = []
        if dominant:
            findings.append(Finding(row=None, detail=f"'{_short(top)}' in {rows_of(most, total)} ({most / total:.0%})"))
        mean = total / len(counts)
        rare = (
            sorted((n, label) for label, n in counts.items() if n * RARE < mean) if len(counts) <= MOST_LABELS else []
        )
        findings += [
            Finding(row=None, detail=f"'{_short(label)}' in {rows_of(n, total)}, mean {mean:,.0f}") for n, label in rare
        ]
        if not findings:
            smallest = min(counts.values())
            sentence = f"{len(counts)} labels at '{path}', {smallest:,} to {counted(most, 'row')} each"
            return Found(summary=sentence, figures=figures)
        parts = [f"'{_short(top)}' holds {most / total:.0%} of the rows"] if dominant else []
        parts += (
            [f"{len(rare)} of {len(counts)} labels are rare, least '{_short(rare[0][1])}' ({rows_of(rare[0][0])})"]
            if rare
            else []
        )
        return Found(findings, "; ".join(parts), figures)

    def examples(self) -> Examples:
        """Return nineteen of twenty rows with one answer, and two answers in turn."""

        def rows(answers: list[str]) -> list[AnyRow]:
            return [Example(input={"text": f"message {i}"}, target=answer) for i, answer in enumerate(answers)]

        return Examples(found=CheckContext(rows(["yes"] * 19 + ["no"])), ok=CheckContext(rows(["yes", "no"] * 10)))


def _short(label: str) -> str:
    return label if len(label) <= SHOWN else label[: SHOWN - 3] + "..."
