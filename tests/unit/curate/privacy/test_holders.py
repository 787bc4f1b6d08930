"""Who still holds what was erased: files of people are looked into, however they are packed."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import polars as pl
import pyarrow as pa
import pytest

from sluice.core.project import Project
from sluice.curate.privacy.erasure import Eraser, Erasure
from sluice.curate.privacy.holders import files_with

JANE = "jane.doe@example.com"
TEXT = f"one\n{'x' * 500} {JANE} wrote\n"
BODIES = [f"row {n * n} about bike {n}, lamp {n * 7} and the rain of day {n * 13}" for n in range(3000)]
FRAME = pl.DataFrame({"body": [*BODIES, f"mail {JANE}", *BODIES[::-1]], "more": [{"a": ["b", "c"]}] * 6001})
LINE = (2,)


def zstd(path: Path) -> None:
    with pa.CompressedOutputStream(str(path), "zstd") as out:
        out.write(TEXT.encode())


def sheet(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["body", JANE])
    book.save(path)


WAYS: dict[str, Callable[[Path], object]] = {
    "rows.csv": lambda path: path.write_text(TEXT),
    "rows.utf16.csv": lambda path: path.write_text(TEXT, encoding="utf-16"),
    "rows.csv.gz": lambda path: path.write_bytes(gzip.compress(TEXT.encode())),
    "rows.jsonl.zst": zstd,
    "rows.parquet": lambda path: FRAME.write_parquet(path, compression="zstd", statistics=False),
    "rows.arrow": lambda path: FRAME.write_ipc(path, compression="zstd"),
    "rows.xlsx": sheet,
}


def still(root: Path) -> dict[str, tuple[int, ...]]:
    erasure = Erasure(
        id="0" * 16, reason="asked for on 1 May", rows=(), people=(JANE,), regions=(), key="00" * 32, forget_key=False
    )
    return {held.file: held.lines for held in files_with(Project(root), Eraser(erasure), [])}


@pytest.mark.parametrize("name", WAYS)
def test_a_file_is_named_whatever_it_is_packed_in(tmp_path: Path, name: str):
    WAYS[name](tmp_path / name)
    (tmp_path / "other.txt").write_text("nobody")
    found = still(tmp_path)
    assert set(found) == {name}
    assert found[name] == (LINE if "csv" in name or "jsonl" in name else ())


def test_damaged_files_and_bombs_are_taken_as_they_lie(tmp_path: Path):
    FRAME.write_parquet(tmp_path / "whole.parquet")
    data = (tmp_path / "whole.parquet").read_bytes()
    (tmp_path / "whole.parquet").unlink()
    (tmp_path / "cut.parquet").write_bytes(data[: len(data) // 2])
    (tmp_path / "cut.gz").write_bytes(gzip.compress(TEXT.encode())[:-12])
    (tmp_path / "cut.zip").write_bytes(b"PK\3\4" + JANE.encode())
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("a", JANE.encode() * 4_000_000)
    assert "cut.zip" in still(tmp_path)
