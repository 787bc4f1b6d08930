"""The adjusted t interval against its definition, and the sign-flip p against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sluice.core.errors import InputError
from sluice.evalsuite.stats.graded import adjusted_bound, adjusted_interval, sign_flip_p

DIFFERENCES = st.lists(st.floats(-1, 1), min_size=1, max_size=60)


@settings(deadline=None)
@given(DIFFERENCES, st.sampled_from([0.05, 0.05 / 3]))
def test_interval_is_student_s_over_rows_and_pseudo_rows(differences: list[float], alpha: float) -> None:
    padded = [*differences, 1.0, -1.0]
    found = adjusted_interval(differences, alpha)
    expected = stats.ttest_1samp(padded, 0).confidence_interval(1 - alpha)
    assert (found.low, found.high) == pytest.approx((max(-1, expected.low), min(1, expected.high)), abs=1e-9)
    one_sided = stats.ttest_1samp(padded, 0, alternative="greater").confidence_interval(1 - alpha).low
    assert adjusted_bound(differences, alpha) == pytest.approx(max(-1, one_sided), abs=1e-9)


@settings(deadline=None)
@given(DIFFERENCES)
def test_interval_mirrors_and_holds_the_plain_mean(differences: list[float]) -> None:
    found, mirrored = adjusted_interval(differences), adjusted_interval([-d for d in differences])
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low), abs=1e-12)
    assert found.low - 1e-12 <= found.mean <= found.high + 1e-12
    assert sign_flip_p(differences) == sign_flip_p([-d for d in differences])


@pytest.mark.parametrize("n", [1, 20, 5000])
def test_no_difference_is_no_evidence(n: int) -> None:
    found = adjusted_interval([0.0] * n)
    assert found.low < 0 < found.high
    assert found.low == -found.high
    assert sign_flip_p([0.0] * n) == 1.0


def test_small_permutation_is_exact() -> None:
    rng = np.random.default_rng(4)
    d = rng.normal(0.1, 0.3, 9).clip(-1, 1)
    reference = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=10_000)
    assert sign_flip_p(np.append(d, [0.0, 0.0])) == pytest.approx(reference.pvalue, abs=1e-12)
    assert sign_flip_p([0.25] * 10) == pytest.approx(2 / 2**10)


def test_drawn_permutation_is_seeded_near_the_exact_one_and_never_zero() -> None:
    # Equal differences: the sign-flip test is the sign test, so the exact p is known at any n.
    d = [0.1] * 22 + [-0.1] * 10
    expected = stats.binomtest(10, 32).pvalue
    assert sign_flip_p(d) == pytest.approx(expected, abs=0.005)
    assert sign_flip_p(d, seed=7) == sign_flip_p(d, seed=7)
    assert sign_flip_p(d, seed=7) != sign_flip_p(d, seed=8)
    assert sign_flip_p([0.5] * 300, draws=10_000) == 1 / 10_001


@pytest.mark.parametrize("differences", [[], [0.1, float("nan")], [1.5], [float("inf")]])
def test_differences_that_cannot_be_are_refused(differences: list[float]) -> None:
    with pytest.raises(InputError):
        adjusted_interval(differences)
