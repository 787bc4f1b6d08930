"""Agreement of two judges against published values."""

from __future__ import annotations

import pytest

from sluice.core.errors import InputError
from sluice.evalsuite.stats.agreement import agreement


def test_cohen_s_textbook_table() -> None:
    # The 50-proposal example of the literature (20 yes-yes, 5, 10, 15 no-no): raw .70, kappa .40.
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = agreement(first, second)
    assert found.agreed == 35
    assert found.rate.estimate == pytest.approx(0.70)
    assert found.kappa == pytest.approx(0.40)
    assert found.rate.low < 0.70 < found.rate.high
    assert found.rate.n == 50


def test_a_common_label_punishes_kappa_not_ac1() -> None:
    # Gwet 2008, table with 125 rows: 118 both positive, 5 and 2 disagreements, none both negative.
    first = [1] * 118 + [1] * 5 + [0] * 2
    second = [1] * 118 + [0] * 5 + [1] * 2
    found = agreement(first, second)
    assert found.kappa == pytest.approx(-0.0234, abs=5e-4)
    assert found.ac1 == pytest.approx(0.9408, abs=5e-4)


def test_one_label_only_has_no_chance_corrected_value() -> None:
    found = agreement([1] * 12, [1] * 12)
    assert found.rate.estimate == 1.0
    assert found.kappa is None
    assert found.ac1 is None


@pytest.mark.parametrize("first, second", [([], []), ([1], [1, 0]), ([1, None], [1, 1])])
def test_missing_judgements_are_refused(first: list[int | None], second: list[int]) -> None:
    with pytest.raises(InputError):
        agreement(first, second)
