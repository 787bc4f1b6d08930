"""What people are asked about each row, and which answers there are.

A question is named by the hash of all that could change what its answers mean: mode, field, allowed values, and the
written task and rubric. Words on one question are counted together, and with those on no other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import canonical
from sluice.core.errors import InputError, UsageError
from sluice.curate.labels.record import Mode, Value

GRADES = ("right", "partly", "wrong")
CHOICES = ("a", "b", "tie", "both-bad")
"""Of a comparison: which side, as it stood on the screen."""
VERDICTS = ("accept", "reject")
FIXED: dict[Mode, tuple[str, ...]] = {"grade": GRADES, "compare": CHOICES, "review": VERDICTS}
STARS = (1, 5)
MOST_LABELS = 200
_LABEL = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


class Question(BaseModel):
    """What is asked. Made by `ask`, which holds its parts together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode
    field: str = "target"
    """`target`, or a key of a target in JSON, such as `target.category`."""
    labels: tuple[str, ...] = ()
    """Values that may be given, in the order of their keys; for ordered labels also their order."""
    many: bool = False
    """Whether several labels may hold at once."""
    ordered: bool = False
    """Whether neighbouring labels are less far apart than others (counts in agreement)."""
    scale: tuple[int, int] | None = None
    """Least and most of a rating."""
    between: tuple[str, ...] = ()
    """Where compared answers come from, in order of their names; nothing where a row's own pair is compared."""
    written: str
    """Hash of description and rubric, by which people judge."""

    def body(self) -> dict[str, Any]:
        """Return it as it is stored and hashed: `between` stands there for comparisons alone."""
        return self.model_dump(mode="json", exclude=None if self.between else {"between"})

    @property
    def hash(self) -> str:
        """The name of the question: 16 hex digits."""
        body = self.body()
        return hashlib.sha256(b"sluice/question-to-people/1\n" + canonical(body).encode()).hexdigest()[:16]

    def check(self, value: object) -> Value:
        """Return an answer as it is stored, labels in the question's order. None is an answer: cannot tell.

        Raises InputError, with the answers there are, for one that is none.
        """
        if value is None:
            return None
        return _READERS[self.mode](self, value)

    def shortened(self) -> str:
        """Return the question for one line of a screen: `classify target.category`."""
        return f"{self.mode} {self.field}" if self.field != "target" else self.mode


def ask(
    mode: Mode,
    *,
    field: str = "target",
    labels: Sequence[str] = (),
    many: bool = False,
    ordered: bool = False,
    scale: tuple[int, int] | None = None,
    between: tuple[str, ...] = (),
    written: str,
) -> Question:
    """Return a question.

    Args:
        mode: what is asked.
        field: where in the row.
        labels: what may be said; needed for classify, for review the labels that another one can be put in place of.
        many: classify with several labels.
        ordered: the labels are a scale.
        scale: of a rating; 1 to 5 by default.
        between: what is compared.
        written: hash of description and rubric.

    Raises UsageError where its parts do not fit.
    """
    if mode != "classify" and (many or ordered or (labels and mode != "review")):
        raise UsageError(f"labels are for classify, not for {mode}", remedy="leave them out, or: --mode classify")
    if mode != "rate" and scale is not None:
        raise UsageError(f"a scale is for rate, not for {mode}", remedy="leave it out, or: --mode rate")
    if mode in FIXED:
        fixed = (*FIXED[mode], *labels)
        if labels:
            _check_labels(fixed)
        return Question(mode=mode, field=field, labels=fixed, between=between, written=written)
    if mode == "rate":
        least, most = scale or STARS
        if not least < most or most - least > 100:
            raise UsageError(f"{least} to {most} is no scale", remedy="give the least and the most, such as 1-5")
        return Question(mode=mode, field=field, scale=(least, most), ordered=True, written=written)
    if mode == "classify":
        _check_labels(labels)
    return Question(mode=mode, field=field, labels=tuple(labels), many=many, ordered=ordered, written=written)


def _check_labels(labels: Sequence[str]) -> None:
    if len(labels) < 2:
        raise UsageError("it has to be said which labels there are", remedy="--labels billing,shipping,other")
    twice = next((label for i, label in enumerate(labels) if label in labels[:i]), None)
    if twice is not None:
        raise UsageError(f"the label '{twice}' is given twice", where="--labels", remedy="give each label once")
    odd = next((label for label in labels if label != label.strip() or not _LABEL.fullmatch(label)), None)
    if odd is not None:
        raise UsageError(
            f"{odd!r} cannot be a label", where="--labels", remedy="one line of text, up to 200 characters"
        )
    if len(labels) > MOST_LABELS:
        raise UsageError(
            f"{len(labels)} labels are more than a person can choose from", remedy=f"at most {MOST_LABELS}; or correct"
        )


def _label(question: Question, value: object) -> Value:
    if question.many:
        given = [value] if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else [value]
        for one in given:
            _known(question, one)
        return tuple(label for label in question.labels if label in given)
    return _known(question, value)


def _known(question: Question, value: object) -> str:
    if isinstance(value, str) and value in question.labels:
        return value
    raise InputError(
        f"{value!r} is no label of this question", remedy=f"one of: {', '.join(question.labels)}; or cannot-tell"
    )


def _rating(question: Question, value: object) -> Value:
    least, most = question.scale or STARS
    number = int(value) if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,9}", value) else value
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        raise InputError(f"{value!r} is no rating", remedy=f"a whole number from {least} to {most}")
    return number


def _text(_question: Question, value: object) -> Value:
    if not isinstance(value, str) or not value.strip():
        raise InputError("an answer cannot be empty", remedy="write one, or skip the row")
    return value


_READERS: dict[Mode, Callable[[Question, object], Value]] = {
    "classify": _label,
    "grade": _label,
    "compare": _label,
    "review": _label,
    "rate": _rating,
    "correct": _text,
    "write": _text,
}
