"""When two rows are equal after normalisation, and when they contradict each other.

Inputs are equal where they have the same fields (or roles in the same order, and the same tools) and each text is equal
after `normalise`. Targets are equal where their texts are; a target that is a JSON object or list is compared by value,
so key order, blanks and 1.0 against 1 make no difference, while the spelling of its strings does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sluice.core.canonical import JsonProblem, canonical, parse_exact
from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Example, Messages, Preference, Unpaired
from sluice.curate.clusters import input_segments
from sluice.curate.similarity import LONG_CHARACTERS, SHORT_WORDS, Segments, is_short, normalise

Shape = tuple[Any, ...]


@dataclass(frozen=True)
class Keys:
    """What a row is compared by."""

    shape: Shape
    """Kind, and what the input is made of: field names, or roles and tools. Rows of two shapes are never compared."""
    input: Segments
    """The input's texts, normalised."""
    learnt: tuple[str, ...]
    """What is learnt, normalised; rows with equal shape, input and learnt are exact duplicates."""
    prose: tuple[bool, ...]
    """For each part of `learnt`: whether it is free text, long enough that near-equal counts as the same."""
    claim: tuple[Any, ...] | None
    """What the row says something about, beside its input; None: it cannot contradict."""
    says: str
    """What it says about that; two rows with one claim that say different things are in conflict."""


def keys_of(row: AnyRow) -> Keys:
    """Return what a row is compared by."""
    segments = input_segments(row)
    if isinstance(row.input, Messages):
        shape: Shape = (row.kind, tuple(name for name, _ in segments), _value(row.input.tools or ""))
    else:
        shape = (row.kind, tuple(name for name, _ in segments))
    text = tuple(text for _, text in segments)
    if isinstance(row, Example):
        if row.target is None:
            return Keys((*shape, "unlabelled"), text, (), (), None, "")
        learnt = (_value(row.target),)
        return Keys((*shape, row.target_form), text, learnt, (_is_prose(row.target),), (), learnt[0])
    if isinstance(row, Preference):
        pair = (_value(row.chosen), _value(row.rejected))
        prose = (_is_prose(row.chosen), _is_prose(row.rejected))
        return Keys(shape, text, pair, prose, tuple(sorted(pair)), pair[0])
    if isinstance(row, Unpaired):
        answer = _value(row.answer)
        says = "good" if row.good else "bad"
        return Keys(shape, text, (answer, says), (_is_prose(row.answer), False), (answer,), says)
    return Keys(shape, text, (), (), None, "")


def _value(text: str) -> str:
    """Return the form in which targets are equal: JSON objects and lists by value, other texts normalised."""
    json = _json(text)
    return normalise(text) if json is None else json


def _json(text: str) -> str | None:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return canonical(parse_exact(text))
    except (JsonProblem, InputError):
        return None


def _is_prose(text: str) -> bool:
    """Return whether a target is free text of at least 8 words (40 characters), neither JSON nor a label."""
    if _json(text) is not None:
        return False
    folded = normalise(text)
    words = folded.count(" ") + 1
    return words >= SHORT_WORDS or (is_short((folded,)) and len(folded) >= LONG_CHARACTERS)
