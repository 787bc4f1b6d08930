"""`show --like`: the rows nearest to a text, with the similarity that the relation gives, none missed."""

from __future__ import annotations

import numpy as np
import pytest

from sluice.core.errors import InputError
from sluice.curate.adding.add import add
from sluice.curate.formats import ReadOptions
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


def test_a_text_without_a_word_is_refused_and_one_that_is_like_nothing_finds_nothing(project):
    with pytest.raises(InputError, match="no word"):
        show_like(project, "d", " \u200b ")
    assert show_like(project, "d", "zzzz qqqq xxxx").like == ()
