"""Items that were judged alike, counted once: on these few patterns every measure and every bootstrap draw is computed.

A measure of agreement is a function of sums over items. Items with the same judgements add the same, so 10,000 items of
three people and four labels are at most 64 patterns with counts. A bootstrap over items is then a multinomial draw of
those counts: the same distribution as drawing items with replacement, and a matrix product instead of a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sluice.curate.labels.agreement.judgements import MISSING

Statistic = Callable[[np.ndarray], np.ndarray]
"""Counts of the patterns, shape (draws, patterns), to values, shape (draws,) or (draws, several); nan: not defined."""
DEAR = 8
"""How many drawn items cost as much as one binomial number of a multinomial draw."""
CELLS = 4_000_000
"""Numbers of a block of draws: 32 MB."""


@dataclass(frozen=True, eq=False)
class Patterns:
    """Who-said-what of an item without the names of people: a row of codes in falling order, MISSING behind."""

    codes: np.ndarray
    """Shape (patterns, most judgements of an item)."""
    counts: np.ndarray
    """Items of each pattern."""
    values: int
    """How many values there are to choose from."""

    @cached_property
    def judged(self) -> np.ndarray:
        """Judgements of an item of each pattern."""
        return (self.codes != MISSING).sum(axis=1)

    @cached_property
    def paired(self) -> np.ndarray:
        """1.0 where an item has two judgements or more, else 0.0."""
        return (self.judged >= 2).astype(float)

    @cached_property
    def tally(self) -> Any:
        """Sparse, shape (patterns, values): how often each value was given to an item of the pattern."""
        from scipy.sparse import csr_array

        rows, columns = np.nonzero(self.codes != MISSING)
        ones = np.ones(len(rows))
        return csr_array((ones, (rows, self.codes[rows, columns])), shape=(len(self.codes), self.values))

    def pair_sum(self, of: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        """Return for each pattern the sum over its unordered pairs of judgements of `of(code, code)`."""
        total = np.zeros(len(self.codes))
        for a in range(self.codes.shape[1]):
            for b in range(a + 1, self.codes.shape[1]):
                rows = np.flatnonzero(self.codes[:, b] != MISSING)  # MISSING stands behind: then `a` is judged, too
                total[rows] += of(self.codes[rows, a], self.codes[rows, b])
        return total


def patterns_of(codes: np.ndarray, values: int) -> Patterns:
    """Return the patterns of a table of codes (items, annotators); items without a judgement are left out."""
    packed = -np.sort(-codes, axis=1)
    packed = packed[(packed != MISSING).any(axis=1)]
    packed = packed[:, (packed != MISSING).any(axis=0)]
    rows, counts = distinct(packed)
    return Patterns(rows, counts, values)


def distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct rows of a matrix and how often each occurs."""
    if rows.size == 0:
        return rows[:0], np.zeros(0, dtype=np.int64)
    return np.unique(rows, axis=0, return_counts=True)


def bootstrap(
    counts: np.ndarray, statistics: Mapping[str, Statistic], *, draws: int, seed: int, width: int = 1
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return each statistic on the counts and on resamples of the items: (value, samples of shape (draws, ...)).

    Args:
        counts: items of each pattern.
        statistics: by name.
        draws: how many resamples.
        seed: of the generator; equal seeds give equal intervals.
        width: numbers that a statistic holds for one draw at most, so that a block of draws fits into memory.
    """
    whole = counts[None, :].astype(float)
    values = {name: statistic(whole)[0] for name, statistic in statistics.items()}
    generator = np.random.default_rng(seed)
    items = int(counts.sum())
    few = items > DEAR * len(counts)
    block = max(1, min(draws, CELLS // max(len(counts) if few else items, width, 1)))
    samples: dict[str, list[np.ndarray]] = {name: [] for name in statistics}
    for start in range(0, draws, block):
        drawn = _draw(counts, items, min(block, draws - start), generator, few)
        for name, statistic in statistics.items():
            samples[name].append(statistic(drawn))
    return {name: (values[name], np.concatenate(samples[name])) for name in statistics}


def _draw(counts: np.ndarray, items: int, draws: int, generator: np.random.Generator, few: bool) -> np.ndarray:
    """Return the counts of resamples of the items: with few patterns by a multinomial, else item by item."""
    if few:
        return generator.multinomial(items, counts / items, size=draws).astype(float)
    pattern = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    drawn = pattern[generator.integers(0, items, size=(draws, items), dtype=np.int32)]
    drawn += len(counts) * np.arange(draws)[:, None]
    return np.bincount(drawn.ravel(), minlength=draws * len(counts)).reshape(draws, -1).astype(float)
