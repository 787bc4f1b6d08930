"""Scores of a stored run: a pass over its answers, apart from generating them.

The same answers under the same grader give the same scores, so anyone can check them: `verify` and the gate do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import dump_exact
from sluice.core.errors import InputError
from sluice.core.files import atomic_write
from sluice.core.ledger import decimal
from sluice.core.rows import Example, Messages
from sluice.core.runs import Run, StoredAnswer
from sluice.evalsuite.graders import Aggregate, Grade, Grader, GraderSpec, aggregate, grade_answer
from sluice.evalsuite.stats.rates import Rate, mean_rate

ERROR_CAP = 0.02  # share of rows in error above which there is no verdict


class Scores(BaseModel):
    """The grades of one run over given rows, in the order of the rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: tuple[str, ...]
    inputs: tuple[str, ...]
    grades: tuple[Grade, ...]
    spec: GraderSpec
    total: Aggregate
    rate: Rate
    """The mean with n and its 95% interval."""
    cut: int
    prompt_tokens: float
    """Mean prompt tokens a row."""
    new_tokens: float
    seconds: float
    """Mean seconds a row."""

    @property
    def sha256(self) -> str:
        """The hash over all row scores and classes."""
        lines = sorted(
            f"{row} {'-' if g.score is None else decimal(g.score, 9)} {g.answer_class}"
            for row, g in zip(self.rows, self.grades, strict=True)
        )
        return hashlib.sha256(("sluice/scores/1\n" + "\n".join(lines)).encode()).hexdigest()

    @property
    def mean(self) -> float:
        """The mean score, an error counted as the worst."""
        return self.total.mean

    @property
    def errors(self) -> int:
        """Rows whose answer could not be graded or was never given."""
        return self.total.classes["error"]

    def values(self, *, errors_as: str = "worst") -> list[float]:
        """Return one score a row; errors count as the `worst` or the `best` score of the range."""
        filler = self.spec.worst if errors_as == "worst" else self.spec.best
        return [filler if g.score is None else g.score for g in self.grades]


def score_answers(
    grader: Grader, rows: Sequence[Example], answers: dict[tuple[str, int], StoredAnswer], repeat: int = 0
) -> Scores:
    """Grade the first answer to each row, or another one (`repeat`, from 0).

    Raises InputError where a row has no answer, or lacks a target that the grader needs, or there are no rows.
    """
    grades: list[Grade] = []
    given: list[StoredAnswer] = []
    for row in rows:
        answer = answers.get((row.row, repeat))
        if answer is None:
            raise InputError(
                "a row without an answer", where=row.row[:10], remedy="run it again: it goes on from there"
            )
        given.append(answer)
        if answer.stop == "error":
            grades.append(Grade(score=None, answer_class="error", message=answer.error))
        else:
            grades.append(
                grade_answer(grader, input=plain_input(row), target=row.target, answer=answer.text, cut=answer.cut)
            )
    spec = grader.spec
    total = aggregate(grades, spec)
    n = len(grades)
    return Scores(
        rows=tuple(r.row for r in rows),
        inputs=tuple(r.input_hash for r in rows),
        grades=tuple(grades),
        spec=spec,
        total=total,
        rate=mean_rate(
            [spec.worst if g.score is None else g.score for g in grades], kind=spec.kind, score_range=spec.range
        ),
        cut=sum(a.cut for a in given),
        prompt_tokens=sum(a.prompt_tokens for a in given) / n,
        new_tokens=sum(a.new_tokens for a in given) / n,
        seconds=sum(a.seconds for a in given) / n,
    )


def plain_input(row: Example) -> dict[str, Any]:
    """Return an input as a grader sees it: its fields, or {"messages": [...]}."""
    if isinstance(row.input, Messages):
        return {"messages": [turn.as_dict() for turn in row.input.turns]}
    return row.input


def write_scores(run: Run, scores: Scores, *more: Scores) -> None:
    """Write `scores.jsonl` into a run's folder, the log that `compare A B` reads; a copy, never evidence.

    Args:
        scores: of the first answer to each row.
        more: of the second, the third, ...; their lines say which (`repeat`).
    """
    spec = scores.spec
    head = {"kind": spec.kind, "range": list(spec.range), "direction": spec.direction, "metric": spec.name}
    lines = [head]
    for repeat, one in enumerate((scores, *more)):
        which = {"repeat": repeat} if repeat else {}
        for row, digest, grade in zip(one.rows, one.inputs, one.grades, strict=True):
            score = spec.worst if grade.score is None else grade.score
            lines.append({"row": row, "input": digest, "score": score, "class": grade.answer_class, **which})
    atomic_write(run.folder / "scores.jsonl", "".join(dump_exact(line) + "\n" for line in lines).encode())
