"""OpenAI's preference form: `input` with its messages, `preferred_output` and `non_preferred_output`."""

from __future__ import annotations

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, chat_pair
from sluice.curate.formats.shapes.base import SHAPES, Built, Reading, Record, Seen, Shape
from sluice.curate.formats.shapes.turns import checked, from_text, read_list, read_tools, with_weights

ANSWERS = ("preferred_output", "non_preferred_output")


def read(seen: Seen) -> Reading:
    """Return how OpenAI's pairs are read."""
    if not seen.has("input", *ANSWERS):
        raise InputError(
            f"it lacks one of input, {', '.join(ANSWERS)}", where=str(seen.path), remedy="leave --shape away"
        )

    def build(record: Record) -> AnyRow | Built:
        content = record.get("input")
        if isinstance(content, str) and content[:1] == "{":
            content = from_text(content, "input")
        if not isinstance(content, dict) or not content.get("messages"):
            raise InputError("no input: no input.messages")
        prompt = read_list(content["messages"], seen.tidy, "input.messages")
        chosen, rejected = (read_list(record.get(name), seen.tidy, name) for name in ANSWERS)
        row = checked(chat_pair(prompt, chosen, rejected, read_tools(content, seen.tidy)))
        more = {f"input.{k}": v for k, v in content.items() if k not in ("messages", "tools") and v is not None}
        built = with_weights(row, prompt, chosen, rejected, taken=record)
        beside = {**(built.beside if isinstance(built, Built) else {}), **more}
        return Built(row, beside) if beside else row

    return Reading("openai-preference", "OpenAI preference pairs", frozenset({"input", *ANSWERS}), build)


SHAPES.register("openai-preference")(
    Shape(
        name="openai-preference",
        title="OpenAI preference pairs",
        help="input (messages, tools), preferred_output, non_preferred_output",
        examples=(
            {
                "input": {"messages": [{"role": "user", "content": "Where is my parcel?"}], "tools": []},
                "preferred_output": [{"role": "assistant", "content": "On its way."}],
                "non_preferred_output": [{"role": "assistant", "content": "No idea."}],
            },
        ),
        fits=lambda seen: seen.has("input", *ANSWERS),
        read=read,
    )
)
