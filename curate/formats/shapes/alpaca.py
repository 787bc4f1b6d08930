"""Alpaca's instructions: `instruction` and `output`, and where there are such columns `input`, `system`, `history`.

Without columns `system` and `history` a row has the fields `instruction` and `input`. With either of them its input is
a chat, as LLaMA-Factory reads it: the system text, each pair of `history` as a user and an assistant turn, and last the
instruction with the input on the line below it.
"""

from __future__ import annotations

from typing import Any

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Example, Input, chat_input, target_text
from sluice.curate.formats.shapes.base import SHAPES, Direct, Reading, Record, Seen, Shape
from sluice.curate.formats.shapes.turns import checked, from_text, kind_of, says, some, with_system

COLUMNS = frozenset({"instruction", "input", "output", "system", "history"})


def fields_of(record: Record, seen: Seen) -> Input:
    """Return the prompt of a record as named fields."""
    return some({name: seen.tidy(record[name]) for name in ("instruction", "input") if says(record.get(name))})


def turns_of(record: Record, seen: Seen) -> list[Any] | None:
    """Return the prompt of a record as turns; None where the file has neither system texts nor a history."""
    if not ({"system", "history"} & set(seen.columns)):
        return None
    told = {name: record[name] for name in ("instruction", "input") if says(record.get(name))}
    for name, value in told.items():
        if not isinstance(value, str):
            raise InputError(f"{name} is {kind_of(value)}, not a text")
    if not told:
        raise InputError("no input: neither instruction nor input")
    turns = [*_history(record.get("history")), {"role": "user", "content": "\n".join(told.values())}]
    return with_system(turns, record.get("system"))


def _history(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    pairs = from_text(value, "history") if isinstance(value, str) else value
    if not isinstance(pairs, list):
        raise InputError(f"history is {kind_of(pairs)}, not a list of pairs")
    turns: list[Any] = []
    for i, pair in enumerate(pairs, start=1):
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            raise InputError(f"pair {i} of history is not an instruction and an answer")
        turns += [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]
    return turns


def read(seen: Seen) -> Reading:
    """Return how instructions are read."""
    if not seen.has("instruction", "output"):
        raise InputError("it has no columns instruction and output", where=str(seen.path), remedy="leave --shape away")

    def build(record: Record) -> AnyRow:
        turns = turns_of(record, seen)
        content = chat_input(turns) if turns is not None else fields_of(record, seen)
        return checked(Example(input=content, target=target_text(record.get("output"))))

    chat = bool({"system", "history"} & set(seen.columns))
    direct = None if chat else Direct(inputs=("instruction", "input"), target="output", drops_blank=True)
    return Reading("alpaca", "Alpaca instructions", COLUMNS, build, direct=direct)


SHAPES.register("alpaca")(
    Shape(
        name="alpaca",
        title="Alpaca instructions",
        help="instruction, input, output, system, history",
        examples=({"instruction": "Name the category.", "input": "Where is my parcel?", "output": "delivery"},),
        fits=lambda seen: seen.has("instruction", "output"),
        read=read,
    )
)
