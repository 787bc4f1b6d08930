"""Versions: names, numbers, tags; a hash that depends on content only, whoever wrote the Parquet."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.errors import InputError, Tampered, UsageError
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.curate.adding.add import add
from sluice.curate.dataset import (
    dataset_names,
    open_dataset,
    open_newest,
    row_schema,
    rows_frame,
    tag,
    tags,
    version_hash,
    versions,
)
from sluice.curate.formats import ReadOptions

TEXT = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=12).filter(lambda t: not t.isspace())


def write(path, lines):
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path)
    file = write(
        tmp_path / "a.jsonl", [f'{{"input": "message {i}", "target": "t{i % 2}", "id": {i}}}' for i in range(6)]
    )
    add(project, "tickets", [file])
    return project


def three_writers(frame: pl.DataFrame, folder):
    by_polars, by_pyarrow, by_duckdb = (folder / f"{n}.parquet" for n in ("polars", "pyarrow", "duckdb"))
    frame.write_parquet(by_polars, compression="zstd")
    pq.write_table(frame.to_arrow(), by_pyarrow, compression="snappy", row_group_size=2)
    arrow = frame.to_arrow()  # noqa: F841 - read by name in the query
    duckdb.sql(f"COPY (FROM arrow) TO '{by_duckdb}' (FORMAT parquet, COMPRESSION gzip)")
    return [by_polars, by_pyarrow, by_duckdb]


def test_one_version_hash_from_three_parquet_writers(tmp_path):
    frame = rows_frame(
        [Example(input={"body": f"m² {i}"}, target=None if i % 3 else "ok") for i in range(9)],
        {Example(input={"body": "m² 1"}).row: ["b", "a"]},
    )
    files = three_writers(frame, tmp_path)
    assert len({file.read_bytes() for file in files}) == 3
    assert {version_hash(pl.read_parquet(file)) for file in files} == {version_hash(frame)}


def test_three_parquet_files_of_one_content_make_one_version(tmp_path):
    raw = pl.DataFrame({"body": [f"message {i}" for i in range(5)], "label": ["a", "b", None, "a", "b"], "n": range(5)})
    project = Project(tmp_path)
    for file in three_writers(raw, tmp_path):
        add(project, file.stem, [file], ReadOptions(input="body", target="label"))
    assert len({open_dataset(project, n).hash for n in ("polars", "pyarrow", "duckdb")}) == 1


@given(st.lists(st.tuples(TEXT, st.none() | TEXT), min_size=1, max_size=8), st.randoms())
def test_the_hash_follows_content_and_not_order(pairs, random):
    rows = list({r.row: r for r in (Example(input={"x": a}, target=b) for a, b in pairs)}.values())
    shuffled = rows[:]
    random.shuffle(shuffled)
    assert version_hash(rows_frame(list(rows))) == version_hash(rows_frame(list(shuffled)))
    changed = rows_frame(list(rows), {rows[0].row: ["g"]})
    assert version_hash(changed) != version_hash(rows_frame(list(rows)))
    if len(rows) > 1:
        assert version_hash(rows_frame(list(rows[1:]))) != version_hash(rows_frame(list(rows)))


def test_the_frame_has_the_schema_of_rows():
    assert rows_frame([Example(input={"x": "a"})]).schema == row_schema()


def test_names_numbers_and_tags(project, tmp_path):
    add(project, "tickets", [write(tmp_path / "b.jsonl", ['{"input": "new", "target": "t"}'])])
    assert [v.ref for v in versions(project, "tickets")] == ["tickets@1", "tickets@2"]
    assert open_dataset(project, "tickets").number == 2
    tag(project, "tickets@1", "first")
    assert open_dataset(project, "tickets:first").number == 1
    tag(project, "tickets", "first")
    assert tags(project, "tickets") == {"first": 2}
    assert dataset_names(project) == ["tickets"]


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("tikets", "did you mean 'tickets'"),
        ("tickets@9", "no version 9"),
        ("tickets:gold", "no tag 'gold'"),
        ("tick@ets", "names no dataset"),
        ("t" * 300, "no dataset is called"),
    ],
)
def test_a_name_that_is_none(project, ref, said):
    with pytest.raises(InputError, match=said):
        open_dataset(project, ref)


@pytest.mark.parametrize("name", ["3", "007", "t" * 101, "", "A"])
def test_a_tag_is_a_name_and_never_reads_like_a_version(project, name):
    with pytest.raises(InputError, match="cannot be a tag"):
        tag(project, "tickets", name)
    assert tags(project, "tickets") == {}


def test_names_fit_the_file_system_and_are_refused_before_it_is_asked(tmp_path):
    file = write(tmp_path / "a.jsonl", ['{"input": "x", "target": "t"}'])
    with pytest.raises(InputError, match="cannot be the name") as problem:
        add(Project(tmp_path), "t" * 101, [file])
    assert "100" in (problem.value.remedy or "")
    assert add(Project(tmp_path), "t" * 100, [file]).rows == 1


def test_only_the_newest_version_is_changed(project):
    assert open_newest(project, "tickets").number == 1
    with pytest.raises(UsageError, match="versions do not change"):
        open_newest(project, "tickets@1")


def test_damage_is_found_by_name(project):
    version = open_dataset(project, "tickets")
    version.check()
    file = version.files[0]
    frame = pl.read_parquet(file)
    data = file.read_bytes()
    file.write_bytes(data[:-8] + b"\0" * 8)
    with pytest.raises(Tampered, match="other bytes"):
        version.check()
    with pytest.raises(Tampered, match="damaged") as problem:
        version.frame()
    assert Path(problem.value.where or "").name == file.name  # its place, and no words of the library that read it
    assert "parquet" not in problem.value.message.lower()
    file.unlink()
    with pytest.raises(Tampered, match="gone"):
        version.check()
    file.write_bytes(data)
    version.check()
    changed = frame.with_columns(
        pl.when(pl.col("target") == "t1").then(pl.lit("t0")).otherwise("target").alias("target")
    )
    changed.write_parquet(file)
    manifest = version.project.data / version.hash / "manifest.json"
    import hashlib

    text = manifest.read_text()
    manifest.write_text(text.replace(version.manifest.files[0].sha256, hashlib.sha256(file.read_bytes()).hexdigest()))
    with pytest.raises(Tampered, match="a row is not what its hash says"):
        open_dataset(project, "tickets").check()
