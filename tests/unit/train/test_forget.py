"""forget: nothing of the person is left below the project, and verify says forgotten, never tampered."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from support import whole_project

from sluice.core.errors import InputError, UsageError
from sluice.core.ledger import Ledger
from sluice.core.project import Project
from sluice.curate.add import add
from sluice.curate.dataset import open_dataset, versions
from sluice.curate.why import why
from sluice.evalsuite.sets import deciding_set
from sluice.train.forget import forget
from sluice.train.verify import Verification, verify

REASON = "asked for on 1 May"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    project, _ = whole_project.whole_project(tmp_path_factory.mktemp("whole"))
    (project.root / "rows.jsonl").unlink()
    return project.root


@pytest.fixture
def project(whole, tmp_path) -> Project:
    shutil.copytree(whole, tmp_path / "project")
    return Project(tmp_path / "project")


def checked(project: Project) -> Verification:
    return verify(project, cache_dir=project.root.parent / "cache")


def bad(project: Project) -> list[str]:
    """Everything that verify does not call intact, the model apart: it is elsewhere."""
    return [f"{f.word} {f.sort} {f.name}: {f.reason}" for f in checked(project).findings if f.word != "intact"]


def everything(root: Path) -> bytes:
    """All bytes below a folder, Parquet and the index read, too."""
    found: list[bytes] = []
    for file in sorted(root.rglob("*")):
        if file.is_file():
            found.append(file.read_bytes())
            if file.suffix == ".parquet":
                found.append(json.dumps(pl.read_parquet(file).to_dicts(), ensure_ascii=False).encode())
            if file.suffix == ".duckdb":
                import duckdb

                with duckdb.connect(str(file), read_only=True) as index:
                    for (table,) in index.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                        found.append(repr(index.execute(f"FROM {table}").fetchall()).encode())
    return b"\0".join(found)


def text_of(project: Project, ref: str, i: int = 0) -> tuple[str, str]:
    """A row of a version, and its text."""
    record = open_dataset(project, ref).frame().to_dicts()[i]
    return record["row"], json.loads(record["input"])["input"]


@pytest.mark.parametrize("part", ["train", "dev", "eval"])
def test_a_row_is_gone_from_everything_and_verify_says_forgotten(project, part):
    row, text = text_of(project, f"tickets/{part}")
    assert text.encode() in everything(project.root)
    result = forget(project, "tickets", rows=[row[:10]], reason=REASON)
    assert (result.rows, result.changed) == (1, True)
    found = everything(project.root)
    assert text.encode() not in found
    assert row.encode() not in found
    assert row[:10].encode() not in found
    assert bad(project) == []
    assert any(REASON in note for note in checked(project).notes)
    assert any("forgotten" in f.reason for f in checked(project).findings)
    newest = open_dataset(project, f"tickets/{part}")
    assert newest.operation.verb == "forget"
    assert newest.manifest.left is None
    assert row not in set(newest.frame()["row"])
    newest.check()
