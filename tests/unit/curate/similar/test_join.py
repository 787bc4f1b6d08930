"""The exact join against comparing all pairs."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.curate.similar.join import Side, related
from sluice.curate.similar.similarity import Boilerplate, Relation, ngrams, normalise

WORDS = ["order", "late", "please", "refund", "my", "parcel"]
long_texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join)
collections = st.lists(st.one_of(long_texts, st.text("abc ", max_size=12)), max_size=14)
left_out = st.lists(long_texts, max_size=2)


@settings(deadline=None)
@given(collections, collections, left_out)
def test_the_join_finds_exactly_the_related_pairs(left: list[str], right: list[str], boiler: list[str]):
    grams = [h for text in boiler for sort in ("word", "char") for h in ngrams(text, sort)]
    relation = Relation(Boilerplate.of(grams))
    left, right = sorted({normalise(t) for t in left}), sorted({normalise(t) for t in right})
    found: dict[tuple[int, int], tuple[bool, float]] = {}
    a, b = relation.prepare([(t,) for t in left]), relation.prepare([(t,) for t in right])
    for pairs in related(Side(a), Side(b)):
        for i, j, near, share in zip(pairs.left, pairs.right, pairs.near, pairs.share, strict=True):
            if (int(i), int(j)) not in found or near:
                found[int(i), int(j)] = (bool(near), float(share))
    expected: dict[tuple[int, int], tuple[bool, float]] = {}
    for i, one in enumerate(left):
        for j, two in enumerate(right):
            near, inside = relation.near_equal(one, two), relation.contained(one, two)
            if one and two and near is not None:
                expected[i, j] = (True, near)
            elif inside is not None:
                expected[i, j] = (False, inside)
    assert found == expected


@settings(deadline=None)
@given(collections)
def test_sides_say_who_may_be_near_and_who_may_hold(texts: list[str]):
    texts = sorted({normalise(t) for t in texts})
    prepared = Relation().prepare([(t,) for t in texts])
    nobody, everybody = np.zeros(len(texts), dtype=bool), np.ones(len(texts), dtype=bool)
    for pairs in related(Side(prepared), Side(prepared, nobody, everybody)):
        assert not pairs.near.any()
    for pairs in related(Side(prepared), Side(prepared, everybody, nobody)):
        assert pairs.near.all()
    assert not list(related(Side(prepared), Side(prepared, nobody, nobody)))
