"""Writing rows: read back, they are the same rows with the same metadata, in every form that can hold them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Example, Message, Messages, Preference, chat_row, to_record
from sluice.curate.formats import WRITERS, ExportRow, ReadOptions, ReadResult, WriteOptions, read_file, write_rows

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
full = texts.filter(bool)
said = texts.filter(lambda t: bool(t) and not t.isspace())
scalars = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda v: st.lists(v, max_size=2) | st.dictionaries(texts, v, max_size=2), max_leaves=4)
ENDS = {"csv": "csv", "parquet": "parquet"}

NAMES = ["f", "g", "größe"]
arguments = st.dictionaries(texts, values, max_size=2)
calls = st.lists(
    st.fixed_dictionaries(
        {
            "id": texts,
            "function": st.fixed_dictionaries(
                {"name": st.sampled_from(NAMES), "arguments": arguments | arguments.map(json.dumps)}
            ),
        }
    ),
    min_size=1,
    max_size=2,
)
properties = st.dictionaries(texts, st.fixed_dictionaries({"type": st.just("string"), "default": values}), max_size=2)
tools = st.none() | properties.map(
    lambda p: [{"name": name, "parameters": {"type": "object", "properties": p}} for name in NAMES]
)


@st.composite
def chats(draw: st.DrawFn) -> AnyRow:
    turns: list[dict[str, Any]] = []
    if draw(st.booleans()):
        turns.append({"role": draw(st.sampled_from(["system", "developer"])), "content": draw(texts)})
    turns.append({"role": "user", "content": draw(said)})
    if draw(st.booleans()):
        made = draw(calls)
        turns.append({"role": "assistant", "content": draw(texts), "tool_calls": made})
        turns.append({"role": "tool", "content": draw(texts), "tool_call_id": made[-1]["id"], "name": draw(texts)})
    end = draw(st.sampled_from(["open", "text", "call"]))
    if end == "text":
        turns.append({"role": "assistant", "content": draw(said)})
    if end == "call":
        turns.append({"role": "assistant", "content": draw(texts), "tool_calls": draw(calls)})
    return chat_row(turns, draw(tools))


def export(row: AnyRow, metadata: dict[str, Any] | None = None, **more: Any) -> ExportRow:
    return ExportRow(to_record(row), metadata or {}, **more)


def round_trip(
    rows: list[ExportRow], form: str, read: ReadOptions | None, write: WriteOptions | None = None
) -> ReadResult:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"out.{ENDS.get(form, 'jsonl')}"
        written = write_rows(rows, path, form, write)
        result = read_file(path, read)
        assert (written.sha256, written.size, written.rows) == (result.sha256, result.size, len(rows))
    assert result.set_aside == []
    return result


@pytest.mark.parametrize("form", ["messages", "prompt-completion", "csv", "parquet", "jsonl"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(chats(), min_size=1, max_size=4))
def test_chats_read_back_equal(form: str, rows: list[AnyRow]):
    result = round_trip([export(r) for r in rows], form, None)
    assert [r.row.row for r in result.rows] == [r.row for r in rows]
    assert [r.row for r in result.rows] == rows


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.tuples(
            said,
            st.none() | full,
            st.none() | full,
            st.dictionaries(st.sampled_from(["a", "subject ", "target;"]), full),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_fields_and_their_metadata_read_back_equal(form: str, rows: list[tuple[Any, ...]]):
    examples = [Example(input={"body": b} | ({"subject": s} if s else {}), target=t) for b, s, t, _ in rows]
    options = ReadOptions(input="body,subject" if any(s for _, s, _, _ in rows) else "body", target="target")
    result = round_trip([export(e, m) for e, (_, _, _, m) in zip(examples, rows, strict=True)], form, options)
    assert [r.row for r in result.rows] == examples
    assert [r.metadata for r in result.rows] == [m for _, _, _, m in rows]


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    data=st.data(),
    kind=st.sampled_from(
        [
            st.integers(-(2**63), 2**63 - 1),
            st.booleans(),
            st.lists(texts),
            st.floats(allow_nan=False, allow_infinity=False),
        ]
    ),
)
def test_types_survive_where_the_form_has_types(form: str, data: st.DataObject, kind: st.SearchStrategy[Any]):
    found = data.draw(st.lists(kind, min_size=1, max_size=4))
    rows = [export(Example(input={"body": "x"}), {"m": v}) for v in found]
    result = round_trip(rows, form, ReadOptions(input="body"))
    assert [r.metadata["m"] for r in result.rows] == found
    assert [type(r.metadata["m"]) for r in result.rows] == [type(v) for v in found]


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(found=st.lists(values | st.just("") | st.integers() | st.none(), min_size=1, max_size=4))
def test_rows_read_back_equal_or_the_column_is_named(form: str, found: list[Any]):
    rows = [Example(input={"body": "x"} | ({"v": v} if v is not None else {})) for v in found]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rows.{form}"
        written = write_rows([export(row) for row in rows], path, form, WriteOptions())
        read = read_file(path, ReadOptions(input="body,v" if any(v is not None for v in found) else "body"))
    if written.inexact:
        assert set(written.inexact) == {"v"}
        assert form != "jsonl"
    else:
        assert [r.row.row for r in read.rows] == [row.row for row in rows]


def test_columns_that_a_form_changes_are_named_and_no_others(tmp_path: Path):
    fields = {"n": 1, "x": 0.5, "yes": True, "big": 2**70, "mixed": 1, "nested": {"a": 1}, "tags": ["a"], "empty": ""}
    rows = [export(Example(input={"body": "a", **fields})), export(Example(input={"body": "b", "mixed": "1"}))]
    changed = {form: write_rows(rows, tmp_path / "f", form).inexact for form in ("csv", "parquet", "jsonl")}
    assert set(changed["csv"]) == set(fields)
    assert changed["csv"]["empty"] != changed["csv"]["n"]
    assert set(changed["parquet"]) == {"big", "mixed", "nested"}
    assert not changed["jsonl"]
    chat = chat_row([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], [{"name": "t"}])
    assert not write_rows([export(chat)], tmp_path / "g", "csv").inexact


@given(found=st.lists(values, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_jsonl_holds_any_metadata(found: list[Any]):
    rows = [export(Example(input={"body": v, "x": 1}), {"m": v}) for v in found]
    result = round_trip(rows, "jsonl", ReadOptions(input="body,x"))
    assert [r.metadata["m"] for r in result.rows] == found
    assert [r.row.input["body"] for r in result.rows] == found  # type: ignore[index]


@given(rows=st.lists(st.tuples(said, st.none() | full), min_size=1))
@settings(max_examples=50, deadline=None)
def test_prompts_read_back_equal(rows: list[tuple[str, str | None]]):
    examples = [Example(input={"prompt": p}, target=t) for p, t in rows]
    assert [r.row for r in round_trip([export(e) for e in examples], "prompt-completion", None).rows] == examples


def test_a_file_with_its_columns_comes_out_as_it_went_in(tmp_path: Path):
    source = tmp_path / "in.csv"
    source.write_bytes(b'id,label,body,when\n0870,a,"x, ""y""\nz",NA\n2,,w,\n')
    options = ReadOptions(input="body", target="label")
    result = read_file(source, options)
    rows = [export(r.row, r.metadata) for r in result.rows]
    write_rows(rows, tmp_path / "out.csv", "csv", WriteOptions(columns=result.columns, target_column="label"))
    assert (tmp_path / "out.csv").read_bytes() == source.read_bytes()


def test_the_story_of_a_row_beside_columns_of_the_same_name(tmp_path: Path):
    rows = [
        export(Example(input={"body": "x"}), {"status": "open"}, status="kept"),
        export(Example(input={"body": "y"}), {}, status="dropped", reason="duplicate", kept="7f3a91c25d"),
    ]
    written = write_rows(rows, tmp_path / "all.jsonl", "jsonl")
    assert written.columns == ["body", "target", "status", "sluice_status", "reason", "kept_row"]
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [line["sluice_status"] for line in lines] == ["kept", "dropped"]
    assert (lines[0]["status"], "status" in lines[1], lines[1]["kept_row"]) == ("open", False, "7f3a91c25d")


def test_metadata_that_is_called_like_an_input_or_the_target_is_kept_apart(tmp_path: Path):
    rows = [export(Example(input={"body": "x", "target": "y"}, target="t"), {"body": "m"})]
    assert write_rows(rows, tmp_path / "o.jsonl", "jsonl").columns == [
        "body",
        "target",
        "sluice_target",
        "metadata.body",
    ]
    chat = export(chat_row([{"role": "user", "content": "x"}]), {"tools": "hammer"})
    assert write_rows([chat], tmp_path / "c.jsonl", "jsonl").columns == ["messages", "metadata.tools"]


def test_training_forms_of_a_row_of_fields(tmp_path: Path):
    rows = [export(Example(input={"body": "x"}, target="y"), {"customer": "ana"})]
    path = tmp_path / "o.jsonl"
    write_rows(rows, path, "messages")
    assert json.loads(path.read_text()) == {
        "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    }
    write_rows(rows, path, "prompt-completion")
    assert json.loads(path.read_text()) == {"prompt": "x", "completion": "y"}
    two = [export(Example(input={"a": "x", "b": "y"}, target="z"))]
    with pytest.raises(InputError, match="2 input fields") as caught:
        write_rows(two, path, "messages")
    assert two[0].record["row"][:10] in (caught.value.where or "")
    prompt = WriteOptions(render=lambda content: [{"role": "user", "content": f"{content['a']}+{content['b']}"}])  # type: ignore[index]
    write_rows(two, path, "messages", prompt)
    assert json.loads(path.read_text())["messages"][0]["content"] == "x+y"
    write_rows(two, path, "prompt-completion", prompt)
    assert json.loads(path.read_text())["completion"] == [{"role": "assistant", "content": "z"}]


def test_what_a_form_cannot_hold_is_refused_and_the_old_file_stands(tmp_path: Path):
    path = tmp_path / "o.jsonl"
    path.write_text("old")
    open_end = Example(
        input=Messages(turns=(Message(role="user", content="x"), Message(role="assistant", content="y")))
    )
    pair = Preference(input={"body": "x"}, chosen="a", rejected="b")
    for row, form in [(open_end, "messages"), (open_end, "csv"), (pair, "jsonl")]:
        with pytest.raises(InputError):
            write_rows([export(row)], path, form)
    for form in WRITERS.names():
        with pytest.raises(InputError, match="no rows"):
            write_rows([], path, form)
        if WRITERS.get(form).carries_metadata:
            with pytest.raises(InputError, match="surrogate"):
                write_rows([export(Example(input={"body": "x"}), {"m": "\ud800"})], path, form)
    with pytest.raises(InputError, match="'messages'"):
        write_rows([export(pair)], path, "mesages")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["o.jsonl"]
    assert round_trip([export(open_end)], "prompt-completion", None).rows[0].row == open_end


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("old")
    for path in (tmp_path, tmp_path / "file" / "out.jsonl"):
        with pytest.raises(InputError, match="folder"):
            write_rows([export(Example(input={"body": "x"}))], path, "jsonl")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_every_writer_says_what_it_is():
    for name, writer in WRITERS:
        assert writer.name == name
        assert writer.help
