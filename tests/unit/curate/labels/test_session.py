"""A sitting against a plain model of it, and what a log says after crashes, merges and changes of mind."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.curate.labels.log import Log, append_record, own_file, read_log
from sluice.curate.labels.question import CHOICES, Question, ask
from sluice.curate.labels.record import Judgement, Record, Skip
from sluice.curate.labels.session import LONGEST, Answer, Item, Session

LABELS = ("billing", "shipping", "other")
EMPTY = Log(())


def question(**options: object) -> Question:
    return ask("classify", labels=LABELS, written="w", **options)  # type: ignore[arg-type]


def items(count: int) -> list[Item]:
    return [
        Item(dataset="t", row=f"{n:02d}" * 32, input=f"{n:02d}" * 32, texts=(("body", f"Text {n}"),))
        for n in range(count)
    ]


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def sitting(count: int = 3, log: Log = EMPTY, by: str = "ana", asked: Question | None = None):
    kept: list[Record] = []
    clock = Clock()
    session = Session(asked or question(), items(count), by=by, write=kept.append, log=log, queue="random", clock=clock)
    return session, kept, clock


def test_each_decision_is_a_record_of_what_was_shown_and_how_long_it_took():
    session, kept, clock = sitting()
    clock.seconds = 4.5
    session.decide("shipping", comment="late")
    (record,) = kept
    assert isinstance(record, Judgement)
    assert (record.value, record.seconds, record.comment, record.row) == ("shipping", 4.5, "late", items(1)[0].row)
    assert record.shown is not None
    assert (record.shown.place, record.shown.queue) == (1, "random")
    assert session.current == items(2)[1]


def test_a_value_that_is_no_answer_changes_nothing():
    session, kept, _ = sitting()
    with pytest.raises(InputError, match="billing, shipping, other"):
        session.decide("refund")
    assert kept == []
    assert session.at == 0


def test_what_cannot_be_written_is_not_decided():
    def full(_record: Record) -> None:
        raise OSError("disk full")

    session = Session(question(), items(2), by="ana", write=full, log=EMPTY, queue="random")
    for act in (lambda: session.decide("other"), session.skip):
        with pytest.raises(OSError, match="full"):
            act()
        assert session.at == 0
        assert session.progress.decided == 0
        assert session.progress.skipped == 0


def test_a_skipped_row_comes_back_at_the_end_and_stays_there_for_the_next_sitting():
    session, kept, _ = sitting(3)
    session.skip()
    session.decide("other")
    log = Log(tuple(kept))
    again, _, _ = sitting(3, log)
    assert [again.at, again.progress.skipped] == [2, 1]
    again.decide("other")
    assert again.at == 0
    again.decide("billing")
    assert again.current is None
    assert again.progress.left == 0
    with pytest.raises(UsageError, match="decided"):
        again.decide("other")


def test_undo_takes_the_last_word_back_and_the_one_before_counts_again():
    session, kept, _ = sitting(2)
    session.decide("billing")
    session.go(0)
    session.decide("other")
    session.undo()
    assert session.at == 0
    said = session.decision(0)
    assert said is not None
    assert said.value == "billing"
    assert [j.value for j in Log(tuple(kept)).last_words().values()] == ["billing"]
    session.undo()
    assert session.undo() is None
    assert Log(tuple(kept)).last_words() == {}


def test_the_pace_is_that_of_the_last_decisions_and_a_pause_does_not_ruin_it():
    session, _, clock = sitting(5)
    assert session.progress.seconds_left is None
    for seconds in (2.0, 4.0, 5000.0):
        clock.seconds += seconds
        session.decide("other")
    assert session.progress.pace == 4.0
    assert session.progress.seconds_left == 8.0
    session.undo()
    session.undo()
    clock.seconds += 5000
    session.decide("other")
    assert session.progress.pace == (2.0 + LONGEST) / 2


def test_search_looks_at_all_that_is_shown():
    session, _, _ = sitting(12)
    assert session.find("text 1") == [1, 10, 11]
    assert session.find("0303") == [3]
    assert session.find("") == []
    with pytest.raises(UsageError, match="no row 13"):
        session.go(12)


def test_of_two_sides_the_record_says_where_each_stood():
    asked = ask("compare", written="w")
    item = Item("t", "r" * 64, "i" * 64, (("body", "x"),), (Answer("one", "run:b"), Answer("two", "target")))
    kept: list[Record] = []
    session = Session(asked, [item], by="ana", write=kept.append, log=EMPTY, queue="random")
    session.decide("b")
    (record,) = kept
    assert isinstance(record, Judgement)
    assert record.shown is not None
    assert record.shown.sides[CHOICES.index(str(record.value))] == "target"


Act = st.sampled_from(["decide", "skip", "undo", "back", "go", "again"])


@given(st.lists(st.tuples(Act, st.integers(0, 4)), max_size=40), st.integers(1, 5))
def test_a_sitting_that_is_cut_anywhere_goes_on_as_if_it_had_not_been(acts: list[tuple[str, int]], count: int):
    session, kept, _ = sitting(count)
    said: dict[str, list[str]] = {}
    order: list[str] = []
    for act, number in acts:
        if act == "decide" and session.current:
            row, label = session.current.row, LABELS[number % 3]
            session.decide(label)
            said.setdefault(row, []).append(label)
            order.append(row)
        elif act == "skip" and session.current:
            session.skip()
        elif act == "undo":
            taken = session.undo()
            assert (taken is None) == (not order)
            if taken:
                said[order.pop()].pop()
        elif act == "back":
            session.step(-1)
        elif act == "go":
            session.go(number % count)
        elif act == "again":
            session, more, _ = sitting(count, Log(tuple(kept)))
            more_into(kept, session, more)
    wanted = {row: labels[-1] for row, labels in said.items() if labels}
    assert {row: j.value for row, j in session.words().items()} == wanted
    shuffled = list(kept)
    random.Random(1).shuffle(shuffled)
    log = Log(tuple(sorted([*shuffled, *shuffled[:3]], key=lambda r: (r.time, r.id))))
    assert {row: j.value for (_, row, _), j in log.last_words().items()} == wanted
    fresh, _, _ = sitting(count, log)
    assert fresh.progress.decided == len(wanted)
    assert (fresh.current is None) == (len(wanted) == count)


def more_into(kept: list[Record], session: Session, more: list[Record]) -> None:
    """Let a second sitting write to the log of the first."""
    session._write = kept.append  # type: ignore[attr-defined]
    assert more == []


def test_a_cut_line_and_foreign_kinds_are_passed_over_and_each_writer_has_a_file(tmp_path):
    project = Project(tmp_path)
    session, kept, _ = sitting()
    session.decide("other")
    session.skip()
    for record in kept:
        append_record(project, record)
    other, theirs, _ = sitting(by="ben")
    other.decide("billing")
    append_record(project, theirs[0])
    with open(own_file(project, "ben"), "ab") as file:
        file.write(b'{"kind": "label", "id": "cut')
    (project.decisions / "grades-1.jsonl").write_text('{"kind": "grade", "id": "1"}\n')
    log = read_log(project)
    assert len(log.records) == 3
    assert {(by, j.value) for (_, _, by), j in log.last_words().items()} == {("ana", "other"), ("ben", "billing")}
    assert any(isinstance(r, Skip) for r in log.records)
    assert len(list(project.decisions.glob("labels-*.jsonl"))) == 2


@pytest.mark.parametrize(
    ("mode", "options", "message"),
    [
        ("classify", {}, "which labels"),
        ("classify", {"labels": ("a",)}, "which labels"),
        ("classify", {"labels": ("a", "b", "a")}, "twice"),
        ("classify", {"labels": ("a", "b\n")}, "cannot be a label"),
        ("rate", {"labels": ("a", "b")}, "classify"),
        ("rate", {"scale": (3, 3)}, "no scale"),
        ("grade", {"scale": (1, 5)}, "rate"),
    ],
)
def test_a_question_whose_parts_do_not_fit_is_refused(mode, options, message):
    with pytest.raises(UsageError, match=message):
        ask(mode, written="w", **options)


def test_all_that_could_change_what_an_answer_means_changes_the_name_of_the_question():
    plain = question()
    others = [
        question(field="target.category"),
        question(many=True),
        question(ordered=True),
        ask("classify", labels=LABELS[::-1], written="w"),
        ask("classify", labels=LABELS, written="another rubric"),
        ask("grade", written="w"),
    ]
    assert len({q.hash for q in (plain, *others)}) == 7
    assert plain.hash == question().hash


def test_values_are_kept_in_one_form():
    assert question(many=True).check(["other", "billing", "other"]) == ("billing", "other")
    assert ask("rate", written="w").check("4") == 4
    assert question().check(None) is None
    for wrong in (0, 6, True, 3.0, "x"):
        with pytest.raises(InputError, match="1 to 5"):
            ask("rate", written="w").check(wrong)
    with pytest.raises(InputError, match="empty"):
        ask("write", written="w").check("  ")
