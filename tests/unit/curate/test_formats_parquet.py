"""Reading Parquet: each type to the JSON value that holds it exactly, or a refusal that names the column."""

from __future__ import annotations

import datetime as dt
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.core.rows import Example, Messages
from sluice.curate.formats import ReadOptions, ReadResult, read_file

BODY = ReadOptions(input="body", target="label")
texts = st.text(st.characters(exclude_categories=["Cs"]))
said = texts.filter(lambda t: bool(t) and not t.isspace())


def read(folder: Path, table: pa.Table, options: ReadOptions | None = BODY) -> ReadResult:
    path = folder / "rows.parquet"
    pq.write_table(table, path)
    return read_file(path, options)


def one(folder: Path, values: list[Any], kind: pa.DataType) -> list[Any]:
    table = pa.table(
        {"body": pa.array(["x"] * len(values)), "label": pa.nulls(len(values)), "m": pa.array(values, kind)}
    )
    return [r.metadata.get("m") for r in read(folder, table).rows]


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            said,
            st.none() | texts,
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.integers(0, 2**64 - 1),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
            st.none() | st.booleans(),
            st.none() | st.lists(texts, max_size=3),
        ),
        min_size=1,
    )
)
def test_what_a_file_says_is_what_arrives(rows: list[tuple[Any, ...]]):
    kinds = [pa.string(), pa.large_string(), pa.int64(), pa.uint64(), pa.float64(), pa.bool_(), pa.list_(pa.string())]
    names = ["body", "label", "row", "line", "f", "b", "l"]
    arrays = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        result = read(Path(folder), pa.table(arrays, names=names))
    assert not result.set_aside
    assert result.columns == names
    for number, (row, arrived) in enumerate(zip(rows, result.rows, strict=True), start=1):
        assert arrived.line == number
        assert arrived.row.input == {"body": row[0]}
        assert isinstance(arrived.row, Example)
        assert arrived.row.target == (row[1] or None)
        assert arrived.metadata == {k: v for k, v in zip(names[2:], row[2:], strict=True) if v is not None}


BERLIN = pa.timestamp("us", "Europe/Berlin")


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (Decimal("12.30"), pa.decimal128(10, 2), "12.30"),
        (Decimal("0E-10"), pa.decimal128(20, 10), "0.0000000000"),
        (Decimal(10) ** 40, pa.decimal256(50, 0), "1" + "0" * 40),
        (dt.date(2024, 2, 29), pa.date32(), "2024-02-29"),
        (dt.date(1969, 12, 31), pa.date64(), "1969-12-31"),
        (dt.time(7, 5, 0, 120), pa.time64("us"), "07:05:00.000120"),
        (3_600_000_000_001, pa.time64("ns"), "01:00:00.000000001"),
        (dt.datetime(2024, 5, 1, 12), pa.timestamp("s"), "2024-05-01T12:00:00"),
        (-1, pa.timestamp("ns"), "1969-12-31T23:59:59.999999999"),
        (1_714_557_600_000_000, pa.timestamp("us", "UTC"), "2024-05-01T10:00:00+00:00"),
        (1_714_557_600_000_000, BERLIN, "2024-05-01T12:00:00+02:00"),
        (1_714_557_600_123_000, BERLIN, "2024-05-01T12:00:00.123000+02:00"),
        (1_714_557_600_000, pa.timestamp("ms", "-03:30"), "2024-05-01T06:30:00-03:30"),
    ],
)
def test_decimals_and_times_become_text(tmp_path: Path, value: Any, kind: pa.DataType, text: str):
    assert one(tmp_path, [value, None], kind) == [text, None]


def test_nested_values_arrive(tmp_path: Path):
    kind = pa.struct([("n", pa.int64()), ("when", pa.list_(pa.date32()))])
    assert one(tmp_path, [{"n": 2**60, "when": [dt.date(2024, 1, 1), None]}, None], kind) == [
        {"n": 2**60, "when": ["2024-01-01", None]},
        None,
    ]
    assert one(tmp_path, [[("a", 1), ("b", None)], []], pa.map_(pa.string(), pa.int32())) == [{"a": 1, "b": None}, {}]
    words = pa.array(["x", None, "x"]).dictionary_encode()
    table = pa.table({"body": pa.array(["a", "b", "c"]), "m": words})
    assert [r.metadata for r in read(tmp_path, table, ReadOptions(input="body")).rows] == [{"m": "x"}, {}, {"m": "x"}]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b"\x00\xff", pa.binary()),
        (b"ab", pa.binary(2)),
        (dt.timedelta(seconds=1), pa.duration("s")),
        ([b"x"], pa.list_(pa.binary())),
        ({"inner": b"x"}, pa.struct([("inner", pa.large_binary())])),
    ],
)
def test_a_column_without_a_json_form_is_left_out_and_refused_where_rows_are_made_of_it(
    tmp_path: Path, value: Any, kind: pa.DataType
):
    table = pa.table({"body": ["x", "y"], "m": pa.array([value, None], kind), "n": [1, 2]})
    result = read(tmp_path, table, ReadOptions(input="body"))
    assert [(r.row.input, r.metadata) for r in result.rows] == [({"body": "x"}, {"n": 1}), ({"body": "y"}, {"n": 2})]
    assert list(result.left_out) == ["m"]
    assert result.columns == ["body", "m", "n"]
    for options in (ReadOptions(input="body,m"), ReadOptions(input="body", target="m")):
        with pytest.raises(InputError, match=r"column 'm(\.inner)?' holds") as caught:
            read(tmp_path, table, options)
        assert caught.value.remedy


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        (float("nan"), pa.float64(), "NaN"),
        (float("-inf"), pa.float32(), "infinite"),
        ([1.0, float("nan")], pa.list_(pa.float64()), "NaN"),
        (2**62, pa.timestamp("us"), "outside the years"),
        ([("a", 1), ("a", 2)], pa.map_(pa.string(), pa.int32()), "distinct"),
    ],
)
def test_a_cell_without_a_json_form_sets_its_row_aside(tmp_path: Path, value: Any, kind: pa.DataType, reason: str):
    arrays = {"body": pa.array(["a", "b", "c"]), "m": pa.array([None, value, None], kind)}
    result = read(tmp_path, pa.table(arrays), ReadOptions(input="body"))
    assert [r.line for r in result.rows] == [1, 3]
    (aside,) = result.set_aside
    assert aside.line == 2
    assert "'m'" in aside.reason
    assert reason in aside.reason
    assert '"b"' in aside.raw


def test_text_that_is_not_utf8_sets_its_row_aside(tmp_path: Path):
    bad = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xff\xfe")]
    )
    result = read(tmp_path, pa.table({"body": pa.array(["x", "y"]), "m": bad}), ReadOptions(input="body"))
    assert [r.metadata for r in result.rows] == [{"m": "a"}]
    assert "\\xff" in result.set_aside[0].raw.replace("\\\\", "\\")


def test_a_gap_in_a_struct_is_no_key_of_the_row(tmp_path: Path):
    chats = [
        [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": None, "tool_calls": [{"name": "f", "arguments": {"a": 1}}]},
        ],
        [
            {"role": "user", "content": "ho"},
            {"role": "assistant", "content": "x", "tool_calls": [{"name": "f", "arguments": {"b": 2}}]},
        ],
    ]
    first, second = read(tmp_path, pa.table({"messages": pa.array(chats)}), None).rows
    assert isinstance(first.row, Example)
    assert isinstance(second.row, Example)
    assert '{\\"a\\":1}' in (first.row.target or "")
    assert '{\\"b\\":2}' in (second.row.target or "")
    fields = pa.table({"body": pa.array([{"a": 1, "b": None}, {"a": None, "b": 2}])})
    assert [r.row.input for r in read(tmp_path, fields, ReadOptions(input="body")).rows] == [
        {"body": {"a": 1}},
        {"body": {"b": 2}},
    ]


def test_targets_keep_their_nulls(tmp_path: Path):
    table = pa.table({"body": pa.array(["x"]), "label": pa.array([{"b": None, "a": 2**60}])})
    (row,) = read(tmp_path, table).rows
    assert isinstance(row.row, Example)
    assert row.row.target == f'{{"b":null,"a":{2**60}}}'


def test_tools_of_a_chat(tmp_path: Path):
    table = pa.table(
        {"messages": pa.array([[{"role": "user", "content": "hi"}]]), "tools": pa.array([[{"name": "f"}]])}
    )
    (row,) = read(tmp_path, table, None).rows
    assert isinstance(row.row.input, Messages)
    assert row.row.input.tools == '[{"name":"f"}]'


def test_damaged_files_give_one_clear_error(tmp_path: Path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"body": pa.array([f"text {i}" for i in range(500)])}), path, write_page_checksum=True)
    sound = path.read_bytes()
    flipped = bytearray(sound)
    flipped[200] ^= 0xFF
    for data, says in [
        (sound[: len(sound) // 2], "cut off"),
        (sound[:-4] + b"PARX", "cut off"),
        (bytes(flipped), "damaged"),
        (b"body\nx\n", "not Parquet"),
        (b"PAR1PAR1", "damaged"),
    ]:
        path.write_bytes(data)
        with pytest.raises(InputError, match=says) as caught:
            read_file(path, ReadOptions(input="body"))
        assert caught.value.remedy
        assert "\n" not in caught.value.message


def test_no_rows_and_double_columns(tmp_path: Path):
    with pytest.raises(InputError, match="no rows"):
        read(tmp_path, pa.table({"body": pa.array([], pa.string())}), ReadOptions(input="body"))
    with pytest.raises(InputError, match="two columns are called 'body'"):
        read(tmp_path, pa.table([pa.array(["x"]), pa.array(["y"])], names=["body", "body"]), ReadOptions(input="body"))


def test_parquet_is_known_by_content_whatever_its_name(tmp_path: Path):
    path = tmp_path / "rows.csv"
    pq.write_table(pa.table({"body": pa.array(["x"])}), path)
    assert read_file(path, ReadOptions(input="body")).format == "parquet"
