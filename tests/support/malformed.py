"""Files that are wrong in one way each: how each is made, and what must be said of it.

`CASES` is the table. A case is refused (exit 2) with a message that matches
`says`, or it arrives with exactly the lines `aside` set aside, each with a reason that matches `says`.
"""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GOOD = b'{"body": "where is my parcel?", "label": "delivery"}\n'
Make = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """One malformed file."""

    name: str
    file: str
    make: Make
    says: str
    exit: int = 2
    aside: int = 0
    """Lines set aside, where the file arrives all the same."""
    rows: int = 2
    """Rows that arrive then."""
    options: tuple[str, ...] = ("--input", "body", "--target", "label")


def of(data: bytes) -> Make:
    """Return what writes these bytes."""
    return lambda path: (path.write_bytes(data), None)[1]


def lines(*middle: bytes) -> Make:
    """Return what writes two sound JSON lines with others between them."""
    return of(GOOD + b"".join(line + b"\n" for line in middle) + GOOD.replace(b"parcel", b"letter"))


def cells(*middle: bytes) -> Make:
    """Return what writes a sound CSV with lines between its two records."""
    return of(b"body,label\none is sound,x\n" + b"".join(middle) + b"two is sound,x\n")


def zstd(data: bytes) -> bytes:
    """Return a zstd frame."""
    import pyarrow as pa

    return pa.Codec("zstd").compress(data, asbytes=True)


def table(**columns: Any) -> Any:
    """Return an Arrow table."""
    import pyarrow as pa

    return pa.table(columns)


def parquet(content: Any, **how: Any) -> bytes:
    """Return a Parquet file."""
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(content, sink, **how)
    return sink.getvalue()


def arrow(content: Any, *, stream: bool = False) -> bytes:
    """Return an Arrow IPC file or stream."""
    import pyarrow as pa

    sink = io.BytesIO()
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(sink, content.schema) as writer:
        writer.write_table(content)
    return sink.getvalue()


def workbook(*rows: list[Any]) -> bytes:
    """Return an Excel workbook with one sheet."""
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def repacked(data: bytes, **changed: bytes) -> bytes:
    """Return a zip file with the content of some entries changed, by the end of their names."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            key = Path(name).stem
            new.writestr(name, changed.get(key, old.read(name)))
    return sink.getvalue()


def with_shared(data: bytes, strings: str, sheet: str) -> bytes:
    """Return a workbook whose first sheet takes its texts from a table of shared ones, as Excel writes it."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        types = old.read("[Content_Types].xml").decode()
    types = types.replace("</Types>", f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>')
    sink = io.BytesIO(repacked(data, **{"[Content_Types]": types.encode(), "sheet1": sheet.encode()}))
    with zipfile.ZipFile(sink, "a") as made:
        made.writestr("xl/sharedStrings.xml", strings)
    return sink.getvalue()


def big_zip(name: str) -> bytes:
    """Return a zip file of 80 MiB of zeros under a name."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/workbook.xml", "<workbook/>")
        made.writestr(name, bytes(80 << 20))
    return sink.getvalue()


def damaged_pages() -> bytes:
    """Return a Parquet file whose pages fail their checksums."""
    data = bytearray(
        parquet(table(body=[f"text {i}" for i in range(500)], label=["x"] * 500), write_page_checksum=True)
    )
    data[200] ^= 0xFF
    return bytes(data)


SHEET = workbook(["body", "label"], ["one", "x"], ["two", "y"])
ROWS = table(body=["one", "two"], label=["x", "y"])
NUL_LINE = b'{"body": "a\x00b", "label": "x"}'
LINE = ("--per", "line")
NONE: tuple[str, ...] = ()


def chat(turns: str) -> Make:
    """Return what writes a sound chat, one with these turns, and another sound one."""
    sound = '{"messages": [{"role": "user", "content": "hi %d"}, {"role": "assistant", "content": "ho"}]}\n'
    return of(((sound % 1) + '{"messages": [' + turns + "]}\n" + (sound % 2)).encode())


CASES = [
    # packed files
    Case("gzip cut", "r.jsonl.gz", of(gzip.compress(GOOD * 99)[:-9]), "gzip file is cut off"),
    Case("gzip with a wrong checksum", "r.jsonl.gz", of(gzip.compress(GOOD)[:-8] + b"\0" * 8), "gzip file is damaged"),
    Case("gzip with bytes behind it", "r.jsonl.gz", of(gzip.compress(GOOD) + b"more"), "other bytes behind it"),
    Case("gzip of nothing", "r.jsonl.gz", of(gzip.compress(b"")), "holds nothing"),
    Case("gzip bomb", "r.jsonl.gz", of(gzip.compress(bytes(80 << 20))), "200 times its size"),
    Case("zstd cut", "r.csv.zst", of(zstd(GOOD * 99)[:-4]), "zstd file is cut off"),
    Case("zstd bomb", "r.jsonl.zst", of(zstd(bytes(80 << 20))), "200 times its size"),
    Case("gzip in gzip", "r.jsonl.gz", of(gzip.compress(gzip.compress(GOOD))), "gzip file, not text"),
    Case("zip", "r.zip", of(repacked(SHEET)[:4] + b"..."), r"\.zip files are not read|zip file"),
    Case(
        "tar under another name", "r.jsonl", of(b"r.jsonl".ljust(257, b"\0") + b"ustar\0" + bytes(600)), "tar archive"
    ),
    # the file itself
    Case("0 bytes", "r.jsonl", of(b""), "empty"),
    Case("blank lines only", "r.jsonl", of(b"\n \n\r\n"), "blank"),
    Case("an empty folder", "folder", lambda path: path.mkdir(), "no file in this folder"),
    Case("a link that leads nowhere", "r.jsonl", lambda path: path.symlink_to("gone.jsonl"), "not there"),
    Case("a named pipe", "r.jsonl", lambda path: os.mkfifo(path), "pipe or a device"),
    Case("a device", "r.jsonl", lambda path: path.symlink_to("/dev/zero"), "pipe or a device"),
    Case("unknown bytes", "r.bin", of(bytes(range(256)) * 4), "does not tell the format"),
    Case("an old workbook", "r.xls", of(b"\xd0\xcf\x11\xe0" + bytes(600)), r"\.xls files are not read"),
    # JSON lines
    Case(
        "NaN and Infinity", "r.jsonl", lines(b'{"body": NaN}', b'{"body": "x", "n": -Infinity}'), "not a JSON", aside=2
    ),
    Case("a key twice", "r.jsonl", lines(b'{"body": "x", "body": "y"}'), "occurs twice", aside=1),
    Case("keys equal under NFC", "r.jsonl", lines('{"body": {"é": 1, "e\u0301": 2}}'.encode()), "same text", aside=1),
    Case("half a surrogate pair", "r.jsonl", lines(b'{"body": "\\ud83d x"}'), "half a surrogate", aside=1),
    Case(
        "a surrogate in UTF-8",
        "r.jsonl",
        lines('{"body": "ü"}'.encode(), b'{"body": "\xed\xa0\xbd"}'),
        "not utf-8",
        aside=1,
        rows=3,
    ),
    Case(
        "deep nesting", "r.jsonl", lines(b'{"body": ' + b"[" * 9999 + b"]" * 9999 + b"}"), "nested too deeply", aside=1
    ),
    Case("a huge line that is cut", "r.jsonl", lines(b'{"body": "' + b"x" * (4 << 20)), "broken JSON", aside=1),
    Case("NUL in a text", "r.jsonl", lines(NUL_LINE), "control character", aside=1),
    Case("a mark inside", "r.jsonl", of(b"\xef\xbb\xbf" + GOOD + b"\xef\xbb\xbf" + GOOD), "", exit=0, rows=1),
    Case("CRLF", "r.jsonl", of((GOOD * 2).replace(b"\n", b"\r\n")), "", exit=0, rows=1),
    Case("CR only", "r.jsonl", of(GOOD.replace(b"\n", b"\r") * 3), "CR alone"),
    Case("a list and a number", "r.jsonl", lines(b'["x"]', b"7", b"null"), "not an object", aside=3),
    Case("null content", "r.jsonl", lines(b'{"body": null, "label": "x"}'), "no input", aside=1),
    Case("wrong roles", "r.jsonl", chat('{"role": "wizard", "content": "x"}'), "role", aside=1, options=NONE),
    Case(
        "a turn without content",
        "r.jsonl",
        chat('{"role": "user", "content": null}'),
        "content|speaks",
        aside=1,
        options=NONE,
    ),
    Case("a turn that is a text", "r.jsonl", chat('"hi"'), "turn|message", aside=1, options=NONE),
    Case("keys with line breaks", "r.jsonl", lines(b'{"bo\\ndy": "x", "label": "y"}'), "no input", aside=1),
    Case("no object anywhere", "r.jsonl", of(b"this is\nprose\n"), "none of its 2 lines"),
    # encodings
    Case(
        "mixed encodings",
        "r.jsonl",
        lines('{"body": "größer"}'.encode(), '{"body": "größer"}'.encode("cp1252")),
        "not utf-8",
        aside=1,
        rows=3,
    ),
    Case("another encoding", "r.jsonl", lines('{"body": "schöne Grüße"}'.encode("cp1252")), "not UTF-8"),
    Case("UTF-16 without a mark", "r.jsonl", of((GOOD * 3).decode().encode("utf-16-le")), "utf-16-le"),
    Case("UTF-16 that breaks off", "r.jsonl", of(GOOD.decode().encode("utf-16")[:-1]), "breaks off"),
    Case("UTF-32", "r.jsonl", of(GOOD.decode().encode("utf-32")), "utf-32"),
    Case("UTF-7", "r.csv", of(b"body,label\n+/v8-caf+AOk-,x\nhi,y\n"), "", exit=0, rows=2),
    Case(
        "no such encoding",
        "r.jsonl",
        of(GOOD),
        "no text encoding",
        options=("--input", "body", "--encoding", "klingon"),
    ),
    # JSON documents
    Case("JSON cut", "r.json", of(b'[{"body": "x"}, {"body": "y'), "cut off"),
    Case("JSON without a comma", "r.json", of(b'[{"body": "x"} {"body": "y"}]'), "missing"),
    Case("JSON with more behind", "r.json", of(b'[{"body": "x"}]\n[{"body": "y"}]\n'), "more follows|a list"),
    Case(
        "one bad element",
        "r.json",
        of(b'[{"body": "x"},\n {"body": NaN}, {"body": tru}, 5,\n{"body": "y"}]'),
        "JSON|object",
        aside=3,
        options=("--input", "body"),
    ),
    Case("an empty array", "r.json", of(b"[]"), "empty array"),
    Case("a number", "r.json", of(b"42"), "."),
    Case(
        "two places for rows", "r.json", of(b'{"train": [{"body": "x"}], "test": [{"body": "y"}]}'), "could lie under"
    ),
    Case("deep JSON", "r.json", of(b"[" * 100_000), "."),
    # CSV
    Case("ragged rows", "r.csv", cells(b"a,b,c\n", b"alone\n"), "cell", aside=2),
    Case("an unclosed quote", "r.csv", cells(b'"open,x\n'), "quote", aside=1),
    Case("a quote inside", "r.csv", cells(b'a"b,x\n'), "quote", aside=1),
    Case("a header only", "r.csv", of(b"body,label\n"), "nothing below it"),
    Case("a column twice", "r.csv", of(b"body,body\nx,y\n"), "twice"),
    Case(
        "10,000 columns and one short row",
        "r.csv",
        of(b",".join(b"c%d" % i for i in range(9999)) + b",body\n" + b"x," * 9999 + b"x\nx\n"),
        "1 cell where",
        aside=1,
        rows=1,
        options=("--input", "body"),
    ),
    Case("NUL in a CSV", "r.csv", cells(b"a\0b,x\n"), "", exit=0, rows=3),
    Case("CSV that is no CSV", "r.csv", of(b'"never closed\n'), "header"),
    # Parquet and Arrow
    Case("Parquet cut", "r.parquet", of(parquet(ROWS)[:-20]), "cut off"),
    Case("Parquet with damaged pages", "r.parquet", of(damaged_pages()), "damaged"),
    Case("Parquet by name only", "r.parquet", of(b"body\nx\n"), "not Parquet"),
    Case(
        "Parquet of wrong types",
        "r.parquet",
        of(parquet(table(body=[b"\xff", b"x"], label=["x", "y"]))),
        "no exact JSON form",
    ),
    Case(
        "Parquet with NaN",
        "r.parquet",
        of(parquet(table(body=["a", "b", "c"], n=[1.0, float("nan"), 2.0]))),
        "NaN",
        aside=1,
        options=("--input", "body"),
    ),
    Case("Parquet without rows", "r.parquet", of(parquet(ROWS.slice(0, 0))), "no rows"),
    Case("Arrow cut", "r.arrow", of(arrow(ROWS)[:-30]), "damaged or cut"),
    Case("an Arrow stream that is cut", "r.arrow", of(arrow(ROWS, stream=True)[:200]), "damaged or cut"),
    Case("Feather 1", "r.feather", of(b"FEA1" + bytes(60) + b"FEA1"), "version 1"),
    # workbooks
    Case("a workbook that is a CSV", "r.xlsx", of(b"body,label\nx,y\n"), "no Excel workbook"),
    Case("a workbook that is cut", "r.xlsx", of(SHEET[:-200]), "cut off or damaged"),
    Case("a workbook that is a bomb", "r.xlsx", of(big_zip("xl/worksheets/sheet1.xml")), "200 times its size"),
    Case("a workbook of broken XML", "r.xlsx", of(repacked(SHEET, sheet1=b"<worksheet><row")), "damaged"),
    Case(
        "entities in a workbook",
        "r.xlsx",
        of(repacked(SHEET, sheet1=b'<!DOCTYPE a [<!ENTITY x "yy">]><worksheet>&x;</worksheet>')),
        ".",
    ),
    Case(
        "an error cell",
        "r.xlsx",
        of(workbook(["body", "label"], ["one", "x"], ["#N/A", "x"], ["two", "y"])),
        "#N/A",
        aside=1,
    ),
    Case(
        "a formula without a value",
        "r.xlsx",
        of(workbook(["body", "label"], ["one", "x"], ["=A2", "x"], ["two", "y"])),
        "never stored",
        aside=1,
    ),
    Case(
        "a cell beside the header",
        "r.xlsx",
        of(workbook(["body", "label"], ["one", "x"], ["t", "x", "?"], ["two", "y"])),
        "no name",
        aside=1,
    ),
    Case("a workbook without cells", "r.xlsx", of(workbook()), "has cells"),
    Case("no such sheet", "r.xlsx", of(SHEET), "no sheet is called", options=("--input", "body", "--sheet", "Q3")),
    # text
    Case(
        "text with a damaged line",
        "r.txt",
        of("one ü\nschön\n".encode() + b"t\xfcr\n"),
        "not utf-8",
        aside=1,
        options=LINE,
    ),
    Case("bytes called text", "r.txt", of(bytes(range(256)) * 4), "."),
]
