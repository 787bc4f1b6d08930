"""`add`, `audit` and `diff` read files by the same options, and what one says to type next can be typed."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from sluice.cli.app import run

THREAD = "id,who,say,n\n1,a,hello there,1\n1,b,hi you,2\n2,b,late,2\n2,a,where is it,1\n"
WORDS = ["th.csv", "--thread", "id", "--order", "n", "--role", "who", "--text", "say", "--roles", "a=user,b=assistant"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "th.csv").write_text(THREAD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_threads_are_audited_and_compared_as_they_are_added(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["audit", *WORDS, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["result"]["report"]["rows"] == 2
    assert run(["audit", *WORDS]) == 0
    line = next(part for part in capsys.readouterr().out.splitlines() if part.strip().startswith("sluice add NAME"))
    assert run(shlex.split(line.split("    ")[0].strip().replace("NAME", "talks"))[1:]) == 0
    capsys.readouterr()
    (folder / "other.csv").write_text(THREAD.replace("late", "later"), encoding="utf-8")
    assert run(["diff", "th.csv", "other.csv", *WORDS[1:], "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["result"]
    assert (result["same"], result["changed"]) == (1, 1)


def test_a_shape_and_templates_are_taken_too(folder: Path, capsys: pytest.CaptureFixture[str]):
    chat = {"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]}
    (folder / "c.jsonl").write_text(json.dumps(chat) + "\n", encoding="utf-8")
    assert run(["audit", "c.jsonl", "--shape", "sharegpt"]) == 0
    assert run(["audit", "c.jsonl", "--shape", "nonsense"]) == 2
    assert run(["audit", "th.csv", "--map", "input={{who}}: {{say}}"]) == 0
    assert "sharegpt" in capsys.readouterr().err
