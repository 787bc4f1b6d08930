"""What people said becomes targets: agreed, settled by a third person, by the most, or left as it was."""

from __future__ import annotations

import json

import pytest

from sluice.core.errors import UsageError
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.formats.records import ReadOptions
from sluice.curate.labels.apply import apply_labels
from sluice.curate.labels.items import items_of
from sluice.curate.labels.log import append_record, read_log
from sluice.curate.labels.question import Question, ask
from sluice.curate.labels.record import ADJUDICATION, Judgement, Shown, new_id, now
from sluice.curate.labels.settle import settle
from sluice.curate.why import why
from sluice.train.forget import forget

LABELS = ("billing", "shipping", "other")


@pytest.fixture
def project(tmp_path) -> Project:
    file = tmp_path / "t.jsonl"
    lines = [{"body": f"message number {n}", "target": {"category": "other", "urgency": n}} for n in range(4)]
    file.write_text("".join(json.dumps(line) + "\n" for line in [*lines, {"body": "no answer yet", "target": None}]))
    found = Project(tmp_path)
    add(found, "t", [file], ReadOptions(input="body", target="target"))
    return found


def tell(project: Project, question: Question, place: int, by: str, value: object, queue: str | None = None) -> None:
    item = items_of(open_dataset(project, "t"), question.mode, question.field)[place]
    shown = Shown(session="s", place=1, queue=queue) if queue else None
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
            row=item.row,
            input=item.input,
            value=question.check(value),
            shown=shown,
        ),
    )


def targets(project: Project) -> list[object]:
    rows = open_dataset(project, "t").rows()
    return [json.loads(row.target) if isinstance(row, Example) and row.target else None for row in rows]


def test_what_all_said_is_applied_and_what_they_disagree_on_is_not(project):
    question = ask("classify", field="target.category", labels=LABELS, written="w")
    for by in ("ana", "ben"):
        tell(project, question, 0, by, "billing")
    tell(project, question, 1, "ana", "billing")
    tell(project, question, 1, "ben", "shipping")
    tell(project, question, 2, "ana", "other")
    tell(project, question, 3, "ana", None)
    tell(project, question, 4, "ben", "shipping")
    asked = apply_labels(project, "t", question, dry_run=True)
    assert (asked.changed, asked.version) == (False, 1)
    done = apply_labels(project, "t", question)
    counts = (done.labelled, done.same, done.open, done.untold, done.without)
    assert (done.changed, done.version, counts) == (True, 2, (2, 1, 1, 1, 0))
    assert [t and t["category"] for t in targets(project)] == ["billing", "other", "other", "other", "shipping"]  # type: ignore[index]
    assert [t and t.get("urgency") for t in targets(project)] == [0, 1, 2, 3, None]  # type: ignore[attr-defined]
    again = apply_labels(project, "t", question)
    assert (again.changed, again.version, again.same) == (False, 2, 3)


def test_a_third_person_counts_over_the_others_and_the_most_only_when_asked(project):
    question = ask("classify", field="target.category", labels=LABELS, written="w")
    for by, label in (("ana", "billing"), ("ben", "shipping"), ("cem", "shipping")):
        tell(project, question, 0, by, label)
        tell(project, question, 1, by, label)
    tell(project, question, 1, "dia", "billing", ADJUDICATION)
    words = settle(list(read_log(project).last_words().values()))
    assert [w.how for w in words.values()] == ["open", "adjudicated"]
    before = open_dataset(project, "t").rows()[0].row
    done = apply_labels(project, "t", question, rule="majority")
    assert done.how == {"majority": 1, "adjudicated": 1}
    assert [t and t["category"] for t in targets(project)[:2]] == ["shipping", "billing"]  # type: ignore[index]
    assert [place.line for place in why(project, "t", open_dataset(project, "t").rows()[0].row).seen] == [1]
    story = why(project, "t", before)
    assert "majority 0.67: ben, cem (ana: billing)" in " ".join(event.what for event in story.events)


def test_a_tie_is_open_under_every_rule_and_cannot_tell_is_no_vote(project):
    question = ask("classify", labels=LABELS, written="w")
    for by, label in (("ana", "billing"), ("ben", "shipping"), ("cem", None)):
        tell(project, question, 0, by, label)
    for rule in ("agreed", "majority"):
        (word,) = settle(list(read_log(project).last_words().values()), rule).values()
        assert (word.how, word.value, word.people) == ("open", None, ("ana", "ben"))
    with pytest.raises(UsageError, match="no rule"):
        settle([], "coin")


def test_an_edited_answer_becomes_the_target_of_its_row_alone(project):
    question = ask("correct", written="w")
    tell(project, question, 1, "ana", '{"category":"billing","urgency":9}')
    done = apply_labels(project, "t", question)
    assert done.labelled == 1
    assert [t and t["urgency"] for t in targets(project)][:4] == [0, 9, 2, 3]  # type: ignore[index]


def test_grades_are_no_targets(project):
    with pytest.raises(UsageError, match="no targets"):
        apply_labels(project, "t", ask("grade", written="w"))


def schema_project(project: Project) -> None:
    (project.root / "schema.json").write_text(
        json.dumps({"type": "object", "required": ["category", "urgency"], "properties": {"urgency": {"maximum": 5}}})
    )
    (project.root / "sluice.toml").write_text(
        '[task]\nname = "t"\ndata = "t"\ndescription = "d"\nrubric = "rubric.md"\nmetric = "exact"\n'
        'schema = "schema.json"\n[model]\nbase = "m"\n[project]\nid = "6e51719e7f60cfb4"\n'
    )


def test_an_answer_that_breaks_the_schema_is_refused_for_its_row_alone(project):
    schema_project(project)
    question = ask("correct", written="w")
    tell(project, question, 0, "ana", '{"category":"billing","urgency":9}')
    tell(project, question, 1, "ana", "billing")
    tell(project, question, 2, "ana", '{"category":"billing","urgency":2}')
    done = apply_labels(project, "t", question)
    assert (done.labelled, len(done.refused)) == (1, 2)
    assert "9" in done.refused[0].why
    assert "JSON" in done.refused[1].why
    assert [t and t["category"] for t in targets(project)] == ["other", "other", "billing", "other", None]  # type: ignore[index]


def test_a_row_that_cannot_hold_a_field_is_refused_alone_and_so_is_one_that_lacks_the_rest(project):
    schema_project(project)
    question = ask("classify", field="target.category", labels=LABELS, written="w")
    for place in (0, 4):
        tell(project, question, place, "ana", "billing")
    done = apply_labels(project, "t", question)
    assert (done.labelled, [r.value for r in done.refused]) == (1, ["billing"])
    assert "urgency" in done.refused[0].why, "a target of one field alone is no answer yet"


def test_reviewed_suggestions_become_labels_and_rejected_ones_change_nothing(project):
    question = ask("review", field="target.category", labels=("billing", "shipping"), written="w")
    items = items_of(open_dataset(project, "t"), "review", question.field)
    for place, value, suggestion in ((0, "accept", "billing"), (1, "shipping", "billing"), (2, "reject", "billing")):
        saw = Shown(session="s", place=1, queue="order", suggestion=suggestion, suggested_by="run-1")
        item = items[place]
        word = Judgement(
            id=new_id(),
            time=now(),
            by="ana",
            seconds=1,
            mode="review",
            question=question.hash,
            field=question.field,
            dataset="t",
            row=item.row,
            input=item.input,
            value=question.check(value),
            shown=saw,
        )
        append_record(project, word)
    done = apply_labels(project, "t", question)
    assert (done.labelled, done.rejected, done.without) == (2, 1, 2)
    assert [t and t["category"] for t in targets(project)] == ["billing", "shipping", "other", "other", None]  # type: ignore[index]


def test_two_rows_with_one_input_become_one_or_are_named_as_a_conflict(tmp_path):
    file = tmp_path / "t.jsonl"
    lines = [{"body": "the same request", "target": t, "customer": t} for t in ("billing", "shipping")]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = Project(tmp_path)
    add(found, "t", [file], ReadOptions(input="body", target="target"))
    edited = ask("correct", written="w")
    tell(found, edited, 0, "ana", "returns")
    assert apply_labels(found, "t", edited).conflicts == 1
    one = ask("classify", labels=LABELS, written="w")
    tell(found, one, 0, "ana", "other")
    done = apply_labels(found, "t", one)
    assert (done.rows, done.merged, done.conflicts) == (1, 1, 0)
    (row,) = open_dataset(found, "t").rows()
    assert {place.metadata["customer"] for place in why(found, "t", row.row).seen} == {"billing", "shipping"}


def test_words_on_rows_that_are_gone_are_passed_over(project):
    question = ask("classify", field="target.category", labels=LABELS, written="w")
    tell(project, question, 0, "ana", "billing")
    tell(project, question, 1, "ana", "billing")
    gone = open_dataset(project, "t").rows()[0].row
    forget(project, "t", rows=[gone], reason="asked for on 1 May")
    done = apply_labels(project, "t", question)
    assert (done.labelled, done.rows) == (1, 4)
