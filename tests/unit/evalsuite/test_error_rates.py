"""How often the decider says better or worse of two equals: 0/1 scores exactly, graded ones exactly or simulated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from sluice.evalsuite.stats.graded import adjusted_interval, adjusted_mean_and_error
from sluice.evalsuite.stats.power import chance_of_better, chance_of_not_worse
from sluice.evalsuite.verdict import decide

ROWS = (20, 25, 30, 40, 50, 70, 100, 140, 200)
DRAWS = 20_000


@pytest.mark.parametrize("alpha, rows", [(0.05, range(20, 201)), (0.05 / 3, ROWS)])
def test_zero_one_scores_err_at_most_half_alpha_a_side(alpha: float, rows: Sequence[int]) -> None:
    # Better and worse are mirror images, and so are the laws without a true difference: one side is both.
    worst = max(chance_of_better(n, churn, 0.0, alpha) for n in rows for churn in np.arange(0.02, 0.501, 0.02))
    assert worst <= alpha / 2
    assert worst > alpha / 4  # and the rule is no idle one


def test_zero_one_decider_is_the_rule_that_was_enumerated() -> None:
    # The sum over all tables of 20 rows through decide() itself.
    n, churn = 20, 0.4
    total = {"better": 0.0, "worse": 0.0}
    for b in range(n + 1):
        for c in range(n + 1 - b):
            words = decide([1] * b + [0] * (n - b), [0] * b + [1] * c + [0] * (n - b - c), kind="binary").word
            if words in total:
                total[words] += float(stats.multinomial.pmf([b, c, n - b - c], n, [churn / 2, churn / 2, 1 - churn]))
    assert total["better"] == pytest.approx(chance_of_better(n, churn, 0.0, 0.05), abs=1e-10)
    assert total["worse"] == pytest.approx(total["better"], abs=1e-12)


def test_not_worse_is_seldom_said_of_a_true_loss_of_the_margin() -> None:
    # Tango's one-sided bound at .05 is approximate; at the margin it errs a little above 5% at worst.
    worst = max(
        chance_of_not_worse(n, churn, -0.1, 0.1, 0.05)
        for n in range(20, 201, 4)
        for churn in np.arange(0.12, 0.5, 0.04)
    )
    assert 0.025 < worst <= 0.075


def _two_point_errors(n: int, changed: float, gain: float, loss: float) -> tuple[float, float]:
    """Exact chance of better and worse where changes are +gain or -loss with mean 0."""
    share = loss / (gain + loss)
    counts = np.arange(n + 1)
    gains, losses = (part.ravel() for part in np.meshgrid(counts, counts))
    fits = gains + losses <= n
    gains, losses = gains[fits], losses[fits]
    total = gains + losses
    chance = stats.binom.pmf(total, n, changed) * stats.binom.pmf(gains, total, share)
    mean = (gains * gain - losses * loss) / n
    square = (gains * gain**2 + losses * loss**2) / n
    centre, error = adjusted_mean_and_error(mean, np.sqrt(np.maximum(square - mean**2, 0)), n)
    half = stats.t.ppf(0.975, n + 1) * error
    return float(chance @ (centre - half > 0)), float(chance @ (centre + half < 0))


@pytest.mark.parametrize("changed", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("gain, loss", [(0.18, 0.89), (0.89, 0.18), (0.5, 0.5), (1.0, 1.0), (0.1, 0.1)])
def test_graded_scores_err_at_most_4_percent_a_side(changed: float, gain: float, loss: float) -> None:
    for n in ROWS:
        better, worse = _two_point_errors(n, changed, gain, loss)
        assert better <= 0.04, n
        assert worse <= 0.04, n


@pytest.mark.parametrize("changed", [0.1, 0.3, 0.6])
def test_graded_scores_with_any_size_of_change(changed: float) -> None:
    rng = np.random.default_rng(20)
    for n in ROWS:
        d = rng.uniform(-1, 1, (DRAWS, n)) * (rng.random((DRAWS, n)) < changed)
        centre, error = adjusted_mean_and_error(d.mean(axis=1), d.std(axis=1), n)
        half = stats.t.ppf(0.975, n + 1) * error
        # 20,000 draws: three standard errors at .04 are .0042
        assert float(np.mean(centre - half > 0)) <= 0.04 + 0.0042, n
        assert float(np.mean(centre + half < 0)) <= 0.04 + 0.0042, n


def test_the_vectorised_interval_of_these_tests_is_the_decider_s() -> None:
    rng = np.random.default_rng(3)
    for n in (20, 50):
        d = rng.choice([0.0, 0.18, -0.89], n, p=[0.4, 0.5, 0.1])
        centre, error = adjusted_mean_and_error(d.mean(), d.std(), n)
        half = stats.t.ppf(0.975, n + 1) * error
        verdict = decide(np.maximum(-d, 0).tolist(), np.maximum(d, 0).tolist(), kind="graded")
        assert (verdict.low, verdict.high) == pytest.approx((float(centre - half), float(centre + half)))
        assert verdict.low == adjusted_interval(d).low


def test_the_known_worst_law_is_as_bad_as_the_docs_say() -> None:
    # Two-point laws with mean 0, searched coarsely: worst where all rows change, nine small gains to one full loss.
    worst = max(
        max(_two_point_errors(n, changed, gain, loss))
        for n in (20, 30, 50, 100)
        for changed in (0.3, 0.6, 1.0)
        for gain in (0.05, 0.1, 0.18)
        for loss in (0.9, 1.0)
    )
    assert 0.05 < worst <= 0.065
