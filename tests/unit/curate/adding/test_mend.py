"""Set-aside lines: written to a sheet, mended by a person, taken back; nothing twice, nothing lost, the story told."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.cli.app import run
from sluice.core.canonical import parse_exact
from sluice.core.errors import InputError, SluiceError
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.curate.adding.add import add
from sluice.curate.adding.mend import mend
from sluice.curate.adding.set_aside import read_sheet, still_waiting
from sluice.curate.dataset import open_dataset, versions
from sluice.curate.formats import ReadOptions
from sluice.curate.metadata import metadata_by_row
from sluice.curate.show import show_set_aside, write_set_aside
from sluice.curate.why import why

OPTIONS = ReadOptions(input="body", target="label")
CSV = 'id,body,label\n1,one,a\n2,two\n3,"x, y",b\n4,too,many,cells\n5,"open\n6,six,c\n'
JSONL = '{"body": "one", "label": null}\n{"body": "cut\n{"body": ""}\n{"body": "x", "body": "y"}\n{"body": "two"}\n'


def project_of(folder: Path, **files: str) -> Project:
    project = Project(folder)
    paths = []
    for name, text in files.items():
        path = folder / name.replace("_", ".")
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    add(project, "d", paths, OPTIONS)
    return project


def sheet_of(project: Project) -> Path:
    path = project.root / "mend.txt"
    write_set_aside(project, "d", path, replace=True)
    return path


def change(path: Path, *pairs: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert text.count(f"\n{old}\n") == 1, old
        text = text.replace(f"\n{old}\n", f"\n{new}\n")
    path.write_text(text, encoding="utf-8")


def waiting(project: Project) -> list[tuple[str, int]]:
    return [(w.file, w.line) for w in show_set_aside(project, "d").set_aside]


def test_cells_are_mended_under_the_header(tmp_path: Path):
    project = project_of(tmp_path, a_csv=CSV)
    before = waiting(project)
    assert before == [("a.csv", 3), ("a.csv", 5), ("a.csv", 6)]
    path = sheet_of(project)
    assert "#| id,body,label" in path.read_text()
    change(path, ("2,two", "2,two,z"), ("4,too,many,cells", '4,"too,many",cells'))
    result = mend(project, "d", path)
    assert (result.fixed, result.added, result.set_aside, result.changed) == (2, 2, 1, True)
    version = open_dataset(project, "d")
    rows = {r["line"]: (row, parse_exact(r["metadata"])) for row, rs in metadata_by_row(version).items() for r in rs}
    assert rows[3] == (Example(input={"body": "two"}, target="z").row, {"id": "2"})
    assert rows[5] == (Example(input={"body": "too,many"}, target="cells").row, {"id": "4"})
    assert waiting(project) == [("a.csv", 6)]
    assert show_set_aside(project, "d@1").total == 3, "what an older version stood on does not change"


def test_lines_of_json_are_mended_and_those_still_broken_get_the_new_reason(tmp_path: Path):
    project = project_of(tmp_path, b_jsonl=JSONL)
    path = sheet_of(project)
    change(
        path, ('{"body": "cut', '{"body": "cut", "id": 7}'), ('{"body": "x", "body": "y"}', '{"body": "x", "n": NaN}')
    )
    assert mend(project, "d", path).fixed == 1
    told = {w.line: w.reason for w in show_set_aside(project, "d").set_aside}
    assert set(told) == {3, 4}
    assert "NaN" in told[4]
    story = why(project, "d", "b.jsonl:4")
    assert story.set_aside is not None
    assert story.set_aside.raw == '{"body": "x", "n": NaN}'
    assert ["twice" in event.what or "NaN" in event.what for event in story.events] == [True, True]
    done = why(project, "d", "b.jsonl:2")
    assert done.row == Example(input={"body": "cut"}).row
    assert ["set aside at b.jsonl, line 2" in e.what for e in done.events] == [True, False, False]
    assert "as mended in mend.txt" in done.events[1].what


def test_repeating_and_adding_the_file_again_change_nothing(tmp_path: Path):
    project = project_of(tmp_path, b_jsonl=JSONL)
    path = sheet_of(project)
    change(path, ('{"body": "cut', '{"body": "cut"}'))
    assert mend(project, "d", path).changed
    again = mend(project, "d", path)
    assert (again.changed, again.added, again.fixed, len(versions(project, "d"))) == (False, 0, 1, 2)
    assert not add(project, "d", [tmp_path / "b.jsonl"], OPTIONS).changed
    assert waiting(project) == [("b.jsonl", 3), ("b.jsonl", 4)]
    assert not mend(project, "d", sheet_of(project)).changed, "an untouched sheet says nothing new"


def test_a_line_mended_in_its_own_file_waits_no_more(tmp_path: Path):
    project = project_of(tmp_path, b_jsonl=JSONL)
    (tmp_path / "b.jsonl").write_text(JSONL.replace('{"body": "cut', '{"body": "cut"}'))
    assert add(project, "d", [tmp_path / "b.jsonl"], OPTIONS).added == 1
    assert waiting(project) == [("b.jsonl", 3), ("b.jsonl", 4)]


def test_files_that_were_told_different_things_are_each_read_as_they_were(tmp_path: Path):
    project = project_of(tmp_path, a_csv=CSV)
    other = tmp_path / "t.csv"
    other.write_text("who;when;what\nuser;1;hi\nagent;2;ho;\nuser;3;so\n")
    add(project, "d", [other], ReadOptions(input="what", delimiter=";"))
    path = sheet_of(project)
    change(path, ("2,two", "2,two,z"), ("agent;2;ho;", "agent;2;ho"))
    result = mend(project, "d", path)
    assert result.fixed == 2
    assert {r.row for r in open_dataset(project, "d").rows()} >= {
        Example(input={"what": "ho"}).row,
        Example(input={"body": "two"}, target="z").row,
    }
    assert ("t.csv", 3) not in waiting(project)


def test_a_thread_is_mended_whole(tmp_path: Path):
    project = Project(tmp_path)
    lines = [{"t": 1, "n": 1, "who": "user", "text": "a"}, {"t": 1, "n": 1, "who": "agent", "text": "b"}]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(x) + "\n" for x in [*lines, {**lines[0], "t": 2}]))
    add(project, "d", [tmp_path / "t.jsonl"], ReadOptions(thread="t", order="n", role="who"))
    assert waiting(project) == [("t.jsonl", 1), ("t.jsonl", 2)]
    path = sheet_of(project)
    change(path, (json.dumps(lines[1]), json.dumps({**lines[1], "n": 2})))
    assert mend(project, "d", path).added == 1
    assert waiting(project) == []
    assert why(project, "d", "t.jsonl:1").row == why(project, "d", "t.jsonl:2").row


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no set-aside line"),
        ('{"body": "x"}\n', "no set-aside line"),
        ("#@ b.jsonl\nx\n", "names no FILE:LINE"),
        ("#@ b.jsonl:2\nx\n#@ b.jsonl:2  again\ny\n", "stands here twice"),
        ("#@ b.jsonl:99\nx\n", "b.jsonl:99"),
        ("#@ c.jsonl:2\nx\n", "c.jsonl:2"),
    ],
)
def test_what_is_no_sheet_of_this_dataset_is_refused(tmp_path: Path, text: str, says: str):
    project = project_of(tmp_path, b_jsonl=JSONL)
    (tmp_path / "m.txt").write_text(text)
    with pytest.raises(InputError) as problem:
        mend(project, "d", tmp_path / "m.txt")
    assert says in str(problem.value)
    assert problem.value.remedy
    assert len(versions(project, "d")) == 1


@pytest.mark.parametrize("data", [None, b"\xff\xfe\x00", b"#@ b.jsonl:2\n\xff"])
def test_a_sheet_that_cannot_be_read_is_refused(tmp_path: Path, data: bytes | None):
    project = project_of(tmp_path, b_jsonl=JSONL)
    if data is not None:
        (tmp_path / "m.txt").write_bytes(data)
    with pytest.raises(SluiceError) as problem:
        mend(project, "d", tmp_path / "m.txt")
    assert problem.value.exit_code == 2


raws = st.lists(
    st.text(st.sampled_from(["#", "@", "|", "=", " ", "a", ":", "1", '"', "{", "é"]), max_size=8).map(lambda t: "{" + t)
    | st.sampled_from(["#@ b.jsonl:1  x", "#| a,b", "#= x", "#"]),
    min_size=1,
    max_size=5,
)


@settings(max_examples=12, deadline=None)
@given(raws)
def test_a_sheet_gives_back_what_was_written(broken: list[str]):
    with tempfile.TemporaryDirectory() as folder:
        text = '{"body": "one", "label": "x"}\n' + "".join(line + "\n" for line in broken)
        project = project_of(Path(folder), b_jsonl=text)
        path = sheet_of(project)
        found = read_sheet(path.read_text(encoding="utf-8"), "m")
        assert found == {w.place: w.line.raw for w in still_waiting(open_dataset(project, "d"))}
        assert not mend(project, "d", path).changed


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=6))
def test_whatever_is_mended_the_dataset_is_that_of_a_sound_file(lines: list[tuple[bool, bool]]):
    """(broken, mended) a line: all mended, content and places are those of the file that was never broken."""
    sound = [{"body": f"row {i}", "label": "x", "id": i} for i in range(len(lines))]
    written = [json.dumps(r)[:-1] if broken else json.dumps(r) for r, (broken, _) in zip(sound, lines, strict=True)]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        extra = json.dumps({"body": "last", "label": "x"})
        project = project_of(Path(folder), b_jsonl="\n".join([*written, extra]) + "\n")
        whole = [json.dumps(r) for r, (broken, mended) in zip(sound, lines, strict=True) if mended or not broken]
        if any(broken for broken, _ in lines):
            path = sheet_of(project)
            change(
                path, *((w, w + "}") for w, (broken, mended) in zip(written, lines, strict=True) if broken and mended)
            )
            mend(project, "d", path)
        twin = project_of(Path(other), b_jsonl="\n".join([*whole, extra]) + "\n")
        assert open_dataset(project, "d").hash == open_dataset(twin, "d").hash
        assert waiting(project) == [("b.jsonl", i + 1) for i, (b, m) in enumerate(lines) if b and not m]
        places = {p["line"] for found in metadata_by_row(open_dataset(project, "d")).values() for p in found}
        assert places == {i + 1 for i, (b, m) in enumerate(lines) if m or not b} | {len(lines) + 1}


def test_content_that_is_gone_comes_back_out_of_files_and_sheet(tmp_path: Path):
    project = project_of(tmp_path, b_jsonl=JSONL)
    path = sheet_of(project)
    change(path, ('{"body": "cut', '{"body": "cut"}'))
    mend(project, "d", path)
    whole = open_dataset(project, "d").rows()
    shutil.rmtree(project.data)
    with pytest.raises(InputError) as problem:
        add(project, "d", [tmp_path / "b.jsonl"], OPTIONS)
    assert (problem.value.remedy or "").endswith("then sluice add d --fix mend.txt")
    assert mend(project, "d", path).brought_back == ("d@2",)
    assert open_dataset(project, "d").rows() == whole


def test_the_verbs_lead_from_one_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text(CSV)
    assert run(["add", "d", "a.csv", "--input", "body"]) == 0
    assert run(["show", "d", "--set-aside", "--out", "m.txt"]) == 0
    assert "sluice add d --fix m.txt" in capsys.readouterr().out
    assert run(["add", "d", "--fix", "m.txt", "a.csv"]) == 2
    assert run(["add", "d", "--fix", "m.txt", "--input", "body"]) == 2
    assert run(["add", "d"]) == 2
    assert run(["show", "d", "--out", "m.txt"]) == 2
    (tmp_path / "m.txt").write_text((tmp_path / "m.txt").read_text().replace("\n2,two\n", "\n2,two,z\n"))
    assert run(["show", "d", "--set-aside", "--out", "m.txt"]) == 2, "a sheet that was worked on is not overwritten"
    capsys.readouterr()
    assert run(["add", "d", "--fix", "m.txt", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["result"]["fixed"] == 1
