"""A rate carries n and interval; published values; bad scores are named."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sluice.core.errors import InputError
from sluice.evalsuite.stats.rates import Rate, as_scores, graded_mean, mean_rate, wilson


def test_wilson_agrees_with_r() -> None:
    # R binom.confint(18, 20), as kept in statsmodels' results_proportion.py
    assert wilson(18, 20).low == pytest.approx(0.6989663547715128, abs=1e-12)
    assert wilson(18, 20).high == pytest.approx(0.9721335187862318, abs=1e-12)


@settings(deadline=None)
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.05, 0.01]))
def test_wilson_equals_scipy_and_holds_the_estimate(counts: tuple[int, int], alpha: float) -> None:
    right, n = counts
    rate = wilson(right, n, alpha)
    expected = stats.binomtest(right, n).proportion_ci(1 - alpha, "wilson")
    assert (rate.low, rate.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert rate.low <= rate.estimate <= rate.high
    assert (rate.n, rate.alpha) == (n, alpha)


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-1.0, 1.0), (1.0, 5.0), (0.0, 0.5)])
def test_two_valued_scores_take_wilson_whatever_their_range(ends: tuple[float, float]) -> None:
    bottom, top = ends
    rate, plain = mean_rate([top] * 18 + [bottom] * 2, kind="binary", score_range=ends), wilson(18, 20)
    expected = [bottom + (top - bottom) * value for value in (plain.low, plain.estimate, plain.high)]
    assert [rate.low, rate.estimate, rate.high] == pytest.approx(expected)
    assert (rate.kind, rate.n) == ("wilson", 20)
    assert mean_rate([0.5] * 20, kind="graded") == graded_mean([0.5] * 20)


def test_graded_mean_is_the_t_interval_over_scores_and_both_ends() -> None:
    scores = [0.2, 0.9, 0.75, 1.0, 0.4]
    rate = graded_mean(scores)
    expected = stats.ttest_1samp([*scores, 0.0, 1.0], 0).confidence_interval(0.95)
    assert (rate.low, rate.high) == pytest.approx((max(0, expected.low), min(1, expected.high)))
    assert rate.estimate == pytest.approx(np.mean(scores))
    assert rate.kind == "adjusted-t"


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_graded_mean_holds_the_plain_mean_has_width_and_scales_with_the_range(scores: list[float]) -> None:
    rate = graded_mean(scores)
    assert 0 <= rate.low <= rate.estimate + 1e-12
    assert rate.estimate - 1e-12 <= rate.high <= 1
    assert rate.high > rate.low
    scaled = graded_mean([1 + 4 * score for score in scores], score_range=(1, 5))
    assert (scaled.low, scaled.estimate, scaled.high) == pytest.approx(
        (1 + 4 * rate.low, 1 + 4 * rate.estimate, 1 + 4 * rate.high), abs=1e-9
    )


def test_wilson_covers_where_the_t_interval_does_not() -> None:
    # Exact coverage at n = 50, p = .98: .922 published, .635 for the plain t interval.
    counts = np.arange(51)
    inside = [wilson(int(right), 50).low <= 0.98 <= wilson(int(right), 50).high for right in counts]
    assert float(stats.binom.pmf(counts, 50, 0.98) @ np.array(inside)) == pytest.approx(0.922, abs=5e-4)


@pytest.mark.parametrize("score", [None, math.nan, math.inf, -0.1, 1.1, "1"])
def test_a_score_that_is_none_is_refused_by_its_row(score: object) -> None:
    with pytest.raises(InputError) as caught:
        as_scores([1.0, score], (0, 1), name="scores", rows=["a", "b-17"])  # type: ignore[list-item]
    assert caught.value.where == "row b-17"
    assert caught.value.remedy


def test_zero_is_a_score_and_zero_rows_are_not() -> None:
    assert graded_mean([0.0, 0.0]).estimate == 0.0
    for call in (lambda: graded_mean([]), lambda: wilson(0, 0), lambda: wilson(3, 2)):
        with pytest.raises(InputError):
            call()


@pytest.mark.parametrize("score_range", [(1, 1), (1, 0), (0, math.inf), (math.nan, 1)])
def test_an_empty_range_is_refused(score_range: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="range"):
        graded_mean([0.5], score_range=score_range)


def test_a_rate_without_rows_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="n of at least 1"):
        Rate(estimate=0.5, n=0, low=0.4, high=0.6, alpha=0.05, kind="wilson")
