"""Reading CSV by RFC 4180: cells as they are, faults set aside with their physical lines, neighbours whole."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.core.rows import Example
from sluice.curate.formats import ReadOptions, ReadResult, read_file
from sluice.curate.formats.quoting import join_cells, parse

BODY = ReadOptions(input="body")
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
tricky = st.text(st.sampled_from('a",;\t|\r\n '), max_size=6)


def read(folder: Path, data: bytes | str, options: ReadOptions = BODY, name: str = "rows.csv") -> ReadResult:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_file(path, options)


def records(result: ReadResult) -> list[dict[str, str]]:
    return [{**r.row.input, **r.metadata} for r in result.rows]  # type: ignore[dict-item]


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(texts.map("b".__add__), texts | tricky, tricky), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t|"),
    everything=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_cells_written_by_another_writer_arrive_as_they_are(
    rows: list[tuple[str, str, str]], delimiter: str, everything: bool, encoding: str
):
    out = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if everything else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="\r\n")
    writer.writerow(["body", "m,1", "m;2"])
    writer.writerows(rows)
    with tempfile.TemporaryDirectory() as folder:
        result = read(Path(folder), out.getvalue().encode(encoding), ReadOptions(input="body", delimiter=delimiter))
    assert not result.set_aside
    assert records(result) == [{k: v for k, v in zip(["body", "m,1", "m;2"], row, strict=True) if v} for row in rows]
    line = 2
    for row, arrived in zip(rows, result.rows, strict=True):
        assert arrived.line == line
        line += sum(cell.count("\n") for cell in row) + 1


@settings(max_examples=300, deadline=None)
@given(rows=st.lists(st.lists(texts | tricky, min_size=2, max_size=2), min_size=1), delimiter=st.sampled_from(",;\t|"))
def test_our_own_writer_reads_back(rows: list[list[str]], delimiter: str):
    text = "".join(join_cells(row, delimiter) for row in rows)
    parsed = parse(text, delimiter)
    assert parsed is not None
    assert [parsed.header, *(r.cells for r in parsed.records)] == rows
    assert parsed.problems == []


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(st.text("ab ,", min_size=1), st.text("ab ,")), min_size=1, max_size=5),
    at=st.integers(0, 5),
    broken=st.sampled_from(
        ['x"y,z', '"open,z', "a", "a,b,c", '"a"b,c', 'a,5" pipe', '"he said "hi" there",b', '""",a', "a\rb,c"]
    ),
    everything=st.booleans(),
)
def test_one_broken_line_costs_itself_only(rows: list[tuple[str, str]], at: int, broken: str, everything: bool):
    def line(cells: tuple[str, str]) -> str:
        return ",".join(f'"{c}"' if everything or "," in c else c for c in cells)

    lines = [line(row) for row in rows]
    at = min(at, len(lines))
    parsed = parse("\n".join(["body,more", *lines[:at], broken, *lines[at:]]) + "\n", ",")
    assert parsed is not None
    assert [tuple(r.cells) for r in parsed.records] == rows
    assert [p.line for p in parsed.problems] == [at + 2]


def test_only_the_empty_cell_is_absent(tmp_path: Path):
    result = read(tmp_path, 'id,body,a,b,c\n0870,x,NA,null,TRUE\n" 1 ",y,,"",nan\n')
    assert records(result) == [
        {"id": "0870", "body": "x", "a": "NA", "b": "null", "c": "TRUE"},
        {"id": " 1 ", "body": "y", "c": "nan"},
    ]


@pytest.mark.parametrize(
    ("broken", "raw", "reason"),
    [
        ("1,too,many,cells", "1,too,many,cells", "4 cells where the header has 3"),
        ("1", "1", "1 cell where"),
        ('1,5" pipe,z', '1,5" pipe,z', "not quoted"),
        ('1,"never closed,z', '1,"never closed,z', "never closed"),
        ('1,"a "quoted" word",z', '1,"a "quoted" word",z', "behind its closing quote"),
        ('1,"two\nlines "and" quotes",z', '1,"two\nlines "and" quotes",z', "behind its closing quote"),
        ('1,"said "hi",\nwell, then\nbye",z', '1,"said "hi",\nwell, then\nbye",z', "behind its closing quote"),
        ('1,"two\nlines",z,more', '1,"two\nlines",z,more', "4 cells"),
        ("1,a\rb,z", "1,a\rb,z", "carriage return"),
    ],
)
@pytest.mark.parametrize("after", ['9,"a, b",c', '9,"multi\nline",c', '9,plain,""', "9,plain,c"])
def test_a_fault_is_set_aside_with_its_physical_lines(tmp_path: Path, broken: str, raw: str, reason: str, after: str):
    result = read(tmp_path, f'id,body,c\n0,"first ""one""",c\n{broken}\n{after}\n10,last,c\n')
    assert [r["id"] for r in records(result)] == ["0", "9", "10"]
    (aside,) = result.set_aside
    assert aside.line == 3
    assert aside.raw == raw
    assert reason in aside.reason
    assert result.rows[1].line == 4 + raw.count("\n")


@pytest.mark.parametrize("first", ['5 ft,"6"2', '"6 ft,2'])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_two_stray_quotes_do_not_swallow_the_rows_between_them(tmp_path: Path, first: str, end: str):
    between = [f"row {n},{n}" for n in range(1000)]
    result = read(tmp_path, end.join(["body,n", "ok,1", first, *between, '7 ft,8"', "last,2", ""]))
    assert [r["body"] for r in records(result)] == ["ok", *(f"row {n}" for n in range(1000)), "last"]
    assert [(a.line, a.raw) for a in result.set_aside] == [(3, first), (1004, '7 ft,8"')]


def test_prose_between_two_stray_quotes_makes_no_row_and_its_lines_are_named(tmp_path: Path):
    prose = "well, then\nshe left\n\nand, he said, she came back\nfor good"
    result = read(tmp_path, f'id,body\n1,"said "hi",\n{prose}\nbye"\n2,b\n')
    assert [r["id"] for r in records(result)] == ["2"]
    (aside,) = result.set_aside
    assert "lines 2 to 8" in aside.reason
    column = read(tmp_path, f'body\n"said "hi"\n{prose}\nbye"\nb\n')
    assert [r["body"] for r in records(column)] == ["b"]


def test_a_quote_never_closed_at_the_end(tmp_path: Path):
    result = read(tmp_path, 'id,body\n1,a\n2,"open\n3,b\n4,c')
    assert [r["id"] for r in records(result)] == ["1", "3", "4"]
    assert [(a.line, a.column, a.raw) for a in result.set_aside] == [(3, 3, '2,"open')]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends(tmp_path: Path, end: str, last: bool):
    result = read(tmp_path, end.join(["id,body", "1,a", '2,"b, c"', "", "3,"]) + (end if last else ""))
    assert [(r.line, r.metadata["id"], r.row.input) for r in result.rows] == [
        (2, "1", {"body": "a"}),
        (3, "2", {"body": "b, c"}),
    ]
    assert [(a.line, a.reason, a.raw) for a in result.set_aside] == [(5, "no input", "3,")]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("id;body\n1;a, b, c\n2;d\n", ["id", "body"]),
        ("id\tbody\n1\ta, b; c\n", ["id", "body"]),
        ("id|body|x\n1|a,b|c\n", ["id", "body", "x"]),
        ("price,body\n1;5,a\n2;7,b\n", ["price", "body"]),
        ("body\na\nb\n", ["body"]),
        ("body\nhello; you\n", ["body"]),
        ('body,"a;b;c"\nx,y\n', ["body", "a;b;c"]),
        ("id;body\n1;a\n2;b;c\n3;d\n", ["id", "body"]),
    ],
)
def test_the_delimiter_fits_the_whole_file(tmp_path: Path, text: str, columns: list[str]):
    assert read(tmp_path, text).columns == columns


def test_a_named_delimiter_wins(tmp_path: Path):
    assert read(tmp_path, "body,x~y\na,1~2\n", ReadOptions(input="body,x", delimiter="~")).columns == ["body,x", "y"]
    assert read(tmp_path, "id\tbody\n1\ta\n", ReadOptions(input="body", delimiter="tab")).columns == ["id", "body"]
    with pytest.raises(InputError, match="cannot be a delimiter"):
        read(tmp_path, "id,body\n1,a\n", ReadOptions(input="body", delimiter='"'))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("id,body,id\n1,a,2\n", "'id' twice"),
        ("id,body\n", "nothing below"),
        ("\n\n", "blank"),
        ('id,"bo"dy\n1,a\n', "not sound CSV"),
        ("id,body\n1\n2\n", "none of its 2 records"),
        (b"id,body\n1,gr\xf6\xdfer\n", "--encoding"),
    ],
)
def test_a_table_without_a_row_is_refused(tmp_path: Path, data: str | bytes, says: str):
    with pytest.raises(InputError, match=says) as caught:
        read(tmp_path, data)
    assert caught.value.remedy


def test_bad_bytes_in_a_cell_cost_that_record(tmp_path: Path):
    result = read(tmp_path, "id,body\n1,schön\n2,ärger\n".encode() + b'3,"two\nl\xefnes"\n4,d\n')
    assert [r["id"] for r in records(result)] == ["1", "2", "4"]
    assert [(a.line, a.raw) for a in result.set_aside] == [(4, '3,"two\nl\\xefnes"')]


def test_asking_for_utf8_sets_the_odd_line_aside(tmp_path: Path):
    data = b"id,body\n1,plain\n2,caf\xe9\n"
    with pytest.raises(InputError, match="--encoding utf-8 sets"):
        read(tmp_path, data)
    result = read(tmp_path, data, ReadOptions(input="body", encoding="utf-8"))
    assert [a.line for a in result.set_aside] == [3]


def test_objects_in_cells_stay_text_and_chats_are_read(tmp_path: Path):
    chat = '"[{""role"":""user"",""content"":""a""},\n{""role"":""assistant"",""content"":""c""}]"'
    result = read(tmp_path, f"id,messages\n1,{chat}\n2,oops\n3,{{}}\n", ReadOptions())
    (row,) = result.rows
    assert isinstance(row.row, Example)
    assert row.row.target == "c"
    assert row.metadata == {"id": "1"}
    assert [a.line for a in result.set_aside] == [4, 5]
    assert (
        read(tmp_path, 'body,t\nx,"{""a"": 1}"\n', ReadOptions(input="body", target="t")).rows[0].row.target
        == '{"a": 1}'
    )  # type: ignore[union-attr]
