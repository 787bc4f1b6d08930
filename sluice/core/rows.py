"""The kinds of row, their canonical form, and the two hashes that name them.

A row is what a model could be shown or taught: an input (named fields, or chat messages) and, by kind, a target, a
preferred and a rejected answer, one judged answer, or plain text. Everything else that came with it is metadata, kept
beside the row with each place it was seen at, and never part of it. This module knows nothing of files or versions.

    row   = SHA-256 over kind, input and everything that is learnt
    input = SHA-256 over the input alone: splits, leak checks and the alignment of runs follow it
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, model_validator

from sluice.core.canonical import canonical, dump_exact, parse_exact, sha256_hex
from sluice.core.errors import InputError

Role = Literal["system", "developer", "user", "assistant", "tool"]
ROLES: tuple[str, ...] = ("system", "developer", "user", "assistant", "tool")
SHOWN = 10  # hex digits of a row that people see


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


Input = dict[str, Any] | Messages


def input_hash(content: Input) -> str:
    """Return the 64 hex digits that name an input."""
    return sha256_hex("sluice/input/1", _canonical_input(content))


def _canonical_input(content: Input) -> str:
    if isinstance(content, Messages):
        tools = parse_exact(content.tools) if content.tools else None
        return canonical(["messages", [_canonical_turn(t) for t in content.turns], tools])
    return '["fields",' + canonical(content, drop_null=True) + "]"


def _canonical_turn(turn: Message) -> list[Any]:
    calls = parse_exact(turn.tool_calls) if turn.tool_calls is not None else None
    return [turn.role, turn.content, turn.name, calls, turn.tool_call_id]


class Row(BaseModel):
    """What all kinds share. Frozen; hashes are computed once and only from content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Any
    input: Input

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy that works out its own hashes: the changed row never carries the old one's name."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("row", "input_hash"):
            vars(copied).pop(name, None)
        return copied

    @cached_property
    def input_hash(self) -> str:
        """The name of the input (64 hex digits)."""
        return input_hash(self.input)

    @cached_property
    def row(self) -> str:
        """The name of the row (64 hex digits)."""
        learnt = canonical([self.kind, *self._learnt()])
        return sha256_hex("sluice/row/1", f"{_canonical_input(self.input)}\n{learnt}")

    def _learnt(self) -> list[Any]:
        raise TypeError(f"{type(self).__name__} does not say what is learnt from it")

    def texts(self) -> dict[str, str]:
        """Return every text of the row by field name, for similarity, length and privacy checks.

        An input field that is called like an answer (`target`, `chosen`, ...) appears as `input.target`.
        """
        answers = self._answers()
        found = {f"input.{k}" if k in answers else k: v for k, v in input_texts(self.input).items()}
        found.update({k: v for k, v in answers.items() if v})
        return found

    def _answers(self) -> dict[str, str | None]:
        return {}


class Example(Row):
    """Input and target. The target may be absent: before labelling, or where a rubric grades."""

    kind: Literal["example"] = "example"
    target: str | None = None
    target_form: Literal["text", "call"] = "text"
    """`call` where the target is an assistant turn with tool calls, kept as JSON text."""

    def _learnt(self) -> list[Any]:
        return [self.target_form, self.target]

    def _answers(self) -> dict[str, str | None]:
        return {"target": self.target}


class Preference(Row):
    """Input with a chosen and a rejected answer."""

    kind: Literal["preference"] = "preference"
    chosen: str
    rejected: str

    def _learnt(self) -> list[Any]:
        return [self.chosen, self.rejected]

    def _answers(self) -> dict[str, str | None]:
        return {"chosen": self.chosen, "rejected": self.rejected}


class Unpaired(Row):
    """Input with one answer that was judged good or bad."""

    kind: Literal["unpaired"] = "unpaired"
    answer: str
    good: bool

    def _learnt(self) -> list[Any]:
        return [self.answer, self.good]

    def _answers(self) -> dict[str, str | None]:
        return {"answer": self.answer}


class Text(Row):
    """Plain text for continued pretraining: the whole text is the input's one field."""

    kind: Literal["text"] = "text"

    @model_validator(mode="after")
    def _one_field(self) -> Text:
        if not isinstance(self.input, dict) or set(self.input) != {"text"}:
            raise InputError("a text row has exactly one field, 'text'")
        return self

    def _learnt(self) -> list[Any]:
        return []


AnyRow = Example | Preference | Unpaired | Text
KINDS: dict[str, type[Row]] = {"example": Example, "preference": Preference, "unpaired": Unpaired, "text": Text}

COLUMNS: tuple[str, ...] = (
    "row",
    "input_hash",
    "kind",
    "input_form",
    "input",
    "target_form",
    "target",
    "chosen",
    "rejected",
    "answer",
    "good",
    "groups",
)
"""The columns of a version's Parquet files; `groups` (list of text, sorted) is set by split, outside the row hash."""


def to_record(row: AnyRow, groups: list[str] | None = None) -> dict[str, Any]:
    """Return a row as one record of COLUMNS. The input becomes JSON text in its own key order."""
    messages = isinstance(row.input, Messages)
    record: dict[str, Any] = dict.fromkeys(COLUMNS)
    record.update(
        row=row.row,
        input_hash=row.input_hash,
        kind=row.kind,
        input_form="messages" if messages else "fields",
        input=input_json(row.input),
        groups=sorted(groups or []),
    )
    if isinstance(row, Example):
        record.update(target=row.target, target_form=row.target_form)
    elif isinstance(row, Preference):
        record.update(chosen=row.chosen, rejected=row.rejected)
    elif isinstance(row, Unpaired):
        record.update(answer=row.answer, good=row.good)
    return record


def input_json(content: Input) -> str:
    """Return an input as compact JSON text: an object of fields, or {"messages": [...], "tools": ...}."""
    if isinstance(content, Messages):
        turns = [t.model_dump(exclude_none=True) for t in content.turns]
        return dump_exact({"messages": turns} | ({"tools": content.tools} if content.tools else {}))
    return dump_exact(content)


def input_from_json(form: str, text: str) -> Input:
    """Read back what `input_json` wrote."""
    value = parse_exact(text)
    if form == "messages":
        return Messages(turns=tuple(Message(**turn) for turn in value["messages"]), tools=value.get("tools"))
    return cast("dict[str, Any]", value)


def from_record(record: dict[str, Any]) -> AnyRow:
    """Read a row back from its record (extra columns are passed over)."""
    content = input_from_json(record["input_form"], record["input"])
    kind = record["kind"]
    if kind == "example":
        return Example(input=content, target=record["target"], target_form=record["target_form"] or "text")
    if kind == "preference":
        return Preference(input=content, chosen=record["chosen"], rejected=record["rejected"])
    if kind == "unpaired":
        return Unpaired(input=content, answer=record["answer"], good=record["good"])
    if kind == "text":
        return Text(input=content)
    raise InputError(f"no row kind is called '{kind}'", where=str(record.get("row")), remedy="sluice verify")


def target_text(value: Any) -> str | None:
    """Return a target as text: text as it is, an object or list as compact JSON in its own key order, nulls kept.

    A number or boolean becomes its JSON text; null and the empty text are an absent target.
    """
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else dump_exact(value)


def input_texts(content: Input) -> dict[str, str]:
    """Return the texts of an input by field name (turns as `0.user`, `1.assistant`, ...)."""
    if isinstance(content, Messages):
        return {f"{i}.{t.role}": t.content + (t.tool_calls or "") for i, t in enumerate(content.turns)}
    return {k: v if isinstance(v, str) else dump_exact(v) for k, v in content.items() if v is not None}


def chat_row(messages: list[Any], tools: Any = None) -> Example:
    """Read one chat as an example: the closing assistant turn is the target, all turns before it the input.

    Every turn is kept, in order. A chat that ends with a user or tool turn has no target. System and developer turns
    stand first; turns of one role in a row are kept as they are; an assistant may open. Raises InputError (the row is
    then set aside) for: no turns, an unknown role, a content that is not text, a late system turn, an assistant turn
    that says and calls nothing, a lone assistant turn, a tool turn without a call before it.
    """
    turns = _turns(messages)
    tools_json = dump_exact(tools) if tools else None
    last = turns[-1]
    if last.role != "assistant":
        return Example(input=_checked(turns, tools_json))
    before = _checked(turns[:-1], tools_json)
    if last.tool_calls is None:
        return Example(input=before, target=last.content)
    return Example(input=before, target=dump_exact(last.model_dump(exclude_none=True)), target_form="call")


def chat_input(messages: list[Any], tools: Any = None) -> Messages:
    """Read one chat as an input alone, a closing assistant turn included: what a prompt without an answer is.

    Raises InputError for what `chat_row` refuses, but for a lone assistant turn.
    """
    return _checked(_turns(messages), dump_exact(tools) if tools else None)


def _turns(messages: list[Any]) -> list[Message]:
    turns = [_turn(i, m) for i, m in enumerate(messages, start=1)]
    if not turns:
        raise InputError("a chat without a message")
    talk = False
    called = False
    for i, turn in enumerate(turns, start=1):
        if turn.role in ("system", "developer"):
            if talk:
                raise InputError(f"message {i}: a {turn.role} turn after the talk began")
        else:
            talk = True
        if turn.role == "tool" and not called:
            raise InputError(f"message {i}: a tool turn without a tool call before it")
        called = called or turn.tool_calls is not None
        if turn.role == "assistant" and turn.empty():
            raise InputError(f"message {i}: an assistant turn that says nothing and calls nothing")
    return turns


def _checked(turns: list[Message], tools: str | None) -> Messages:
    if not any(t.role in ("user", "tool", "assistant") and not t.empty() for t in turns):
        raise InputError("a chat without an input: nobody speaks before the answer")
    return Messages(turns=tuple(turns), tools=tools)


def _turn(number: int, value: Any) -> Message:
    if not isinstance(value, dict):
        raise InputError(f"message {number} is not an object")
    turn = cast("dict[str, Any]", value)
    role = turn.get("role")
    if role not in ROLES:
        raise InputError(f"message {number}: unknown role {role!r} (known: {', '.join(ROLES)})")
    known = ("role", "content", "name", "tool_calls", "tool_call_id")
    unknown = [k for k, v in turn.items() if k not in known and v is not None]
    if unknown:
        raise InputError(f"message {number}: unknown key {unknown[0]!r}")
    for key in ("name", "tool_call_id"):
        if not isinstance(turn.get(key), (str, type(None))):
            raise InputError(f"message {number}: {key} is {type(turn[key]).__name__}, not text")
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
