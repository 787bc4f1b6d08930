"""Every malformed file, through `add` and `audit`: one clear message, or lines set aside; never a version half made."""

from __future__ import annotations

import json
import re
import sys

import pytest

from sluice.cli.app import run
from tests.support.malformed import CASES, Case

NAMES = [case.name for case in CASES]


@pytest.fixture
def at(tmp_path, monkeypatch):
    """Go to an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str]) -> tuple[dict, str]:
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    return json.loads(said.out), said.err


def test_the_table_is_as_long_as_was_promised():
    assert len(set(NAMES)) == len(NAMES) >= 40


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_malformed_file_is_refused_or_costs_the_lines_that_are_wrong(at, capsys, case: Case):
    file = at / case.file
    case.make(file)
    code = run(["add", "d", case.file, *case.options, "--json"])
    added, _ = told(capsys)
    audited = run(["audit", case.file, *case.options, "--json"])
    report, _ = told(capsys)
    if case.aside or not case.exit:
        assert (code, audited) == (0, 0), (added["error"], report["error"])
        assert added["result"]["rows"] == case.rows
        assert added["result"]["set_aside"] == report["result"]["set_aside"] == case.aside
        for line in added["result"]["first_set_aside"]:
            assert re.search(case.says, line["reason"]), line
            assert line["line"] >= 1
        assert run(["add", "strict", case.file, *case.options, "--strict", "--json"]) == (2 if case.aside else 0)
        return
    assert (code, audited) == (case.exit, case.exit), (added, report)
    for answer in (added, report):
        error = answer["error"]
        assert re.search(case.says, error["message"]), error
        assert "\n" not in error["message"]
        assert len(error["message"]) < 500
        assert error["where"]
        assert error["remedy"]
    capsys.readouterr()
    if (at / ".sluice").exists():
        assert run(["ls", "--json"]) == 0
        assert told(capsys)[0]["result"]["datasets"] == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_a_malformed_file_beside_a_sound_one_stops_both_and_says_which(at, capsys):
    (at / "good.jsonl").write_text('{"body": "x"}\n')
    (at / "bad.jsonl").write_bytes(b"\x1f\x8bcut")
    assert run(["add", "d", "good.jsonl", "bad.jsonl", "--input", "body", "--json"]) == 2
    answer, _ = told(capsys)
    assert "bad.jsonl" in answer["error"]["where"]
    assert not list((at / ".sluice").rglob("*.parquet"))
