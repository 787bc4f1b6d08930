"""Groups count as one row each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.evalsuite.stats.groups import group_means


def test_means_come_in_order_of_first_appearance_and_a_missing_key_stands_alone() -> None:
    assert group_means([1.0, 0.0, -1.0, 0.5, 0.25], ["b", "a", "b", None, None]).tolist() == [0.0, 0.0, 0.5, 0.25]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-1, 1)), min_size=1, max_size=60))
def test_equal_to_numpy_group_by_group(rows: list[tuple[int, float]]) -> None:
    keys, values = zip(*rows, strict=True)
    expected = {key: np.mean([value for other, value in rows if other == key]) for key in dict.fromkeys(keys)}
    assert group_means(values, keys) == pytest.approx(list(expected.values()))


def test_a_key_for_each_row() -> None:
    with pytest.raises(InputError, match="1 group keys for 2 rows"):
        group_means([0.0, 1.0], ["a"])
    with pytest.raises(InputError):
        group_means([], [])
