"""What a person decided about a row, as it is kept: one JSON object a line in `decisions/`.

A record is never changed, and keys that this version does not know are passed over. Who thinks better of a decision
adds another one, and the last by time counts; an undo is a record of its own. Layout: docs/formats.md, "Decisions".
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Mode = Literal["classify", "rate", "grade", "correct", "write", "compare", "review"]
"""What is asked: labels from a list, a number, right or wrong, an edited answer, a new one, the better of two, yes."""

OF_INPUT = frozenset({"classify", "write", "compare"})
"""Modes whose answers are about the input alone: they hold for every row with that input, whatever its target is."""

ADJUDICATION = "adjudicate"
"""The queue of a person who decides what others disagree on: that word counts over theirs."""

Value = str | int | tuple[str, ...] | None
"""What is said: a label, a number, several labels, a text; None: the person cannot tell."""


class Shown(BaseModel):
    """What the person saw when deciding, beside the row itself: all of it may have swayed the decision."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    session: str
    """Sittings of one person, by a random name."""
    place: int
    """Which row of the sitting it was, from 1."""
    queue: str
    """How rows were chosen, such as `random`."""
    sides: tuple[str, ...] = ()
    """Where the answers came from that were compared, in the order they stood in; nothing where one was shown."""
    answer: str | None = None
    """SHA-256 of the answer that was judged or edited, None where none was shown."""
    suggestion: str | None = None
    """What was proposed, None where nothing was."""
    suggested_by: str | None = None
    hidden: bool = False
    """Whether the proposal was not to be seen before the decision."""
    gold: bool = False
    """Whether the answer was known beforehand: the word measures the person, and is never a label."""
    known: Value = None
    """That answer."""


class Judgement(BaseModel):
    """One decision of one person about one row."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    kind: Literal["label"] = "label"
    time: str
    by: str = Field(min_length=1)
    seconds: float = Field(ge=0)
    """From when the row was shown to the decision."""
    mode: Mode
    question: str
    """Hash of what was asked (`Question.hash`): words on different questions are never counted together."""
    field: str
    dataset: str
    row: str
    input: str
    value: Value
    comment: str | None = None
    reason: str | None = None
    shown: Shown | None = None
    """None where a script said it."""

    @property
    def subject(self) -> str:
        """What was judged: the input, or the row where its target was judged."""
        return self.input if self.mode in OF_INPUT else self.row

    @property
    def gold(self) -> bool:
        """Whether the answer was known beforehand: such a word measures the person, and is never a label."""
        return self.shown is not None and self.shown.gold

    @property
    def adjudicates(self) -> bool:
        """Whether a dispute of others was decided: such a word counts over theirs, and in no agreement."""
        return self.shown is not None and self.shown.queue == ADJUDICATION

    @property
    def meaning(self) -> Value:
        """What the value says apart from how it was shown: which answer is better, not which side; what was accepted.

        Two people see two answers on sides of their own, and accept suggestions that may differ.
        """
        if self.shown is None:
            return self.value
        if self.mode == "compare" and len(self.shown.sides) == 2 and self.value in ("a", "b"):
            return self.shown.sides["ab".index(str(self.value))]
        if self.mode == "review" and self.value == "accept" and self.shown.suggestion is not None:
            return self.shown.suggestion
        return self.value


class Undo(BaseModel):
    """An earlier record of the same person that no longer counts."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    kind: Literal["unlabel"] = "unlabel"
    time: str
    by: str = Field(min_length=1)
    row: str
    of: str
    """The id of that record."""


class Skip(BaseModel):
    """A row that a person left for later, or for others."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    kind: Literal["skip"] = "skip"
    time: str
    by: str = Field(min_length=1)
    question: str
    row: str
    subject: str
    """The input or the row, as `Judgement.subject` says."""
    comment: str | None = None


class Deal(BaseModel):
    """How rows were dealt to people: see `sluice.curate.labels.assign`. The newest one of a question holds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    kind: Literal["deal"] = "deal"
    time: str
    by: str = Field(min_length=1)
    row: Literal[""] = ""
    question: str
    people: tuple[str, ...]
    overlap: int
    seed: int
    dataset: str
    version: int
    """Its rows were dealt first; what came later follows."""


class Asked(BaseModel):
    """A question, kept when it is first asked: what the hashes in decisions stand for."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    kind: Literal["question"] = "question"
    time: str
    by: str = Field(min_length=1)
    row: Literal[""] = ""
    body: dict[str, Any]
    """See `sluice.curate.labels.question.Question`."""


Record = Judgement | Undo | Skip | Deal | Asked


def new_id() -> str:
    """Return the name of a new record: 16 hex digits that nobody chose."""
    return secrets.token_hex(8)


def now() -> str:
    """Return the time as records have it: UTC with microseconds, which sorts as text."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_line(line: bytes) -> Record | None:
    """Return a line of a log as a record; None where it is of another kind, or not whole."""
    try:
        return _reader().validate_json(line)
    except ValueError:
        if b"\\u" not in line:  # another kind, or half a line
            return None
    try:
        found = json.loads(line)  # half a surrogate, which JSON can write and the quick reader does not take
    except (ValueError, RecursionError):
        return None
    return read_record(found) if isinstance(found, dict) else None


def read_record(found: dict[str, Any]) -> Record | None:
    """Return what stands in a line of a log as a record; None where it is of another kind, or not whole."""
    try:
        return _reader().validate_python(found)
    except ValueError:
        return None


@cache
def _reader() -> TypeAdapter[Record]:
    return TypeAdapter(Annotated[Record, Field(discriminator="kind")])
