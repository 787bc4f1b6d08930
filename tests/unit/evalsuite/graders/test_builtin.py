"""The built-in graders against worked cases and laws."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.core.task import GraderConfig
from sluice.evalsuite.graders import grade_answer, make_grader


def grade(name: str, target, answer: str, *, schema=None, choices=(), cut: bool = False):
    grader = make_grader(GraderConfig(name=name, choices=list(choices)), schema=schema)
    return grade_answer(grader, input="i", target=target, answer=answer, cut=cut)


def f1(target, answer, *, lenient: bool = False) -> float:
    got = grade("fields_f1", json.dumps(target), answer if isinstance(answer, str) else json.dumps(answer))
    score = got.lenient if lenient else got.score
    assert score is not None
    return score


@pytest.mark.parametrize(
    "target, answer, score",
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, 1.0),
        ({"a": 1, "b": 2}, {"b": 2.0, "a": 1}, 1.0),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, 0.5),
        ({"a": 1, "b": 2}, {"a": 1}, 2 / 3),
        ({"a": 1}, {"a": 1, "b": 2, "c": 3}, 0.5),
        ({"a": 1}, {}, 0.0),
        ({"a": 1}, {"a": True}, 0.0),
        ({"a": 1}, {"a": "1"}, 0.0),
        ({"a": 1}, {"b": 1}, 0.0),
        ({"a": None, "b": 1}, {"b": 1}, 1.0),
        ({"a": None, "b": 1}, {"a": None, "b": 1}, 1.0),
        ({"a": None, "b": 1}, {"a": 7, "b": 1}, 2 / 3),
        ({"a": 7, "b": 1}, {"a": None, "b": 1}, 2 / 3),
        ({"a": None}, {"a": None}, 1.0),
        ({"a": None}, {}, 1.0),
        ({"a": None}, {"a": 1}, 0.0),
        ({}, {"a": []}, 1.0),
        ({"t": ["x", "x", "y"]}, {"t": ["y", "x", "x"]}, 1.0),
        ({"t": ["x", "x", "y"]}, {"t": ["x", "y"]}, 0.8),
        ({"t": ["x"]}, {"t": "x"}, 1.0),
        ({"t": [{"p": 1, "q": None}]}, {"t": [{"p": 1.0}]}, 1.0),
        ({"o": {"a": 1, "b": 2}}, {"o": {"a": 1, "b": 9}}, 0.5),
        ({"a.b": 1}, {"a": {"b": 1}}, 0.0),
        ({"s": "Lamp"}, {"s": " Lamp "}, 1.0),
        ({"s": "Lamp"}, {"s": "lamp"}, 0.0),
        ({"s": "caf\u00e9"}, {"s": "cafe\u0301"}, 1.0),
        ({"id": 12345678901234567890}, {"id": 12345678901234567891}, 0.0),
        ({"a": 0.1}, '{"a": 0.10}', 1.0),
    ],
)
def test_fields_f1(target, answer, score: float):
    assert f1(target, answer) == pytest.approx(score)


@pytest.mark.parametrize("answer", ["[]", "1", '"a"', "null", "no JSON", '[{"a": 1}]'])
def test_an_answer_that_is_no_object_scores_0_and_is_unparsed(answer: str):
    got = grade("fields_f1", '{"a": null}', answer)
    assert (got.score, got.answer_class) == (0.0, "unparsed")


@pytest.mark.parametrize("target", ["Paris", "[1]", "3", '{"a": 1, "a": 1}', '{"a": NaN}'])
def test_a_target_that_is_no_object_is_refused_even_when_the_answer_repeats_it(target: str):
    with pytest.raises(InputError, match="target"):
        grade("fields_f1", target, target)


def test_an_object_target_is_taken_as_it_is():
    assert grade("fields_f1", {"a": 1}, '{"a": 1}').answer_class == "right"


def test_leniently_case_quotes_and_prose_are_forgiven():
    target = {"s": "Lamp", "n": 4}
    assert f1(target, 'Here: {"s": "LAMP", "n": "4.0"} and so on', lenient=True) == 1.0
    assert f1(target, 'Here: {"s": "LAMP", "n": "4.0"} and so on') == 0.0


LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "A", "1", "", " a"])
FIELDS = st.dictionaries(
    st.sampled_from("abc"),
    LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.sampled_from("xy"), LEAVES),
    max_size=3,
)


@given(FIELDS, FIELDS)
def test_laws_of_the_row_f1(one: dict, other: dict):
    here, there = f1(one, other), f1(other, one)
    assert 0 <= here <= 1
    assert here == pytest.approx(there)
    assert f1(one, one) == 1.0
    assert f1(one, other, lenient=True) >= here
    if grade("exact_object", json.dumps(one), json.dumps(other)).score == 1:
        assert here == 1.0


@given(FIELDS, FIELDS)
def test_field_counts_add_up_to_the_row(one: dict, other: dict):
    got = grade("fields_f1", json.dumps(one), json.dumps(other))
    right, extra, missed = (sum(row[i] for row in got.detail["fields"].values()) for i in range(3))
    whole = 2 * right + extra + missed
    assert got.score == pytest.approx(2 * right / whole if whole else 1.0)


@pytest.mark.parametrize(
    "target, answer, score, lenient",
    [
        ('{"a": 1, "b": [1, 2]}', '{"b": [1, 2], "a": 1.0}', 1, 1),
        ('{"a": [1, 2]}', '{"a": [2, 1]}', 0, 0),
        ('{"a": null}', "{}", 0, 1),
        ('{"a": "X"}', '{"a": "x"}', 0, 1),
        ('{"a": "x"}', '{"a": "x "}', 0, 1),
        ('{"a": true}', '{"a": 1}', 0, 0),
        ("[1, 2]", "[1, 2]", 1, 1),
        ("null", "null", 1, 1),
        ('{"a": 1}', '```json\n{"a": 1}\n```', 1, 1),
        ('{"a": 1}', 'It is {"a": 1}.', 0, 1),
    ],
)
def test_exact_object(target: str, answer: str, score: float, lenient: float):
    got = grade("exact_object", target, answer)
    assert (got.score, got.lenient) == (score, lenient)


CHOICES = ("urgent", "not urgent", "Spam")


@pytest.mark.parametrize(
    "answer, score, lenient, answer_class",
    [
        ("not urgent", 1, 1, "right"),
        (' "Not Urgent". ', 1, 1, "right"),
        ("urgent", 0, 0, "wrong"),
        ("It is not urgent.", 0, 1, "unparsed"),
        ("It is not urgent, so not urgent it is", 0, 1, "unparsed"),
        ("not urgent or urgent?", 0, 0, "unparsed"),
        ("spam", 0, 0, "wrong"),
        ("urgently", 0, 0, "unparsed"),
        ("I'm sorry, I can't tell.", 0, 0, "refused"),
        ("", 0, 0, "refused"),
    ],
)
def test_choice(answer: str, score: float, lenient: float, answer_class: str):
    got = grade("choice", "Not urgent", answer, choices=CHOICES)
    assert (got.score, got.lenient, got.answer_class) == (score, lenient, answer_class)


def test_choice_takes_its_labels_from_an_enum():
    assert grade("choice", "b", "B", schema={"enum": ["a", "b"]}).answer_class == "right"


def test_choice_refuses_a_target_that_is_no_label_and_labels_that_are_one():
    with pytest.raises(InputError, match="none of the choices"):
        grade("choice", "billing", "billing", choices=CHOICES)
    with pytest.raises(InputError, match="one label"):
        grade("choice", "a", "a", choices=("a", "A."))
    with pytest.raises(InputError, match="two labels"):
        grade("choice", "a", "a", choices=("a",))


@given(st.text(min_size=1).filter(lambda t: t.strip(" \t\r\n\f\v\u00a0\ufeff") and t.strip()))
def test_exact_and_normalised_grant_the_target(text: str):
    for spelling in (text, f"\n{text} ", unicodedata.normalize("NFD", text)):
        assert grade("exact", text, spelling).score == 1.0
        assert grade("normalised", text, spelling).score == 1.0


def test_normalised_reads_the_first_line_leniently():
    got = grade("normalised", "Paris", "Answer: Paris\n\nQuestion: ...")
    assert (got.score, got.lenient) == (0.0, 1.0)
    assert grade("normalised", "Paris", "Well, Paris it is").lenient == 0.0


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}


@pytest.mark.parametrize(
    "answer, score, answer_class",
    [
        ('{"n": 3}', 1, "right"),
        ('{"n": 3.0}', 1, "right"),
        ('{"n": 3.5}', 0, "wrong"),
        ('{"n": 3, "m": 1}', 0, "wrong"),
        ("{}", 0, "wrong"),
        ("n = 3", 0, "unparsed"),
        ('{"n": 1e400}', 1, "right"),
        ('{"n": 1, "n": 2}', 0, "unparsed"),
    ],
)
def test_json_schema(answer: str, score: float, answer_class: str):
    got = grade("json_schema", None, answer, schema=SCHEMA)
    assert (got.score, got.answer_class) == (score, answer_class)


def test_json_schema_says_where():
    assert "n" in (grade("json_schema", None, '{"n": "x"}', schema=SCHEMA).message or "")


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"properties": 3}, {"required": "n"}])
def test_a_schema_that_is_no_schema_is_refused(schema: dict):
    with pytest.raises(InputError, match="no JSON schema"):
        make_grader(GraderConfig(name="json_schema"), schema=schema)


def test_a_reference_is_never_fetched():
    got = grade("json_schema", None, "{}", schema={"$ref": "http://127.0.0.1:9/x.json"})
    assert (got.score, got.answer_class) == (None, "error")


def test_fields_f1_reports_validity_beside_the_score():
    got = grade("fields_f1", '{"n": 1}', '{"n": 1, "m": null}', schema=SCHEMA)
    assert (got.score, got.detail["valid"]) == (1.0, False)
