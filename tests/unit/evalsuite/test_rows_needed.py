"""The n that could decide, and the n that would tell: right at n, wrong just below."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.evalsuite.stats.paired import gain_shown, not_worse_shown
from sluice.evalsuite.stats.power import chance_of_better, chance_of_not_worse, graded_gain
from sluice.evalsuite.stats.rows_needed import n_that_could_decide, n_that_would_tell_counts, n_that_would_tell_graded
from sluice.evalsuite.verdict import decide

TABLES = st.integers(1, 200).flatmap(
    lambda n: st.integers(0, n).flatmap(lambda b: st.tuples(st.just(b), st.integers(0, n - b), st.just(n)))
)


def test_by_hand() -> None:
    # 4 gains of 100 and no losses: 5:0 is the first that is shown, and it takes 125 rows.
    assert n_that_would_tell_counts(0, 4, 100, alpha=0.05) == 125
    assert n_that_would_tell_counts(4, 0, 100, alpha=0.05) is None
    assert n_that_would_tell_counts(3, 3, 100, alpha=0.05) is None
    # no change at all: z^2 / (n + z^2) < .05 with z = 1.645
    assert n_that_would_tell_counts(0, 0, 20, alpha=0.05, margin=0.05) == 52
    assert n_that_would_tell_counts(8, 3, 100, alpha=0.05, margin=0.05) is None


@settings(deadline=None)
@given(TABLES, st.sampled_from([0.05, 0.05 / 3]), st.sampled_from([None, 0.03, 0.1]))
def test_counts_are_shown_at_that_n_and_not_at_the_one_before(
    table: tuple[int, int, int], alpha: float, margin: float | None
) -> None:
    b, c, n = table
    found = n_that_would_tell_counts(b, c, n, alpha=alpha, margin=margin)
    if found is None:
        assert c - b <= -n * (margin or 0.0) + 1e-9
        return

    def shown(rows: int) -> bool:
        losses, gains = -(-rows * b // n), rows * c // n
        if margin is None:
            return bool(gain_shown(losses, gains, alpha))
        return bool(not_worse_shown(losses, gains, rows, margin, alpha))

    assert shown(found)
    assert found == n or not shown(found - 1)


@settings(max_examples=60, deadline=None)
@given(st.floats(-0.3, 0.3), st.floats(0.0, 0.6), st.integers(5, 200), st.sampled_from([None, 0.05]))
def test_graded_answer_agrees_with_the_decider_on_such_rows(
    mean: float, sd: float, n: int, margin: float | None
) -> None:
    found = n_that_would_tell_graded(mean, sd, n, alpha=0.05, margin=margin)
    if found is None:
        assert mean <= -(margin or 0.0) + 1e-6
        return
    for rows, expected in ((found - found % 2, None), (found + 2 - found % 2, True)):
        if rows < 2 or rows > 20_000 or abs(mean) + sd > 1:
            return
        # Half the rows at mean + sd, half at mean - sd, made from two score columns within [0, 1].
        d = [mean + sd] * (rows // 2) + [mean - sd] * (rows // 2)
        verdict = decide(
            [max(0.0, -value) for value in d],
            [max(0.0, value) for value in d],
            kind="graded",
            claim="better" if margin is None else "not-worse",
            margin=margin,
        )
        if expected:
            assert verdict.exit_code == 0
        elif n <= rows < found:
            assert verdict.exit_code != 0  # a claim of not-worse may meet "worse" before its bound is near enough


def test_could_decide_has_the_power() -> None:
    n = n_that_could_decide("binary", wanted=0.1)
    assert chance_of_better(n, 0.2, 0.1, 0.05) >= 0.8 > chance_of_better(n - 1, 0.2, 0.1, 0.05)
    n = n_that_could_decide("binary", wanted=0.05, claim="not-worse", openings=3)
    assert chance_of_not_worse(n, 0.2, 0, 0.05, 0.05 / 3) >= 0.8
    assert chance_of_not_worse(n - 1, 0.2, 0, 0.05, 0.05 / 3) < 0.8
    n = n_that_could_decide("graded", wanted=0.1)
    found, before = graded_gain(n, 0.3, 0.05), graded_gain(n - 1, 0.3, 0.05)
    assert found is not None
    assert before is not None
    assert found <= 0.1 < before


def test_a_gain_above_the_churn_means_any_gain() -> None:
    assert n_that_could_decide("binary", wanted=0.9) == n_that_could_decide("binary", wanted=0.2)
    with pytest.raises(InputError):
        n_that_could_decide("binary", wanted=0.0)
