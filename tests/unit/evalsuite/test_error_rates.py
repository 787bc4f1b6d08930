"""How often the decider says better or worse of two equals: 0/1 scores exactly, graded ones exactly or simulated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sluice.evalsuite.stats import paired
from sluice.evalsuite.stats.graded import adjusted_interval, adjusted_mean_and_error
from sluice.evalsuite.stats.power import _fewest_gains, chance_of_better, chance_of_not_worse
from sluice.evalsuite.verdict import decide

ROWS = (20, 25, 30, 40, 50, 70, 100, 140, 200)
DRAWS = 20_000
DOCS = (Path(__file__).parents[3] / "docs" / "gate.md").read_text().split("## How often a verdict is wrong")[1]


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


def _false_not_worse(n: int, margin: float, churns: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """Exact chance of not-worse at a true loss of the margin, at each churn: the rule is asked once a count."""
    changed = np.arange(n + 1)
    needed = _fewest_gains(changed, lambda b, c: paired.not_worse_shown(b, c, n, margin, alpha))
    gained = np.clip((churns - margin) / (2 * churns), 0, 1)
    weights = stats.binom.pmf(changed[:, None], n, churns)
    return (weights * stats.binom.sf(needed[:, None] - 1, changed[:, None], gained)).sum(axis=0)


def _worst_not_worse(alpha: float, margins: NDArray[np.float64]) -> tuple[float, int, float, float]:
    """The largest such chance over rows, margins and churns, with its place."""
    found = []
    for n in (*range(20, 31), *range(33, 201, 13)):
        for margin in margins:
            churns = np.unique([*np.linspace(margin, min(1, 1.5 * margin), 6), *np.linspace(margin, 1, 8)])
            chances = _false_not_worse(n, float(margin), churns, alpha)
            at = int(chances.argmax())
            found.append((float(chances[at]), n, float(margin), float(churns[at])))
    return max(found)


def test_the_fast_enumeration_of_not_worse_is_the_exact_one() -> None:
    for n, margin, churn in ((20, 0.07, 1.0), (22, 0.25, 1.0), (37, 0.1, 0.3), (50, 0.05, 0.05)):
        fast = float(_false_not_worse(n, margin, np.array([churn]), 0.05)[0])
        assert fast == pytest.approx(chance_of_not_worse(n, churn, -margin, margin, 0.05), abs=1e-9)


@pytest.mark.parametrize(
    "alpha, margins, n, share",
    [
        (0.05, np.arange(0.0025, 0.5001, 0.01), 20, "8.4%"),
        (0.05, np.arange(0.0075, 0.1001, 0.005), 20, "7.7%"),
        (0.05 / 3, np.arange(0.0075, 0.5001, 0.01), 22, "3.5%"),
    ],
)
def test_not_worse_is_said_of_a_true_loss_of_the_margin_as_often_as_the_docs_say(alpha, margins, n, share) -> None:
    # Tango's one-sided bound is approximate: with few rows and all of them changed it passes more than is meant.
    worst, rows, _, churn = _worst_not_worse(alpha, margins)
    assert (f"{worst:.1%}", rows, churn) == (share, n, 1.0)
    assert share in DOCS


def _two_point_errors(n: int, changed: float, gain: float, loss: float, alpha: float = 0.05) -> tuple[float, float]:
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
    half = stats.t.ppf(1 - alpha / 2, n + 1) * error
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


def _all_change_errors(n: int, gains: NDArray[np.float64], loss: float, alpha: float) -> NDArray[np.float64]:
    """Exact chances of better and worse, shape (2, gains), where every row changes by a gain or -loss, with mean 0."""
    won = np.arange(n + 1)[:, None]
    chance = stats.binom.pmf(won, n, loss / (gains + loss))
    mean = (won * gains - (n - won) * loss) / n
    square = (won * gains**2 + (n - won) * loss**2) / n
    centre, error = adjusted_mean_and_error(mean, np.sqrt(np.maximum(square - mean**2, 0)), n)
    half = stats.t.ppf(1 - alpha / 2, n + 1) * error
    return np.array([(chance * (centre - half > 0)).sum(axis=0), (chance * (centre + half < 0)).sum(axis=0)])


@pytest.mark.parametrize("openings, share, wrong", [(1, "6.5%", 0.03), (3, "3.5%", 0.011)])
def test_the_worst_law_of_graded_scores_is_as_bad_as_the_docs_say(openings: int, share: str, wrong: float) -> None:
    # Two-point laws with mean 0: worst where every row gains a little, and rarely one is ruined.
    alpha, gains = 0.05 / openings, np.arange(0.01, 0.5, 0.002)
    found = {
        (n, loss): _all_change_errors(n, gains, loss, alpha)
        for n in range(20, 201, 4)
        for loss in (0.3, 0.5, 0.7, 0.89, 1.0)
    }
    (_, loss), worst = max(found.items(), key=lambda item: item[1].max())
    assert (f"{worst[0].max():.1%}", loss) == (share, 1.0)
    assert share in DOCS
    assert gains[int(worst[0].argmax())] < 0.06
    assert max(chances[1].max() for chances in found.values()) <= wrong, "of a false loss it says little more"
    fewer = max(
        max(_two_point_errors(n, c, g, 1.0, alpha)) for n in (30, 100) for c in (0.3, 0.6) for g in (0.05, 0.18)
    )
    assert fewer < worst.max()


def test_the_enumeration_over_all_rows_is_the_one_over_those_that_change() -> None:
    both = _all_change_errors(30, np.array([0.18]), 0.89, 0.05)[:, 0]
    assert both == pytest.approx(_two_point_errors(30, 1.0, 0.18, 0.89), abs=1e-12)
