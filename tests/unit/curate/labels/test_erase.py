"""Forgetting rows and people takes what was decided of them out of decisions/, texts and hashes alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.formats.records import ReadOptions
from sluice.curate.labels.apply import apply_labels
from sluice.curate.labels.log import append_record, keep_question, read_log
from sluice.curate.labels.question import Question, ask
from sluice.curate.labels.record import Judgement, Shown, Skip, Undo, new_id, now
from sluice.curate.labels.say import say
from sluice.train.forget import forget

REASON = "asked for on 1 May"
TOPICS = ask("classify", labels=("billing", "shipping"), written="w")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    lines = [{"body": f"parcel number {n} is late", "target": "billing"} for n in range(4)]
    lines += [{"body": "please call Wilhelmina Quist back", "target": "billing"}]
    lines += [{"body": lines[0]["body"], "target": "shipping"}]
    file = tmp_path / "t.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = Project(tmp_path)
    add(found, "t", [file], ReadOptions(input="body", target="target"))
    file.unlink()
    return found


def rows(project: Project) -> list:
    return open_dataset(project, "t").rows()


def decisions(project: Project) -> str:
    return "".join(file.read_text() for file in sorted(project.decisions.glob("*.jsonl")))


def label(project: Project, row: str, value: str, by: str, question: Question = TOPICS, **more: str) -> None:
    say(project, "t", row[:12], value, question, by=by, **more)


def test_a_row_takes_its_labels_along_and_those_of_rows_with_its_input(project):
    first, other, twin = rows(project)[0], rows(project)[1], rows(project)[5]
    assert first.input_hash == twin.input_hash
    grades = ask("grade", written="w")
    for row in (first, twin, other):
        label(project, row.row, "wrong", "ana", grades)
    label(project, first.row, "shipping", "ben")
    label(project, other.row, "shipping", "ben")
    forget(project, "t", rows=[first.row[:12]], reason=REASON)
    left = decisions(project)
    for word in (first.row, twin.row, first.input_hash):
        assert word not in left
    assert [j.row for j in read_log(project).judgements()] == [other.row] * 2
    assert len(read_log(project).questions()) == 2, "what was asked stays, so that other answers can be read"


def test_forgetting_a_labelled_row_takes_the_row_that_it_was_before(project):
    person = rows(project)[4]
    label(project, person.row, "shipping", "ana")
    apply_labels(project, "t", TOPICS)
    after = next(row for row in rows(project) if row.input_hash == person.input_hash)
    assert after.row != person.row
    forget(project, "t", rows=[after.row[:12]], reason=REASON)
    assert person.input_hash not in decisions(project)
    for file in project.root.rglob("*.parquet"):
        import polars as pl

        assert "Quist" not in str(pl.read_parquet(file).to_dicts()), file


def test_a_person_leaves_texts_of_decisions_that_stay(project):
    """In an edited answer, a suggestion and a remark about a row that does not name the person."""
    row = rows(project)[1]
    label(project, row.row, "we wrote to Wilhelmina Quist", "ana", ask("correct", written="w"))
    label(project, row.row, "billing", "ben", comment="ask Wilhelmina Quist")
    spoken = Judgement(
        id=new_id(),
        time=now(),
        by="cem",
        seconds=1,
        mode="review",
        question="0" * 16,
        field="target",
        dataset="t",
        row=row.row,
        input=row.input_hash,
        value="accept",
        shown=Shown(session="s", place=1, queue="order", suggestion="Wilhelmina Quist", suggested_by="run-1"),
    )
    append_record(project, spoken)
    told = forget(project, "t", people=["Wilhelmina Quist"], reason=REASON, dry_run=True)
    assert (told.decisions, "Quist" in decisions(project)) == (3, True)
    done = forget(project, "t", people=["Wilhelmina Quist"], reason=REASON)
    assert (done.decisions, "Quist" in decisions(project)) == (3, False)
    assert len(read_log(project).judgements()) == 3


def test_a_person_who_stands_in_decisions_alone_is_forgotten_too(project):
    label(project, rows(project)[1].row, "billing", "ben", comment="ask Balthasar Oyelaran")
    done = forget(project, "t", people=["Balthasar Oyelaran"], reason=REASON)
    assert (done.changed, done.rows, done.decisions) == (True, 0, 1)
    assert "Oyelaran" not in decisions(project)


def test_what_was_taken_back_or_skipped_goes_as_well(project):
    row = rows(project)[2]
    keep_question(project, TOPICS, read_log(project), by="ana")
    label(project, row.row, "billing", "ana")
    (said,) = read_log(project).judgements()
    append_record(project, Undo(id=new_id(), time=now(), by="ana", row=row.row, of=said.id))
    skip = Skip(id=new_id(), time=now(), by="ana", question=TOPICS.hash, row=row.row, subject=row.input_hash)
    append_record(project, skip)
    forget(project, "t", rows=[row.row[:12]], reason=REASON)
    assert len(read_log(project).records) == 1
    assert row.input_hash not in decisions(project)
