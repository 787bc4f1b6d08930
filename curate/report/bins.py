"""Lengths as a histogram: bins of a round width, up to where the last rows become single ones far out."""

from __future__ import annotations

import math
from typing import NamedTuple

from sluice.curate.comparing.distributions import Lengths

MOST_BINS = 24
DRAWN = 0.995
"""Share of the rows that a histogram shows: one pasted log would press all others into the first bar."""


class Bin(NamedTuple):
    """Rows of `low` up to, not including, `high`."""

    low: int
    high: int
    rows: int


class Histogram(NamedTuple):
    """The bins, and the rows beyond the last one."""

    bins: tuple[Bin, ...]
    longer: int

    @property
    def end(self) -> int:
        """The length from which on nothing is drawn."""
        return self.bins[-1].high


def histogram(lengths: Lengths) -> Histogram:
    """Return at most 24 bins of a width of 1, 2 or 5 times a power of ten, from 0 on."""
    wanted, seen, cut = math.ceil(DRAWN * lengths.total), 0, 0
    for length, rows in lengths.counts.items():
        seen += rows
        cut = length
        if seen >= wanted:
            break
    if max(lengths.counts) <= 1.5 * cut:
        cut = max(lengths.counts)
    width = _round_up(max(1.0, (cut + 1) / MOST_BINS))
    number = cut // width + 1
    counts = [0] * number
    for length, rows in lengths.counts.items():
        if length < number * width:
            counts[length // width] += rows
    bins = tuple(Bin(i * width, (i + 1) * width, rows) for i, rows in enumerate(counts))
    return Histogram(bins, lengths.total - sum(counts))


def _round_up(width: float) -> int:
    power = 10 ** math.floor(math.log10(width))
    return int(next(step * power for step in (1, 2, 5, 10) if step * power >= width - 1e-9))
