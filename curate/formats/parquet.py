"""Parquet to records, each type to the JSON value that holds it exactly, or a clear refusal.

Integers of any width, booleans, floats and texts are values; decimals, dates and times become text (`2024-05-01`,
`2024-05-01T12:00:00.000000001+02:00`); lists, structs and maps are taken item by item. What has no exact JSON form is
`columnar`'s to say. Threads are off wherever a user's file is read: pyarrow 26.0.1 raises on a damaged page and then
aborts the process at its exit where they were on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.core.errors import InputError
from sluice.curate.formats.columnar import refuse_bomb, to_records
from sluice.curate.formats.records import FORMATS, Format, Progress, ReadOptions, Source, Table

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC = b"PAR1"


def sniff(data: bytes) -> bool:
    """Return whether the file begins as Parquet does."""
    return data.startswith(MAGIC)


def read(source: Source, options: ReadOptions, progress: Progress | None) -> Table:
    """Read all rows of a Parquet file.

    Raises InputError for a damaged file, and as `columnar.to_records` does.
    """
    return to_records(_load(source), source, options, progress, "a Parquet file")


def _load(source: Source) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(source.data), page_checksum_verification=True)
        refuse_bomb(file.metadata.num_rows, file.metadata.num_columns, source)
        return file.read(use_threads=False)
    except (pa.ArrowException, OSError, UnicodeDecodeError, ValueError, MemoryError) as problem:
        whole = source.data.startswith(MAGIC) and source.data.endswith(MAGIC)
        what = "damaged Parquet" if whole else "cut off" if source.data.startswith(MAGIC) else "not Parquet"
        detail = str(problem).splitlines()[0][:160] if str(problem) else type(problem).__name__
        raise InputError(
            f"this file is {what}: {detail}",
            where=str(source.path),
            remedy="fetch or export the file again"
            if what != "not Parquet"
            else "say what it is: --format csv or jsonl",
        ) from None


FORMATS.register("parquet")(
    Format(
        name="parquet",
        extensions=(".parquet", ".pq"),
        help="Parquet: integers exact at any width, decimals and times as text",
        example="(binary) columns body: string, category: string, ticket: int64",
        sniff=sniff,
        read=read,
    )
)
