"""The report of an audit: verdict, rows, history and drift are those of the data; nothing personal, nothing twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluice.cli.app import run
from sluice.core.project import Project
from sluice.core.rows import AnyRow, Example, chat_row
from sluice.curate.adding.add import add
from sluice.curate.audit_dataset import Audit, Seen, audit_dataset, audit_files
from sluice.curate.comparing.distributions import Lengths
from sluice.curate.dataset import open_dataset
from sluice.curate.deduplicate import deduplicate
from sluice.curate.filter import filter_rows
from sluice.curate.formats import ReadOptions
from sluice.curate.operation import Outcome, commit
from sluice.curate.report.build import FIRST_ROWS, SAMPLES, build_report
from sluice.curate.report.model import Report
from sluice.curate.report.nearest import nearest
from sluice.curate.report.page import audit_page
from sluice.curate.report.texts import LONG, SHORT, beside, page_row, shown_field, shown_text
from sluice.curate.splits.parts import split_dataset

OPTIONS = ReadOptions(input="body", target="label")


def report_of(audit: Callable[[Callable[[Seen], None]], Audit], **how: Any) -> Report:
    """Return the report of an audit that is given what to call with what it saw."""
    seen: list[Seen] = []
    found = audit(seen.append)
    return build_report(found, seen[0], **how)


def test_the_report_of_files_says_what_was_read_and_what_was_not(tmp_path: Path, lines: Callable[..., Path]):
    rows = [{"body": f"message {i} of a.b{i}@example.com", "label": "yn"[i % 2]} for i in range(30)]
    file = lines(tmp_path / "a.jsonl", *rows, {"body": "message x", "label": " "}, '{"body": "c.d@example.com')
    report = report_of(lambda seen: audit_files([file], OPTIONS, seen=seen))
    assert (report.worst, report.rows, report.set_aside) == ("fail", 31, 1)
    assert "1 of 31" in report.verdict
    assert "1 line" in report.reason
    assert report.files[0].rows == 31
    personal = next(check for check in report.checks if check.name == "personal")
    assert personal.count == 30
    assert len(personal.rows) == FIRST_ROWS
    assert "Luhn" in personal.threshold
    assert len(report.samples) == SAMPLES
    page = audit_page(report)
    assert not re.search(r"[\w.]+@example\.com", page + report.model_dump_json()), "masked everywhere"
    assert "a***@e***.com" in page


def test_checks_stand_in_order_of_what_they_ask_of_the_reader(tmp_path: Path, lines: Callable[..., Path]):
    rows = [{"body": f"message {i}", "label": "yn"[i % 2]} for i in range(20)]
    file = lines(tmp_path / "a.jsonl", *rows, {"body": "call a.b@example.com", "label": " "})
    report = report_of(lambda seen: audit_files([file], OPTIONS, seen=seen))
    words = ["fail" if c.status == "found" and c.severity == "fail" else c.status for c in report.checks]
    assert words == sorted(words, key=["fail", "found", "absent", "ok"].index)
    assert {"fail", "found", "absent", "ok"} == set(words)


def test_the_report_of_a_part_has_its_history_and_is_held_against_its_sisters(
    project: Project, lines: Callable[..., Path]
):
    more = [{"body": f"another thing {i * 7919} entirely, {i * 104729}", "label": "y"} for i in range(30)]
    more.append({"body": more[0]["body"].upper(), "label": "y"})
    add(project, "d", [lines(project.root / "more.jsonl", *more)], OPTIONS)
    add(project, "d", [lines(project.root / "mail.jsonl", {"body": "write a.b@example.com", "label": "n"})], OPTIONS)
    deduplicate(project, "d")
    split_dataset(project, "d", eval=10, dev=5)
    filter_rows(project, "d/train", ["personal"])
    report = report_of(lambda seen: audit_dataset(project, "d/train", seen=seen))
    assert [step.verb for step in report.history] == ["add", "add", "add", "dedup", "split", "filter"]
    assert report.history[0].read == ("d.jsonl",)
    assert report.history[-1].reasons == (("personal", 1),)
    assert report.history[-1].rows_in - report.history[-1].rows_out == 1
    assert [drift.a for drift in report.drift] == ["d/train@1", "d/dev@1", "d/eval@1"]
    against = {line.name: line for line in report.drift[0].comparisons}
    assert against["rows"].word == "differs"
    assert against["labels"].word == "same"
    assert "rows" not in {line.name for line in report.drift[1].comparisons}, "parts have other sizes by design"
    assert {d.name for d in report.distributions} >= {"input", "answer", "labels", "sources"}


def test_the_same_rows_give_the_same_page(project: Project):
    split_dataset(project, "d", eval=10, dev=5)
    pages = {audit_page(report_of(lambda seen: audit_dataset(project, "d/train", seen=seen))) for _ in range(2)}
    assert len(pages) == 1


def test_lengths_are_in_tokens_with_a_tokenizer_and_each_row_is_counted_once(project: Project):
    asked: list[str] = []

    def count(row: AnyRow) -> int:
        asked.append(row.row)
        return 7

    report = report_of(
        lambda seen: audit_dataset(project, "d", count_tokens=count, max_tokens=9, seen=seen),
        text_tokens=lambda texts: [3] * len(texts),
    )
    lengths = {d.name: d for d in report.distributions if isinstance(d, Lengths)}
    assert lengths["rendered"] == Lengths(name="rendered", unit="tokens", counts={7: 60}, limit=9)
    assert {lengths[name].unit for name in ("input", "answer")} == {"tokens"}
    assert len(asked) == 60
    assert "The limit is 9" in audit_page(report)


def test_every_text_of_a_row_is_escaped_on_the_page(tmp_path: Path, lines: Callable[..., Path]):
    ugly = "<script>alert('x')</script> \u202e \u0000 {{ 1 + 1 }}"
    rows = [{"body": f"{ugly} {i}", "label": ugly, ugly: ugly} for i in range(12)]
    file = lines(tmp_path / "<b>.jsonl", *rows)
    page = audit_page(report_of(lambda seen: audit_files([file], OPTIONS, seen=seen)))
    assert "<script" not in page
    assert "<b>.jsonl" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page
    assert "\x00" not in page
    assert "\\x00" in page
    assert "{{ 1 + 1 }}" in page
    assert not re.search(r'(?:src|href)="(?!data:)(?!#)', page)
    assert "url(http" not in page


def test_no_half_of_an_address_is_left_by_the_cut():
    text = "x" * (SHORT - 5) + " anna.lang@example.com and more"
    field = shown_field("body", text)
    assert "anna" not in field.text
    assert len(field.text) <= SHORT
    assert field.cut > 0
    assert shown_field("body", "y" * SHORT).cut == 0
    far = "z" * (10 * LONG)
    assert shown_field("body", far, LONG).cut == len(far) - LONG


def test_half_a_surrogate_pair_can_be_shown():
    assert shown_text("a\ud800b").encode("utf-8").decode() == "a\\ud800b"


def test_chats_are_shown_turn_by_turn_and_differences_are_marked():
    def chat(said: str, answer: str) -> Example:
        return chat_row([{"role": "user", "content": said}, {"role": "assistant", "content": answer}])

    one, two = (
        page_row(chat("Where is my red lamp now?", "On its way")),
        page_row(chat("Where is my blue lamp now?", "On its way")),
    )
    assert [(f.name, f.answer) for f in one.fields] == [("user", False), ("target", True)]
    marked = beside(one, two).fields
    assert [text for text, other in marked[0].marked if other] == ["blue"]
    assert not marked[1].marked
    unlike = beside(one, page_row(chat("entirely something else", "no")))
    assert not any(f.marked for f in unlike.fields), "where nearly all differs, marks say nothing"


def test_nearest_counts_rows_by_their_most_similar_other_row():
    def ask(text: str) -> Example:
        return Example(input={"text": text}, target="a")

    words = "the parcel with the kettle has not come to our house in Leeds since Monday of last week"
    rows = [ask(words), ask(words.upper()), ask(f"{words} please"), ask("something quite different about a lamp")]
    found = nearest(rows)
    assert found is not None
    assert dict(found.bins)["1.00"] == 2
    assert sum(n for _, n in found.bins) == 3
    assert found.alone == 1
    assert nearest(rows[:1]) is None


@pytest.mark.parametrize("ending", ["html", "json"])
def test_the_verb_writes_nothing_but_the_report(
    tmp_path: Path, lines: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: Any, ending: str
):
    monkeypatch.chdir(tmp_path)
    lines(tmp_path / "a.jsonl", *({"body": f"message {i}", "label": "yn"[i % 2]} for i in range(12)))
    words = ["audit", "a.jsonl", "--input", "body", "--target", "label"]
    assert run([*words, "--json"]) == 0
    before = json.loads(capsys.readouterr().out)["result"]
    assert run([*words, "--json", "--out", f"r.{ending}"]) == 0
    assert json.loads(capsys.readouterr().out)["result"] == before, "--json says the same with and without"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.jsonl", f"r.{ending}"]
    text = (tmp_path / f"r.{ending}").read_text(encoding="utf-8")
    if ending == "json":
        assert json.loads(text)["schema"] == "sluice/report/1"
        assert json.loads(text)["rows"] == 12
    else:
        assert text.startswith("<!doctype html>")
    assert run([*words, "--out", "r.html", "--fail-on", "fail"]) == 0


@pytest.mark.parametrize(
    ("out", "remedy"), [("r.pdf", "--out r.html"), (".", "html"), ("no/r.html", "folder"), ("r", "--out r.html")]
)
def test_a_place_that_cannot_be_written_is_said_before_the_work(
    tmp_path: Path, lines: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: Any, out: str, remedy: str
):
    monkeypatch.chdir(tmp_path)
    lines(tmp_path / "a.jsonl", {"body": "x", "label": "y"})
    assert run(["audit", "a.jsonl", "--input", "body", "--target", "label", "--out", out]) == 2
    said = capsys.readouterr()
    assert remedy in said.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl"]
    assert said.out == ""


def test_a_page_stays_small_where_nearly_all_is_wrong(tmp_path: Path, lines: Callable[..., Path]):
    fields = {f"field {i}": "call a.b@example.com <<>> " * 60 for i in range(15)}
    rows = [{"body": "x" * 2_000, **fields, "n": i % 40, "label": "y" if i < 110 else " "} for i in range(150)]
    file = lines(tmp_path / "a.jsonl", *rows)
    columns = ReadOptions(input=",".join(["body", *fields, "n"]), target="label")
    report = report_of(lambda seen: audit_files([file], columns, seen=seen))
    assert sum(check.status == "found" for check in report.checks) > 3
    assert len(audit_page(report).encode()) < 2_000_000


def test_a_file_that_is_read_is_never_written_over(
    tmp_path: Path, lines: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.html").symlink_to(lines(tmp_path / "a.json", {"body": "x", "label": "y"}))
    before = (tmp_path / "a.json").read_bytes()
    flags = ["--input", "body", "--target", "label", "--format", "jsonl", "--out"]
    for words in (["audit", "a.json", *flags, "./a.json"], ["diff", "a.json", "a.json", *flags, "link.html"]):
        assert run(words) == 2
        assert "is read" in capsys.readouterr().err
    assert (tmp_path / "a.json").read_bytes() == before


def test_rows_of_every_kind_and_no_rows_at_all_have_a_page(
    project: Project, tmp_path: Path, lines: Callable[..., Path]
):
    chat = {"messages": [{"role": "user", "content": "Hi <b>"}, {"role": "assistant", "content": "Hello"}]}
    pair = {"prompt": "Say hi", "chosen": "Hi there", "rejected": "No"}
    judged = {"prompt": "Say hi", "completion": "Hi", "label": True}
    for name, record in (("chat", chat), ("pair", pair), ("judged", judged), ("text", {"text": "Once upon a time"})):
        file = lines(tmp_path / f"{name}.jsonl", record, record)
        shape = ReadOptions(shape="text") if name == "text" else ReadOptions()
        page = audit_page(report_of(lambda seen, file=file, shape=shape: audit_files([file], shape, seen=seen)))
        assert page.count("Rows drawn at random") == 1
    rows = open_dataset(project, "d").frame()
    commit(
        project,
        lambda: Outcome(
            verb="filter",
            parameters={},
            parents=(open_dataset(project, "d").parent,),
            contents={"d": rows.head(0)},
            rows_in=rows.height,
        ),
    )
    empty = report_of(lambda seen: audit_dataset(project, "d", seen=seen))
    assert empty.verdict == "There are no rows."
    assert "There are no rows." in audit_page(empty)
