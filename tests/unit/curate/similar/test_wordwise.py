"""Differing words: each side whole again, what is the same is the same on both, long texts in time."""

from __future__ import annotations

import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sluice.cli.wordwise import differing
from sluice.curate.similar.wordwise import word_changes

TEXTS = st.text(st.sampled_from("ab c.\n\té😀"), max_size=40)


@given(TEXTS, TEXTS)
def test_each_side_put_together_again_is_the_text(a, b):
    mine, other = word_changes(a, b)
    assert "".join(s.text for s in mine) == a
    assert "".join(s.text for s in other) == b
    assert all(x.same != y.same for x, y in pairwise(mine) if x.text.strip() and y.text.strip())


@given(TEXTS, TEXTS)
def test_what_is_the_same_is_the_same_on_both_sides(a, b):
    mine, other = word_changes(a, b)
    shared = ["".join("".join(s.text.split()) for s in side if s.same) for side in (mine, other)]
    assert shared[0] == shared[1]


@given(TEXTS)
def test_a_text_differs_nowhere_from_itself(text):
    assert all(s.same for side in word_changes(text, text) for s in side)


def test_only_the_words_that_differ_are_named():
    mine, other = word_changes("Where is order A-1, please?", "Where is my order A-2, please?")
    assert [s.text for s in mine if not s.same] == ["1"]
    assert [s.text for s in other if not s.same] == ["my", "2"]


def test_context_cuts_what_is_far_from_a_difference():
    words = [f"w{i}" for i in range(100)]
    a, b = " ".join(words), " ".join([*words[:50], "other", *words[51:]])
    mine, _ = word_changes(a, b, context=2)
    assert "".join(s.text for s in mine) == "... w48 w49 w50 w51 w52 ..."


def test_spans_are_coloured_and_marked_where_there_is_no_colour():
    mine, other = differing("red\nlamp", "blue lamp")
    assert mine == [("red", "bad"), (" lamp", None)]
    assert other == [("blue", "good"), (" lamp", None)]
    mine, other = differing("red lamp", "lamp", marks=True)
    assert "".join(text for text, _ in mine) == "[red] lamp"
    assert "[" not in "".join(text for text, _ in other)


def test_very_long_texts_take_no_minutes():
    a = " ".join(f"w{i % 7}" for i in range(60_000))
    b = " ".join(f"w{i % 11}" for i in range(60_000))
    begun = time.perf_counter()
    word_changes(a, b)
    word_changes(" ".join(a.split()[:2_000]), " ".join(b.split()[:2_000]))
    assert time.perf_counter() - begun < 20
