"""Records to Parquet bytes: a column keeps its type where one Arrow type holds all its values exactly, else JSON text.

Texts, booleans, integers of 64 bits, floats and lists of those keep their type; anything else (mixed types, objects of
uneven shape, larger numbers) is written as JSON text, texts among them as they are. Chats become a list of structs with
`role` and `content` as Hugging Face datasets have it, with calls and names as text columns only where some turn has
them.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

from sluice.core.canonical import dump_exact

if TYPE_CHECKING:
    import pyarrow as pa

EXACT_FLOAT = 2**53


def parquet_bytes(lines: list[dict[str, Any]], columns: list[str]) -> tuple[bytes, list[str]]:
    """Return a Parquet file (zstd) with one row a record, and the columns whose values became text in it.

    Columns that a record lacks are null.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays: list[pa.Array] = []
    as_text: list[str] = []
    for name in columns:
        values = [line.get(name) for line in lines]
        arrays.append(_array(name, values))
        if pa.types.is_string(arrays[-1].type) and any(v is not None and not isinstance(v, str) for v in values):
            as_text.append(name)
    out = io.BytesIO()
    pq.write_table(pa.table(arrays, names=columns), out, compression="zstd", write_page_checksum=True)
    return out.getvalue(), as_text


def _array(name: str, values: list[Any]) -> pa.Array:
    import pyarrow as pa

    if name == "messages" and all(v is None or _is_chat(v) for v in values):
        return _chats(values)
    kind = _kind(values)
    if kind is not None:
        return pa.array(values, kind)
    return pa.array([v if v is None or isinstance(v, str) else dump_exact(v) for v in values], pa.string())


def _kind(values: list[Any]) -> pa.DataType | None:
    """Return the Arrow type that holds every value exactly, or None."""
    import pyarrow as pa

    kinds = {type(v) for v in values if v is not None}
    if not kinds or kinds == {str}:
        return pa.string()
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        numbers = [v for v in values if v is not None]
        low, high = min(numbers), max(numbers)
        if low >= -(2**63) and high < 2**63:
            return pa.int64()
        return pa.uint64() if low >= 0 and high < 2**64 else None
    if kinds == {float} or kinds == {float, int}:
        return (
            pa.float64()
            if all(isinstance(v, float) or abs(v) <= EXACT_FLOAT for v in values if v is not None)
            else None
        )
    if kinds == {list}:
        items = [item for v in values if v is not None for item in v]
        inner = _kind(items) if not any(isinstance(i, (list, dict)) for i in items) else None
        return pa.list_(inner) if inner is not None else None
    return None


def _is_chat(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, dict) and "role" in v for v in cast("list[Any]", value))


def _chats(values: list[Any]) -> pa.Array:
    import pyarrow as pa

    keys = {key for turns in values if turns is not None for turn in turns for key in turn}
    names = [
        k for k in ("role", "content", "name", "tool_calls", "tool_call_id") if k in keys or k in ("role", "content")
    ]
    kind = pa.list_(pa.struct([(name, pa.string()) for name in names]))
    rows = [None if turns is None else [_flat(turn) for turn in turns] for turns in values]
    return pa.array(rows, kind)


def _flat(turn: dict[str, Any]) -> dict[str, Any]:
    calls = turn.get("tool_calls")
    return turn if calls is None else {**turn, "tool_calls": dump_exact(calls)}
