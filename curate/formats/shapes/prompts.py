"""Where the prompt of an answer stands: in named columns, in `prompt`, in a chat, or in Alpaca's columns. No shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sluice.core.errors import InputError
from sluice.core.rows import Input
from sluice.curate.formats.records import near
from sluice.curate.formats.shapes.base import Record, Seen
from sluice.curate.formats.shapes.turns import is_chat, kind_of, read_list, read_tools, some, talk_column, with_system


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt of one record: turns of a chat with its tools, or named fields."""

    fields: Input | None = None
    turns: list[Any] | None = None
    tools: Any = None


@dataclass(frozen=True, slots=True)
class PromptSource:
    """The columns that a prompt is made of, and how."""

    used: frozenset[str]
    read: Callable[[Record], Prompt]


def prompt_source(seen: Seen, *, chats: bool = True) -> PromptSource | None:
    """Return where the prompts of a file stand, None where no column says so.

    Args:
        seen: the file; `--input` names other columns.
        chats: whether a column of conversations, or Alpaca's, will do.
    """
    asked = seen.options.input
    if asked is not None:
        names = [asked] if asked in seen.columns else [p.strip() for p in asked.split(",") if p.strip()]
        for name in names:
            if name not in seen.columns:
                raise InputError(
                    f"--input: no column is called '{name}'", where=str(seen.path), remedy=near(name, seen.columns)
                )
        return PromptSource(frozenset({*names, "tools"}), lambda r: _named(r, names, seen))
    if "prompt" in seen.columns:
        return PromptSource(frozenset({"prompt", "tools"}), lambda r: _named(r, ["prompt"], seen))
    column = talk_column(seen) if chats else None
    if column is not None:
        return PromptSource(frozenset({column, "system", "tools"}), lambda r: _talk(r, column, seen))
    if chats and "instruction" in seen.columns:
        return PromptSource(frozenset({"instruction", "input", "system", "history"}), lambda r: _alpaca(r, seen))
    return None


def _named(record: Record, names: list[str], seen: Seen) -> Prompt:
    value = record.get(names[0])
    if len(names) == 1 and (is_chat(value) or _is_chat_text(value)):
        return Prompt(turns=read_list(value, seen.tidy, names[0]), tools=read_tools(record, seen.tidy))
    if record.get("tools"):
        raise InputError("tools beside a prompt that is no list of messages")
    return Prompt(fields=some({n: seen.tidy(record[n]) for n in names if record.get(n) is not None}))


def _is_chat_text(value: Any) -> bool:
    """Return whether a cell holds a list of messages as JSON text, as a CSV does."""
    if not isinstance(value, str) or not value.startswith('[{"'):
        return False
    try:
        return is_chat(read_list(value, lambda v: v))
    except InputError:
        return False


def _alpaca(record: Record, seen: Seen) -> Prompt:
    from sluice.curate.formats.shapes.alpaca import fields_of, turns_of

    turns = turns_of(record, seen)
    return Prompt(turns=turns) if turns is not None else Prompt(fields=fields_of(record, seen))


def _talk(record: Record, column: str, seen: Seen) -> Prompt:
    turns = with_system(read_list(record.get(column), seen.tidy, column), record.get("system"))
    return Prompt(turns=turns, tools=read_tools(record, seen.tidy))


def answer_list(value: Any, seen: Seen, what: str) -> list[Any] | None:
    """Return an answer that is a turn, or a list of turns, as messages; None where it is a text.

    Raises InputError where it is neither.
    """
    if isinstance(value, dict):
        return read_list([value], seen.tidy, what)
    if isinstance(value, list) or _is_chat_text(value):
        return read_list(value, seen.tidy, what)
    if value is None or value == "":
        raise InputError(f"no {what} answer" if what in ("chosen", "rejected") else f"no {what}")
    if not isinstance(value, str):
        raise InputError(f"{what} is {kind_of(value)}, not a text or a list of messages")
    return None
