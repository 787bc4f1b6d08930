"""alpaca: instruction, input, output. Fields of those names as they are, another single field as the instruction.

A chat is written as LLaMA-Factory reads it back: its system text in `system`, the turns before the last question in
`history`, pair by pair. A file with either column holds chats, one without holds fields.
"""

from __future__ import annotations

from typing import Any

from sluice.curate.formats.writers.base import (
    TABULAR,
    WRITERS,
    Chat,
    ExportRow,
    Line,
    Note,
    Parts,
    WriteOptions,
    Writer,
    blank,
    cannot,
    fields_of,
    one_text,
    prompt_turns,
)
from sluice.curate.formats.writers.messages import COMPARED, JUDGED, PLAIN

FIELDS = ("instruction", "input")
KEEPS = "--format messages keeps it"


def shape(export: ExportRow, options: WriteOptions, note: Note) -> Parts:
    """Return a row as instruction, input and output, and of a chat system and history."""
    record = export.record
    if record["target_form"] == "call":
        raise cannot(export, "a tool call is no text", KEEPS)
    if options.render is not None or record["input_form"] == "messages":
        own = _of_chat(export, prompt_turns(export, options, note, "instruction"))
        return Parts({**own, "output": record["target"]})
    return Parts({**_of_fields(export, fields_of(record), note), "output": record["target"]})


def _of_fields(export: ExportRow, fields: dict[str, Any], note: Note) -> Line:
    texts = all(isinstance(v, str) and not blank(v) for v in fields.values())
    if texts and set(fields) <= set(FIELDS):
        return {name: fields.get(name, "") for name in FIELDS}
    text = one_text(export, note, "instruction")
    if blank(text):
        raise cannot(export, "a blank instruction is read back as none")
    note("instruction", "the input field is called instruction, its own name is lost")
    return {"instruction": text, "input": ""}


def _of_chat(export: ExportRow, chat: Chat) -> Line:
    turns = chat.turns
    if chat.tools or any(set(turn) != {"role", "content"} for turn in turns):
        raise cannot(export, "tools, calls and names have no place in this form", KEEPS)
    system = turns[0]["content"] if turns[0]["role"] == "system" else None
    said = turns[1:] if system is not None else turns
    if [t["role"] for t in said] != ["user", "assistant"] * (len(said) // 2) + ["user"]:
        raise cannot(export, "this form holds a system text, then question and answer in turn", KEEPS)
    if blank(said[-1]["content"]) or system == "":
        raise cannot(export, "a blank instruction or system text is read back as none", KEEPS)
    texts = [turn["content"] for turn in said]
    history = [list(pair) for pair in zip(texts[:-1:2], texts[1::2], strict=True)]
    return {"instruction": texts[-1], "input": "", "system": system or "", "history": history}


WRITERS.register("alpaca")(
    Writer(
        name="alpaca",
        help="Alpaca: instruction, input, output",
        holds={"example": "instruction, input, output; of a chat system and history"},
        needs={"example": "one text field, or those of the form; a chat without tools, question and answer in turn"},
        refuses={"preference": COMPARED, "unpaired": JUDGED, "text": PLAIN},
        formats=TABULAR,
        shape=shape,
        cells=frozenset({"input", "system", "history"}),
    )
)
