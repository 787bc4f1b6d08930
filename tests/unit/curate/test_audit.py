"""The quality report: worst finding, absent checks, figures, and the rows that `filter --failing` would drop."""

from __future__ import annotations

import json
import time

import pytest

from sluice.core.errors import InputError, UsageError
from sluice.core.rows import AnyRow, Example, Text
from sluice.curate.audit import AuditReport, audit_rows, failing_rows
from sluice.curate.checks import CHECKS, CheckContext


def ask(text: str, target: str | None = "x") -> Example:
    return Example(input={"text": text}, target=target)


def healthy(n: int = 20) -> list[AnyRow]:
    return [ask(f"{number_word(i)} message", "ab"[i % 2]) for i in range(n)]


def number_word(i: int) -> str:
    """Return words that no other number has, so that no two messages are near-equal."""
    return " ".join(f"{i * factor % 9973:x}" for factor in (7919, 5003, 3571))


def test_a_healthy_set_is_ok_and_says_what_was_not_looked_at():
    report = audit_rows(CheckContext(healthy()))
    assert report.worst == "ok"
    assert {"schema", "overlong", "dev-in-train", "leak", "drift", "near-pairs", "gopher"} <= {
        a.name for a in report.absent
    }
    assert {c.name for c in report.checks} == set(CHECKS.names())
    assert report.kinds == {"example": 20}
    assert report.figures["labels"] == {"a": 10, "b": 10}
    assert report.figures["inputs"] == 20
    assert report.figures["input_characters"]["max"] == max(len(number_word(i)) for i in range(20)) + 8


def test_the_worst_finding_counts():
    warned = audit_rows(CheckContext([*healthy(), ask("write to a.b@example.com", "a")]))
    assert warned.worst == "warn"
    failed = audit_rows(CheckContext([*healthy(), ask("write to a.b@example.com", " ")]))
    assert failed.worst == "fail"
    assert failed.check("empty").fails
    assert not failed.check("personal").fails


def test_no_rows_are_a_failure_with_every_check_absent():
    report = audit_rows(CheckContext([]))
    assert report.worst == "fail"
    assert len(report.absent) == len(report.checks) == len(CHECKS.names())


def test_named_checks_only_and_a_wrong_name_is_answered_with_the_near_one():
    report = audit_rows(CheckContext(healthy()), ["empty", "conflict", "empty"])
    assert {c.name for c in report.checks} == {"empty", "conflict"}
    with pytest.raises(InputError, match="emtpy") as caught:
        audit_rows(CheckContext(healthy()), ["emtpy"])
    assert "'empty'" in str(caught.value.remedy)
    with pytest.raises(UsageError):
        report.check("schema")


def test_failing_rows_gives_each_row_its_reasons_once():
    blank, twice = ask(" "), ask("mail a.b@example.com", " ")
    rows = [*healthy(), blank, twice, blank]
    reasons = failing_rows(audit_rows(CheckContext(rows)), ["empty", "personal"])
    assert set(reasons) == {blank.row, twice.row}
    assert reasons[blank.row] == "empty: blank input"
    assert reasons[twice.row].startswith("empty: blank target; personal: email a***@e***.com")


def test_failing_rows_of_a_conflict_are_all_of_its_rows():
    rows = [*healthy(), ask("open?", "yes"), ask("Open", "no")]
    assert set(failing_rows(audit_rows(CheckContext(rows)), ["conflict"])) == {row.row for row in rows[-2:]}


def test_failing_rows_refuses_what_was_not_looked_at_and_what_names_no_rows():
    report = audit_rows(CheckContext([ask(f"message {i}", "same") for i in range(20)]))
    with pytest.raises(InputError, match="no eval set"):
        failing_rows(report, ["leak"])
    with pytest.raises(UsageError, match="whole"):
        failing_rows(report, ["balance"])
    with pytest.raises(InputError, match="nosuch"):
        failing_rows(report, ["nosuch"])
    assert failing_rows(report, ["empty"]) == {}


def test_a_report_is_json_and_comes_back_equal():
    rows: list[AnyRow] = [
        *healthy(),
        ask("", "a"),
        ask("open?", "yes"),
        ask("open?", "no"),
        Text(input={"text": "prose"}),
    ]
    report = audit_rows(CheckContext(rows, eval_rows=[ask("message number 3")]))
    assert AuditReport.model_validate_json(report.model_dump_json()) == report
    assert json.loads(report.model_dump_json())["worst"] == "fail"


def test_progress_is_told_to_the_end():
    told: list[tuple[str, int, int]] = []
    context = CheckContext(
        healthy(),
        count_tokens=lambda row: 3,
        max_tokens=9,
        eval_rows=healthy(2),
        progress=lambda *step: told.append(step),
    )
    audit_rows(context)
    assert told[-1][1] == told[-1][2] > 0
    assert any(what == "counting tokens" for what, _, _ in told)


def test_fourteen_thousand_rows_take_seconds():
    schema = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    rows = [ask(f"please look at order A-{i} that came on day {i % 31}", f'{{"n":{i}}}') for i in range(14_000)]
    start = time.process_time()
    report = audit_rows(CheckContext(rows, schema=schema, count_tokens=lambda row: 9, max_tokens=10))
    assert report.worst == "ok"
    assert time.process_time() - start < 6  # 2 s on an idle machine
