from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluice.core.canonical import dump_exact, parse_exact
from sluice.core.errors import InputError, Tampered
from sluice.core.evalset import SetManifest, read_set, rows_bytes, set_folders, unit_labels
from sluice.core.rows import AnyRow, Example, chat_row, to_record

ROWS: list[AnyRow] = [
    Example(input={"body": "one", "n": 1.5}, target="a"),
    Example(input={"body": "zwei \u2028 ü"}, target="b"),
    Example(input={"body": "e\u0301", "more": {"x": None}}),
    chat_row([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]),
]


def freeze(folder: Path) -> SetManifest:
    ordered = sorted(ROWS, key=lambda r: r.row)
    groups = {ROWS[0].row: ["g1", "g2"], ROWS[1].row: ["g1"]}
    data = rows_bytes(ROWS, groups)
    manifest = SetManifest(
        name="s-12345678",
        dataset="t/eval",
        version="v" * 64,
        guard=False,
        rows=tuple(r.row for r in ordered),
        inputs=tuple(r.input_hash for r in ordered),
        groups=tuple(tuple(groups.get(r.row, [])) for r in ordered),
        rows_sha256=hashlib.sha256(data).hexdigest(),
        similarity=1,
        boilerplate=("aa", "bb"),
    )
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(manifest.to_bytes())
    (folder / "rows.jsonl").write_bytes(data)
    return manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "evals" / "s-12345678"
    freeze(made)
    return made


def test_a_set_is_read_back_whole(folder: Path) -> None:
    found = read_set(folder)
    assert [r.row for r in found.rows] == sorted(r.row for r in ROWS)
    assert found.name == "s-12345678"
    assert found.groups_by_input()[ROWS[0].input_hash] == ("g1", "g2")
    expected = hashlib.sha256(b"sluice/evalset/1\n" + (folder / "manifest.json").read_bytes()).hexdigest()
    assert found.sha256 == found.manifest.sha256 == expected
    assert set_folders(folder.parent) == [folder]
    assert set_folders(folder / "none") == []


def lines(folder: Path) -> list[str]:
    return (folder / "rows.jsonl").read_text(encoding="utf-8").split("\n")[:-1]


def write(folder: Path, found: list[str], *, end: str = "\n") -> None:
    (folder / "rows.jsonl").write_bytes(("\n".join(found) + end).encode())


def consistent(folder: Path, **changes: Any) -> None:
    """Write the manifest so that it fits the edited rows file, as one does who covers an edit."""
    body = json.loads((folder / "manifest.json").read_bytes()) | changes
    body["rows_sha256"] = hashlib.sha256((folder / "rows.jsonl").read_bytes()).hexdigest()
    (folder / "manifest.json").write_bytes(SetManifest.model_validate(body).to_bytes())


def edit_target(folder: Path) -> None:
    write(folder, [line.replace('"target":"a"', '"target":"b"') for line in lines(folder)])


def swap(folder: Path) -> None:
    found = lines(folder)
    write(folder, [found[1], found[0], *found[2:]])


EDITS: dict[str, Callable[[Path], Any]] = {
    "row edited": edit_target,
    "row removed": lambda f: write(f, lines(f)[1:]),
    "row added": lambda f: write(f, [*lines(f), dump_exact(to_record(Example(input={"body": "new"})))]),
    "row twice": lambda f: write(f, [lines(f)[0], *lines(f)]),
    "order": swap,
    "extra line": lambda f: write(f, [*lines(f), ""]),
    "last line end": lambda f: write(f, lines(f), end=""),
    "text without line end": lambda f: write(f, [*lines(f), "x"], end=""),
    "groups": lambda f: write(f, [line.replace('"g2"', '"g3"') for line in lines(f)]),
    "input hash": lambda f: write(f, [line.replace('"input_hash":"', '"input_hash":"0') for line in lines(f)]),
    "unknown key": lambda f: write(f, [line.replace('{"row"', '{"note":"x","row"') for line in lines(f)]),
    "blanks": lambda f: write(f, [line.replace('"kind":', '"kind": ') for line in lines(f)]),
    "other Unicode form": lambda f: write(f, [line.replace("e\u0301", "é") for line in lines(f)]),
    "number form": lambda f: write(f, [line.replace("1.5", "1.50") for line in lines(f)]),
    "not UTF-8": lambda f: (f / "rows.jsonl").write_bytes((f / "rows.jsonl").read_bytes().replace(b"zw", b"\xff")),
    "empty": lambda f: (f / "rows.jsonl").write_bytes(b""),
    "no JSON": lambda f: write(f, ["{", *lines(f)[1:]]),
    "no object": lambda f: write(f, ["[]", *lines(f)[1:]]),
    "another kind": lambda f: write(f, [line.replace('"kind":"example"', '"kind":"text"', 1) for line in lines(f)]),
}


@pytest.mark.parametrize("name", list(EDITS))
def test_an_edited_rows_file_is_found(folder: Path, name: str) -> None:
    before = (folder / "rows.jsonl").read_bytes()
    EDITS[name](folder)
    assert (folder / "rows.jsonl").read_bytes() != before, "the edit is one"
    with pytest.raises(Tampered) as problem:
        read_set(folder)
    assert str(folder) in (problem.value.where or "")
    assert problem.value.exit_code == 1


@pytest.mark.parametrize("name", [n for n in EDITS if n != "other Unicode form"])
def test_an_edit_that_is_covered_by_a_new_file_hash_is_found(folder: Path, name: str) -> None:
    EDITS[name](folder)
    consistent(folder)
    with pytest.raises(Tampered):
        read_set(folder)


def test_the_same_rows_in_other_bytes_are_another_set(folder: Path) -> None:
    frozen = read_set(folder)
    EDITS["other Unicode form"](folder)
    consistent(folder)
    found = read_set(folder)
    assert [r.row for r in found.rows] == [r.row for r in frozen.rows]
    assert found.sha256 != frozen.sha256


def test_a_wholly_rebuilt_set_has_another_hash(folder: Path) -> None:
    frozen = read_set(folder).sha256
    kept = [line for line in lines(folder) if ROWS[0].row not in line]
    write(folder, kept)
    records = [parse_exact(line) for line in kept]
    consistent(
        folder,
        rows=[r["row"] for r in records],
        inputs=[r["input_hash"] for r in records],
        groups=[r["groups"] for r in records],
    )
    assert len(read_set(folder).rows) == 3, "consistent in itself, so only the ledger's freeze entry can tell"
    assert read_set(folder).sha256 != frozen


@pytest.mark.parametrize(
    "change",
    [
        {"boilerplate": ["aa"]},
        {"boilerplate": ["aa", "cc"]},
        {"similarity": 2},
        {"guard": True},
        {"name": "other"},
        {"version": "w" * 64},
        {"dataset": "u/eval"},
    ],
)
def test_an_edited_manifest_is_another_set(folder: Path, change: dict[str, Any]) -> None:
    frozen = read_set(folder).sha256
    consistent(folder, **change)
    assert read_set(folder).sha256 != frozen


@pytest.mark.parametrize(
    "edit",
    [
        lambda b: b + b" ",
        lambda b: b.replace(b"\n", b"\r\n"),
        lambda b: b.replace(b'"guard": false', b'"guard": 0'),
        lambda b: b.replace(b'"name"', b'"Name"'),
        lambda b: b.replace(b'"guard": false,', b""),
        lambda b: b[:-5],
        lambda b: b"",
        lambda b: b"\xff" + b,
    ],
)
def test_a_manifest_in_another_form_is_tampered(folder: Path, edit: Any) -> None:
    file = folder / "manifest.json"
    file.write_bytes(edit(file.read_bytes()))
    with pytest.raises(Tampered):
        read_set(folder)


def test_missing_files_are_named(folder: Path) -> None:
    (folder / "rows.jsonl").unlink()
    with pytest.raises(Tampered, match="gone"):
        read_set(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(InputError, match="no frozen set"):
        read_set(folder)
    assert set_folders(folder.parent) == []


def test_groups_of_another_length_are_found(folder: Path) -> None:
    groups = json.loads((folder / "manifest.json").read_bytes())["groups"]
    consistent(folder, groups=groups[:-1])
    with pytest.raises(Tampered):
        read_set(folder)


def test_a_newer_format_is_said_and_is_not_tampered(folder: Path) -> None:
    consistent(folder, format=2)
    with pytest.raises(InputError, match="format 2"):
        read_set(folder)


def test_rows_that_share_any_group_value_are_one_unit() -> None:
    assert unit_labels([("a",), (), ("b", "a"), ("c",), ("b",), ()]) == [0, 1, 0, 3, 0, 5]
    assert unit_labels([("a",), ("b",), ("b", "a")]) == [0, 0, 0], "a later row unites two that stood apart"
    assert unit_labels([]) == []


def test_rows_without_a_group_count_one_each(folder: Path) -> None:
    manifest = read_set(folder).manifest
    n = len(manifest.rows)
    assert manifest.model_copy(update={"groups": ((),) * n}).independent() == n
    assert manifest.model_copy(update={"groups": (("x",),) * n}).independent() == 1
