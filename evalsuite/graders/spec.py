"""What a grader is: the records it declares and returns, and the registry of those that come with the product.

A grader turns (input, target, answer) into a score. It declares whether its scores are 0/1 or graded, their range,
what counts as right, what it needs, and how it reads an answer; nothing of this is ever guessed from scores. This
module knows nothing of single metrics, of models or of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from sluice.core import rows
from sluice.core.errors import InputError
from sluice.core.registry import Registry
from sluice.core.task import GraderConfig

AnswerClass = Literal["right", "wrong", "unparsed", "cut", "refused", "error"]
ANSWER_CLASSES: tuple[AnswerClass, ...] = ("right", "wrong", "unparsed", "cut", "refused", "error")
Need = Literal["target", "schema", "rubric", "choices"]
NEEDS: tuple[Need, ...] = ("target", "schema", "rubric", "choices")
Kind = Literal["binary", "graded"]
Direction = Literal["higher", "lower"]

ROUNDING = 1e-9  # share of the range by which a score may miss an end through floating point


class Grade(BaseModel):
    """The judgement of one answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    score: float | None
    """In the grader's range; None where the grader failed. 0.0 is a score like any other."""
    answer_class: AnswerClass
    lenient: float | None = None
    """The score under the lenient reading of the same answer; None where the grader has one reading only."""
    detail: dict[str, Any] = Field(default_factory=dict)
    """What the grader found, for people and for per-field figures."""
    message: str | None = None
    """Why, in words, where the answer is not right and there is more to say."""


class GraderSpec(BaseModel):
    """What a grader declares about itself; pinned when an eval set is frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Kind
    range: tuple[float, float] = (0.0, 1.0)
    right_at: float = 1.0
    """The score from which on an answer counts as right (down to which, where lower is better)."""
    needs: frozenset[Need] = frozenset()
    direction: Direction = "higher"
    reading: str
    """The reading policy: how fences, prose around the answer, several answers and numbers are read."""
    doc: str
    """One sentence: what is measured."""

    @property
    def best(self) -> float:
        """The score of a perfect answer."""
        return self.range[1] if self.direction == "higher" else self.range[0]

    @property
    def worst(self) -> float:
        """The score of a ruined answer; what an error counts as."""
        return self.range[0] if self.direction == "higher" else self.range[1]

    def slack(self) -> float:
        """The rounding that is forgiven at an end of the range, in score units."""
        return ROUNDING * (self.range[1] - self.range[0])

    def is_right(self, score: float) -> bool:
        """Return whether the score counts as right."""
        if self.direction == "higher":
            return score >= self.right_at - self.slack()
        return score <= self.right_at + self.slack()

    def is_full_marks(self, score: float) -> bool:
        """Return whether the score is the best there is."""
        return abs(score - self.best) <= self.slack()


class Grader(Protocol):
    """Anything that grades. Callers go through `grade_answer`, which guards what comes out."""

    @property
    def spec(self) -> GraderSpec:
        """What the grader declares about itself."""
        ...

    def grade(self, input: Any, target: Any, answer: str) -> Grade:
        """Judge one answer."""
        ...

    def close(self) -> None:
        """Let go of processes; the next `grade` starts them afresh."""
        ...


@dataclass(frozen=True)
class Example:
    """A worked example of a grader, shown in the docs and checked by a test."""

    target: str | None
    right: str
    """An answer that earns full marks."""
    wrong: str
    """An answer that does not."""
    lenient: str
    """An answer whose lenient score is better than its score."""
    schema: Mapping[str, Any] | None = None
    choices: tuple[str, ...] | None = None
    input: Any = "an input"


@dataclass(frozen=True)
class Setting:
    """What a built-in grader is made from."""

    config: GraderConfig
    schema: Mapping[str, Any] | bool | None = None


@dataclass(frozen=True)
class GraderEntry:
    """A registered grader: its declaration, how to make one, and an example."""

    spec: GraderSpec
    make: Callable[[Setting], Grader]
    example: Example
    version: int = 1
    """Raised when the same answer would be scored otherwise: part of the grader's hash."""
    uses: frozenset[Need] = frozenset()
    """What it takes into account beyond what it needs; part of its hash."""


GRADERS: Registry[GraderEntry] = Registry("grader")


def scored(
    spec: GraderSpec,
    score: float,
    *,
    lenient: float | None = None,
    detail: dict[str, Any] | None = None,
    message: str | None = None,
) -> Grade:
    """Return the grade of a score that was read: right or wrong by the grader's own line."""
    answer_class: AnswerClass = "right" if spec.is_right(score) else "wrong"
    return Grade(score=score, answer_class=answer_class, lenient=lenient, detail=detail or {}, message=message)


def unparsed(spec: GraderSpec, message: str, *, lenient: float, detail: dict[str, Any] | None = None) -> Grade:
    """Return the grade of an answer that the strict reading cannot read: the worst score, class unparsed."""
    return Grade(score=spec.worst, answer_class="unparsed", lenient=lenient, detail=detail or {}, message=message)


def target_text(target: Any, grader: str) -> str:
    """Return a target as text (an object as compact JSON). Raises InputError where it is absent or blank."""
    text = rows.target_text(target)
    if text is None or not text.strip():
        raise InputError(
            f"the grader '{grader}' needs a target and this row has none",
            remedy="give the row a target, or use a grader that needs none",
        )
    return text
