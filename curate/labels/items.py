"""Rows of a version as things to be asked about, and the labels that a question may have.

Where nobody says which labels there are, they come from the task's schema (an `enum` at the field), then from the
values that stand in the rows already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from sluice.core.canonical import JsonProblem, canonical, dump_exact, parse_exact
from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.core.rows import AnyRow, Example, Unpaired, input_texts
from sluice.core.task import read_schema
from sluice.curate.dataset import Version
from sluice.curate.labels.record import OF_INPUT, Mode
from sluice.curate.labels.session import Answer, Item

MOST_VALUES = 50
"""Values of a field that are still taken for labels."""


def items_of(version: Version, mode: Mode, field: str = "target") -> list[Item]:
    """Return the rows of a version as items of a question, in their order, each input once where it is about inputs.

    Raises UsageError where the field is none, InputError where no row fits the mode.
    """
    check_field(field)
    rows = version.rows()
    fitting = fitting_rows(rows, mode)
    if not fitting:
        raise _misfit(mode, version.dataset)
    found: dict[str, Item] = {}
    for row in fitting:
        text = answer_of(row)
        item = Item(
            dataset=version.dataset,
            row=row.row,
            input=row.input_hash,
            texts=tuple(input_texts(row.input).items()),
            answers=() if mode in OF_INPUT or text is None else (Answer(text, "target"),),
        )
        found.setdefault(row.input_hash if mode in OF_INPUT else row.row, item)
    return list(found.values())


def fitting_rows(rows: Sequence[AnyRow], mode: Mode) -> list[AnyRow]:
    """Return the rows that a mode can be asked about."""
    return [row for row in rows if _fits(mode, row)]


def answer_of(row: AnyRow) -> str | None:
    """Return the one answer that a row holds; None where it has none, or two."""
    if isinstance(row, Example):
        return row.target
    return row.answer if isinstance(row, Unpaired) else None


def _fits(mode: Mode, row: AnyRow) -> bool:
    if mode in ("grade", "rate", "correct", "review"):
        return answer_of(row) is not None
    return mode != "write" or (isinstance(row, Example) and row.target is None)


def _misfit(mode: Mode, dataset: str) -> InputError:
    if mode == "write":
        return InputError("every row has a target", where=dataset, remedy="to mend targets: --mode correct")
    return InputError(f"no row has an answer to {mode}", where=dataset, remedy="to write answers: --mode write")


def check_field(field: str) -> None:
    """Raise UsageError for what names no place in a target."""
    if field != "target" and (not field.startswith("target.") or not all(field.split("."))):
        raise UsageError(
            f"'{field}' is no field of an answer", where="--field", remedy="target, or a key such as target.category"
        )


def known_labels(version: Version, field: str) -> tuple[str, ...]:
    """Return the labels that a field may have: of the schema, else those that its rows have; none where neither says.

    Raises InputError where the schema cannot be read.
    """
    named = schema_labels(version.project, field)
    return named or stored_labels(version.rows(), field)


def schema_labels(project: Project, field: str) -> tuple[str, ...]:
    """Return the `enum` that the task's schema has at a field, in its order."""
    place: Any = read_schema(project) if project.has_config else None
    for step in field.split(".")[1:]:
        properties = cast("dict[str, Any]", place).get("properties") if isinstance(place, dict) else None
        place = cast("dict[str, Any]", properties).get(step) if isinstance(properties, dict) else None
    values = cast("dict[str, Any]", place).get("enum") if isinstance(place, dict) else None
    return tuple(_label(v) for v in cast("list[Any]", values) if v is not None) if isinstance(values, list) else ()


def stored_labels(rows: Sequence[AnyRow], field: str) -> tuple[str, ...]:
    """Return the values that rows have at a field, the most frequent first; none where they are too many for labels."""
    counts = Counter(v for row in rows if (v := field_value(answer_of(row), field)) is not None)
    if not 2 <= len(counts) <= MOST_VALUES:
        return ()
    return tuple(sorted(counts, key=lambda v: (-counts[v], v)))


def field_value(target: str | None, field: str) -> str | None:
    """Return what a target says at a field as text; None where it says nothing there."""
    steps = field.split(".")[1:]
    if target is None or not steps:
        return target
    try:
        value: Any = parse_exact(target)
    except JsonProblem:
        return None
    for step in steps:
        value = cast("dict[str, Any]", value).get(step) if isinstance(value, dict) else None
    return None if value is None else _label(value)


def with_field(target: str | None, field: str, label: str) -> str:
    """Return a target that says a label at a field: another target, or the same object with one value changed.

    A value that stood there as a number or boolean stays one where the label is written so.

    Raises InputError where the target is no JSON object that could hold the field.
    """
    steps = field.split(".")[1:]
    if not steps:
        return label
    try:
        whole: Any = {} if target is None else parse_exact(target)
    except JsonProblem:
        whole = None
    place: Any = whole
    for step in steps[:-1]:
        place = cast("dict[str, Any]", place).setdefault(step, {}) if isinstance(place, dict) else None
    if not isinstance(place, dict):
        raise InputError(f"the target is no JSON object that could hold '{field}'", remedy="label the target itself")
    held = cast("dict[str, Any]", place)
    before = held.get(steps[-1])
    held[steps[-1]] = _as_before(before, label)
    return dump_exact(whole)


def _as_before(before: Any, label: str) -> Any:
    if before is None or isinstance(before, str):
        return label
    try:
        value = parse_exact(label)
    except JsonProblem:
        return label
    return label if isinstance(value, str | dict | list) else value


def _label(value: Any) -> str:
    return value if isinstance(value, str) else canonical(value)
