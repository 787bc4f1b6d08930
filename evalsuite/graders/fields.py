"""Graders of JSON answers by content: `fields_f1` (graded) and `exact_object` (0/1).

An object is taken apart into items (field, value); a row's F1 is over those items, and the same counts summed over
rows give each field's precision, recall and F1. What a schema allows is the business of `json_schema`; given one,
`fields_f1` only reports validity beside its score.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sluice.core.canonical import JsonProblem, canonical, parse_exact
from sluice.core.errors import InputError
from sluice.evalsuite.graders.reading import JSON_READING, JsonReading, find_json, read_json
from sluice.evalsuite.graders.schema import schema_problems, validator_of
from sluice.evalsuite.graders.spec import (
    GRADERS,
    Example,
    Grade,
    GraderEntry,
    GraderSpec,
    scored,
    target_text,
    unparsed,
)

Items = Counter[tuple[str, str]]
Counts = dict[str, list[int]]
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,4})?")

_VALUES = (
    " Texts are compared in Unicode NFC; leniently also case folded, and a number in quotes equals the number, where "
    "the strict reading keeps text and number apart."
)
FIELDS_F1 = GraderSpec(
    name="fields_f1",
    kind="graded",
    needs=frozenset({"target"}),
    doc="The F1 of the answer's (field, value) items against the target's; the mean over rows is the metric.",
    reading=(
        JSON_READING
        + _VALUES
        + " Blanks around a text value do not count. Objects inside objects are taken apart by path (a.b); each "
        "element of a list is one item, in any order, as often as it occurs. Null, an absent key, an empty list and "
        "an empty object are no item: leaving out what the target has as null costs nothing, making up a value for it "
        "costs precision. Where neither side has an item the row scores 1. An answer that is no object is unparsed "
        "and scores 0."
    ),
)
EXACT_OBJECT = GraderSpec(
    name="exact_object",
    kind="binary",
    needs=frozenset({"target"}),
    doc="Whether the answer is the target as a JSON value: keys in any order, lists in theirs.",
    reading=JSON_READING + _VALUES + " Null and an absent key differ; leniently they are one.",
)


class FieldsF1:
    """`fields_f1`: the row's F1 over (field, value) items, in [0, 1].

    F1 = 2 tp / (2 tp + fp + fn), tp the size of the multiset intersection of both sides' items.
    """

    spec = FIELDS_F1

    def __init__(self, schema: Mapping[str, Any] | bool | None = None):
        self._validator = validator_of(schema) if schema is not None else None

    def grade(self, input: Any, target: Any, answer: str) -> Grade:
        """Compare the items of the answer's object with the target's."""
        wanted = _target_value(target, self.spec.name)
        if not isinstance(wanted, dict):
            raise InputError(
                f"the grader '{self.spec.name}' needs a target that is a JSON object",
                where=f"target {str(target)[:60]!r}",
                remedy="mend the target, or use exact_object",
            )
        lenient, _ = self._compare(wanted, find_json(answer), fold=True)
        reading = read_json(answer)
        score, fields = self._compare(wanted, reading, fold=False)
        is_object = reading.found and isinstance(reading.value, dict)
        problems = ["no object"] if not is_object else []
        if self._validator is not None and is_object:
            problems = schema_problems(self._validator, reading.value)
        detail: dict[str, Any] = {"valid": not problems, "fields": fields}
        if not is_object:
            why = reading.problem or "the answer is JSON but no object"
            return unparsed(self.spec, why, lenient=lenient, detail=detail)
        return scored(self.spec, score, lenient=lenient, detail=detail, message="; ".join(problems) or None)

    def close(self) -> None:
        """Nothing to let go of."""

    def _compare(self, wanted: dict[str, Any], reading: JsonReading, *, fold: bool) -> tuple[float, Counts]:
        """Return the row's F1 and, for each field, [true positives, false positives, false negatives]."""
        usable = reading.found and isinstance(reading.value, dict)
        target, given = _items(wanted, fold=fold), _items(reading.value, fold=fold) if usable else Counter()
        both = target & given
        fields: Counts = {field: [0, 0, 0] for field in _paths(wanted)}
        for column, items in enumerate((both, given - target, target - given)):
            for (field, _), times in items.items():
                fields.setdefault(field, [0, 0, 0])[column] += times
        if not usable:
            return 0.0, fields
        total = target.total() + given.total()
        return (2 * both.total() / total if total else 1.0), fields


class ExactObject:
    """`exact_object`: equality as JSON values."""

    spec = EXACT_OBJECT

    def grade(self, input: Any, target: Any, answer: str) -> Grade:
        """Compare the canonical forms of both values."""
        wanted = _target_value(target, self.spec.name)
        found, reading = find_json(answer), read_json(answer)
        lenient = float(found.found and _loose(found.value) == _loose(wanted))
        if not reading.found:
            return unparsed(self.spec, reading.problem or "no JSON", lenient=lenient)
        score = float(canonical(reading.value) == canonical(wanted))
        return scored(self.spec, score, lenient=max(score, lenient))

    def close(self) -> None:
        """Nothing to let go of."""


def _target_value(target: Any, grader: str) -> Any:
    text = target_text(target, grader)
    try:
        value = parse_exact(text)
        canonical(value)
    except (JsonProblem, InputError) as problem:
        raise InputError(
            f"the grader '{grader}' needs a target that is JSON: {problem}",
            where=f"target {text[:60]!r}",
            remedy="mend the target, or choose a grader of texts such as normalised",
        ) from None
    return value


def _items(value: dict[str, Any], *, fold: bool) -> Items:
    return Counter(
        (path, canonical(_fold(leaf) if fold else _trim(leaf), drop_null=True)) for path, leaf in _leaves(value, "")
    )


def _leaves(value: dict[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    """Yield (path, value) for each item: nested objects by path, lists by element, nulls and empties not at all."""
    for path, inner in _children(value, above):
        if isinstance(inner, dict):
            yield from _leaves(inner, path)
        elif isinstance(inner, list):
            yield from ((path, element) for element in inner if element is not None)
        elif inner is not None:
            yield path, inner


def _paths(value: dict[str, Any], above: str = "") -> Iterator[str]:
    """Yield the paths of all fields, those without a value included."""
    for path, inner in _children(value, above):
        if isinstance(inner, dict) and inner:
            yield from _paths(inner, path)
        else:
            yield path


def _children(value: dict[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        name = key.replace("\\", "\\\\").replace(".", "\\.")
        yield (f"{above}.{name}" if above else name), inner


def _trim(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [_trim(v) for v in value]
    if isinstance(value, dict):
        return {k: _trim(v) for k, v in value.items()}
    return value


def _fold(value: Any) -> Any:
    """Return the value as the lenient reading sees it: texts folded, quoted numbers as numbers."""
    if isinstance(value, str):
        text = unicodedata.normalize("NFC", value.strip())
        return parse_exact(text) if _NUMBER.fullmatch(text) else text.casefold()
    if isinstance(value, list):
        return [_fold(v) for v in value]
    if isinstance(value, dict):
        return {k: _fold(v) for k, v in value.items()}
    return value


def _loose(value: Any) -> str:
    return canonical(_fold(value), drop_null=True)


_TARGET = '{"product": "Lamp", "order": 4711, "tags": ["a", "b"], "refund": null}'
GRADERS.register("fields_f1")(
    GraderEntry(
        FIELDS_F1,
        lambda setting: FieldsF1(setting.schema),
        Example(
            _TARGET,
            '```json\n{"order": 4711.0, "product": "Lamp", "tags": ["b", "a"]}\n```',
            '{"product": "lamp", "order": "4711", "tags": ["a"], "refund": true}',
            'Here it is: {"product": "lamp", "order": "4711", "tags": ["a", "b"]} Next message:',
        ),
        uses=frozenset({"schema"}),
    )
)
GRADERS.register("exact_object")(
    GraderEntry(
        EXACT_OBJECT,
        lambda setting: ExactObject(),
        Example(
            _TARGET,
            '{"refund": null, "tags": ["a", "b"], "order": 4711, "product": "Lamp"}',
            '{"product": "Lamp", "order": 4711, "tags": ["b", "a"], "refund": null}',
            'Sure! {"product": "Lamp", "order": 4711, "tags": ["a", "b"]}',
        ),
    )
)
