"""When two rows are equal after normalisation, and when they contradict each other.

Inputs are equal where they have the same fields (or roles in the same order, and the same tools) and each text is equal
after `normalise`. Targets are read more strictly, since one sign can decide them ("-5"): equal but for case, width,
blanks, and punctuation at the ends. A target that is a JSON object or list is compared by value, its texts likewise:
key order, blanks, case and 1.0 against 1 make no difference.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, cast

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
    """Return the form in which targets are equal."""
    value = _json(text)
    return _fold(text) if value is None else canonical(value)


def _fold(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    words = " ".join(folded.split())
    return words.strip(" .,;:!?\"'") or words


def _json(text: str) -> Any:
    """Return a JSON object or list with its texts folded, or None where the text is something else."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = _folded(parse_exact(text))
        canonical(value)
    except (JsonProblem, InputError):
        return None
    return value


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        return _fold(value)
    if isinstance(value, dict):
        return {k: _folded(v) for k, v in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_folded(v) for v in cast("list[Any]", value)]
    return value


def _is_prose(text: str) -> bool:
    """Return whether a target is free text of at least 8 words (40 characters), neither JSON nor a label."""
    if _json(text) is not None:
        return False
    folded = normalise(text)
    words = folded.count(" ") + 1
    return words >= SHORT_WORDS or (is_short((folded,)) and len(folded) >= LONG_CHARACTERS)
