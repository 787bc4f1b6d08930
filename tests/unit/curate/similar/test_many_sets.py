"""The compiled n-gram sets and look-ups of many texts are those of few."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.curate.similar import join, many_sets
from sluice.curate.similar.join import Side, each, related
from sluice.curate.similar.many_sets import sets_of_many
from sluice.curate.similar.similarity import SORTS, Relation, ngram_sets, normalise

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
