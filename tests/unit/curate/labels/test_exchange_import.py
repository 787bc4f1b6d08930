"""Labels from other tools: each word finds its row or is named with its line, and the same file twice adds nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.formats.records import ReadOptions
from sluice.curate.labels.exchange import EXCHANGES
from sluice.curate.labels.exchange.exporting import export_labels
from sluice.curate.labels.exchange.importing import ImportResult, import_labels
from sluice.curate.labels.exchange.word import Task
from sluice.curate.labels.items import items_of
from sluice.curate.labels.log import read_log
from sluice.curate.labels.overview import overview
from sluice.curate.labels.question import ask
from sluice.curate.labels.session import Item
from sluice.curate.labels.settle import settle

Q = ask("classify", labels=("billing", "shipping", "other"), written="")
MANY = ask("classify", labels=("billing", "shipping", "other"), many=True, written="")
GRADE = ask("grade", written="")


@pytest.fixture
def project(tmp_path) -> Project:
    file = tmp_path / "t.jsonl"
    file.write_text("".join(json.dumps({"body": f"message {n}", "target": f"answer {n}"}) + "\n" for n in range(5)))
    found = Project(tmp_path)
    add(found, "t", [file], ReadOptions(input="body", target="target"))
    return found


def bring(project: Project, name: str, content: Any, question=Q, **options) -> ImportResult:
    file = project.root / name
    lines = isinstance(content, list) and name.endswith("jsonl")
    text = "".join(json.dumps(one) + "\n" for one in content) if lines else content
    file.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return import_labels(project, "t", file, question, **options)


def said(project: Project, question=Q) -> dict[tuple[str, str], object]:
    shown = {i.row: i.texts[0][1] for i in items_of(open_dataset(project, "t"), question.mode, "target")}
    return {(shown[j.row], j.by): j.value for j in read_log(project).last_words(question=question.hash).values()}


STUDIO = [
    {
        "id": 1,
        "data": {"body": "message 0"},
        "annotations": [
            {
                "id": 1001,
                "completed_by": 10,
                "result": [
                    {
                        "id": "Dx_aB91ISN",
                        "from_name": "topic",
                        "to_name": "text",
                        "type": "choices",
                        "value": {"choices": ["billing"]},
                    }
                ],
                "was_cancelled": False,
                "lead_time": 4.288,
                "created_at": "2021-03-09T22:16:08.728353Z",
            },
            {"completed_by": {"id": 3, "email": "ben@example.org"}, "result": [], "was_cancelled": True},
        ],
        "predictions": [{"model_version": "m", "result": [{"type": "choices", "value": {"choices": ["other"]}}]}],
    },
    {"id": 2, "data": {"body": "message 1"}, "annotations": []},
]


def test_label_studio_keeps_who_when_and_how_long(project):
    result = bring(project, "project-1.json", STUDIO, names={"10": "ana"})
    assert (result.format, result.new, result.skipped, result.set_aside) == ("label-studio", 1, 2, ())
    (word,) = read_log(project).judgements(question=Q.hash)
    assert (word.by, word.value, word.time, word.seconds) == ("ana", "billing", "2021-03-09T22:16:08.728353Z", 4.288)


def test_a_file_of_two_questions_has_to_be_told_which(project):
    tasks = json.loads(json.dumps(STUDIO))
    other = {"from_name": "mood", "type": "choices", "value": {"choices": ["other"]}}
    tasks[0]["annotations"][0]["result"].append(other)
    with pytest.raises(UsageError, match="topic, mood"):
        bring(project, "x.json", tasks)
    bring(project, "x.json", tasks, answer="mood")
    assert said(project) == {("message 0", "10"): "other"}


def test_pairwise_is_a_side_and_a_tie_stands_beside_it(project):
    question = ask("compare", written="")
    tasks = [
        {
            "data": {"body": f"message {n}", "sluice_sides": ["run-1", "run-2"]},
            "annotations": [
                {"completed_by": 1, "result": [{"from_name": "pw", "type": "pairwise", "value": {"selected": side}}]}
            ],
        }
        for n, side in enumerate(("left", "right", "none"))
    ]
    result = bring(project, "x.json", tasks, question)
    assert said(project, question) == {("message 0", "1"): "a", ("message 1", "1"): "b"}
    assert "'none' is neither left nor right" in result.set_aside[0].reason
    assert read_log(project).judgements()[0].shown.sides == ("run-1", "run-2")


def test_argilla_nested_and_flat(project):
    nested = [
        {
            "id": "a",
            "fields": {"body": "message 0"},
            "metadata": {},
            "suggestions": {"label": {"value": "other", "score": 0.9, "agent": "m"}},
            "responses": {"label": [{"value": "billing", "user_id": "u-1"}, {"value": "other", "user_id": "u-2"}]},
            "vectors": {},
            "_server_id": "x",
        }
    ]
    result = bring(project, "x.json", nested, names={"u-1": "ana"})
    assert result.format == "argilla"
    assert said(project) == {("message 0", "ana"): "billing", ("message 0", "u-2"): "other"}
    flat = {
        "id": "b",
        "body": "message 1",
        "label.responses": ["billing", "other"],
        "label.responses.users": ["u-1", "u-2"],
        "label.responses.status": ["submitted", "discarded"],
        "label.suggestion": None,
        "_server_id": "y",
    }
    result = bring(project, "y.jsonl", [flat], names={"u-1": "ana"})
    assert (result.format, result.new, result.skipped) == ("argilla", 1, 1)
    assert said(project)[("message 1", "ana")] == "billing"


def test_prodigy_choice_binary_and_ignored(project):
    options = [{"id": label, "text": label} for label in Q.labels]
    who = {"_annotator_id": "d-ana", "_session_id": "d-ana", "_timestamp": 1707211049}
    lines = [
        {"text": "message 0", "options": options, "accept": ["billing"], "answer": "accept", **who},
        {"text": "message 1", "options": options, "accept": [], "answer": "ignore", **who},
        {"text": "message 2", "label": "shipping", "answer": "accept", **who},
        {"text": "message 3", "label": "shipping", "answer": "reject", **who},
        {"text": "message 4", "options": options, "accept": ["billing", "other"], "answer": "accept", **who},
    ]
    result = bring(project, "x.jsonl", lines)
    assert (result.format, result.new, result.skipped) == ("prodigy", 2, 1)
    assert said(project) == {("message 0", "d-ana"): "billing", ("message 2", "d-ana"): "shipping"}
    assert [a.line for a in result.set_aside] == [4, 5]
    assert read_log(project).judgements()[0].time == "2024-02-06T09:17:29.000000Z"


def test_a_review_takes_the_verdict_of_prodigy(project):
    question = ask("review", written="")
    lines = [
        {"text": f"message {n}", "label": "x", "answer": a, "_annotator_id": "ana"}
        for n, a in enumerate(("accept", "reject"))
    ]
    bring(project, "x.jsonl", lines, question)
    assert sorted(said(project, question).values()) == ["accept", "reject"]


def test_doccano_names_nobody(project):
    lines = [
        {"id": 1, "text": "message 0", "label": ["billing"], "Comments": ["unsure", "twice?"]},
        {"id": 2, "text": "message 1", "label": [], "Comments": []},
        {"id": 3, "data": "message 2", "label": ["shipping", "other"]},
    ]
    with pytest.raises(InputError, match=r"admin.jsonl:1.*--by"):
        bring(project, "admin.jsonl", lines, MANY)
    assert read_log(project).records == ()
    result = bring(project, "admin.jsonl", lines, MANY, by="admin")
    assert (result.format, result.new, result.skipped) == ("doccano", 2, 1)
    assert said(project, MANY) == {("message 0", "admin"): ("billing",), ("message 2", "admin"): ("shipping", "other")}
    assert read_log(project).judgements()[0].comment == "unsure\ntwice?"


def test_inspect_scores(project):
    rows = items_of(open_dataset(project, "t"), "grade", "target")
    values = ["C", "I", 0.5, True, "Q"]
    lines = [
        {"id": r.row, "value": v, "explanation": "why", "metadata": {"by": "ana"}}
        for r, v in zip(rows, values, strict=True)
    ]
    result = bring(project, "x.jsonl", lines, GRADE)
    assert result.format == "inspect"
    assert [said(project, GRADE)[(f"message {n}", "ana")] for n in range(4)] == ["right", "wrong", "partly", "right"]
    assert result.unknown_labels == {"Q": 1}


def test_csv_takes_several_labels_however_they_are_apart(project):
    text = (
        "body,label,annotator,comment,updated_at,lead_time\n"
        'message 0,"billing; other",ana,hm,2024-01-02T03:04:05Z,2.5\n'
        'message 1,"[""other""]",ana,,,\n'
        'message 2,"{""choices"":[""billing"",""other""]}",ana,,,\n'
        "message 3,,,,,\n"
    )
    result = bring(project, "x.csv", text, MANY)
    assert (result.format, result.new, result.skipped) == ("csv", 3, 1)
    assert said(project, MANY)[("message 0", "ana")] == ("billing", "other")
    assert said(project, MANY)[("message 2", "ana")] == ("billing", "other")
    first = min(read_log(project).judgements(), key=lambda j: j.time)
    assert (first.time, first.seconds, first.comment) == ("2024-01-02T03:04:05.000000Z", 2.5, "hm")


def test_options_by_number_and_json_min(project):
    options = [{"id": 1, "text": "billing"}, {"id": -1, "text": "other"}]
    task = {"text": "message 0", "options": options, "accept": [-1], "answer": "accept", "_annotator_id": "ana"}
    bring(project, "x.jsonl", [task])
    least = [{"id": 1, "annotation_id": 9, "annotator": 4, "body": "message 1", "topic": "shipping", "lead_time": 3.5}]
    bring(project, "min.json", least, answer="topic")
    assert said(project) == {("message 0", "ana"): "other", ("message 1", "4"): "shipping"}


def test_numbers_are_labels_and_ratings_as_a_spreadsheet_has_them(project):
    numbers = ask("classify", labels=("1", "2", "true"), written="")
    lines = [{"body": f"message {n}", "label": v, "by": "ana"} for n, v in enumerate((1, 2.0, True))]
    bring(project, "x.jsonl", lines, numbers)
    assert sorted(map(str, said(project, numbers).values())) == ["1", "2", "true"]
    rating = ask("rate", written="")
    bring(project, "y.jsonl", [{"body": "message 0", "label": 4.0, "by": "ana"}], rating)
    assert list(said(project, rating).values()) == [4]


def test_names_of_fields_are_such_that_other_tools_take_them(project):
    item = Item("t", "0" * 64, "1" * 64, (("0.user", "hi"), ("0 user", "ho"), ("Titre", "x")))
    for name in ("label-studio", "argilla"):
        text = b"".join(EXCHANGES.get(name).write(Path("x"), [Task(item)], Q)).decode()
        held = json.loads(text)[0]
        fields = held["data"] if name == "label-studio" else held["fields"]
        assert {k: v for k, v in fields.items() if k != "sluice_row"} == {"0_user": "hi", "0_user_": "ho", "titre": "x"}


def test_twice_is_once(project):
    assert bring(project, "x.json", STUDIO).new == 1
    before = read_log(project).records
    again = bring(project, "x.json", STUDIO)
    assert (again.new, again.known) == (0, 1)
    assert read_log(project).records == before


def test_a_word_without_a_time_does_not_come_back_after_a_change_of_mind(project):
    bring(project, "x.csv", "body,label,by\nmessage 0,billing,ana\n")
    bring(project, "y.csv", "body,label,by\nmessage 0,other,ana\n")
    assert bring(project, "x.csv", "body,label,by\nmessage 0,billing,ana\n").new == 0
    assert said(project) == {("message 0", "ana"): "other"}


def test_what_cannot_be_taken_is_named_by_line_and_strict_takes_nothing(project):
    text = "body,label,by\nmessage 0,billing,ana\nMESSAGE  1,other,ana\nmessage 2,spam,ana\nmessage 2,SPAM,ben\n"
    with pytest.raises(InputError, match="3 words cannot be taken"):
        bring(project, "x.csv", text, strict=True)
    assert read_log(project).records == ()
    result = bring(project, "x.csv", text)
    assert [a.line for a in result.set_aside] == [3, 4, 5]
    assert result.unknown_labels == {"spam": 1, "SPAM": 1}
    assert "exactly" in result.set_aside[0].reason
    assert bring(project, "x.csv", text, loosely=True).new == 1


def test_nothing_that_fits_is_an_error_that_names_the_labels(project):
    with pytest.raises(InputError, match="'spam'"):
        bring(project, "x.csv", "body,label,by\nmessage 0,spam,ana\n")


def test_a_dry_run_writes_nothing(project):
    assert bring(project, "x.json", STUDIO, dry_run=True).new == 1
    assert read_log(project).records == ()


@pytest.mark.parametrize("name", EXCHANGES.names())
def test_out_and_into_another_copy_settles_alike(name, project, tmp_path_factory):
    bring(project, "a.csv", "body,label,by\n" + "".join(f"message {n},billing,ana\n" for n in range(4)))
    people = ("ana",) if name == "inspect" else ("ana", "ben")
    if "ben" in people:
        bring(project, "b.csv", "body,label,by,comment\nmessage 0,billing,ben,sure\nmessage 1,other,ben,\n")
    out = project.root / ("out.csv" if name == "csv" else "out.json")
    written = export_labels(project, "t", out, Q, format=name)
    assert written.people == people
    assert import_labels(project, "t", out, Q).new == 0  # all of it stands here already
    other = Project(tmp_path_factory.mktemp("copy"))
    file = other.root / "t.jsonl"
    file.write_bytes((project.root / "t.jsonl").read_bytes())
    add(other, "t", [file], ReadOptions(input="body", target="target"))
    assert import_labels(other, "t", out, Q).new == written.words
    assert said(other) == said(project)
    assert (
        overview(other, "t", question=Q).questions[0].counts == overview(project, "t", question=Q).questions[0].counts
    )


def test_settled_words_belong_to_nobody_and_the_open_ones_stay(project):
    bring(
        project,
        "a.csv",
        "body,label,by\nmessage 0,billing,ana\nmessage 0,billing,ben\nmessage 1,other,ana\nmessage 1,billing,ben\n",
    )
    for name in EXCHANGES.names():
        out = project.root / f"{name}{'.csv' if name == 'csv' else '.json'}"
        result = export_labels(project, "t", out, Q, format=name, what="settled")
        assert (result.words, result.people, result.left_out) == (1, (), {"not settled": 1})
        with pytest.raises(InputError, match="--by"):
            import_labels(project, "t", out, Q)
        assert import_labels(project, "t", out, Q, by=f"all {name}").new == 1
    words = list(read_log(project).last_words(question=Q.hash).values())
    assert {w.value for w in settle(words, "majority").values()} >= {"billing"}


def test_tasks_are_the_rows_that_nobody_decided(project):
    bring(project, "a.csv", "body,label,by\nmessage 0,billing,ana\n")
    out = Path(project.root / "tasks.json")
    result = export_labels(project, "t", out, Q, format="label-studio", what="tasks")
    assert (result.rows, result.words) == (4, 0)
    assert [task["data"]["body"] for task in json.loads(out.read_text())] == [f"message {n}" for n in range(1, 5)]
    assert "billing" in result.setup


def test_what_a_format_cannot_hold_is_said(project):
    bring(
        project,
        "a.csv",
        "body,label,by,time,cannot_tell\nmessage 0,billing,ana,2024-01-01T00:00:00Z,\nmessage 1,,ana,,yes\n",
    )
    out = project.root / "x.json"
    assert export_labels(project, "t", out, Q, format="argilla").lost == ("time",)
    left = export_labels(project, "t", out, Q, format="inspect", replace=True)
    assert (left.words, sum(left.left_out.values())) == (1, 1)
    with pytest.raises(UsageError, match="not tasks"):
        export_labels(project, "t", out, Q, format="inspect", what="tasks", replace=True)
    with pytest.raises(UsageError, match="no place for write"):
        export_labels(project, "t", out, ask("write", written=""), format="inspect")
    bring(project, "b.csv", "body,label,by\nmessage 0,billing,ben\n")
    with pytest.raises(UsageError, match="one score a sample"):
        export_labels(project, "t", out, Q, format="inspect", replace=True)
