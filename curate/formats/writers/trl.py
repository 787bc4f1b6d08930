"""trl: a file that TRL's trainers take as it is, by kind: SFT, DPO, KTO, or continued pretraining.

Chats are conversational (lists of turns), rows of one field are texts; with a prompt file all are conversational. A row
without an answer cannot be trained on and is refused. `tools` is JSON text, which the trainers parse: a column of
objects would give each tool the keys of the others.
"""

from __future__ import annotations

from sluice.core.canonical import dump_exact
from sluice.curate.formats.writers import preference, prompt_completion, text, unpaired
from sluice.curate.formats.writers.base import (
    NESTED,
    WRITERS,
    ExportRow,
    Note,
    Parts,
    Shape,
    WriteOptions,
    Writer,
    cannot,
)

BY_KIND: dict[str, Shape] = {
    "example": prompt_completion.shape,
    "preference": preference.shape,
    "unpaired": unpaired.shape,
    "text": text.shape,
}


def shape(export: ExportRow, options: WriteOptions, note: Note) -> Parts:
    """Return a row in the form of its kind's trainer."""
    record = export.record
    if record["kind"] == "example" and record["target"] is None:
        raise cannot(export, "a row without a target cannot be trained on", "label it, or leave it out")
    own = BY_KIND[record["kind"]](export, options, note).own
    return Parts(own | {"tools": dump_exact(own["tools"])} if "tools" in own else own)


WRITERS.register("trl")(
    Writer(
        name="trl",
        help="what TRL's trainer for the kind takes: SFT, DPO, KTO",
        holds={
            "example": "SFTTrainer: prompt and completion",
            "preference": "DPOTrainer: prompt, chosen, rejected",
            "unpaired": "KTOTrainer: prompt, completion, label",
            "text": "SFTTrainer: text",
        },
        needs={"example": "a target"},
        refuses={},
        formats=NESTED,
        shape=shape,
    )
)
