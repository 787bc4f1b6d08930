"""`decontaminate` against anything: what it drops, what it says of it, and what it refuses."""

from __future__ import annotations

import json

import pytest

from sluice.core.errors import BadPath, InputError, UsageError
from sluice.core.evalset import read_set
from sluice.curate.dataset import open_dataset
from sluice.curate.drops import dropped_rows
from sluice.curate.formats import ReadOptions
from sluice.curate.leaks.decontaminate import decontaminate
from sluice.curate.restore import restore
from sluice.curate.similar.shared_words import shared_words
from sluice.curate.splits.parts import split_dataset
from sluice.curate.why import why
from tests.unit.curate.conftest import message
from tests.unit.curate.splits.test_parts import add_lines, rows_of
from tests.unit.curate.test_dropping import freeze

LONG = "The refund is paid back to the card that was used, within five working days of our receiving the parcel."


@pytest.fixture
def bench(project, lines):
    """Return a file of eval rows from elsewhere: two copies of rows of `d`, and one of its own."""
    rows = open_dataset(project, "d").examples()
    records = [{"question": f"{rows[n].input['body'].upper()} ?", "answer": "y"} for n in (3, 4)]
    return lines(project.root / "bench.jsonl", *records, {"question": "wholly unlike all of them", "answer": "n"})


def test_any_file_of_rows_without_a_split(project, bench):
    done = decontaminate(project, "d", against=[str(bench)], options=ReadOptions(input="question", target="answer"))
    rows = open_dataset(project, "d@1").examples()
    assert (done.dropped, done.rows, done.counts) == (2, 58, {"equal": 2})
    assert done.against == ("bench.jsonl",)
    assert [one.where for one in done.lost] == ["bench.jsonl:1", "bench.jsonl:2"]
    assert {leak.row.row for leak in done.first_dropped} == {rows[3].row, rows[4].row}
    leak = done.first_dropped[0]
    assert leak.row_text == rows[3].input["body"]
    assert [leak.eval_text[a:b].lower() for a, b in leak.eval_shared] == [
        leak.row_text[a:b].lower() for a, b in leak.row_shared
    ]
    story = why(project, "d", rows[3].row[:10])
    assert any("leak-equal" in event.what and "bench.jsonl:1" in event.what for event in story.events)
    recorded = open_dataset(project, "d").operation.parameters
    assert recorded["against"] == ["bench.jsonl"]
    assert len(recorded["files"]["bench.jsonl"]) == 64
    assert restore(project, "d", reason="leak-equal").restored == 2


def test_a_document_by_its_paragraphs_and_by_the_rows_that_stand_in_it(project, lines):
    rows = open_dataset(project, "d").examples()
    add_lines(
        project,
        lines,
        "d",
        {"body": f"{message(61)} as I read somewhere: {LONG} Is that so? {message(62)}", "label": "y"},
    )
    exam = project.root / "docs" / "exam.md"
    exam.parent.mkdir()
    exam.write_text(
        f"# Exam\n\n{LONG}\n\n- {rows[7].input['body']}\n- {message(64)}\n- {message(65)}\n", encoding="utf-8"
    )
    dry = decontaminate(project, "d", against=[str(exam.parent / "*.md")], dry_run=True)
    assert (dry.dropped, dry.counts, dry.changed) == (2, {"document": 1, "contained": 1}, False)
    assert {one.where for one in dry.lost} == {"docs/exam.md:3", "docs/exam.md"}
    assert open_dataset(project, "d").number == 2
    assert decontaminate(project, "d", against=[str(exam)]).dropped == 2
    assert {d.reason for d in dropped_rows(open_dataset(project, "d"))} == {"leak-document", "leak-contained"}


def test_train_is_held_against_dev_too_and_any_dataset_can_be_named(project, lines):
    split_dataset(project, "d", eval=12, dev=6)
    dev = open_dataset(project, "d/dev").examples()
    add_lines(project, lines, "d/train", {"body": dev[0].input["body"] + "!", "label": "x"})
    done = decontaminate(project, "d/train")
    assert done.dropped == 1
    assert any(name.startswith("d/dev@") for name in done.against)
    add_lines(
        project, lines, "other", {"body": message(20), "label": "q"}, {"body": message(90), "label": "q"}, name="o"
    )
    before = rows_of(project, "train")
    found = decontaminate(project, "d/train", against=["other"], dry_run=True)
    assert found.dropped == (message(20) in {r.input["body"] for r in open_dataset(project, "d/train").examples()})
    assert rows_of(project, "train") == before


def test_answers_alone_and_labels_that_are_none(project, lines):
    bench = lines(
        project.root / "bench.jsonl",
        {"question": "How long does a refund take at this shop of yours?", "answer": LONG},
        {"question": "What of my lamp, which I sent back a week ago?", "answer": "y"},
        *(
            {"question": f"{message(80 + n)}?", "answer": LONG.replace("refund", "money") + " Thank you."}
            for n in range(2)
        ),
    )
    add_lines(project, lines, "d", {"body": "something else altogether, with an answer", "label": f"Yes. {LONG}"})
    options = ReadOptions(input="question", target="answer")
    assert decontaminate(project, "d", against=[str(bench)], options=options, dry_run=True).dropped == 0
    done = decontaminate(project, "d", against=[str(bench)], options=options, answers=True)
    assert (done.dropped, done.counts) == (1, {"answer": 1})
    assert (done.sides.answer, done.sides.question, done.sides.both) == (1, 0, 0)
    assert (done.asked.answers_too_short, done.asked.answers_shared) == (1, 2)
    assert done.first_dropped[0].eval_text == LONG


def test_a_structured_answer_is_a_label(project, lines):
    label = {"category": "account", "product": "toaster", "order": None, "urgency": "low", "refund": False, "by": "x"}
    add_lines(project, lines, "d", {"body": message(70), "label": label})
    bench = lines(project.root / "bench.jsonl", {"input": message(71), "target": label})
    done = decontaminate(project, "d", against=[str(bench)], ngrams=8, answers=True)
    assert (done.dropped, done.asked.answers_shared) == (0, 1)


def test_ngrams_find_what_the_relation_passes_over_and_a_dear_eval_row_is_told(project, lines):
    shared = " ".join(f"word{n}" for n in range(14))
    some = [{"body": f"{message(60 + n)} {shared}", "label": "y"} for n in range(4)]
    add_lines(project, lines, "d", *some)
    bench = lines(
        project.root / "bench.jsonl",
        {"input": f"{message(95)} {message(94)} {shared}", "target": LONG},
        {"input": "hi", "target": "y"},
    )
    assert decontaminate(project, "d", against=[str(bench)], dry_run=True).dropped == 0
    done = decontaminate(project, "d", against=[str(bench)], ngrams=13, dry_run=True)
    assert (done.dropped, done.asked.too_short_for_ngrams) == (4, 1)
    assert done.lost[0].too_many
    assert any("takes 4 rows, 6.2% of all" in told for told in done.warnings)
    assert done.first_dropped[0].span == shared
    assert decontaminate(project, "d", against=[str(bench)], ngrams=13, ngram_share=0.7, dry_run=True).dropped == 0
    assert not decontaminate(project, "d", against=[str(bench)], ngrams=13).dry_run
    assert json.dumps(open_dataset(project, "d").operation.parameters["ngrams"]) == "13"


def test_eval_rows_in_documents_are_named_for_a_person(project):
    split_dataset(project, "d", eval=12, dev=6)
    row = open_dataset(project, "d/eval").examples()[0]
    (project.root / "documents").mkdir()
    (project.root / "documents" / "faq.txt").write_text(f"Asked often: {row.input['body']}\n", encoding="utf-8")
    other = project.root / "kb.md"
    other.write_text(f"> {row.input['body']}\n", encoding="utf-8")
    done = decontaminate(project, "d/train", in_documents=["kb.md"])
    assert {(t.text, t.eval_row) for t in done.texts} == {("documents/faq.txt", row.row), ("kb.md", row.row)}
    assert done.dropped == 0
    assert set(done.texts_read) == {"documents/faq.txt", "kb.md"}


@pytest.mark.parametrize(
    ("word", "kind", "says"),
    [
        ("gone.jsonl", BadPath, "no such file"),
        ("nothing-*.md", InputError, "no file fits"),
        ("unknown", InputError, "no dataset and no eval set"),
        ("empty.jsonl", InputError, "empty"),
        ("empty.md", InputError, "empty"),
        ("blank.txt", InputError, "empty"),
        ("folder", InputError, "folder"),
        ("d@9", InputError, "no version 9"),
    ],
)
def test_a_reference_without_rows_is_a_refusal(project, word, kind, says):
    for name, text in (("empty.jsonl", ""), ("empty.md", ""), ("blank.txt", " \n\n")):
        (project.root / name).write_text(text)
    (project.root / "folder").mkdir()
    with pytest.raises(kind, match=says) as problem:
        decontaminate(project, "d", against=[word])
    assert problem.value.remedy
    assert open_dataset(project, "d").number == 1


def test_a_frozen_set_is_named_by_its_name_or_its_folder(project, lines):
    split_dataset(project, "d", eval=12, dev=6)
    freeze(project, "d/eval")
    folder = next(project.evals.iterdir())
    row = open_dataset(project, "d/eval").examples()[0]
    add_lines(project, lines, "other", {"body": row.input["body"].upper(), "label": "q"}, {"body": "b c", "label": "q"})
    for word in (read_set(folder).name, folder.name):
        assert decontaminate(project, "other", against=[word], dry_run=True).dropped == 1
    with pytest.raises(UsageError, match="itself"):
        decontaminate(project, "other", against=["other"])


def test_wishes_that_make_no_sense_are_refused_before_anything_is_read(project):
    for wish in ({"ngrams": 3}, {"ngram_share": 0.5}, {"ngrams": 8, "ngram_share": 2.0}):
        with pytest.raises(UsageError):
            decontaminate(project, "d", against=["gone.jsonl"], **wish)


def test_shared_words_are_marked_in_both_texts():
    a, b = "Well, ORDER my blue parcel, now", "please order my Blue parcel again and order"
    left, right = shared_words(a, b)
    assert [a[i:j] for i, j in left] == ["ORDER my blue parcel,"]
    assert [b[i:j] for i, j in right] == ["order my Blue parcel"]
    assert shared_words("one two", "three") == ((), ())
