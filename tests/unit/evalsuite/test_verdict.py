"""The one decider: its words, reasons, exit codes and refusals."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sluice.core.errors import InputError
from sluice.evalsuite.verdict import Verdict, decide

MIRROR = {"better": "worse", "worse": "better", "cannot-tell": "cannot-tell"}
GRADED = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40)
BINARY = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


def judge(losses: int, gains: int, n: int, **options) -> Verdict:
    """Return the verdict on 0/1 scores with these counts."""
    rest = [0] * (n - losses - gains)
    return decide([1] * losses + [0] * gains + rest, [0] * losses + [1] * gains + rest, kind="binary", **options)


def test_a_clear_gain_is_better_and_its_mirror_worse() -> None:
    better, worse = judge(6, 31, 140), judge(31, 6, 140)
    assert (better.word, better.exit_code, better.helped, better.hurt, better.tied) == ("better", 0, 31, 6, 103)
    assert better.sentence.startswith("helped 31, hurt 6 of 140: +0.18 [0.")
    assert better.sentence.endswith("], better")
    assert (worse.word, worse.exit_code) == ("worse", 1)
    assert worse.sentence.startswith("helped 6, hurt 31 of 140: -0.18 [-0.")
    assert better.n_that_would_tell is None
    assert not better.adjusted


@pytest.mark.parametrize("losses, gains", [(0, 4), (6, 15), (8, 18)])
@pytest.mark.parametrize("n", [30, 140])
def test_the_interval_alone_is_not_enough(losses: int, gains: int, n: int) -> None:
    for verdict in (judge(losses, gains, n), judge(gains, losses, n)):
        assert (verdict.word, verdict.exit_code) == ("cannot-tell", 4)
        assert "only the interval excludes 0" in verdict.why
        assert "mid-p" in verdict.why
        assert verdict.low > 0 or verdict.high < 0
        assert verdict.p >= 0.05
    assert judge(losses, gains, n).n_that_would_tell is not None
    assert judge(gains, losses, n).n_that_would_tell is None


@pytest.mark.parametrize("kind", ["binary", "graded"])
@pytest.mark.parametrize("n", [1, 20, 3000])
def test_no_difference_is_never_better_or_worse(kind, n: int) -> None:
    verdict = decide([1] * n, [1] * n, kind=kind)
    assert verdict.word == "cannot-tell"
    assert verdict.why == "all differences are zero"
    assert verdict.p == 1
    assert verdict.n_that_would_tell is None


def test_no_difference_shows_not_worse_where_the_rows_reach() -> None:
    assert judge(0, 0, 200, claim="not-worse", margin=0.05).word == "not-worse"
    few = judge(0, 0, 20, claim="not-worse", margin=0.05)
    assert (few.word, few.n_that_would_tell) == ("cannot-tell", 52)
    assert "all differences are zero" in few.why
    assert judge(0, 0, 52, claim="not-worse", margin=0.05).word == "not-worse"


def test_not_worse_by_the_margin_may_be_a_real_loss() -> None:
    verdict = judge(12, 1, 400, claim="not-worse", margin=0.06)
    assert verdict.high < 0
    assert (verdict.word, verdict.exit_code) == ("not-worse", 0)
    assert "not worse by the margin, and a real loss" in verdict.why
    assert verdict.sentence.endswith("not worse by the margin, and a real loss")
    # the same loss against a smaller margin
    assert judge(12, 1, 400, claim="not-worse", margin=0.02).word == "worse"
    assert judge(12, 1, 400).word == "worse"


def test_the_bound_of_not_worse_is_one_sided() -> None:
    verdict = judge(7, 7, 140, claim="not-worse", margin=0.1)
    assert verdict.bound is not None
    assert verdict.low < verdict.bound < verdict.difference
    between = (-verdict.low - verdict.bound) / 2
    assert judge(7, 7, 140, claim="not-worse", margin=between).word == "not-worse"
    assert judge(7, 7, 140, claim="not-worse", margin=-verdict.bound - 1e-6).word == "cannot-tell"


def test_openings_make_the_level_stricter() -> None:
    once, six = judge(6, 17, 140), judge(6, 17, 140, openings=6)
    assert once.word == "better"
    assert six.word == "cannot-tell"
    assert six.level == pytest.approx(1 - 0.05 / 6)
    assert six.low < once.low
    assert six.n_that_would_tell is not None
    assert six.n_that_would_tell > 140


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, None),
        ({"openings": 3}, "] (98.3%: alpha 0.05 over 3 openings), "),
        ({"openings": 6}, "] (99.2%: alpha 0.05 over 6 openings), "),
        ({"alpha": 0.4}, "] (60%: alpha 0.4), "),
        ({"alpha": 0.1, "openings": 2}, None),
        ({"openings": 3, "claim": "not-worse", "margin": 0.1}, "] (98.3%: alpha 0.05 over 3 openings), lower bound "),
    ],
)
def test_a_level_other_than_that_of_the_rates_stands_beside_the_interval(options, said) -> None:
    sentence = judge(6, 31, 140, **options).sentence
    assert (said is None and "%" not in sentence) or (said is not None and said in sentence), sentence


def test_graded_only_the_interval_decides() -> None:
    verdict = decide([0.0] * 20, [0.0] * 14 + [0.18] * 6, kind="graded")
    assert verdict.p == pytest.approx(2 / 64)
    assert verdict.word == "cannot-tell"
    assert "only the test is significant" in verdict.why
    assert verdict.adjusted
    assert "adjusted" in verdict.sentence
    assert decide([0.0] * 20, [0.6] * 20, kind="graded").word == "better"


def test_range_and_direction() -> None:
    low = decide([0.0] * 10 + [0.2] * 10, [0.5] * 20, kind="graded")
    stretched = decide([1.0] * 10 + [1.8] * 10, [3.0] * 20, kind="graded", score_range=(1, 5))
    assert (stretched.low, stretched.high, stretched.word) == pytest.approx((low.low, low.high, low.word))
    errors = decide([0.5] * 20, [0.0] * 10 + [0.2] * 10, kind="graded", higher_is_better=False)
    assert (errors.low, errors.high, errors.word) == pytest.approx((low.low, low.high, low.word))
    labels = decide([-1, -1, 1], [1, -1, -1], kind="binary", score_range=(-1, 1))
    assert (labels.helped, labels.hurt, labels.difference) == (1, 1, 0.0)


def test_groups_count_once_and_the_graded_rule_decides() -> None:
    # 40 rows of 4 documents, all gains in one of them: by rows a clear gain, by documents one of four.
    baseline, candidate = [0] * 40, [1] * 10 + [0] * 30
    keys = [row // 10 for row in range(40)]
    assert decide(baseline, candidate, kind="binary").word == "better"
    grouped = decide(baseline, candidate, kind="binary", groups=keys)
    assert (grouped.word, grouped.n, grouped.n_groups, grouped.adjusted) == ("cannot-tell", 40, 4, True)
    assert (grouped.helped, grouped.difference) == (10, 0.25)
    assert grouped.p_name == "sign-flip p"
    assert "40 rows in 4 groups" in grouped.sentence
    nobody = decide(baseline, candidate, kind="binary", groups=[None] * 40)
    assert (nobody.n_groups, nobody.word) == (None, "better")


@settings(deadline=None)
@given(BINARY, st.sampled_from([1, 3]))
def test_swapping_the_runs_mirrors_the_verdict_on_binary_scores(pairs: list[tuple[bool, bool]], openings: int) -> None:
    _mirrors(pairs, "binary", openings)


@settings(max_examples=50, deadline=None)
@given(GRADED, st.sampled_from([1, 3]))
def test_swapping_the_runs_mirrors_the_verdict_on_graded_scores(
    pairs: list[tuple[float, float]], openings: int
) -> None:
    _mirrors(pairs, "graded", openings)


def _mirrors(pairs, kind, openings: int) -> None:
    first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    one, other = (
        decide(first, second, kind=kind, openings=openings),
        decide(second, first, kind=kind, openings=openings),
    )
    assert other.word == MIRROR[one.word]
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), abs=1e-12)
    assert (other.helped, other.hurt, other.tied) == (one.hurt, one.helped, one.tied)
    assert one.p == other.p
    assert one.helped + one.hurt + one.tied == one.n == len(pairs)
    assert one.low - 1e-12 <= one.difference <= one.high + 1e-12


@settings(deadline=None)
@given(BINARY.filter(lambda pairs: any(not after for _, after in pairs)))
def test_one_more_right_answer_never_makes_the_word_worse(pairs: list[tuple[bool, bool]]) -> None:
    order = ["worse", "cannot-tell", "better"]
    baseline, candidate = [before for before, _ in pairs], [after for _, after in pairs]
    mended = list(candidate)
    mended[mended.index(False)] = True
    before, after = decide(baseline, candidate, kind="binary"), decide(baseline, mended, kind="binary")
    assert order.index(after.word) >= order.index(before.word)
    assert after.low >= before.low - 1e-12


def test_sums_of_decimals_are_ties() -> None:
    verdict = decide([0.3] * 5, [0.1 + 0.2] * 5, kind="graded")
    assert (verdict.tied, verdict.why) == (5, "all differences are zero")


def test_the_sentence_never_rounds_a_bound_onto_its_threshold() -> None:
    verdict = judge(6, 15, 140)
    assert 0 < verdict.low < 0.005
    assert "[0.00," not in verdict.sentence
    shown = judge(0, 0, 200, claim="not-worse", margin=0.0134)
    assert shown.word == "not-worse"
    assert shown.bound is not None
    assert "-0.01 for a margin of 0.01" not in shown.sentence


@pytest.mark.parametrize("bad", [None, math.nan, math.inf, 2.0, 0.5])
@pytest.mark.parametrize("side", [0, 1])
def test_a_missing_or_impossible_score_is_refused_by_row(bad, side: int) -> None:
    columns: list[list] = [[1, 0, 1], [1, 1, 1]]
    columns[side][1] = bad
    with pytest.raises(InputError) as caught:
        decide(*columns, kind="binary", rows=["r1", "r2", "r3"])
    assert caught.value.where == "row r2"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: decide([], [], kind="graded"), "zero rows"),
        (lambda: decide([1, 0], [1], kind="binary"), "2 scores, the candidate 1"),
        (lambda: decide([1], [1], kind="binary", claim="not-worse"), "margin"),
        (lambda: decide([1], [1], kind="binary", claim="not-worse", margin=-0.1), "margin"),
        (lambda: decide([1], [1], kind="binary", claim="not-worse", margin=math.nan), "margin"),
        (lambda: decide([1], [1], kind="binary", margin=0.1), "margin"),
        (lambda: decide([1], [1], kind="guess"), "kind"),  # type: ignore[arg-type]
        (lambda: decide([1], [1], kind="binary", claim="nice"), "claim"),  # type: ignore[arg-type]
        (lambda: decide([1], [1], kind="binary", alpha=0.9), "alpha"),
        (lambda: decide([1], [1], kind="binary", openings=0), "openings"),
        (lambda: decide([1], [1], kind="binary", groups=["a", "b"]), "group keys"),
        (lambda: decide([1], [1], kind="binary", rows=["a", "b"]), "row names"),
        (lambda: decide([1], [1], kind="graded", score_range=(1, 0)), "range"),
    ],
)
def test_questions_that_do_not_fit_are_refused(call, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert caught.value.remedy


def test_a_verdict_is_frozen_and_goes_through_json() -> None:
    verdict = judge(6, 31, 140)
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
    with pytest.raises(ValidationError):
        verdict.word = "worse"  # type: ignore[misc]


def test_importing_the_decider_loads_no_scipy() -> None:
    code = "import sys, sluice.evalsuite.verdict; print(any(name.startswith('scipy') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
