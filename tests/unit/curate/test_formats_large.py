"""Large JSON Lines, read by columns: the very same rows, hashes, metadata and set-aside lines as line by line."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from sluice.core.errors import SluiceError
from sluice.curate.adding.places import lines_of
from sluice.curate.adding.remarks import first_mojibake, mended_rows
from sluice.curate.formats import ColumnRows, Entry, ReadOptions, ReadResult, read_file
from sluice.curate.formats.characters import BLANK, LOOKED_UP, SURE, UNSURE, table
from sluice.curate.formats.mojibake import look
from sluice.curate.formats.open_file import open_entry
from sluice.curate.formats.read_large import read_large


def entry(data: bytes) -> Entry:
    return Entry(Path("rows.jsonl"), "rows.jsonl", data)


def large(data: bytes, options: ReadOptions, chunk: int = 64) -> ReadResult | None:
    return read_large(open_entry(entry(data)), options, chunk=chunk)


def told(read: ReadResult) -> dict[str, Any]:
    names = ("sha256", "size", "format", "shape", "read_as", "encoding", "columns", "set_aside", "left_out", "note")
    facts = {name: getattr(read, name) for name in names}
    return facts | {"packed": read.packed, "detected": read.detected, "first": first_mojibake([("f", read)])}


def tried(read: Callable[[], ReadResult | None]) -> tuple[ReadResult | None, tuple[str, ...] | None]:
    """Return what was read, or what it was refused for."""
    try:
        return read(), None
    except SluiceError as error:
        return None, (error.message, str(error.where), str(error.remedy))


def same(data: bytes, options: ReadOptions | None = None) -> ReadResult | None:
    """Read bytes both ways and hold the results together; return what was read by columns, None for neither way."""
    options = options or ReadOptions(format="jsonl")
    plain, problem = tried(lambda: read_file(entry(data), options))
    found, other = tried(lambda: large(data, options))
    assert found is None or plain is not None
    if found is None:
        assert other is None or other == problem
        return None
    assert plain is not None
    assert told(found) == told(plain)
    assert_frame_equal(lines_of([("f", found)]), lines_of([("f", plain)]))
    assert found.mojibake == plain.mojibake
    mended = mended_rows([("f", found)]), mended_rows([("f", plain)])
    assert (mended[0] is None) == (mended[1] is None)
    if mended[0] is not None and mended[1] is not None:
        assert_frame_equal(*mended)
    assert list(found.rows) == list(plain.rows)
    return found


def directly(data: bytes, options: ReadOptions | None = None) -> int:
    """Return how many rows never were objects, once both ways gave the same."""
    from unittest.mock import patch

    from sluice.curate.formats import read_large as module

    assert same(data, options) is not None
    counts: list[int] = []
    real = module.make_directly

    def counting(*given: Any) -> Any:
        made = real(*given)
        counts.append(made.frame.height)
        return made

    with patch.object(module, "make_directly", counting):
        large(data, options or ReadOptions(format="jsonl"))
    return sum(counts)


TEXTS = st.one_of(
    st.text(max_size=12),
    st.text(alphabet='aé\u0301Ã¤ â€\u212b가\u11a8\u1100\u1161 \n\t"\\/\x00\x1f\x7f\u2028😀\u00a0', max_size=8),
    st.sampled_from(["", " ", "\u3000", "Where is it?", "GrÃ¶ÃŸe", "Größe", "\u0344", "中文", "नमस्ते", "\ufeffx"]),
)
TURN = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "user", "assistant", "tool", "developer", "bot"]),
     "content": st.one_of(TEXTS, TEXTS, TEXTS, st.none())},
    optional={"weight": st.sampled_from([0, 1, None]), "name": st.sampled_from(["a", None])},
)  # fmt: skip
PLAIN_TURN = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXTS})
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
NUMBERS = """-0 -0.0 0.0 1.0 1.50 1e400 1e2 1E-7 0.0001 0.00001 123456789012345678 1234567890123456789 12345678901234.5
1234567890123456.5 01 1. .5 +1 NaN Infinity -Infinity nul tru 0.1 100.00 -12.25"""
LITERALS = st.sampled_from(NUMBERS.split())
HOSTILE = st.sampled_from(
    [b"", b" \t\r", b"{}", b"[]", b"[1]", b"3", b"{", b'{"a":1', b'{"a":1,}', b'{"a":1}}', b'{"a" 1}', b'{"a":[1,]}',
     b'{"a":1,"a":2}', b'{"a":{"b":1,"b":2}}', b'{"\\u0061":1,"a":2}', b'{"a":"\\ud800"}', b'{"a":"\\ud83d\\ude00"}',
     b'{"a":"\\udc00\\ud800"}', b'{"a":"\\x"}', b'{"a":"\\u12g4"}', b'{"a":"\\u00e9\\/\\b"}', b'{"a":"\x01"}',
     b"\xef\xbb\xbf{}", b'{"a":' + b"[" * 200 + b"]" * 200 + b"}", b'{"a":' + b"[" * 30 + b"]" * 30 + b"}",
     b'{"messages":[]}', b'{"messages":[{"role":"user","content":"x","content":"y"}]}', b'{"messages":"[]"}',
     b'{"messages":[{"role":"user"}]}', b'{"messages":[{"content":"x","role":"user"}],"tools":[]}', b'{"a":"\xff"}',
     b'{"messages":[ { "role" : "user" , "content" : "x" } , {"role":"assistant","content":"y"} ] ,"b" : [1 , "c d"]}',
     b'{"messages":[{"role":"user","content":"x"}],"tools":null}', b'null', b'"x"', b"{'a':1}", b'{"a":1}\x00',
     b'{"messages":[{"role":"user","content":"\\ud800"}]}', b'{"messages":[["user","x"]]}',
     b'{"messages":[{"role":"\\u0075ser","content":"x"}]}']
)  # fmt: skip


@st.composite
def lines(draw: st.DrawFn, record: st.SearchStrategy[dict[str, Any]]) -> bytes:
    one = st.tuples(record, st.booleans(), st.sampled_from([None, (", ", ": "), (",", ":")]), LITERALS, st.booleans())

    def written(value: Any) -> bytes:
        made, ascii_only, apart, literal, beside = value
        text = json.dumps(made, ensure_ascii=ascii_only, separators=apart)
        if beside:
            text = text.removesuffix("}") + (", " if made else "") + f'"n": {literal}' + "}"
        return text.encode("utf-8", "surrogatepass")

    several = draw(st.lists(st.one_of(one.map(written), one.map(written), one.map(written), HOSTILE), max_size=6))
    end = draw(st.sampled_from([b"\n", b"\n", b"\r\n", b"\n\n"]))
    start = draw(st.sampled_from([b"", b"", b"", b"\xef\xbb\xbf", b"\n"]))
    return start + end.join(several) + draw(st.sampled_from([b"", b"\n", b" "]))


CHATS = st.fixed_dictionaries(
    {"messages": st.one_of(st.lists(PLAIN_TURN, max_size=4), st.lists(TURN, max_size=4))},
    optional={"id": VALUES, "ö\"k": VALUES, "tools": st.sampled_from([None, [], ""]), "text": TEXTS},
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(lines(CHATS), st.booleans())
def test_chats_are_the_same_by_columns_as_line_by_line(data: bytes, fix: bool):
    same(data, ReadOptions(format="jsonl", fix_mojibake=fix)) if data else None


TALK = st.fixed_dictionaries(
    {"from": st.sampled_from(["human", "gpt", "system", "user", "model", "function_call", "observation", "me"]),
     "value": st.one_of(TEXTS, TEXTS, TEXTS, st.sampled_from(['{"name": "f", "arguments": {}}', None]))},
    optional={"weight": st.sampled_from([0, 1]), "content": TEXTS},
)  # fmt: skip
PLAIN_TALK = st.fixed_dictionaries({"from": st.sampled_from(["human", "gpt", "system"]), "value": TEXTS})
TURNS = st.one_of(st.lists(PLAIN_TALK, max_size=4), st.lists(st.one_of(TALK, PLAIN_TURN), max_size=4))


@pytest.mark.parametrize("column", ["conversations", "conversation", "messages"])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_sharegpt_is_the_same_by_columns_as_line_by_line(column: str, data: st.DataObject):
    beside = {"system": TEXTS, "id": VALUES, "tools": st.sampled_from([None, ""])}
    drawn = data.draw(lines(st.fixed_dictionaries({column: TURNS}, optional=beside)))
    same(drawn) if drawn else None


CELL = st.one_of(TEXTS, TEXTS, TEXTS, VALUES)
SHAPES: list[tuple[dict[str, str], tuple[str, ...]]] = [
    ({"input": "body", "target": "label"}, ("body", "label")),
    ({"input": "b,a,é", "target": "label"}, ("a", "b", "é", "label")),
    ({"input": "e\u0301"}, ("e\u0301", "label")),
    ({"input": "a", "target": "b,c"}, ("a", "b", "c")),
    ({}, ("input", "target")),
    ({}, ("prompt", "completion")),
    ({}, ("instruction", "input", "output")),
    ({}, ("instruction", "output")),
    ({}, ("instruction", "input", "output", "system")),
    ({}, ("text",)),
    ({"shape": "text"}, ("text", "title")),
    ({}, ("conversations",)),
    ({}, ("conversations", "system")),
    ({}, ("prompt", "chosen", "rejected")),
    ({}, ("prompt", "completion", "label")),
    ({"map": "input={{ body }}"}, ("body",)),
]


@pytest.mark.parametrize(("told", "columns"), SHAPES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_shape_is_the_same_by_columns_as_line_by_line(
    told: dict[str, str], columns: tuple[str, ...], data: st.DataObject
):
    options = {key: (value,) if key == "map" else value for key, value in told.items()}
    record = st.fixed_dictionaries({}, optional=dict.fromkeys(columns, CELL) | {"id": VALUES, "tools": CELL})
    whole = st.fixed_dictionaries(dict.fromkeys(columns, TEXTS))
    drawn = data.draw(lines(st.one_of(whole, whole, record)))
    same(drawn, ReadOptions(format="jsonl", **options)) if drawn else None


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_damage_is_met_alike(data: st.DataObject):
    drawn = bytearray(data.draw(lines(CHATS)))
    for _ in range(data.draw(st.integers(1, 3))):
        if drawn:
            at = data.draw(st.integers(0, len(drawn) - 1))
            drawn[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    if drawn:
        same(bytes(drawn))
        same(bytes(drawn), ReadOptions(format="jsonl", encoding="utf-8"))


@pytest.mark.parametrize(
    ("record", "options"),
    [
        ({"messages": [{"role": "user", "content": "Grüße"}, {"role": "assistant", "content": "Ja – \"ja\""}]}, {}),
        ({"messages": [{"role": "user", "content": "हिन्दी"}], "n": {"a": [1.5, None]}}, {}),
        ({"prompt": "Where?", "completion": "Here.\n"}, {}),
        ({"conversations": [{"from": "human", "value": "Where?"}, {"value": "Here.", "from": "gpt"}], "id": 3}, {}),
        ({"messages": [{"from": "human", "value": "Where?"}]}, {}),
        ({"instruction": "Say it", "input": "", "output": "it"}, {}),
        ({"text": "all of it 😀"}, {}),
        ({"body": "Where?", "label": 7, "when": "now"}, {"input": "body", "target": "label"}),
        ({"b": "Where?", "a": "", "label": None}, {"input": "b,a", "target": "label"}),
    ],
)  # fmt: skip
def test_ordinary_records_go_straight_to_hashes(record: dict[str, Any], options: dict[str, str]):
    for ascii_only in (True, False):
        line = json.dumps(record, ensure_ascii=ascii_only).encode() + b"\n"
        assert directly(line * 5, ReadOptions(format="jsonl", **options)) == 5


def test_lines_keep_their_order_across_chunks_and_ways():
    draw = random.Random(5)
    out: list[bytes] = []
    for i in range(400):
        turns = [{"role": "user", "content": f"Request {i}"}, {"role": "assistant", "content": "ok"}]
        odd = draw.random()
        if odd < 0.1:
            out.append(b'{"broken": ')
        elif odd < 0.2:
            out.append(json.dumps({"messages": turns, "n": 1e300}).encode())
        elif odd < 0.3:
            out.append(b"")
        else:
            out.append(json.dumps({"messages": turns, "id": i}).encode())
    found = same(b"\n".join(out))
    assert found is not None
    assert isinstance(found.rows, ColumnRows)
    numbers = [r.line for r in found.rows]
    assert numbers == sorted(numbers)
    assert found.rows[3] == list(found.rows)[3]
    assert found.rows[-2:] == list(found.rows)[-2:]


def test_what_is_sure_of_a_character_is_true_of_it():
    """Sure is: no mark, in NFC by itself, and no second part of any composed character (Unicode Annex 15)."""
    seconds = {chr(c) for a, b in ((0x1161, 0x1176), (0x11A8, 0x11C3)) for c in range(a, b)}
    for cp in range(0x110000):
        parts = unicodedata.decomposition(chr(cp)).split()
        if len(parts) == 2 and "<" not in parts[0]:
            seconds.add(chr(int(parts[1], 16)))
    numbers = table()
    sure = [cp for cp in range(0x10000) if not numbers[cp] & UNSURE] + list(range(0x1F000, 0x1FC00))
    assert len(sure) > 40_000
    for cp in sure:
        c = chr(cp)
        assert c not in seconds
        assert not unicodedata.combining(c)
        assert unicodedata.is_normalized("NFC", c)
    assert all(bool(numbers[cp] & BLANK) == chr(cp).isspace() for cp in range(0x10000))
    assert all(first < last for first, last in (*SURE, LOOKED_UP))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ÃÂâ€ éüß–—“”Äºµ¶€œžŸ\x80\xa0ïðàÐÑКЂњ╬├ñ≤a ", max_size=6))
def test_mojibake_is_never_passed_over(text: str):
    line = json.dumps({"messages": [{"role": "user", "content": text or "x"}]}, ensure_ascii=False).encode()
    if look({"messages": text}, frozenset({"messages"}), 1):
        assert directly(line) == 0
    else:
        same(line)
