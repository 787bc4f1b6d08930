"""JSON documents: as exact as JSON lines, each element with its place, and told from JSON lines by content."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.curate.formats import ReadOptions, ReadResult, read_file

BODY = ReadOptions(input="body")
texts = st.text(st.characters(exclude_categories=["Cs"]))
said = texts.filter(lambda t: bool(t) and not t.isspace())
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def read(folder: Path, data: str | bytes, options: ReadOptions = BODY, name: str = "rows.json") -> ReadResult:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return read_file(folder / name, options)


def bodies(result: ReadResult) -> list[Any]:
    return [r.row.input["body"] for r in result.rows]  # type: ignore[index]


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(said, st.dictionaries(st.sampled_from("xyzé"), values)), min_size=1, max_size=6),
    indent=st.sampled_from([None, 0, 2]),
    key=st.sampled_from(["", "data", "my rows"]),
    mark=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    suffix=st.sampled_from([".json", ".jsonl"]),
)
def test_a_document_gives_what_the_same_objects_give_as_lines(
    rows: list[tuple[str, dict[str, Any]]], indent: int | None, key: str, mark: str, suffix: str
):
    records = [{"body": body, **more} for body, more in rows]
    document = json.dumps({key: records} if key else records, ensure_ascii=False, indent=indent)
    name = f"rows{'.json' if indent is None else suffix}"
    with tempfile.TemporaryDirectory() as folder:
        result = read(Path(folder), document.encode(mark), name=name)
        lines = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records)
        same = read(Path(folder), lines, name="lines.jsonl")
    assert (result.format, same.format) == ("json", "jsonl")
    assert [(r.row, r.metadata) for r in result.rows] == [(r.row, r.metadata) for r in same.rows]
    assert not result.set_aside
    for row in result.rows:
        assert document.split("\n")[row.line - 1].count("{")  # the line on which the object opens


BAD = """[
 {"body": "one"},
 {"body": "two", "body": "2"}, {"body": "three"},
 {"body": tru}, 7,
 {"body": "a
b"},
 {"body": "\\ud800"}, {"body": 1e9999999999999999999},
 {"body": "four",
  "n": NaN},
 {"body": "five"}
]"""


def test_a_bad_element_is_set_aside_with_its_place_and_its_neighbours_arrive(tmp_path: Path):
    result = read(tmp_path, BAD)
    assert bodies(result) == ["one", "three", "five"]
    assert [r.line for r in result.rows] == [2, 3, 10]
    places = [(a.line, a.column) for a in result.set_aside]
    assert places == [(3, 2), (4, 11), (4, 17), (5, 13), (7, 2), (7, 22), (8, 2)]
    assert [a.raw for a in result.set_aside][1] == '{"body": tru}'


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ('[{"body": "x"},\n {"body": "y"', "2:14"),
        ('[{"body": "x"}\n {"body": "y"}]', "2:2"),
        ('[{"body": "x"},\n]', "1:15"),
        ('{"data": [{"body": "x"}], oops}', "1:27"),
        ('[{"body": "x"}] []', "1:17"),
    ],
)
def test_a_document_that_breaks_is_refused_with_the_place(tmp_path: Path, data: str, place: str):
    with pytest.raises(InputError, match="broken JSON") as caught:
        read(tmp_path, data, ReadOptions(input="body", format="json"))
    assert (caught.value.where or "").endswith(f"rows.json:{place}")
    assert caught.value.remedy


def test_what_stands_beside_the_rows_is_named(tmp_path: Path):
    result = read(tmp_path, '{"version": 2, "data": [{"body": "x"}], "licence": "MIT"}')
    assert bodies(result) == ["x"]
    assert list(result.left_out) == ["version", "licence"]
    assert "'data'" in result.left_out["version"]


def test_rows_that_could_lie_in_two_places_are_never_guessed(tmp_path: Path):
    for data in (
        '{"train": [{"body": "x"}], "test": [{"body": "y"}]}',
        '{"data": [{"body": "x"}], "rows": [{"body": "y"}]}',
        '{"id": 7, "answers": [{"body": "x"}]}',
    ):
        with pytest.raises(InputError, match="could lie under") as caught:
            read(tmp_path, data)
        assert "jq -c" in (caught.value.remedy or "")


def test_one_object_is_one_row_where_its_lists_are_its_own(tmp_path: Path):
    chat = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]}
    result = read(tmp_path, json.dumps(chat, indent=2), ReadOptions())
    assert (len(result.rows), result.shape) == (1, "messages")
    assert bodies(read(tmp_path, '{\n "body": "x",\n "turns": [{"body": "y"}]\n}', name="rows.jsonl")) == ["x"]
    assert read(tmp_path, json.dumps(chat), ReadOptions(), "one.jsonl").format == "jsonl"


def test_lines_called_json_are_lines(tmp_path: Path):
    result = read(tmp_path, '{"body": "x"}\nnot json\n{"body": "y"}\n')
    assert (result.format, bodies(result), [a.line for a in result.set_aside]) == ("jsonl", ["x", "y"], [2])


def test_bad_bytes_cost_their_element(tmp_path: Path):
    data = '[{"body": "größer"},\n{"body": "größe"}, '.encode() + b'{"body": "gr\xf6\xdfer"}]'
    result = read(tmp_path, data)
    assert bodies(result) == ["größer", "größe"]
    assert [(a.line, a.raw) for a in result.set_aside] == [(2, '{"body": "gr\\xf6\\xdfer"}')]
