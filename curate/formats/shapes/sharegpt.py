"""ShareGPT's chats: `conversations` (or `conversation`) of turns with `from` and `value`, `system` and `tools` beside.

The speakers are those of LLaMA-Factory: human, gpt, system, function_call (its value is a call as JSON, or a list of
calls) and observation, which answers it. Turns of role and content in such a column are read as well.
"""

from __future__ import annotations

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, chat_row
from sluice.curate.formats.shapes.base import SHAPES, Built, Direct, Reading, Record, Seen, Shape
from sluice.curate.formats.shapes.turns import (
    SHAREGPT_ROLES,
    checked,
    read_list,
    read_tools,
    talk_column,
    with_system,
    with_weights,
)


def read(seen: Seen) -> Reading:
    """Return how a file of conversations is read."""
    column = talk_column(seen)
    if column is None:
        raise InputError("it has no column conversations", where=str(seen.path), remedy="leave --shape away")

    def build(record: Record) -> AnyRow | Built:
        value = record.get(column)
        if value is None or value == "" or value == []:
            raise InputError("no input: no turns")
        turns = with_system(read_list(value, seen.tidy, column), record.get("system"))
        row = checked(chat_row(turns, read_tools(record, seen.tidy)))
        return with_weights(row, turns, taken=record)

    direct = Direct(turns=column, spelt=("from", "value"), speakers=SHAREGPT_ROLES)
    return Reading("sharegpt", "ShareGPT chats", frozenset({column, "system", "tools"}), build, direct=direct)


SHAPES.register("sharegpt")(
    Shape(
        name="sharegpt",
        title="ShareGPT chats",
        help="conversations of from and value (human, gpt, function_call, observation), system, tools",
        examples=(
            {
                "conversations": [
                    {"from": "human", "value": "Where is my parcel?"},
                    {"from": "gpt", "value": "On its way."},
                ],
                "system": "Be brief.",
            },
        ),
        fits=lambda seen: talk_column(seen) is not None,
        read=read,
    )
)
