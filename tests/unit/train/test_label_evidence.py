"""What the gate reads of labels: words on its rows' inputs, under today's task, on questions whose answers compare."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.curate.labels.choose import written_task
from sluice.curate.labels.log import append_record, keep_question, read_log
from sluice.curate.labels.question import Question, ask
from sluice.curate.labels.record import ADJUDICATION, Judgement, Shown, new_id, now
from sluice.train.label_evidence import collect_labels
from sluice.train.rules.advice import label_agreement

ROWS = tuple(Example(input={"input": f"request {n}"}, target="ab"[n % 2]) for n in range(40))


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


def topics(project: Project, **changes: str) -> Question:
    return ask("classify", labels=("a", "b"), written=changes.get("written", written_task(project)))


def tell(project: Project, question: Question, row: Example, by: str, value: str, queue: str = "order") -> None:
    keep_question(project, question, read_log(project), by=by)
    append_record(
        project,
        Judgement(
            id=new_id(),
            time=now(),
            by=by,
            seconds=1,
            mode=question.mode,
            question=question.hash,
            field=question.field,
            dataset="t",
            row=row.row,
            input=row.input_hash,
            value=value,
            shown=Shown(session="s", place=1, queue=queue),
        ),
    )


def alike(project: Project, question: Question, rows: tuple[Example, ...] = ROWS, *, wrong: int = 0) -> None:
    """Two people say the target of each row; the second another value of the first few."""
    for n, row in enumerate(rows):
        tell(project, question, row, "ana", row.target or "")
        tell(project, question, row, "ben", "ab"[row.target == "a"] if n < wrong else row.target or "")


def test_two_people_who_agree_hold_and_two_who_do_not_are_told(project, good):
    assert collect_labels(project, ROWS, None) == ()
    alike(project, topics(project), wrong=20)
    found = collect_labels(project, ROWS, None)
    assert (found[0].people, found[0].judged, found[0].of) == (2, 40, 40)
    assert label_agreement(replace(good, labels=found)).status == "advice"
    alike(project, topics(project))  # they talk, and say it anew
    assert label_agreement(replace(good, labels=collect_labels(project, ROWS, None))).status == "ok"


def test_a_word_stays_with_its_input_when_the_label_becomes_the_target(project):
    alike(project, topics(project))
    after = tuple(row.model_copy(update={"target": "b"}) for row in ROWS)
    assert collect_labels(project, after, None)[0].judged == 40


def test_what_was_said_of_other_rows_or_under_another_task_shows_nothing(project):
    alike(project, topics(project), tuple(Example(input={"input": f"other {n}"}, target="a") for n in range(4)))
    alike(project, topics(project, written="0" * 64), ROWS[:4])
    alike(project, ask("write", written=written_task(project)), ROWS[:4])
    assert collect_labels(project, ROWS, None) == ()


def test_a_third_persons_word_makes_no_second_annotator(project):
    question = topics(project)
    for row in ROWS[:10]:
        tell(project, question, row, "ana", "a")
        tell(project, question, row, "zoe", "a", queue=ADJUDICATION)
    (found,) = collect_labels(project, ROWS, None)
    assert (found.people, found.measure.value) == (1, None)
