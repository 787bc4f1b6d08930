"""The texts of rows, taken from the columns of a version: no row object is made for a row that nobody asks about.

The same texts under the same names as `Row.texts` gives, for a million rows at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sluice.core.rows import Messages, input_from_json, input_texts

if TYPE_CHECKING:
    import polars as pl

ANSWERS = ("target", "chosen", "rejected", "answer")
"""Columns that hold what is learnt."""
BATCH = 100_000  # rows taken at a time: bounds memory, changes no result


@dataclass(frozen=True)
class RowTexts:
    """Texts of some rows, as columns of one length."""

    rows: list[int]
    """Number of the row within the frame."""
    fields: list[str]
    """As in `Row.texts`: a field, a turn (`0.user`), `target`, ..."""
    texts: list[str]
    learnt: list[bool]
    """Whether it is part of what is learnt, not of the input."""


def row_texts(frame: pl.DataFrame, batch: int = BATCH) -> Iterator[RowTexts]:
    """Yield the texts of a frame of rows.COLUMNS, batch by batch, in order of the rows; empty ones are left out."""
    for low in range(0, frame.height, batch):
        yield _of(frame.slice(low, batch), low)


def _of(frame: pl.DataFrame, first: int) -> RowTexts:
    found = RowTexts([], [], [], [])
    answers = [frame[name].to_list() for name in ANSWERS]
    columns = zip(frame["input_form"].to_list(), frame["input"].to_list(), *answers, strict=True)
    # JSON of another shape in every row: one parse a row by the C scanner is all that is done in Python
    for number, (form, text, *learnt) in enumerate(columns, start=first):
        for name, value in _input(form, text).items():
            if value:
                field = f"input.{name}" if name in ANSWERS and learnt[ANSWERS.index(name)] is not None else name
                _note(found, number, field, value, learnt=False)
        for name, value in zip(ANSWERS, learnt, strict=True):
            if value:
                _note(found, number, name, value, learnt=True)
    return found


def _note(found: RowTexts, number: int, field: str, text: str, *, learnt: bool) -> None:
    found.rows.append(number)
    found.fields.append(field)
    found.texts.append(text)
    found.learnt.append(learnt)


def _input(form: str, text: str) -> dict[str, str]:
    value: Any = json.loads(text)
    if form != "messages":
        if all(type(v) is str for v in value.values()):
            return cast("dict[str, str]", value)
    elif not value.get("tools"):
        turns = value["messages"]
        return {f"{i}.{t['role']}": t.get("content", "") + (t.get("tool_calls") or "") for i, t in enumerate(turns)}
    content = input_from_json(form, text)  # values that are no text have a written form of their own
    return input_texts(content) if not isinstance(content, Messages) else dict(input_texts(content))
