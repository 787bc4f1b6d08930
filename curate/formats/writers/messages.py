"""messages: one chat a line, {"messages": [...], "tools": [...]}, the target as the closing assistant turn."""

from __future__ import annotations

from sluice.curate.formats.writers.base import (
    NESTED,
    WRITERS,
    ExportRow,
    Note,
    Parts,
    WriteOptions,
    Writer,
    prompt_turns,
)
from sluice.curate.formats.writers.columns import whole_chat

JUDGED = "a judged answer has no place in a chat: --format unpaired or trl"
COMPARED = "two answers have no place in one chat: --format preference, openai-preference or trl"
PLAIN = "a text is no chat: --format text or trl"


def shape(export: ExportRow, options: WriteOptions, note: Note) -> Parts:
    """Return a row as one chat."""
    return whole_chat(export, prompt_turns(export, options, note, "messages"))


WRITERS.register("messages")(
    Writer(
        name="messages",
        help="chats, as trainers take them: messages and tools",
        holds={"example": "messages and tools; a row of one field is a user turn, of several it takes a prompt"},
        refuses={"preference": COMPARED, "unpaired": JUDGED, "text": PLAIN},
        formats=NESTED,
        shape=shape,
    )
)
