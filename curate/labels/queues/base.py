"""What a queue is: a function from what is asked, of whom, with what was said, to subjects in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sluice.core.canonical import sha256_hex
from sluice.core.progress import Progress
from sluice.core.registry import Registry
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import Judgement
from sluice.curate.labels.session import Item

Embed = Callable[[Sequence[str], "Progress | None"], Any]


@dataclass(frozen=True)
class Asking:
    """What an order is made from.

    Args:
        question: what is asked.
        subjects: what may come, each once.
        items: what is shown of each.
        words: the last word of everybody on the question.
        by: who is asked.
        seed: of draws.
        of: what stands behind the colon in the queue's name, such as a column; empty where nothing does.
        columns: by row, the columns beside it.
        doubts: by subject, how unsure what proposes is (0 sure, 1 not at all); None where nothing proposes.
        embed: texts to vectors of length 1; None: texts are compared by their n-grams and words.
        progress: called with (what, done, total).
    """

    question: Question
    subjects: Sequence[str]
    items: Mapping[str, Item]
    words: Sequence[Judgement]
    by: str
    seed: int = 0
    of: str = ""
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    doubts: Mapping[str, float] | None = None
    embed: Embed | None = None
    progress: Progress | None = None

    def text(self, subject: str) -> str:
        """Return all that is shown of a subject's input."""
        return "\n".join(text for _, text in self.items[subject].texts)

    def drawn(self, subjects: Sequence[str] | None = None) -> list[str]:
        """Return subjects in the order of a draw: the same seed, the same order, whatever others there are."""
        some = self.subjects if subjects is None else subjects
        return sorted(some, key=lambda s: sha256_hex("sluice/queue/1", f"{self.seed} {s}"))


Order = Callable[[Asking], list[str]]
"""Some may be left out, none may come twice. Raises InputError where the order cannot be had."""

QUEUES: Registry[Order] = Registry("queue")
