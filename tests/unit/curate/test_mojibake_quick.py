"""The quick look passes over no text that would be mended, at any depth."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from sluice.curate.formats import mojibake

twice = st.text(st.sampled_from("aß€é漢😀 ")).map(lambda t: t.encode().decode("latin-1"))
values = st.recursive(
    st.none() | st.text() | twice | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(values)
@example([{"role": "user", "content": "GrÃ¶ÃŸe"}])
@example({"a": [["plain"], {"b": "sehr schÃ¶n"}]})
def test_what_is_mended_was_doubtful(value: Any) -> None:
    better = mojibake._mend(value)
    found = mojibake.look({"c": value}, frozenset({"c"}), 3)
    assert (found is not None) == (better != value)
    if found is not None:
        assert found.mended == {"c": better}
        assert found.first.line == 3
