"""Share a range out among threads: compiled loops release the GIL, so plain threads do, and are safe after a fork."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

MOST = 8
"""More threads than this wait for memory, not for arithmetic."""
PARTS = 4  # parts a thread: short ones even out the work


def cores() -> int:
    """Return how many processors this process may use, at most MOST."""
    return max(1, min(MOST, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1))


def share_out(work: Callable[[int, int], object], count: int, least: int = 1024) -> None:
    """Call `work(first, last)` over the range 0 to count, in parts of at least `least`, on all cores."""
    threads = cores()
    parts = max(1, min(PARTS * threads, count // least))
    cuts = [count * k // parts for k in range(parts + 1)]
    if parts == 1 or threads == 1:
        for first, last in itertools.pairwise(cuts):
            work(first, last)
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, first, last) for first, last in itertools.pairwise(cuts)]:
            done.result()
