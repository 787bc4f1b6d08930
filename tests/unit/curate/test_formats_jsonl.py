"""Reading JSON Lines: every record exact, every fault named with its place, neighbours whole."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError, NoPermission
from sluice.core.rows import Example
from sluice.curate.formats import FORMATS, ReadOptions, ReadResult, read_file
from sluice.curate.formats.detect import RARE, reads_well

BODY = ReadOptions(input="body", target="label")
texts = st.text(st.characters(exclude_categories=["Cs"]))
said = texts.filter(lambda t: bool(t) and not t.isspace())
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def read(folder: Path, data: bytes | str, options: ReadOptions = BODY, name: str = "rows.jsonl") -> ReadResult:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_file(path, options)


def bodies(result: ReadResult) -> list[Any]:
    return [r.row.input["body"] for r in result.rows]  # type: ignore[index]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(st.tuples(said, st.none() | texts, st.dictionaries(st.sampled_from("xyzé"), values)), min_size=1),
    escaped=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_a_file_says_is_what_arrives(
    rows: list[tuple[str, str | None, dict[str, Any]]], escaped: bool, end: str, mark: str
):
    lines = [json.dumps({"body": b, "label": t, **m}, ensure_ascii=escaped) for b, t, m in rows]
    with tempfile.TemporaryDirectory() as folder:
        result = read(Path(folder), (end.join(lines) + end).encode(mark))
    assert result.set_aside == []
    assert bodies(result) == [b for b, _, _ in rows]
    assert [r.row.target for r in result.rows if isinstance(r.row, Example)] == [t or None for _, t, _ in rows]
    assert [r.metadata for r in result.rows] == [m for _, _, m in rows]
    assert [r.line for r in result.rows] == list(range(1, len(rows) + 1))
    assert result.encoding == mark


def test_a_record_ends_at_lf_only(tmp_path: Path):
    odd = "a\u2028b\u2029c\u0085d\x0b"
    result = read(
        tmp_path, json.dumps({"body": odd}, ensure_ascii=False).replace("\\u000b", "\\u000b") + "\n", BODY_ONLY
    )
    assert bodies(result) == [odd]
    result = read(tmp_path, '{"body":\r"x\\ry"}\r\n{"body": "z"}', BODY_ONLY)
    assert bodies(result) == ["x\ry", "z"]


BODY_ONLY = ReadOptions(input="body")


@pytest.mark.parametrize(
    ("line", "reason", "column"),
    [
        ('{"body": "x"', "broken JSON", 13),
        ('{"body": "x"} trailing', "broken JSON", 15),
        ('{"body": "x", "body": "y"}', "'body' occurs twice", None),
        ('{"body": "x", "m": {"k": 1, "k": 2}}', "'k' occurs twice", None),
        ('{"body": "\\ud800"}', "half a surrogate", None),
        ('{"body": "x", "m": NaN}', "NaN", None),
        ('{"body": "x", "m": 1e99999999999999999999}', "exponent", None),
        ('{"body": "x", "m": ' + "[" * 200 + "]" * 200 + "}", "nested too deeply", None),
        ('{"body": "x", "m": ' + "[" * 90000 + "]" * 90000 + "}", "nested too deeply", None),
        ('["x"]', "not an object but a list", 1),
        ('"x"', "not an object but a text", 1),
        ("null", "not an object but null", 1),
        ('{"body": "tab\tinside"}', "control character", 14),
        ('{"body": ""}', "no input", None),
        ('{"body": " \\n"}', "no input", None),
        ('{"body": null}', "no input", None),
        ('{"other": 1}', "no input", None),
        ('{"body": {"é": 1, "e\u0301": 2}}', "same text", None),
    ],
)
def test_a_bad_line_is_set_aside_and_its_neighbours_arrive(tmp_path: Path, line: str, reason: str, column: int | None):
    result = read(tmp_path, f'{{"body": "before"}}\n\n{line}\n{{"body": "after"}}\n', BODY_ONLY)
    assert bodies(result) == ["before", "after"]
    assert [r.line for r in result.rows] == [1, 4]
    (aside,) = result.set_aside
    assert (aside.line, aside.column, aside.raw) == (3, column, line)
    assert reason.lower() in aside.reason.lower()


def test_numbers_keep_all_their_digits(tmp_path: Path):
    line = (
        '{"body":"x","id":12345678901234567,"big":1' + "0" * 5000 + ',"e":0.1000000000000000055511151231257827,"z":-0}'
    )
    (row,) = read(tmp_path, line + '\n{"body":"y","id":null}', BODY_ONLY).rows[:1]
    assert row.metadata["id"] == 12345678901234567
    assert row.metadata["big"] == Decimal(10) ** 5000
    assert row.metadata["e"] == Decimal("0.1000000000000000055511151231257827")


def test_a_key_seen_late_is_a_column_and_kept(tmp_path: Path):
    lines = ['{"body": "x"}'] * 20_480 + ['{"body": "y", "late": [0, false]}']
    result = read(tmp_path, "\n".join(lines), BODY_ONLY)
    assert result.columns == ["body", "late"]
    assert result.rows[-1].metadata == {"late": [0, False]}


def test_a_few_bad_bytes_in_utf8_cost_their_lines_only(tmp_path: Path):
    good = "\n".join(f'{{"body": "größer {i}"}}' for i in range(9))
    result = read(tmp_path, good.encode() + b'\n{"body": "caf\xc3\xa9 gr\xf6\xdfer"}\n{"body": "last"}', BODY_ONLY)
    assert len(result.rows) == 10
    (aside,) = result.set_aside
    assert (aside.line, aside.column) == (10, 19)
    assert aside.raw == '{"body": "café gr\\xf6\\xdfer"}'


@pytest.mark.parametrize(
    ("encoding", "sentence"),
    [
        ("cp1252", "Die Größe der Lieferung überrascht mich, schöne Grüße aus Köln"),
        ("cp1251", "Где моя посылка, я жду её уже две недели"),
        ("shift_jis", "荷物はどこですか。もう二週間も待っています。"),
        ("gb18030", "我的包裹在哪里？我已经等了两个星期了。"),
    ],
)
def test_another_encoding_is_named_never_guessed(tmp_path: Path, encoding: str, sentence: str):
    data = "\n".join(json.dumps({"body": f"{sentence} {i}"}, ensure_ascii=False) for i in range(20)).encode(encoding)
    with pytest.raises(InputError) as caught:
        read(tmp_path, data, BODY_ONLY)
    assert caught.value.exit_code == 2
    assert "--encoding" in str(caught.value)
    result = read(tmp_path, data, ReadOptions(input="body", encoding=encoding))
    assert bodies(result)[0] == f"{sentence} 0"
    assert not result.set_aside


@pytest.mark.parametrize(
    ("encoding", "sentence"),
    [
        ("cp1252", "Die Größe der Lieferung überrascht mich, schöne Grüße aus Köln"),
        ("cp1252", "prix: 5 € à l'été"),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy"),
        ("cp1251", "Где моя посылка, я жду её уже две недели"),
        ("cp932", "荷物はどこですか。もう二週間も待っています。"),
    ],
)
def test_the_encoding_that_is_named_is_shown_at_work(tmp_path: Path, encoding: str, sentence: str):
    line = json.dumps({"body": sentence}, ensure_ascii=False)
    with pytest.raises(InputError) as caught:
        read(tmp_path, "\n".join([line] * 20).encode(encoding), BODY_ONLY)
    assert f"--encoding {encoding}" in (caught.value.remedy or "")
    assert sentence in caught.value.message


def test_utf16_without_a_mark_is_named_and_with_half_a_pair_costs_one_line(tmp_path: Path):
    text = '{"body": "one"}\n{"body": "two"}\n'
    with pytest.raises(InputError, match="utf-16-le"):
        read(tmp_path, text.encode("utf-16-le"), BODY_ONLY)
    assert bodies(read(tmp_path, text.encode("utf-16-le"), ReadOptions(input="body", encoding="utf-16-le"))) == [
        "one",
        "two",
    ]
    half = b"\xff\xfe" + text.replace("two", "t\ud83do").encode("utf-16-le", "surrogatepass")
    result = read(tmp_path, half, BODY_ONLY)
    assert bodies(result) == ["one"]
    assert [(a.line, a.column, a.raw) for a in result.set_aside] == [(2, 12, '{"body": "t\\ud83do"}')]
    with pytest.raises(InputError, match="breaks off"):
        read(tmp_path, half[:-1], BODY_ONLY)


def test_marks_inside_joined_files_are_no_content(tmp_path: Path):
    result = read(tmp_path, '\ufeff{"body": "x"}\n\ufeff{"body": "y"}\n', BODY_ONLY)
    assert bodies(result) == ["x", "y"]
    assert result.columns == ["body"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\n  \n\r\n", "blank"),
        (b"not json\nnor this\n", "none of its 2 lines"),
        (b'{"body": ""}\n{"body": " "}', "none of its 2 rows"),
        (b"\x1f\x8b\x08\x00\x00", "gzip"),
        (b"PK\x03\x04....", "Excel"),
        (b"{}\n{}", "no column"),
    ],
)
def test_a_file_without_a_row_is_refused_with_a_remedy(tmp_path: Path, data: bytes, says: str):
    with pytest.raises(InputError, match=says) as caught:
        read(tmp_path, data, BODY_ONLY)
    assert caught.value.remedy
    assert "rows.jsonl" in (caught.value.where or "")


SPREAD = '{\n  "body": "x",\n  "turns": [\n    {"body": "y"}\n  ]\n}\n'


@pytest.mark.parametrize(
    ("data", "says", "command"),
    [
        ('{"body": "x"}\r{"body": "y"}\r', "CR alone", "tr "),
        ('["x", "a"],\n["y", "b"],\n', "commas", "sed "),
        ('{"body": "x"},\n{"body": "y"},\n', "commas", "sed "),
        ('["x", "a"]\n["y", "b"]\n', "a list", ".[0]"),
        (SPREAD * 2, "several lines", "jq -c . "),
    ],
)
def test_json_that_is_not_one_object_a_line_gets_the_command_that_makes_it_so(
    tmp_path: Path, data: str, says: str, command: str
):
    with pytest.raises(InputError, match=says) as caught:
        read(tmp_path, data, BODY_ONLY)
    assert command in (caught.value.remedy or "")
    assert caught.value.remedy.endswith("rows-lines.jsonl")  # type: ignore[union-attr]


def test_an_array_is_no_json_lines_where_the_user_insists(tmp_path: Path):
    with pytest.raises(InputError, match="array") as caught:
        read(tmp_path, '[{"body": "x"}]\n', ReadOptions(input="body", format="jsonl"))
    assert "--format json" in (caught.value.remedy or "")


@pytest.mark.parametrize("first", ['["x"]', '["x"],', '{"body": "x"},', '{"body": "x"'])
def test_one_line_that_is_no_object_costs_that_line(tmp_path: Path, first: str):
    result = read(tmp_path, f'{first}\n{{"body": "y"}}\n', BODY_ONLY)
    assert (bodies(result), [a.line for a in result.set_aside]) == (["y"], [1])


def test_missing_folder_and_misspelt_files(tmp_path: Path):
    read(tmp_path, '{"body": "x"}', BODY_ONLY, "tickets.jsonl")
    with pytest.raises(InputError, match=r"did you mean .*tickets\.jsonl"):
        read_file(tmp_path / "tickts.jsonl", BODY_ONLY)
    with pytest.raises(InputError, match=r"folder.*tickets\.jsonl"):
        read_file(tmp_path, BODY_ONLY)
    with pytest.raises(InputError, match="no text encoding"):
        read_file(tmp_path / "tickets.jsonl", ReadOptions(input="body", encoding="klingon"))
    with pytest.raises(InputError, match="'jsonl'"):
        read_file(tmp_path / "tickets.jsonl", ReadOptions(input="body", format="json-l"))


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs file permissions")
def test_a_forbidden_file_is_named(tmp_path: Path):
    path = tmp_path / "secret.jsonl"
    path.write_text('{"body": "x"}')
    assert read_file(path, BODY_ONLY).rows
    path.chmod(0)
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(NoPermission, match="may not be read") as caught:
            read_file(path, BODY_ONLY)
    finally:
        os.seteuid(was)
    assert "chmod" in (caught.value.remedy or "")


def test_the_facts_of_the_file(tmp_path: Path):
    data = b'{"body": "x", "label": "a", "when": "today"}\n'
    seen: list[tuple[str, int, int]] = []
    path = tmp_path / "rows.data"
    path.write_bytes(data)
    result = read_file(path, BODY, lambda *a: seen.append(a))
    assert (result.format, result.shape, result.size) == ("jsonl", "input-target", len(data))
    assert result.sha256 == hashlib.sha256(data).hexdigest()
    assert result.columns == ["body", "label", "when"]
    assert seen


def test_every_format_is_documented_and_survives_bad_input(tmp_path: Path):
    for name, form in FORMATS:
        assert form.name == name
        assert form.help
        assert form.example
        assert form.extensions
        for junk in (b"\0", b'"', b"\xff\xfe", b"{", b"PAR1", b"PAR1PAR1", bytes(range(256))):
            with pytest.raises(InputError):
                read(tmp_path, junk, ReadOptions(input="body", format=name), f"junk{form.extensions[0]}")
        if not form.example.startswith("("):
            options = ReadOptions() if name == "text" else BODY_ONLY
            assert read(tmp_path, form.example, options, f"example{form.extensions[0]}").rows


def test_a_missing_file_and_a_folder_are_bad_paths(tmp_path: Path):
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(InputError) as caught:
            read_file(path, BODY_ONLY)
        assert (caught.value.code, caught.value.exit_code) == ("bad-path", 2)


def test_a_rare_code_page_gives_way_only_to_text_thatreads_well():
    assert all(RARE.match(name) for name in ("cp775", "cp850", "cp037", "mac-roman"))
    assert not any(RARE.match(name) for name in ("cp1251", "cp932", "cp949", "koi8-r", "iso8859-2"))
    assert reads_well("Café, schöne Grüße – 5 €".encode("cp1252"), "cp1252")
    assert not reads_well("schöne Grüße, Café".encode("cp850"), "cp1252")
