"""xlsx: a workbook of one sheet, its first row the header. Texts are texts (never formulas), numbers numbers.

The parts of the package are written here rather than by a library: row after row, with no time of writing in them, and
with the characters that XML lacks as `_x0000_` (ECMA-376, 22.9.2.19), which Excel reads. A text beyond what a cell
holds is refused: Excel would cut it.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape

from sluice.core.errors import InputError
from sluice.curate.formats.encoders.base import AS_TEXT, EMPTIED, ENCODERS, CannotHold, Encoder, Line, Survey, compact
from sluice.curate.formats.pipe import Pipe
from sluice.curate.formats.workbook_cells import column_letters

MOST_ROWS, MOST_COLUMNS, MOST_LETTERS = 1_048_576, 16_384, 32_767
"""What a sheet and a cell hold (Excel specifications and limits); letters are UTF-16 units."""
EXACT = 10**15
"""From here on a whole number has more digits than Excel keeps, and is written as text."""
CHUNK = 1 << 20
_SPECIAL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_NO_TITLE = re.compile(r"[\[\]:*?/\\']")
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can say
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_SHEET}"><fonts count="1"><font><sz val="11"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="1"><xf xfId="0"/></cellXfs><cellStyles count="1">'
    '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}


def encode(lines: Iterable[Line], survey: Survey) -> Iterator[bytes]:
    """Yield a workbook. Raises InputError for more rows or columns, CannotHold for more letters than Excel holds."""
    names = list(survey.columns)
    if survey.rows + 1 > MOST_ROWS or len(names) > MOST_COLUMNS:
        raise InputError(
            f"a sheet holds {MOST_ROWS - 1:,} rows and {MOST_COLUMNS:,} columns; these are {survey.rows:,} and "
            f"{len(names):,}",
            remedy="end the file in .csv or .parquet",
        )
    if "" in names:
        raise InputError("a column has no name, which a sheet cannot hold", remedy="end the file in .csv or .jsonl")
    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        title = escape(_NO_TITLE.sub(" ", survey.title)[:31].strip() or "rows", {'"': "&quot;"})
        sheets = f'<sheets><sheet name="{title}" sheetId="1" r:id="rId1"/></sheets>'
        workbook = f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}">{sheets}</workbook>'
        for name, text in {**PARTS, "xl/workbook.xml": workbook}.items():
            book.writestr(_entry(name), _HEAD + text)
        with book.open(_entry("xl/worksheets/sheet1.xml"), "w", force_zip64=True) as sheet:
            sheet.write(f'{_HEAD}<worksheet xmlns="{_SHEET}"><sheetData>'.encode())
            sheet.write(_row(1, names, names).encode())
            for number, line in enumerate(lines, start=2):
                sheet.write(_row(number, [line.get(name) for name in names], names).encode())
                if out.held > CHUNK:
                    yield out.taken()
            sheet.write(b"</sheetData></worksheet>")
    yield out.taken()


def inexact(survey: Survey) -> dict[str, str]:
    """Return the columns whose values are not read back as they were."""
    found = {name: EMPTIED for name, column in survey.columns.items() if column.empty}
    for name, column in survey.columns.items():
        if column.types - {str, int, float, bool} or column.low <= -EXACT or column.high >= EXACT:
            found[name] = AS_TEXT
    return found


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 0  # the same on every system
    return entry


def _row(number: int, values: list[Any], names: list[str]) -> str:
    held = [(i, v) for i, v in enumerate(values, 1) if v not in (None, "")]
    cells = (_cell(f"{column_letters(i)}{number}", v, names[i - 1]) for i, v in held)
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(place: str, value: Any, name: str) -> str:
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, float) or (isinstance(value, int) and -EXACT < value < EXACT):
        return f'<c r="{place}"><v>{value!r}</v></c>'
    text = value if isinstance(value, str) else compact(value)
    if len(text) > MOST_LETTERS // 2 and len(text.encode("utf-16-le", "surrogatepass")) // 2 > MOST_LETTERS:
        raise CannotHold(
            int(place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) - 1,
            f"the column '{name}' holds a text of {len(text):,} characters; a cell of Excel holds {MOST_LETTERS:,}",
            "end the file in .csv or .parquet",
        )
    told = escape(_SPECIAL.sub(lambda m: f"_x{ord(m[0]):04X}_", text))
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{told}</t></is></c>'


ENCODERS.register("xlsx")(Encoder("xlsx", (".xlsx",), "an Excel workbook of one sheet", encode, inexact, True))
