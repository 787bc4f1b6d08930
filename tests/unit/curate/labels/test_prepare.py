"""What a sitting asks about: slices, shares, gold rows and proposals over a real project; and what of it is a label."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.formats import ReadOptions
from sluice.curate.labels.apply import apply_labels
from sluice.curate.labels.choose import find_question
from sluice.curate.labels.gold import gold_accuracies
from sluice.curate.labels.log import append_record, keep_question, read_log
from sluice.curate.labels.overview import overview
from sluice.curate.labels.prepare import Plan, prepare
from sluice.curate.labels.question import Question, ask
from sluice.curate.labels.record import Judgement
from sluice.curate.labels.session import Item, Session

ASKED = ask("classify", labels=("y", "n"), written="w")
RULE = 'def label(row):\n    """Kettles are y."""\n    return "y" if "kettle" in row.input["body"] else None\n'


def items(project: Project, by: str = "ana", asked: Question = ASKED, **wished: Any) -> list[Item]:
    version = open_dataset(project, "d")
    return list(prepare(version, asked, read_log(project), Plan(**wished), by=by).items)


def sit(
    project: Project,
    answer: Callable[[Item], object],
    *,
    by: str = "ana",
    most: int = 999,
    asked: Question = ASKED,
    **w: Any,
) -> Session:
    """Let a person answer so many rows as the screen would ask them."""
    log = read_log(project)
    keep_question(project, asked, log, by=by)
    found = items(project, by, asked, **w)
    queue = w.get("queue", "random")
    session = Session(asked, found, by=by, write=lambda r: append_record(project, r), log=log, queue=queue)
    for _ in range(most):
        if session.current is None:
            break
        session.decide(answer(session.current))
    return session


@pytest.fixture
def known(project: Project, lines: Callable[..., Path]) -> Project:
    """The project `d` and a dataset `known` of eight rows with answers."""
    records = [{"body": f"a known case, number {n} of eight", "label": "yn"[n % 2]} for n in range(8)]
    add(project, "known", [lines(project.root / "k.jsonl", *records)], ReadOptions(input="body", target="label"))
    return project


def rule(project: Project, text: str = RULE, name: str = "kettles") -> None:
    (project.root / "labels").mkdir(exist_ok=True)
    (project.root / "labels" / f"{name}.py").write_text(text)


def test_a_slice_is_a_value_of_a_column_or_a_condition(project):
    whole = {item.row for item in items(project)}
    one = {item.row for item in items(project, slice="customer=C3")}
    assert len(one) == 3
    assert one == {item.row for item in items(project, slice="customer = 'C3'")}
    rest = {item.row for item in items(project, slice="customer <> 'C3'")}
    assert (one | rest, one & rest) == (whole, set())
    for odd in ("customer=C99", "nothing=1", "customer +"):
        with pytest.raises(InputError):
            items(project, slice=odd)


def test_rows_are_dealt_once_and_each_person_finds_their_own_again(project):
    with pytest.raises(UsageError, match="how many"):
        items(project, people=("ana", "ben"))
    mine = {item.row for item in items(project, people=("ana", "ben", "cem"), overlap=2)}
    theirs = {item.row for who in ("ben", "cem") for item in items(project, who)}
    assert len(mine) == 40
    assert len(theirs) == 60
    sit(project, lambda _: "y", most=15)
    assert {item.row for item in items(project)} == mine
    with pytest.raises(InputError, match="dan has none"):
        items(project, "dan")
    sit(project, lambda _: "n", by="ben")
    assert items(project, "dan", queue="adjudicate"), "a third person needs no share"


def test_gold_rows_are_one_in_ten_at_drawn_places_and_look_like_the_others(known):
    found = items(known, gold="known")
    at = [place for place, item in enumerate(found) if item.gold]
    assert len(at) == 7, "60 rows, one in each nine; the eighth finds no stretch"
    assert all(9 * n <= place - n <= 9 * n + 9 for n, place in enumerate(at))
    assert len({b - a for a, b in pairwise(at)}) > 1, "not at every tenth place"
    assert {(len(item.texts), item.answers, item.suggestion, item.beside) for item in found} == {(1, (), None, ())}
    assert at != [place for place, item in enumerate(items(known, "ben", gold="known")) if item.gold]


def test_what_is_said_of_gold_rows_measures_people_and_is_no_label(known):
    right = {item.row: item.known for item in items(known, gold="known") if item.gold}
    sit(known, lambda item: right.get(item.row, "y"), gold="known")
    sit(known, lambda _: "y", by="ben", gold="known")
    log = read_log(known)
    said = [j for j in log.judgements() if j.gold]
    assert len([j for j in said if j.by == "ana"]) == 7
    everybody, ana, ben = gold_accuracies(log, ASKED)
    assert (ana.right, ana.judged, everybody.judged) == (7, 7, 14)
    theirs = [j.shown.known == "y" for j in said if j.by == "ben" and j.shown]
    assert (ben.right, ben.judged) == (sum(theirs), 7)
    assert not {j.subject for j in said} & {j.subject for j in log.last_words().values()}
    (asked,) = overview(known, "d").questions
    assert (asked.decided, asked.gold[1].annotator) == (60, "ana")
    assert not overview(known, "known").questions, "nobody labelled that dataset"
    assert apply_labels(known, "known", ASKED).changed is False
    more = items(known, gold="known")
    assert [item.gold for item in more].count(True) == 7, "what was decided can be looked at"


def test_gold_rows_of_a_table_are_rows_of_the_dataset_itself_and_then_no_labels_either(project):
    rows = [item.row for item in items(project, queue="order")]
    table = project.root / "gold.csv"
    table.write_text("row,label\n" + "".join(f"{row[:10]},n\n" for row in rows[:4]))
    found = items(project, gold=str(table))
    assert {item.row for item in found if item.gold} == set(rows[:4])
    assert len(found) == 60
    sit(project, lambda _: "n", gold=str(table))
    assert apply_labels(project, "d", ASKED, dry_run=True).without == 4
    for bad in ("row,label\nffffffffff,n\n", f"row,label\n{rows[0][:10]},maybe\n", "row,answer\n1,2\n", "row,label\n"):
        table.write_text(bad)
        with pytest.raises(InputError):
            items(project, gold=str(table))


def test_other_modes_have_their_gold_in_a_column(project, lines):
    records = [{"body": f"case {n}", "label": "y", "gold": n % 5 + 1} for n in range(5)]
    add(project, "rated", [lines(project.root / "r.jsonl", *records)], ReadOptions(input="body", target="label"))
    rate = ask("rate", written="w")
    found = items(project, asked=rate, gold="rated")
    assert sorted(str(item.known) for item in found if item.gold) == ["1", "2", "3", "4", "5"]
    with pytest.raises(UsageError, match="right or wrong"):
        items(project, asked=ask("correct", written="w"), gold="rated")
    with pytest.raises(InputError, match="no row of d has a known answer"):
        items(project, asked=rate, gold="d")


@pytest.mark.parametrize("share", [0, -1, 0.6, 1])
def test_a_share_that_is_none_is_refused(known, share):
    with pytest.raises(UsageError, match="cannot be gold"):
        items(known, gold="known", gold_share=share)


def test_no_proposal_becomes_a_label_before_a_person_says_so(project):
    rule(project)
    found = items(project, suggest="rules")
    proposed = {item.row for item in found if item.suggestion}
    assert len(proposed) == 5
    assert read_log(project).records == (), "proposing writes nothing"
    with pytest.raises(InputError, match="nothing was labelled"):
        find_question(read_log(project))
    keep_question(project, ASKED, read_log(project), by="ana")
    assert apply_labels(project, "d", ASKED).without == 60
    assert open_dataset(project, "d").number == 1
    sit(project, lambda item: "n", most=60, suggest="rules")
    done = apply_labels(project, "d", ASKED)
    assert done.same + done.labelled == 60
    assert {row.target for row in open_dataset(project, "d").examples()} == {"n"}, "the person's word, not the rule's"


def test_what_was_proposed_by_whom_and_whether_it_was_seen_is_in_the_record(known):
    rule(known)
    sit(known, lambda _: "y", suggest="rules")
    sit(known, lambda _: "y", by="ben", suggest="rules", gold="known")
    sit(known, lambda _: "y", by="cem", suggest="rules", blind=True)
    said = [j for j in read_log(known).judgements() if j.shown and j.shown.suggestion]
    assert {(j.by, j.shown.hidden, j.shown.suggested_by) for j in said if j.shown} == {
        ("ana", False, "rules:kettles"),
        ("ben", True, "rules:kettles"),
        ("cem", True, "rules:kettles"),
    }
    with pytest.raises(UsageError, match="beside gold"):
        items(known, suggest="rules", gold="known", blind=False)


def test_the_words_of_others_are_kept_from_those_who_are_to_decide_by_themselves(project):
    rule(project)
    sit(project, lambda _: "y", by="ben", most=30)
    alone = [item for item in items(project, suggest="model") if item.suggestion]
    assert len(alone) >= 30
    assert not any(item.hidden for item in alone)
    assert all(item.hidden for item in items(project, suggest="model", overlap=2) if item.suggestion)


def test_a_doubted_label_goes_to_review_and_what_a_person_accepts_or_fixes_is_applied(project, lines):
    pytest.importorskip("cleanlab")
    words = ("invoice", "charged", "refund"), ("parcel", "courier", "tracking")
    wrong = (8, 31, 50)
    records = [
        {
            "body": f"the {words[n % 2][n % 3]} and the {words[n % 2][n // 2 % 3]} {n}",
            "label": "yn"[n % 2 ^ (n in wrong)],
        }
        for n in range(80)
    ]
    add(project, "s", [lines(project.root / "s.jsonl", *records)], ReadOptions(input="body", target="label"))
    review = ask("review", labels=("y", "n"), written="w")
    version = open_dataset(project, "s")

    def found() -> list[Item]:
        return list(prepare(version, review, read_log(project), Plan(queue="suspects"), by="ana").items)

    doubted = {int(item.texts[0][1].rpartition(" ")[2]): item for item in found()}
    assert set(doubted) >= {8, 31, 50}
    assert set(list(doubted)[:3]) == {8, 31, 50}
    keep_question(project, review, read_log(project), by="ana")
    session = Session(
        review,
        list(doubted.values()),
        by="ana",
        write=lambda r: append_record(project, r),
        log=read_log(project),
        queue="suspects",
    )
    given = {n: item.answers[0].text for n, item in doubted.items()}
    told = {8: "accept", 31: "reject"}
    for n in list(doubted):
        session.decide(told.get(n, given[n]))  # the others: written in as they were
    last = next(j for j in read_log(project).judgements() if j.row == doubted[8].row)
    assert isinstance(last, Judgement)
    assert last.shown is not None
    assert (last.shown.suggestion, last.shown.suggested_by) == ("yn"["yn".index(given[8]) ^ 1], "suspects")
    assert apply_labels(project, "s", review).labelled == 1
    changed = {row.texts()["body"]: row.target for row in open_dataset(project, "s").examples()}
    assert [changed[records[n]["body"]] == given[n] for n in (8, 31, 50)] == [False, True, True]
    with pytest.raises(UsageError, match="of its own"):
        items(project, asked=review, queue="suspects", suggest="rules")
