"""Packed files, Arrow files and plain texts: the same rows as from the forms they stand for."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.core.rows import Text
from sluice.curate.formats import ReadOptions, ReadResult, columnar, read_file
from tests.support.malformed import arrow, damaged_pages, parquet, table, zstd

BODY = ReadOptions(input="body")
LINES = "".join(json.dumps({"body": f"größe {i}", "n": i}, ensure_ascii=False) + "\n" for i in range(50)).encode()
TABLE = table(body=["a", None, "c"], n=[2**60, 1, None], when=pa.array([0, 1, None], pa.timestamp("ms", "UTC")))


def read(folder: Path, name: str, data: bytes, options: ReadOptions = BODY) -> ReadResult:
    (folder / name).write_bytes(data)
    return read_file(folder / name, options)


def content(result: ReadResult) -> list[Any]:
    return [(r.row, r.line, r.metadata) for r in result.rows]


@pytest.mark.parametrize(
    ("name", "data", "packed"),
    [
        ("r.jsonl.gz", gzip.compress(LINES), "gzip"),
        ("r.jsonl.gz", gzip.compress(LINES[:300]) + gzip.compress(b"") + gzip.compress(LINES[300:]), "gzip"),
        ("r.jsonl.zst", zstd(LINES), "zstd"),
        ("r.jsonl.zst", zstd(LINES[:300]) + zstd(LINES[300:]), "zstd"),
        ("r.jsonl", gzip.compress(LINES), "gzip"),
        ("r.gz", gzip.compress(LINES), "gzip"),
        ("r.json.gz", gzip.compress(LINES), "gzip"),
    ],
)
def test_a_packed_file_gives_the_rows_inside_and_the_hash_of_itself(
    tmp_path: Path, name: str, data: bytes, packed: str
):
    result = read(tmp_path, name, data)
    assert (result.packed, result.format) == (packed, "jsonl")
    assert (result.sha256, result.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert content(result) == content(read(tmp_path, "plain.jsonl", LINES))


def test_any_form_may_be_packed(tmp_path: Path):
    assert read(tmp_path, "r.csv.gz", gzip.compress(b"body,n\nx,007\n")).rows[0].metadata == {"n": "007"}
    assert read(tmp_path, "r.parquet.zst", zstd(parquet(table(body=["x"])))).format == "parquet"
    assert len(read(tmp_path, "r.txt.gz", gzip.compress(b"one\ntwo\n"), ReadOptions(per="line")).rows) == 2


def test_what_packs_well_is_no_bomb(tmp_path: Path):
    line = b'{"body": "the same line over and over"}\n'
    assert len(read(tmp_path, "r.jsonl.gz", gzip.compress(line * 50_000)).rows) == 50_000


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["r.arrow", "r.feather", "r.data", "r.csv"])
def test_arrow_gives_what_parquet_gives(tmp_path: Path, name: str, stream: bool):
    result = read(tmp_path, name, arrow(TABLE, stream=stream))
    assert result.format == "arrow"
    assert content(result) == content(read(tmp_path, "r.parquet", parquet(TABLE)))
    assert [a.line for a in result.set_aside] == [2]
    assert result.rows[0].metadata == {"n": 2**60, "when": "1970-01-01T00:00:00+00:00"}


def test_class_numbers_become_the_names_that_datasets_wrote_beside_them(tmp_path: Path):
    label = {"names": ["no", "yes"], "_type": "ClassLabel"}
    features = {"body": {"dtype": "string", "_type": "Value"}, "label": label}
    content = table(body=["a", "b", "c", "d"], label=[1, 0, -1, 7])
    told = content.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    for name, data in (("r.parquet", parquet(told)), ("r.arrow", arrow(told))):
        result = read(tmp_path, name, data)
        assert [r.metadata for r in result.rows] == [{"label": "yes"}, {"label": "no"}, {}]
        assert [a.line for a in result.set_aside] == [4]
    for other in ("{", "[]", '{"info": {"features": {"label": {"_type": "ClassLabel", "names": 7}}}}'):
        odd = content.replace_schema_metadata({"huggingface": other})
        assert [r.metadata["label"] for r in read(tmp_path, "r.parquet", parquet(odd)).rows] == [1, 0, -1, 7]


def test_feather_with_compressed_buffers(tmp_path: Path):
    path = tmp_path / "r.feather"
    pyarrow.feather.write_feather(TABLE, str(path), compression="zstd")
    assert [r.line for r in read_file(path, BODY).rows] == [1, 3]


def test_arrow_text_that_is_not_utf8_costs_its_row(tmp_path: Path):
    offsets, letters = pa.py_buffer(b"\0\0\0\0\1\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xff\xfe")
    bad = pa.Array.from_buffers(pa.string(), 2, [None, offsets, letters])
    result = read(tmp_path, "r.arrow", arrow(table(body=["x", "y"], m=bad)))
    assert [r.metadata for r in result.rows] == [{"m": "a"}]
    assert [a.line for a in result.set_aside] == [2]


@pytest.mark.parametrize("column", [pa.array(["abcdefg"]), pa.array([[1] * 7], pa.list_(pa.int8()))])
def test_arrow_offsets_that_lie_are_found_before_they_are_followed(tmp_path: Path, column: Any):
    sound = arrow(pa.table({"body": pa.array(["x"]), "m": column}))
    lying = sound.replace(b"\0\0\0\0\7\0\0\0", b"\0\0\0\0\xff\xff\xff\x7f")
    assert lying != sound
    assert read(tmp_path, "r.arrow", sound).rows
    with pytest.raises(InputError, match="damaged"):
        read(tmp_path, "r.arrow", lying)


def test_a_table_of_one_value_over_and_over_is_refused_before_it_is_unrolled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    bomb = parquet(table(body=["x"] * 300_000))
    assert len(read(tmp_path, "r.parquet", bomb).rows) == 300_000  # small ones are let through
    monkeypatch.setattr(columnar, "FREE", 200_000)
    with pytest.raises(InputError, match="says that it holds 300,000 rows"):
        read(tmp_path, "r.parquet", bomb)


def test_damaged_pages_never_abort_the_process_that_read_them(tmp_path: Path):
    """pyarrow 26.0.1 with threads: read_table raises, and the process aborts (134) at its exit in 12 of 20 tries."""
    (tmp_path / "r.parquet").write_bytes(damaged_pages())
    code = (
        "import sys; from pathlib import Path\n"
        "from sluice.core.errors import InputError\nfrom sluice.curate.formats import read_file\n"
        "for _ in range(20):\n"
        "    try: read_file(Path('r.parquet')); sys.exit(3)\n"
        "    except InputError: pass\n"
    )
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr


def test_no_reader_of_user_files_asks_pyarrow_for_threads():
    folder = Path(__file__).parents[3] / "curate" / "formats"
    for file in folder.glob("*.py"):
        text = file.read_text()
        for call in ("read_table(", "file.read(", "read_all("):
            for line in text.splitlines():
                if call in line and "archive" not in line:
                    assert "use_threads=False" in line or "options=options" in line, (file.name, line)


TEXT = "\n\nOne\nstill one.\r\n\r\n \n  Two\n\n\n\nThree\n"


def test_a_text_is_one_row_or_its_paragraphs_or_its_lines(tmp_path: Path):
    def units(per: str | None) -> list[tuple[int, str]]:
        rows = read(tmp_path, "r.txt", TEXT.encode(), ReadOptions(per=per)).rows
        assert all(isinstance(r.row, Text) for r in rows)
        return [(r.line, r.row.input["text"]) for r in rows]  # type: ignore[index]

    assert units(None) == units("file") == [(1, TEXT)]
    assert units("paragraph") == [(3, "One\nstill one."), (7, "  Two"), (11, "Three")]
    assert units("line") == [(3, "One"), (4, "still one."), (7, "  Two"), (11, "Three")]
    with pytest.raises(InputError, match="--per"):
        units("page")


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from("ab \n\r"), min_size=1))
def test_no_letter_of_a_text_is_lost(tmp_path_factory: pytest.TempPathFactory, text: str):
    folder = tmp_path_factory.mktemp("t")
    for per in ("paragraph", "line"):
        try:
            rows = read(folder, "r.txt", text.encode(), ReadOptions(per=per)).rows
        except InputError:
            assert not text.strip()
            continue
        got = "".join(r.row.input["text"] for r in rows)  # type: ignore[index]
        assert [c for c in got if c in "ab"] == [c for c in text if c in "ab"]
        for row in rows:
            first = row.row.input["text"].split("\n")[0].rstrip("\r")  # type: ignore[index]
            assert text.split("\n")[row.line - 1].startswith(first)


def test_markdown_as_an_input_is_an_example(tmp_path: Path):
    (row,) = read(tmp_path, "r.md", b"# Title\n", ReadOptions(input="text")).rows
    assert row.row.kind == "example"
