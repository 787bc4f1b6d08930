"""Checks that compare rows with each other: conflict, balance, leak, dev row in train."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from sluice.core.errors import UsageError
from sluice.core.rows import AnyRow, Example, Message, Messages, Preference, Text, Unpaired
from sluice.curate.audit import audit_rows, failing_rows
from sluice.curate.checks import CHECKS, CheckContext, CheckResult
from sluice.curate.checks.balance import few_values, label_values


def ask(text: str, target: str | None) -> Example:
    return Example(input={"text": text}, target=target)


def conflicts(*rows: AnyRow) -> list[int]:
    found = {f.row for f in CHECKS.get("conflict").run(CheckContext(rows)).rows}
    return [i for i, row in enumerate(rows) if row.row in found]


def test_conflict_names_all_rows_of_one_input_with_each_other():
    rows = [ask("Is it open?", "yes"), ask("is it  open", "no"), ask("Is it open!", "yes"), ask("And on Sunday?", "no")]
    result = CHECKS.get("conflict").run(CheckContext(rows))
    assert [f.row for f in result.rows] == [row.row for row in rows[:3]]
    assert set(result.rows[1].related) == {rows[0].row, rows[2].row}
    assert result.rows[0].related == (rows[1].row,)
    assert "and 1 more" in result.rows[1].detail
    assert result.figures["conflicts"] == 1


def test_the_same_answer_in_another_spelling_is_no_conflict():
    assert conflicts(ask("q", '{"a":1,"b":null}'), ask("Q", '{"b": null, "a": 1.0}')) == []
    assert conflicts(ask("q", "not  open"), ask("Q", "not open\n")) == []
    assert conflicts(ask("q", "yes"), ask("q", None)) == []
    assert conflicts(ask("q", '{"a":1}'), ask("Q", '{"a":null}')) == [0, 1]


def test_an_answer_that_follows_the_spelling_of_its_message_is_no_conflict():
    assert conflicts(ask("play Netflix", "Netflix"), ask("play netflix", "netflix")) == []
    assert conflicts(ask("play Netflix", "Netflix"), ask("play Netflix", "netflix")) == [0, 1]
    assert conflicts(ask("play Netflix", "Netflix"), ask("play netflix", "Hulu")) == [0, 1]


@pytest.mark.parametrize("a, b", [("2*3", "2/3"), ("-5 + 3", "5 + 3"), ("a && b", "a || b"), ("?", "!"), ("½", "2")])
def test_questions_that_differ_in_signs_are_two_questions(a: str, b: str):
    assert conflicts(ask(a, "one"), ask(b, "two")) == []


def test_fields_and_turns_stand_apart():
    def chat(*turns: str) -> Messages:
        return Messages(turns=tuple(Message(role="user", content=turn) for turn in turns))

    assert conflicts(
        Example(input={"a": "x", "b": "y"}, target="1"), Example(input={"a": "y", "b": "x"}, target="2")
    ) == []  # fmt: skip
    assert conflicts(Example(input=chat("x", "y"), target="1"), Example(input=chat("x y"), target="2")) == []
    assert conflicts(Example(input=chat("x", "y"), target="1"), Example(input=chat("X", "y"), target="2")) == [0, 1]


def test_judgements_and_preferences_that_contradict_each_other():
    asked = {"q": "open?"}
    good, bad = (Unpaired(input=asked, answer="Yes", good=g) for g in (True, False))
    other = Unpaired(input=asked, answer="No", good=False)
    assert conflicts(good, bad, other) == [0, 1]
    first, back = Preference(input=asked, chosen="A", rejected="B"), Preference(input=asked, chosen="B", rejected="A")
    third = Preference(input=asked, chosen="A", rejected="C")
    assert conflicts(first, back, third) == [0, 1]
    assert conflicts(first, third) == []


def test_blank_inputs_are_no_conflict_of_their_own_and_texts_have_no_answer():
    assert conflicts(ask(" ", "1"), ask("", "2")) == []
    assert CHECKS.get("conflict").run(CheckContext([Text(input={"text": "prose"})])).status == "ok"


def test_ten_thousand_answers_to_one_input_are_named_in_linear_time():
    rows = [ask("hello", f"answer {i}") for i in range(10_000)]
    start = time.perf_counter()
    result = CHECKS.get("conflict").run(CheckContext(rows))
    assert result.count == 10_000
    assert all(0 < len(f.related) <= 20 for f in result.rows)
    assert time.perf_counter() - start < 5


def balance(targets: Sequence[str], stratify: str | None = None) -> CheckResult:
    rows = [ask(f"message {i}", target) for i, target in enumerate(targets)]
    return CHECKS.get("balance").run(CheckContext(rows, stratify=stratify))


def test_balance_warns_of_a_rare_class_below_a_tenth_of_the_mean():
    mean_100 = ["a"] * 150 + ["b"] * 141
    assert balance([*mean_100, *["c"] * 9]).status == "found"
    assert balance([*mean_100, *["c"] * 11]).status == "ok"
    result = balance([*mean_100, *["c"] * 9])
    assert [f.row for f in result.rows] == [None]
    assert result.figures["counts"] == {"a": 150, "b": 141, "c": 9}
    assert not result.droppable


def test_balance_warns_of_a_constant_answer_even_where_targets_are_free_text():
    assert balance(["a"] * 80 + ["b"] * 20).status == "ok"
    assert balance(["a"] * 81 + ["b"] * 19).status == "found"
    assert balance(["a"] * 81 + [f"text {i}" for i in range(19)]).status == "found"
    assert balance(["a"] * 20).status == "found"


def test_balance_without_labels_is_absent_not_ok():
    result = balance([f"a text of its own, {i}" for i in range(100)])
    assert result.status == "absent"
    assert "stratify" in result.missing[0]
    assert balance(['{"a":1}'] * 9, "target.b").missing == ("no row has a label at 'target.b'",)


def test_labels_are_read_at_a_path():
    rows: list[AnyRow] = [
        Example(input={"text": "t", "lang": "de"}, target='{"a":{"b":1.0},"c":null}'),
        Example(input=Messages(turns=(Message(role="user", content="t"),)), target="no json"),
    ]
    beside = {rows[0].row: {"customer": "acme", "target": "x"}}
    assert label_values(rows, "target.a.b") == ["1", None]
    assert label_values(rows, "target.c") == ["null", None]
    assert label_values(rows, "target.c.d") == [None, None]
    assert label_values(rows, "target") == ['{"a":{"b":1.0},"c":null}', "no json"]
    assert label_values(rows, "input.lang") == ["de", None]
    assert label_values(rows, "customer", beside) == ["acme", None]
    assert label_values(rows, "metadata.customer", beside) == ["acme", None]


def test_a_target_is_a_label_where_it_has_few_values():
    assert few_values(["a"] * 5 + ["b"] * 5)
    assert not few_values(["a"] * 5 + ["b"] * 4)
    assert few_values([f"{i % 50}" for i in range(250)])
    assert not few_values([f"{i % 51}" for i in range(2550)])
    assert not few_values([None, None])


EVAL = "My parcel has been on its way for two weeks and the tracking page shows nothing at all"


def test_leak_names_rows_that_repeat_hold_or_share_a_group_with_an_eval_row():
    rows: list[AnyRow] = [
        ask("Why was I charged twice for the same lamp last Friday?", "billing"),
        ask(EVAL.upper() + "!!", "delivery"),
        Example(input={"text": "Summarise this"}, target=f"The customer says: {EVAL}. Nothing more."),
        Text(input={"text": f"From the archive. {EVAL}. It was found later."}),
        ask("The blue kettle leaks at its handle since Monday", "product"),
    ]
    others = [ask(EVAL, "delivery"), ask("Do you ship to Norway, and what does it cost for a small box?", "delivery")]
    context = CheckContext(
        rows, eval_rows=others, groups={rows[4].row: ["customer 7"]}, eval_groups={others[1].row: ["customer 7"]}
    )
    result = CHECKS.get("leak").run(context)
    assert [f.row for f in result.rows] == [row.row for row in rows[1:]]
    assert result.rows[0].related == (others[0].row,)
    assert result.rows[3].related == (others[1].row,)
    assert result.figures == {"rows": 4, "eval_rows": 2, "eval_rows_repeated": 2}
    assert result.severity == "fail"
    assert CHECKS.get("dev-in-train").run(context).status == "absent"


def test_dev_in_train_looks_at_the_dev_part_and_follows_changes():
    rows = [ask("The lamp is broken", "product"), ask("Entirely another thing: invoices", "billing")]
    dev = [ask("the lamp is broken!", "other"), ask("A row about refunds in general", "refund")]
    result = CHECKS.get("dev-in-train").run(CheckContext(rows, dev_rows=dev, edges=[(dev[1].row, rows[1].row)]))
    assert [(f.row, f.related) for f in result.rows] == [(rows[0].row, (dev[0].row,)), (rows[1].row, (dev[1].row,))]
    assert CHECKS.get("leak").run(CheckContext(rows, dev_rows=dev)).status == "absent"


def test_a_check_of_the_whole_set_cannot_say_that_no_row_fails():
    report = audit_rows(CheckContext([ask(f"message {i}", "ab"[i % 2]) for i in range(40)]), ["balance"])
    assert report.check("balance").status == "ok"
    with pytest.raises(UsageError, match="as a whole"):
        failing_rows(report, ["balance"])
