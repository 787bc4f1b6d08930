"""What a shape is: how one row of a kind becomes the columns of one line, and which kinds it can hold.

`shape` gives a line in two parts: the row's own columns, and answers whose names make way for an input field of the
same name. It says through `note` which columns are not read back as they were. Knows nothing of bytes or files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from json import loads
from typing import Any, Literal, NamedTuple, cast

from sluice.core.canonical import dump_exact, parse_exact
from sluice.core.errors import InputError
from sluice.core.registry import Registry
from sluice.core.rows import SHOWN, Input, input_from_json

Line = dict[str, Any]
Turn = dict[str, Any]
Kind = Literal["example", "preference", "unpaired", "text"]
KINDS: tuple[Kind, ...] = ("example", "preference", "unpaired", "text")

Render = Callable[[Input], list[Turn]]
"""From an input to the messages of a prompt, in chat-template form."""
Note = Callable[[str, str], object]
"""Called with a column and what became of its values, where they are not read back as they were."""

TABULAR = ("jsonl", "json", "csv", "tsv", "xlsx", "parquet", "arrow")
NESTED = ("jsonl", "json", "parquet", "arrow")
"""File formats that hold lists of turns."""


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One row to write: its record (core's COLUMNS), its metadata and, for `--all`, what became of it."""

    record: dict[str, Any]
    metadata: dict[str, Any]
    status: str | None = None
    """`kept`, `dropped` or what else the operation said; None leaves the three columns out."""
    reason: str | None = None
    kept: str | None = None
    """The row that was kept in this one's place."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How rows become columns."""

    columns: Sequence[str] = ()
    """The order of the original columns where known; all others follow in order of appearance."""
    target_column: str = "target"
    render: Render | None = None
    """A prompt that turns fields (or chats) into messages; without one, a row of one field is its text."""
    implicit: bool = False
    """Of preference rows: two whole transcripts with a shared beginning, in the place of a prompt and two answers."""
    beside: Sequence[str] = ()
    """Metadata columns that a shape without metadata carries all the same."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The columns that a row becomes."""

    own: Line
    answers: Line = field(default_factory=dict[str, Any])
    """Columns that take another name (`sluice_...`) where an input field of any row has theirs."""
    told: tuple[str, ...] = ()
    """Metadata columns that the row's own columns say already."""


class Chat(NamedTuple):
    """An input in chat form, as chat templates have it: calls and tools as objects."""

    turns: list[Turn]
    tools: Any


Shape = Callable[[ExportRow, WriteOptions, Note], Parts]


@dataclass(frozen=True, slots=True)
class Writer:
    """A shape that rows can be written in."""

    name: str
    help: str
    """One line for people."""
    holds: Mapping[Kind, str]
    """By kind that it can hold: what such a row becomes, for docs/writing.md."""
    refuses: Mapping[Kind, str]
    """By kind that it cannot hold: why, and what can."""
    formats: tuple[str, ...]
    """The file formats that it can be put in."""
    shape: Shape
    carries_metadata: bool = False
    takes_prompt: bool = True
    """Whether a prompt file turns fields into messages here."""
    cells: frozenset[str] = frozenset()
    """Columns that are read back from a cell's text as what they were (a list as JSON, an empty text)."""
    needs: Mapping[Kind, str] = field(default_factory=dict[Kind, str])
    """What a row of a kind must have, for docs/writing.md; `shape` refuses others by name."""


WRITERS: Registry[Writer] = Registry("export shape")


def chat_of(record: Mapping[str, Any]) -> Chat | None:
    """Return the input of a record as a chat, None for fields."""
    if record["input_form"] != "messages":
        return None
    value = loads(record["input"])  # texts only: calls and tools are JSON text in it
    tools = value.get("tools")
    return Chat([open_turn(turn) for turn in value["messages"]], parse_exact(tools) if tools else None)


def open_turn(turn: Turn) -> Turn:
    """Return a stored turn in chat-template form: its calls, JSON text in the store, as objects."""
    calls = turn.get("tool_calls")
    return turn if calls is None else {**turn, "tool_calls": parse_exact(calls)}


def fields_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the input fields of a record that are not absent."""
    value = cast("dict[str, Any]", parse_exact(record["input"]))
    return {name: v for name, v in value.items() if v is not None}


def target_turn(record: Mapping[str, Any]) -> Turn | None:
    """Return an example's target as the closing assistant turn, None where it is absent."""
    target = record["target"]
    if target is None:
        return None
    return open_turn(loads(target)) if record["target_form"] == "call" else {"role": "assistant", "content": target}


def answer_turns(export: ExportRow, name: str) -> list[Turn]:
    """Return an answer of a pair, or a judged one, as turns of the assistant: one, or as many as are stored.

    Raises InputError for an answer that says nothing: it would be read back as none.
    """
    answer = answer_text(export, name)
    if export.record["target_form"] == "turns":
        return [open_turn(turn) for turn in loads(answer)]
    return [{"role": "assistant", "content": answer}]


def answer_text(export: ExportRow, name: str) -> str:
    """Return an answer of a pair, or a judged one, as it is stored. Raises InputError where it says nothing."""
    answer: str = export.record[name]
    if not answer:
        raise cannot(export, f"{name} is empty: it would be read back as no answer", "leave the row out")
    return answer


def prompt_turns(export: ExportRow, options: WriteOptions, note: Note, column: str) -> Chat:
    """Return the input of a row as turns: a chat as it is, fields under the prompt or as the one text they are."""
    record = export.record
    chat = chat_of(record)
    if options.render is not None:
        note(column, "the prompt made messages of the input")
        turns = options.render(input_from_json(record["input_form"], record["input"]))
        return Chat(turns, chat.tools if chat else None)
    if chat is not None:
        return chat
    note(column, "an input field became a chat turn, its name is lost")
    return Chat([{"role": "user", "content": one_text(export, note, column)}], None)


def one_text(export: ExportRow, note: Note, column: str) -> str:
    """Return the one input field of a row as text. Raises InputError where there are several."""
    fields = list(fields_of(export.record).values())
    if len(fields) != 1:
        remedy = "name a prompt (--prompt FILE), or use --format jsonl"
        raise cannot(export, f"{len(fields)} input fields are no prompt by themselves", remedy)
    if not isinstance(fields[0], str):
        note(column, "values became text")
        return dump_exact(fields[0])
    return fields[0]


def only_prompt(record: Mapping[str, Any]) -> bool:
    """Return whether a row's one input field is called `prompt`, as trainers call it."""
    return list(fields_of(record)) == ["prompt"]


def cannot(export: ExportRow, why: str, remedy: str = "export it in another shape, or leave it out") -> InputError:
    """Return the error for a row that a shape cannot hold. It names the row."""
    return InputError(why, where=f"row {str(export.record['row'])[:SHOWN]}", remedy=remedy)


def blank(text: str) -> bool:
    """Return whether a text says nothing."""
    return not text or text.isspace()


def with_tools(chat: Chat) -> Line:
    """Return the column of a chat's tools, or none."""
    return {"tools": chat.tools} if chat.tools else {}
