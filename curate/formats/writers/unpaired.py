"""unpaired: prompt, completion and label (true where the answer is good), as TRL's KTO takes them."""

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
    prompt_turns,
    with_tools,
)
from sluice.curate.formats.writers.prompt_completion import text_prompt

NOT_JUDGED = "nobody judged this answer: --format messages, prompt-completion or trl"
COMPARED = "two compared answers are no judged one: --format preference, openai-preference or trl"
PLAIN = "a text has no answer: --format text or trl"


def shape(export: ExportRow, options: WriteOptions, note: Note) -> Parts:
    """Return a row as prompt, completion and label."""
    record = export.record
    if options.render is None and record["input_form"] == "fields":
        answer = {"completion": answer_text(export, "answer"), "label": record["good"]}
        return Parts({"prompt": text_prompt(export, note), **answer})
    chat = prompt_turns(export, options, note, "prompt")
    answer = {"completion": answer_turns(export, "answer"), "label": record["good"]}
    return Parts({"prompt": chat.turns, **answer, **with_tools(chat)})


WRITERS.register("unpaired")(
    Writer(
        name="unpaired",
        help="prompt, completion, label, as TRL's KTO takes them",
        holds={"unpaired": "prompt and completion as texts or turns, label, tools"},
        refuses={"example": NOT_JUDGED, "preference": COMPARED, "text": PLAIN},
        formats=NESTED,
        shape=shape,
    )
)
