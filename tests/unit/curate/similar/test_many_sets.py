"""The compiled n-gram sets and look-ups of many texts are those of few."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.curate.similar import join, many_sets
from sluice.curate.similar.join import Side, each, related
from sluice.curate.similar.many_sets import sets_of_many
from sluice.curate.similar.similarity import SORTS, Boilerplate, Relation, ngram_sets, normalise, places_of

words = st.lists(
    st.sampled_from(["late", "order", "my", "parcel", "退货", "Straße", "is", "\ud800", "👍🏽"]), max_size=14
)
segments = (words.map(" ".join) | st.text(max_size=12)).map(normalise)
texts = st.lists(st.lists(segments, max_size=3).map(tuple), max_size=9)


@settings(deadline=None, max_examples=150)
@given(texts, st.data())
def test_the_sets_are_the_same_number_for_number(some: list[tuple[str, ...]], data: st.DataObject):
    wanted = np.array(data.draw(st.lists(st.booleans(), min_size=len(some), max_size=len(some))), dtype=bool)
    for sort in SORTS:
        for which in (None, wanted):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(many_sets, "BATCH", 4)
                found = sets_of_many(some, sort, which)
            plain = ngram_sets(some, sort, which)
            assert (found.flat == plain.flat).all()
            assert (found.sizes == plain.sizes).all()


@settings(deadline=None, max_examples=100)
@given(texts, texts)
def test_the_pairs_are_the_same_where_rare_ngrams_are_chosen_by_compiled_code(left: list, right: list):
    a, b = Relation().prepare(left), Relation().prepare(right)
    plain = {pair for pairs in related(Side(a), Side(b)) for pair in each(pairs)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "MANY", 0)
        found = {pair for pairs in related(Side(a), Side(b)) for pair in each(pairs)}
    assert found == plain


@settings(deadline=None, max_examples=100)
@given(texts, texts)
def test_what_is_known_of_texts_is_what_would_be_made_of_them(some: list, other: list):
    boilerplate = Boilerplate.of(Relation().prepare(other[:2]).all["char"].flat[::2].tolist())
    plain = Relation(boilerplate).prepare(some)
    found = Relation(boilerplate).prepare(some, Relation().prepare(list(dict.fromkeys(other))))
    for sort in SORTS:
        for one, two in ((found.all[sort], plain.all[sort]), (found.left[sort], plain.left[sort])):
            assert (one.flat.tolist(), one.sizes.tolist()) == (two.flat.tolist(), two.sizes.tolist())
    assert (found.short.tolist(), found.characters.tolist()) == (plain.short.tolist(), plain.characters.tolist())


@given(
    st.lists(st.integers(0, 2**64 - 1) | st.sampled_from([7, 7 + 2**16, 2**40 + 7])),
    st.sets(st.sampled_from([7, 2**40 + 7, 9])),
)
def test_places_of_a_few_among_many(many: list[int], few: set[int]):
    found = places_of(np.array(many, np.uint64), np.array(sorted(few), np.uint64))
    assert found.tolist() == [at for at, value in enumerate(many) if value in few]
