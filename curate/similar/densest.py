"""Where in a long row of hits the most different ones stand close together: numbers only, no texts."""

from __future__ import annotations

from typing import Any

import numpy as np

FEW_HITS = 2_000
"""Up to here each is looked at; beyond, only the pieces that can hold the most."""

Numbers = np.ndarray[Any, np.dtype[np.int64]]


def densest(at: Numbers, which: Numbers, width: int, count: int) -> tuple[int, int, int]:
    """Return the most different hits within one width, and the places of the first and last hit of the first such.

    Args:
        at: the places of the hits, in order.
        which: what each hit is, from 0 to count - 1.
        width: last place less first place is below it.
        count: how many different ones there are.
    """
    if len(at) > FEW_HITS:
        most = _most_in_pieces(at, which, width, count)
        first = int(most.argmax())
        near = (at // width >= first) & (at // width <= first + 1)
        least = _first_densest(at[near], which[near], width)[0]
        enough = np.append(most >= least, False)
        stays = enough[at // width] | enough[at // width - 1]  # each lies in two pieces; before the first there is none
        at, which = at[stays], which[stays]
    return _first_densest(at, which, width)


def _most_in_pieces(at: Numbers, which: Numbers, width: int, count: int) -> Numbers:
    """Return how many different n-grams stand in each piece of two widths: piece k begins at k widths.

    Every stretch of one width lies in the piece that begins with the width that it begins in.
    """
    own = at // width
    both = np.unique(np.concatenate([own, np.maximum(own - 1, 0)]) * count + np.concatenate([which, which]))
    return np.bincount(both // count, minlength=int(own.max()) + 1)


def _first_densest(at: Numbers, which: Numbers, width: int) -> tuple[int, int, int]:
    """Return the most different n-grams within one width, and the places of the first and last of the first such."""
    counts: dict[int, int] = {}
    best, best_from, best_to, low = 0, 0, 0, 0
    places, names = at.tolist(), which.tolist()
    for high, name in enumerate(names):  # a sliding window over the hits of one field, each seen twice
        counts[name] = counts.get(name, 0) + 1
        while places[high] - places[low] >= width:
            gone = names[low]
            counts[gone] -= 1
            if not counts[gone]:
                del counts[gone]
            low += 1
        if len(counts) > best:
            best, best_from, best_to = len(counts), places[low], places[high]
    return best, best_from, best_to
