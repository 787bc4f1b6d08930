"""Files in and out: one file a format, all of them exact. What a file says is what a version holds.

`read_files` takes what a user names (files, folders, patterns, stdin, ids of the hub), `read_file` one file; they give
rows, the lines that could not be taken (with reason, place and text) and the facts of each file. `write_rows` gives
rows back. On the way in `gather` finds files, `open_file` reads and unpacks them and tells the format, and one file a
format turns bytes into records and knows nothing of rows; `shapes` turns records into rows and knows nothing of bytes.
Large JSON Lines are read column by column, to the same rows: see `read_large`.
On the way out `writers` turns a row into columns, and `encoders` columns into bytes.
May import sluice.core only; pyarrow, openpyxl, ftfy and huggingface_hub are imported where they are met.
"""

from sluice.curate.formats.column_rows import ColumnRows
from sluice.curate.formats.encoders import ENCODERS, Encoder
from sluice.curate.formats.gather import STDIN, PassedOver
from sluice.curate.formats.output import FileStands
from sluice.curate.formats.read import read_file
from sluice.curate.formats.read_many import Reads, read_files
from sluice.curate.formats.records import (
    FORMATS,
    Entry,
    Format,
    Mojibake,
    ReadOptions,
    ReadResult,
    ReadRow,
    SetAside,
    Source,
    Table,
)
from sluice.curate.formats.write import WriteResult, write_rows
from sluice.curate.formats.writers import WRITERS, ExportRow, WriteOptions, Writer

__all__ = [
    "ENCODERS",
    "FORMATS",
    "STDIN",
    "WRITERS",
    "ColumnRows",
    "Encoder",
    "Entry",
    "ExportRow",
    "FileStands",
    "Format",
    "Mojibake",
    "PassedOver",
    "ReadOptions",
    "ReadResult",
    "ReadRow",
    "Reads",
    "SetAside",
    "Source",
    "Table",
    "WriteOptions",
    "WriteResult",
    "Writer",
    "read_file",
    "read_files",
    "write_rows",
]
