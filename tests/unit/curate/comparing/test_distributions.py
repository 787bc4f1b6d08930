"""Distances between distributions: what they measure, and how often chance alone is called a difference."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.curate.comparing.distributions import (
    Categories,
    Lengths,
    compare,
    compare_categories,
    compare_lengths,
    compare_rows,
)

VALUES = st.lists(st.sampled_from("abcd"), min_size=1, max_size=40)
LENGTHS = st.lists(st.integers(0, 12), min_size=1, max_size=40)


def categories(values: list[str | None]) -> Categories:
    return Categories.of("labels", "label", values)


def words(values: list[int]) -> Lengths:
    return Lengths.of("input", "words", values)


@settings(max_examples=40, deadline=None)
@given(VALUES, VALUES)
def test_the_distance_of_categories_is_a_distance(a, b):
    there, back = compare_categories(categories(a), categories(b)), compare_categories(categories(b), categories(a))
    assert there is not None
    assert back is not None
    assert there.value == back.value
    assert 0 <= there.value <= 1
    assert (there.value == 0) == (sorted(a * len(b)) == sorted(b * len(a)))


@settings(max_examples=40, deadline=None)
@given(LENGTHS, LENGTHS)
def test_the_widest_gap_is_that_of_the_cumulative_shares(a, b):
    found = compare_lengths(words(a), words(b))
    assert found is not None
    gaps = [abs(sum(x <= at for x in a) / len(a) - sum(x <= at for x in b) / len(b)) for at in range(13)]
    assert found.value == pytest.approx(max(gaps), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(LENGTHS)
def test_quantiles_are_lengths_that_their_share_does_not_exceed(values):
    figures = words(values).figures
    assert figures["min"] == min(values)
    assert figures["max"] == max(values)
    for name, share in (("median", 0.5), ("p95", 0.95), ("p99", 0.99)):
        assert sum(v <= figures[name] for v in values) >= share * len(values)
        assert sum(v < figures[name] for v in values) < share * len(values)


def test_two_draws_of_one_source_are_called_different_about_once_in_a_hundred():
    draw = random.Random(3)
    labels = ["a"] * 60 + ["b"] * 25 + ["c"] * 14 + ["d"]
    called = 0
    for _ in range(300):
        a, b = (categories([draw.choice(labels) for _ in range(size)]) for size in (300, 120))
        found = compare_categories(a, b)
        assert found is not None
        called += found.word == "differs"
    assert called <= 10  # 3 are expected; more than 10 comes by chance once in 3,000 runs


def test_a_loss_of_most_of_one_label_is_seen():
    before = categories(["a"] * 120 + ["b"] * 340 + ["c"] * 340)
    found = compare_categories(before, categories(["a"] * 40 + ["b"] * 340 + ["c"] * 340))
    assert found is not None
    assert found.word == "differs"
    assert found.shares[0][0] == "a"
    assert found.value == pytest.approx(120 / 800 - 40 / 720, abs=1e-5)


def test_a_new_rare_label_is_seen_where_the_whole_hardly_moves():
    before = categories([*"abcdefgh" * 100])
    after = categories([*"abcdefgh" * 98, *["new"] * 20])
    found = compare_categories(before, after)
    assert found is not None
    assert found.value < found.chance
    assert found.word == "differs"
    assert "'new'" in found.sentence


def test_the_same_is_the_same_and_nothing_is_not_compared():
    same = compare_categories(categories(["a", "b", None]), categories(["b", "a"]))
    assert same is not None
    assert (same.word, same.value) == ("same", 0.0)
    assert compare_categories(categories([None]), categories([])) is None
    assert compare_lengths(words([]), words([])) is None
    one_sided = compare_categories(categories(["a"]), categories([None]))
    assert one_sided is not None
    assert one_sided.word == "differs"


def test_the_same_sets_give_the_same_words_each_time():
    a, b = categories([*"aab" * 30]), categories([*"abb" * 30])
    assert compare_categories(a, b) == compare_categories(a, b)


def test_distributions_are_paired_by_name_and_unit():
    tokens = Lengths.of("input", "tokens", [3, 4])
    found = compare([words([1, 2])], [tokens])
    assert len(found) == 2, "words are not compared with tokens"
    assert {line.word for line in found} == {"differs"}


def test_rows_are_counted():
    assert compare_rows(5, 5).word == "same"
    assert (compare_rows(10, 8).word, compare_rows(10, 8).value) == ("differs", 0.2)
    assert compare_rows(0, 4).word == "differs"
