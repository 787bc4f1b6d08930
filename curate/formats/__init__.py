"""Files in and out: one file a format, all of them exact. What a file says is what a version holds.

`read_file` gives rows, the lines it could not take (with reason, place and text) and the facts of the file;
`write_rows` gives rows back. A reader here turns bytes into records and knows nothing of rows; `shapes` turns records
into rows and knows nothing of bytes. May import sluice.core only; pyarrow is imported where Parquet is met.
"""

from sluice.curate.formats.encoders import ENCODERS, Encoder
from sluice.curate.formats.output import FileStands
from sluice.curate.formats.read import read_file
from sluice.curate.formats.records import FORMATS, Format, ReadOptions, ReadResult, ReadRow, SetAside, Source, Table
from sluice.curate.formats.write import WriteResult, write_rows
from sluice.curate.formats.writers import WRITERS, ExportRow, WriteOptions, Writer

__all__ = [
    "ENCODERS",
    "FORMATS",
    "WRITERS",
    "Encoder",
    "ExportRow",
    "FileStands",
    "Format",
    "ReadOptions",
    "ReadResult",
    "ReadRow",
    "SetAside",
    "Source",
    "Table",
    "WriteOptions",
    "WriteResult",
    "Writer",
    "read_file",
    "write_rows",
]
