"""openai: chat fine-tuning as OpenAI takes it: messages, tools, and `weight` 0 on assistant turns before the last.

There every assistant turn is learnt unless its weight is 0; here only the target is. Arguments of calls are JSON text
in that form, and each call has a type.
"""

from __future__ import annotations

from typing import Any

from sluice.core.canonical import dump_exact
from sluice.curate.formats.writers.base import (
    WRITERS,
    Chat,
    ExportRow,
    Line,
    Note,
    Parts,
    Turn,
    WriteOptions,
    Writer,
    cannot,
    prompt_turns,
    target_turn,
)
from sluice.curate.formats.writers.columns import weights_of
from sluice.curate.formats.writers.messages import COMPARED, JUDGED, PLAIN

REWRITTEN = "arguments of calls became text, each call of type function"


def shape(export: ExportRow, options: WriteOptions, note: Note) -> Parts:
    """Return a row as one chat with weights."""
    chat = prompt_turns(export, options, note, "messages")
    answer = target_turn(export.record)
    if answer is None:
        raise cannot(export, "a chat without an answer teaches nothing here", "label it, or leave it out")
    turns = [openai_turn(export, turn, note, "messages") for turn in (*chat.turns, answer)]
    weights = weights_of(export, turns) or [0 if t["role"] == "assistant" else None for t in chat.turns] + [None]
    weighed = [t if w is None else {**t, "weight": w} for t, w in zip(turns, weights, strict=True)]
    return Parts({"messages": weighed, **openai_tools(chat, note)})


def openai_turn(export: ExportRow, turn: Turn, note: Note, column: str) -> Turn:
    """Return a turn with its calls as OpenAI writes them. Raises InputError for a call without a name or an id."""
    if turn["role"] == "tool" and turn.get("tool_call_id") is None:
        raise cannot(export, "a tool turn does not say which call it answers (tool_call_id)")
    if "tool_calls" not in turn:
        return turn
    calls = [_call(export, call) for call in turn["tool_calls"]]
    if dump_exact(calls) != dump_exact(turn["tool_calls"]):
        note(column, REWRITTEN)
    return {**turn, "tool_calls": calls}


def openai_tools(chat: Chat, note: Note) -> Line:
    """Return the column of a chat's tools, each of type function."""
    if not chat.tools:
        return {}
    tools = [tool if "function" in tool else {"type": "function", "function": tool} for tool in chat.tools]
    if tools != chat.tools:
        note("tools", "each tool is written below function")
    return {"tools": tools}


def _call(export: ExportRow, call: Any) -> dict[str, Any]:
    function = call.get("function", call) if isinstance(call, dict) else {}
    name, arguments = function.get("name"), function.get("arguments")
    if not isinstance(name, str) or not isinstance(call.get("id"), str):
        raise cannot(export, "a tool call has no name or no id")
    told = arguments if isinstance(arguments, str) else dump_exact({} if arguments is None else arguments)
    wrapped = call if "function" in call else {"id": call["id"], "type": "function", "function": function}
    kept = {key: value for key, value in function.items() if key != "id"}
    return {**wrapped, "type": "function", "function": {**kept, "arguments": told}}


WRITERS.register("openai")(
    Writer(
        name="openai",
        help="OpenAI's chat fine-tuning: messages with weight, tools",
        holds={"example": "messages and tools; weight 0 on assistant turns before the last"},
        needs={"example": "a target; ids on calls"},
        refuses={"preference": COMPARED, "unpaired": JUDGED, "text": PLAIN},
        formats=("jsonl",),
        shape=shape,
    )
)
