"""`redact` and `forget` as they are typed: asked first, told without a value, finished when they were cut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice.cli.app import run

MAIL = "jane.doe@example.com"


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "p"
    folder.mkdir()
    monkeypatch.chdir(folder)
    lines = [{"input": f"I am {MAIL}, where is it?", "target": "x"}, {"input": "the lamp flickers", "target": "y"}]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run(["add", "t", "../t.jsonl"]) == 0
    return folder


def said(capsys, *argv: str) -> tuple[int, dict]:
    capsys.readouterr()
    code = run([*argv, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_redact_tells_no_value(here, capsys):
    code, envelope = said(capsys, "redact", "t")
    assert (code, envelope["result"]["replaced"]) == (0, {"email": 1})
    assert MAIL not in json.dumps(envelope)
    assert "absent" in envelope["result"]["names"]
    assert run(["redact", "t"]) == 0
    assert "nothing found" in capsys.readouterr().out
    assert said(capsys, "redact", "t", "--kinds", "mail")[0] == 2


def test_forget_asks_before_it_erases_and_tells_no_value(here, capsys):
    asked = ("forget", "t", "--person", MAIL, "--reason", "asked for on 1 May")
    code, envelope = said(capsys, *asked)
    assert code == 2
    assert "--yes" in json.dumps(envelope["error"])
    assert not list((here / ".sluice").rglob("forget.json"))
    code, envelope = said(capsys, *asked, "--dry-run")
    assert (code, envelope["result"]["rows"], envelope["result"]["fact"]) == (0, 1, None)
    code, envelope = said(capsys, *asked, "--yes")
    assert (code, envelope["result"]["rows"]) == (0, 1)
    assert MAIL not in json.dumps(envelope)
    assert run(["log"]) == 0
    assert "forgot 1 row" in capsys.readouterr().out
    code, envelope = said(capsys, "verify")
    assert (code, envelope["result"]["word"]) == (0, "intact")
    assert any("forgotten on" in note for note in envelope["result"]["notes"])


def test_without_anything_to_forget_it_says_what_it_needs(here, capsys):
    code, envelope = said(capsys, "forget")
    assert (code, envelope["error"]["code"]) == (2, "usage")
    code, envelope = said(capsys, "forget", "t", "--person", "nobody@example.org", "--reason", "x" * 12, "--yes")
    assert (code, envelope["result"]["rows"], envelope["result"]["changed"]) == (0, 0, False)


def test_a_reason_is_asked_for_before_a_yes(here, capsys, monkeypatch):
    monkeypatch.setattr("sluice.cli.terminal.Terminal.confirm", lambda *_: pytest.fail("asked first"))
    code, envelope = said(capsys, "forget", "t", "--person", MAIL)
    assert (code, envelope["error"]["where"]) == (2, "--reason")


def test_a_redacted_row_comes_back_in_the_place_of_its_copy(here, capsys):
    said(capsys, "redact", "t")
    _, listed = said(capsys, "show", "t", "--dropped")
    row = listed["result"]["dropped"][0]["row"] if "dropped" in listed["result"] else listed["result"]["rows"][0]["row"]
    assert run(["why", "t", row]) == 0
    assert "what was made of it leaves" in capsys.readouterr().out
    code, envelope = said(capsys, "restore", "t", "--reason-was", "redacted")
    result = envelope["result"]
    assert (code, result["restored"], result["replaced"], result["rows"]) == (0, 1, 1, 2)
