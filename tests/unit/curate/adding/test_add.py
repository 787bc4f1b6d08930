"""`add`: what a file says is what the version holds; nothing twice, nothing lost, all or nothing."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.canonical import parse_exact
from sluice.core.errors import InputError, SluiceError
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.curate.adding.add import add
from sluice.curate.dataset import has_dataset, open_dataset
from sluice.curate.deduplicate import deduplicate
from sluice.curate.export import export
from sluice.curate.formats import ReadOptions
from sluice.curate.metadata import metadata_by_row
from sluice.curate.show import show_set_aside

VALUE = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)
SAID = VALUE.filter(lambda t: bool(t) and not t.isspace())
BESIDE = st.dictionaries(st.sampled_from(["id", "when"]), st.integers() | VALUE | st.booleans(), max_size=2)
OPTIONS = ReadOptions(input="body", target="label")


def lines(path: Path, *records) -> Path:
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records), encoding="utf-8")
    return path


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(SAID, st.none() | VALUE, BESIDE), min_size=1, max_size=6))
def test_what_a_file_says_is_what_the_version_holds(given_rows):
    with tempfile.TemporaryDirectory() as folder:
        project = Project(folder)
        records = [{"body": b, "label": t, **beside} for b, t, beside in given_rows]
        file = lines(Path(folder) / "raw.jsonl", *records)
        result = add(project, "d", [file], OPTIONS)
        expected = [Example(input={"body": b}, target=t or None) for b, t, _ in given_rows]
        version = open_dataset(project, "d")
        assert version.rows() == list({r.row: r for r in expected}.values())
        assert result.added == version.manifest.rows == len({r.row for r in expected})
        places = metadata_by_row(version)
        seen = {
            place["line"]: (row, parse_exact(place["metadata"])) for row, found in places.items() for place in found
        }
        assert seen == {i + 1: (expected[i].row, given_rows[i][2]) for i in range(len(records))}
        assert not add(project, "d", [file], OPTIONS).changed
        version.check()


def test_a_file_twice_changes_nothing_and_a_grown_one_adds_what_is_new(tmp_path):
    project = Project(tmp_path)
    file = lines(tmp_path / "a.jsonl", {"body": "one"}, {"body": "two"})
    assert add(project, "d", [file], ReadOptions(input="body")).added == 2
    again = add(project, "d", [file, file], ReadOptions(input="body"))
    assert (again.changed, again.added, again.version) == (False, 0, 1)
    lines(file, {"body": "one"}, {"body": "two"}, {"body": "three"}, {"body": "one"})
    grown = add(project, "d", [file], ReadOptions(input="body"))
    assert (grown.changed, grown.added, grown.rows, grown.version) == (True, 1, 3, 2)
    version = open_dataset(project, "d")
    one = Example(input={"body": "one"}).row
    assert [p["line"] for p in metadata_by_row(version)[one]] == [1, 4]


def test_a_row_under_another_line_is_a_place_more_not_a_row_more(tmp_path):
    project = Project(tmp_path)
    add(project, "d", [lines(tmp_path / "a.jsonl", {"body": "one", "id": 1})], ReadOptions(input="body"))
    second = add(project, "d", [lines(tmp_path / "b.jsonl", {"body": "one", "id": 2})], ReadOptions(input="body"))
    assert (second.added, second.repeated, second.rows, second.changed) == (0, 1, 1, True)
    (places,) = metadata_by_row(open_dataset(project, "d")).values()
    assert [(p["file"], p["metadata"]) for p in places] == [("a.jsonl", '{"id":1}'), ("b.jsonl", '{"id":2}')]


def test_a_dropped_row_stays_out_when_its_file_is_added_again(tmp_path):
    project = Project(tmp_path)
    file = lines(tmp_path / "a.jsonl", {"body": "Where is my parcel"}, {"body": "where is my PARCEL!"})
    add(project, "d", [file], ReadOptions(input="body"))
    assert deduplicate(project, "d").dropped == 1
    again = add(project, "d", [file], ReadOptions(input="body"))
    assert (again.changed, again.rows, again.dropped_before) == (False, 1, 1)
    kept = open_dataset(project, "d").examples()[0].input["body"]
    out = "Where is my parcel" if kept != "Where is my parcel" else "where is my PARCEL!"
    other = add(project, "d", [lines(tmp_path / "b.jsonl", {"body": out})], ReadOptions(input="body"))
    assert (other.added, other.rows, other.dropped_before) == (0, 1, 1)


def test_lines_that_cannot_be_read_are_kept_and_their_neighbours_arrive(tmp_path):
    project = Project(tmp_path)
    file = lines(tmp_path / "a.jsonl", {"body": "one"}, '{"body": "cut', {"body": "two"}, {"body": ""})
    result = add(project, "d", [file], ReadOptions(input="body"))
    assert (result.added, result.set_aside) == (2, 2)
    assert [(s.line, s.file) for s in result.first_set_aside] == [(2, "a.jsonl"), (4, "a.jsonl")]
    assert result.first_set_aside[0].column is not None
    kept = show_set_aside(project, "d")
    assert [s.raw for s in kept.set_aside] == ['{"body": "cut', '{"body": ""}']
    assert not add(project, "d", [file], ReadOptions(input="body")).changed
    assert show_set_aside(project, "d").total == 2


def test_strict_adds_nothing(tmp_path):
    project = Project(tmp_path)
    good = lines(tmp_path / "good.jsonl", {"body": "one"})
    bad = lines(tmp_path / "bad.jsonl", {"body": "two"}, '{"body": "cut')
    with pytest.raises(InputError) as found:
        add(project, "d", [good, bad], ReadOptions(input="body"), strict=True)
    assert found.value.where is not None
    assert found.value.where.startswith("bad.jsonl:2")
    assert found.value.result["set_aside"] == 1
    assert not project.store.exists()


@pytest.mark.parametrize("what", ["missing.jsonl", "empty.jsonl", "latin.csv", "columns.jsonl"])
def test_a_file_that_cannot_be_read_among_others_adds_nothing(tmp_path, what):
    lines(tmp_path / "good.jsonl", {"body": "one"})
    (tmp_path / "empty.jsonl").write_bytes(b"")
    (tmp_path / "latin.csv").write_bytes("body\nMüller grüßt, wie schön, für über Größe\n".encode("latin-1") * 30)
    lines(tmp_path / "columns.jsonl", {"text": "one"})
    project = Project(tmp_path)
    with pytest.raises(SluiceError) as found:
        add(project, "d", [tmp_path / "good.jsonl", tmp_path / what], ReadOptions(input="body"))
    assert found.value.exit_code == 2
    assert what in str(found.value.where)
    assert found.value.remedy
    assert not has_dataset(project, "d")


def test_a_dry_run_leaves_no_trace(tmp_path):
    project = Project(tmp_path)
    file = lines(tmp_path / "a.jsonl", {"body": "one", "label": "x"})
    result = add(project, "d", [file], OPTIONS, dry_run=True)
    assert (result.added, result.version, result.changed) == (1, 0, False)
    assert result.first_rows[0].input == {"body": "one"}
    assert result.files[0].columns == ("body", "label")
    assert not project.store.exists()


def test_several_target_columns_become_one_object_in_the_order_named(tmp_path):
    project = Project(tmp_path)
    file = lines(
        tmp_path / "a.jsonl",
        {"slots": {"b": 1, "a": None}, "intent": "play", "request": "one"},
        {"intent": "stop", "request": "two"},
        {"request": "three"},
    )
    add(project, "d", [file], ReadOptions(input="request", target="intent,slots"))
    targets = [r.target for r in open_dataset(project, "d").examples()]
    assert targets == ['{"intent":"play","slots":{"b":1,"a":null}}', '{"intent":"stop","slots":null}', None]
    with pytest.raises(InputError, match="slot"):
        add(project, "d", [file], ReadOptions(input="request", target="intent,slot"))


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.tuples(SAID, st.none() | SAID, BESIDE), min_size=1, max_size=5), st.sampled_from(["jsonl", "parquet"])
)
def test_an_exported_version_reads_back_as_the_same_version(given_rows, ending):
    with tempfile.TemporaryDirectory() as folder:
        project = Project(folder)
        records = [{"body": b, "label": t, **beside} for b, t, beside in given_rows]
        add(project, "d", [lines(Path(folder) / "raw.jsonl", *records)], OPTIONS)
        out = Path(folder) / f"out.{ending}"
        assert export(project, "d", out).rows == open_dataset(project, "d").manifest.rows
        add(project, "e", [out], ReadOptions(input="body", target="label"))
        assert open_dataset(project, "e").hash == open_dataset(project, "d").hash
