"""Parquet to records, each type to the JSON value that holds it exactly, or a clear refusal.

Integers of any width, booleans, floats and texts are values; decimals, dates and times become text (`2024-05-01`,
`2024-05-01T12:00:00.000000001+02:00`); lists, structs and maps are taken item by item. Bytes, durations and unions
have no exact JSON form: such a column is left out and named; where rows are made of it, nothing is read. A cell that
its type allows and JSON does not (NaN, a year beyond 9999, text that is not UTF-8) sets its row aside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sluice.core.canonical import dump_exact
from sluice.core.errors import InputError
from sluice.curate.formats.arrow import Unfit, converter
from sluice.curate.formats.records import (
    FORMATS,
    STEP,
    Format,
    Progress,
    ReadOptions,
    SetAside,
    Source,
    Table,
    empty,
    none_of,
)
from sluice.curate.formats.shapes import choose

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC = b"PAR1"


def sniff(data: bytes) -> bool:
    """Return whether the file begins as Parquet does."""
    return data.startswith(MAGIC)


def read(source: Source, options: ReadOptions, progress: Progress | None) -> Table:
    """Read all rows of a Parquet file.

    Raises InputError for a damaged file, a column name given twice, rows made of a type without an exact JSON form, and
    no rows.
    """
    table = _load(source)
    names = table.column_names
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(
            f"two columns are called {twice[0]!r}", where=str(source.path), remedy="give each a name of its own"
        )
    if not table.num_rows:
        raise empty(source.path, "a Parquet file with columns and nothing in them")
    convert, left_out = _converters(table, source, options)
    columns: dict[str, list[Any]] = {}
    for done, (name, values) in enumerate(convert.items(), start=1):
        if progress is not None:
            progress(f"reading {source.path.name}", done, len(convert))
        columns[name] = values(table.column(name))
    read_names = list(columns)
    lines: list[int] = []
    records: list[dict[str, Any]] = []
    aside: list[SetAside] = []
    for i, cells in enumerate(zip(*columns.values(), strict=True)):
        if progress is not None and i % STEP == 0:
            progress(f"reading {source.path.name}", i, table.num_rows)
        unfit = [(name, cell) for name, cell in zip(read_names, cells, strict=True) if isinstance(cell, Unfit)]
        if unfit:
            name, cell = unfit[0]
            shown = {n: c.shown if isinstance(c, Unfit) else c for n, c in zip(read_names, cells, strict=True)}
            aside.append(SetAside(i + 1, None, f"column '{name}' holds {cell.reason}", dump_exact(shown)))
            continue
        lines.append(i + 1)
        records.append({name: cell for name, cell in zip(read_names, cells, strict=True) if cell is not None})
    if not records:
        raise InputError(
            f"{none_of(len(aside), 'row')} can be read; row 1: {aside[0].reason}",
            where=str(source.path),
            remedy="leave that column out, or write it as text",
        )
    return Table(
        names,
        lines,
        records,
        lambda i: dump_exact(records[i]),
        aside,
        "binary",
        nulls_are_gaps=True,
        left_out=left_out,
    )


def _converters(
    table: pa.Table, source: Source, options: ReadOptions
) -> tuple[dict[str, Callable[[pa.ChunkedArray], list[Any]]], dict[str, str]]:
    """Return how each column is read, and those that cannot be read and no row is made of, with the reason."""
    needed = choose(table.column_names, options, source.path).used
    convert: dict[str, Callable[[pa.ChunkedArray], list[Any]]] = {}
    left_out: dict[str, str] = {}
    for name in table.column_names:
        try:
            convert[name] = converter(table.schema.field(name).type, name, source.path)
        except InputError as problem:
            if name in needed:
                raise
            left_out[name] = problem.message
    return convert, left_out


def _load(source: Source) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(source.data), page_checksum_verification=True)
        return file.read(use_threads=False)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as problem:
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
