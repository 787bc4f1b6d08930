"""columns: a row as the columns it came in: input fields, answer, metadata; chats in `messages` and `tools`.

The shape that loses nothing. A chat that is judged or compared has its input in `prompt`, as trainers call it.
"""

from __future__ import annotations

from sluice.curate.formats.writers.base import (
    TABULAR,
    WRITERS,
    Chat,
    ExportRow,
    Line,
    Note,
    Parts,
    Turn,
    WriteOptions,
    Writer,
    answer_text,
    answer_turns,
    chat_of,
    fields_of,
    target_turn,
    with_tools,
)


def shape(export: ExportRow, options: WriteOptions, note: Note) -> Parts:
    """Return a row as its own columns, and its answers under names that make way for input fields."""
    record = export.record
    chat = chat_of(record)
    if record["kind"] == "text":
        return Parts(fields_of(record))
    if record["kind"] == "example":
        if chat is not None:
            return whole_chat(export, chat)
        return Parts(fields_of(record), {options.target_column: record["target"]})
    take = answer_text if chat is None else answer_turns
    if record["kind"] == "preference":
        answers: Line = {name: take(export, name) for name in ("chosen", "rejected")}
    else:
        answers = {"completion": take(export, "answer"), "label": record["good"]}
    if chat is None:
        return Parts(fields_of(record), answers)
    return Parts({"prompt": chat.turns, **answers, **with_tools(chat)})


def whole_chat(export: ExportRow, chat: Chat) -> Parts:
    """Return an example's chat with its target as the closing turn, and its tools.

    What `add` took off the turns goes back to them: metadata `weights`, and the name of the answer. A chat that ends
    with an assistant turn and has no target gets the weight 0 there: that turn is not learnt.
    """
    answer = target_turn(export.record)
    turns = [*chat.turns, answer] if answer else list(chat.turns)
    told: list[str] = []
    name = export.metadata.get("answer_name")
    if answer is not None and "name" not in answer and isinstance(name, str):
        turns[-1] = {**answer, "name": name}
        told.append("answer_name")
    weights = weights_of(export, turns)
    if weights is not None:
        told.append("weights")
    elif answer is None and turns and turns[-1]["role"] == "assistant":
        weights = [None] * (len(turns) - 1) + [0]
    if weights is not None:
        turns = [t if w is None else {**t, "weight": w} for t, w in zip(turns, weights, strict=True)]
    return Parts({"messages": turns, **with_tools(chat)}, told=tuple(told))


def weights_of(export: ExportRow, turns: list[Turn]) -> list[int | None] | None:
    """Return the weights that a chat came with, one a turn, or None."""
    weights = export.metadata.get("weights")
    if not isinstance(weights, list) or len(weights) != len(turns):
        return None
    return weights if all(w is None or (w in (0, 1) and not isinstance(w, bool)) for w in weights) else None


WRITERS.register("columns")(
    Writer(
        name="columns",
        help="the columns as they came, metadata too; chats in messages and tools",
        holds={
            "example": "input fields and target under their own names, or messages with the target as the last turn",
            "preference": "input fields, chosen, rejected; of a chat prompt, chosen and rejected as turns",
            "unpaired": "input fields, completion, label; of a chat prompt and completion as turns",
            "text": "text",
        },
        refuses={},
        formats=TABULAR,
        shape=shape,
        carries_metadata=True,
        takes_prompt=False,
    )
)
