"""What C writes of a plain value is what is written piece by piece, whatever the value."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sluice.core import canonical as module
from sluice.core.canonical import canonical, dump_exact
from sluice.core.chats import Message, Messages
from sluice.core.errors import InputError
from sluice.core.rows import Example, input_hash, input_json

marked = st.text(st.sampled_from('ab"\\\n\x1f\x7f/é<K\u212b\u0300\u0301\u0323\u0338\u0344\u1100\u1161\u11a8\ud800😀'))
texts = st.text() | marked
numbers = st.integers() | st.floats() | st.integers(10**17, 10**19) | st.decimals(allow_nan=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(texts, inner, max_size=4)
        | st.dictionaries(st.integers() | st.none() | st.booleans(), inner, max_size=1)
    ),
    max_leaves=12,
)


def told(write: Any, value: Any, **how: bool) -> Any:
    """The text, or what was refused."""
    try:
        return write(value, **how)
    except InputError as problem:
        return problem.message


@settings(max_examples=500)
@given(values, st.booleans(), st.booleans())
@example("\n\u0303", True, False)  # in its JSON text the mark follows the n of an escape
@example({"e\u0301": 1, "é": 2}, True, False)  # two keys that are one once composed
@example({"b": None, "a": None}, True, True)
@example([1.0, 100, True], True, False)
def test_both_ways_of_writing_are_one(value: Any, canonical_form: bool, drop_null: bool) -> None:
    how = {"canonical_form": canonical_form, "drop_null": drop_null}
    assert told(module._write, value, **how) == told(module._write_pieces, value, **how)


@given(st.dictionaries(texts, texts | st.integers(-9, 9) | st.lists(texts, max_size=3), max_size=4))
def test_the_quick_way_is_taken_for_plain_values_in_nfc(value: dict[str, Any]) -> None:
    assert module._is_plain(value, drop_null=True)
    assert not module._is_plain([value, 1.5], drop_null=True)
    assert not module._is_plain([value, {"a": None}], drop_null=True)
    assert not module._is_plain([value, Decimal(1)], drop_null=True)


def test_a_text_that_is_not_nfc_is_composed_wherever_it_stands() -> None:
    for text in ("e\u0301", "\u212b", "a\u0301\u0323", "\u1100\u1161"):
        whole = unicodedata.normalize("NFC", text)
        assert canonical(["\n", {text: [text]}]) == canonical(["\n", {whole: [whole]}])
        assert dump_exact([text]) != dump_exact([whole])


def test_what_is_too_deep_is_still_refused() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InputError, match="deep"):
        canonical(deep)


@given(texts.filter(lambda t: not any("\ud800" <= c <= "\udfff" for c in t)), st.none() | st.just("ann"))
def test_a_row_and_its_input_are_named_alike_in_any_order(text: str, name: str | None) -> None:
    def row() -> Example:
        return Example(input=Messages(turns=(Message(role="user", content=text, name=name),)), target=text)

    first, second = row(), row()
    assert (first.row, first.input_hash) == (second.input_hash and second.row, input_hash(second.input))
    turns = [t.model_dump(exclude_none=True) for t in row().input.turns]  # type: ignore[union-attr]
    assert input_json(row().input) == dump_exact({"messages": turns})
