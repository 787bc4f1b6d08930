"""prompt-completion: prompt and completion, as texts for a row of one field, else as lists of turns."""

from __future__ import annotations

from sluice.curate.formats.writers.base import (
    NESTED,
    WRITERS,
    ExportRow,
    Note,
    Parts,
    WriteOptions,
    Writer,
    one_text,
    only_prompt,
    prompt_turns,
    target_turn,
    with_tools,
)
from sluice.curate.formats.writers.messages import COMPARED, JUDGED, PLAIN

RENAMED = "the input field is called prompt, its own name is lost"


def shape(export: ExportRow, options: WriteOptions, note: Note) -> Parts:
    """Return a row as prompt and completion: two texts, or two lists of turns and the tools."""
    record = export.record
    if options.render is None and record["input_form"] == "fields":
        return Parts({"prompt": text_prompt(export, note), "completion": record["target"]})
    chat = prompt_turns(export, options, note, "prompt")
    answer = target_turn(record)
    return Parts({"prompt": chat.turns, "completion": [answer] if answer else None, **with_tools(chat)})


def text_prompt(export: ExportRow, note: Note) -> str:
    """Return the one field of a row as the text `prompt`."""
    text = one_text(export, note, "prompt")
    if not only_prompt(export.record):
        note("prompt", RENAMED)
    return text


WRITERS.register("prompt-completion")(
    Writer(
        name="prompt-completion",
        help="prompt and completion: texts for a row of one field, else turns",
        holds={"example": "prompt and completion (null where there is no target), tools"},
        refuses={"preference": COMPARED, "unpaired": JUDGED, "text": PLAIN},
        formats=NESTED,
        shape=shape,
    )
)
