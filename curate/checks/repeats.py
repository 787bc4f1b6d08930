"""How much of a text repeats itself: loops of words, and the shares of Gopher's table A1. Texts in, numbers out.

All texts are taken apart into one array of word hashes with the number of their text beside each word; every share is
then a sum over that array. It knows nothing of rows or checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import polars as pl

Numbers = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]

LONGEST_LOOP = 8
"""Words of the longest phrase that is looked for as a loop."""
TOP = {2: 0.20, 3: 0.18, 4: 0.16}
"""By n: the most that the commonest n-gram of words may hold of the characters (Gopher, table A1)."""
DUPLICATE = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
"""By n: the most that repeated n-grams may hold of the characters, none counted twice (Gopher, table A1)."""
LINES = {"lines": 0.30, "paragraphs": 0.30, "characters in lines": 0.20, "characters in paragraphs": 0.20}
"""The most that repeated lines and paragraphs may be (Gopher, table A1)."""
_STEP = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Words:
    """Words of many texts: `hashes`, `lengths` in characters and `owner` (number of the text), one a word, in order;
    `characters` one a text."""

    hashes: npt.NDArray[np.uint64]
    lengths: Numbers
    owner: Numbers
    characters: Numbers

    @classmethod
    def of(cls, texts: pl.Series) -> Words:
        """Take texts apart at blanks, case folded."""
        import polars as pl

        frame = pl.DataFrame({"text": texts}).with_row_index("n")
        words = (
            frame.select("n", word=pl.col("text").str.to_lowercase().str.extract_all(r"\S+"))
            .explode("word")
            .drop_nulls("word")
        )
        return cls(
            words["word"].hash(1).to_numpy(),
            words["word"].str.len_chars().to_numpy().astype(np.int64),
            words["n"].to_numpy().astype(np.int64),
            texts.str.len_chars().to_numpy().astype(np.int64),
        )

    @cached_property
    def starts(self) -> Numbers:
        """The place of the first word of each text, and the end of the last."""
        return np.searchsorted(self.owner, np.arange(len(self.characters) + 1)).astype(np.int64)

    def windows(self, n: int) -> tuple[npt.NDArray[np.uint64], Numbers]:
        """Return a hash of text and words for each window of n words of one text, and the place where it begins."""
        last = len(self.hashes) - n + 1
        if last <= 0:
            return np.zeros(0, np.uint64), np.zeros(0, np.int64)
        places = np.flatnonzero(self.owner[:last] == self.owner[n - 1 :])
        found = self.owner[places].astype(np.uint64) * _STEP
        for k in range(n):
            found = (found ^ self.hashes[places + k]) * _STEP
            found ^= found >> np.uint64(29)
        return found, places

    def sum_by_text(self, values: npt.NDArray[Any]) -> Numbers:
        """Return the sum of one number a word, by text."""
        total = np.concatenate(([0], np.cumsum(values))).astype(np.int64)
        return total[self.starts[1:]] - total[self.starts[:-1]]

    def duplicate_share(self, n: int) -> Shares:
        """Return, by text, the share of its characters in n-grams that stood in it before."""
        hashes, places = self.windows(n)
        _, first = np.unique(hashes, return_index=True)
        again = np.ones(len(hashes), dtype=bool)
        again[first] = False
        edges = np.zeros(len(self.hashes) + 1, dtype=np.int64)
        np.add.at(edges, places[again], 1)
        np.add.at(edges, places[again] + n, -1)
        covered = np.cumsum(edges)[:-1] > 0
        return self.sum_by_text(np.where(covered, self.lengths, 0)) / np.maximum(self.characters, 1)

    def top_share(self, n: int) -> Shares:
        """Return, by text, the share of its characters in its commonest n-gram, where that comes twice or more."""
        hashes, places = self.windows(n)
        shares = np.zeros(len(self.characters))
        if not len(hashes):
            return shares
        _, first, counts = np.unique(hashes, return_index=True, return_counts=True)
        where = places[first]
        totals = np.concatenate(([0], np.cumsum(self.lengths)))
        characters = (totals[where + n] - totals[where] + n - 1) * counts
        order = np.lexsort((-where, counts, self.owner[where]))  # of one text last: the commonest, the first of those
        owners = self.owner[where][order]
        last = np.flatnonzero(np.diff(owners, append=-1) != 0)
        best = order[last]
        best = best[counts[best] > 1]
        shares[self.owner[where[best]]] = characters[best] / np.maximum(self.characters[self.owner[where[best]]], 1)
        return shares

    def loops(self, period: int) -> Numbers:
        """Return, by text, how often a phrase of `period` words stands in it in a row at most."""
        times = np.ones(len(self.characters), dtype=np.int64)
        if len(self.hashes) <= period:
            return times
        same = (self.hashes[:-period] == self.hashes[period:]) & (self.owner[:-period] == self.owner[period:])
        edges = np.flatnonzero(np.diff(np.concatenate(([False], same, [False])).astype(np.int8)))
        begins, ends = edges[::2], edges[1::2]
        np.maximum.at(times, self.owner[begins], (ends - begins) // period + 1)
        return times


def line_shares(texts: pl.Series) -> dict[str, Shares]:
    """Return, by text, the shares of repeated lines and paragraphs and of the characters in them (LINES)."""
    import polars as pl

    shares: dict[str, Shares] = {}
    for name, pattern in (("lines", r"\n+"), ("paragraphs", r"\n{2,}")):
        pieces = (
            pl.DataFrame({"text": texts})
            .with_row_index("n")
            .select("n", piece=pl.col("text").str.strip_chars().str.replace_all(pattern, "\x1e").str.split("\x1e"))
            .explode("piece")
            .with_columns(again=~pl.struct("n", "piece").is_first_distinct(), size=pl.col("piece").str.len_chars())
        )
        of_text = pieces.group_by("n", maintain_order=True).agg(
            share=pl.col("again").mean(), inside=(pl.col("size") * pl.col("again")).sum()
        )
        whole = np.maximum(texts.str.len_chars().to_numpy(), 1)
        shares[name] = of_text["share"].to_numpy()
        shares[f"characters in {name}"] = of_text["inside"].to_numpy() / whole
    return shares


def over_table(texts: pl.Series, times: float = 1.0) -> dict[int, str]:
    """Return, by place, which share of Gopher's table A1 a text is over, the first of them with its figure.

    Args:
        times: what the table's shares are multiplied by.
    """
    if not len(texts):
        return {}
    words = Words.of(texts)
    found: dict[int, str] = {}

    def note(shares: Shares, most: float, what: str) -> None:
        for i in np.flatnonzero(shares > times * most).tolist():
            found.setdefault(i, f"{what} {shares[i]:.0%} (at most {times * most:.0%})")

    for name, shares in line_shares(texts).items():
        note(shares, LINES[name], f"repeated {name}")
    for n, most in TOP.items():
        note(words.top_share(n), most, f"commonest {n} words in a row")
    for n, most in DUPLICATE.items():
        note(words.duplicate_share(n), most, f"repeated runs of {n} words")
    return found
