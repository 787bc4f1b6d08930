"""Long word n-grams of texts in normal form, and those of a few that stand in a great many: one pass over bytes.

Not `kernel.holders`, which says whether a text holds enough word 3-grams of an entry: here any one n-gram of n words
counts, and is named. It knows texts only; what a shared n-gram means is its callers' business. The hashes are of this
file and never leave the process: of 10^8 n-grams held against 10^4, two that differ share one in about one run of 10^7.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from sluice.curate.kernel.fold import Folded
from sluice.curate.similar.similarity import Hashes, Numbers

FLAGS = 1 << 16  # by the highest bits of an n-gram: most are told apart without a look into the table


@njit(cache=True, nogil=True)
def _place(keys, mask, value):  # pragma: no cover - compiled
    at = np.int64(value & np.uint64(mask))
    while keys[at] != 0 and keys[at] != value:
        at = (at + 1) & mask
    return at


@njit(cache=True, nogil=True)
def _filled(keys, ids, maybe, values):  # pragma: no cover - compiled
    mask = len(keys) - 1
    for number in range(len(values)):
        place = _place(keys, mask, values[number])
        keys[place] = values[number]
        ids[place] = number
        maybe[values[number] >> np.uint64(48)] = True


@njit(cache=True, nogil=True)
def _walk(data, starts, width, keys, ids, maybe, every):  # pragma: no cover - compiled
    """Return (text, id) of the windows that a table knows; with `every`, (text, hash) of all windows.

    Words are hashed by FNV-1a (Fowler, Noll and Vo), windows by a rolling polynomial with the finaliser of splitmix64.
    """
    room = len(data) // 2 + len(starts)  # more than there are words; pages that nothing is written to cost nothing
    texts = np.empty(room, dtype=np.int64)
    found = np.empty(room, dtype=np.uint64)
    count = 0
    mask = len(keys) - 1
    ring = np.zeros(width, dtype=np.uint64)
    base = np.uint64(0x9E3779B97F4A7C15)
    top = np.uint64(1)
    for _ in range(width):
        top *= base
    for text in range(len(starts) - 1):
        at, high = starts[text], starts[text + 1]
        seen, newest = 0, 0
        rolling = np.uint64(0)
        ring[:] = 0
        while at < high:
            word = np.uint64(14695981039346656037)
            while at < high and data[at] != 32:
                word = (word ^ np.uint64(data[at])) * np.uint64(1099511628211)
                at += 1
            at += 1
            rolling = rolling * base + word - ring[newest] * top  # the hash of the last `width` words
            ring[newest] = word
            newest = newest + 1 if newest + 1 < width else 0
            seen += 1
            if seen < width:
                continue
            value = (rolling ^ (rolling >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            value ^= value >> np.uint64(31)
            if value == 0:
                value = np.uint64(1)
            result = value
            keep = every
            if not every and maybe[value >> np.uint64(48)]:
                place = _place(keys, mask, value)
                if keys[place] != 0:
                    keep = True
                    result = np.uint64(ids[place])
            if keep:
                texts[count] = text
                found[count] = result
                count += 1
    return texts[:count].copy(), found[:count].copy()


def windows(texts: Folded, n: int) -> tuple[Numbers, Hashes]:
    """Return (segment, hash) of every word n-gram of some texts, in order; a segment of fewer words has none."""
    nothing, none = np.zeros(1, np.uint64), np.zeros(1, np.int64)
    return _walk(texts.data, texts.starts, n, nothing, none, np.zeros(1, np.bool_), True)


class Scanner:
    """Looks for known word n-grams in texts.

    Args:
        hashes: as `windows` gives them; equal ones are one.
        n: words of each.
    """

    def __init__(self, hashes: Hashes, n: int):
        self.known: Hashes = np.unique(hashes)
        self.n = n
        size = 1 << max(4, int(4 * len(self.known)).bit_length())
        self._table: tuple[Any, Any, Any] = np.zeros(size, np.uint64), np.zeros(size, np.int64), np.zeros(FLAGS, bool)
        _filled(*self._table, self.known)

    def number(self, hashes: Hashes) -> Numbers:
        """Return the numbers under which n-grams are reported, -1 for those that are not known."""
        if not len(self.known):
            return np.full(len(hashes), -1)
        places = np.minimum(np.searchsorted(self.known, hashes), len(self.known) - 1)
        return np.where(self.known[places] == hashes, places, -1)

    def hits(self, texts: Folded) -> tuple[Numbers, Numbers]:
        """Return (segment, number of the n-gram) of every known n-gram that stands in a text, in order."""
        if not len(self.known):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        found, ids = _walk(texts.data, texts.starts, self.n, *self._table, False)
        return found, ids.astype(np.int64)
