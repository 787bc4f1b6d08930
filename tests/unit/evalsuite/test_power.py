"""Power by enumeration of the rule that decides, against the published table and against simulation."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import stats

from sluice.core.errors import InputError
from sluice.evalsuite.stats import paired, power
from sluice.evalsuite.stats.graded import adjusted_bound, adjusted_interval
from sluice.evalsuite.stats.power import (
    SPREADS,
    chance_of_better,
    chance_of_not_worse,
    graded_gain,
    graded_margin,
    power_of,
    smallest_gain,
    smallest_margin,
    usual_gain,
)

# Smallest gain in points with 80% at two-sided mid-p .05, churn .1 to .4, in half points; None: cannot decide.
PUBLISHED = {
    20: (None, None, None, 36),
    30: (None, None, 26, 30.5),
    50: (None, 16.5, 21, 24.5),
    100: (8.5, 12.5, 15.5, 17.5),
    200: (6.5, 9, 11, 12.5),
}


@pytest.mark.parametrize("n", PUBLISHED)
def test_our_rule_reaches_the_published_gains(n: int) -> None:
    gains = [smallest_gain(n, churn, 0.05) for churn in SPREADS]
    assert [None if gain is None else np.ceil(gain * 200) / 2 for gain in gains] == list(PUBLISHED[n])


@pytest.mark.parametrize("n", PUBLISHED)
def test_so_does_mid_p_alone(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def mid_p_alone(losses: np.ndarray, gains: np.ndarray, alpha: float) -> np.ndarray:
        return (paired.mid_p(losses, gains) < alpha) & (gains > losses)

    monkeypatch.setattr(power.paired, "gain_shown", mid_p_alone)
    monkeypatch.setattr(power, "_better_tables", power._better_tables.__wrapped__)
    gains = [smallest_gain(n, churn, 0.05) for churn in SPREADS]
    assert [None if gain is None else np.ceil(gain * 200) / 2 for gain in gains] == list(PUBLISHED[n])


@pytest.mark.parametrize(
    "n, churn, gain, alpha", [(20, 0.4, 0.3, 0.05), (57, 0.2, 0.1, 0.05 / 3), (40, 0.3, -0.1, 0.05)]
)
def test_chances_equal_the_sum_over_all_tables(n: int, churn: float, gain: float, alpha: float) -> None:
    b, c = (part.ravel() for part in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    b, c = b[b + c <= n], c[b + c <= n]
    shares = [(churn - gain) / 2, (churn + gain) / 2, 1 - churn]
    chance = stats.multinomial.pmf(np.stack([b, c, n - b - c], axis=1), n, shares)
    assert chance_of_better(n, churn, gain, alpha) == pytest.approx(
        float(chance @ paired.gain_shown(b, c, alpha)), abs=1e-10
    )
    assert chance_of_not_worse(n, churn, gain, 0.15, alpha) == pytest.approx(
        float(chance @ paired.not_worse_shown(b, c, n, 0.15, alpha)), abs=1e-10
    )


def test_the_smallest_gain_and_margin_have_the_power_and_less_does_not() -> None:
    gain, margin = smallest_gain(100, 0.2, 0.05), smallest_margin(100, 0.2, 0.05)
    assert gain is not None
    assert margin is not None
    assert chance_of_better(100, 0.2, gain, 0.05) >= 0.8 > chance_of_better(100, 0.2, gain - 1e-6, 0.05)
    assert chance_of_not_worse(100, 0.2, 0, margin, 0.05) >= 0.8 > chance_of_not_worse(100, 0.2, 0, margin - 1e-6, 0.05)


@pytest.mark.parametrize("n", [20, 50, 100, 200])
def test_graded_formulas_have_about_the_power_they_promise(n: int) -> None:
    rng = np.random.default_rng(n)
    gain, margin = graded_gain(n, 0.2, 0.05), graded_margin(n, 0.2, 0.05)
    assert gain is not None
    assert margin is not None
    noise = rng.normal(0, 0.2, (2000, n))
    shown = [adjusted_interval(d).low > 0 for d in np.clip(noise + gain, -1, 1)]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.04)
    kept = [adjusted_bound(d) > -margin for d in np.clip(noise, -1, 1)]
    # For the margin the formula is cautious: it scales t se up although the pseudo-rows pull no true 0 anywhere.
    assert 0.8 - 0.03 <= np.mean(kept) <= 0.9


def test_graded_gain_by_hand() -> None:
    # n = 100, sd .3: (102/100) t(.975; 101) sqrt((100 * .09 + 2) / (101 * 102)) + .8416 * .3 / 10
    expected = 1.02 * stats.t.ppf(0.975, 101) * np.sqrt(11 / 10302) + stats.norm.ppf(0.8) * 0.03
    assert graded_gain(100, 0.3, 0.05) == pytest.approx(expected)
    assert graded_margin(100, 0.3, 0.05) < expected  # one-sided
    assert graded_gain(1, 0.4, 0.05) is None
    assert power_of("graded", 1).cannot_decide


def test_openings_cost_power_and_rows_buy_it() -> None:
    for kind in ("binary", "graded"):
        once, thrice, more = power_of(kind, 100), power_of(kind, 100, openings=3), power_of(kind, 150)
        for first, dearer, larger in zip(once.lines, thrice.lines, more.lines, strict=True):
            assert first.gain is not None
            assert dearer.gain is None or dearer.gain > first.gain
            assert larger.gain is not None
            assert larger.gain < first.gain
            assert first.margin is not None
            assert dearer.margin is not None
            assert dearer.margin > first.margin


def test_a_set_that_cannot_decide_says_so() -> None:
    assert power_of("binary", 12).cannot_decide
    assert not power_of("binary", 20).cannot_decide
    assert power_of("binary", 20).cannot_decide_margin(0.1)
    assert not power_of("binary", 200).cannot_decide_margin(0.06)


def test_the_usual_gain_is_read_at_churn_two_tenths_or_sd_three_tenths() -> None:
    assert usual_gain("binary", 100) == smallest_gain(100, 0.2, 0.05)
    assert usual_gain("binary", 20) is None
    assert usual_gain("graded", 100) == graded_gain(100, 0.3, 0.05)
    assert usual_gain("graded", 100, openings=6) == graded_gain(100, 0.3, 0.05 / 6)


def test_power_of_200_rows_is_quick() -> None:
    power._better_tables.cache_clear()
    started = time.perf_counter()
    power_of("binary", 200, openings=3)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: chance_of_better(0, 0.2, 0, 0.05),
        lambda: chance_of_better(20, 0.0, 0, 0.05),
        lambda: chance_of_better(20, 0.2, 0.3, 0.05),
        lambda: power_of("binary", 20, alpha=0.7),
        lambda: power_of("binary", 20, openings=0),
        lambda: graded_gain(0, 0.2, 0.05),
    ],
)
def test_impossible_questions_are_refused(call) -> None:
    with pytest.raises(InputError):
        call()
