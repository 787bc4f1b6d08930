"""Prompts and completions: `prompt` and `completion`, texts (field `prompt`) or lists of messages (TRL's form)."""

from __future__ import annotations

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Example, chat_input, chat_row, target_text
from sluice.curate.formats.shapes.base import SHAPES, Built, Direct, Reading, Record, Seen, Shape
from sluice.curate.formats.shapes.turns import checked, is_chat, read_list, read_tools, some, with_weights


def read(seen: Seen) -> Reading:
    """Return how prompts and completions are read."""
    if not seen.has("prompt", "completion"):
        raise InputError("it has no columns prompt and completion", where=str(seen.path), remedy="leave --shape away")

    def build(record: Record) -> AnyRow | Built:
        prompt, completion = record.get("prompt"), record.get("completion")
        if not is_chat(prompt):
            if is_chat(completion):
                raise InputError("the prompt is no list of messages, but the completion is one")
            if record.get("tools"):
                raise InputError("tools beside a prompt that is no list of messages")
            fields = {"prompt": seen.tidy(prompt)} if prompt is not None else {}
            return checked(Example(input=some(fields), target=target_text(completion)))
        turns, tools = read_list(prompt, seen.tidy, "prompt"), read_tools(record, seen.tidy)
        if completion is None or completion in ("", []):
            return with_weights(checked(Example(input=chat_input(turns, tools))), turns, taken=record)
        if not is_chat(completion):
            row = checked(Example(input=chat_input(turns, tools), target=target_text(completion)))
            return with_weights(row, turns, taken=record)
        answer = read_list(completion, seen.tidy, "completion")
        if answer[-1].get("role") != "assistant":
            raise InputError("the completion does not end with an assistant turn")
        return with_weights(checked(chat_row(turns + answer, tools)), turns, answer, taken=record)

    used = frozenset({"prompt", "completion", "tools"})
    direct = Direct(inputs=("prompt",), target="completion")
    return Reading("prompt-completion", "prompts and completions", used, build, direct=direct)


SHAPES.register("prompt-completion")(
    Shape(
        name="prompt-completion",
        title="prompts and completions",
        help="prompt, completion: texts, or messages",
        examples=({"prompt": "Where is my parcel?", "completion": "On its way."},),
        fits=lambda seen: seen.has("prompt", "completion"),
        read=read,
    )
)
