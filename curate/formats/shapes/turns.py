"""The cells that shapes are made of: lists of messages in either spelling, tools, texts, judgements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from sluice.core.canonical import JsonProblem, parse_exact
from sluice.core.chats import Messages, weights_of
from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Input
from sluice.curate.formats.shapes.base import Built, Record, Seen

Tidy = Callable[[Any], Any]

TURNS = '[{"role": "user", "content": ...}, {"role": "assistant", "content": ...}]'
SHAREGPT_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "system": "system",
    "function_call": "assistant",
    "observation": "tool",
    "tool": "tool",
}
"""ShareGPT's `from` as its data sets and LLaMA-Factory have it; the value of function_call is a call, or a list."""
GOOD, BAD = frozenset({"true", "1", "good", "desirable"}), frozenset({"false", "0", "bad", "undesirable"})


def talk_column(seen: Seen) -> str | None:
    """Return the column that holds ShareGPT's turns, None without one."""
    return next((name for name in ("conversations", "conversation") if name in seen.columns), None)


def is_chat(value: Any) -> bool:
    """Return whether a value is a list of turns in either spelling."""
    return isinstance(value, list) and bool(value) and all(map(_is_turn, cast("list[Any]", value)))


def _is_turn(value: Any) -> bool:
    return isinstance(value, dict) and ("role" in value or _is_sharegpt(value))


def _is_sharegpt(turn: Any) -> bool:
    return isinstance(turn, dict) and "role" not in turn and isinstance(turn.get("from"), str) and "value" in turn


def read_list(value: Any, tidy: Tidy, what: str = "messages") -> list[Any]:
    """Return the messages of a list or of its JSON text, in OpenAI's spelling. Raises InputError for anything else."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        value = from_text(value, what)
    if not isinstance(value, list):
        raise InputError(
            f"{what} is {kind_of(value)}, not a list of turns such as {TURNS}",
            remedy=f"mend the column {what}; where the rows are no chats, --input COL --target COL name what is read",
        )
    return [_spelt(i, turn) for i, turn in enumerate(cast("list[Any]", tidy(value)), start=1)]


def _spelt(number: int, turn: Any) -> Any:
    if not isinstance(turn, dict):
        return turn
    if _is_sharegpt(turn):
        return _from_sharegpt(number, cast("Record", turn))
    if isinstance(turn.get("tool_calls"), str):
        return {**turn, "tool_calls": from_text(turn["tool_calls"], "tool_calls") if turn["tool_calls"] else None}
    return turn


def _from_sharegpt(number: int, turn: Record) -> Record:
    speaker, value = turn["from"], turn["value"]
    role = SHAREGPT_ROLES.get(speaker)
    if role is None:
        raise InputError(f"message {number}: unknown speaker {speaker!r} (known: {', '.join(SHAREGPT_ROLES)})")
    rest = {k: v for k, v in turn.items() if k not in ("from", "value")}
    if speaker != "function_call":
        return {"role": role, "content": value, **rest}
    return {"role": role, "content": "", "tool_calls": _calls(number, value), **rest}


def _calls(number: int, value: Any) -> list[Any]:
    """Return the calls of ShareGPT's function_call: one object, or a list of them, or their JSON text."""
    if isinstance(value, str):
        try:
            value = parse_exact(value)
        except JsonProblem as problem:
            raise InputError(f"message {number}: the function call is not JSON: {problem.reason}") from None
    calls = cast("list[Any]", value if isinstance(value, list) else [value])
    return [call if _is_wrapped(call) else {"type": "function", "function": call} for call in calls]


def _is_wrapped(call: Any) -> bool:
    return isinstance(call, dict) and "function" in call


def read_tools(record: Record, tidy: Tidy) -> Any:
    """Return the tools of a record: a list, or its JSON text; None for none."""
    tools = record.get("tools")
    if isinstance(tools, str) and tools and not tools.isspace():
        tools = from_text(tools, "tools")
    if isinstance(tools, str):
        return None
    if tools is not None and not isinstance(tools, list):
        raise InputError(f"tools is {kind_of(tools)}, not a list")
    return tidy(tools) or None


def with_system(turns: list[Any], system: Any) -> list[Any]:
    """Return turns with the text of a column `system` in front. Raises InputError where they begin with another one."""
    if system is None or system == "":
        return turns
    if not isinstance(system, str):
        raise InputError(f"system is {kind_of(system)}, not a text")
    first: Any = turns[0] if turns else None
    if isinstance(first, dict) and first.get("role") == "system":
        if first.get("content") == system:
            return turns
        raise InputError("two system texts: the column system, and the first turn")
    return [{"role": "system", "content": system}, *turns]


def from_text(text: str, what: str) -> Any:
    """Return the JSON value of a cell that holds it as text. Raises InputError with the reason."""
    try:
        return parse_exact(text)
    except JsonProblem as problem:
        raise InputError(f"{what}: {problem.reason}") from None


def kind_of(value: Any) -> str:
    """Return what a JSON value is, for people."""
    kinds = {str: "a text", dict: "an object", bool: "true or false", list: "a list", type(None): "null"}
    return kinds.get(type(value), "a number")


def says(value: Any) -> bool:
    """Return whether a value says anything: 0 and false do, blanks and empty lists do not."""
    if isinstance(value, str):
        return bool(value) and not value.isspace()
    return value is not None and value != [] and value != {}


def some(fields: Record) -> Input:
    """Return the fields, or raise where none of them says anything."""
    if any(map(says, fields.values())):
        return fields
    raise InputError("no input: empty" if fields else "no input")


def judged(value: Any) -> bool | None:
    """Return whether a cell says good or bad; None for neither (true/false, 1/0, good/bad as in KTO)."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold() if isinstance(value, (str, int, float)) else ""
    return True if word in GOOD else False if word in BAD else None


def checked(row: AnyRow) -> AnyRow:
    """Return the row once its hashes can be taken: two keys that are one under NFC are found here, not later."""
    content = row.input
    if isinstance(content, Messages):
        nested = content.tools is not None or any(t.tool_calls is not None for t in content.turns)
    else:
        nested = len(content) > 1 or any(not isinstance(v, str) for v in content.values())
    if nested:  # flat texts cannot fail, and hashing each row twice would cost more than reading it
        _ = row.row
    return row


def with_weights(row: AnyRow, *chats: list[Any], taken: Record) -> AnyRow | Built:
    """Return a chat's row with what its turns say and a row does not hold, beside it: weights, the answer's name.

    Args:
        row: of the chat.
        chats: lists of messages that make one chat together.
        taken: the record, whose columns keep their names.
    """
    turns = [turn for chat in chats for turn in chat]
    weights = weights_of(turns)
    name = turns[-1].get("name") if turns and turns[-1].get("role") == "assistant" else None
    if weights is None and (name is None or row.kind != "example" or getattr(row, "target_form", "") == "call"):
        return row
    beside: Record = {}
    if weights is not None:
        beside[_free("weights", taken)] = weights
    if name is not None and row.kind == "example" and getattr(row, "target", None) is not None:
        beside[_free("answer_name", taken)] = name
    return Built(row, beside) if beside else row


def _free(name: str, taken: Record) -> str:
    while name in taken:
        name = f"sluice_{name}"
    return name
