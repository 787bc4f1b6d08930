"""The index: deleted and rebuilt equal, damaged and made anew, shared between processes, asked about rows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sluice.core.errors import InputError, StoreBusy
from sluice.core.project import Project
from sluice.curate import catalogue as module
from sluice.curate.adding.add import add
from sluice.curate.catalogue import Catalogue
from sluice.curate.dataset import open_dataset
from sluice.curate.deduplicate import deduplicate
from sluice.curate.formats import ReadOptions
from sluice.curate.restore import restore
from sluice.curate.splits.parts import split_dataset

LINES = [
    f'{{"body": "{w} parcel of number {i} never came to my house in the {w} street", "id": {i}}}'
    for i, w in enumerate(["red", "blue", "green", "black", "white", "brown", "pink", "grey", "gold", "teal"])
]


@pytest.fixture
def project(tmp_path):
    (tmp_path / "a.jsonl").write_text(
        "\n".join([*LINES, LINES[0].upper().replace("BODY", "body").replace("ID", "id")]) + "\n"
    )
    project = Project(tmp_path)
    add(project, "d", [tmp_path / "a.jsonl"], ReadOptions(input="body"))
    deduplicate(project, "d")
    split_dataset(project, "d", eval=3, dev=2)
    restore(project, "d", reason="exact-duplicate")
    return project


def test_deleted_and_rebuilt_equal(project):
    catalogue = Catalogue(project)
    before = catalogue.dump()
    assert len(before["operations"]) == 4
    assert len(before["names"]) == 6
    assert before["dropped"]
    catalogue.rebuild()
    assert catalogue.dump() == before
    project.catalogue.unlink()
    assert catalogue.dump() == before


def test_brought_up_to_date_step_by_step_or_at_once_it_is_the_same(project, tmp_path):
    catalogue = Catalogue(project)
    catalogue.dump()
    (tmp_path / "b.jsonl").write_text('{"body": "something new"}\n')
    add(project, "d", [tmp_path / "b.jsonl"], ReadOptions(input="body"))
    by_steps = catalogue.dump()
    catalogue.rebuild()
    assert catalogue.dump() == by_steps


def test_a_file_that_is_no_index_is_made_anew(project):
    catalogue = Catalogue(project)
    before = catalogue.dump()
    project.catalogue.write_bytes(b"not a database at all" * 1000)
    assert catalogue.dump() == before


@pytest.mark.parametrize("index", ["gone", "stale", "there"])
def test_a_store_that_may_only_be_read_answers_all_the_same(project, monkeypatch, tmp_path, index):
    catalogue = Catalogue(project)
    row = catalogue.resolve("a.jsonl:1")
    (tmp_path / "b.jsonl").write_text('{"body": "something new"}\n')
    add(project, "d", [tmp_path / "b.jsonl"], ReadOptions(input="body"))
    if index == "there":
        catalogue.dump()
    if index == "gone":
        project.catalogue.unlink()
    before = {p: p.stat().st_mtime_ns for p in project.store.rglob("*")}
    monkeypatch.setattr(module.os, "access", lambda path, how: False)
    assert Catalogue(project).resolve("a.jsonl:1") == row
    assert Catalogue(project).rows_at("b.jsonl", 1)
    assert {p: p.stat().st_mtime_ns for p in project.store.rglob("*")} == before


def test_an_operation_that_no_name_leads_to_does_not_count(project):
    before = Catalogue(project).dump()
    orphan = project.operations / "feedfeedfeedfeed"
    orphan.mkdir()
    (orphan / "operation.json").write_text("{}")
    assert Catalogue(project).dump() == before


def test_rows_by_prefix_and_by_line(project):
    catalogue = Catalogue(project)
    row = open_dataset(project, "d").rows()[0].row
    assert catalogue.resolve(row[:10]) == row
    assert catalogue.resolve(row[:10].upper()) == row
    assert catalogue.resolve("a.jsonl:1") == row
    for word, said in ((row[:4], "too short"), ("0" * 12, "no row"), ("a.jsonl:99", "no row"), ("what?", "is no row")):
        with pytest.raises(InputError, match=said):
            catalogue.resolve(word)


def test_operations_come_after_what_they_read(project):
    order = [o["verb"] for o in Catalogue(project).operations()]
    assert order == ["add", "dedup", "split", "restore"] or order == ["add", "dedup", "restore", "split"]


def test_a_second_process_that_holds_the_index_is_waited_for_and_named(project, monkeypatch):
    Catalogue(project).dump()
    code = (
        "import duckdb, sys, time\n"
        "c = duckdb.connect(sys.argv[1])\n"
        "print('held', flush=True)\n"
        "sys.stdin.readline()\n"
        "c.close()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(project.catalogue)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    holder.stdout.readline()
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.3)
    with pytest.raises(StoreBusy, match=str(holder.pid)) as found:
        Catalogue(project).dump()
    assert found.value.exit_code == 5
    open_dataset(project, "d")  # what does not need the index goes on
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 20.0)
    holder.stdin.write("\n")
    holder.stdin.flush()
    assert Catalogue(project).dump()["names"]
    holder.communicate(timeout=20)
