"""Rows that are too long: by the base's tokenizer (fail), or far longer than their neighbours (warn)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sluice.core.errors import SluiceError
from sluice.core.rows import AnyRow, Example, input_texts
from sluice.curate.checks.base import (
    Check,
    CheckContext,
    CheckSpec,
    Examples,
    Finding,
    Found,
    answers,
    file_check,
    rows_of,
    texts_of,
)

QUANTILES = {"min": 0.0, "p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
OUTLIER = 8
"""Times the median. Lengths of texts of one sort are near log-normal with sigma 0.4 to 0.7 (0.36 measured on 13,784
crowd-written requests), so 8 times the median is at least three sigma out."""
OUTLIER_FLOOR = 200
"""Characters; below that a row is short whatever the others are."""


def quantiles(values: Sequence[int]) -> dict[str, float]:
    """Return min, p50, p95, p99 and max of lengths (linear between neighbours); empty for no values."""
    import numpy as np

    if not values:
        return {}
    found = np.quantile(np.asarray(values, dtype=np.float64), list(QUANTILES.values()))
    return {name: round(float(value), 2) for name, value in zip(QUANTILES, found, strict=True)}


def input_length(row: AnyRow) -> int:
    """Return the characters of a row's input: its texts together."""
    return sum(map(len, input_texts(row.input).values()))


def answer_length(row: AnyRow) -> int | None:
    """Return the characters of the longest answer of a row; None where it has none."""
    return max((len(text) for text in answers(row).values() if text is not None), default=None)


@file_check
class Overlong(Check):
    """A row that, rendered for training, is longer than the limit: training would cut its answer."""

    spec = CheckSpec(
        name="overlong",
        severity="fail",
        what="the rendered row is longer than the limit",
        threshold="[task] max_tokens by the base's tokenizer and chat template, answer and end-of-turn token included",
        needs=frozenset({"tokenizer"}),
        remedy="sluice filter {dataset} --failing overlong",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows over the limit, and those that cannot be rendered at all."""
        count, limit = context.count_tokens, cast("int", context.max_tokens)
        lengths: list[int] = []
        findings: list[Finding] = []
        total = len(context.rows)
        for i, row in enumerate(context.rows):  # a chat template is a program that knows one row at a time
            if context.progress and i % 512 == 0:
                context.progress("counting tokens", i, total)
            try:
                tokens = cast("Any", count)(row)
            except SluiceError as problem:
                findings.append(Finding(row=row.row, detail=f"cannot be rendered: {problem.message}"))
                continue
            lengths.append(tokens)
            if tokens > limit:
                findings.append(Finding(row=row.row, detail=f"{tokens:,} tokens, limit {limit:,}"))
        if context.progress:
            context.progress("counting tokens", total, total)
        figures: dict[str, Any] = {"limit": limit, "tokens": quantiles(lengths), "total_tokens": sum(lengths)}
        longest = f"longest {max(lengths):,} of {limit:,} tokens" if lengths else f"limit {limit:,} tokens"
        if not findings:
            return Found(summary=f"{rows_of(total)}, {longest}", figures=figures)
        return Found(findings, f"{rows_of(len(findings), total)} do not fit; {longest}", figures)

    def examples(self) -> Examples:
        """Return a row over a limit of eight words, and one under it."""

        def words(row: AnyRow) -> int:
            return sum(len(text.split()) for _, text in texts_of(row))

        return Examples(
            found=CheckContext(
                [Example(input={"text": "help " * 40}, target="other")], count_tokens=words, max_tokens=8
            ),
            ok=CheckContext([Example(input={"text": "help me"}, target="other")], count_tokens=words, max_tokens=8),
        )


@file_check
class Lengths(Check):
    """Inputs and answers far longer than the middle of the set: a pasted log, two rows run together."""

    spec = CheckSpec(
        name="lengths",
        severity="warn",
        what="the input or the answer is far longer than in the middle row",
        threshold=f"over {OUTLIER} times the median and over {OUTLIER_FLOOR} characters (three sigma if log-normal)",
        remedy="sluice filter {dataset} --failing lengths",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the outliers by characters (which, unlike words, exist in every script)."""
        # Rows are records here, not columns: which texts an input or an answer has depends on its kind.
        inputs = [input_length(row) for row in context.rows]
        targets = [answer_length(row) for row in context.rows]
        given = [length for length in targets if length is not None]
        bounds = (_bound(inputs), _bound(given))
        findings: list[Finding] = []
        for row, length, target in zip(context.rows, inputs, targets, strict=True):
            sides = (("input", length, bounds[0]), ("answer", target, bounds[1]))
            out = [
                f"{side} of {n:,} characters, the middle row has {bound // OUTLIER:,}"
                for side, n, bound in sides
                if n is not None and n > max(bound, OUTLIER_FLOOR)
            ]
            if out:
                findings.append(Finding(row=row.row, detail="; ".join(out)))
        figures = {"input_characters": quantiles(inputs), "answer_characters": quantiles(given)}
        total = len(context.rows)
        if not findings:
            return Found(
                summary=f"no row far longer than the others (longest input {max(inputs):,} characters)", figures=figures
            )
        return Found(
            findings, f"{rows_of(len(findings), total)} over {OUTLIER} times as long as the middle one", figures
        )

    def examples(self) -> Examples:
        """Return twenty short rows with and without a long one."""
        short = [Example(input={"text": f"Where is parcel number {i}?"}, target="delivery") for i in range(20)]
        return Examples(
            found=CheckContext([*short, Example(input={"text": "log line\n" * 100}, target="other")]),
            ok=CheckContext(short),
        )


def _bound(lengths: Sequence[int]) -> int:
    import numpy as np

    return OUTLIER * int(np.median(np.asarray(lengths))) if lengths else 0
