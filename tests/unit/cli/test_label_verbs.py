"""`label` and `labels` as scripts type them: what is written, what is refused, and the version that comes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice.cli.app import run

LABELS = ("--field", "target", "--labels", "billing,shipping,other")


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> list[str]:
    """The names of six rows of a dataset `t`, all of them labelled `other`."""
    monkeypatch.chdir(tmp_path)
    lines = [{"body": f"message number {n} of a customer", "category": "other"} for n in range(6)]
    Path("t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run(["add", "t", "t.jsonl", "--input", "body", "--target", "category"]) == 0
    capsys.readouterr()
    return [row["row"] for row in said(capsys, 0, "show", "t")["rows"]]


def said(capsys: Any, code: int, *words: str) -> Any:
    assert run([*words, "--json"]) == code, words
    told = json.loads(capsys.readouterr().out)
    return told["error"] if told["result"] is None else told["result"]


def label(capsys: Any, row: str, value: str, by: str, *more: str) -> Any:
    return said(capsys, 0, "label", "t", "--row", row[:10], "--label", value, "--by", by, *more)


def test_from_rows_to_a_version_with_who_said_so(rows, capsys):
    label(capsys, rows[0], "billing", "ana", *LABELS)
    label(capsys, rows[0], "billing", "ben")  # the labels are remembered
    label(capsys, rows[1], "billing", "ana")
    label(capsys, rows[1], "shipping", "ben")
    label(capsys, rows[2], "cannot-tell", "ana")
    (asked,) = said(capsys, 0, "labels", "t")["questions"]
    assert (asked["rows"], asked["decided"], asked["open"], asked["cannot_tell"]) == (6, 3, 1, 1)
    assert asked["counts"] == {"billing": 1}
    assert [(p["by"], p["decided"]) for p in asked["people"]] == [("ana", 3), ("ben", 2)]
    listed = said(capsys, 0, "labels", "t", "--question", "target")["rows"]
    assert [(row["row"], row["how"]) for row in listed] == [
        (rows[1], "open"),
        (rows[0], "agreed"),
        (rows[2], "cannot tell"),
    ]
    assert not said(capsys, 0, "labels", "t", "--apply", "--dry-run")["changed"]
    done = said(capsys, 0, "labels", "t", "--apply")
    assert (done["version"], done["labelled"], done["open"], done["without"]) == (2, 1, 1, 3)
    assert [row["target"] for row in said(capsys, 0, "show", "t")["rows"]] == ["billing", *["other"] * 5]
    events = said(capsys, 0, "why", "t", rows[0][:10])["events"]
    assert any("agreed: ana, ben" in event["what"] for event in events)
    (asked,) = said(capsys, 0, "labels", "t")["questions"]
    assert asked["decided"] == 3, "what was said of an input holds after its target has changed"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--row", "{0}", "--label", "refund", "--by", "ana"], "no label"),
        (["--row", "{0}", "--label", "billing"], "who decides"),
        (["--row", "ffffffffff", "--label", "billing", "--by", "ana"], "begins with"),
        (["--label", "billing", "--by", "ana"], "--row"),
        (["--row", "{0}", "--label", "billing", "--by", "ana", "--field", "body"], "no field"),
        (["--row", "{0}", "--label", "1", "--by", "ana", "--mode", "rate"], "classify, not for rate"),
    ],
)
def test_what_cannot_be_a_decision_is_refused_and_nothing_is_written(rows, capsys, words, message):
    filled = [word.format(rows[0][:10]) for word in words]
    options = LABELS[2:] if "--field" in words else LABELS
    error = said(capsys, 2, "label", "t", *filled, *options)
    assert message in error["message"] + error["remedy"]
    assert not Path("decisions").exists()


def test_where_nothing_is_settled_nothing_is_applied(rows, capsys):
    error = said(capsys, 2, "labels", "t", "--apply")
    assert "nothing was labelled" in error["message"]
    label(capsys, rows[0], "billing", "ana", *LABELS)
    label(capsys, rows[0], "other", "ben")
    done = said(capsys, 4, "labels", "t", "--apply")
    assert (done["changed"], done["open"], done["version"]) == (False, 1, 1)
    assert said(capsys, 2, "labels", "t", "--dry-run")["remedy"] == "add --apply"
    assert "no rule" in said(capsys, 2, "labels", "t", "--settle", "coin")["message"]
