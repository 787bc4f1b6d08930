"""What people said of one thing, put together: agreed, settled by a third person, by a rule, or left open.

Nothing is settled by default that people disagree on: a disagreement is for a third person (`adjudicate`), or for a
rule that somebody chose by name. What a third person decided counts under every rule.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import UsageError
from sluice.core.progress import Progress
from sluice.curate.labels.record import Judgement, Value

MODELS: tuple[str, ...] = ("dawid-skene", "mace")
RULES: tuple[str, ...] = ("agreed", "majority", *MODELS)
"""Beside these a rule is the name of a person, whose word then counts over the others'."""
LEAST = 0.9
"""Probability below which a label of a model stays open: of the least certain labels that are taken, one in ten may be
wrong, and of all of them far fewer, since most lie near 1. Data sets in wide use hold 3.4% wrong labels on average
(Northcutt et al. 2021, arXiv 2103.14749); what is less certain is cheaper to show a third person than to train on."""

How = Literal["one", "agreed", "adjudicated", "majority", "dawid-skene", "mace", "person", "open", "cannot tell"]


class Settled(BaseModel):
    """What counts for one subject."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str
    value: Value
    """None where it is open, or nobody could tell."""
    how: How
    people: tuple[str, ...]
    """Whose word it is; of an open one, who disagrees."""
    said: dict[str, Value]
    """The last word of each person."""
    probability: float | None = None
    """Of the value by the model, or the share of the votes; None where no rule counted anything. Of an open one: of
    what was likeliest."""

    @property
    def told(self) -> str:
        """How it came about, in a few words: `majority 0.67: ana, ben (cem: shipping)`."""
        others = [f"{who}: {_word(value)}" for who, value in self.said.items() if who not in self.people]
        how = self.how if self.probability is None else f"{self.how} {self.probability:.2f}"
        whose = f": {', '.join(self.people)}" if self.people else ""
        return f"{how}{whose}" + (f" ({', '.join(others)})" if others else "")


@dataclass(frozen=True)
class Chosen:
    """What a rule holds to be the value of a subject."""

    value: Value
    """None where nothing decides."""
    probability: float


@dataclass(frozen=True)
class Settling:
    """All subjects of a question under one rule."""

    words: dict[str, Settled]
    """By subject, in the order in which subjects were first decided."""
    accuracy: dict[str, float | None] = field(default_factory=dict[str, "float | None"])
    """By annotator, as the rule estimates it; empty where the rule estimates none."""
    cautions: tuple[str, ...] = ()


def settle(judgements: Sequence[Judgement], rule: str = "agreed", *, least: float | None = None) -> dict[str, Settled]:
    """Return what counts, by subject: see `settle_all`."""
    return settle_all(judgements, rule, least=least).words


def settle_all(
    judgements: Sequence[Judgement],
    rule: str = "agreed",
    *,
    least: float | None = None,
    progress: Progress | None = None,
) -> Settling:
    """Return what counts, by subject, and what the rule says of people.

    Args:
        judgements: the last words of people on one question (`Log.last_words`).
        rule: `agreed`: only what all said, or a third person decided; `majority`: also what more people said than
            anything else; `dawid-skene`, `mace`: what the model holds likely; the name of a person: what that person
            said, and where that was nothing as `agreed`.
        least: probability (for majority: share of the votes) below which a value stays open. None: LEAST for a model,
            for a majority that it leads.
        progress: called with (what, done, total).

    Raises UsageError for a rule that there is not, or a `least` that is no probability; InputError where a model has
    too few people to learn from; SurroundingsError where crowd-kit is not installed.
    """
    people = sorted({j.by for j in judgements})
    check_rule(rule, people, least)
    by_subject: dict[str, list[Judgement]] = defaultdict(list)
    for judgement in sorted(judgements, key=lambda j: (j.time, j.id)):
        by_subject[judgement.subject].append(judgement)
    chosen, accuracy, cautions = _counted(by_subject, rule, progress)
    floor = least if least is not None else LEAST if rule in MODELS else 0.0
    words = {subject: _settled(subject, said, rule, chosen.get(subject), floor) for subject, said in by_subject.items()}
    return Settling(words, accuracy, cautions)


def check_rule(rule: str, people: Sequence[str], least: float | None = None) -> None:
    """Raise UsageError for a rule that there is not, and for a least probability that is none or counts for nothing."""
    if rule not in RULES and rule not in people:
        who = f", or a person: {', '.join(people[:8])}" if people else ""
        raise UsageError(f"no rule is called '{rule}'", where="--settle", remedy=f"one of: {', '.join(RULES)}{who}")
    if least is None:
        return
    if not 0 < least <= 1:
        raise UsageError(f"{least:g} is no probability", where="--least", remedy="a number above 0, up to 1")
    if rule not in ("majority", *MODELS):
        raise UsageError(
            f"'{rule}' knows no probability", where="--least", remedy=f"with --settle majority, {', '.join(MODELS)}"
        )


def _counted(
    by_subject: Mapping[str, Sequence[Judgement]], rule: str, progress: Progress | None
) -> tuple[dict[str, Chosen], dict[str, float | None], tuple[str, ...]]:
    """Return what a rule that counts words of the usual kind chooses; a third person's are known to a model."""
    from sluice.curate.labels.agreement.judgements import Judgement as Word
    from sluice.curate.labels.models import combine, combine_sets

    if rule not in ("majority", *MODELS):
        return {}, {}, ()
    usual = [j for said in by_subject.values() for j in said if not j.adjudicates]
    if all(j.value is None for j in usual):
        return {}, {}, ()
    known = {s: third[-1].meaning for s, said in by_subject.items() if (third := _third(said))}
    words = [Word(j.subject, j.by, j.meaning) for j in usual]
    sets = any(isinstance(j.value, tuple) for j in usual)
    found = (combine_sets if sets else combine)(words, model=rule, known=known, progress=progress)
    chosen = {one.item: Chosen(one.label, one.probability) for one in found.items}
    return chosen, {one.annotator: one.accuracy for one in found.annotators}, found.cautions


def _settled(subject: str, judgements: Sequence[Judgement], rule: str, chosen: Chosen | None, least: float) -> Settled:
    said: dict[str, Value] = {j.by: j.meaning for j in judgements}
    telling = {who: value for who, value in said.items() if value is not None}

    def found(how: How, value: Value, people: Sequence[str], probability: float | None = None) -> Settled:
        whose, rounded = tuple(people), None if probability is None else round(probability, 6)
        return Settled(subject=subject, value=value, how=how, people=whose, said=said, probability=rounded)

    third = _third(judgements)
    if third:
        return found("adjudicated", third[-1].meaning, (third[-1].by,))
    if rule not in RULES and telling.get(rule) is not None:
        return found("person", telling[rule], (rule,))
    ranked = Counter(telling.values()).most_common(1)
    if not ranked:
        return found("cannot tell", None, tuple(said))
    first = ranked[0][0]
    if rule not in MODELS and len(set(telling.values())) == 1:
        return found("one" if len(telling) == 1 else "agreed", first, tuple(telling))
    if chosen is None:
        return found("open", None, tuple(telling))
    if chosen.value is None or chosen.probability < least:
        return found("open", None, tuple(telling), chosen.probability)
    theirs = {who: value for who, value in telling.items() if _same(value, chosen.value)}
    value = next(iter(theirs.values()), chosen.value)  # a set in the order in which the question has its labels
    how: How = "majority" if rule == "majority" else "mace" if rule == "mace" else "dawid-skene"
    return found(how, value, tuple(theirs), chosen.probability)


def _third(judgements: Sequence[Judgement]) -> list[Judgement]:
    return [j for j in judgements if j.adjudicates and j.value is not None]


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return set(one) == set(other)
    return one == other


def _word(value: Value) -> str:
    if value is None:
        return "cannot tell"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
