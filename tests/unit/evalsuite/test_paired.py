"""McNemar, Tango and Newcombe against published values, and against each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sluice.core.errors import InputError
from sluice.evalsuite.stats.paired import (
    gain_shown,
    interval_excludes_zero,
    mid_p,
    not_worse_shown,
    tango_bound,
    tango_interval,
    tango_statistic,
)

TABLES = st.integers(1, 200).flatmap(
    lambda n: st.integers(0, n).flatmap(lambda b: st.tuples(st.just(b), st.integers(0, n - b), st.just(n)))
)
LEVELS = st.sampled_from([0.05, 0.05 / 3, 0.05 / 6])


def test_fagerland_example() -> None:
    # Fagerland, Lydersen and Laake 2013 and 2014: a=1, b=1, c=7, d=12, n=21; their difference is ours.
    assert float(mid_p(7, 1)) == pytest.approx(0.0391, abs=5e-5)
    assert 2 * stats.norm.sf(-float(tango_statistic(7, 1, 21, 0))) == pytest.approx(0.0339, abs=5e-5)
    assert tango_interval(7, 1, 21) == pytest.approx((-0.5172, -0.0260), abs=5e-5)


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(0, 300))
def test_mid_p_is_the_sign_test_less_half_a_point_a_side(b: int, c: int) -> None:
    reference = stats.binomtest(min(b, c), b + c).pvalue if b + c else 1.0
    point = float(stats.binom.pmf(min(b, c), b + c, 0.5)) if b + c else 0.0
    expected = 1.0 if b + c == 0 else 1 - point / 2 if b == c else reference - point
    assert float(mid_p(b, c)) == pytest.approx(expected, abs=1e-10)
    assert float(mid_p(b, c)) == float(mid_p(c, b))


@settings(deadline=None)
@given(TABLES, LEVELS)
def test_the_ends_solve_the_printed_equation(table: tuple[int, int, int], alpha: float) -> None:
    b, c, n = table
    z = stats.norm.ppf(1 - alpha / 2)
    low, high = tango_interval(b, c, n, alpha)
    for d, sign in ((low, 1), (high, -1)):
        if abs(d) > 1 - 1e-9:
            assert c - b == -sign * n  # only where all rows changed in one direction
            continue
        first, second, third = 2 * n, (2 * n - c + b) * d - b - c, -b * d * (1 - d)
        q = (np.sqrt(max(second**2 - 4 * first * third, 0)) - second) / (2 * first)
        assert c - b - n * d == pytest.approx(sign * z * np.sqrt(max(n * (2 * q + d * (1 - d)), 0)), abs=1e-5)


@settings(deadline=None)
@given(TABLES, LEVELS)
def test_interval_holds_the_estimate_mirrors_and_agrees_with_the_rule(
    table: tuple[int, int, int], alpha: float
) -> None:
    b, c, n = table
    low, high = tango_interval(b, c, n, alpha)
    assert -1 <= low <= (c - b) / n <= high <= 1
    assert tango_interval(c, b, n, alpha) == pytest.approx((-high, -low), abs=1e-12)
    assert bool(interval_excludes_zero(b, c, alpha)) == (low > 0)
    assert bool(interval_excludes_zero(c, b, alpha)) == (high < 0)
    assert low < tango_bound(b, c, n, alpha) or low == -1  # one-sided is nearer


@settings(deadline=None)
@given(TABLES, LEVELS, st.floats(0.001, 0.5))
def test_not_worse_is_the_one_sided_bound_above_the_margin(
    table: tuple[int, int, int], alpha: float, margin: float
) -> None:
    b, c, n = table
    bound = tango_bound(b, c, n, alpha)
    if abs(bound + margin) > 1e-9:
        assert bool(not_worse_shown(b, c, n, margin, alpha)) == (bound > -margin)


@settings(deadline=None)
@given(TABLES, LEVELS)
def test_more_gains_or_fewer_losses_never_lower_the_interval(table: tuple[int, int, int], alpha: float) -> None:
    b, c, n = table
    low, high = tango_interval(b, c, n, alpha)
    neighbours = [(b - 1, c)] if b else []
    neighbours += [(b, c + 1)] if b + c < n else []
    for fewer, more in neighbours:
        better_low, better_high = tango_interval(fewer, more, n, alpha)
        assert better_low >= low - 1e-9
        assert better_high >= high - 1e-9
        assert bool(gain_shown(fewer, more, alpha)) or not bool(gain_shown(b, c, alpha))


@pytest.mark.parametrize("n", [1, 20, 140])
def test_no_change_has_the_closed_interval(n: int) -> None:
    z2 = stats.norm.ppf(0.975) ** 2
    assert tango_interval(0, 0, n) == pytest.approx((-z2 / (n + z2), z2 / (n + z2)))


@pytest.mark.parametrize("b, c", [(0, 4), (6, 15), (8, 18)])
def test_where_tango_alone_is_too_eager_the_rule_is_not(b: int, c: int) -> None:
    assert bool(interval_excludes_zero(b, c, 0.05))
    assert not bool(gain_shown(b, c, 0.05))


def test_tango_covers_where_the_t_interval_does_not() -> None:
    # Exact coverage at n = 20, losses .10, gains .02: Tango .983 published, .876 for t over the differences.
    b, c = (part.ravel() for part in np.meshgrid(np.arange(21), np.arange(21)))
    b, c = b[b + c <= 20], c[b + c <= 20]
    chance = stats.multinomial.pmf(np.stack([b, c, 20 - b - c], axis=1), 20, [0.10, 0.02, 0.88])
    z = stats.norm.ppf(0.975)
    inside = np.abs(tango_statistic(b, c, 20, -0.08)) <= z
    assert float(chance @ inside) == pytest.approx(0.983, abs=5e-4)


@pytest.mark.parametrize("counts", [(0, 0, 0), (-1, 0, 5), (3, 3, 5)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(InputError):
        tango_interval(*counts)
    with pytest.raises(InputError):
        tango_bound(*counts)
