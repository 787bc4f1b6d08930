"""Millions of n-grams of two collections of sets: numbered, and counted for many pairs, by compiled code."""

from __future__ import annotations

import numpy as np

from sluice.curate.kernel import compiled
from sluice.curate.kernel.threads import share_out
from sluice.curate.similar.similarity import Numbers, Sets


def numbered(left: Sets, right: Sets) -> tuple[int, Numbers, Numbers]:
    """Return (how many different n-grams stand on the left, their numbers left, those on the right; -1: not left)."""
    size = 1 << max(4, int(len(left.flat) * 2 - 1).bit_length())
    keys, ids = np.empty(size, np.uint64), np.full(size, -1, np.int32)
    of_left, of_right = np.empty(len(left.flat), np.int32), np.empty(len(right.flat), np.int32)
    count = compiled.number(left.flat, keys, ids, of_left)
    if right is left:
        return count, of_left.astype(np.int64), of_left.astype(np.int64)
    share_out(lambda a, b: compiled.look_up(right.flat, keys, ids, of_right, a, b), len(right.flat))
    return count, of_left.astype(np.int64), of_right.astype(np.int64)


def in_common(left: Sets, right: Sets, i: Numbers, j: Numbers) -> Numbers:
    """Return how many n-grams each pair (number left, number right) has in common."""
    hits = np.empty(len(i), np.int64)
    arrays = (left.flat, left.starts, right.flat, right.starts, i, j, hits)
    share_out(lambda a, b: compiled.count_common(*arrays, a, b), len(i))
    return hits
