"""How near each row's nearest other row is: the similarity of inputs, counted exactly, as a histogram."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from sluice.core.progress import Progress
from sluice.core.rows import AnyRow
from sluice.curate.duplicates.keys import keys_of
from sluice.curate.report.model import Nearest
from sluice.curate.sample import draw_order
from sluice.curate.similar.join import Side, related
from sluice.curate.similar.similarity import Mask, Numbers, Relation

MOST_ROWS = 20_000
"""Rows held against each other: about 2 s; of more, that many are drawn. Of a sample fewer rows have a neighbour."""
EDGES = (70, 75, 80, 85, 90, 95, 100)
"""Hundredths of Jaccard, from the threshold of near-equality on; 100 is a bar of its own."""


def nearest(rows: Sequence[AnyRow], progress: Progress | None = None) -> Nearest | None:
    """Return the histogram of the similarity to the nearest other row; None for fewer than 2 rows."""
    if len(rows) < 2:
        return None
    drawn = rows if len(rows) <= MOST_ROWS else sorted(rows, key=lambda row: draw_order(0, row.row))[:MOST_ROWS]
    if progress is not None:
        progress("nearest rows", 0, len(drawn))
    keys = [keys_of(row) for row in drawn]
    same = Counter((key.shape, key.input) for key in keys)
    unique = list(same)
    shapes = {shape: number for number, shape in enumerate(dict.fromkeys(shape for shape, _ in unique))}
    of_shape: Numbers = np.array([shapes[shape] for shape, _ in unique], dtype=np.int64)

    def skip(i: Numbers, j: Numbers) -> Mask:
        return (i <= j) | (of_shape[i] != of_shape[j])

    texts = Relation().prepare([text for _, text in unique])
    best = np.zeros(len(unique), dtype=np.float64)
    side = Side(texts, holds=np.zeros(len(unique), dtype=bool))  # near-equal only, not contained
    for pairs in related(side, side, skip):
        np.maximum.at(best, pairs.left, pairs.share)
        np.maximum.at(best, pairs.right, pairs.share)
    for number, key in enumerate(unique):
        if same[key] > 1:
            best[number] = 1.0
    weights = np.array([same[key] for key in unique], dtype=np.int64)
    hundredths = np.floor(best * 100 + 1e-9).astype(np.int64)  # 0.7 is 70, whatever a float makes of it
    bins: list[tuple[str, int]] = []
    for low, high in zip(EDGES, (*EDGES[1:], 101), strict=True):
        label = f"{low / 100:.2f} to {high / 100:.2f}" if low < 100 else "1.00"
        bins.append((label, int(weights[(hundredths >= low) & (hundredths < high)].sum())))
    near = sum(count for _, count in bins)
    return Nearest(rows=len(drawn), of=len(rows), bins=tuple(bins), alone=len(drawn) - near)
