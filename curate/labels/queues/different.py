"""`different`: what is least like all that was decided comes first, so that few labels cover the whole of the data.

Exact k-centre greedy: always the row that is farthest from its nearest centre, where centres are the rows that were
decided and those that came before (Gonzalez 1985; as active learning, Sener and Savarese 2018, arXiv 1708.00489).
Distance: 1 - cosine of vectors where a model is named, else the Jaccard distance of the sets of character 5-grams
(those of `sluice.curate.similar`). Equal distances are broken by the draw. It seeks the odd ones, and so finds rare
rows early and outliers too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sluice.core.progress import Progress
from sluice.curate.labels.queues.base import QUEUES, Asking

FIRST = 1000
"""Rows that are put in this order; those after them come as drawn. More than a person labels in a day or two, and each
costs one look at every row."""
Distances = np.ndarray[Any, np.dtype[np.float64]]


@QUEUES.register("different")
def different(asking: Asking) -> list[str]:
    """Return all, the least known first; what was decided by anyone last."""
    decided = {j.subject for j in asking.words}
    drawn = asking.drawn()
    texts = [asking.text(s) for s in drawn]
    distances = by_vectors(asking.embed(texts, asking.progress)) if asking.embed else by_ngrams(texts)
    centres = [i for i, s in enumerate(drawn) if s in decided]
    chosen = k_centres(distances, len(drawn), FIRST, centres, asking.progress)
    first = {drawn[i]: None for i in chosen}
    rest = [s for s in drawn if s not in first and s not in decided]
    return [*first, *rest, *(s for s in drawn if s in decided)]


def k_centres(
    distances: Callable[[int], Distances],
    count: int,
    most: int,
    centres: Sequence[int] = (),
    progress: Progress | None = None,
) -> list[int]:
    """Return places in the order in which k-centre greedy takes them, without the first centres.

    Args:
        distances: of a place to all places, shape (count,).
        count: places there are.
        most: to be taken.
        centres: places that are centres already; without one, place 0 is taken first.
        progress: called with (what, done, total).
    """
    nearest = np.full(count, np.inf)
    for centre in centres:
        np.minimum(nearest, distances(centre), out=nearest)
    nearest[list(centres)] = -1.0
    taken: list[int] = []
    wanted = min(most, count - len(centres))
    while len(taken) < wanted:
        place = int(nearest.argmax())  # the first of equal ones: as drawn
        taken.append(place)
        np.minimum(nearest, distances(place), out=nearest)
        nearest[place] = -1.0
        if progress and len(taken) % 50 == 0:
            progress("choosing different rows", len(taken), wanted)
    return taken


def by_vectors(vectors: Any) -> Callable[[int], Distances]:
    """Return the distances by vectors of length 1: 1 - cosine, 0 to 2."""
    return lambda place: 1.0 - np.asarray(vectors @ vectors[place], np.float64)


def by_ngrams(texts: Sequence[str]) -> Callable[[int], Distances]:
    """Return the Jaccard distances of the texts' sets of character 5-grams, 0 to 1; two empty texts are equal."""
    from sluice.curate.similar.similarity import ngram_sets, normalise, spread

    sets = ngram_sets([(normalise(text),) for text in texts], "char")
    _, codes = np.unique(sets.flat, return_inverse=True)
    by_code = np.argsort(codes, kind="stable")
    holders = sets.owners[by_code]
    starts = np.concatenate(([0], np.cumsum(np.bincount(codes)))).astype(np.int64)

    def distances(place: int) -> Distances:
        own = codes[sets.starts[place] : sets.starts[place + 1]]
        who = holders[spread(starts[own], starts[own + 1] - starts[own])]
        shared = np.bincount(who, minlength=len(texts)).astype(np.float64)
        union = sets.sizes + sets.sizes[place] - shared
        return 1.0 - np.divide(shared, union, out=np.ones(len(texts)), where=union > 0)

    return distances
