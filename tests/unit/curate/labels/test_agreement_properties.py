"""What must hold of agreement whatever the judgements are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.judged import judged, measure_of, sure

from sluice.core.wilson import wilson_bounds
from sluice.curate.labels.agreement import Judgement, agree, tabulate
from sluice.curate.labels.agreement.measure import Measure, named
from sluice.curate.labels.agreement.overall import overall

ratings = st.lists(st.lists(st.sampled_from([None, 1, 2, 3, 5]), min_size=3, max_size=3), min_size=1, max_size=12)
scales = st.sampled_from(["nominal", "ordinal", "interval"])
few = settings(max_examples=40, deadline=None)


def values(rows, scale="nominal", **options):
    found = agree(judged(rows), scale=scale, draws=10, **options)
    return {one.name: one.value for one in found.measures}


def close(one, other):
    assert one.keys() == other.keys()
    for name, number in one.items():
        assert other[name] == (None if number is None else pytest.approx(number, abs=1e-9)), name


@few
@given(ratings, scales, st.randoms(use_true_random=False))
def test_the_order_of_items_and_annotators_means_nothing(rows, scale, random):
    items, people = list(rows), list(range(3))
    random.shuffle(items)
    random.shuffle(people)
    close(values(rows, scale), values([[row[i] for i in people] for row in items], scale))


@few
@given(ratings)
def test_the_names_of_unordered_values_mean_nothing(rows):
    other = {1: "z", 2: "a", 3: "m", 5: "", None: None}
    close(values(rows), values([[other[one] for one in row] for row in rows]))


@few
@given(ratings)
def test_a_shift_and_stretch_of_numbers_means_nothing(rows):
    moved = [[None if one is None else 10.0**6 + one * 2.5 for one in row] for row in rows]
    close(values(rows, "interval"), values(moved, "interval"))


@few
@given(ratings)
def test_only_the_order_of_ordinal_values_counts(rows):
    rank = {1: "low", 2: "some", 3: "much", 5: "all", None: None}
    spread = {1: -3, 2: 0, 3: 100, 5: 101, None: None}
    named_values = ["low", "some", "much", "all"]
    used = [one for one in (1, 2, 3, 5) if any(one in row for row in rows)]
    words = values([[rank[one] for one in row] for row in rows], "ordinal", allowed=[rank[one] for one in used] or None)
    assert set(named_values) >= {rank[one] for one in used}
    close(values(rows, "ordinal"), words)
    close(values(rows, "ordinal"), values([[spread[one] for one in row] for row in rows], "ordinal"))


@few
@given(ratings, scales)
def test_each_item_twice_changes_no_share_and_alpha_only_by_its_small_sample_term(rows, scale):
    once, twice = values(rows, scale), values([*rows, *rows], scale)
    assume(once["raw"] is not None)  # one item has no measure, twice that item has
    alphas = once.pop("alpha"), twice.pop("alpha")
    close(once, twice)
    if alphas[0] is not None:
        pairable = sum(n for n in (sum(one is not None for one in row) for row in rows) if n > 1)
        expected = (1 - alphas[0]) * (2 * pairable - 1) / (2 * (pairable - 1))
        assert 1 - sure(alphas[1]) == pytest.approx(expected, abs=1e-9)


@few
@given(ratings, scales)
def test_no_number_without_interval_or_reason_and_never_nan(rows, scale):
    found = agree(judged(rows), scale=scale, draws=30)
    measures = [*found.measures]
    for one in (*found.labels, *found.people, *found.pairs):
        measures += [part for _, part in one if isinstance(part, Measure)]
    for one in measures:
        if one.value is None:
            assert one.absent
            continue
        assert np.isfinite(one.value)
        assert one.value <= 1
        if one.low is not None:
            assert one.low <= sure(one.high) <= 1
        else:
            assert one.absent
    assert found.headline.sentence in found.sentence or found.headline.value is None


@few
@given(st.lists(st.lists(st.sampled_from(["a", "b", "c"]), min_size=2, max_size=2), min_size=2, max_size=12))
def test_two_people_are_each_the_others_mirror(rows):
    found = agree(judged(rows), draws=10)
    one, other = found.people
    assert one.agreement.value == other.agreement.value == measure_of(found, "raw").value
    assert one.kappa.value == pytest.approx(other.kappa.value) if one.kappa.value is not None else True
    assert found.pairs[0].cohen.value == measure_of(found, "cohen").value


@few
@given(st.lists(st.lists(st.sampled_from(["a", "b"]), min_size=3, max_size=3), min_size=2, max_size=12))
def test_with_two_values_each_label_says_what_the_whole_says(rows):
    found = agree(judged(rows), draws=10)
    for label in found.labels:
        for name, measure in (("ac1", label.ac1), ("alpha", label.alpha)):
            whole = measure_of(found, name).value
            assert measure.value == (None if whole is None else pytest.approx(whole, abs=1e-9))


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval"])
def test_judgements_at_random_agree_as_chance_does(scale):
    rows = np.random.default_rng(3).integers(0, 4, (4_000, 3)).tolist()
    found = agree(judged(rows), scale=scale, draws=200)
    for name in ("fleiss", "alpha", found.measures[-1].name):
        measure = measure_of(found, name)
        assert abs(measure.value) < 0.03
        assert measure.low < 0 < measure.high


def test_the_interval_is_seeded_and_covers():
    """Of 200 samples of 80 items some 5% miss the alpha of their population; the bootstrap is a little short."""
    generator = np.random.default_rng(11)

    def sample(items):
        truth = generator.integers(0, 3, items)
        noise = generator.random((items, 3)) < 0.3
        return np.where(noise, generator.integers(0, 3, (items, 3)), truth[:, None]).tolist()

    def alpha(rows):
        return sure(named(overall(tabulate(judged(rows), scale="nominal"), draws=200, seed=0), "alpha"))

    population = alpha(sample(60_000)).value
    inside = 0
    for _ in range(200):
        measure = alpha(sample(80))
        inside += measure.low <= population <= measure.high
    assert 0.88 <= inside / 200 <= 0.99
    rows = sample(50)
    assert agree(judged(rows), seed=4) == agree(judged(rows), seed=4)
    assert agree(judged(rows), seed=4).measures != agree(judged(rows), seed=5).measures


def test_both_ways_of_drawing_give_one_distribution():
    """Few patterns are drawn at once, many item by item: the same data told apart by a third value nobody shares."""
    rows = np.random.default_rng(2).integers(0, 2, (400, 2)).tolist()
    alike = measure_of(agree(judged(rows), draws=2_000), "raw")
    apart = [Judgement(one.item, one.annotator, f"{one.value}{one.item}") for one in judged(rows)]
    unlike = measure_of(agree(apart, draws=2_000), "raw")
    assert unlike.value == alike.value
    assert (unlike.low, unlike.high) == pytest.approx((alike.low, alike.high), abs=0.01)


def test_full_agreement_still_has_an_interval_with_width():
    found = agree(judged([["a", "a"], ["b", "b"]] * 10), draws=100)
    raw, kappa = measure_of(found, "raw"), measure_of(found, "cohen")
    assert raw.value == kappa.value == 1
    assert raw.low == pytest.approx(wilson_bounds(20, 20)[0])
    assert kappa.low < raw.low
    assert raw.interval == kappa.interval == "wilson"
