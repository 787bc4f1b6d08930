from __future__ import annotations

import json
import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sluice.core.canonical import JsonProblem, canonical, dump_exact, parse_exact, sha256_hex
from sluice.core.errors import InputError

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def composed(value: Any) -> Any:
    """The value with every text in NFC, and every number as the digits that it is written with."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return ("number", Decimal(repr(value)))
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [composed(v) for v in value]
    if isinstance(value, dict):
        return {composed(k): composed(v) for k, v in value.items()}
    return value


def has_clashing_keys(value: Any) -> bool:
    if isinstance(value, list):
        return any(has_clashing_keys(v) for v in value)
    if isinstance(value, dict):
        clash = len({unicodedata.normalize("NFC", k) for k in value}) < len(value)
        return clash or any(has_clashing_keys(v) for v in value.values())
    return False


def shuffled(value: Any, draw: st.DataObject) -> Any:
    if isinstance(value, list):
        return [shuffled(v, draw) for v in value]
    if isinstance(value, dict):
        keys = draw.draw(st.permutations(list(value)))
        return {k: shuffled(value[k], draw) for k in keys}
    return value


@given(values, st.data())
def test_key_order_is_irrelevant_at_every_depth(value: Any, data: st.DataObject) -> None:
    assume(not has_clashing_keys(value))
    assert canonical(shuffled(value, data)) == canonical(value)


@given(values)
def test_canonical_text_is_json_of_the_composed_value(value: Any) -> None:
    assume(not has_clashing_keys(value))
    assert composed(parse_exact(canonical(value))) == composed(value)


@given(values)
def test_canonical_form_is_a_fixed_point(value: Any) -> None:
    assume(not has_clashing_keys(value))
    text = canonical(value)
    assert canonical(parse_exact(text)) == text


few_values = st.recursive(
    st.sampled_from([None, True, 1, 1.0, 0, -0.0, "", "1", "é", "e\u0301", "m²", "m2"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "é"]), inner, max_size=2),
    max_leaves=3,
)


@given(few_values, few_values)
def test_canonical_texts_are_equal_just_where_values_are(left: Any, right: Any) -> None:
    assert (canonical(left) == canonical(right)) == (composed(left) == composed(right))


@given(values)
def test_dump_keeps_value_key_order_and_text(value: Any) -> None:
    text = dump_exact(value)
    back = parse_exact(text)
    assert back == value
    assert json.dumps(back) == json.dumps(value)  # which shows the order of keys too
    assert dump_exact(back) == text


@given(texts)
def test_nfc_equal_texts_have_one_form_and_others_not(text: str) -> None:
    for form in ("NFC", "NFD"):
        assert canonical(unicodedata.normalize(form, text)) == canonical(text)


def test_compatibility_characters_stay_apart() -> None:
    assert canonical("m²") != canonical("m2")
    assert canonical("ﬁn") != canonical("fin")
    assert canonical("e\u0301") == canonical("é")


def test_dump_leaves_text_untouched() -> None:
    assert parse_exact(dump_exact({"e\u0301": "e\u0301 m²"})) == {"e\u0301": "e\u0301 m²"}
    assert dump_exact("e\u0301") != dump_exact("é")


def test_two_keys_that_compose_to_one_are_refused() -> None:
    with pytest.raises(InputError, match="NFC"):
        canonical({"é": 1, "e\u0301": 2})


@pytest.mark.parametrize(
    "spellings",
    [
        ["100", "100.0", "1e2", "1E+2", "1000e-1", "100.000"],
        ["0", "-0", "0.0", "-0.0", "0e5", "0e-400"],
        ["0.1", "1e-1", "0.10", "100e-3"],
        ["-12.5", "-1.25e1", "-125e-1"],
        ["1e400", "10e399", "1" + "0" * 400],
        ["1e22", "10000000000000000000000", "10000000000000000000000.0"],
        ["5e-324", "0.5e-323", "0." + "0" * 323 + "5"],
        ["1e500", "10e499", "1" + "0" * 500],
    ],
)
def test_equal_numbers_have_one_spelling(spellings: list[str]) -> None:
    assert len({canonical(parse_exact(s)) for s in spellings}) == 1


@given(st.integers(), st.integers(min_value=0, max_value=30))
def test_a_number_and_its_decimal_spellings_agree(whole: int, zeros: int) -> None:
    assert canonical(parse_exact(f"{whole}.{'0' * zeros}0")) == canonical(whole) == str(whole)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_spelt_by_their_shortest_form(number: float) -> None:
    text = canonical(number)
    assert float(text) == number
    assert Decimal(text) == Decimal(repr(number))


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_lose_no_digit(number: Decimal) -> None:
    assert Decimal(canonical(number)) == number
    back = parse_exact(dump_exact(number))
    assert Decimal(canonical(back)) == number


def test_integers_are_exact_at_any_size() -> None:
    big = 10**4999 + 7
    assert canonical(2**53 + 1) == "9007199254740993"
    assert canonical(12345678901234567) != canonical(12345678901234568)
    assert Decimal(canonical(big)) == Decimal(big)
    digits = "7" * 5000
    assert Decimal(dump_exact(parse_exact(digits))) == Decimal(digits)
    assert canonical(parse_exact(digits)) != canonical(parse_exact("7" * 4999 + "8"))


@pytest.mark.parametrize("literal", ["0.1000000000000000055", "3.141592653589793238462643", "1e400", "-2.5e-400"])
def test_literals_that_a_float_would_bend_keep_their_digits(literal: str) -> None:
    value = parse_exact(literal)
    assert isinstance(value, Decimal)
    assert value == Decimal(literal)


def test_true_is_not_one_and_text_is_not_a_number() -> None:
    assert len({canonical(v) for v in (True, 1, "1", "true", [1], None, "null", "")}) == 8


def test_null_equals_absent_in_objects_where_asked_and_never_in_lists() -> None:
    assert canonical({"a": 1, "b": None}, drop_null=True) == canonical({"a": 1}, drop_null=True)
    assert canonical({"a": {"b": None}}, drop_null=True) == canonical({"a": {}}, drop_null=True)
    assert canonical([{"b": None}], drop_null=True) == canonical([{}], drop_null=True)
    assert canonical([None, 1], drop_null=True) != canonical([1], drop_null=True)
    assert canonical({"a": None}) != canonical({})


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"o":{"a":1,"a":1}}',
        '[{"x":[{"k":null,"k":null}]}]',
        '{"a":1,"\\u0061":2}',
        "NaN",
        "[Infinity]",
        '{"a":-Infinity}',
        '"\\ud800"',
        '"\\udc00 tail"',
        '{"\\ud83d":1}',
        '["\\ud83d \\ude00"]',
        '"\ud800"',
        "1e99999999999999999999",
        "{",
        "",
        "01",
        "[1,]",
        "'a'",
        '"a\nb"',
        "\ufeff1",
        "1 2",
    ],
)
def test_what_cannot_be_read_exactly_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(JsonProblem) as problem:
        parse_exact(text)
    assert problem.value.reason


def test_the_reason_names_the_key_and_the_place() -> None:
    with pytest.raises(JsonProblem, match="'lang'"):
        parse_exact('{"a":{"lang":1,"lang":2}}')
    with pytest.raises(JsonProblem) as problem:
        parse_exact('{"a":1,\n "b":}')
    assert (problem.value.line, problem.value.column) == (2, 6)


def test_whole_surrogate_pairs_are_text() -> None:
    assert parse_exact('"\\ud83d\\ude00"') == "😀"


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("depth", [129, 1000, 200_000])
def test_deep_nesting_is_a_problem_and_never_a_recursion_error(opening: str, depth: int) -> None:
    closing = "]" if opening == "[" else "}"
    with pytest.raises(JsonProblem, match="deep"):
        parse_exact(opening * depth + "1" + closing * depth)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(parse_exact("[" + ",".join(["[]"] * 500) + "]")) == 500
    assert parse_exact("[" * 128 + "]" * 128)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity"), {1}, {1: 2}, b"x"])
def test_values_without_a_json_form_are_refused(value: Any) -> None:
    for write in (canonical, dump_exact):
        with pytest.raises(InputError):
            write([value])


def test_a_value_nested_without_end_is_an_input_error() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InputError, match="deep"):
        canonical(loop)


def test_a_hash_is_over_prefix_line_feed_and_text() -> None:
    import hashlib

    assert sha256_hex("p", "é") == hashlib.sha256(b"p\n\xc3\xa9").hexdigest()
    with pytest.raises(InputError, match="surrogate"):
        sha256_hex("p", "\ud800")
