"""The n-gram sets of a great many texts, by compiled code: those of `similarity.ngram_sets`, number for number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sluice.curate.kernel import compiled
from sluice.curate.kernel.threads import share_out
from sluice.curate.similar.similarity import Mask, Segments, Sets, Sort, spread

BATCH = 50_000  # texts whose n-grams are held before repeats go: bounds memory, changes no result


def sets_of_many(texts: Sequence[Segments], sort: Sort, wanted: Mask | None = None) -> Sets:
    """Return the n-gram set of each text; an empty set where the text is empty or not wanted."""
    found = [
        _sets(texts[low : low + BATCH], sort, None if wanted is None else wanted[low : low + BATCH])
        for low in range(0, len(texts), BATCH)
    ]
    none = np.empty(0, np.int64)
    return Sets(
        np.concatenate([np.empty(0, np.uint64), *(sets.flat for sets in found)]),
        np.concatenate([none, *(sets.sizes for sets in found)]),
    )


def _sets(texts: Sequence[Segments], sort: Sort, wanted: Mask | None) -> Sets:
    some = texts if wanted is None else [text if want else () for text, want in zip(texts, wanted, strict=True)]
    segments = [segment.encode("utf-8", "surrogatepass") for text in some for segment in text if segment]
    counts = np.array([sum(map(bool, text)) for text in some], np.int64)
    starts = np.concatenate(([0], np.cumsum(np.array([len(s) for s in segments], np.int64)))).astype(np.int64)
    first = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    data = np.frombuffer(b"".join(segments), np.uint8)
    places = starts[first]  # a segment has no more n-grams than bytes
    flat, sizes = np.empty(int(places[-1]), np.uint64), np.zeros(len(some), np.int64)
    number = compiled.WORD if sort == "word" else compiled.CHAR
    arrays = (data, starts, first, np.ones(len(some), bool), number, sizes, flat, places)
    share_out(lambda a, b: compiled.sets_of(*arrays, a, b), len(some))
    return Sets(flat[spread(places[:-1], sizes)], sizes)
