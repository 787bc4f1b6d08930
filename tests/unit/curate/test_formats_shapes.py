"""Which columns make a row: told by the user or by their names, and refused with the exact flag otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice.core.errors import InputError
from sluice.core.rows import Example, Messages
from sluice.curate.formats import ReadOptions, ReadResult, read_file

USER = {"role": "user", "content": "hi"}
ANSWER = {"role": "assistant", "content": "ho"}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}


def read(folder: Path, *records: Any, **options: str) -> ReadResult:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in records))
    return read_file(path, ReadOptions(**options))


def example(result: ReadResult, index: int = 0) -> Example:
    row = result.rows[index].row
    assert isinstance(row, Example)
    return row


def test_messages(tmp_path: Path):
    result = read(tmp_path, {"messages": [USER, ANSWER], "tools": [{"name": "f"}], "id": 7})
    assert result.shape == "messages"
    row = example(result)
    assert isinstance(row.input, Messages)
    assert [t.as_dict() for t in row.input.turns] == [USER]
    assert (row.target, row.input.tools) == ("ho", '[{"name":"f"}]')
    assert result.rows[0].metadata == {"id": 7}


def test_a_call_as_target_and_lists_as_json_text(tmp_path: Path):
    plain = example(read(tmp_path, {"messages": [USER, CALL], "tools": [{"name": "f"}]}))
    texts = example(read(tmp_path, {"messages": json.dumps([USER, CALL]), "tools": json.dumps([{"name": "f"}])}))
    assert plain.target_form == "call"
    assert plain == texts
    flat = {**CALL, "content": "", "tool_calls": json.dumps(CALL["tool_calls"])}
    assert example(read(tmp_path, {"messages": [USER, flat], "tools": [{"name": "f"}]})).row == plain.row


SHAREGPT = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "the answer"}]


@pytest.mark.parametrize("options", [{"input": "conversations"}, {"input": "conversations", "target": "score"}])
def test_sharegpt_named_as_input_is_refused_so_that_the_answer_never_is_an_input(tmp_path: Path, options):
    with pytest.raises(InputError) as problem:
        read(tmp_path, {"id": 1, "conversations": SHAREGPT, "score": 2}, **options)
    assert "ShareGPT" in problem.value.message
    assert "leave --input" in (problem.value.remedy or "")


def test_from_and_value_that_are_no_talk_are_fields_like_others(tmp_path: Path):
    result = read(tmp_path, {"steps": [{"from": 1, "value": 2}]}, input="steps")
    assert example(result).input == {"steps": [{"from": 1, "value": 2}]}


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "without a message"),
        (None, "no messages"),
        ("", "no messages"),
        ("not json", "is a text, not a list"),
        ("[not json", "broken JSON"),
        ('{"role": "user"}', "not a list"),
        ([ANSWER], "without an input"),
        ([USER, {"role": "bot", "content": "x"}], "unknown role 'bot'"),
        ([USER, {"role": "system", "content": "x"}], "after the talk began"),
        ([USER, {"role": "assistant", "content": ""}], "says nothing"),
        ([USER, {"role": "assistant", "content": 5}], "not text"),
        ([USER, {"role": "user", "content": [{"type": "image_url"}]}], "not text"),
        ([USER, {"role": "tool", "content": "x"}], "without an open tool call"),
        ([USER, {**ANSWER, "name": 5}], "name is int"),
        ([USER, {**ANSWER, "weight": 2}], "weight is 2, not 0 or 1"),
        ([USER, {"role": "assistant", "tool_calls": "nope"}], "tool_calls: broken JSON"),
        ([USER, {"role": "assistant", "tool_calls": {"a": 1}}], "tool_calls is dict"),
        (["hi"], "not an object"),
    ],
)
def test_a_chat_is_whole_or_set_aside(tmp_path: Path, messages: Any, reason: str):
    result = read(tmp_path, {"messages": [USER, ANSWER]}, {"messages": messages}, {"messages": [USER]})
    assert [r.line for r in result.rows] == [1, 3]
    assert example(result, 1).target is None
    (aside,) = result.set_aside
    assert (aside.line, json.loads(aside.raw)) == (2, {"messages": messages})
    assert reason in aside.reason


def test_prompt_completion(tmp_path: Path):
    result = read(
        tmp_path,
        {"prompt": "p", "completion": "c", "id": 1},
        {"prompt": "p", "completion": None},
        {"prompt": "p"},
        {"prompt": "p", "completion": {"b": None, "a": [1]}},
        {"prompt": [USER], "completion": [ANSWER]},
        {"prompt": [USER], "completion": "ho"},
        {"prompt": [USER, ANSWER]},
        {"prompt": [USER], "completion": [CALL], "tools": [{"name": "f"}]},
    )
    assert (result.shape, result.set_aside) == ("prompt-completion", [])
    rows = [example(result, i) for i in range(8)]
    assert rows[0].input == {"prompt": "p"}
    assert [r.target for r in rows[:4]] == ["c", None, None, '{"b":null,"a":[1]}']
    assert rows[4].row == rows[5].row == example(read(tmp_path, {"messages": [USER, ANSWER]})).row
    assert isinstance(rows[6].input, Messages)
    assert [t.as_dict() for t in rows[6].input.turns] == [USER, ANSWER]
    assert rows[6].target is None
    assert rows[7].target_form == "call"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"prompt": "p", "completion": [ANSWER]}, "the prompt is no list"),
        ({"prompt": [USER], "completion": [USER]}, "does not end with an assistant"),
        ({"prompt": "p", "completion": "c", "tools": [{"name": "f"}]}, "tools beside"),
        ({"prompt": "", "completion": "c"}, "no input"),
        ({"completion": "c"}, "no input"),
        ({"prompt": [], "completion": "c"}, "no input"),
    ],
)
def test_a_pair_that_does_not_fit_is_set_aside(tmp_path: Path, record: Any, reason: str):
    result = read(tmp_path, {"prompt": "p", "completion": "c"}, record)
    assert len(result.rows) == 1
    assert reason in result.set_aside[0].reason


def test_named_columns(tmp_path: Path):
    record = {"subject": "s", "body": "b", "label": {"x": 1}, "customer": "ana"}
    result = read(tmp_path, record, {"body": "b"}, {"subject": "s", "body": None}, input="subject,body", target="label")
    assert [r.row.input for r in result.rows] == [{"subject": "s", "body": "b"}, {"body": "b"}, {"subject": "s"}]
    assert [example(result, i).target for i in range(3)] == ['{"x":1}', None, None]
    assert result.rows[0].metadata == {"customer": "ana"}


def test_a_column_with_a_comma_and_one_called_like_a_field_of_a_model(tmp_path: Path):
    record = {"a,b": "x", "turns": ["y"], "tools": "z"}
    assert read(tmp_path, record, input="a,b").rows[0].row.input == {"a,b": "x"}
    assert read(tmp_path, record, input="turns, tools").rows[0].row.input == {"turns": ["y"], "tools": "z"}
    with pytest.raises(InputError, match="'a'"):
        read(tmp_path, record, input="a,turns")


def test_zero_and_false_are_values(tmp_path: Path):
    result = read(
        tmp_path, {"body": 0, "t": 0}, {"body": False, "t": False}, {"body": [], "t": 1}, input="body", target="t"
    )
    assert [r.row.input for r in result.rows] == [{"body": 0}, {"body": False}]
    assert [example(result, i).target for i in range(2)] == ["0", "false"]
    assert result.set_aside[0].line == 3


def test_a_named_chat_column_is_a_chat(tmp_path: Path):
    result = read(tmp_path, {"talk": [USER, ANSWER, USER], "label": "angry"}, input="talk", target="label")
    row = example(result)
    assert isinstance(row.input, Messages)
    assert (len(row.input.turns), row.target) == (3, "angry")


@pytest.mark.parametrize(
    ("record", "options", "says", "remedy"),
    [
        ({"body": "x", "category": "y"}, {}, "body, category", "--input body --target category"),
        ({"words": "x"}, {}, "words", "--input words"),
        ({"text": "x", "id": 1}, {}, "text", "--shape text"),
        ({"body": "x"}, {"input": "bodi"}, "'bodi'", "'body'"),
        ({"body": "x"}, {"input": "BODY"}, "'BODY'", "'body'"),
        ({"body": "x", "label": "y"}, {"input": "body", "target": "lable"}, "'lable'", "'label'"),
        ({"body": "x", "label": "y"}, {"target": "label"}, "--target", "--input body"),
        ({"body": "x"}, {"input": "body", "target": "body"}, "both", "different"),
        ({"body": "x"}, {"input": " , "}, "no column", "body"),
        ({"question": "x", "chosen": "y", "rejected": "z"}, {}, "no prompt", "--shape preference --input question"),
    ],
)
def test_columns_that_say_nothing_get_the_exact_flag(
    tmp_path: Path, record: Any, options: dict[str, str], says: str, remedy: str
):
    with pytest.raises(InputError) as caught:
        read(tmp_path, record, **options)
    assert says in caught.value.message
    assert remedy in (caught.value.remedy or "")


def test_input_and_target_are_known_by_name(tmp_path: Path):
    result = read(tmp_path, {"input": "x", "target": "y"})
    assert result.shape == "input-target"
    assert (example(result).input, example(result).target) == ({"input": "x"}, "y")
