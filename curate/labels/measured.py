"""How far people agree on one question: its words as judgements on the scale that the question has.

What a third person decided after seeing that others disagree is no word of its own, and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sluice.core.progress import Progress
from sluice.curate.labels.agreement import Agreement, Decision, Judgement, Pace, Scale, agree, pace
from sluice.curate.labels.question import GRADES, STARS, Question
from sluice.curate.labels.record import Judgement as Word


def scale_of(question: Question) -> tuple[Scale, Sequence[Any] | None]:
    """Return how answers to a question are compared, and all that there are, from the lowest where they have an order.

    Ratings are ordered, not numbers: that 2 lies as far from 3 as 4 from 5 is more than a rubric says. Grades are
    ordered, too: a row that one holds for right and another for partly right divides people less.
    """
    if question.many:
        return "sets", question.labels
    if question.mode == "rate":
        least, most = question.scale or STARS
        return "ordinal", range(least, most + 1)
    if question.mode == "grade":
        return "ordinal", GRADES[::-1]
    if question.mode == "classify":
        return ("ordinal" if question.ordered else "nominal"), question.labels
    return "nominal", None


def agreement_of(
    question: Question,
    words: Sequence[Word],
    *,
    slices: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Agreement:
    """Return how far people agree.

    Args:
        question: what was asked.
        words: the last words of people on it.
        slices: by subject the part of the data that it is in.
        progress: called with (what, done, total).

    Raises InputError for a word that is no answer to the question.
    """
    scale, allowed = scale_of(question)
    within = slices or {}
    judgements = [Judgement(j.subject, j.by, j.meaning, within.get(j.subject)) for j in words if not j.adjudicates]
    return agree(judgements, scale=scale, allowed=allowed, progress=progress)


def pace_of(words: Sequence[Word]) -> tuple[Pace, ...]:
    """Return how fast people decide, everybody first; of decisions that scripts made nothing is known."""
    return pace(Decision(j.by, j.time, j.seconds) for j in words if j.seconds > 0)
