"""The share of many pairs is that of each pair by the sets of its n-grams."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.curate.similar import shares as module
from sluice.curate.similar.shares import shares
from sluice.curate.similar.similarity import is_short, ngrams, normalise

texts = st.lists(st.sampled_from(["late", "Order", "my", "parcel!", "退货", "is", ""]), max_size=12).map(" ".join)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(texts, texts), max_size=9))
def test_each_share_is_the_jaccard_of_the_pair(pairs: list[tuple[str, str]]):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BATCH", 4)
        found = shares(pairs)
    assert len(found) == len(pairs)
    for (a, b), share in zip(pairs, found, strict=True):
        sort = "char" if is_short((normalise(a),)) or is_short((normalise(b),)) else "word"
        left, right = ngrams(a, sort), ngrams(b, sort)
        union = left | right
        wanted = 1.0 if normalise(a) == normalise(b) else len(left & right) / len(union) if union else 0.0
        assert share == pytest.approx(wanted)
