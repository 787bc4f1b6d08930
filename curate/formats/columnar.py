"""An Arrow table to records: what Parquet and Arrow files have in common once they are open.

Bytes, durations and unions have no exact JSON form: such a column is left out and named; where rows are made of it,
nothing is read. A cell that its type allows and JSON does not sets its row aside. Numbers of classes become their
names where `datasets` wrote those beside the schema, as a dictionary's keys become its values. Knows nothing of files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sluice.core.canonical import JsonProblem, dump_exact, parse_exact
from sluice.core.errors import InputError
from sluice.curate.formats.arrow import Unfit, converter
from sluice.curate.formats.records import STEP, Progress, ReadOptions, SetAside, Source, Table, empty, none_of
from sluice.curate.formats.shapes import choose
from sluice.curate.formats.unpack import FREE

if TYPE_CHECKING:
    import pyarrow as pa

MOST_CELLS = 100
"""Cells for each byte of a file: tables of mostly nulls reach some tens, a bomb of run lengths hundreds and more."""


def refuse_bomb(rows: int, columns: int, source: Source) -> None:
    """Raise InputError for a table that says it has far more cells than its bytes can sensibly hold."""
    cells = rows * columns
    if cells > FREE and cells > MOST_CELLS * len(source.data):
        raise InputError(
            f"it says that it holds {rows:,} rows of {columns:,} columns in {len(source.data):,} bytes",
            where=str(source.path),
            remedy="check where this file comes from; if it is right, write it in parts",
        )


def to_records(table: pa.Table, source: Source, options: ReadOptions, progress: Progress | None, what: str) -> Table:
    """Return the rows of an Arrow table as records.

    Args:
        table: sound in itself (`validate`), from user data.
        source: the file, for messages.
        options: which columns rows are made of.
        progress: called with (what, columns or rows done, in all).
        what: the form, for messages: "a Parquet file".

    Raises InputError for a column name given twice, rows made of a type without an exact JSON form, and no rows.
    """
    names = table.column_names
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(
            f"two columns are called {twice[0]!r}", where=str(source.path), remedy="give each a name of its own"
        )
    if not table.num_rows:
        raise empty(source.path, f"{what} with columns and nothing in them")
    convert, left_out = _converters(table, source, options)
    labels = _labels(table)
    columns: dict[str, list[Any]] = {}
    for done, (name, values) in enumerate(convert.items(), start=1):
        if progress is not None:
            progress(f"reading {source.path.name}", done, len(convert))
        columns[name] = values(table.column(name))
        if name in labels:
            columns[name] = [_label(labels[name], value) for value in columns[name]]
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


def _labels(table: pa.Table) -> dict[str, list[str]]:
    """Return the names of the classes of each column of class numbers, as `datasets` writes them beside its schema."""
    written = (table.schema.metadata or {}).get(b"huggingface")
    try:
        features = parse_exact(written.decode())["info"]["features"] if written else {}
        found = {name: feature["names"] for name, feature in features.items() if feature.get("_type") == "ClassLabel"}
    except (JsonProblem, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        return {}  # a note for one library that is not understood says nothing
    return {
        name: names
        for name, names in found.items()
        if isinstance(names, list) and all(isinstance(n, str) for n in names) and _is_integer(table, name)
    }


def _is_integer(table: pa.Table, name: str) -> bool:
    import pyarrow.types as t

    return name in table.column_names and t.is_integer(table.schema.field(name).type)


def _label(names: list[str], value: Any) -> Any:
    """Return the name of a class; -1 is how `datasets` writes that there is none."""
    if value is None or value == -1:
        return None
    return names[value] if 0 <= value < len(names) else Unfit("the number of a class that has no name", str(value))


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
