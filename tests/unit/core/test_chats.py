"""What is broken in a chat is refused with the number of its message; what is merely unusual passes whole."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.core.chats import weights_of
from sluice.core.errors import InputError
from sluice.core.rows import (
    Example,
    Messages,
    Preference,
    Unpaired,
    answer_turns,
    chat_input,
    chat_judged,
    chat_pair,
    chat_row,
    from_record,
    to_record,
)

U = {"role": "user", "content": "hello"}
A = {"role": "assistant", "content": "hi"}
TOOLS = [
    {"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {"n": {}}}}},
    {"name": "flat", "parameters": {}},
]


def call(*ids: str | None, name: Any = "find", arguments: Any = "{}") -> dict[str, Any]:
    calls = [{"type": "function", "function": {"name": name, "arguments": arguments}} for _ in ids]
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [c | ({"id": i} if i else {}) for c, i in zip(calls, ids, strict=True)],
    }


def tool(identity: str | None, content: str = "42") -> dict[str, Any]:
    return {"role": "tool", "content": content, **({"tool_call_id": identity} if identity else {})}


@pytest.mark.parametrize(
    "messages",
    [
        [U, call("a"), tool("a"), A],
        [U, call("a", "b"), tool("b"), tool("a"), A],
        [U, call("a"), U, A],
        [U, call("a"), tool("a"), call("a"), tool("a"), A],
        [U, call(None, None), tool(None), tool(None), A],
        [U, call(None), tool("x"), A],
        [U, call("a"), tool(None), A],
        [U, call("a", arguments={"n": [1, None]}), tool("a"), A],
        [U, call("a", arguments=None), tool("a"), A],
        [U, call("a", name="flat"), tool("a"), A],
        [A, U, U, A, A],
        [U, {**call("a"), "content": "let me look"}, tool("a", ""), A],
    ],
)
def test_what_is_unusual_passes_whole(messages: list[Any]):
    row = chat_row(messages, TOOLS)
    assert isinstance(row.input, Messages)
    assert len(row.input.turns) + 1 == len(messages)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([U, tool("a"), A], ("message 2", "open")),
        ([U, call("a"), tool("a"), tool("a"), A], ("message 4", "open")),
        ([U, call("a"), tool("b"), A], ("message 3", "'b'", "not open")),
        ([U, call("a"), tool(None), tool(None), A], ("message 4", "open")),
        ([U, call("a", arguments="{n: 1}"), tool("a"), A], ("message 2", "'find'", "not JSON")),
        ([U, call("a", arguments=""), tool("a"), A], ("message 2", "not JSON")),
        ([U, call("a", arguments='{"n":1,"n":2}'), tool("a"), A], ("message 2", "twice")),
        ([U, call("a", name="other"), tool("a"), A], ("message 2", "'other'", "not among the tools")),
        ([U, call("a", name=""), tool("a"), A], ("message 2", "without a name")),
        ([U, call("a", name=7), tool("a"), A], ("message 2", "without a name")),
        ([U, {"role": "assistant", "tool_calls": ["find"]}, A], ("message 2", "without a name")),
        ([U, {"role": "assistant", "tool_calls": [{"id": 5, "name": "find"}]}, A], ("message 2", "id", "int")),
        ([{**U, "tool_calls": call("a")["tool_calls"]}, A], ("message 1", "a user turn calls")),
        ([U, {**A, "weight": 2}], ("message 2", "weight is 2")),
        ([U, {**A, "weight": True}], ("message 2", "weight is True")),
        ([U, {**A, "weight": "0"}], ("message 2", "weight is '0'")),
    ],
)
def test_what_is_broken_is_refused_with_the_message_and_the_reason(messages: list[Any], words: tuple[str, ...]):
    with pytest.raises(InputError) as problem:
        chat_row(messages, TOOLS)
    assert all(word in problem.value.message for word in words)


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        ("find", ("not a list",)),
        ({"name": "find"}, ("not a list",)),
        ([{"type": "function", "function": {"parameters": {}}}], ("tool 1", "no name")),
        ([{"name": "a"}, {"name": ["b"]}], ("tool 2", "no name")),
        (["find"], ("tool 1", "no name")),
        ([{"name": "a"}, {"name": "a"}], ("two tools", "'a'")),
        ([{"name": "a", "parameters": []}], ("'a'", "no JSON Schema", "list")),
        ([{"name": "a", "parameters": {"type": "dict"}}], ("'a'", "no JSON Schema", "dict")),
        ([{"name": "a", "parameters": {"properties": {"x": {"type": 5}}}}], ("'a'", "properties/x/type")),
    ],
)
def test_tools_have_a_name_and_a_schema(tools: Any, words: tuple[str, ...]):
    with pytest.raises(InputError) as problem:
        chat_row([U, A], tools)
    assert all(word in problem.value.message for word in words)


def test_a_call_without_tools_is_unusual_only():
    assert chat_row([U, call("a", name="anything"), tool("a"), A]).target == "hi"


def test_a_closing_turn_of_weight_0_is_no_target_and_is_not_lost():
    row = chat_row([U, {**A, "weight": 0}])
    assert row == Example(input=chat_input([U, A]))
    assert row.target is None
    assert chat_row([U, {**A, "weight": 1}]) == chat_row([U, A])
    assert chat_row([U, {**A, "weight": 0}, U, {**A, "weight": 1}]).row == chat_row([U, A, U, A]).row
    assert weights_of([U, {**A, "weight": 0}, U, {**A, "weight": 1}]) == [None, 0, None, 1]
    assert weights_of([U, A]) is None


def test_answers_of_one_text_are_texts_and_all_others_are_turns():
    pair = chat_pair([U], [A], [{"role": "assistant", "content": "no"}])
    assert pair == Preference(input=chat_input([U]), chosen="hi", rejected="no")
    for answer in ([call("a"), tool("a"), A], [{**A, "name": "ana"}], [A, U, A], [call("a")]):
        turned = chat_pair([U], answer, [A], TOOLS)
        assert turned.answer_form == "turns"
        assert len(answer_turns("turns", turned.chosen)) == len(answer)
        assert [t.as_dict() for t in answer_turns("turns", turned.rejected)] == [A]
        judged = chat_judged([U], answer, False, TOOLS)
        for row in (turned, judged):
            record = to_record(row)
            assert record["target_form"] == "turns"
            assert from_record(record) == row
            assert from_record(record).row == row.row
    assert to_record(pair)["target_form"] is None
    assert [t.content for t in answer_turns(None, pair.chosen)] == ["hi"]


def test_an_answer_of_turns_is_another_row_than_its_text():
    turned = chat_judged([U], [A, U, A], True)
    text = Unpaired(input=turned.input, answer=turned.answer, good=True)
    assert turned.row != text.row
    assert turned.input_hash == text.input_hash


@pytest.mark.parametrize(
    ("chosen", "rejected", "words"),
    [
        ([U], [A], ("chosen", "begin")),
        ([A], [A, U], ("rejected", "end")),
        ([], [A], ("chosen", "empty")),
        ([A], [{"role": "assistant", "content": " "}], ("message 2", "says nothing")),
        ([tool("a")], [A], ("message 2", "open")),
    ],
)
def test_an_answer_is_the_assistants(chosen: list[Any], rejected: list[Any], words: tuple[str, ...]):
    with pytest.raises(InputError) as problem:
        chat_pair([U], chosen, rejected)
    assert all(word in problem.value.message for word in words)
