"""`show --like`: the rows nearest to a text, with the similarity that the relation gives, none missed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.curate.adding.add import add
from sluice.curate.formats import ReadOptions
from sluice.curate.kernel.fold import fold
from sluice.curate.kernel.like import likeness
from sluice.curate.show import show_like
from sluice.curate.similar.similarity import Relation, normalise

BODIES = [
    "where is my parcel, it should have come on Monday already",
    "where is my parcel, it should have come on Friday",
    "my lamp is broken and I would like a new one please",
    "where is my parcel",
    "parcel",
]


def jaccard(one: str, other: str) -> float:
    both = Relation().prepare([(normalise(one),), (normalise(other),)])
    sets = both.all["char" if both.short.any() else "word"]
    hits = len(np.intersect1d(sets.of(0), sets.of(1)))
    return hits / (int(sets.sizes.sum()) - hits)


@pytest.mark.parametrize("text", ["Where is my parcel?!", "where is my parcel, it should have come on Monday", "lamp"])
def test_rows_come_in_order_of_their_exact_similarity(project, lines, text):
    records = [{"body": body, "label": "x"} for body in BODIES]
    add(project, "t", [lines(project.root / "t.jsonl", *records)], ReadOptions(input="body", target="label"))
    shown = show_like(project, "t", text)
    true = {body: share for body in BODIES if (share := jaccard(text, body)) >= 0.1}
    assert {row.input["body"]: row.similarity for row in shown.like} == pytest.approx(true)
    shares = [row.similarity for row in shown.like]
    assert shares == sorted(shares, reverse=True)
    assert shown.total == len(true)
    assert show_like(project, "t", text, limit=1).like == shown.like[:1]
    assert show_like(project, "t", text, exact_up_to=0) == shown  # by compiled code


def test_a_text_without_a_word_is_refused_and_one_that_is_like_nothing_finds_nothing(project):
    with pytest.raises(InputError, match="no word"):
        show_like(project, "d", " \u200b ")
    assert show_like(project, "d", "zzzz qqqq xxxx").like == ()


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.lists(st.sampled_from("abc\u4e2d\u00e9."), max_size=60).map("".join), min_size=1, max_size=8),
    st.integers(1, 9),
    st.text("ab c\u4e2d\u00e9", min_size=1, max_size=80),
)
def test_compiled_code_gives_the_jaccard_of_the_relation(texts: list[str], every: int, text: str):
    broken = [" ".join(t[k : k + every] for k in range(0, len(t), every)) for t in [*texts, text]]
    form = normalise(text)
    share = likeness(Relation().prepare([(form,) if form else ()]), fold(broken))
    for one, value in zip(broken, share.tolist(), strict=True):
        assert value == (jaccard(text, one) if form and normalise(one) else 0.0)
