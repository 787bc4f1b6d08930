"""openai-preference: OpenAI's form for DPO: `input` with messages and tools, and two outputs."""

from __future__ import annotations

from sluice.curate.formats.writers.base import (
    WRITERS,
    ExportRow,
    Note,
    Parts,
    Turn,
    WriteOptions,
    Writer,
    answer_turns,
    prompt_turns,
)
from sluice.curate.formats.writers.openai import openai_tools, openai_turn
from sluice.curate.formats.writers.preference import JUDGED, ONE_ANSWER, PLAIN


def shape(export: ExportRow, options: WriteOptions, note: Note) -> Parts:
    """Return a row as an input and two outputs."""
    chat = prompt_turns(export, options, note, "input")
    turns = [openai_turn(export, turn, note, "input") for turn in chat.turns]
    return Parts(
        {
            "input": {"messages": turns, **openai_tools(chat, note)},
            "preferred_output": _answer(export, "chosen", note),
            "non_preferred_output": _answer(export, "rejected", note),
        }
    )


def _answer(export: ExportRow, name: str, note: Note) -> list[Turn]:
    return [openai_turn(export, turn, note, "input") for turn in answer_turns(export, name)]


WRITERS.register("openai-preference")(
    Writer(
        name="openai-preference",
        help="OpenAI's preference fine-tuning: input, preferred_output, non_preferred_output",
        holds={"preference": "input with messages and tools, two outputs"},
        needs={"preference": "ids on calls"},
        refuses={"example": ONE_ANSWER, "unpaired": JUDGED, "text": PLAIN},
        formats=("jsonl",),
        shape=shape,
    )
)
