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
from sluice.core.chats import Message, Messages, read_input, read_tools, read_turns
from sluice.core.errors import InputError

SHOWN = 10  # hex digits of a row that people see

_INPUT = "sluice/input/1"

Input = dict[str, Any] | Messages


def input_hash(content: Input) -> str:
    """Return the 64 hex digits that name an input."""
    return sha256_hex(_INPUT, _canonical_input(content))


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
        learnt, written = canonical([self.kind, *self._learnt()]), _canonical_input(self.input)
        vars(self).setdefault("input_hash", sha256_hex(_INPUT, written))  # at hand: writing it is what costs
        return sha256_hex("sluice/row/1", f"{written}\n{learnt}")

    def _learnt(self) -> list[Any]:
        raise TypeError(f"{type(self).__name__} does not say what is learnt from it")

    def texts(self) -> dict[str, str]:
        """Return every text of the row by field name, for similarity, length and privacy checks.

        An input field that is called like an answer (`target`, `chosen`, ...) appears as `input.target`.
        """
        answers = self._answers()
        found = {f"input.{k}" if k in answers else k: v for k, v in input_texts(self.input).items()}
        return found | self.answers()

    def answers(self) -> dict[str, str]:
        """Return the texts that are learnt, by field name: `target`, `chosen`, `rejected` or `answer`."""
        return {k: v for k, v in self._answers().items() if v}

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


AnswerForm = Literal["text", "turns"]
"""What an answer of a pair, or a judged one, is: the text of one assistant turn, or compact JSON of several turns."""


def _unless_text(form: AnswerForm) -> list[str]:
    return [] if form == "text" else [form]


class Preference(Row):
    """Input with a chosen and a rejected answer."""

    kind: Literal["preference"] = "preference"
    chosen: str
    rejected: str
    answer_form: AnswerForm = "text"

    def _learnt(self) -> list[Any]:
        return [self.chosen, self.rejected, *_unless_text(self.answer_form)]

    def _answers(self) -> dict[str, str | None]:
        return {"chosen": self.chosen, "rejected": self.rejected}


class Unpaired(Row):
    """Input with one answer that was judged good or bad."""

    kind: Literal["unpaired"] = "unpaired"
    answer: str
    good: bool
    answer_form: AnswerForm = "text"

    def _learnt(self) -> list[Any]:
        return [self.answer, self.good, *_unless_text(self.answer_form)]

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
        record.update(chosen=row.chosen, rejected=row.rejected, target_form=_stored(row.answer_form))
    elif isinstance(row, Unpaired):
        record.update(answer=row.answer, good=row.good, target_form=_stored(row.answer_form))
    return record


def _stored(form: AnswerForm) -> str | None:
    return None if form == "text" else form


def input_json(content: Input) -> str:
    """Return an input as compact JSON text: an object of fields, or {"messages": [...], "tools": ...}."""
    if isinstance(content, Messages):
        turns = [{k: v for k, v in vars(t).items() if v is not None} for t in content.turns]
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
    kind, form = record["kind"], record["target_form"] or "text"
    if kind == "example":
        return Example(input=content, target=record["target"], target_form=form)
    if kind == "preference":
        return Preference(input=content, chosen=record["chosen"], rejected=record["rejected"], answer_form=form)
    if kind == "unpaired":
        return Unpaired(input=content, answer=record["answer"], good=record["good"], answer_form=form)
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

    Every turn is kept, in order. A chat that ends with a user or tool turn has no target, and neither has one whose
    closing turn has the weight 0: that turn is then the end of the input. Raises InputError (the row is then set aside)
    for what `sluice.core.chats` calls broken, and for a lone assistant turn.
    """
    tools_json = read_tools(tools)
    turns = read_turns(messages, tools)
    last = turns[-1]
    if last.role != "assistant" or messages[-1].get("weight") == 0:
        return Example(input=read_input(turns, tools_json))
    before = read_input(turns[:-1], tools_json)
    if last.tool_calls is None:
        return Example(input=before, target=last.content)
    return Example(input=before, target=dump_exact(last.model_dump(exclude_none=True)), target_form="call")


def chat_input(messages: list[Any], tools: Any = None) -> Messages:
    """Read one chat as an input alone, a closing assistant turn included: what a prompt without an answer is.

    Raises InputError for what `chat_row` refuses, but for a lone assistant turn.
    """
    tools_json = read_tools(tools)
    return read_input(read_turns(messages, tools), tools_json)


def chat_pair(prompt: list[Any], chosen: list[Any], rejected: list[Any], tools: Any = None) -> Preference:
    """Read a prompt and two answers, each a list of messages that an assistant opens and closes.

    Raises InputError for what makes a chat of the prompt and either answer broken, and for such an answer.
    """
    content = chat_input(prompt, tools)
    better, worse = _answer(prompt, chosen, tools, "chosen"), _answer(prompt, rejected, tools, "rejected")
    if _is_text(better) and _is_text(worse):
        return Preference(input=content, chosen=better[0].content, rejected=worse[0].content)
    return Preference(input=content, chosen=_turns_json(better), rejected=_turns_json(worse), answer_form="turns")


def chat_judged(prompt: list[Any], answer: list[Any], good: bool, tools: Any = None) -> Unpaired:
    """Read a prompt and one judged answer, a list of messages that an assistant opens and closes.

    Raises InputError as `chat_pair` does.
    """
    content = chat_input(prompt, tools)
    turns = _answer(prompt, answer, tools, "the answer")
    if _is_text(turns):
        return Unpaired(input=content, answer=turns[0].content, good=good)
    return Unpaired(input=content, answer=_turns_json(turns), good=good, answer_form="turns")


def answer_turns(form: str | None, answer: str) -> list[Message]:
    """Return the assistant's turns of an answer as it is stored (`target_form` of its record)."""
    if form == "turns":
        return [Message(**turn) for turn in parse_exact(answer)]
    return [Message(role="assistant", content=answer)]


def _answer(prompt: list[Any], answer: list[Any], tools: Any, what: str) -> list[Message]:
    if not answer:
        raise InputError(f"{what} is empty")
    turns = read_turns([*prompt, *answer], tools)[len(prompt) :]
    for turn, place in ((turns[0], "begin"), (turns[-1], "end")):
        if turn.role != "assistant":
            raise InputError(f"{what} does not {place} with an assistant turn")
    return turns


def _is_text(turns: list[Message]) -> bool:
    return len(turns) == 1 and turns[0].tool_calls is None and turns[0].name is None and turns[0].tool_call_id is None


def _turns_json(turns: list[Message]) -> str:
    return dump_exact([turn.model_dump(exclude_none=True) for turn in turns])
