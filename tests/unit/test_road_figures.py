"""The figures of the acceptance runs: slots counted over rows, and how low they may be by chance."""

from __future__ import annotations

from typing import Any

import pytest
from support.road import figures, slot_f1_upper

Pair = tuple[dict[str, Any] | None, dict[str, Any]]


def answered(right: int, n: int, slots: int = 3) -> list[Pair]:
    """Return n rows of so many slots each, of which the first rows are right and the others say nothing."""
    target = {"intent": "i", "slots": {str(s): "x" for s in range(slots)}}
    return [(target if row < right else None, target) for row in range(n)]


def test_slots_are_counted_over_all_rows() -> None:
    one: Pair = ({"intent": "i", "slots": {"a": "x", "b": "y"}}, {"intent": "i", "slots": {"a": "x", "c": "z"}})
    assert figures([one])["slot_f1"] == pytest.approx(0.5)
    assert figures([one, *answered(1, 1, slots=1)])["slot_f1"] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert figures(answered(0, 3))["slot_f1"] == 0


def test_the_bound_is_that_of_rows_and_tells_a_real_loss_from_chance() -> None:
    """Half of the rows right: F1 2/3, its standard error over 140 rows .038, so the bound is near .73."""
    assert slot_f1_upper(answered(70, 140)) == pytest.approx(0.667 + 1.645 * 0.038, abs=0.01)
    assert slot_f1_upper(answered(70, 140)) == slot_f1_upper(answered(70, 140)), "seeded"
    assert slot_f1_upper(answered(70, 140)) - 2 / 3 < slot_f1_upper(answered(10, 20)) - 2 / 3
    assert slot_f1_upper(answered(140, 140)) == 1
    assert slot_f1_upper(answered(42, 140)) < 0.54, "F1 .46 is significantly below"
    assert slot_f1_upper(answered(49, 140)) > 0.54, "F1 .52 is not"
