"""The reading policy: fences, prose, several answers, numbers, and answers made to break a reader."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.evalsuite.graders.reading import find_json, looks_like_refusal, normalise, read_json, stands_as_words

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


@given(OBJECTS)
def test_bare_and_fenced_are_read_alike(value: dict):
    text = json.dumps(value)
    for answer in (text, f"\n {text} ", f"```json\n{text}\n```", f"```\n{text}```", f"~~~ JSON\r\n{text}\r\n~~~"):
        strict = read_json(answer)
        assert strict.found, strict.problem
        assert strict.value == value


@given(OBJECTS)
def test_prose_is_read_leniently_only(value: dict):
    text = json.dumps(value)
    for answer in (
        f"Sure: {text}",
        f"{text}\nMessage: next",
        f"A [1] note.\n```json\n{text}\n```\nDone.",
        f"{text}{text}",
    ):
        assert not read_json(answer).found
        assert find_json(answer).value == value


def test_of_several_objects_the_first_counts():
    assert find_json('so {"a": 1}\nor {"a": 2}').value == {"a": 1}
    assert find_json('use {braces} like {"a": 1}').value == {"a": 1}


@pytest.mark.parametrize(
    "answer",
    [
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 1}}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": "\\ud800"}',
        '{"a": 1e99999999999999999999}',
        '{"e\\u0301": 1, "\\u00e9": 2}',
        "[" * 100_000,
        '{"a":' * 5_000,
        "[" * 150 + "]" * 150,
        "{'a': 1}",
        '{"a": 1,}',
        "",
        "```\n```",
    ],
)
def test_what_cannot_be_read_exactly_is_not_read(answer: str):
    assert not read_json(answer).found
    assert read_json(answer).problem
    assert not find_json(answer).found


def test_numbers_keep_their_digits():
    assert read_json('{"id": 12345678901234567890}').value == {"id": 12345678901234567890}


@given(st.text())
def test_normalising_twice_changes_nothing(text: str):
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    "text, other, same",
    [
        ("  Paris. ", "paris", True),
        ("**Paris**", "“PARIS”", True),
        ("Straße", "STRASSE", True),
        ("two\n words", "two words", True),
        ("m²", "m2", True),
        ("-5", "5", False),
        ("−5", "5", False),
        ("5%", "5", False),
        (".5", "5", False),
        ("$5", "5", False),
        ("C#", "C", False),
        ("29.00", "29", False),
        ("!", "?", False),
    ],
)
def test_normalise(text: str, other: str, same: bool):
    assert (normalise(text) == normalise(other)) is same


@pytest.mark.parametrize(
    "label, text, times",
    [
        ("art", "a part of art, art", 2),
        ("a b", "x a b y", 1),
        ("好", "我觉得好吧", 1),
        ("긍정", "답은 긍정입니다", 1),
        ("no", "no_op", 0),
        ("c++", "i use c++ daily", 1),
    ],
)
def test_whole_words(label: str, text: str, times: int):
    assert len(stands_as_words(label, text)) == times


@pytest.mark.parametrize(
    "answer, refuses",
    [
        ("I'm sorry, but I can't help.", True),
        ("I can’t do that", True),
        ("", True),
        ("I can do that", False),
        ("Icy", False),
    ],
)
def test_refusals(answer: str, refuses: bool):
    assert looks_like_refusal(answer) is refuses
