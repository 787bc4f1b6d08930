"""Set two scored runs over the same rows side by side and say whether one beat the other.

The verdict itself is evalsuite.verdict; here rows are aligned, errors are counted against the candidate, groups are
kept together, and what belongs beside the number is collected: rates, classes, tokens, seconds, flipped rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError
from sluice.core.evalset import unit_labels
from sluice.core.task import ALPHA, Cost
from sluice.evalsuite.question import Question
from sluice.evalsuite.scoring import ERROR_CAP, Scores
from sluice.evalsuite.stats.rates import Rate
from sluice.evalsuite.verdict import Verdict, decide


class Side(BaseModel):
    """One side of a comparison."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    rate: Rate
    lenient: float | None
    classes: dict[str, int]
    prompt_tokens: float
    new_tokens: float
    seconds: float
    cut: int
    per_field: dict[str, Any] | None = None
    valid: int | None = None


class Flip(BaseModel):
    """A row on which the two sides differ."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    helped: bool
    baseline: float
    candidate: float


class Comparison(BaseModel):
    """A comparison with its verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: str
    final: bool
    """Whether this is the verdict on the eval set; on dev it is no evidence."""
    metric: str
    verdict: Verdict
    candidate: Side
    baseline: Side
    prompt: Side | None = None
    """The best prompt, where the constant answer beats it and so is the baseline."""
    measured: int
    """How many prompts were measured."""
    constant: Rate | None
    flips: tuple[Flip, ...]
    notes: tuple[str, ...]
    exit_code: int
    """What the command returns: on dev always 0."""


def side(label: str, scores: Scores) -> Side:
    """Return what is shown of one run."""
    fields = scores.total.per_field
    return Side(
        label=label,
        rate=scores.rate,
        lenient=scores.total.lenient_mean,
        classes={str(k): v for k, v in scores.total.classes.items()},
        prompt_tokens=round(scores.prompt_tokens, 1),
        new_tokens=round(scores.new_tokens, 1),
        seconds=round(scores.seconds, 3),
        cut=scores.cut,
        per_field={k: v.model_dump() for k, v in fields.items()} if fields else None,
        valid=scores.total.valid,
    )


def compare_scores(
    question: Question,
    baseline: tuple[str, Scores],
    candidate: tuple[str, Scores],
    *,
    on: str,
    final: bool,
    groups: dict[str, tuple[str, ...]] | None = None,
    divisor: int = 1,
    measured: int = 1,
    constant: Scores | None = None,
    prompt: tuple[str, Scores] | None = None,
    cost: Cost | None = None,
    notes: tuple[str, ...] = (),
) -> Comparison:
    """Compare two scored runs over the same inputs.

    Args:
        final: whether this decides, at the question's alpha; else, on dev, at ours.
        divisor: what alpha is divided by (K, or more after a merge); on dev 1.
        measured: how many prompts were measured.
        prompt: the best prompt, where the baseline is the constant answer; tokens and seconds are set against it.

    Raises:
        InputError: the runs are over different rows (named), or no rows.
    """
    left, right = baseline[1], candidate[1]
    _same_rows(left, right)
    place = {row: i for i, row in enumerate(left.rows)}
    order = [place[row] for row in right.rows]
    base = [left.values(errors_as="best")[i] for i in order]
    cand = right.values(errors_as="worst")
    keys = _units(groups or {}, right.inputs)
    verdict = decide(
        base,
        cand,
        kind=question.kind,
        score_range=question.score_range,
        higher_is_better=question.direction == "higher",
        claim=question.claim,
        margin=question.margin_value if question.claim == "not-worse" else None,
        groups=keys if any(key is not None for key in keys) else None,
        alpha=float(question.alpha) if final else ALPHA,
        openings=divisor,
        rows=right.rows,
    )
    said = list(notes)
    errors = max(left.errors, right.errors)
    if errors > ERROR_CAP * len(right.rows):
        said.append(f"{errors} rows are in error, more than {ERROR_CAP:.0%}: no verdict")
        verdict = verdict.model_copy(
            update={"word": "cannot-tell", "exit_code": 4, "why": "too many rows in error", "sentence": said[-1]}
        )
    said += _cost_notes(prompt[1] if prompt else left, right, cost)
    flips = tuple(
        Flip(row=row, helped=(c > b) == (question.direction == "higher"), baseline=b, candidate=c)
        for row, b, c in zip(right.rows, base, cand, strict=True)
        if b != c
    )
    return Comparison(
        on=on,
        final=final,
        metric=question.metric,
        verdict=verdict,
        candidate=side(candidate[0], right),
        baseline=side(baseline[0], left),
        prompt=None if prompt is None else side(*prompt),
        measured=measured,
        constant=None if constant is None else constant.rate,
        flips=flips,
        notes=tuple(said),
        exit_code=verdict.exit_code if final else 0,
    )


def _units(groups: dict[str, tuple[str, ...]], inputs: Sequence[str]) -> list[int | None]:
    """Return the unit of each row (rows that share any group value are one), None where it has no group."""
    values = [groups.get(digest) or () for digest in inputs]
    return [unit if own else None for unit, own in zip(unit_labels(values), values, strict=True)]


def _same_rows(left: Scores, right: Scores) -> None:
    only_left, only_right = set(left.rows) - set(right.rows), set(right.rows) - set(left.rows)
    if only_left or only_right:
        example = next(iter(only_left or only_right))
        raise InputError(
            f"the two runs are over different rows ({len(only_left)} and {len(only_right)} without a partner)",
            where=example[:10],
            remedy="run both on the same part",
        )


def _cost_notes(left: Scores, right: Scores, cost: Cost | None) -> list[str]:
    notes = [
        f"{right.prompt_tokens:.0f} prompt tokens a row instead of {left.prompt_tokens:.0f}, "
        f"{right.seconds:.2f} s instead of {left.seconds:.2f} s"
    ]
    if cost is not None and cost.prompt is not None and cost.completion is not None:
        old = (left.prompt_tokens * cost.prompt + left.new_tokens * cost.completion) / 1e6
        new = (right.prompt_tokens * cost.prompt + right.new_tokens * cost.completion) / 1e6
        word = "cheaper" if new < old else "not cheaper"
        notes.append(f"{new * 1000:.4g} {cost.currency} a thousand rows instead of {old * 1000:.4g}: {word}")
    return notes
