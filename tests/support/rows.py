"""Rows of every kind for property tests: fields and chats, tools and calls, absent targets, metadata of any type."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from sluice.core.rows import AnyRow, Example, Preference, Text, Unpaired, chat_judged, chat_pair, chat_row, to_record
from sluice.curate.formats import ExportRow

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
said = texts.filter(lambda t: bool(t) and not t.isspace() and "\0" not in t)
scalars = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda v: st.lists(v, max_size=2) | st.dictionaries(texts, v, max_size=2), max_leaves=4)
metadata = st.dictionaries(st.sampled_from(["id", "date of", "größe", "tags"]), values, max_size=3)

NAMES = ["f", "g", "größe"]
arguments = st.dictionaries(texts, values | st.none(), max_size=2)
calls = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["a", "b", "c"]),
            "type": st.just("function"),
            "function": st.fixed_dictionaries(
                {"name": st.sampled_from(NAMES), "arguments": arguments | arguments.map(json.dumps)}
            ),
        }
    ),
    min_size=1,
    max_size=2,
)
properties = st.dictionaries(
    texts, st.fixed_dictionaries({"type": st.just("string"), "default": values | st.none()}), max_size=2
)
tools = st.none() | properties.map(
    lambda p: [
        {"type": "function", "function": {"name": n, "parameters": {"type": "object", "properties": p}}} for n in NAMES
    ]
)


@st.composite
def prompts(draw: st.DrawFn, *, plain: bool) -> tuple[list[dict[str, Any]], Any]:
    """Draw the turns before an answer and the tools; plain ones are a system text and questions with answers."""
    turns: list[dict[str, Any]] = []
    if draw(st.booleans()):
        role = "system" if plain else draw(st.sampled_from(["system", "developer"]))
        turns.append({"role": role, "content": draw(said if plain else texts)})
    for _ in range(draw(st.integers(0, 1))):
        turns += [{"role": "user", "content": draw(said)}, {"role": "assistant", "content": draw(said)}]
    turns.append({"role": "user", "content": draw(said)})
    if plain:
        return turns, None
    if draw(st.booleans()):
        made = draw(calls)
        turns.append({"role": "assistant", "content": draw(texts), "tool_calls": made})
        turns.append({"role": "tool", "content": draw(texts), "tool_call_id": made[-1]["id"], "name": draw(texts)})
    return turns, draw(tools)


@st.composite
def chats(draw: st.DrawFn, *, kind: str, plain: bool = False) -> AnyRow:
    """Draw a row of a kind whose input is a chat."""
    turns, given = draw(prompts(plain=plain))
    if kind == "preference":
        return chat_pair(turns, draw(_answer(plain)), draw(_answer(plain)), given)
    if kind == "unpaired":
        return chat_judged(turns, draw(_answer(plain)), draw(st.booleans()), given)
    end = "text" if plain else draw(st.sampled_from(["open", "text", "call", "unlearnt"]))
    if end == "call":
        turns = [*turns, {"role": "assistant", "content": draw(texts), "tool_calls": draw(calls)}]
    elif end == "text":
        turns = [*turns, {"role": "assistant", "content": draw(said)}]
    elif end == "unlearnt":
        turns = [*turns, {"role": "assistant", "content": draw(said), "weight": 0}]
    return chat_row(turns, given)


@st.composite
def _answer(draw: st.DrawFn, plain: bool) -> list[dict[str, Any]]:
    last = {"role": "assistant", "content": draw(said)}
    if plain or draw(st.booleans()):
        return [last]
    made = draw(calls)[:1]
    tool = {"role": "tool", "content": draw(texts), "tool_call_id": made[0]["id"]}
    return [{"role": "assistant", "content": draw(texts), "tool_calls": made}, tool, last]


@st.composite
def fields(draw: st.DrawFn, *, kind: str, plain: bool = False) -> AnyRow:
    """Draw a row of a kind whose input is named fields; a plain one has one field, `prompt`."""
    if kind == "text":
        return Text(input={"text": draw(said)})
    if plain:
        content: dict[str, Any] = {"prompt": draw(said)}
    else:
        more = st.dictionaries(st.sampled_from(["subject", "n", "chosen"]), values, max_size=2)
        content = {"body": draw(said), **draw(more)}
    if kind == "preference":
        return Preference(input=content, chosen=draw(said), rejected=draw(said))
    if kind == "unpaired":
        return Unpaired(input=content, answer=draw(said), good=draw(st.booleans()))
    return Example(input=content, target=draw(said if plain else st.none() | said))


def export_row(row: AnyRow, beside: dict[str, Any] | None = None, **more: Any) -> ExportRow:
    """Return a row as it is exported."""
    return ExportRow(to_record(row), beside or {}, **more)
