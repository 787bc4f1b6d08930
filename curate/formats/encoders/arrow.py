"""parquet and arrow: a column keeps its type where one Arrow type holds all its values exactly, else it is JSON.

Texts, booleans, integers of 64 bits, floats and lists of those keep their type. Lists of turns become lists of structs
with a text for each key. Anything else (mixed types, objects of uneven shape, larger numbers, calls of tools) is of
Arrow's type JSON: text for who does not know the type, objects again for Hugging Face datasets, and none of them with
the keys of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from sluice.curate.formats.encoders.base import ENCODERS, TURN_KEYS, Column, Encoder, Line, Survey, compact, exact
from sluice.curate.formats.pipe import Pipe

if TYPE_CHECKING:
    import pyarrow as pa

EXACT_FLOAT = 2**53
BATCH = 8192
"""Rows of a row group or record batch."""


def schema_of(survey: Survey) -> pa.Schema:
    """Return the Arrow schema of a file."""
    import pyarrow as pa

    return pa.schema([(name, _type(column)) for name, column in survey.columns.items()])


def encode_parquet(lines: Iterable[Line], survey: Survey) -> Iterator[bytes]:
    """Yield a Parquet file (zstd, page checksums)."""
    import pyarrow.parquet as pq

    out, schema = Pipe(), schema_of(survey)
    with pq.ParquetWriter(out, schema, compression="zstd", write_page_checksum=True) as writer:
        for batch in _batches(lines, schema):
            writer.write_batch(batch, row_group_size=BATCH)
            yield out.taken()
    yield out.taken()


def encode_arrow(lines: Iterable[Line], survey: Survey) -> Iterator[bytes]:
    """Yield an Arrow IPC file."""
    import pyarrow.ipc as ipc

    out, schema = Pipe(), schema_of(survey)
    with ipc.new_file(out, schema) as writer:
        for batch in _batches(lines, schema):
            writer.write_batch(batch)
            yield out.taken()
    yield out.taken()


def encode_stream(lines: Iterable[Line], schema: pa.Schema) -> Iterator[bytes]:
    """Yield an Arrow IPC stream, as `datasets` stores its tables."""
    import pyarrow.ipc as ipc

    out = Pipe()
    with ipc.new_stream(out, schema) as writer:
        for batch in _batches(lines, schema):
            writer.write_batch(batch)
            yield out.taken()
    yield out.taken()


def _batches(lines: Iterable[Line], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    rest = iter(lines)
    while chunk := list(islice(rest, BATCH)):
        yield pa.RecordBatch.from_arrays(
            [array_of([line.get(field.name) for line in chunk], field.type) for field in schema], schema=schema
        )


def array_of(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Return values as an Arrow array of a type that `schema_of` chose."""
    import pyarrow as pa

    if isinstance(kind, pa.JsonType):
        texts = pa.array([None if v is None else compact(v) for v in values], pa.string())
        return pa.ExtensionArray.from_storage(kind, texts)
    if pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        return _turns(values, kind)
    return pa.array(values, kind)


def _turns(values: list[Any], kind: pa.ListType) -> pa.Array:
    """Return lists of turns; Arrow makes no arrays of JSON below structs by itself."""
    import pyarrow as pa

    flat = [turn for turns in values if turns is not None for turn in turns]
    fields = list(kind.value_type)
    inner = pa.StructArray.from_arrays(
        [array_of([turn.get(f.name) for turn in flat], f.type) for f in fields], fields=fields
    )
    offsets: list[int | None] = []
    at = 0
    for turns in values:
        offsets.append(at if turns is not None else None)  # a null offset marks a null list
        at += len(turns) if turns is not None else 0
    offsets.append(at)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), inner, type=kind)


def _type(column: Column) -> pa.DataType:
    import pyarrow as pa

    if column.types == {list} and column.turns is not None and column.turns:
        names = [name for name in TURN_KEYS if name in column.turns]
        return pa.list_(pa.struct([(name, _turn_type(name)) for name in names]))
    return _flat(column) or pa.json_(pa.string())


def _turn_type(name: str) -> pa.DataType:
    import pyarrow as pa

    return {"tool_calls": pa.json_(pa.string()), "weight": pa.int64()}.get(name, pa.string())


def _flat(column: Column) -> pa.DataType | None:
    """Return the Arrow type that holds every value exactly, or None."""
    import pyarrow as pa

    kinds = column.types
    if not kinds or kinds == {str}:
        return pa.string()
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        if column.low >= -(2**63) and column.high < 2**63:
            return pa.int64()
        return pa.uint64() if column.low >= 0 and column.high < 2**64 else None
    if kinds in ({float}, {float, int}):
        return pa.float64() if column.low >= -EXACT_FLOAT and column.high <= EXACT_FLOAT else None
    if kinds == {list} and column.items is not None:
        inner = _flat(column.items) if not column.items.types & {list, dict} else None
        return pa.list_(inner) if inner is not None else None
    return None


ENCODERS.register("parquet")(
    Encoder("parquet", (".parquet", ".pq"), "Parquet (zstd), typed columns", encode_parquet, exact, True)
)
ENCODERS.register("arrow")(
    Encoder("arrow", (".arrow", ".feather", ".ipc"), "Arrow IPC file, typed columns", encode_arrow, exact, True)
)
