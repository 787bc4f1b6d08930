"""OpenAI's chats: `messages` (a list, or its JSON text) and `tools`. A closing assistant turn is the target.

`weight` (0 or 1, on a turn) goes to the metadata column `weights`, one value a message. Only the closing turn is ever
learnt here, so a weight on an earlier turn changes nothing; a closing turn of weight 0 is no target: the row is kept,
ends its input with that turn, and has none.
"""

from __future__ import annotations

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, chat_row
from sluice.curate.formats.shapes.base import SHAPES, Built, Direct, Reading, Record, Seen, Shape
from sluice.curate.formats.shapes.turns import SHAREGPT_ROLES, checked, is_chat, read_list, read_tools, with_weights

COLUMNS = frozenset({"messages", "tools"})


def read(seen: Seen) -> Reading:
    """Return how a file with a column `messages` is read."""
    if not seen.has("messages"):
        raise InputError("it has no column messages", where=str(seen.path), remedy="name the shape it has, or none")

    def build(record: Record) -> AnyRow | Built:
        value = record.get("messages")
        if value is None or value == "":
            raise InputError("no input: no messages")
        turns = read_list(value, seen.tidy)
        row = checked(chat_row(turns, read_tools(record, seen.tidy)))
        return with_weights(row, turns, taken=record)

    first = next((r["messages"] for r in seen.records if r.get("messages")), None)
    foreign = is_chat(first) and all("role" not in turn for turn in first or ())
    title = "ShareGPT chats (in messages)" if foreign else SHAPE.title
    direct = Direct(turns="messages")
    if foreign:
        direct = Direct(turns="messages", spelt=("from", "value"), speakers=SHAREGPT_ROLES)
    return Reading("messages", title, COLUMNS, build, direct=direct)


SHAPE = SHAPES.register("messages")(
    Shape(
        name="messages",
        title="OpenAI chats",
        help="messages, tools: the closing assistant turn is the target, all before it the input",
        examples=(
            {
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "Where is my parcel?"},
                    {"role": "assistant", "content": "On its way.", "weight": 1},
                ]
            },
        ),
        fits=lambda seen: seen.has("messages"),
        read=read,
    )
)
