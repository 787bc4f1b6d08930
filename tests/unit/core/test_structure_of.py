"""A text is a JSON object or list, or it is none: never a number, a broken text or one that would lose something."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from sluice.core.canonical import structure_of

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(values, st.sampled_from(["", " ", "\n"]))
def test_objects_and_lists_are_read_and_nothing_else_is(value, blanks):
    found = structure_of(blanks + json.dumps(value))
    assert found == (value if isinstance(value, dict | list) else None)


def test_what_cannot_be_read_exactly_is_none():
    for text in (None, "", "{", '{"a": 1, "a": 2}', "[NaN]", "12", "yes"):
        assert structure_of(text) is None
