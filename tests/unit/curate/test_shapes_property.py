"""Conversations written in each shape by a small writer of the test are read as the same rows."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.core.rows import AnyRow, Example, Preference, Text, Unpaired, answer_turns, chat_row
from sluice.curate.formats import ReadOptions, ReadResult, read_file

letters = st.text(st.characters(exclude_categories=["Cs"]), max_size=16)
said = letters.filter(lambda t: bool(t) and not t.isspace())
metadata = st.dictionaries(st.sampled_from(["id", "when"]), st.integers() | letters | st.booleans(), max_size=2)
CALL = {"name": "find", "arguments": {"order": 7}}
TOOLS = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}]
Turn = tuple[str, Any]  # (user | assistant | call | tool, what is said)


@st.composite
def talks(draw: st.DrawFn, *, open_end: bool = True) -> list[Turn]:
    """Turns from a user on, an answer at the end (or, where that is open, perhaps none)."""
    turns: list[Turn] = []
    for _ in range(draw(st.integers(1, 3))):
        turns.append(("user", draw(said)))
        if draw(st.booleans()):
            turns += [("call", {**CALL, "arguments": {"order": draw(letters)}}), ("tool", draw(letters))]
        turns.append(("assistant", draw(said)))
    return turns[:-1] if open_end and draw(st.booleans()) else turns


conversations = st.tuples(st.none() | said, talks())


def openai(turns: list[Turn], system: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"role": "system", "content": system}] if system is not None else []
    for kind, value in turns:
        if kind == "call":
            found.append({"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": value}]})
        else:
            found.append({"role": kind, "content": value})
    return found


def sharegpt(turns: list[Turn]) -> list[dict[str, Any]]:
    words = {"user": "human", "assistant": "gpt", "tool": "observation"}
    return [
        {"from": "function_call", "value": json.dumps(value)}
        if kind == "call"
        else {"from": words[kind], "value": value}
        for kind, value in turns
    ]


def read(records: list[dict[str, Any]], **options: Any) -> ReadResult:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
        return read_file(path, ReadOptions(**options))


def expected(system: str | None, turns: list[Turn]) -> Example:
    return chat_row(openai(turns, system), TOOLS)


WRITE: dict[str, Callable[[str | None, list[Turn]], dict[str, Any]]] = {
    "messages": lambda system, turns: {"messages": openai(turns, system), "tools": TOOLS},
    "messages as text": lambda system, turns: {
        "messages": json.dumps(openai(turns, system)),
        "tools": json.dumps(TOOLS),
    },
    "messages of sharegpt": lambda system, turns: {
        "messages": [*([{"from": "system", "value": system}] if system is not None else []), *sharegpt(turns)],
        "tools": TOOLS,
    },
    "sharegpt": lambda system, turns: {"conversations": sharegpt(turns), "system": system, "tools": json.dumps(TOOLS)},
    "sharegpt, one column": lambda system, turns: {
        "conversation": [*([{"from": "system", "value": system}] if system is not None else []), *sharegpt(turns)],
        "tools": json.dumps(TOOLS),
    },
    "prompt and completion": lambda system, turns: _cut(openai(turns, system)),
}


def _cut(messages: list[dict[str, Any]]) -> dict[str, Any]:
    answered = messages[-1]["role"] == "assistant"
    return {
        "prompt": messages[:-1] if answered else messages,
        "completion": messages[-1:] if answered else [],
        "tools": TOOLS,
    }


@pytest.mark.parametrize("shape", list(WRITE))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(st.tuples(conversations, metadata), min_size=1, max_size=3))
def test_one_conversation_is_one_row_in_whatever_shape_it_is_written(shape: str, rows: list[Any]):
    result = read([{**beside, **WRITE[shape](*talk)} for talk, beside in rows])
    assert result.set_aside == []
    assert [r.row for r in result.rows] == [expected(*talk) for talk, _ in rows]
    assert [r.metadata for r in result.rows] == [beside for _, beside in rows]


def _hh(messages: list[dict[str, Any]]) -> str:
    words = {"user": "Human", "assistant": "Assistant"}
    return "".join(f"\n\n{words[m['role']]}: {m['content']}" for m in messages)


def pair_forms(messages: list[dict[str, Any]], chosen: str, rejected: str) -> Iterator[dict[str, Any]]:
    better, worse = ([{"role": "assistant", "content": text}] for text in (chosen, rejected))
    yield {"prompt": messages, "chosen": better, "rejected": worse}
    yield {"prompt": messages, "chosen": chosen, "rejected": rejected}
    yield {"prompt": json.dumps(messages), "chosen": json.dumps(better), "rejected": json.dumps(worse)}
    yield {"chosen": messages + better, "rejected": messages + worse}
    yield {"prompt": messages[-1]["content"], "chosen": messages + better, "rejected": messages + worse}
    yield {"input": {"messages": messages, "tools": []}, "preferred_output": better, "non_preferred_output": worse}


@settings(max_examples=25, deadline=None)
@given(st.none() | said, said, said, said, metadata)
def test_a_pair_is_one_row_in_whatever_shape_it_is_written(system, question, chosen, rejected, beside):
    messages = openai([("user", question)], system)
    for form in pair_forms(messages, chosen, rejected):
        result = read([{**beside, **form}])
        (row,) = result.rows
        assert isinstance(row.row, Preference)
        assert row.row.input == chat_row(messages).input
        assert (row.row.chosen, row.row.rejected, row.row.answer_form) == (chosen, rejected, "text")
        assert row.metadata == beside


plain = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda t: not t.isspace() and not t.startswith(" ") and "Human:" not in t and "Assistant:" not in t
)


@settings(max_examples=40, deadline=None)
@given(st.lists(plain, min_size=1, max_size=5).filter(lambda t: len(t) % 2 == 1), plain, plain)
def test_transcripts_of_hh_share_whole_turns(texts, chosen, rejected):
    shared = [{"role": "user" if i % 2 == 0 else "assistant", "content": t} for i, t in enumerate(texts)]
    record = {
        "chosen": _hh([*shared, {"role": "assistant", "content": chosen}]),
        "rejected": _hh([*shared, {"role": "assistant", "content": rejected}]),
    }
    (row,) = read([record]).rows
    assert isinstance(row.row, Preference)
    assert row.row.input == chat_row(shared).input
    assert (row.row.chosen, row.row.rejected) == (chosen, rejected)


@settings(max_examples=25, deadline=None)
@given(talks(open_end=False), talks(open_end=False), talks(open_end=False))
def test_answers_of_several_turns_are_kept_whole(shared, more, other):
    question = openai([("user", "so?")])
    answers = [openai([("assistant", "well"), *more]), openai([("assistant", "no"), *other])]
    start = openai(shared) + question
    (row,) = read([{"chosen": start + answers[0], "rejected": start + answers[1], "tools": TOOLS}]).rows
    assert isinstance(row.row, Preference)
    assert row.row.answer_form == "turns"
    for text, turns in zip((row.row.chosen, row.row.rejected), answers, strict=True):
        assert [t.as_dict() for t in answer_turns("turns", text)] == turns


@settings(max_examples=25, deadline=None)
@given(said, said, st.booleans(), metadata)
def test_a_judged_answer_is_one_row_in_whatever_words_it_is_judged(question, answer, good, beside):
    words = [good, int(good), str(good), "good" if good else "bad", "desirable" if good else "undesirable"]
    rows = [read([{**beside, "prompt": question, "completion": answer, "label": w}]).rows[0] for w in words]
    assert {r.row.row for r in rows} == {Unpaired(input={"prompt": question}, answer=answer, good=good).row}
    assert [r.metadata for r in rows] == [beside] * len(words)
    chat = [{"role": "user", "content": question}]
    told = read([{"prompt": chat, "completion": [{"role": "assistant", "content": answer}], "label": good}]).rows[0].row
    assert told == Unpaired(input=chat_row(chat).input, answer=answer, good=good)


@settings(max_examples=40, deadline=None)
@given(
    said, letters, said, st.none() | said, st.none() | st.lists(st.tuples(said, said).map(list), min_size=1, max_size=2)
)
def test_alpaca_is_fields_or_with_system_or_history_a_chat(instruction, source, output, system, history):
    told = {"instruction": instruction, "input": source, "output": output}
    (row,) = read([told]).rows
    fields = {"instruction": instruction, **({"input": source} if source.strip() else {})}
    assert row.row == Example(input=fields, target=output)
    (chat,) = read([{**told, "system": system, "history": history}]).rows
    turns = [turn for pair in history or [] for turn in zip(("user", "assistant"), pair, strict=True)]
    asked = "\n".join(fields.values())
    assert chat.row == chat_row(openai([*turns, ("user", asked), ("assistant", output)], system))


@given(st.lists(said, min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_texts_are_texts(texts):
    rows: list[AnyRow] = [r.row for r in read([{"text": t} for t in texts]).rows]
    assert rows == [Text(input={"text": t}) for t in texts]
