"""Rows as things to ask about: fields of targets, labels that are known, one decision from a script."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.formats.records import ReadOptions
from sluice.curate.labels.choose import choose_question, find_question
from sluice.curate.labels.items import field_value, items_of, stored_labels, with_field
from sluice.curate.labels.log import read_log
from sluice.curate.labels.question import ask
from sluice.curate.labels.say import say

Scalar = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5)
Target = st.dictionaries(st.sampled_from("abc"), Scalar | st.dictionaries(st.sampled_from("abc"), Scalar), max_size=3)


@given(Target, st.sampled_from(["target.a", "target.b.c"]), st.text(max_size=6))
def test_a_label_that_is_put_into_a_target_is_read_there_and_nothing_else_changes(whole, field, label):
    target = json.dumps(whole)
    steps = field.split(".")[1:]
    if len(steps) == 2 and not isinstance(whole.get("b", {}), dict):
        with pytest.raises(InputError, match="no JSON object"):
            with_field(target, field, label)
        return
    after = with_field(target, field, label)
    assert field_value(after, field) == label
    rest = json.loads(after)
    place, before = (rest, whole) if len(steps) == 1 else (rest["b"], whole.get("b", {}))
    place.pop(steps[-1])
    assert place == {key: value for key, value in before.items() if key != steps[-1]}
    assert {k: v for k, v in rest.items() if k != steps[0]} == {k: v for k, v in whole.items() if k != steps[0]}


def test_a_number_stays_a_number():
    assert (
        with_field('{"urgency":2,"refund":true,"id":"7"}', "target.urgency", "3")
        == '{"urgency":3,"refund":true,"id":"7"}'
    )
    assert with_field('{"refund":true}', "target.refund", "false") == '{"refund":false}'
    assert with_field('{"id":"7"}', "target.id", "8") == '{"id":"8"}'
    assert with_field(None, "target.id", "8") == '{"id":"8"}'


def test_labels_come_from_rows_only_where_they_are_few():
    rows = [Example(input={"q": str(n)}, target="ab"[n % 2]) for n in range(5)]
    assert stored_labels(rows, "target") == ("a", "b")
    assert stored_labels([Example(input={"q": str(n)}, target=str(n)) for n in range(51)], "target") == ()
    assert stored_labels(rows[:1], "target") == ()


@pytest.fixture
def project(tmp_path) -> Project:
    lines = [
        {"body": "my invoice is wrong", "target": {"category": "billing", "urgency": 1}},
        {"body": "where is my parcel", "target": {"category": "shipping", "urgency": 2}},
        {"body": "hello there", "target": None},
    ]
    file = tmp_path / "t.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = Project(tmp_path)
    add(found, "t", [file], ReadOptions(input="body", target="target"))
    return found


def test_each_mode_asks_about_the_rows_that_fit_it(project):
    version = open_dataset(project, "t")
    assert [len(items_of(version, mode)) for mode in ("classify", "grade", "write", "compare")] == [3, 2, 1, 3]
    assert items_of(version, "classify")[0].answers == ()
    assert items_of(version, "grade")[0].answers[0].source == "target"
    with pytest.raises(UsageError, match="no field"):
        items_of(version, "grade", "input.body")


def test_a_question_is_found_again_and_its_labels_with_it(project):
    version = open_dataset(project, "t")
    question = choose_question(version, read_log(project), field="target.category")
    assert question.labels == ("billing", "shipping")
    row = version.rows()[2].row
    wider = choose_question(
        version, read_log(project), field="target.category", labels=("billing", "shipping", "other")
    )
    assert say(project, "t", row[:10], "other", wider, by="ana").changed
    assert choose_question(version, read_log(project), field="target.category") == wider
    assert find_question(read_log(project), "target.category") == find_question(read_log(project)) == wider
    assert find_question(read_log(project), wider.hash[:6]) == wider
    with pytest.raises(InputError, match="no question"):
        find_question(read_log(project), "colour")
    with pytest.raises(UsageError, match="neither the schema nor the rows"):
        choose_question(version, read_log(project), field="target.colour")


def test_saying_the_same_again_writes_nothing_and_another_word_is_added(project):
    question = ask("grade", written="w")
    row = open_dataset(project, "t").rows()[0].row
    assert say(project, "t", row[:8], "right", question, by="ana").changed
    assert not say(project, "t", row[:8], "right", question, by="ana").changed
    again = say(project, "t", row[:8], "wrong", question, by="ana")
    assert (again.changed, again.before) == (True, "right")
    assert len(read_log(project).judgements()) == 2
    assert len(read_log(project).last_words()) == 1


@pytest.mark.parametrize(
    ("word", "value", "message"),
    [("abc", "right", "begins with"), ("f" * 10, "right", "begins"), ("", "x", "no label")],
)
def test_a_decision_that_fits_nothing_is_refused_and_leaves_nothing(project, word, value, message):
    with pytest.raises(InputError, match=message):
        say(project, "t", word, value, ask("grade", written="w"), by="ana")
    assert not project.decisions.exists()
