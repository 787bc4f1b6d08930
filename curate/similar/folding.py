"""Columns of a version, brought into normal form straight from their Arrow buffers.

Answers go through `kernel.fold`. Inputs that are plain objects of ASCII texts are read and folded in one pass: JSON
string by string, escapes included. A row with another input (other characters, \\u escapes, chats, values that are no
text) goes the way of `row_texts` and `kernel.fold`; what comes out is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from sluice.curate.kernel.fold import Folded, fold, measured
from sluice.curate.similar.row_texts import ANSWERS, row_texts
from sluice.curate.similar.similarity import Mask, Numbers, normalise

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Block:
    """Some texts of rows."""

    segments: Folded
    """Each field, turn or answer is a text of its own."""
    rows: Numbers
    """The number of the row of each, in order. The texts of one input are in one block."""

    def by_row(self) -> tuple[Numbers, Numbers]:
        """Return (rows, each once; the first of the segments of each, and their end)."""
        first = np.flatnonzero(np.diff(self.rows, prepend=-1))
        return self.rows[first], np.append(first, len(self.rows))


def blocks(frame: pl.DataFrame, batch: int) -> Iterator[tuple[int, list[Block]]]:
    """Yield (rows done, blocks) of a frame of rows.COLUMNS, batch by batch; together they hold every text that has
    words, each once."""
    for low in range(0, frame.height, batch):
        part = frame.slice(low, batch)
        yield low + part.height, _of(part, low)


def _of(frame: pl.DataFrame, first: int) -> list[Block]:
    slow = (frame["input_form"] != "fields").to_numpy().copy()
    read = [_read(frame["input"], slow)]
    read += [_answers(frame[name]) for name in ANSWERS if frame[name].null_count() < frame.height]
    found: list[Block] = []
    for data, starts, rows in read:
        keep = ~slow[rows]
        if not keep.all():
            data, starts = taken(data, starts, np.flatnonzero(keep))
            rows = rows[keep]
        if len(rows):
            found.append(Block(measured(data, starts, np.arange(len(starts))), rows + first))
    if slow.any():
        places = np.flatnonzero(slow)
        for some in row_texts(frame.filter(slow)):
            found.append(Block(fold(some.texts), places[np.array(some.rows, dtype=np.int64)] + first))
    return found


def taken(data: Any, starts: Numbers, numbers: Numbers) -> tuple[Any, Numbers]:
    """Return some of the texts in one buffer: (bytes, where each begins)."""
    sizes = np.diff(starts)[numbers]
    ends = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    return data[np.arange(int(ends[-1])) + np.repeat(starts[numbers] - ends[:-1], sizes)], ends


@cache
def _table() -> Any:
    """Return what `normalise` makes of each ASCII byte: its lower case, or a blank."""
    table = np.arange(256, dtype=np.uint8)
    for code in range(128):
        folded = normalise(f"a{chr(code)}a")
        table[code] = 32 if " " in folded else ord(folded[1])
    return table


def _answers(column: pl.Series) -> tuple[Any, Numbers, Numbers]:
    """Return (bytes, where texts begin, row of each) of a column of texts, without empty ones."""
    rows = np.flatnonzero(column.is_not_null().to_numpy())
    folded = fold(column.drop_nulls().to_arrow())
    some = np.flatnonzero(np.diff(folded.starts))
    return folded.data, np.append(folded.starts[some], folded.starts[-1]), rows[some]


def _read(column: pl.Series, slow: Mask) -> tuple[Any, Numbers, Numbers]:
    """Return (bytes, where texts begin, row of each) of inputs; rows that need the other way are marked in `slow`."""
    array: Any = column.to_arrow()
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    raw = array.buffers()[2]
    data = np.frombuffer(raw, dtype=np.uint8) if raw is not None else np.zeros(0, dtype=np.uint8)
    return _walk(data, offsets, column.is_null().to_numpy(), slow, _table())


@njit(cache=True, nogil=True)
def _walk(data, offsets, missing, slow, table):  # pragma: no cover - compiled
    size = np.int64(0)
    if len(offsets) > 1:
        size = offsets[len(offsets) - 1] - offsets[0]
    out = np.empty(size + 1, dtype=np.uint8)
    begins = np.empty(size + 2, dtype=np.int64)
    owners = np.empty(size + 1, dtype=np.int64)
    begins[0] = 0
    place = count = 0
    for row in range(len(offsets) - 1):
        if slow[row] or missing[row]:
            continue
        at, end = offsets[row], offsets[row + 1]
        back, before = place, count
        # {"key":"value",...}, compact, as `dump_exact` writes it
        plain = end - at >= 2 and data[at] == 123
        at += 1
        while plain and at < end and data[at] != 125:
            if data[at] == 44:
                at += 1
            if at >= end or data[at] != 34:
                plain = False
                break
            at += 1
            while at < end and data[at] != 34:  # the key
                if data[at] == 92 or data[at] > 127:
                    plain = False
                    break
                at += 1
            if not plain or at + 2 >= end or data[at + 1] != 58 or data[at + 2] != 34:
                plain = False  # a value that is no text
                break
            at += 3
            first = place
            gap = False
            empty = data[at] == 34
            while at < end and data[at] != 34:
                byte = data[at]
                if byte > 127:
                    plain = False
                    break
                if byte == 92:
                    at += 1
                    if at >= end or data[at] == 117:  # \u
                        plain = False
                        break
                    byte = np.uint8(32)  # every other escape is of punctuation or a control character
                else:
                    byte = table[byte]
                at += 1
                if byte == 32:
                    gap = place > first
                else:
                    if gap:
                        out[place] = 32
                        place += 1
                        gap = False
                    out[place] = byte
                    place += 1
            if not plain:
                break
            at += 1
            if place > first:
                owners[count] = row
                count += 1
                begins[count] = place
            elif not empty:
                plain = False  # nothing but punctuation
        if plain and (at != end - 1 or data[at] != 125):
            plain = False
        if not plain:
            slow[row] = True
            place, count = back, before
    return out[:place].copy(), begins[: count + 1].copy(), owners[:count].copy()
