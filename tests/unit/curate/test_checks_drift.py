"""Drift: found where two sets differ, silent on fair splits; the false alarm rate is measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.rows import AnyRow, Example
from sluice.curate.checks import CHECKS, CheckContext
from sluice.curate.checks.distributions import js_distance, ks_distance
from sluice.curate.checks.drift import compare


def population(count: int, seed: int, labels: str = "aabbbc", mean: float = 3.0) -> list[AnyRow]:
    generator = np.random.default_rng(seed)
    sizes = generator.lognormal(mean, 0.6, count).astype(int) + 1
    return [
        Example(input={"t": f"{seed}-{i} " + "x" * int(size)}, target=labels[int(generator.integers(len(labels)))])
        for i, size in enumerate(sizes)
    ]


def test_fair_splits_do_not_cry_wolf():
    alarms = 0
    for seed in range(100):
        rows = population(240, seed)
        context = CheckContext(rows[:200], eval_rows=rows[200:])
        alarms += CHECKS.get("drift-eval").run(context).status == "found"
    assert alarms <= 4  # 1 in 100 expected at most; 5 or more come by chance in under 1 of 250 runs


def test_a_set_of_other_length_or_labels_is_found():
    rows = population(200, 1)
    longer = CHECKS.get("drift-eval").run(CheckContext(rows, eval_rows=population(60, 2, mean=4.0)))
    other = CHECKS.get("drift-eval").run(CheckContext(rows, eval_rows=population(60, 3, labels="bccc")))
    assert "input length" in longer.rows[0].detail
    assert [f.detail.split(" of ")[0] for f in other.rows] == ["label"]
    few = CHECKS.get("drift-eval").run(CheckContext(rows, eval_rows=population(10, 2, mean=6.0)))
    assert few.status == "ok"
    assert "too few" in few.summary


def test_rows_that_went_are_compared_with_those_that_stayed():
    rows = population(200, 5)
    kept = [row for row in rows if isinstance(row, Example) and row.target != "b"]
    result = CHECKS.get("drift").run(CheckContext(kept, before_rows=rows))
    assert result.status == "found"
    assert "went" in result.rows[0].detail
    assert CHECKS.get("drift").run(CheckContext(rows, before_rows=rows)).status == "ok"


def test_distances_are_the_published_ones():
    assert ks_distance([1, 2, 3, 4], [3, 4, 5, 6]).effect == 0.5
    assert js_distance(["a", "b"], ["a", "b"]).effect == 0
    assert js_distance(["a"] * 9, ["b"] * 9).effect == 1
    half = js_distance(["a", "a"], ["a", "b"]).effect
    assert half == pytest.approx(0.557923, abs=1e-5)  # scipy.spatial.distance.jensenshannon([1, 0], [.5, .5], 2)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_a_distance_is_symmetric_and_within_its_range(a: list[int], b: list[int]):
    for measure in (ks_distance, lambda x, y: js_distance([*map(str, x)], [*map(str, y)])):
        one, other = measure(a, b), measure(b, a)
        assert one.effect == pytest.approx(other.effect)
        assert 0 <= one.effect <= 1
        assert 0 < one.p <= 1
    assert ks_distance(a, a).p == 1


def test_a_chance_of_one_in_a_thousand_is_not_far_in_large_sets():
    rows = population(3000, 8)
    assert all(d.effect < 0.15 for d in compare(rows[:2500], rows[2500:], CheckContext(rows)).values())
