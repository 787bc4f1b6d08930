"""The command as a process: a pipe that closes, Ctrl-C, a full disk, a terminal, a user's own files."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

VERB = """
import sys, time, types
import click
from sluice.cli.app import main
from sluice.cli.verb import verb, yes_option

@verb(examples=["sluice ls"])
@click.argument("what", default="")
@yes_option
def command(out, what, yes):
    "A verb for this test."
{body}

module = types.ModuleType("sluice.cli.verbs.ls")
module.command = command
sys.modules[module.__name__] = module
main()
"""


def script(folder: Path, body: str) -> list[str]:
    file = folder / "verb_under_test.py"
    file.write_text(VERB.format(body=textwrap.indent(textwrap.dedent(body), "    ")))
    return [sys.executable, str(file), "ls"]


def on_a_terminal(argv: list[str], folder: Path, answer: str = "", **environment: str) -> tuple[int, str]:
    """Run on a pseudo-terminal of 60 columns; return the exit code and all that was shown."""
    pid, handle = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe(argv[0], argv, {**os.environ, "TERM": "xterm", "COLUMNS": "60", "LINES": "24", **environment})
    shown, end = b"", time.monotonic() + 30
    answered = not answer
    while time.monotonic() < end:
        if select.select([handle], [], [], 0.2)[0]:
            try:
                piece = os.read(handle, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            shown += piece
        if not answered and b"?" in shown:
            os.write(handle, answer.encode())
            answered = True
    status = os.waitpid(pid, 0)[1]
    os.close(handle)
    return os.waitstatus_to_exitcode(status), shown.decode()


def test_a_reader_that_goes_away_stops_the_output_and_not_the_work(tmp_path):
    argv = script(
        tmp_path,
        """
        for number in range(200_000):
            out.say(f"line {number}")
            if out.closed:
                break
        else:
            raise AssertionError("never noticed")
        open("finished", "w").close()
        out.exit_code = 4
        """,
    )
    process = subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "line 0\n"
    process.stdout.close()
    assert process.wait(30) == 4
    assert process.stderr.read() == ""
    process.stderr.close()
    assert (tmp_path / "finished").exists()


def test_ctrl_c_is_one_line_and_130(tmp_path):
    argv = script(tmp_path, 'out.note("working")\ntime.sleep(30)')
    process = subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline() == "working\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert err.startswith("Interrupted.")
    assert err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_stdout_on_a_full_disk_is_exit_5(tmp_path, flags):
    argv = script(tmp_path, 'out.say("x")\nreturn {"x": 1}')
    with open("/dev/full", "w") as full:
        done = subprocess.run([*argv, *flags], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    assert "disk is full" in done.stderr or flags


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize(("body", "code"), [('out.warn("x")\nout.note("y")', 0), ('raise click.UsageError("no")', 2)])
def test_messages_on_a_full_disk_are_lost_and_the_work_goes_on(tmp_path, body, code):
    argv = script(tmp_path, f"{body}\nout.say('done')")
    with open("/dev/full", "w") as full:
        done = subprocess.run(argv, cwd=tmp_path, stdout=subprocess.PIPE, stderr=full, text=True, timeout=30)
    assert done.returncode == code
    assert ("done" in done.stdout) == (code == 0)


def test_ctrl_c_while_the_modules_load_leaves_no_trace(tmp_path):
    code = """
        import builtins, runpy
        real = builtins.__import__
        def interrupted(name, *rest, **more):
            if name == "sluice.cli.app":
                raise KeyboardInterrupt
            return real(name, *rest, **more)
        builtins.__import__ = interrupted
        runpy.run_module("sluice", run_name="__main__")
    """
    argv = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (130, "")


def test_an_encoding_that_cannot_hold_the_rows_loses_nothing_and_fails_nothing(tmp_path):
    argv = script(tmp_path, 'out.say("Grüße \U0001f600")\nreturn {"text": "Grüße \U0001f600"}')
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=30, check=True)
    assert done.stdout == "Gr\\xfc\\xdfe \\U0001f600\n"
    argv.append("--json")
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=30, check=True)
    assert "\\ud83d\\ude00" in done.stdout


def test_a_terminal_gets_colour_a_fitting_table_and_a_question(tmp_path):
    argv = script(
        tmp_path,
        """
        out.progress("reading", 1, 10)
        out.say("fine", "good")
        out.table(("name", "remark"), [("tickets", "word " * 30), ("[bold]x[/bold]", "\\x1b[31mred")])
        out.confirm("Go on?", yes)
        out.say("went on")
        """,
    )
    code, shown = on_a_terminal(argv, tmp_path, "y\n")
    assert code == 0
    assert "\x1b[32mfine\x1b[0m" in shown
    assert "reading" in shown
    assert "went on" in shown
    assert "[bold]x[/bold]" in shown, "cells are text, not markup"
    assert "\\x1b[31mred" in shown, "a row cannot colour the screen"
    assert max(len(line) for line in shown.split("tickets")[1].splitlines()) <= 60
    code, shown = on_a_terminal(argv, tmp_path, "n\n")
    assert code == 130
    assert "went on" not in shown
    assert "Nothing was done." in shown


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_none_is_wanted(tmp_path, environment):
    argv = script(
        tmp_path, 'out.say("fine", "good")\nout.table(("a", "b"), [("x", 1)], styles=("bad", None))\nraise KeyError(1)'
    )
    code, shown = on_a_terminal(argv, tmp_path, **environment)
    assert code == 70
    assert "fine" in shown
    assert "\x1b" not in shown


SHADOWS = ("train.py", "curate.py", "evalsuite.py", "core.py", "cli.py", "table.py", "verb.py", "terminal.py", "app.py")


@pytest.fixture
def users_folder(tmp_path):
    """A folder full of a user's own files with the commonest names of this field; each fails when imported."""
    for name in SHADOWS:
        (tmp_path / name).write_text("raise RuntimeError('a file of the user was imported')\n")
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "rows.jsonl").write_text("{}\n")
    return tmp_path


@pytest.mark.parametrize("command", [["-m", "sluice"], ["-c", "from sluice.cli.app import main; main()"]])
def test_a_users_own_files_shadow_nothing(users_folder, command):
    done = subprocess.run(
        [sys.executable, *command, "--help"], cwd=users_folder, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "decontaminate" in done.stdout


def test_a_users_script_called_train_imports_sluice(users_folder):
    (users_folder / "train.py").write_text(
        "import sluice\nimport sluice.curate, sluice.evalsuite, sluice.train\n"
        "print(sluice.train.__name__, sluice.Project)\n"
    )
    done = subprocess.run(
        [sys.executable, "train.py"], cwd=users_folder, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sluice.train ")


def test_completion_names_verbs_without_loading_them(tmp_path):
    environment = {**os.environ, "_SLUICE_COMPLETE": "bash_complete", "COMP_WORDS": "sluice de", "COMP_CWORD": "1"}
    argv = [sys.executable, "-m", "sluice"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=30, check=False)
    assert {line.partition(",")[2] for line in done.stdout.split()} == {"dedup", "decontaminate", "demo"}
