"""Which of many texts can repeat one of a few: those that hold enough of its n-grams, whatever else they hold.

A text that is near-equal to another, or contains it, holds at least 70% of its n-grams. So what is passed over here
repeats nothing for certain, and what is found is looked at exactly by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sluice.curate.kernel import compiled
from sluice.curate.kernel.fold import Folded
from sluice.curate.kernel.threads import share_out
from sluice.curate.similar.similarity import NEAR_PERCENT, Hashes, Mask, Numbers

LEAST_BITS = 15  # log 2 of the flags: 4 KB
BITS_A_GRAM = 16


@dataclass(frozen=True)
class Entries:
    """The n-gram sets that are looked for, ready to be found; see `compiled.holders`."""

    bits: Any
    table: Hashes
    numbers: Numbers
    posted: Numbers
    postings: Numbers
    needed: Numbers

    @classmethod
    def of(cls, sets: Sequence[Hashes]) -> Entries | None:
        """Return the entries of some n-gram sets (sorted); None where none of them has an n-gram."""
        some = [s for s in sets if len(s)]
        if not some:
            return None
        flat = np.concatenate(some)
        owners = np.repeat(np.arange(len(some)), [len(s) for s in some])
        grams, which = np.unique(flat, return_inverse=True)
        order = np.argsort(which, kind="stable")
        posted = np.concatenate(([0], np.cumsum(np.bincount(which, minlength=len(grams))))).astype(np.int64)
        size = 1 << (4 * len(grams)).bit_length()
        table, numbers = np.zeros(size, np.uint64), np.zeros(size, np.int64)
        for number, gram in enumerate(grams.tolist()):  # once, for the few that are looked for
            at = (gram >> 32) & (size - 1)
            while table[at]:
                at = (at + 1) & (size - 1)
            table[at], numbers[at] = gram, number
        flags = np.zeros(1 << max(LEAST_BITS, (BITS_A_GRAM * len(grams)).bit_length()), bool)
        flags[(grams & np.uint64(len(flags) - 1)).astype(np.int64)] = True
        sizes = np.array([len(s) for s in some], np.int64)
        return cls(
            bits=np.packbits(flags, bitorder="little"),
            table=table,
            numbers=numbers,
            posted=posted,
            postings=owners[order].astype(np.int64),
            needed=(NEAR_PERCENT * sizes + 99) // 100,
        )


def holders(texts: Folded, wanted: Mask, sort: int, entries: Entries, found: Mask) -> None:
    """Set `found` for each wanted text that holds at least 70% of the different n-grams of one entry."""
    e = entries
    arrays = (texts.data, texts.starts, texts.texts, wanted, sort, e.bits, e.table, e.numbers, e.posted, e.postings)
    share_out(lambda a, b: compiled.holders(*arrays, e.needed, found, a, b), len(texts))
