"""How alike rows are: for each row its nearest one, as a histogram with a pair of each bar, to choose a threshold by.

Nothing is decided here. Neighbours are looked for from a Jaccard of 0.5 on, by signatures, and counted exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sluice.curate.duplicates import plain
from sluice.curate.duplicates.dedup import EXACT_UP_TO
from sluice.curate.duplicates.keys import On, keys_of_record
from sluice.curate.similar.join import Side, related
from sluice.curate.similar.similarity import Numbers, Relation

if TYPE_CHECKING:
    import polars as pl

LOWEST = 50
STEP = 5


@dataclass(frozen=True)
class Bar:
    """Rows whose nearest row is about this alike.

    Args:
        least, most: of the Jaccard, the upper bound excluded (but for 1.0, which is a bar of its own).
        rows: how many.
        pair: one of them and its nearest, the most alike of the bar; None for none.
        same_target: of the rows, how many have the target of the nearest one.
    """

    least: float
    most: float
    rows: int
    same_target: int
    pair: tuple[str, str, float] | None


@dataclass(frozen=True)
class _Nearest:
    """The nearest other row of each: its number (-1: none), the Jaccard, and whether the two teach the same."""

    names: list[str]
    other: Numbers
    share: Any
    same: Any


def similarity_spread(frame: pl.DataFrame, on: On = "both") -> tuple[Bar, ...]:
    """Return bars from 1.0 down to 0.5 for the rows of a frame (rows.COLUMNS).

    A row counts once, by its nearest row of the same kind and shape of input.
    """
    found = _plain(frame, on) if frame.height <= EXACT_UP_TO else _bulk(frame, on)
    bars: list[Bar] = []
    for least in range(100, LOWEST - 1, -STEP):
        low, high = least / 100 - 1e-9, (least + STEP) / 100 - 1e-9
        inside = np.flatnonzero((found.other >= 0) & (found.share >= low) & (found.share < high))
        pair: tuple[str, str, float] | None = None
        if len(inside):
            best = int(inside[np.lexsort((inside, -found.share[inside]))[0]])
            pair = (found.names[best], found.names[int(found.other[best])], float(found.share[best]))
        most = min(least + STEP, 100) / 100
        bars.append(Bar(least / 100, most, len(inside), int(found.same[inside].sum()), pair))
    return tuple(bars)


def _plain(frame: pl.DataFrame, on: On) -> _Nearest:
    keys = [keys_of_record(record, on) for record in frame.iter_rows(named=True)]
    shapes, learnt = plain.numbered([k.shape for k in keys]), plain.numbered([k.learnt for k in keys])
    texts = Relation().prepare([k.input for k in keys])
    nobody = np.zeros(len(keys), bool)
    other, share = np.full(len(keys), -1, np.int64), np.zeros(len(keys))
    sides = Side(texts, None, nobody), Side(texts, None, nobody)
    for pairs in related(*sides, lambda i, j: (i == j) | (shapes[i] != shapes[j]), percent=LOWEST):
        order = np.lexsort((pairs.right, -pairs.share, pairs.left))
        rows, first = np.unique(pairs.left[order], return_index=True)
        best = order[first]
        better = pairs.share[best] > share[rows]
        other[rows[better]], share[rows[better]] = pairs.right[best[better]], pairs.share[best[better]]
    return _Nearest(frame["row"].to_list(), other, share, learnt == learnt[other])


def _bulk(frame: pl.DataFrame, on: On) -> _Nearest:
    from sluice.curate.duplicates.columns import columns_of, numbered
    from sluice.curate.kernel.nearest import nearest

    columns, wording = columns_of(frame, on)
    found = nearest(wording.folded, numbered(columns.shapes)[0], percent=LOWEST)
    learnt, _ = numbered(columns.learnt)
    return _Nearest(frame["row"].to_list(), found.other, found.share, learnt == learnt[found.other])
