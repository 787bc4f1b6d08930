"""Which of all preferences become pairs: far enough apart, unlike each other, not contradictory, few an input."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sluice.core.errors import InputError
from sluice.core.wording import counted
from sluice.curate.checks.conflict import same_answer
from sluice.curate.pairs.candidate import Candidate
from sluice.curate.pairs.samples import drawn
from sluice.curate.similar.similarity import Relation

Rejected = Literal["random", "hardest", "widest"]
REJECTED: tuple[str, ...] = ("random", "hardest", "widest")

MARGIN = 0.25
"""One step of a rating from 1 to 5. Of a right-or-wrong grader and of one vote any difference is larger; three votes to
two (0.2) are not enough."""
PER_INPUT = 1
"""More pairs of one input weigh it more, and share its chosen answer: no new judgement stands behind them."""
NEAR = 0.9
"""Jaccard of the n-grams from which two answers are almost the same: the `near-pairs` check's."""

BELOW = "margin too small"
SAME = "the same answer twice"
ALIKE = "answers almost the same"
EMPTY = "an empty answer"
BOTH_WAYS = "preferred both ways"
OVER = "more pairs of the input than asked for"


class Rules(BaseModel):
    """What pairs are taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    margin: float = Field(default=MARGIN, ge=0, le=1)
    """Least margin, as a share of the scale that was judged on."""
    per_input: int = Field(default=PER_INPUT, ge=1)
    """Most pairs of one input."""
    rejected: Rejected = "random"
    """Which of several worse answers: any (as Zephyr, arXiv 2310.16944, which kept pairs varied so), the one least
    below the chosen one (fine distinctions, and most of the grader's errors), or the worst (easy, clear, and soon
    learnt)."""
    near: float = Field(default=NEAR, ge=0, le=1)
    """Likeness of two answers from which they are no pair."""
    seed: int = 0


@dataclass(frozen=True)
class Taken:
    """What is taken, and what is not, counted by reason."""

    pairs: list[tuple[Candidate, ...]]
    """All that say the same thing stand together, the first of them first."""
    aside: Counter[str]
    widest: float
    """The largest margin that was seen; 0 where there was none."""


def take(candidates: Sequence[Candidate], rules: Rules) -> Taken:
    """Return the pairs that rules let through, in the order in which their inputs came.

    Args:
        candidates: of all sources; a source that came earlier goes before later ones.
        rules: what is let through.
    """
    aside: Counter[str] = Counter()
    same: dict[tuple[str, str, str], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        same[candidate.key].append(candidate)
    by_input: dict[str, list[tuple[Candidate, ...]]] = defaultdict(list)
    for (digest, chosen, rejected), told in same.items():
        problem = _problem(max(told, key=lambda c: c.margin), rules)
        if problem is None and (digest, rejected, chosen) in same:
            problem = BOTH_WAYS
        if problem is not None:
            aside[problem] += 1
            continue
        by_input[digest].append(tuple(told))
    order = {name: place for place, name in enumerate(dict.fromkeys(c.source for c in candidates))}
    relation, pairs = Relation(), list[tuple[Candidate, ...]]()
    for found in by_input.values():
        taken: list[tuple[Candidate, ...]] = []
        for told in sorted(found, key=lambda told: (order[told[0].source], _rank(told[0], rules))):
            if len(taken) == rules.per_input:
                aside[OVER] += 1
            elif _alike(told[0], rules, relation):
                aside[ALIKE] += 1
            else:
                taken.append(told)
        pairs += taken
    return Taken(pairs, aside, max((c.margin for c in candidates), default=0.0))


def _problem(candidate: Candidate, rules: Rules) -> str | None:
    chosen, rejected = candidate.chosen.text, candidate.rejected.text
    if not chosen.strip() or not rejected.strip():
        return EMPTY
    if same_answer(chosen) == same_answer(rejected):
        return SAME
    return BELOW if candidate.margin <= 0 or candidate.margin < rules.margin - 1e-9 else None


def _alike(candidate: Candidate, rules: Rules, relation: Relation) -> bool:
    """Return whether two answers are almost the same; of those alike in length only, as any that are almost equal.

    Two JSON objects are told apart by their values alone: one field that differs is just what is to be learnt.
    """
    if all(text.lstrip().startswith("{") for text in (candidate.chosen.text, candidate.rejected.text)):
        return False
    sizes = sorted((len(candidate.chosen.text), len(candidate.rejected.text)))
    if sizes[0] < (rules.near - 0.15) * sizes[1]:
        return False
    share = relation.near_equal(candidate.chosen.text, candidate.rejected.text)
    return share is not None and share >= rules.near


def _rank(candidate: Candidate, rules: Rules) -> tuple[float, str]:
    draw = drawn(rules.seed, *candidate.key)
    if rules.rejected == "random":
        return 0.0, draw
    return (candidate.margin if rules.rejected == "hardest" else -candidate.margin), draw


def refuse_none(name: str, taken: Taken, aside: Counter[str], rules: Rules) -> InputError:
    """Return the error for sources that gave no pair at all: why, and what would change it."""
    if taken.aside[BELOW] and not taken.widest >= rules.margin:
        return InputError(
            f"no answer is better than another by {rules.margin:g} of the scale or more; the largest margin is "
            f"{taken.widest:.2f}",
            where=name,
            remedy=f"sample more answers (--samples 8), or: --margin {max(taken.widest, 0.01):.2g}"
            if taken.widest > 0
            else "sample more, or warmer, answers: sluice eval MODEL --samples 8 --temperature 1",
        )
    told = "; ".join(f"{counted(n, 'time')}: {reason}" for reason, n in (taken.aside + aside).most_common(4))
    return InputError(
        f"no answer is preferred to another ({told or 'the sources say nothing'})",
        where=name,
        remedy="more labels, or more answers: sluice eval MODEL --on NAME/train --samples 8",
    )
