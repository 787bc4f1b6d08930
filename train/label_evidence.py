"""How far people agree on the labels of the rows that are trained on and measured on, from their decisions.

Knows nothing of rules. What counts are words on questions whose answers have an equal: labels, grades, ratings and
accepted suggestions, asked under today's written task. Two answers that were written or edited freely are hardly ever
equal, and that says nothing about whether either is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sluice.core.evalset import FrozenSet
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.curate.labels.agreement import Measure

MODES = ("classify", "rate", "grade", "review")


@dataclass(frozen=True)
class LabelEvidence:
    """One question that was asked of these rows."""

    question: str
    """As people read it: `classify target.category`."""
    measure: Measure
    """The measure to read, with its interval over rows, or the reason for its absence."""
    people: int
    judged: int
    """Rows, or inputs, with a word of one person or more."""
    of: int
    """Inputs of the training and eval rows."""


def collect_labels(project: Project, train: Sequence[Example], frozen: FrozenSet | None) -> tuple[LabelEvidence, ...]:
    """Return what people's words on these rows' inputs show, by question; empty where there is none.

    A word belongs to a row by its input, which stays when the label becomes its target.
    """
    from sluice.curate.labels.choose import written_task
    from sluice.curate.labels.log import read_log
    from sluice.curate.labels.measured import agreement_of
    from sluice.curate.labels.overview import asked_words

    log = read_log(project)
    inputs = (
        {row.input_hash for row in (*train, *(frozen.rows if frozen is not None else ()))} if log.records else set()
    )
    found: list[LabelEvidence] = []
    for question, words in asked_words(log) if log.records else []:
        ours = [j for j in words if j.input in inputs]
        if question.mode not in MODES or question.written != written_task(project) or not ours:
            continue
        agreement = agreement_of(question, ours)
        found.append(
            LabelEvidence(
                question=question.shortened(),
                measure=agreement.headline,
                people=len(agreement.annotators),
                judged=len({j.subject for j in ours}),
                of=len(inputs),
            )
        )
    return tuple(found)
