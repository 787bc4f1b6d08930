"""A chat: its turns, its tools, and the rules by which one is whole. What is broken is refused, what is unusual passes.

Broken, each named with the number of its message: an unknown role or key, content that is no text, a system turn after
the talk began, an assistant turn that says and calls nothing, a call without a name or with arguments that are not
JSON, a call of a tool that is not among the tools, a tool turn that answers no open call, tools without a name or with
parameters that are no JSON Schema, a weight that is neither 0 nor 1. Unusual, and kept: two turns of one role, an
assistant who opens, a user who ends, a call that nobody answers, calls and answers without ids.

Knows nothing of rows: `sluice.core.rows` makes them of what is read here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import JsonProblem, dump_exact, parse_exact
from sluice.core.errors import InputError

Role = Literal["system", "developer", "user", "assistant", "tool"]
ROLES: tuple[str, ...] = ("system", "developer", "user", "assistant", "tool")
KEYS = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "weight"})
"""What a turn may say. `weight` (0 or 1) is OpenAI's mark for turns that are learnt; it is no part of the turn."""


class Message(BaseModel):
    """One turn of a chat. Tool calls are JSON text, so that no row gets another row's keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    content: str = ""
    """The text; null, empty and absent content beside a tool call are one."""
    name: str | None = None
    tool_calls: str | None = None
    """Compact JSON text of the list of calls, as written."""
    tool_call_id: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the chat-template form: tool calls as objects, absent keys left out."""
        turn: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.name is not None:
            turn["name"] = self.name
        if self.tool_calls is not None:
            turn["tool_calls"] = parse_exact(self.tool_calls)
        if self.tool_call_id is not None:
            turn["tool_call_id"] = self.tool_call_id
        return turn

    def empty(self) -> bool:
        """Return whether the turn says nothing and calls nothing."""
        return not self.content.strip() and self.tool_calls is None


class Messages(BaseModel):
    """An input in chat form: turns in order, and the tools that may be called (JSON text)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    turns: tuple[Message, ...]
    tools: str | None = None


def read_turns(messages: list[Any], tools: Any = None) -> list[Message]:
    """Return the turns of one chat, in order, every one of them. Raises InputError with the number of a broken one."""
    turns = [_turn(i, m) for i, m in enumerate(messages, start=1)]
    if not turns:
        raise InputError("a chat without a message")
    talk = calls = False
    for i, turn in enumerate(turns, start=1):
        if turn.role in ("system", "developer"):
            if talk:
                raise InputError(f"message {i}: a {turn.role} turn after the talk began")
        else:
            talk = True
        if turn.role == "assistant" and turn.empty():
            raise InputError(f"message {i}: an assistant turn that says nothing and calls nothing")
        calls = calls or turn.tool_calls is not None or turn.role == "tool"
    if calls:
        _check_calls(turns, messages, _names(tools) if tools else None)
    return turns


def read_input(turns: list[Message], tools: str | None) -> Messages:
    """Return turns as an input. Raises InputError where nobody speaks before the answer."""
    if not any(t.role in ("user", "tool", "assistant") and not t.empty() for t in turns):
        raise InputError("a chat without an input: nobody speaks before the answer")
    return Messages(turns=tuple(turns), tools=tools)


def read_tools(tools: Any) -> str | None:
    """Return tools as compact JSON text, None for none. Raises InputError for one without a name or a JSON Schema."""
    if not tools:
        return None
    if not isinstance(tools, list):
        raise InputError(f"tools is {type(tools).__name__}, not a list")
    text = dump_exact(tools)
    problem = _wrong_with(text)
    if problem is not None:
        raise InputError(problem)
    return text


def weights_of(messages: list[Any]) -> list[int | None] | None:
    """Return the weight of each message (None where it has none), or None where no message has one."""
    turns = [cast("dict[str, Any]", m) if isinstance(m, dict) else {} for m in messages]
    found: list[int | None] = [turn.get("weight") for turn in turns]
    return found if any(w is not None for w in found) else None


def _turn(number: int, value: Any) -> Message:
    if not isinstance(value, dict):
        raise InputError(f"message {number} is not an object")
    turn = cast("dict[str, Any]", value)
    role = turn.get("role")
    if role not in ROLES:
        raise InputError(f"message {number}: unknown role {role!r} (known: {', '.join(ROLES)})")
    if turn.keys() - KEYS:
        unknown = [k for k, v in turn.items() if k not in KEYS and v is not None]
        if unknown:
            hint = " (OpenAI's older form: write tool_calls)" if unknown[0] == "function_call" else ""
            raise InputError(f"message {number}: unknown key {unknown[0]!r}{hint}")
    for key in ("name", "tool_call_id"):
        if not isinstance(turn.get(key), (str, type(None))):
            raise InputError(f"message {number}: {key} is {type(turn[key]).__name__}, not text")
    weight = turn.get("weight")
    if weight is not None and (isinstance(weight, bool) or weight not in (0, 1)):
        raise InputError(f"message {number}: weight is {weight!r}, not 0 or 1")
    calls = turn.get("tool_calls") or None
    if calls is not None and not isinstance(calls, list):
        raise InputError(f"message {number}: tool_calls is {type(calls).__name__}, not a list")
    return Message(
        role=role,
        content=_content(number, turn.get("content")),
        name=turn.get("name"),
        tool_calls=dump_exact(calls) if calls else None,
        tool_call_id=turn.get("tool_call_id"),
    )


def _content(number: int, content: Any) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts: list[str] = []
        for part in cast("list[Any]", content):
            piece: dict[str, Any] = cast("dict[str, Any]", part) if isinstance(part, dict) else {}
            text = piece.get("text")
            if piece.get("type") != "text" or not isinstance(text, str):
                raise InputError(f"message {number}: a content part that is not text")
            texts.append(text)
        return "".join(texts)
    raise InputError(f"message {number}: content is {type(content).__name__}, not text")


def _check_calls(turns: list[Message], messages: list[Any], known: set[str] | None) -> None:
    """Raise InputError for a call or an answer to one that is broken. Open are the calls that nobody answered yet."""
    open_ids: list[str | None] = []
    for i, (turn, written) in enumerate(zip(turns, messages, strict=True), start=1):
        if turn.tool_calls is not None:
            if turn.role != "assistant":
                raise InputError(f"message {i}: a {turn.role} turn calls a tool")
            for call in written["tool_calls"]:
                open_ids.append(_check_call(i, call, known))
        elif turn.role == "tool":
            _close(i, turn, open_ids)


def _close(number: int, turn: Message, open_ids: list[str | None]) -> None:
    """Take the call that a tool turn answers off the open ones; without an id on either side the oldest is meant."""
    if not open_ids:
        raise InputError(f"message {number}: a tool turn without an open tool call before it")
    if turn.tool_call_id is None:
        open_ids.pop(0)
    elif turn.tool_call_id in open_ids:
        open_ids.remove(turn.tool_call_id)
    elif None in open_ids:
        open_ids.remove(None)
    else:
        raise InputError(f"message {number}: it answers the call {turn.tool_call_id!r}, which is not open")


def _check_call(number: int, value: Any, known: set[str] | None) -> str | None:
    """Return the id of a call once it has a name that is known and arguments that are JSON."""
    call: dict[str, Any] = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    told = call.get("function", call)
    function = cast("dict[str, Any]", told) if isinstance(told, dict) else {}
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise InputError(f"message {number}: a tool call without a name")
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        try:
            parse_exact(arguments)
        except JsonProblem as problem:
            raise InputError(f"message {number}: the arguments of {name!r} are not JSON: {problem.reason}") from None
    if known is not None and name not in known:
        raise InputError(f"message {number}: it calls {name!r}, which is not among the tools")
    identity = call.get("id")
    if identity is not None and not isinstance(identity, str):
        raise InputError(f"message {number}: the id of a tool call is {type(identity).__name__}, not text")
    return identity


def _names(tools: Any) -> set[str]:
    return {_function(tool).get("name", "") for tool in tools}


def _function(tool: Any) -> dict[str, Any]:
    """Return what describes a tool: {"type": "function", "function": {...}} or the flat form."""
    told = cast("dict[str, Any]", tool).get("function", tool) if isinstance(tool, dict) else None
    return cast("dict[str, Any]", told) if isinstance(told, dict) else {}


@lru_cache(maxsize=512)
def _wrong_with(text: str) -> str | None:
    """Return what is wrong with tools (compact JSON text), or None: the rows of a file mostly share them."""
    seen: set[str] = set()
    for i, tool in enumerate(parse_exact(text), start=1):
        told = _function(tool)
        name = told.get("name")
        if not isinstance(name, str) or not name:
            return f"tool {i} has no name"
        if name in seen:
            return f"two tools are called {name!r}"
        seen.add(name)
        problem = _no_schema(told.get("parameters"))
        if problem is not None:
            return f"tool {name!r}: its parameters are no JSON Schema: {problem}"
    return None


def _no_schema(parameters: Any) -> str | None:
    """Return why parameters are no JSON Schema, None where they are one or are left out."""
    if parameters is None:
        return None
    if not isinstance(parameters, dict):
        return f"{type(parameters).__name__}, not an object"
    from jsonschema import Draft202012Validator, SchemaError
    from jsonschema.validators import validator_for

    try:
        schema = cast("dict[str, Any]", parameters)
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as problem:
        place = "/".join(map(str, problem.absolute_path))
        return (f"{place}: " if place else "") + problem.message[:120]
    except RecursionError:
        return "nested too deeply"
    return None
