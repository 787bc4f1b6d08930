"""`audit` under --fail-on: what was asked for by name is no pass; `decontaminate` reads what `add` reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice.cli.app import run

DESK = "ticket,sent,author,said\n1,2024-01-01,cust,It broke\n1,2024-01-02,desk,Sorry\n2,2024-01-03,cust,Where is it\n"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "desk.csv"
    file.write_text(DESK)
    return file


def result(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    run([*argv, "--json"])
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("checks, code", [("schema", 4), ("empty", 0), ("empty,schema", 4), ("conflict,schema", 1)])
def test_a_check_that_was_named_and_could_not_look_is_no_pass(
    desk: Path, capsys: pytest.CaptureFixture[str], checks: str, code: int
):
    desk.write_text("input,target\nwhere is it,a\nwhere is it,b\n")
    assert run(["audit", "desk.csv", "--checks", checks, "--fail-on", "fail"]) == code
    assert run(["audit", "desk.csv", "--checks", checks]) == 0
    capsys.readouterr()


def test_rows_to_be_held_against_are_read_so_too(desk: Path, capsys: pytest.CaptureFixture[str]):
    desk.with_name("mine.jsonl").write_text(
        '{"input": "Where is it", "target": "a"}\n{"input": "wholly unlike all of them", "target": "b"}\n'
    )
    run(["add", "d", "mine.jsonl"])
    capsys.readouterr()
    mapped = ("--map", "input={{ said }}", "--map", "target={{ author }}")
    said = result(capsys, "decontaminate", "d", "--against", "desk.csv", *mapped, "--dry-run")
    assert said["result"]["counts"] == {"equal": 1}
