"""The sheet of doubted labels: in rank order, gone through by a person, and taken back with the story kept."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.cli.app import run
from sluice.core.canonical import dump_exact, parse_exact
from sluice.core.errors import InputError
from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.checks.balance import label_values
from sluice.curate.dataset import open_dataset
from sluice.curate.formats import ReadOptions
from sluice.curate.labels.relabel import put, relabel
from sluice.curate.labels.review import read_review
from sluice.curate.metadata import metadata_of
from sluice.curate.restore import restore
from sluice.curate.show import show_failing, write_failing
from sluice.curate.why import why

pytest.importorskip("cleanlab")

WORDS = {
    "billing": ("invoice", "charged", "refund", "card", "payment"),
    "delivery": ("parcel", "courier", "late", "tracking", "address"),
}
SWAPPED = {10, 40, 62, 91, 133, 158, 201, 244, 277}


def record(i: int) -> dict[str, str]:
    right = [*WORDS][i % 2]
    said = WORDS[right]
    text = f"the {said[i % 5]} and the {said[i // 5 % 5]} about my {said[i // 25 % 5]}, number {i}"
    wrong = [*WORDS][(i + 1) % 2]
    return {"text": text, "label": wrong if i in SWAPPED else right, "customer": f"c{i}"}


@pytest.fixture
def project(tmp_path: Path, lines: Callable[..., Path]) -> Project:
    project = Project(tmp_path)
    file = lines(tmp_path / "m.jsonl", *map(record, range(300)))
    add(project, "m", [file], ReadOptions(input="text", target="label"))
    return project


def sheet_of(project: Project, name: str) -> Path:
    file = project.root / name
    write_failing(show_failing(project, "m", "label-errors"), file)
    return file


def go_through(file: Path, change: Callable[[dict[str, str]], dict[str, str] | None]) -> None:
    with file.open(newline="", encoding="utf-8") as opened:
        reader = csv.DictReader(opened)
        names, found = list(reader.fieldnames or ()), [change(line) for line in reader]
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, names)
        writer.writeheader()
        writer.writerows(line for line in found if line is not None)


@pytest.mark.parametrize("name", ["r.csv", "r.tsv", "r.xlsx", "r.jsonl", "r.parquet"])
def test_a_sheet_holds_the_rows_in_rank_order_and_untouched_it_changes_nothing(project: Project, name: str):
    shown = show_failing(project, "m", "label-errors")
    answers = read_review(sheet_of(project, name))
    assert [a.row for a in answers] == [row.row for row in shown.failing]
    assert all(a.given == a.label for a in answers)
    done = relabel(project, "m", project.root / name)
    assert (done.changed, done.confirmed, done.relabelled) == (False, len(answers), 0)


def test_corrected_labels_come_back_as_rows_with_their_columns_and_their_story(project: Project):
    file = sheet_of(project, "review.csv")
    before = metadata_of(open_dataset(project, "m"))
    go_through(file, lambda line: line | {"label": line["suggested"]})
    named = {int(row.input["text"].rpartition(" ")[2]) for row in show_failing(project, "m", "label-errors").failing}
    assert 5 <= len(named) == len(named & SWAPPED)
    planned = relabel(project, "m", file, dry_run=True)
    assert (planned.relabelled, planned.changed) == (len(named), False)
    done = relabel(project, "m", file)
    assert (done.relabelled, done.added, done.rows, done.version) == (len(named), len(named), 300, 2)
    version = open_dataset(project, "m")
    beside = metadata_of(version)
    for row in version.rows():
        i = int(row.texts()["text"].rpartition(" ")[2])
        assert label_values([row], "target") == [[*WORDS][(i + (i in SWAPPED - named)) % 2]]
        assert beside[row.row]["customer"] == f"c{i}"
    for changed in done.first:
        assert beside[changed.new] == before[changed.old]
        events = [event for event in why(project, "m", changed.new).events if event.verb == "relabel"]
        assert changed.old in {event.other.row for event in events if event.other}
    again = relabel(project, "m", file)
    assert (again.changed, again.gone, again.relabelled) == (False, len(named), 0)
    assert restore(project, "m", [done.first[0].old]).changed


def test_a_slip_of_the_pen_is_named_and_what_cannot_be_meant_is_refused_whole(project: Project):
    file = sheet_of(project, "review.csv")
    go_through(file, lambda line: line | {"label": "delvery"} if line["rank"] == "1" else None)
    assert relabel(project, "m", file, dry_run=True).new_labels == {"delvery": 1}
    for change, said in (
        ({"label": " "}, "empty"),
        ({"given": "somewhere else"}, "other labels"),
    ):
        file = project.root / f"{said[:5]}.csv"
        write_failing(show_failing(project, "m", "label-errors"), file)
        go_through(file, lambda line, change=change: line | change if line["rank"] == "2" else line)
        with pytest.raises(InputError, match=said):
            relabel(project, "m", file)
    (project.root / "x.csv").write_text("row,given\na,b\n")
    with pytest.raises(InputError, match="no column label"):
        relabel(project, "m", project.root / "x.csv")
    assert open_dataset(project, "m").number == 1


def test_as_typed(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(project.root)
    assert run(["show", "m", "--failing", "label-errors", "--out", "review.csv"]) == 0
    assert "--fix review.csv" in capsys.readouterr().out
    go_through(project.root / "review.csv", lambda line: line | {"label": line["suggested"]})
    assert run(["show", "m", "--failing", "label-errors", "--out", "review.csv"]) == 2  # it holds a person's work
    capsys.readouterr()
    assert run(["add", "m", "--fix", "review.csv", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["result"]
    assert said["added"] == said["relabelled"] >= 5
    assert said["set_aside"] == 0
    changed = {row["new"] for row in said["first"]}
    assert run(["show", "m", "--failing", "label-errors", "--json"]) == 0
    left = json.loads(capsys.readouterr().out)["result"]["failing"]
    assert not changed & {row["row"] for row in left}  # nobody doubts them any more


KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4).filter(lambda key: "." not in key)
LEAF = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), st.booleans(), st.integers(), st.none())


@given(before=st.dictionaries(KEYS, LEAF, max_size=3), key=KEYS, old=LEAF, new=LEAF, spaced=st.booleans())
def test_a_label_in_a_json_answer_is_put_in_its_place_and_nothing_else_changes(before, key, old, new, spaced):
    value = before | {key: old}
    text = json.dumps(value, ensure_ascii=False) if spaced else dump_exact(value)
    label = new if isinstance(old, str) and isinstance(new, str) else dump_exact(new)
    found = parse_exact(put(text, [key], label))
    assert list(found) == list(value)
    expected = label if isinstance(old, str) else new
    assert found == value | {key: expected}


def test_the_writing_of_an_answer_stays_as_it_was():
    assert put('{"kind": "a", "n": 1.50,\n "x": {"kind2": "a"}}', ["kind"], "b") == (
        '{"kind": "b", "n": 1.50,\n "x": {"kind2": "a"}}'
    )
    assert put("a", [], "b") == "b"
