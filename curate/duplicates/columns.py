"""Rows as columns, for the compiled way: the texts of all rows in one Arrow array, and numbers for what else they are.

Says the same of a row as `keys_of`, without making a row of it: two passes over the columns of a version, with answers
that repeat looked at once.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sluice.core.canonical import dump_exact, parse_exact
from sluice.core.rows import COLUMNS, input_from_json, input_texts
from sluice.curate.duplicates.keys import NO_ANSWER, Answer, On, Shape, answer_of, taught, value_of
from sluice.curate.kernel.fold import Folded, fold
from sluice.curate.kernel.room import MEMORY, Room
from sluice.curate.kernel.survivors import Rows
from sluice.curate.similar.similarity import Numbers

if TYPE_CHECKING:
    import polars as pl

REMEMBERED = 200_000  # answers: labels repeat, prose does not

Texts = list[tuple[str, str]]
"""(name, text) of an input's fields by name, or of its turns in order."""


@dataclass(frozen=True)
class Columns:
    """Rows ready to be compared.

    Args:
        names: (n,) row hashes.
        texts: the n inputs, then the answers that are prose.
        rows: numbers of shapes, inputs, answers (see `kernel.survivors.Rows`).
        claims: (n,) number of what a row says something about, -1 where it cannot contradict.
        says: (n,) number of what it says.
    """

    names: list[str]
    texts: Folded
    rows: Rows
    claims: Numbers
    says: Numbers

    def lengths(self) -> Numbers:
        """Return the (n,) characters of each input, without the blanks between its segments."""
        n = len(self.names)
        return self.texts.characters[:n] - np.maximum(0, np.diff(self.texts.texts[: n + 1]) - 1)


class _Numbering:
    """Gives each value a number, equal where the values are."""

    def __init__(self) -> None:
        self._known: dict[Hashable, int] = {}

    def __call__(self, value: Hashable) -> int:
        return self._known.setdefault(value, len(self._known))

    def all(self, values: Iterable[Hashable]) -> Numbers:
        return np.fromiter((self(v) for v in values), np.int64)


def columns_of(frame: pl.DataFrame, on: On = "both", room: Room = MEMORY) -> Columns:
    """Return rows (a frame of rows.COLUMNS, each row once) ready to be compared; normal forms lie in `room`."""
    segments: list[str] = []
    starts: list[int] = [0]
    shapes: list[Shape] = []
    answers: list[Answer] = []
    remembered = lru_cache(REMEMBERED)(_answer)
    for record in frame.select(COLUMNS).iter_rows():
        row = dict(zip(COLUMNS, record, strict=True))
        if on == "target":
            found: Texts = [("", text) for text in taught(row)]
            shape: Shape = (row["kind"],)
        else:
            found, tools = _texts(row["input_form"], row["input"])
            shape = (row["kind"], tuple(name for name, _ in found))
            if row["input_form"] == "messages":
                shape = (*shape, value_of(tools or ""))
        answer = NO_ANSWER
        if on == "both":
            answer = remembered(*(row[name] for name in _ANSWER))
        segments += [text for _, text in found]
        starts.append(len(segments))
        shapes.append((*shape, *answer.form))
        answers.append(answer)
    count = len(shapes)
    part_texts = _prose(frame, answers, segments, starts) if on == "both" else np.zeros((0, count), np.int64)
    texts = fold(segments, np.array(starts, np.int64), room)
    shapes_ = _without_blank(texts, shapes, count)
    shape_numbers = _Numbering().all(shapes_)
    inputs = _equal_texts(texts, shape_numbers, count)
    learnt = _Numbering()
    values = _Numbering()
    part_values = np.array(
        [[values(a.learnt[p]) if p < len(a.learnt) else -1 for a in answers] for p in range(len(part_texts))],
        np.int64,
    ).reshape(len(part_texts), count)
    claims, says = _Numbering(), _Numbering()
    claimed = np.array(
        [-1 if a.claim is None else claims((i, a.claim)) for i, a in zip(inputs.tolist(), answers, strict=True)],
        np.int64,
    )
    rows = Rows(
        shapes=shape_numbers,
        inputs=inputs,
        learnt=learnt.all(a.learnt for a in answers),
        part_texts=part_texts,
        part_values=part_values,
        held=np.zeros(count, bool),
    )
    return Columns(frame["row"].to_list(), texts, rows, claimed, says.all(a.says for a in answers))


_ANSWER = ("kind", "target_form", "target", "chosen", "rejected", "answer", "good")


def _answer(*values: Any) -> Answer:
    return answer_of(dict(zip(_ANSWER, values, strict=True)))


def _texts(form: str, text: str) -> tuple[Texts, str | None]:
    """Return (the texts of an input that are not blank, its tools)."""
    if form == "messages":
        content = input_from_json(form, text)
        return [(n, t) for n, t in input_texts(content).items() if t and not t.isspace()], cast("Any", content).tools
    value: dict[str, Any] = json.loads(text)
    if not all(isinstance(v, str) for v in value.values()):  # numbers are written with all their digits
        value = {k: v if isinstance(v, str) else dump_exact(v) for k, v in parse_exact(text).items() if v is not None}
    return [(name, t) for name, t in sorted(value.items()) if t and not t.isspace()], None


def _prose(frame: pl.DataFrame, answers: list[Answer], segments: list[str], starts: list[int]) -> Numbers:
    """Append the answers that are prose to the texts; return the (parts, rows) number of each, -1 for others."""
    count = len(answers)
    parts = max((len(a.prose) for a in answers if any(a.prose)), default=0)
    numbers = np.full((parts, count), -1, np.int64)
    if not parts:
        return numbers
    raw = list(zip(*(frame[name].to_list() for name in ("target", "chosen", "rejected", "answer")), strict=True))
    for i, answer in enumerate(answers):
        written = [text for text in raw[i] if text]
        for p, prose in enumerate(answer.prose):
            if prose:
                numbers[p, i] = len(starts) - 1
                segments.append(written[p])
                starts.append(len(segments))
    return numbers


def _without_blank(texts: Folded, shapes: list[Shape], count: int) -> list[Shape]:
    """Leave the names of fields out of a shape that hold nothing once they are normalised (format characters)."""
    empty = np.flatnonzero(np.diff(texts.starts[: texts.texts[count] + 1]) == 0)
    if not len(empty):
        return shapes
    shapes = list(shapes)
    owners = np.searchsorted(texts.texts, empty, side="right") - 1
    for owner in np.unique(owners).tolist():
        gone = {int(s - texts.texts[owner]) for s in empty[owners == owner]}
        kind, *rest = shapes[owner]
        if rest and isinstance(rest[0], tuple):
            names = tuple(name for k, name in enumerate(rest[0]) if k not in gone)
            shapes[owner] = (kind, names, *rest[1:])
    return shapes


def _equal_texts(texts: Folded, shapes: Numbers, count: int) -> Numbers:
    """Return a number for each input, equal where shape and normalised texts are."""
    numbering = _Numbering()
    data = texts.data.tobytes()
    ends = texts.starts[texts.texts[: count + 1]].tolist()
    single = np.diff(texts.texts[: count + 1]) == 1
    if single.all():
        return numbering.all((s, data[a:b]) for s, a, b in zip(shapes.tolist(), ends, ends[1:], strict=False))
    return numbering.all((int(shapes[i]), *texts.text(i)) for i in range(count))
