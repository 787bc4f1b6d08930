"""What stands on record of grading: who judged today's answers blind, as far as the decisions bear it out.

Knows nothing of rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from sluice.core.errors import SluiceError
from sluice.core.ledger import Fact, Facts
from sluice.core.project import Project
from sluice.evalsuite.baselines.bench import Bench, dev_facts
from sluice.evalsuite.gradable import items, state, written_task


@dataclass(frozen=True)
class GradingEvidence:
    """A `graded` fact that speaks of today's dev part, best baseline, grader and written task; or None."""

    fact: Fact
    controls: int
    controls_right: int
    graded: int
    agree: int


def collect_grading(project: Project, b: Bench | None, facts: Facts) -> GradingEvidence | None:
    """Return the best grading of today's answers that its decisions bear out; a fact alone satisfies nothing."""
    if b is None:
        return None
    ranked = dev_facts(b, facts)
    if not ranked:
        return None
    best = ranked[0]
    found = facts.of(
        "graded",
        dev=b.dev_hash(),
        spec=best.body["spec"],
        answers=best.body["answers"],
        grader=b.question.grader,
        written_task=written_task(project),
    )
    gradings: list[GradingEvidence] = []
    for fact in found:
        try:
            standing = state(b, items(b, facts), str(fact.body.get("by")))
        except SluiceError:
            return None
        said = tuple(fact.body.get(key) for key in ("controls", "controls_right", "graded", "agree"))
        if standing.done == standing.of and said == (
            standing.controls,
            standing.controls_right,
            standing.answers,
            standing.agree,
        ):
            gradings.append(
                GradingEvidence(fact, standing.controls, standing.controls_right, standing.answers, standing.agree)
            )
    return max(gradings, key=lambda g: (g.controls_right, g.agree), default=None)
