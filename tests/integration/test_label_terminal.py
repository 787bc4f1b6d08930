"""`sluice label` before a person, on real pseudo-terminals: keys, sizes, signals, crashes, two people at once."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pty", reason="needs pseudo-terminals")
from support.screen import Screen

from sluice.cli.app import run
from sluice.core.project import Project
from sluice.curate.labels.log import read_log

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
ROWS = 12
WORDS = ("label", "t", "--labels", "billing,shipping", "--queue", "order")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with twelve rows in `t`."""
    monkeypatch.chdir(tmp_path)
    lines = [json.dumps({"body": f"message number {n} of a customer"}) + "\n" for n in range(ROWS)]
    (tmp_path / "t.jsonl").write_text("".join(lines))
    assert run(["add", "t", "t.jsonl", "--input", "body", "--json"]) == 0
    return tmp_path


def words(folder: Path) -> dict[str, list[object]]:
    """Return the last words of each person, in order of time."""
    found: dict[str, list[object]] = {}
    for judgement in read_log(Project.find(folder)).last_words().values():
        found.setdefault(judgement.by, []).append(judgement.value)
    return found


def test_a_sitting_is_gone_on_with_where_it_was_left(folder):
    with Screen(folder, [*WORDS, "--by", "ana"]) as screen:
        screen.until("message number 0").press("1").until("message number 1").press("2").until("message number 2")
        screen.press(" ").until("1 skipped").press("\x7f").until("taken back: shipping")
        screen.press("\x1b")
        assert screen.end() == 0
        assert screen.given_back
        assert "1 of 12 decided by ana, 1 skipped" in screen.shown
    with Screen(folder, [*WORDS, "--by", "ana"]) as screen:
        screen.until("message number 1").press("\x03")
        assert screen.end() == 0, "Ctrl-C stops like esc: all is kept"
        assert screen.given_back
    assert words(folder) == {"ana": ["billing"]}


def test_what_is_typed_fast_goes_into_the_dialog_and_decides_nothing(folder):
    with Screen(folder, [*WORDS, "--by", "ana"]) as screen:
        screen.until("message number 0").press("/number 11\r").until("message number 11")
        screen.press(";1 or 2\r").until("comment: 1 or 2").press("2").until("1 of 12").press("\x1b")
        assert screen.end() == 0
    (said,) = read_log(Project.find(folder)).judgements()
    assert (said.value, said.comment) == ("shipping", "1 or 2")


@pytest.mark.parametrize("size", [(20, 24), (110, 5)])
def test_a_window_too_small_is_refused_before_anything_is_drawn(folder, size):
    with Screen(folder, [*WORDS, "--by", "ana"], size=size) as screen:
        assert screen.end() == 2
        assert "--no-tui" in screen.shown
        assert "\x1b[?1049h" not in screen.raw


def test_a_window_that_becomes_too_small_takes_no_keys_until_it_is_larger(folder):
    with Screen(folder, [*WORDS, "--by", "ana"]) as screen:
        screen.until("message number 0").resize(24, 20)
        screen.until("The window is").press("1")
        screen.resize(80, 24)
        screen.until("message number 0").press("2").until("message number 1").press("\x1b")
        assert screen.end() == 0
    assert words(folder) == {"ana": ["shipping"]}


def test_a_long_text_scrolls_and_does_not_slow_the_keys(folder):
    long = " ".join(f"word{n}" for n in range(40_000))
    Path("long.jsonl").write_text(json.dumps({"body": long}) + "\n" + json.dumps({"body": "a short one"}) + "\n")
    assert run(["add", "u", "long.jsonl", "--input", "body", "--json"]) == 0
    with Screen(folder, ["label", "u", *WORDS[2:], "--by", "ana"]) as screen:
        screen.until("word0 word1").press("\x1b[6~").until("word300")
        screen.press("\x1b[F").until("word39999").press("1").until("a short one").press("2").until(
            "All rows are decided"
        )
        screen.press("\x1b")
        assert screen.end() == 0
    assert words(folder) == {"ana": ["billing", "shipping"]}


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
def test_a_process_that_is_told_to_end_gives_the_terminal_back(folder, sign):
    with Screen(folder, [*WORDS, "--by", "ana"]) as screen:
        screen.until("message number 0").press("1").until("message number 1").signal(sign)
        screen.end()
        assert screen.given_back
    assert words(folder) == {"ana": ["billing"]}


BROKEN = """
import sys
from sluice.cli.labelling.app import Sitting
from sluice.cli.app import run

def press_slash(self):
    raise RuntimeError("broken in the middle")

Sitting.press_slash = press_slash
sys.exit(run(sys.argv[1:]))
"""


def test_a_crash_gives_the_terminal_back_and_loses_nothing(folder):
    with Screen(folder, [*WORDS, "--by", "ana"], program=("-c", BROKEN)) as screen:
        screen.until("message number 0").press("2").until("message number 1").press("/")
        assert screen.end() == 70
        assert screen.given_back
        last = screen.raw[screen.raw.rfind("\x1b[?1049l") :]
        assert "broken in the middle" in last
        assert "Traceback" not in last
    assert words(folder) == {"ana": ["shipping"]}


@pytest.mark.parametrize("keys", [3, 7])
def test_kill_9_loses_at_most_the_decision_under_way(folder, keys):
    with Screen(folder, [*WORDS, "--by", "ana"]) as screen:
        screen.until("message number 0")
        for n in range(keys):
            screen.press("1").until(f"message number {n + 1}")
        screen.press("2").signal(signal.SIGKILL)
        screen.end()
        seen = max(int(n) for n in re.findall(r"(\d+) of 12", screen.shown))
    kept = words(folder)["ana"]
    assert len(kept) >= max(seen, keys)
    assert kept[:keys] == ["billing"] * keys
    with Screen(folder, [*WORDS, "--by", "ana"]) as screen:
        screen.until(f"{len(kept)} of 12").press("\x1b")
        assert screen.end() == 0


def test_two_people_at_once_share_the_rows_and_lose_nothing(folder):
    shared = (*WORDS[:4], "--overlap", "1")
    with Screen(folder, [*shared, "--by", "ana"]) as ana, Screen(folder, [*shared, "--by", "ben"]) as ben:
        ana.until("0 of 12")
        ben.until("0 of 12").press("2").until("1 of 12")
        ana.until("0 of 11")  # seen while the sitting runs
        for n in range(1, 4):
            ana.press("1").until(f"{n} of ")
            ben.press("2").until(f"{n + 1} of ")
        ana.until("of 8")
        ana.press("\x7f").until("taken back")
        ben.until("of 10")
        while "All rows are decided" not in ana.shown:
            ana.press("1")
            ana.until(" of ")
        ben.until("enough others").press("\x1b[C").until("All rows are decided")
        for screen in (ana, ben):
            screen.press("\x1b")
            assert screen.end() == 0
    log = read_log(Project.find(folder)).last_words()
    assert len({subject for _, subject, _ in log}) == ROWS
    assert len(log) == ROWS, "nobody was asked what the other had decided"
    assert {by: set(said) for by, said in words(folder).items()} == {"ana": {"billing"}, "ben": {"shipping"}}


def piped(folder: Path, lines: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sluice", *WORDS, "--no-tui", "--by", "ana", *more]
    return subprocess.run(command, cwd=folder, input=lines, capture_output=True, text=True, check=False)


def test_answers_come_through_a_pipe(folder):
    done = piped(folder, "1\nskip\nbilling\n;odd\n2\nzz\n0\nundo\n/number 9\n2\nstop\n1\n")
    assert done.returncode == 0, done.stderr
    assert "'zz' is no answer" in done.stdout
    said = read_log(Project.find(folder)).judgements()
    assert [(j.value, j.comment) for j in said] == [
        ("billing", None),
        ("billing", None),
        ("shipping", "odd"),
        ("shipping", None),
    ]
    result = json.loads(piped(folder, "1\n", "--json").stdout)["result"]
    assert (result["decided"], result["of"]) == (5, ROWS)
    assert piped(folder, "\x00\ufffd\n" * 3).returncode == 0, "what means nothing decides nothing"
    assert len(read_log(Project.find(folder)).judgements()) == 5


def test_a_dumb_terminal_is_asked_line_by_line(folder):
    with Screen(folder, [*WORDS, "--by", "ana"], env={"TERM": "dumb"}) as screen:
        screen.until("message number 0").press("2\n").until("message number 1").press("\x04")
        assert screen.end() == 0
        assert "\x1b" not in screen.raw
    assert words(folder) == {"ana": ["shipping"]}
