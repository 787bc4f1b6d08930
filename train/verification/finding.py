"""One thing that was checked, and which of the three words holds of it."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

Word = Literal["intact", "absent", "tampered"]
WORDS: tuple[Word, ...] = ("tampered", "absent", "intact")
Sort = Literal["ledger", "fact", "eval set", "version", "operation", "tag", "run", "grading", "adapter", "model"]
SORTS: tuple[Sort, ...] = get_args(Sort)


class Finding(BaseModel):
    """What was found of one thing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    word: Word
    """Which it is.

    `intact`: recomputed, and equal. `absent`: not in this copy, or what it is recomputed from is not. `tampered`: it
    is not what was recorded.
    """
    sort: Sort
    name: str
    """A file, folder, version or fact that a person can look up."""
    reason: str = ""


def intact(sort: Sort, name: str, reason: str = "") -> Finding:
    """Return that a thing is what was recorded of it; the reason says what was forgotten of it on purpose."""
    return Finding(word="intact", sort=sort, name=name, reason=reason)


def absent(sort: Sort, name: str, reason: str) -> Finding:
    """Return that a thing is not here, or lacks what it would be recomputed from."""
    return Finding(word="absent", sort=sort, name=name, reason=reason)


def tampered(sort: Sort, name: str, reason: str) -> Finding:
    """Return that a thing is not what was recorded of it."""
    return Finding(word="tampered", sort=sort, name=name, reason=reason)
