"""Sound files of every form that is read, and what any bytes made of them must be: rows, set aside, or refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from sluice.core.errors import SluiceError
from sluice.curate.formats import ReadOptions, ReadResult
from sluice.curate.formats.read import read_file
from sluice.curate.formats.records import Entry
from tests.support.malformed import arrow, parquet, table, workbook, zstd

RECORDS = [
    {
        "body": "Wo ist mein Paket? 荷物",
        "label": "delivery",
        "n": 17,
        "tags": ["a", "b"],
        "more": {"x": 1.5, "y": None},
    },
    {"body": 'He said "no"\nand left', "label": None, "n": 12345678901234567890, "ok": True},
    {"body": "größer, schöner", "label": "praise", "n": -0.0, "late": "2024-05-01"},
]
LINES = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in RECORDS).encode()
CSV = 'body;label;n\n"Wo ist ""es""?\nHier";a;007\ngrößer;;1\n;b;2\n'.encode()
COLUMNS = table(
    body=["one", "größer", "three"],
    label=["a", None, "b"],
    n=[2**60, None, 3],
    f=[1.5, None, -2.0],
    l=[["x"], [], None],
)
SHEET = workbook(["body", "label", "n"], ["one", "a", 1], ["größer", None, 2.5], ["three", "b", True])
SOUND = {
    "rows.jsonl": LINES,
    "rows.json": json.dumps(RECORDS, indent=1, ensure_ascii=False).encode(),
    "held.json": json.dumps({"version": 1, "data": RECORDS}).encode(),
    "rows16.jsonl": LINES.decode().encode("utf-16"),
    "rows.csv": CSV,
    "rows.tsv": CSV.replace(b";", b"\t"),
    "rows.txt": "Ein Text.\n\nNoch einer, größer.\n".encode(),
    "rows.jsonl.gz": gzip.compress(LINES, mtime=0),
    "rows.csv.zst": zstd(CSV),
    "rows.parquet": parquet(COLUMNS),
    "rows.arrow": arrow(COLUMNS),
    "rows.arrows": arrow(COLUMNS, stream=True),
    "rows.xlsx": SHEET,
}
OPTIONS = (ReadOptions(input="body", target="label"), ReadOptions(input="body", encoding="auto", fix_mojibake=True))


def attempt(name: str, data: bytes, options: ReadOptions) -> ReadResult | SluiceError:
    """Return what reading bytes under a name gives; anything but rows or a SluiceError goes through: a bug."""
    if name.endswith(".txt"):
        options = ReadOptions(encoding=options.encoding, per="line")
    try:
        result = read_file(Entry(Path(name), name=name, data=data), options)
    except SluiceError as problem:
        _check_error(problem)
        return problem
    _check(result, data)
    return result


def _check_error(problem: SluiceError) -> None:
    if problem.exit_code not in (2, 5) or not problem.message or "\n" in problem.message or not problem.remedy:
        raise AssertionError(f"no clear error: {problem!r}")


def _check(result: ReadResult, data: bytes) -> None:
    """Raise AssertionError where rows have no name or place, or a line of a text is neither row nor set aside."""
    if not result.rows:
        raise AssertionError("neither rows nor an error")
    for row in result.rows:
        if len(row.row.row) != 64 or row.line < 1:
            raise AssertionError(f"a row without a name or a place: {row}")
        json.dumps(row.metadata, default=str).encode()
    for aside in result.set_aside:
        if not aside.reason or aside.line < 1:
            raise AssertionError(f"set aside without a reason or a place: {aside}")
        aside.raw.encode("utf-8", "surrogatepass")
    if result.format == "jsonl" and result.packed is None and result.encoding in ("utf-8", "utf-8-sig"):
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
        spoken = [n for n, line in enumerate(text.split("\n"), start=1) if line.strip(" \t\r")]
        told = [r.line for r in result.rows] + [a.line for a in result.set_aside]
        if sorted(told) != spoken:
            raise AssertionError(f"lines {spoken} became {sorted(told)}")
