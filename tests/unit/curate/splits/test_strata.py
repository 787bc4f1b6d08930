"""Classes of rows, and shares of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.errors import InputError, UsageError
from sluice.core.rows import AnyRow, Example
from sluice.curate.splits.strata import NO_CLASS, classes, quotas


def rows_of(*targets: str | None) -> list[AnyRow]:
    return [Example(input={"n": n, "lang": "en"}, target=t) for n, t in enumerate(targets)]


def test_the_target_is_the_class_where_it_has_few_values():
    assert classes(rows_of(*"aaaaabbbbb"), None)[0] == list("aaaaabbbbb")
    assert classes(rows_of(*"aaaabbbbb"), None)[0] is None
    assert classes(rows_of(*map(str, range(51)), *map(str, range(51)), *"x" * 500), None)[0] is None
    assert classes(rows_of(None, None, None, None, None), None)[0] is None


def test_paths():
    rows = rows_of('{"category": "a", "n": {"k": 1}}', '{"category": "b"}', "no json")
    assert classes(rows, "target.category")[0] == ["a", "b", NO_CLASS]
    assert classes(rows, "target.n.k")[0] == ["1", NO_CLASS, NO_CLASS]
    assert classes(rows, "input.lang")[0] == ["en"] * 3
    with pytest.raises(InputError) as problem:
        classes(rows, "target.kategory")
    assert "target.category" in (problem.value.remedy or "")
    with pytest.raises(UsageError):
        classes(rows, "category")


@given(st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(0, 40)), st.integers(0, 100))
def test_quotas_add_up_and_are_in_proportion(sizes: dict[str, int], total: int):
    given_out = quotas(sizes, total)
    everything = sum(sizes.values())
    assert sum(given_out.values()) == min(total, everything)
    assert all(given_out[c] <= sizes[c] for c in sizes)
    if total <= everything:
        assert all(abs(given_out[c] - total * sizes[c] / everything) < 2 for c in sizes if everything)
