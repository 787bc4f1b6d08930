"""An Excel package to rows of cells: opened, checked, and each cell as the JSON value that holds it or what is wrong.

openpyxl opens the package and knows dates and number formats; rows are parsed without its cells, and texts decoded
here, as it drops parts of them (`x005F_`). Knows nothing of headers and records.
"""

from __future__ import annotations

import datetime
import io
import math
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from xml.etree.ElementTree import ParseError

from sluice.core.errors import InputError
from sluice.curate.formats.records import Source, empty, near
from sluice.curate.formats.unpack import MOST, too_much

if TYPE_CHECKING:
    from openpyxl import Workbook

ZIP = b"PK\x03\x04"
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    OSError,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    AssertionError,
    MemoryError,
)
"""What openpyxl and the packages below raise over a workbook that is not sound."""
MOST_ROWS = 1 << 20
"""Rows of a sheet, as Excel has them."""
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_HALF = re.compile("[\ud800-\udfff]")


class Cell(NamedTuple):
    """A cell that holds something: its column from 1, and its value or what stands in the way of one."""

    column: int
    value: Any
    problem: str | None


Row = tuple[int, list[Cell]]
"""The number of a row, from 1, and its cells."""


def is_workbook(data: bytes) -> bool:
    """Return whether this is a zip file that holds a workbook."""
    if not data.startswith(ZIP):
        return False
    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError):
        return False
    return any(name.startswith("xl/workbook.") for name in names)


def sheet_rows(source: Source, sheet: str | None) -> tuple[str, list[Row]]:
    """Return the name of a sheet and its rows with cells: of the first one that has some where none is named.

    Raises InputError for a file that is no workbook, is damaged, protected or unpacks to far more than it weighs, for a
    sheet that is not there, and where there is no cell.
    """
    _check_package(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions, which no row is made of
            book, strings = _open(source)
            return _sheet(book, strings, source, sheet)
    except DAMAGED as problem:
        detail = str(problem).splitlines()[0][:160] if str(problem) else type(problem).__name__
        raise InputError(
            f"this workbook is damaged: {detail}", where=str(source.path), remedy="open it in Excel and save it again"
        ) from None


def _check_package(source: Source) -> None:
    """Raise InputError unless this is a zip file of sensible size that holds a workbook."""
    where = str(source.path)
    if source.data.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError(
            "an old Excel workbook (.xls), or one with a password",
            where=where,
            remedy="open it in Excel or LibreOffice and save it as .xlsx, without a password",
        )
    if not source.data.startswith(ZIP):
        raise InputError(
            "this is no Excel workbook, whatever its name says",
            where=where,
            remedy="say what it is: --format csv, for example",
        )
    try:
        entries = zipfile.ZipFile(io.BytesIO(source.data)).infolist()
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError):
        raise InputError(
            "this workbook is cut off or damaged", where=where, remedy="fetch or save the file again"
        ) from None
    size = sum(entry.file_size for entry in entries)
    if too_much(len(source.data), size):  # no more than it says is ever unpacked of an entry
        raise InputError(
            f"this workbook unpacks to {size >> 20:,} MiB, more than {MOST} times its size",
            where=where,
            remedy="check where it comes from; if it is right, save the sheet as CSV UTF-8",
        )
    names = {entry.filename for entry in entries}
    if "xl/workbook.bin" in names:
        raise InputError("a binary workbook (.xlsb)", where=where, remedy="save it as .xlsx")
    if not any(name.startswith("xl/workbook.") for name in names):
        odt = "mimetype" in names and "content.xml" in names
        raise InputError(
            "an OpenDocument file (.ods)" if odt else "a zip file, but no Excel workbook",
            where=where,
            remedy="save the sheet as .xlsx or CSV UTF-8" if odt else "unpack it, and name the files in it",
        )


def _open(source: Source) -> tuple[Workbook, list[str]]:
    """Return the workbook, and its texts as they are."""
    from openpyxl import load_workbook
    from openpyxl.cell.text import Text
    from openpyxl.packaging.manifest import Manifest
    from openpyxl.xml.constants import ARC_CONTENT_TYPES, SHARED_STRINGS, SHEET_MAIN_NS
    from openpyxl.xml.functions import fromstring, iterparse

    book = load_workbook(io.BytesIO(source.data), read_only=True, data_only=True, keep_links=False)
    archive = zipfile.ZipFile(io.BytesIO(source.data))
    manifest: Any = Manifest.from_tree(cast("Any", fromstring(archive.read(ARC_CONTENT_TYPES))))
    part = manifest.find(SHARED_STRINGS)
    strings: list[str] = []
    if part is not None:
        with archive.open(part.PartName[1:]) as file:
            for _, node in iterparse(file):
                if node.tag == f"{{{SHEET_MAIN_NS}}}si":
                    strings.append(cast("Any", Text.from_tree(cast("Any", node))).content)
                    node.clear()
    return book, strings


def _sheet(book: Any, strings: list[str], source: Source, asked: str | None) -> tuple[str, list[Row]]:
    """Return name and rows of the sheet that was asked for, else of the first one that has cells and is shown."""
    titles = [sheet.title for sheet in book.worksheets]
    if asked is not None and asked not in titles:
        raise InputError(f"--sheet: no sheet is called '{asked}'", where=str(source.path), remedy=near(asked, titles))
    shown = [s for s in book.worksheets if s.title == asked or (asked is None and s.sheet_state == "visible")]
    for sheet in shown:
        rows = list(_rows(book, sheet, strings))
        if rows:
            return sheet.title, rows
    what = f"the sheet '{asked}' has no cells" if asked else f"none of its sheets has cells ({', '.join(titles)})"
    raise empty(source.path, what)


def _rows(book: Any, sheet: Any, strings: list[str]) -> Iterator[Row]:
    """Yield number and cells of each row of a sheet that has a cell with something in it."""
    from openpyxl.worksheet._reader import FORMULA_TAG, ROW_TAG, WorkSheetParser
    from openpyxl.xml.functions import iterparse

    class Parser(WorkSheetParser):
        def parse_cell(self, element: Any) -> dict[str, Any]:
            cell = super().parse_cell(element)
            if cell["value"] is None and element.find(FORMULA_TAG) is not None:
                cell["data_type"] = "f"
            return cell

    with sheet._get_source() as file:
        parser = Parser(
            file,
            strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for _, element in iterparse(file):
            if element.tag != ROW_TAG:
                continue
            number, cells = parser.parse_row(element)
            element.clear()
            if not 1 <= number <= MOST_ROWS:
                raise ValueError(f"a row is numbered {number}")
            found = [Cell(c["column"], *_value(c, book)) for c in cells]
            found = [c for c in found if c.value is not None or c.problem]
            if found:
                yield number, found


def _value(cell: dict[str, Any], book: Any) -> tuple[Any, str | None]:
    """Return the JSON value of a cell (None: absent), or what stands in its way."""
    value, kind = cell["value"], cell["data_type"]
    if kind == "f":
        return None, "a formula whose value was never stored (open the workbook in Excel and save it)"
    if kind == "e":
        return None, f"the error {value}"
    if isinstance(value, str):
        text = _ESCAPED.sub(lambda m: chr(int(m[1], 16)), value) if "_x" in value else value
        if _HALF.search(text):
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            return (None, "half a surrogate pair") if "\ufffd" in text else (text, None)
        return text or None, None
    if isinstance(value, float) and not math.isfinite(value):
        return None, "a number that is not finite"
    if isinstance(value, datetime.timedelta):
        return _duration(value), None
    if isinstance(value, datetime.datetime) and value.time() == datetime.time() and _only_date(cell, book):
        return value.date().isoformat(), None
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat(), None
    return value, None


def _only_date(cell: dict[str, Any], book: Any) -> bool:
    """Return whether the format of a cell shows a date without a time of day."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE, is_datetime

    number = book._cell_styles[cell["style_id"]].numFmtId
    own = number - BUILTIN_FORMATS_MAX_SIZE
    form = BUILTIN_FORMATS.get(number, "General") if own < 0 else book._number_formats[own]
    return is_datetime(form) == "date"


def _duration(value: datetime.timedelta) -> str:
    """Return hours, minutes and seconds, as [h]:mm:ss shows them."""
    milliseconds = round(value / datetime.timedelta(milliseconds=1))
    seconds, part = divmod(abs(milliseconds), 1000)
    sign = "-" if milliseconds < 0 else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}" + (f".{part:03}" if part else "")


def column_letters(column: int) -> str:
    """Return the name of a column in Excel: 1 is A, 27 is AA."""
    name = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
