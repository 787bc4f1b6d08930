"""Plain texts for continued pretraining: a file of one column, `text`; of more columns when asked by `--shape text`."""

from __future__ import annotations

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Text
from sluice.curate.formats.shapes.base import SHAPES, Direct, Reading, Record, Seen, Shape
from sluice.curate.formats.shapes.turns import kind_of, says


def read(seen: Seen) -> Reading:
    """Return how texts are read."""
    if not seen.has("text"):
        raise InputError("it has no column text", where=str(seen.path), remedy="map one: --map text='{{ body }}'")

    def build(record: Record) -> AnyRow:
        value = record.get("text")
        if not says(value):
            raise InputError("no text: empty" if value is not None else "no text")
        if not isinstance(value, str):
            raise InputError(f"text is {kind_of(value)}, not a text")
        return Text(input={"text": value})

    note = "inputs to be answered (--input text)" if seen.columns == ["text"] else None
    return Reading(
        "text", "plain texts", frozenset({"text"}), build, note, direct=Direct(inputs=("text",), kind="text")
    )


SHAPES.register("text")(
    Shape(
        name="text",
        title="plain texts",
        help="text: one text a record, for continued pretraining",
        examples=({"text": "A sluice washes gravel from gold."},),
        fits=lambda seen: seen.columns == ["text"],
        read=read,
    )
)
