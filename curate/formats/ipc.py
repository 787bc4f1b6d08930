"""Arrow IPC files and streams (`.arrow`, `.feather`, what `datasets` stores) to records, as Parquet's are.

A file from anywhere is checked before a value is looked at: offsets and lengths that lie would be read as memory that
is not the file's. Texts alone may be unsound, and cost their row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.core.errors import InputError
from sluice.curate.formats.columnar import refuse_bomb, to_records
from sluice.curate.formats.records import FORMATS, Format, Progress, ReadOptions, Source, Table

if TYPE_CHECKING:
    import pyarrow as pa

FILE = b"ARROW1"
STREAM = b"\xff\xff\xff\xff"
FEATHER_1 = b"FEA1"


def sniff(data: bytes) -> bool:
    """Return whether the file begins as an Arrow file, an Arrow stream or a Feather file does."""
    return data.startswith((FILE, FEATHER_1)) or (data.startswith(STREAM) and data[7:8] in (b"\0", b"\1"))


def read(source: Source, options: ReadOptions, progress: Progress | None) -> Table:
    """Read all rows of an Arrow IPC file or stream.

    Raises InputError for a file that is damaged or cut, and as `columnar.to_records` does.
    """
    return to_records(_load(source), source, options, progress, "an Arrow file")


def _load(source: Source) -> pa.Table:
    import pyarrow as pa
    import pyarrow.ipc as ipc

    if source.data.startswith(FEATHER_1):
        raise InputError(
            "this is a Feather file of version 1, which is no longer written or read",
            where=str(source.path),
            remedy="read it where it was made, and write it as Parquet",
        )
    try:
        options = ipc.IpcReadOptions(use_threads=False)
        buffer = pa.BufferReader(source.data)
        if source.data.startswith(FILE):
            table = ipc.open_file(buffer, options=options).read_all()
        else:
            table = ipc.open_stream(buffer, options=options).read_all()
        refuse_bomb(table.num_rows, table.num_columns, source)
        _check(table)
        return table
    except (pa.ArrowException, OSError, UnicodeDecodeError, ValueError, MemoryError) as problem:
        sound = sniff(source.data)
        detail = str(problem).splitlines()[0][:160] if str(problem) else type(problem).__name__
        raise InputError(
            f"this file is {'a damaged or cut Arrow file' if sound else 'no Arrow file'}: {detail}",
            where=str(source.path),
            remedy="fetch or export the file again" if sound else "say what it is with --format",
        ) from None


def _check(table: pa.Table) -> None:
    """Raise ArrowInvalid where a column is not sound; texts are checked as bytes, their letters row by row later."""
    import pyarrow as pa
    import pyarrow.types as t

    table.validate()
    for column in table.columns:
        if t.is_string(column.type) or t.is_large_string(column.type):
            raw = pa.binary() if t.is_string(column.type) else pa.large_binary()
            for chunk in column.chunks:
                chunk.view(raw).validate(full=True)
        else:
            column.validate(full=True)


FORMATS.register("arrow")(
    Format(
        name="arrow",
        extensions=(".arrow", ".feather", ".ipc", ".arrows"),
        help="Arrow IPC, file or stream, and Feather: types as for Parquet",
        example="(binary) columns body: string, category: string, ticket: int64",
        sniff=sniff,
        read=read,
    )
)
