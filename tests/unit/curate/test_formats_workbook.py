"""Excel workbooks: each cell to the JSON value that holds it, by sheets that openpyxl writes and by raw XML."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from sluice.core.errors import InputError
from sluice.curate.formats import ReadOptions, ReadResult, read_file
from tests.support.malformed import repacked, with_shared, workbook

BODY = ReadOptions(input="body")
# what a cell can hold: XML has no control characters, and openpyxl writes none
letters = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="_\ufffe\uffff"), min_size=1)
cell = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | letters.filter(lambda t: t[0] not in "=#")


def read(folder: Path, data: bytes, options: ReadOptions = BODY) -> ReadResult:
    (folder / "rows.xlsx").write_bytes(data)
    return read_file(folder / "rows.xlsx", options)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=8))
def test_what_a_sheet_says_is_what_arrives(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]]):
    names = ["body", "a", "b", "c"]
    data = workbook(names, *[["x", *row] for row in rows])
    result = read(tmp_path_factory.mktemp("x"), data)
    assert not result.set_aside
    assert result.columns == names
    assert [r.line for r in result.rows] == list(range(2, len(rows) + 2))
    for row, arrived in zip(rows, result.rows, strict=True):
        expected = {k: v for k, v in zip("abc", row, strict=True) if v is not None}
        assert arrived.metadata == expected
        assert [type(v) for v in arrived.metadata.values()] == [type(v) for v in expected.values()]


def values(folder: Path, *cells: Any, form: str | None = None) -> list[Any]:
    book = Workbook()
    sheet: Any = book.active
    sheet.append(["body", "v"])
    for number, value in enumerate(cells, start=2):
        sheet.append(["x", value])
        if form:
            sheet.cell(number, 2).number_format = form
    sink = io.BytesIO()
    book.save(sink)
    return [r.metadata.get("v") for r in read(folder, sink.getvalue()).rows]


def test_numbers_dates_and_times(tmp_path: Path):
    assert values(tmp_path, 1.5, 2.0, 123456789012345) == [1.5, 2, 123456789012345]
    assert values(tmp_path, dt.date(2024, 2, 29), dt.datetime(2024, 5, 1, 12, 30)) == [
        "2024-02-29",
        "2024-05-01T12:30:00",
    ]
    assert values(tmp_path, dt.datetime(2024, 5, 1)) == ["2024-05-01T00:00:00"]  # its format shows a time of day
    assert values(tmp_path, dt.time(7, 5, 9), dt.timedelta(hours=26, minutes=3)) == ["07:05:09", "26:03:00"]
    assert values(tmp_path, 45413.25, form="yyyy-mm-dd") == ["2024-05-01T06:00:00"]  # hidden by the format, not lost
    assert values(tmp_path, True, False) == [True, False]


def test_texts_are_decoded_as_excel_writes_them(tmp_path: Path):
    shared = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        "<si><t>body</t></si><si><t>a_x000D_b</t></si><si><t>_x005F_x000D_ and x005F_</t></si>"
        '<si><r><t>rich </t></r><r><t>text</t></r><rPh sb="0" eb="1"><t>read aloud</t></rPh></si>'
        "<si><t>_xD83D__xDE00_</t></si><si><t>_xD83D_</t></si></sst>"
    )
    cells = "".join(f'<row r="{n + 1}"><c r="A{n + 1}" t="s"><v>{n}</v></c></row>' for n in range(6))
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="A1:A2"/><sheetData>{cells}</sheetData></worksheet>'
    )
    result = read(tmp_path, with_shared(workbook(["body"], ["x"]), shared, sheet))
    bodies = [r.row.input["body"] for r in result.rows]  # type: ignore[index]
    assert bodies == ["a\rb", "_x000D_ and x005F_", "rich text", "\U0001f600"]  # beyond the dimension that lies, too
    assert [(a.line, "surrogate" in a.reason) for a in result.set_aside] == [(6, True)]


def test_the_first_sheet_with_cells_or_the_one_that_is_named(tmp_path: Path):
    book = Workbook()
    empty: Any = book.active
    empty.title = "empty"
    hidden: Any = book.create_sheet("hidden")
    hidden.append(["body"])
    hidden.append(["secret"])
    hidden.sheet_state = "hidden"
    first: Any = book.create_sheet("Q1")
    first.append([None, "body"])
    first.append([])
    first.append([None, "one"])
    second: Any = book.create_sheet("Q2")
    second.append(["body"])
    second.append(["two"])
    sink = io.BytesIO()
    book.save(sink)
    (row,) = read(tmp_path, sink.getvalue()).rows
    assert (row.row.input, row.line) == ({"body": "one"}, 3)
    for sheet, body in (("Q2", "two"), ("hidden", "secret")):
        options = ReadOptions(input="body", sheet=sheet)
        assert [r.row.input for r in read(tmp_path, sink.getvalue(), options).rows] == [{"body": body}]
    with pytest.raises(InputError, match="no sheet") as caught:
        read(tmp_path, sink.getvalue(), ReadOptions(input="body", sheet="q2"))
    assert "Q2" in (caught.value.remedy or "")


def test_a_formula_is_the_value_that_was_stored(tmp_path: Path):
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="str"><v>body</v></c><c r="B1" t="str"><v>v</v></c></row>'
        '<row r="2"><c r="A2" t="str"><f>B2&amp;"x"</f><v>made</v></c><c r="B2"><f>1+1</f><v>2</v></c></row>'
        '<row r="3"><c r="A3" t="str"><v>y</v></c><c r="B3"><f>1+1</f></c></row>'
        '<row r="4"><c r="A4" t="str"><v>z</v></c><c r="B4" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
        '<row r="5"><c r="A5" t="str"><v>big</v></c><c r="B5"><v>1E400</v></c></row></sheetData></worksheet>'
    )
    result = read(tmp_path, repacked(workbook(["body"], ["x"]), sheet1=sheet.encode()))
    assert [(r.row.input, r.metadata) for r in result.rows] == [({"body": "made"}, {"v": 2})]
    assert [a.line for a in result.set_aside] == [3, 4, 5]


def test_a_row_number_out_of_all_bounds_costs_nothing(tmp_path: Path):
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="str"><v>body</v></c></row>'
        '<row r="999999999"><c r="A999999999" t="str"><v>far</v></c></row></sheetData></worksheet>'
    )
    (row,) = read(tmp_path, repacked(workbook(["body"], ["x"]), sheet1=sheet.encode())).rows
    assert row.line == 999_999_999


def test_other_packages_are_named(tmp_path: Path):
    for entries, says in (
        ({"mimetype": "x", "content.xml": "x"}, "OpenDocument"),
        ({"xl/workbook.bin": "x"}, "xlsb"),
        ({"rows.csv": "body"}, "no Excel workbook"),
    ):
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w") as made:
            for name, data in entries.items():
                made.writestr(name, data)
        with pytest.raises(InputError, match=says) as caught:
            read(tmp_path, sink.getvalue())
        assert caught.value.remedy
    with pytest.raises(InputError, match="password"):
        read(tmp_path, b"\xd0\xcf\x11\xe0" + bytes(100))


def test_a_workbook_is_known_by_content_whatever_its_name(tmp_path: Path):
    path = tmp_path / "rows.csv"
    path.write_bytes(workbook(["body"], ["x"]))
    assert read_file(path, BODY).format == "xlsx"
