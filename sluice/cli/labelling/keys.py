"""Which key means what. Digits and letters are answers; everything else that a person can do has a key that is neither.

So labels never take the place of a command, and the same keys lead through every mode.
"""

from __future__ import annotations

from dataclasses import dataclass

from sluice.curate.labels.question import VERDICTS, Question

CANNOT_TELL = "0"
DIGITS = "123456789"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
MOST_KEYS = len(DIGITS) + len(LETTERS)
"""Labels that have a key of their own; with more of them, all are picked from a list."""

COMMANDS: dict[str, tuple[str, str]] = {
    "space": ("space", "skip, it comes back at the end"),
    "backspace": ("backspace", "undo, the last decision"),
    "left": ("left", "one row back"),
    "right": ("right", "one row on"),
    "slash": ("/", "search"),
    "semicolon": (";", "comment"),
    "equals_sign": ("=", "go to a row by number"),
    "question_mark": ("?", "all keys"),
    "up": ("up, down", "scroll; page up and page down too"),
    "escape": ("esc", "stop; it goes on from here"),
}
"""Textual's name of a key to (how it is written, what it does)."""


@dataclass(frozen=True)
class Choice:
    """One answer and its key."""

    key: str
    value: object
    label: str


_GRADES = {"r": "right", "p": "partly", "w": "wrong"}
_SIDES = {"a": ("a", "A is better"), "b": ("b", "B is better"), "t": ("tie", "as good"), "n": ("both-bad", "both bad")}
_REVIEW = {"y": ("accept", "accept"), "n": ("reject", "reject")}


@dataclass(frozen=True)
class Offer:
    """All that a person can press in one sitting.

    Args:
        choices: the answers that have a key, in the order they are shown.
        picked: the answers that are picked from a list: what has no key.
        written: whether the answer is a text that the person writes or edits.
        asks_why: answers after which a reason is asked for.
        without: commands that there are not here, by Textual's names.
    """

    choices: tuple[Choice, ...] = ()
    picked: tuple[object, ...] = ()
    written: bool = False
    asks_why: frozenset[object] = frozenset()
    without: frozenset[str] = frozenset()

    @property
    def commands(self) -> dict[str, tuple[str, str]]:
        """The commands that there are here."""
        return {key: command for key, command in COMMANDS.items() if key not in self.without}


BLIND = Offer(
    choices=(Choice("r", "right", "right"), Choice("w", "wrong", "wrong")),
    without=frozenset({"semicolon", "backspace"}),
)
"""Of `sluice grade`: right or wrong and nothing beside it; who thinks better of one goes back and says so."""


def offer_of(question: Question) -> Offer:
    """Return what a person can press who is asked a question."""
    keyed = choices(question)
    picks = (not keyed or question.mode == "review") and question.mode not in ("correct", "write")
    return Offer(
        choices=tuple(keyed),
        picked=tuple(_picked(question)) if picks else (),
        written=question.mode in ("correct", "write"),
        asks_why=frozenset({"partly", "wrong"}) if question.mode == "grade" else frozenset(),
    )


def choices(question: Question) -> list[Choice]:
    """Return the answers that have a key, in the order they are shown; none where answers are written or picked."""
    last = Choice(CANNOT_TELL, None, "cannot tell")
    if question.mode == "grade":
        return [*(Choice(key, word, word) for key, word in _GRADES.items()), last]
    if question.mode in ("compare", "review"):
        keys = _SIDES if question.mode == "compare" else _REVIEW
        return [*(Choice(key, value, label) for key, (value, label) in keys.items()), last]
    if question.mode == "rate":
        least, most = question.scale or (1, 5)
        if least < 1 or most > 9:
            return []
        return [*(Choice(str(n), n, str(n)) for n in range(least, most + 1)), last]
    if question.mode == "classify" and len(question.labels) <= MOST_KEYS:
        return [*(Choice(key, word, word) for key, word in zip(DIGITS + LETTERS, question.labels, strict=False)), last]
    return []


def _picked(question: Question) -> list[object]:
    if question.mode == "review":
        return list(question.labels[len(VERDICTS) :])
    if question.mode == "rate":
        least, most = question.scale or (1, 5)
        return list(range(least, most + 1))
    return list(question.labels)
