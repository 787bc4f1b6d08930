"""sharegpt: {"conversations": [{"from": "human", "value": ...}, {"from": "gpt", ...}]}, a system turn among them.

Calls and answers to them are `function_call` and `observation`, as LLaMA-Factory reads them, with the tools as JSON
text. Names and ids have no place there and are left out, which the result names; a text beside a call is refused.
"""

from __future__ import annotations

from typing import Any

from sluice.core.canonical import dump_exact
from sluice.curate.formats.writers.base import (
    NESTED,
    WRITERS,
    ExportRow,
    Line,
    Note,
    Parts,
    Turn,
    WriteOptions,
    Writer,
    cannot,
    prompt_turns,
)
from sluice.curate.formats.writers.columns import whole_chat
from sluice.curate.formats.writers.messages import COMPARED, JUDGED, PLAIN

SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}
KEEPS = "--format messages keeps it"
LOST = "names of turns and ids of calls are lost"


def shape(export: ExportRow, options: WriteOptions, note: Note) -> Parts:
    """Return a row as a conversation."""
    chat = whole_chat(export, prompt_turns(export, options, note, "conversations")).own
    line: Line = {"conversations": [_said(export, turn, note) for turn in chat["messages"]]}
    if "tools" in chat:
        line["tools"] = dump_exact(chat["tools"])
    return Parts(line)


def _said(export: ExportRow, turn: Turn, note: Note) -> dict[str, Any]:
    role = turn["role"]
    if role not in SPEAKERS:
        raise cannot(export, f"this form has no {role} turn", KEEPS)
    if turn.get("name") is not None or turn.get("tool_call_id") is not None:
        note("conversations", LOST)
    weight = {"weight": turn["weight"]} if "weight" in turn else {}
    if "tool_calls" not in turn:
        return {"from": SPEAKERS[role], "value": turn["content"], **weight}
    if turn["content"]:
        raise cannot(export, "a text beside a call has no place in this form", KEEPS)
    calls = [_call(export, call, note) for call in turn["tool_calls"]]
    return {"from": "function_call", "value": dump_exact(calls[0] if len(calls) == 1 else calls), **weight}


def _call(export: ExportRow, call: Any, note: Note) -> dict[str, Any]:
    function = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise cannot(export, "a tool call has no name")
    if dump_exact(call) != dump_exact({"type": "function", "function": function}):  # as it is read back
        note("conversations", LOST)
    return {name: value for name, value in function.items() if name != "id"}


WRITERS.register("sharegpt")(
    Writer(
        name="sharegpt",
        help="ShareGPT: conversations of from and value",
        holds={"example": "conversations (system, human, gpt, function_call, observation), tools as JSON text"},
        needs={"example": "no developer turn, no text beside a call"},
        refuses={"preference": COMPARED, "unpaired": JUDGED, "text": PLAIN},
        formats=NESTED,
        shape=shape,
    )
)
