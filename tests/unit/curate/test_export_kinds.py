"""Every kind of row out of a project and back into one, packed or not, and what a killed export leaves."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.deduplicate import deduplicate
from sluice.curate.export import export
from sluice.curate.formats import ENCODERS, ReadOptions

ASK = [{"role": "user", "content": "Where is 7?"}]
FILES: dict[str, list[dict[str, Any]]] = {
    "pairs": [{"prompt": "Why?", "chosen": "So.", "rejected": "No.", "id": "1"}],
    "chat-pairs": [
        {
            "prompt": ASK,
            "chosen": [{"role": "assistant", "content": "Here."}],
            "rejected": [{"role": "assistant", "content": "There."}],
        }
    ],
    "judged": [
        {"prompt": "Why?", "completion": "So.", "label": True},
        {"prompt": "Who?", "completion": "Me.", "label": False},
    ],
    "texts": [{"text": "A sluice washes gravel from gold."}, {"text": "It is a gate, too."}],
    "weighted": [
        {
            "messages": [
                *ASK,
                {"role": "assistant", "content": "Hm.", "weight": 0},
                {"role": "user", "content": "So?"},
                {"role": "assistant", "content": "Here.", "weight": 1},
            ]
        }
    ],
}
WAYS = [
    ("pairs", None, "csv"),
    ("pairs", "preference", "parquet"),
    ("chat-pairs", None, "jsonl"),
    ("chat-pairs", "openai-preference", "jsonl"),
    ("chat-pairs", "trl", "arrow"),
    ("judged", None, "xlsx"),
    ("judged", "unpaired", "json"),
    ("texts", "text", "jsonl"),
    ("texts", None, "parquet"),
    ("weighted", "openai", "jsonl"),
    ("weighted", "sharegpt", "parquet"),
]


@pytest.fixture
def kinds(tmp_path: Path, lines: Any) -> Project:
    """Return a project with a dataset for each of FILES."""
    project = Project(tmp_path)
    for name, records in FILES.items():
        add(project, name, [lines(tmp_path / f"{name}.jsonl", *records)])
    return project


def added_back(project: Project, file: Path, read_with: tuple[str, ...] = ()) -> list[str]:
    words = [word.removeprefix("--") for word in read_with[::2]]
    add(project, "again", [file], ReadOptions(**dict(zip(words, read_with[1::2], strict=True))))
    return [row.row for row in open_dataset(project, "again").rows()]


@pytest.mark.parametrize("name,shape,ending", WAYS)
def test_out_of_a_project_and_back_into_one(kinds: Project, tmp_path: Path, name: str, shape: str | None, ending: str):
    result = export(kinds, name, tmp_path / f"out.{ending}", format=shape)
    version = open_dataset(kinds, name)
    assert (result.inexact, result.version, result.rows) == ({}, version.hash, len(FILES[name]))
    assert added_back(kinds, tmp_path / f"out.{ending}", result.read_with) == [row.row for row in version.rows()]


@pytest.mark.parametrize(
    "text,options",
    [
        ('id,label,body,when\n0870,a,"x, ""y""\nz",NA\n2,,w,\n', ReadOptions(input="body", target="label")),
        ("urgency,body,id,category\nhigh,x,1,a\n,y,2,b\n,z,3,\n", ReadOptions(input="body", target="category,urgency")),
        ("completion,id,prompt\nyes,1,x\n", ReadOptions()),
        ("output,instruction,id,input\nyes,do,1,x\n,go,2,\n", ReadOptions()),
        ("label,completion,prompt,id\ntrue,yes,x,1\nfalse,no,x,2\n", ReadOptions()),
    ],
)
def test_a_csv_comes_out_as_it_went_in(tmp_path: Path, text: str, options: ReadOptions):
    (tmp_path / "in.csv").write_bytes(text.encode())
    project = Project(tmp_path)
    add(project, "rows", [tmp_path / "in.csv"], options)
    result = export(project, "rows", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == text.encode()
    assert result.inexact == {}
    rows = [row.row for row in open_dataset(project, "rows").rows()]
    assert added_back(project, tmp_path / "out.csv", result.read_with) == rows


def test_implicit_pairs_are_two_transcripts(kinds: Project, tmp_path: Path):
    file = tmp_path / "out.jsonl"
    result = export(kinds, "chat-pairs", file, format="preference", implicit=True)
    assert result.columns == ("chosen", "rejected")
    assert json.loads(file.read_text())["chosen"] == [*ASK, {"role": "assistant", "content": "Here."}]
    assert added_back(kinds, file) == [row.row for row in open_dataset(kinds, "chat-pairs").rows()]
    with pytest.raises(UsageError, match="implicit"):
        export(kinds, "judged", tmp_path / "o.jsonl", format="unpaired", implicit=True)


def test_weights_go_out_as_they_came(kinds: Project, tmp_path: Path):
    for shape in ("openai", "messages", None):
        export(kinds, "weighted", tmp_path / "out.jsonl", format=shape, replace=True)
        assert json.loads((tmp_path / "out.jsonl").read_text()) == FILES["weighted"][0]


def test_a_file_holds_one_kind_and_one_can_be_picked(kinds: Project, tmp_path: Path):
    add(kinds, "pairs", [tmp_path / "judged.jsonl"])
    with pytest.raises(InputError, match="one kind") as problem:
        export(kinds, "pairs", tmp_path / "out.jsonl")
    assert "--kind" in (problem.value.remedy or "")
    assert not (tmp_path / "out.jsonl").exists()
    assert export(kinds, "pairs", tmp_path / "out.jsonl", kind="unpaired").rows == 2
    with pytest.raises(UsageError, match="chats"):
        export(kinds, "pairs", tmp_path / "o.jsonl", kind="chats")


def test_metadata_goes_beside_a_shape_that_carries_none_only_by_name(project: Project, tmp_path: Path):
    export(project, "d", tmp_path / "out.jsonl", format="messages")
    assert "customer" not in (tmp_path / "out.jsonl").read_text()
    export(project, "d", tmp_path / "with.jsonl", format="messages", beside=["customer"])
    first = json.loads((tmp_path / "with.jsonl").read_text().splitlines()[0])
    assert (list(first), first["customer"]) == (["messages", "customer"], "C0")
    with pytest.raises(UsageError, match="custmer"):
        export(project, "d", tmp_path / "o.jsonl", format="messages", beside=["custmer"])


@pytest.mark.parametrize(
    "ending", [e.extensions[0] for _, e in ENCODERS if e.name != "txt"] + [".csv.gz", ".jsonl.zst"]
)
def test_the_same_version_gives_the_same_bytes(project: Project, tmp_path: Path, ending: str):
    first = export(project, "d", tmp_path / f"one{ending}")
    other = export(Project(tmp_path), "d", tmp_path / f"another-name{ending}")
    assert first.sha256 == other.sha256
    assert added_back(project, tmp_path / f"one{ending}", first.read_with) == [
        row.row for row in open_dataset(project, "d").rows()
    ]


def test_a_packed_file_holds_no_time_and_no_name(project: Project, tmp_path: Path):
    export(project, "d", tmp_path / "out.csv.gz")
    head = (tmp_path / "out.csv.gz").read_bytes()[:10]
    assert (head[3], head[4:8]) == (0, b"\0\0\0\0")
    export(project, "d", tmp_path / "out.csv")
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()) == (tmp_path / "out.csv").read_bytes()
    with pytest.raises(UsageError, match="packed by itself"):
        export(project, "d", tmp_path / "out.parquet.gz")


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_dropped_rows_go_out_with_their_story(project: Project, tmp_path: Path, lines: Any, ending: str):
    twice = lines(
        tmp_path / "more.jsonl", {"body": open_dataset(project, "d").rows()[0].input["body"] + "!", "label": "n"}
    )  # type: ignore
    add(project, "d", [twice], ReadOptions(input="body", target="label"))
    deduplicate(project, "d", drop_near=True)
    result = export(project, "d", tmp_path / f"out.{ending}", everything=True)
    assert (result.rows, result.dropped) == (61, 1)
    assert result.columns == ("body", "label", "customer", "status", "reason", "kept_row")
    add(project, "back", [tmp_path / f"out.{ending}"], ReadOptions(input="body,status,kept_row", target="label"))
    gone = [row.input for row in open_dataset(project, "back").rows() if row.input["status"] == "dropped"]  # type: ignore[index]
    assert [bool(row["kept_row"]) for row in gone] == [True]  # type: ignore[index]


def test_a_workbook_is_one_for_others_too(project: Project, tmp_path: Path):
    from openpyxl import load_workbook

    export(project, "d", tmp_path / "out.xlsx")
    sheet = load_workbook(tmp_path / "out.xlsx").active
    assert sheet is not None
    assert sheet.title == "d@1"
    found = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert found[0] == ["body", "label", "customer"]
    assert len(found) == 61
    assert found[1][0] == open_dataset(project, "d").rows()[0].input["body"]  # type: ignore[index]


def test_a_killed_export_leaves_the_old_file(project: Project, tmp_path: Path):
    file = tmp_path / "out.jsonl"
    file.write_text("old")
    script = (
        "import os, sys\n"
        "from sluice.core.project import Project\n"
        "from sluice.curate.export import export\n"
        "from sluice.curate.formats import table\n"
        "table.STEP = 20\n"
        "def stop(what, done, total):\n"
        "    if what.startswith('writing') and done >= 40:\n"
        "        os._exit(9)\n"
        "export(Project(sys.argv[1]), 'd', sys.argv[2], replace=True, progress=stop)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path), str(file)], check=False)
    assert done.returncode == 9
    assert file.read_text() == "old"
    assert export(project, "d", file, replace=True).rows == 60


def test_a_row_that_cannot_be_held_leaves_the_old_file(project: Project, tmp_path: Path, lines: Any):
    add(project, "d", [lines(tmp_path / "more.jsonl", {"body": "x" * 40_000, "label": "n"})], ReadOptions(input="body"))
    file = tmp_path / "out.xlsx"
    file.write_text("old")
    with pytest.raises(InputError, match="32,767") as problem:
        export(project, "d", file, replace=True)
    long = max(open_dataset(project, "d").rows(), key=lambda row: len(row.input["body"]))  # type: ignore[index]
    assert problem.value.where == f"row {long.row[:10]}"
    assert file.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".tmp")] == []


def test_a_format_that_there_is_not_is_answered_with_the_near_one(project: Project, tmp_path: Path):
    with pytest.raises(InputError) as problem:
        export(project, "d", tmp_path / "out.jsonl", format="sharegtp")
    assert "sharegpt" in (problem.value.remedy or "")
