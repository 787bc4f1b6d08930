"""The sizes that an example of `split` names can be drawn, and half of the rows are left to train on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sluice.core.part_sizes import USUAL, fitting_sizes, size_options
from sluice.core.wording import counted


@given(st.integers(3, 10_000))
def test_they_fit_and_leave_rows_to_train_on(rows):
    eval_, dev = fitting_sizes(rows)
    assert 1 <= eval_ <= USUAL["eval"]
    assert 1 <= dev <= USUAL["dev"]
    assert rows - eval_ - dev >= 0.45 * rows - 1


def test_with_rows_enough_or_unknown_they_are_the_usual_ones():
    assert fitting_sizes(280) == fitting_sizes(100_000) == fitting_sizes(None) == (USUAL["eval"], USUAL["dev"])
    assert fitting_sizes(50)[0] >= 20  # what the gate asks for at least
    assert size_options(60) == "--eval 24 --dev 8"


def test_a_count_agrees_with_its_noun():
    assert [counted(n, "row") for n in (0, 1, 2, 1234)] == ["0 rows", "1 row", "2 rows", "1,234 rows"]
    assert [counted(n, "row is", "rows are") for n in (1, 2)] == ["1 row is", "2 rows are"]
