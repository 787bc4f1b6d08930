"""From records to rows: which columns are the input and the target, and what each row then is.

input-target        `--input COL[,COL] --target COL[,COL]`, or columns called `input` and `target`: fields named like
                    the columns (one column that holds a list of messages is a chat)
messages            `messages` (a list, or its JSON text) and `tools`: a closing assistant turn is the target
prompt-completion   `prompt` and `completion`: texts (field `prompt`), or lists of messages (TRL's conversational form)

All other columns are metadata. A row that cannot be taken whole raises InputError, and the caller sets it aside. Knows
nothing of files or bytes.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sluice.core.canonical import JsonProblem, parse_exact
from sluice.core.columns import CONVERSATIONS, add_options, likely_input
from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Example, Input, Messages, chat_input, chat_row, target_text
from sluice.curate.formats.records import ReadOptions, near

Record = dict[str, Any]

TURNS = '[{"role": "user", "content": ...}, {"role": "assistant", "content": ...}]'
FROM_SHAREGPT = "in ShareGPT's form (from, value) human becomes user, gpt assistant, value content"


@dataclass(frozen=True, slots=True)
class Shape:
    """How the records of one file become rows."""

    name: str
    used: frozenset[str]
    """The columns that make the row; all others are metadata."""
    build: Callable[[Record], AnyRow]
    """From a record to a row; raises InputError with the reason for which it is set aside."""


def choose(columns: list[str], options: ReadOptions, path: Path, *, nulls_are_gaps: bool = False) -> Shape:
    """Return the shape of a file from its columns and what the user said.

    Args:
        columns: all columns of the file.
        options: `input` and `target` win over what the columns look like.
        path: for messages.
        nulls_are_gaps: whether nested nulls are left out of inputs and chats.

    Raises InputError for a column that is not there and for columns that say nothing by themselves.
    """
    tidy = _without_nulls if nulls_are_gaps else _as_it_is
    present = set(columns)
    if options.input is not None:
        return _named(columns, options, path, tidy)
    if options.target is not None:
        targets = _targets(columns, options, path)
        source = likely_input(dict.fromkeys(c for c in columns if c not in targets))
        raise InputError(
            "--target says which column is the answer, but not which is the input",
            where=str(path),
            remedy=f"add --input {shlex.quote(source) if source else 'COLUMN'}",
        )
    if "messages" in present:
        return Shape("messages", frozenset({"messages", "tools"}), lambda r: _messages(r, tidy))
    if {"prompt", "completion"} <= present:
        used = frozenset({"prompt", "completion", "tools"})
        return Shape("prompt-completion", used, lambda r: _prompt_completion(r, tidy))
    if {"input", "target"} <= present:
        return _named(columns, ReadOptions(input="input", target="target"), path, tidy)
    raise _unrecognised(columns, path)


def _unrecognised(columns: list[str], path: Path) -> InputError:
    if not columns:
        return InputError("its records have no columns", where=str(path), remedy="check that this is the file you mean")
    talk = next((c for c in CONVERSATIONS if c in columns), None)
    if talk is not None:
        return InputError(
            f"a chat is read from a column called messages; it has {talk}, which holds question and answer together",
            where=str(path),
            remedy=f"rename {talk} to messages, its turns written as {TURNS}; {FROM_SHAREGPT}",
        )
    shown = ", ".join(columns[:30]) + (", ..." if len(columns) > 30 else "")
    if set(columns) == {"text"}:
        return InputError(
            "one column, text: is it an input to answer?", where=str(path), remedy="if so, add --input text"
        )
    flags = add_options(dict.fromkeys(columns))
    return InputError(
        f"which column is the input? It has: {shown}",
        where=str(path),
        remedy=f"name it, for example {flags} (--target may be left away; other columns stay as metadata)",
    )


def _known(name: str, columns: list[str], path: Path, flag: str) -> str:
    if name not in columns:
        raise InputError(f"{flag}: no column is called '{name}'", where=str(path), remedy=near(name, columns))
    return name


def _named(columns: list[str], options: ReadOptions, path: Path, tidy: Callable[[Any], Any]) -> Shape:
    asked = options.input or ""
    parts = [asked] if asked in columns else [p.strip() for p in asked.split(",") if p.strip()]
    if not parts:
        raise InputError("--input names no column", where=str(path), remedy=near(asked, columns))
    names = [_known(p, columns, path, "--input") for p in dict.fromkeys(parts)]
    targets = _targets(columns, options, path)
    both = next((t for t in targets if t in names), None)
    if both is not None:
        raise InputError(f"'{both}' is both input and target", where=str(path), remedy="name different columns")

    def build(record: Record) -> AnyRow:
        answer = _answer(record, targets)
        if len(names) == 1:
            value = record.get(names[0])
            if isinstance(value, str) and value and not value.isspace():
                return Example(input={names[0]: value}, target=answer)
            _refuse_sharegpt(value)
            if _is_chat(value):
                return Example(input=chat_input(_turns(value, tidy)), target=answer)
        fields = {name: tidy(record[name]) for name in names if record.get(name) is not None}
        return _checked(Example(input=_some(fields), target=answer))

    return Shape("input-target", frozenset([*names, *targets]), build)


def _targets(columns: list[str], options: ReadOptions, path: Path) -> list[str]:
    """Return the target columns: none, one, or several separated by commas."""
    asked = options.target
    if asked is None:
        return []
    parts = [asked] if asked in columns or "," not in asked else [p.strip() for p in asked.split(",") if p.strip()]
    return [_known(p, columns, path, "--target") for p in dict.fromkeys(parts)]


def _answer(record: Record, targets: list[str]) -> str | None:
    """Return the target of a record; several columns become one JSON object in the order named, absent ones null."""
    if len(targets) < 2:
        return target_text(record.get(targets[0])) if targets else None
    if all(record.get(name) is None for name in targets):
        return None
    return target_text({name: record.get(name) for name in targets})


def _messages(record: Record, tidy: Callable[[Any], Any]) -> AnyRow:
    value = record.get("messages")
    if value is None or value == "":
        raise InputError("no input: no messages")
    return _checked(chat_row(_turns(value, tidy), _tools(record, tidy)))


def _prompt_completion(record: Record, tidy: Callable[[Any], Any]) -> AnyRow:
    prompt, completion = record.get("prompt"), record.get("completion")
    if not _is_chat(prompt):
        if _is_chat(completion):
            raise InputError("the prompt is no list of messages, but the completion is one")
        if record.get("tools"):
            raise InputError("tools beside a prompt that is no list of messages")
        fields = {"prompt": tidy(prompt)} if prompt is not None else {}
        return _checked(Example(input=_some(fields), target=target_text(completion)))
    turns, tools = _turns(prompt, tidy), _tools(record, tidy)
    if completion is None or completion in ("", []):
        return _checked(Example(input=chat_input(turns, tools)))
    if not _is_chat(completion):
        return _checked(Example(input=chat_input(turns, tools), target=target_text(completion)))
    answer = _turns(completion, tidy)
    if answer[-1].get("role") != "assistant":
        raise InputError("the completion does not end with an assistant turn")
    return _checked(chat_row(turns + answer, tools))


def _is_chat(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) and "role" in v for v in value)


def _turns(value: Any, tidy: Callable[[Any], Any]) -> list[Any]:
    """Return the messages of a list or of its JSON text; tool calls given as JSON text become a list."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        value = _from_text(value, "messages")
    if not isinstance(value, list):
        raise InputError(
            f"messages is {_kind(value)}, not a list of turns such as {TURNS}",
            remedy="mend the column messages; where the rows are no chats, --input COL --target COL name what is read",
        )
    _refuse_sharegpt(cast("list[Any]", value))
    turns: list[Any] = []
    for turn in cast("list[Any]", tidy(value)):
        if isinstance(turn, dict) and isinstance(turn.get("tool_calls"), str):
            turn = {**turn, "tool_calls": _from_text(turn["tool_calls"], "tool_calls")}
        turns.append(turn)
    return turns


def _refuse_sharegpt(value: Any) -> None:
    """Raise InputError for turns as ShareGPT writes them: taken as fields, the answer would be part of the input."""
    turns = cast("list[Any]", value) if isinstance(value, list) else []
    if turns and all(isinstance(t, dict) and {"value", "from"} <= set(t) and isinstance(t["from"], str) for t in turns):
        raise InputError(
            f"turns are written as from and value, not as {TURNS}: {FROM_SHAREGPT}",
            remedy="rewrite them so, in a column called messages, and leave --input away",
        )


def _kind(value: Any) -> str:
    kinds = {str: "a text", dict: "an object", bool: "true or false"}
    return kinds.get(type(value), "a number")


def _tools(record: Record, tidy: Callable[[Any], Any]) -> Any:
    tools = record.get("tools")
    if isinstance(tools, str) and tools:
        tools = _from_text(tools, "tools")
    if tools is not None and tools != "" and not isinstance(tools, list):
        raise InputError(f"tools is {_kind(tools)}, not a list")
    return tidy(tools) or None


def _from_text(text: str, what: str) -> Any:
    try:
        return parse_exact(text)
    except JsonProblem as problem:
        raise InputError(f"{what}: {problem.reason}") from None


def _some(fields: Record) -> Input:
    """Return the fields, or raise where none of them says anything. 0 and false are values."""
    if any(_says(value) for value in fields.values()):
        return fields
    raise InputError("no input: empty" if fields else "no input")


def _says(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value) and not value.isspace()
    return value is not None and value != [] and value != {}


def _checked(row: AnyRow) -> AnyRow:
    """Return the row once its hashes can be taken: two keys that are one under NFC are found here, not later."""
    content = row.input
    if isinstance(content, Messages):
        nested = content.tools is not None or any(t.tool_calls is not None for t in content.turns)
    else:
        nested = len(content) > 1 or any(not isinstance(v, str) for v in content.values())
    if nested:  # flat texts cannot fail, and hashing each row twice would cost more than reading it
        _ = row.row
    return row


def _as_it_is(value: Any) -> Any:
    return value


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in cast("Record", value).items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(v) for v in cast("list[Any]", value)]
    return value
