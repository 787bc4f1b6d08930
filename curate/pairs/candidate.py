"""What a source says: one answer preferred to another, or one answer judged good or bad, with who said so and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from sluice.core.rows import Input


@dataclass(frozen=True)
class Answer:
    """An answer, and where it came from.

    Args:
        text: of the answer.
        origin: `target`, `RUN` or `RUN#2`, `row 1a2b3c4d5e`, `edited`, or a file.
        model: the hash of the adapter, or of the base, that wrote it; None where a person did, or nobody knows.
        score: from 0 (worst) to 1, where it was scored or rated.
    """

    text: str
    origin: str
    model: str | None = None
    score: float | None = None


@dataclass(frozen=True)
class Candidate:
    """One answer that was preferred to another.

    Args:
        input: hash of the input.
        content: the input.
        chosen, rejected: the answers.
        margin: by how much, from 0 to 1 of the scale it was judged on.
        source: that said so.
        by: who or what preferred it: people, or the grader's metric.
        why: one sentence.
        run: whose answers they are, where they are of one.
        first: which of them stood first on the screen; None where that is not known, or differed.
    """

    input: str
    content: Input
    chosen: Answer
    rejected: Answer
    margin: float
    source: str
    by: tuple[str, ...]
    why: str
    run: str | None = None
    first: Literal["chosen", "rejected"] | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What it teaches: equal keys are one pair."""
        return self.input, self.chosen.text, self.rejected.text

    def provenance(self) -> dict[str, Any]:
        """Return what is kept beside the pair."""
        found: dict[str, Any] = {
            "source": self.source,
            "preferred_by": list(self.by),
            "why": self.why,
            "margin": round(self.margin, 6),
            "chosen_from": self.chosen.origin,
            "rejected_from": self.rejected.origin,
            "run": self.run,
            "shown_first": self.first,
            "chosen_model": self.chosen.model,
            "rejected_model": self.rejected.model,
        }
        return {key: value for key, value in found.items() if value is not None}


@dataclass(frozen=True)
class Judged:
    """One answer that was called good or bad by itself."""

    input: str
    content: Input
    answer: Answer
    good: bool
    source: str
    by: tuple[str, ...]
    why: str
    run: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Input and answer: called good and bad, they contradict each other."""
        return self.input, self.answer.text

    def provenance(self) -> dict[str, Any]:
        """Return what is kept beside the row."""
        found: dict[str, Any] = {
            "source": self.source,
            "judged_by": list(self.by),
            "why": self.why,
            "answer_from": self.answer.origin,
            "run": self.run,
            "answer_model": self.answer.model,
        }
        return {key: value for key, value in found.items() if value is not None}


@dataclass
class Gathered:
    """All that sources said, in their order, and what of it says nothing, counted by reason."""

    candidates: list[Candidate] = field(default_factory=list[Candidate])
    judged: list[Judged] = field(default_factory=list[Judged])
    aside: Counter[str] = field(default_factory=Counter[str])

    def add(self, other: Gathered) -> None:
        """Take in what another source said."""
        self.candidates += other.candidates
        self.judged += other.judged
        self.aside.update(other.aside)
