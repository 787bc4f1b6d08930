"""preference: prompt, chosen, rejected, as TRL has them; with `implicit` two transcripts with a shared beginning.

An implicit prompt is the beginning that both transcripts share, so that two long answers must not begin alike.
"""

from __future__ import annotations

from sluice.curate.formats.writers.base import (
    NESTED,
    WRITERS,
    ExportRow,
    Note,
    Parts,
    WriteOptions,
    Writer,
    answer_text,
    answer_turns,
    cannot,
    prompt_turns,
    with_tools,
)
from sluice.curate.formats.writers.prompt_completion import text_prompt

ONE_ANSWER = "a row with one answer prefers nothing: --format messages, prompt-completion or trl"
JUDGED = "a judged answer is compared with no other: --format unpaired or trl"
PLAIN = "a text has no answers: --format text or trl"


def shape(export: ExportRow, options: WriteOptions, note: Note) -> Parts:
    """Return a row as prompt, chosen and rejected, or as two transcripts."""
    record = export.record
    if options.render is None and record["input_form"] == "fields" and not options.implicit:
        answers = {name: answer_text(export, name) for name in ("chosen", "rejected")}
        return Parts({"prompt": text_prompt(export, note), **answers})
    chat = prompt_turns(export, options, note, "chosen" if options.implicit else "prompt")
    chosen, rejected = answer_turns(export, "chosen"), answer_turns(export, "rejected")
    if not options.implicit:
        return Parts({"prompt": chat.turns, "chosen": chosen, "rejected": rejected, **with_tools(chat)})
    if min(len(chosen), len(rejected)) > 1 and chosen[0] == rejected[0]:
        raise cannot(export, "both answers begin alike: that would be read as prompt", "leave --implicit away")
    both = {"chosen": [*chat.turns, *chosen], "rejected": [*chat.turns, *rejected]}
    return Parts({**both, **with_tools(chat)})


WRITERS.register("preference")(
    Writer(
        name="preference",
        help="prompt, chosen, rejected, as TRL's DPO takes them; --implicit: two whole transcripts",
        holds={"preference": "prompt, chosen, rejected as texts or turns, tools"},
        refuses={"example": ONE_ANSWER, "unpaired": JUDGED, "text": PLAIN},
        formats=NESTED,
        shape=shape,
    )
)
