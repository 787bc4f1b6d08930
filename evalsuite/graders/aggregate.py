"""Summing the grades of a run up: mean, answer classes, per-field figures, strict beside lenient.

No intervals: those are `sluice.evalsuite.stats`. A row that failed stays in every denominator.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError
from sluice.evalsuite.graders.spec import ANSWER_CLASSES, AnswerClass, Grade, GraderSpec


class FieldFigures(BaseModel):
    """One field's counts over all rows, and what follows from them (micro-averaged)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    right: int
    """Items that the answer and the target share."""
    extra: int
    """Items that only the answer has."""
    missed: int
    """Items that only the target has."""
    precision: float | None
    """right / (right + extra); None where no answer has an item."""
    recall: float | None
    """right / (right + missed); None where no target has an item."""
    f1: float | None
    """2 right / (2 right + extra + missed); None where neither side has an item."""


class Aggregate(BaseModel):
    """What a run's grades come to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int
    """Rows, those that failed included."""
    mean: float
    """Mean score over all n rows; a row in error counts as the worst score of the range."""
    mean_errors_right: float
    """The same with each error counted as the best score: the truth lies between the two."""
    lenient_mean: float | None
    """Mean lenient score over all n rows, errors as the worst; None where the grader has one reading only."""
    classes: dict[AnswerClass, int]
    """How many answers are of each class; all six are there, and they sum to n."""
    disagreements: tuple[int, ...]
    """Positions of the rows whose lenient score differs from their score: what format alone has cost."""
    valid: int | None
    """Answers that are an object which the schema, where there is one, allows; None for other graders."""
    per_field: dict[str, FieldFigures] | None
    """By field, in order of first appearance; None for graders that do not look into fields."""


def aggregate(grades: Sequence[Grade], spec: GraderSpec) -> Aggregate:
    """Sum up the grades of one run, one a row. Zero rows raise InputError: nothing measured is not a score."""
    if not grades:
        raise InputError("no row was graded, so there is no score", remedy="run it on a set that has rows")
    n = len(grades)
    errors = sum(g.score is None for g in grades)
    total = sum(g.score for g in grades if g.score is not None)
    has_lenient = any(g.lenient is not None for g in grades)
    lenient = sum(spec.worst if g.lenient is None else g.lenient for g in grades)
    classes: dict[AnswerClass, int] = dict.fromkeys(ANSWER_CLASSES, 0)
    for grade in grades:
        classes[grade.answer_class] += 1
    with_fields = [g for g in grades if "fields" in g.detail]
    return Aggregate(
        n=n,
        mean=(total + errors * spec.worst) / n,
        mean_errors_right=(total + errors * spec.best) / n,
        lenient_mean=lenient / n if has_lenient else None,
        classes=classes,
        disagreements=tuple(i for i, g in enumerate(grades) if g.lenient is not None and g.lenient != g.score),
        valid=sum(bool(g.detail["valid"]) for g in with_fields) if with_fields else None,
        per_field=_per_field(with_fields) if with_fields else None,
    )


def _per_field(grades: Sequence[Grade]) -> dict[str, FieldFigures]:
    counts: dict[str, list[int]] = {}
    for grade in grades:
        for field, row in grade.detail["fields"].items():
            so_far = counts.setdefault(field, [0, 0, 0])
            for column, value in enumerate(row):
                so_far[column] += value
    return {field: _figures(*row) for field, row in counts.items()}


def _figures(right: int, extra: int, missed: int) -> FieldFigures:
    def share(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    return FieldFigures(
        right=right,
        extra=extra,
        missed=missed,
        precision=share(right, right + extra),
        recall=share(right, right + missed),
        f1=share(2 * right, 2 * right + extra + missed),
    )
