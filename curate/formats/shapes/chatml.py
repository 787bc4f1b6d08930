"""ChatML as text: a column `text` whose chats are written with `<|im_start|>ROLE`, what is said, and `<|im_end|>`.

Such a text is a chat that a template has already been applied to. It is read back into its turns, so that another
template can be; a text with anything beside its turns (or an assistant's turn left open) is set aside.
"""

from __future__ import annotations

import re
from typing import Any

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, chat_row
from sluice.curate.formats.shapes.base import SHAPES, Reading, Record, Seen, Shape
from sluice.curate.formats.shapes.turns import checked, kind_of

_TURN = re.compile(r"<\|im_start\|>([a-z]+)\n(.*?)<\|im_end\|>\n?", flags=re.S)
_OPENS = "<|im_start|>"


def turns_of(text: str) -> list[Any]:
    """Return the turns of a text. Raises InputError for what is between or behind them."""
    turns: list[Any] = []
    at = 0
    for match in _TURN.finditer(text):
        if match.start() != at:
            raise InputError(f"text that is no turn before message {len(turns) + 1}")
        if _OPENS in match[2]:
            raise InputError(f"message {len(turns) + 1}: a turn that does not end (<|im_end|>)")
        turns.append({"role": match[1], "content": match[2]})
        at = match.end()
    if text[at:].strip():
        raise InputError(f"text that is no turn behind message {len(turns)}")
    return turns


def fits(seen: Seen) -> bool:
    """Return whether the first text of a file begins with a turn."""
    first = next((r["text"] for r in seen.records if r.get("text")), None) if seen.has("text") else None
    return isinstance(first, str) and first.startswith(_OPENS)


def read(seen: Seen) -> Reading:
    """Return how texts of turns are read."""
    if not seen.has("text"):
        raise InputError("it has no column text", where=str(seen.path), remedy="leave --shape away")

    def build(record: Record) -> AnyRow:
        value = record.get("text")
        if not isinstance(value, str):
            raise InputError("no text" if value is None else f"text is {kind_of(value)}, not a text")
        return checked(chat_row(turns_of(value)))

    return Reading("chatml", "ChatML texts", frozenset({"text"}), build)


SHAPES.register("chatml")(
    Shape(
        name="chatml",
        title="ChatML texts",
        help="text: chats written with <|im_start|> and <|im_end|>",
        examples=(
            {"text": "<|im_start|>user\nWhere is my parcel?<|im_end|>\n<|im_start|>assistant\nOn its way.<|im_end|>\n"},
        ),
        fits=fits,
        read=read,
    )
)
