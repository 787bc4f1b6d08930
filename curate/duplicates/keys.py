"""When two rows are equal after normalisation, and when they contradict each other.

Inputs are equal where they have the same fields (or roles in the same order, and the same tools) and each text is equal
after `normalise`. Targets are read more strictly, since one sign can decide them ("-5"): equal but for case, width,
blanks, and punctuation at the ends. A target that is a JSON object or list is compared by value, its texts likewise:
key order, blanks, case and 1.0 against 1 make no difference.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

from sluice.core.canonical import canonical, dump_exact, parse_exact, structure_of
from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, input_from_json, input_texts, to_record
from sluice.curate.similar.similarity import LONG_CHARACTERS, SHORT_WORDS, Segments, is_short, normalise

On = Literal["both", "input", "target"]
"""What has to be alike: input and answer both; the input, whatever the answer; the answer, whatever the input."""
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


class Answer(NamedTuple):
    """The part of `Keys` that does not depend on the input; `form` ends the shape."""

    form: Shape
    learnt: tuple[str, ...]
    prose: tuple[bool, ...]
    claim: tuple[Any, ...] | None
    says: str


NO_ANSWER = Answer((), (), (), None, "")


def keys_of(row: AnyRow, on: On = "both") -> Keys:
    """Return what a row is compared by."""
    return keys_of_record(to_record(row), on)


def keys_of_record(record: dict[str, Any], on: On = "both") -> Keys:
    """Return what a record (rows.COLUMNS) is compared by, without making a row of it."""
    kind = record["kind"]
    if on == "target":
        return Keys((kind,), tuple(t for t in map(normalise, taught(record)) if t), (), (), None, "")
    form = record["input_form"]
    found, tools = texts_of(form, json.loads(record["input"]), record["input"])
    segments = [(name, text) for name, raw in found if (text := normalise(raw))]
    shape: Shape = (kind, tuple(name for name, _ in segments))
    if form == "messages":
        shape = (*shape, value_of(tools or ""))
    answer = answer_of(record) if on == "both" else NO_ANSWER
    return Keys((*shape, *answer.form), tuple(text for _, text in segments), *answer[1:])


def texts_of(form: str, value: dict[str, Any], text: str) -> tuple[list[tuple[str, str]], str | None]:
    """Return ((name, text) of an input's fields by name or of its turns in order, blank ones left out; its tools).

    Args:
        form: fields or messages.
        value, text: the input as JSON, read by the fast reader and as it is written.
    """
    if form == "messages":
        if not value.get("tools"):
            turns = enumerate(value["messages"])
            said = [(f"{i}.{t['role']}", t.get("content", "") + (t.get("tool_calls") or "")) for i, t in turns]
            return [(name, text) for name, text in said if text.strip()], None
        content = input_from_json(form, text)
        return [(n, t) for n, t in input_texts(content).items() if t and not t.isspace()], cast("Any", content).tools
    for v in value.values():
        if type(v) is not str:  # numbers are written with all their digits
            exact = parse_exact(text)
            value = {k: v if isinstance(v, str) else dump_exact(v) for k, v in exact.items() if v is not None}
            break
    return [item for item in (sorted(value.items()) if len(value) > 1 else value.items()) if item[1].strip()], None


def taught(record: dict[str, Any]) -> list[str]:
    """Return the answers that a record teaches, as they are written: target, chosen and rejected, or the judged one."""
    return [record[name] for name in ("target", "chosen", "rejected", "answer") if record[name]]


def answer_of(record: dict[str, Any]) -> Answer:
    """Return by what the answer of a record (rows.COLUMNS) is compared."""
    kind = record["kind"]
    if kind == "example":
        target = record["target"]
        if target is None:
            return Answer(("unlabelled",), (), (), None, "")
        value = value_of(target)
        return Answer((record["target_form"],), (value,), (is_prose(target),), (), value)
    if kind == "preference":
        pair = (value_of(record["chosen"]), value_of(record["rejected"]))
        prose = (is_prose(record["chosen"]), is_prose(record["rejected"]))
        return Answer((), pair, prose, tuple(sorted(pair)), pair[0])
    if kind == "unpaired":
        answer = value_of(record["answer"])
        says = "good" if record["good"] else "bad"
        return Answer((), (answer, says), (is_prose(record["answer"]), False), (answer,), says)
    return NO_ANSWER


def value_of(text: str) -> str:
    """Return the form in which targets are equal."""
    value = _json(text)
    return _fold(text) if value is None else canonical(value)


def _fold(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    words = " ".join(folded.split())
    return words.strip(" .,;:!?\"'") or words


def _json(text: str) -> Any:
    """Return a JSON object or list with its texts folded, or None where the text is something else."""
    found = structure_of(text)
    if found is None:
        return None
    value = _folded(found)
    try:
        canonical(value)
    except InputError:
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


def is_prose(text: str) -> bool:
    """Return whether a target is free text of at least 8 words (40 characters), neither JSON nor a label."""
    if len(text) < SHORT_WORDS or _json(text) is not None:
        return False
    folded = normalise(text)
    words = folded.count(" ") + 1
    return words >= SHORT_WORDS or (is_short((folded,)) and len(folded) >= LONG_CHARACTERS)
