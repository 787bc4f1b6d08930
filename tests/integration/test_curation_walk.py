"""docs/curation.md stays true: its commands are run in a fresh folder, and print what stands on the page."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from sluice.cli.app import run

ROOT = Path(__file__).parents[2]
FILES = ("chats.jsonl", "desk.csv", "mails.jsonl.gz", "exam.jsonl")
TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")


def commands(page: str) -> list[tuple[str, list[str]]]:
    """Return each command of the page with the lines that stand below it."""
    found = list[tuple[str, list[str]]]()
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            else:
                found[-1][1].append(line)
    return found


def missing(shown: list[str], printed: str) -> str | None:
    """Return the first shown line that was not printed, in this order; without `...` nothing may stand between."""
    lines = [TIME.sub("TIME", line).rstrip() for line in printed.splitlines()]
    place, gap = 0, False
    for line in shown:
        if line.strip() == "...":
            gap = True
            continue
        wanted = TIME.sub("TIME", line).rstrip()
        rest = lines[place:] if gap else lines[place : place + 1]
        if wanted not in rest:
            return line
        place, gap = place + rest.index(wanted) + 1, False
    return None


def test_each_command_prints_what_the_page_shows(tmp_path, monkeypatch, capsys):
    pytest.importorskip("cleanlab")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    for name in FILES:
        shutil.copy(ROOT / "datasets" / "helpdesk" / name, name)
    walked = commands((ROOT / "docs" / "curation.md").read_text(encoding="utf-8"))
    assert len(walked) > 20
    for command, shown in walked:
        assert run(shlex.split(command)[1:]) == 0, command
        printed = capsys.readouterr().out
        assert shown, f"nothing stands below {command}"
        assert missing(shown, printed) is None, f"{command}: {missing(shown, printed)!r} is not in\n{printed}"
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert (tmp_path / "published" / "croissant.json").exists()
    assert "Jürgen" not in (tmp_path / "card.md").read_text(encoding="utf-8")


def test_a_line_that_was_not_printed_is_noticed():
    assert missing(["a", "...", "c"], "a\nb\nc\n") is None
    assert missing(["a", "c"], "a\nb\nc\n") == "c"
    assert missing(["...", "d"], "a\nb\nc\n") == "d"
