"""Find the boilerplate of a collection: greetings, footers and instructions that stand in many unlike rows.

What is found is pinned with the frozen set as a `Boilerplate` (hashes, no text); `sluice.curate.similar.similarity`
says what leaving it out means.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from sluice.core.progress import Progress
from sluice.core.rows import AnyRow
from sluice.curate.similar.clusters import Forest, input_segments, is_tiny
from sluice.curate.similar.join import Side, related
from sluice.curate.similar.similarity import SORTS, Boilerplate, Hashes, Numbers, Prepared, Relation, Segments, Sets

BOILERPLATE_SHARE = 0.05
BOILERPLATE_LEAST = 20
OVERWHELMING = 0.5  # a first pass that puts more than half of the inputs into one cluster is done again
OVERWHELMING_LEAST = 100


def find_boilerplate(rows: Sequence[AnyRow], progress: Progress | None = None) -> Boilerplate:
    """Return the boilerplate of all rows that are split together.

    First pass: distinct inputs are clustered by near-equality. n-grams in more than 5% of the clusters, and in at least
    20, are boilerplate. Two things would hide it from the first pass, since they make all rows near-equal, and are left
    out of it: field texts (a system message, an instruction column) that stand in more than 5% of the inputs and at
    least 20, beside differing other fields; and, where the first pass puts more than half of at least 100 inputs into
    one cluster, n-grams that more than half of the inputs hold.
    """
    inputs = sorted({tuple(input_segments(row)) for row in rows})
    texts: list[Segments] = [tuple(text for _, text in fields) for fields in inputs]
    if len(texts) < BOILERPLATE_LEAST:
        return Boilerplate(clusters=len(texts))
    least = max(BOILERPLATE_LEAST, int(BOILERPLATE_SHARE * len(texts)) + 1)
    constants = _repeated_fields(inputs, least)
    relation = Relation(_all_ngrams(constants))
    prepared = relation.prepare(texts)
    clusters = _near_clusters(prepared, progress)
    largest = int(np.bincount(clusters).max())
    if len(texts) >= OVERWHELMING_LEAST and largest > OVERWHELMING * len(texts):
        common = [h for sort in SORTS for h in _frequent(prepared.all[sort], None, len(texts) // 2 + 1).tolist()]
        relation = Relation(Boilerplate.of([*common, *relation.boilerplate.hashes.tolist()]))
        prepared = relation.prepare(texts)
        clusters = _near_clusters(prepared, progress)
    number = len(np.unique(clusters))
    least = max(BOILERPLATE_LEAST, int(BOILERPLATE_SHARE * number) + 1)
    found = [_frequent(prepared.all[sort], clusters, least) for sort in SORTS]
    return Boilerplate.of(np.concatenate(found).tolist(), number)


def _repeated_fields(inputs: list[tuple[tuple[str, str], ...]], least: int) -> list[str]:
    beside: dict[str, set[tuple[tuple[str, str], ...]]] = defaultdict(set)
    for fields in inputs:
        if len(fields) > 1:
            for field in fields:
                beside[field[1]].add(tuple(f for f in fields if f != field))
    return sorted(text for text, others in beside.items() if len(others) >= least and not is_tiny(text))


def _all_ngrams(texts: list[str]) -> Boilerplate:
    prepared = Relation().prepare([(text,) for text in texts])
    return Boilerplate.of(h for sort in SORTS for h in prepared.all[sort].flat.tolist())


def _near_clusters(texts: Prepared, progress: Progress | None) -> Numbers:
    """Return for each text the number of its cluster by near-equality alone."""
    forest = Forest(len(texts))

    def roots() -> tuple[Numbers, Numbers]:
        now = forest.roots()
        return now, now

    side = Side(texts, holds=np.zeros(len(texts), dtype=bool))
    for pairs in related(side, side, roots=roots, progress=progress):
        for i, j in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True):
            forest.union(i, j)
    return forest.roots()


def _frequent(sets: Sets, clusters: Numbers | None, least: int) -> Hashes:
    """Return the n-grams that stand in at least so many clusters (None: each set is its own cluster)."""
    owners = sets.owners if clusters is None else clusters[sets.owners]
    order = np.lexsort((owners, sets.flat))
    flat, owners = sets.flat[order], owners[order]
    first = np.ones(len(flat), dtype=bool)
    first[1:] = (flat[1:] != flat[:-1]) | (owners[1:] != owners[:-1])
    hashes, counts = np.unique(flat[first], return_counts=True)
    return hashes[counts >= least]
