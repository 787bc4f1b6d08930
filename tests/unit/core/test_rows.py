from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.canonical import parse_exact
from sluice.core.errors import InputError
from sluice.core.rows import (
    COLUMNS,
    AnyRow,
    Example,
    Message,
    Messages,
    Preference,
    Text,
    Unpaired,
    chat_input,
    chat_row,
    from_record,
    input_hash,
    input_texts,
    target_text,
    to_record,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
words = st.sampled_from(["a", "b", "é", "m²", "1", ""])
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
field_values = st.recursive(
    scalars, lambda s: st.lists(s, max_size=3) | st.dictionaries(words, s, max_size=3), max_leaves=6
)
fields = st.dictionaries(st.sampled_from(["subject", "body", "order id", "größe"]), field_values, max_size=4)
turns = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    content=texts,
    name=st.none() | words,
    tool_calls=st.none() | st.sampled_from(['[{"id":"1","function":{"name":"f","arguments":{"x":null}}}]']),
    tool_call_id=st.none() | words,
)
chats = st.builds(Messages, turns=st.lists(turns, min_size=1, max_size=4).map(tuple), tools=st.none() | st.just("[1]"))
inputs = fields | chats
rows = (
    st.builds(Example, input=inputs, target=st.none() | texts, target_form=st.sampled_from(["text", "call"]))
    | st.builds(Preference, input=inputs, chosen=texts, rejected=texts)
    | st.builds(Unpaired, input=inputs, answer=texts, good=st.booleans())
    | st.builds(Text, input=st.fixed_dictionaries({"text": texts}))
)


@given(rows, st.lists(words, max_size=3))
def test_a_record_holds_the_whole_row(row: AnyRow, groups: list[str]) -> None:
    record = to_record(row, groups)
    assert tuple(record) == COLUMNS
    assert record["groups"] == sorted(groups)
    back = from_record(record)
    assert back == row
    assert type(back) is type(row)
    assert (back.row, back.input_hash) == (row.row, row.input_hash) == (record["row"], record["input_hash"])
    assert to_record(back, groups) == record


@given(fields, st.data())
def test_field_order_does_not_name_an_input(content: dict[str, Any], data: st.DataObject) -> None:
    keys = data.draw(st.permutations(list(content)))
    assert input_hash({k: content[k] for k in keys}) == input_hash(content)


@given(fields)
def test_null_fields_equal_absent_ones(content: dict[str, Any]) -> None:
    present = {k: v for k, v in content.items() if v is not None}
    assert input_hash(content) == input_hash(present)
    assert input_hash(present | {"never seen": None}) == input_hash(present)


@given(texts, texts)
def test_unicode_forms_of_one_text_are_one_input(name: str, text: str) -> None:
    decomposed = {unicodedata.normalize("NFD", name): unicodedata.normalize("NFD", text)}
    assert input_hash(decomposed) == input_hash(
        {unicodedata.normalize("NFC", name): unicodedata.normalize("NFC", text)}
    )


def test_stored_text_is_untouched() -> None:
    row = Example(input={"text": "e\u0301"}, target="m²")
    back = from_record(to_record(row))
    assert isinstance(back, Example)
    assert back.input == {"text": "e\u0301"}
    assert back.input != {"text": "é"}
    assert back.target == "m²"


def test_numbers_in_fields_are_named_by_value() -> None:
    hashes = {input_hash({"n": n}) for n in (100, 100.0, parse_exact("1e2"), Decimal("100.00"))}
    assert len(hashes) == 1
    assert input_hash({"n": 100}) not in {input_hash({"n": "100"}), input_hash({"n": 101}), input_hash({"n": [100]})}
    assert input_hash({"n": 2**60}) != input_hash({"n": 2**60 + 1})


DIFFERENT: list[AnyRow] = [
    Example(input={"a": "x"}),
    Example(input={"a": "x"}, target=""),
    Example(input={"a": "x"}, target="null"),
    Example(input={"a": "x"}, target="x"),
    Example(input={"a": "x"}, target="X"),
    Example(input={"a": "x"}, target="x", target_form="call"),
    Example(input={"a": "x", "b": "x"}, target="x"),
    Example(input={"b": "x"}, target="x"),
    Example(input={"a": ["x"]}, target="x"),
    Example(input={"a": {"a": "x"}}, target="x"),
    Example(input={}, target="x"),
    Example(input={"a": [None]}, target="x"),
    Example(input={"a": []}, target="x"),
    Example(input={"a": True}, target="x"),
    Example(input={"a": 1}, target="x"),
    Example(input={"a": "1"}, target="x"),
    Preference(input={"a": "x"}, chosen="x", rejected="y"),
    Preference(input={"a": "x"}, chosen="y", rejected="x"),
    Unpaired(input={"a": "x"}, answer="x", good=True),
    Unpaired(input={"a": "x"}, answer="x", good=False),
    Text(input={"text": "x"}),
    Example(input={"text": "x"}),
    Example(input={"text": "x "}),
    Example(input=chat_input([{"role": "user", "content": "x"}])),
    Example(input=chat_input([{"role": "user", "content": "x", "name": "x"}])),
    Example(input=chat_input([{"role": "system", "content": "s"}, {"role": "user", "content": "x"}])),
    Example(input=chat_input([{"role": "developer", "content": "s"}, {"role": "user", "content": "x"}])),
    Example(input=chat_input([{"role": "user", "content": "x"}, {"role": "user", "content": "y"}])),
    Example(input=chat_input([{"role": "user", "content": "y"}, {"role": "user", "content": "x"}])),
    Example(input=chat_input([{"role": "user", "content": "x"}], tools=[{"name": "f"}])),
    Example(input=chat_input([{"role": "user", "content": "x"}], tools=[{"name": "f", "strict": None}])),
    Example(input={"turns": [{"role": "user", "content": "x"}]}),
]


def test_different_content_has_different_names() -> None:
    assert len({row.row for row in DIFFERENT}) == len(DIFFERENT)


def test_the_input_hash_is_of_the_input_alone() -> None:
    same = [r for r in DIFFERENT if r.input == {"a": "x"}]
    assert len(same) > 5
    assert len({r.input_hash for r in same}) == 1
    assert Text(input={"text": "x"}).input_hash == Example(input={"text": "x"}).input_hash


def test_fields_that_look_like_a_chat_stay_fields() -> None:
    row = Example(input={"turns": [{"role": "user", "content": "x"}], "tools": None})
    assert isinstance(row.input, dict)
    assert from_record(to_record(row)) == row


def test_tool_calls_are_named_by_value_and_kept_as_written() -> None:
    def row(arguments: str) -> Example:
        call = parse_exact('[{"id":"1","function":{"name":"f","arguments":' + arguments + "}}]")
        return Example(input=Messages(turns=(Message(role="user", content="x"), _call(call))))

    def _call(call: Any) -> Message:
        made = chat_row([{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": call}])
        assert made.target is not None
        return Message(**parse_exact(made.target))

    assert row('{"a":1,"b":2.0}').row == row('{"b":2,"a":1.0}').row
    assert row('{"a":1,"b":null}').row != row('{"a":1}').row
    assert '"b":2.0,"a":1' in (row('{"b":2.0,"a":1}').texts()["1.assistant"])


def test_a_changed_copy_has_a_name_of_its_own() -> None:
    row = Example(input={"a": "x"}, target="yes")
    first = row.row, row.input_hash
    changed = row.model_copy(update={"target": "no"})
    assert changed.row == Example(input={"a": "x"}, target="no").row != first[0]
    moved = row.model_copy(update={"input": {"a": "y"}})
    assert moved.input_hash == input_hash({"a": "y"}) != first[1]
    assert (row.row, row.input_hash) == first


def test_half_a_surrogate_pair_has_no_name() -> None:
    with pytest.raises(InputError, match="surrogate"):
        _ = Example(input={"a": "\ud800"}).row


def test_targets_become_text() -> None:
    assert target_text({"b": None, "a": [1, 2.0]}) == '{"b":null,"a":[1,2.0]}'
    assert target_text("  as it is\n") == "  as it is\n"
    assert target_text(0) == "0"
    assert target_text(False) == "false"
    assert target_text("") is None
    assert target_text(None) is None


def test_texts_name_their_place() -> None:
    row = Preference(input={"a": "x", "n": 3, "none": None}, chosen="good", rejected="")
    assert row.texts() == {"a": "x", "n": "3", "chosen": "good"}
    chat = chat_input([{"role": "system", "content": "s"}, {"role": "user", "content": "u"}])
    assert input_texts(chat) == {"0.system": "s", "1.user": "u"}


def test_a_text_row_has_one_field() -> None:
    for content in ({"text": "x", "more": "y"}, {"body": "x"}, {}):
        with pytest.raises((InputError, ValueError)):
            Text(input=content)


def test_an_unknown_kind_is_named() -> None:
    record = to_record(Example(input={"a": "x"})) | {"kind": "triple"}
    with pytest.raises(InputError, match="triple"):
        from_record(record)


U = {"role": "user", "content": "hello"}
A = {"role": "assistant", "content": "hi"}
S = {"role": "system", "content": "be kind"}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}
PARTS = {"role": "user", "content": [{"type": "text", "text": "he"}, {"type": "text", "text": "llo"}]}
TOOL = {"role": "tool", "content": "42", "tool_call_id": "1"}


@pytest.mark.parametrize(
    "messages, roles, target",
    [
        ([U, A], ["user"], "hi"),
        ([S, U, A], ["system", "user"], "hi"),
        ([S, {"role": "developer", "content": "d"}, U, A], ["system", "developer", "user"], "hi"),
        ([U, A, U], ["user", "assistant", "user"], None),
        ([U, U, A], ["user", "user"], "hi"),
        ([U, A, A], ["user", "assistant"], "hi"),
        ([A, U, A], ["assistant", "user"], "hi"),
        ([U, CALL, TOOL, A], ["user", "assistant", "tool"], "hi"),
        ([U, CALL, TOOL], ["user", "assistant", "tool"], None),
        ([U, {"role": "user", "content": ""}, A], ["user", "user"], "hi"),
        (
            [{"role": "user", "content": [{"type": "text", "text": "he"}, {"type": "text", "text": "llo"}]}, A],
            ["user"],
            "hi",
        ),
        ([U, {"role": "assistant", "content": "hi", "tool_calls": None, "weight": None}], ["user"], "hi"),
        ([U, {"role": "assistant", "content": " hi\n"}], ["user"], " hi\n"),
    ],
)
def test_chats_that_are_read(messages: list[Any], roles: list[str], target: str | None) -> None:
    row = chat_row(messages)
    assert isinstance(row.input, Messages)
    assert [t.role for t in row.input.turns] == roles
    assert row.target == target
    assert row.target_form == "text"
    kept = len(row.input.turns) + (target is not None)
    assert kept == len(messages), "no turn is lost"
    assert row.input.turns[0].content == (
        messages[0]["content"] if isinstance(messages[0]["content"], str) else "hello"
    )


def test_a_closing_call_is_the_target() -> None:
    variants = [{**CALL, "content": content} for content in (None, "")] + [
        {k: v for k, v in CALL.items() if k != "content"}
    ]
    found = [chat_row([U, v]) for v in variants]
    assert {r.target_form for r in found} == {"call"}
    assert len({r.row for r in found}) == 1, "null, empty and absent content beside a call are one"
    assert found[0].target is not None
    assert parse_exact(parse_exact(found[0].target)["tool_calls"]) == CALL["tool_calls"]


@pytest.mark.parametrize(
    "messages, word",
    [
        ([], "without a message"),
        ([A], "nobody speaks"),
        ([S, A], "nobody speaks"),
        ([S], "nobody speaks"),
        ([{"role": "user", "content": "  "}, A], "nobody speaks"),
        ([U, S, A], "message 2"),
        ([U, {"role": "bot", "content": "x"}], "unknown role 'bot'"),
        ([U, {"content": "x"}], "unknown role None"),
        ([{"role": ["user"], "content": "x"}, A], "unknown role"),
        ([U, TOOL, A], "message 2"),
        ([U, {"role": "assistant", "content": " "}], "message 2"),
        ([U, {"role": "assistant", "content": None}, U], "message 2"),
        ([U, {"role": "assistant", "content": "hi", "function_call": {"name": "f"}}], "function_call"),
        ([U, {"role": "assistant", "content": "hi", "reasoning_content": "hm"}], "reasoning_content"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}, A], "content part"),
        ([{"role": "user", "content": ["x"]}, A], "content part"),
        ([{"role": "user", "content": 5}, A], "content is int"),
        ([U, "hi"], "message 2 is not an object"),
        ([U, {"role": "assistant", "content": "x", "tool_calls": {"id": 1}}], "tool_calls is dict"),
        ([{"role": "user", "content": "x", "name": 5}, A], "name is int"),
    ],
)
def test_chats_that_are_set_aside_say_why(messages: list[Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        chat_row(messages)


def test_tools_travel_with_the_input() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"x": None}}}]
    row = chat_row([U, A], tools=tools)
    assert isinstance(row.input, Messages)
    assert parse_exact(row.input.tools or "") == tools
    assert row.input_hash != chat_row([U, A]).input_hash
    assert chat_row([U, A], tools=[]).row == chat_row([U, A]).row


def test_a_turn_for_a_template_has_calls_as_objects() -> None:
    row = chat_row([U, CALL, TOOL])
    assert isinstance(row.input, Messages)
    assert row.input.turns[1].as_dict() == {"role": "assistant", "content": "", "tool_calls": CALL["tool_calls"]}
    assert row.input.turns[2].as_dict() == TOOL
