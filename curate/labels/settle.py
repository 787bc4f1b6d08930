"""What people said of one thing, put together: agreed, settled by a third person, by the most, or left open.

Nothing is settled by default that people disagree on: a disagreement is for a third person (`adjudicate`), or for a
rule that somebody chose by name.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import UsageError
from sluice.curate.labels.record import Judgement, Value

ADJUDICATION = "adjudicate"
"""The queue of a person who decides what others disagree on: that word counts over theirs."""

Rule = Literal["agreed", "majority"]
RULES: tuple[str, ...] = ("agreed", "majority")


class Settled(BaseModel):
    """What counts for one subject."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str
    value: Value
    """None where it is open, or nobody could tell."""
    how: Literal["one", "agreed", "adjudicated", "majority", "open", "cannot tell"]
    people: tuple[str, ...]
    """Whose word it is; of an open one, who disagrees."""
    said: dict[str, Value]
    """The last word of each person."""

    @property
    def told(self) -> str:
        """How it came about, in a few words: `majority: ana, ben (cem: shipping)`."""
        others = [f"{who}: {_word(value)}" for who, value in self.said.items() if who not in self.people]
        return f"{self.how}: {', '.join(self.people)}" + (f" ({', '.join(others)})" if others else "")


def settle(judgements: Sequence[Judgement], rule: str = "agreed") -> dict[str, Settled]:
    """Return what counts, by subject, in the order in which subjects were first decided.

    Args:
        judgements: the last words of people on one question (`Log.last_words`).
        rule: `agreed`: only what all said, or a third person decided; `majority`: also what more people said than
            anything else.

    Raises UsageError for a rule that there is not.
    """
    if rule not in RULES:
        raise UsageError(f"no rule is called '{rule}'", where="--settle", remedy=f"one of: {', '.join(RULES)}")
    by_subject: dict[str, list[Judgement]] = defaultdict(list)
    for judgement in sorted(judgements, key=lambda j: (j.time, j.id)):
        by_subject[judgement.subject].append(judgement)
    return {subject: _settled(subject, said, rule) for subject, said in by_subject.items()}


def _settled(subject: str, judgements: Sequence[Judgement], rule: str) -> Settled:
    said: dict[str, Value] = {j.by: j.value for j in judgements}
    third = [j for j in judgements if j.shown is not None and j.shown.queue == ADJUDICATION and j.value is not None]
    telling = {who: value for who, value in said.items() if value is not None}
    values = Counter(telling.values())
    ranked = values.most_common(2)
    if third:
        return Settled(subject=subject, value=third[-1].value, how="adjudicated", people=(third[-1].by,), said=said)
    if not ranked:
        return Settled(subject=subject, value=None, how="cannot tell", people=tuple(said), said=said)
    first = ranked[0][0]
    theirs = tuple(who for who, value in telling.items() if value == first)
    if len(ranked) == 1:
        how = "one" if len(theirs) == 1 else "agreed"
        return Settled(subject=subject, value=first, how=how, people=theirs, said=said)
    if rule == "majority" and ranked[0][1] > ranked[1][1]:
        return Settled(subject=subject, value=first, how="majority", people=theirs, said=said)
    return Settled(subject=subject, value=None, how="open", people=tuple(telling), said=said)


def _word(value: Value) -> str:
    if value is None:
        return "cannot tell"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
