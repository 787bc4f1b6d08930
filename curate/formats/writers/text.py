"""text: one text a row, as continued pretraining takes it; in a .txt file the texts alone."""

from __future__ import annotations

from sluice.curate.formats.writers.base import (
    TABULAR,
    WRITERS,
    ExportRow,
    Note,
    Parts,
    WriteOptions,
    Writer,
    fields_of,
)

ANSWERED = "a row with an answer is no plain text: --format messages, prompt-completion or trl"


def shape(export: ExportRow, options: WriteOptions, note: Note) -> Parts:
    """Return a text row as its text."""
    return Parts(fields_of(export.record))


WRITERS.register("text")(
    Writer(
        name="text",
        help="one text a row: JSONL with the column text, or a .txt file",
        holds={"text": "text"},
        refuses=dict.fromkeys(("example", "preference", "unpaired"), ANSWERED),
        formats=(*TABULAR, "txt"),
        shape=shape,
        takes_prompt=False,
    )
)
