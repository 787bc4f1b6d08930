"""The command and its edge: envelope, exit codes, one line for every failure, anywhere-flags, first screen.

Verbs used here are made on the spot by the real decorators and put in the place of `ls` and `train`.
"""

from __future__ import annotations

import errno
import json
import sys
from types import ModuleType

import click
import pytest

from sluice.cli.app import run
from sluice.cli.table import BY_NAME, OTHER_WORDS, suggest
from sluice.cli.terminal import Declined
from sluice.cli.verb import by_option, dry_run_option, verb, verb_group, yes_option
from sluice.core import errors


@pytest.fixture
def install(monkeypatch):
    """Put a command in the place of a verb's file."""

    def put(command: click.Command, name: str = "ls") -> None:
        module = ModuleType(f"sluice.cli.verbs.{name}")
        module.command = command  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return put


def failing(error: BaseException) -> click.Command:
    @verb(examples=["sluice ls"])
    def command(out):
        """Fail."""
        raise error

    return command


def envelope_of(capsys) -> dict:
    """The one object on stdout; fails where there is more, less, or a NaN."""
    text = capsys.readouterr().out

    def no_constant(name: str):
        raise AssertionError(f"{name} in JSON")

    body = json.loads(text, parse_constant=no_constant)
    assert text.count("\n") == 1
    assert list(body) == ["schema", "verb", "exit", "result", "error"]
    assert body["schema"] == "sluice/1"
    return body


def test_success_draws_on_stdout_and_is_one_object_under_json(install, capsys):
    @verb(examples=["sluice ls"])
    @click.argument("name")
    def command(out, name):
        """List."""
        out.say(f"drawn {name}")
        out.table(("name", "rows"), [(name, 2716)])
        out.next("sluice audit")
        out.note("reading")
        out.progress("reading", 1, 2)
        sys.stdout.write("noise of a library")
        return {"name": name, "score": float("nan"), "rows": 2**70}

    install(command)
    assert run(["ls", "tickets"]) == 0
    drawn = capsys.readouterr()
    assert "drawn tickets" in drawn.out
    assert "2,716" in drawn.out
    assert "reading" in drawn.err
    assert run(["ls", "--json", "tickets"]) == 0
    body = envelope_of(capsys)
    assert body["verb"] == "ls"
    assert body["exit"] == 0
    assert body["error"] is None
    assert body["result"] == {"name": "tickets", "score": None, "rows": 2**70}


@pytest.mark.parametrize("argv", [["--json", "ls", "x"], ["ls", "--json", "x"], ["ls", "x", "--json"]])
def test_json_is_taken_anywhere(install, capsys, argv):
    @verb(examples=["sluice ls"])
    @click.argument("words", nargs=-1)
    def command(out, words):
        """List."""
        return {"words": words}

    install(command)
    assert run(argv) == 0
    assert envelope_of(capsys)["result"] == {"words": ["x"]}
    assert run(["ls", "--json", "--", "--json", "--debug"]) == 0
    assert envelope_of(capsys)["result"] == {"words": ["--json", "--debug"]}


KINDS = [
    (errors.InputError, 2),
    (errors.UsageError, 2),
    (errors.EvidenceSaysNo, 1),
    (errors.Tampered, 1),
    (errors.Refused, 3),
    (errors.SurroundingsError, 5),
    (errors.StoreBusy, 5),
    (errors.ModelNotFound, 5),
    (errors.BadPath, 2),
    (errors.DiskFull, 5),
    (errors.NoPermission, 5),
]


@pytest.mark.parametrize("kind, code", KINDS)
def test_a_sluice_error_is_one_line_with_place_and_remedy(install, capsys, kind, code):
    install(failing(kind("the row has\nno input", where="a.jsonl:3", remedy="mend line 3", result={"rules": [1]})))
    assert run(["ls"]) == code
    drawn = capsys.readouterr()
    assert drawn.err == "error: a.jsonl:3: the row has no input. Fix: mend line 3\n"
    assert drawn.out == ""
    assert run(["ls", "--json"]) == code
    body = envelope_of(capsys)
    assert body["exit"] == code
    assert body["result"] == {"rules": [1]}
    assert body["error"] == {
        "code": kind.code,
        "message": "the row has\nno input",
        "where": "a.jsonl:3",
        "remedy": "mend line 3",
    }


def test_every_child_of_sluice_error_is_in_the_list_above():
    children = {kind for kind in vars(errors).values() if isinstance(kind, type)}
    children = {kind for kind in children if issubclass(kind, errors.SluiceError) and kind is not errors.SluiceError}
    assert children == {kind for kind, _ in KINDS}


def duckdb_exception(name: str) -> BaseException:
    import duckdb

    return getattr(duckdb, name)("from the engine")


def torch_like_out_of_memory() -> BaseException:
    kind = type("OutOfMemoryError", (RuntimeError,), {"__module__": "torch"})
    return kind("CUDA out of memory. Tried to allocate 20 GiB")


@pytest.mark.parametrize(
    "error, exit_code, code, where",
    [
        (OSError(errno.ENOSPC, "No space left on device", "data/x.parquet"), 5, "disk-full", "data/x.parquet"),
        (RuntimeError("parquet write: No space left on device (os error 28)"), 5, "disk-full", None),
        (MemoryError(), 5, "out-of-memory", None),
        (torch_like_out_of_memory(), 5, "out-of-memory", None),
        (
            RuntimeError("[enforce fail] not enough memory: you tried to allocate 9 bytes"),
            5,
            "out-of-memory",
            None,
        ),
        (PermissionError(errno.EACCES, "Permission denied", "raw.csv"), 5, "no-permission", "raw.csv"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "raw.csv"), 2, "bad-path", "raw.csv"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "raw"), 2, "bad-path", "raw"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "xxx"), 2, "bad-path", "xxx"),
        (OSError(errno.ELOOP, "Too many levels of symbolic links", "raw"), 2, "bad-path", "raw"),
        (RuntimeError("Symlink loop from 'raw.jsonl'"), 2, "bad-path", "raw.jsonl"),
        (OSError(errno.EROFS, "Read-only file system", "x"), 5, "surroundings", "x"),
        (ConnectionResetError("the endpoint hung up"), 5, "surroundings", None),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), 5, "extra-missing", None),
        (KeyboardInterrupt(), 130, "interrupted", None),
        (click.Abort(), 130, "interrupted", None),
        (Declined(), 130, "interrupted", None),
        (duckdb_exception("InterruptException"), 130, "interrupted", None),
        (duckdb_exception("OutOfMemoryException"), 5, "out-of-memory", None),
    ],
)
def test_the_surroundings_are_told_from_bugs(install, capsys, error, exit_code, code, where):
    install(failing(error))
    assert run(["ls"]) == exit_code
    assert capsys.readouterr().err.count("\n") == 1
    assert run(["--json", "ls"]) == exit_code
    body = envelope_of(capsys)
    assert (body["error"]["code"], body["error"]["where"]) == (code, where)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        EOFError("file ended early"),
        SystemExit(0),
        ModuleNotFoundError("no module", name="sluice.gone"),
        RuntimeError("shape mismatch"),
    ],
)
def test_anything_else_is_a_bug_of_ours(install, capsys, error):
    install(failing(error))
    assert run(["ls"]) == 70
    drawn = capsys.readouterr().err
    assert drawn.count("\n") == 1
    assert "a bug of ours" in drawn
    assert "--debug" in drawn
    assert "Traceback" not in drawn
    assert run(["ls", "--debug"]) == 70
    assert "Traceback" in capsys.readouterr().err
    assert run(["ls", "--json"]) == 70
    assert envelope_of(capsys)["error"]["code"] == "bug"


def test_a_result_without_a_form_in_json_is_a_bug_and_still_one_object(install, capsys):
    @verb(examples=["sluice ls"])
    def command(out):
        """List."""
        return {"rows": object()}

    install(command)
    assert run(["ls", "--json"]) == 70
    assert envelope_of(capsys)["error"]["code"] == "bug"


@pytest.mark.parametrize(
    "argv, where",
    [
        (["--nonsense"], None),
        (["ls", "--nonsense"], "sluice ls"),
        (["ls"], "sluice ls"),
        (["ls", "a", "b"], "sluice ls"),
        (["ls", "a", "--count", "many"], "sluice ls"),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(install, capsys, argv, where):
    @verb(examples=["sluice ls"])
    @click.argument("name")
    @click.option("--count", type=int)
    def command(out, name, count):
        """List."""

    install(command)
    assert run(argv) == 2
    drawn = capsys.readouterr()
    assert drawn.out == ""
    assert drawn.err.startswith(f"error: {where}: " if where else "error: ")
    assert drawn.err.count("\n") == 1
    assert "--help" in drawn.err.split("Fix: ")[1]
    assert run([*argv, "--json"]) == 2
    body = envelope_of(capsys)
    assert body["error"]["code"] == "usage"
    assert body["error"]["where"] == where
    assert body["verb"] == ("ls" if where else None)


@pytest.mark.parametrize(
    "typed, meant",
    [("dedpu", "dedup"), ("statsu", "status"), ("Compare", "compare"), ("evaluate", "eval"), ("finetune", "train")],
)
def test_an_unknown_verb_is_answered_with_the_near_one(capsys, typed, meant):
    assert run([typed, "tickets"]) == 2
    assert f"sluice {meant}" in capsys.readouterr().err
    assert run([typed, "--json"]) == 2
    assert f"sluice {meant}" in envelope_of(capsys)["error"]["remedy"]


def test_a_word_like_no_verb_points_to_the_help(capsys):
    assert suggest("qqqqqq") == []
    assert run(["qqqqqq"]) == 2
    assert "sluice --help" in capsys.readouterr().err


def test_other_words_lead_to_verbs_that_exist():
    for meant in OTHER_WORDS.values():
        assert meant.startswith("--") or meant.split()[0] in BY_NAME
    assert not set(OTHER_WORDS) & set(BY_NAME)


def test_verdict_codes_and_failures_drawn_by_the_verb(install, capsys):
    @verb(examples=["sluice ls"], exits={4: "cannot tell"})
    @click.argument("what")
    def command(out, what):
        """Judge."""
        if what == "cannot-tell":
            out.exit_code = 4
        else:
            out.say("REFUSED no-leakage")
            out.failed(errors.Refused("1 rule does not hold", remedy="sluice decontaminate"))
        return {"what": what}

    install(command)
    assert run(["ls", "cannot-tell", "--json"]) == 4
    body = envelope_of(capsys)
    assert body["error"] is None
    assert body["exit"] == 4
    assert run(["ls", "refused"]) == 3
    assert capsys.readouterr().err == ""
    assert run(["ls", "refused", "--json"]) == 3
    body = envelope_of(capsys)
    assert body["error"]["code"] == "refused"
    assert body["result"] == {"what": "refused"}


def test_groups_with_and_without_a_bare_form(install, capsys):
    @verb_group(examples=["sluice train sft"])
    def train(out):
        """Train an adapter."""
        raise AssertionError("never called")

    @verb(group=train, name="sft", examples=["sluice train sft"], exits={3: "the gate is closed"})
    @yes_option
    @dry_run_option
    @by_option
    def sft(out, yes, dry_run, by):
        """Fine-tune."""
        return {"yes": yes, "dry_run": dry_run, "by": by}

    @verb_group(examples=["sluice baseline"], bare=True)
    @click.option("--limit", type=int)
    def baseline(out, limit):
        """Measure."""
        return {"limit": limit}

    @verb(group=baseline, name="reference", examples=["sluice baseline reference prod"])
    @click.argument("name")
    def reference(out, name):
        """Import."""
        return {"reference": name}

    install(train, "train")
    install(baseline, "baseline")
    assert run(["train", "sft", "-y", "--by", "ana", "--json"]) == 0
    body = envelope_of(capsys)
    assert body["verb"] == "train sft"
    assert body["result"] == {"yes": True, "dry_run": False, "by": "ana"}
    assert run(["train"]) == 2
    assert "sft" in capsys.readouterr().err
    assert run(["train", "sfd", "--json"]) == 2
    assert "sft" in envelope_of(capsys)["error"]["message"]
    assert run(["train", "sft", "--help"]) == 0
    drawn = capsys.readouterr().out
    assert "the gate is closed" in drawn
    assert "  sluice train sft\n" in drawn
    assert run(["baseline", "--limit", "3", "--json"]) == 0
    assert envelope_of(capsys)["result"] == {"limit": 3}
    assert run(["baseline", "reference", "prod", "--json"]) == 0
    body = envelope_of(capsys)
    assert body["verb"] == "baseline reference"
    assert body["result"] == {"reference": "prod"}


def test_without_a_terminal_nobody_is_asked(install, capsys):
    done = []

    @verb(examples=["sluice ls"])
    @yes_option
    @by_option
    def command(out, yes, by):
        """Ask."""
        out.confirm("Spend an opening?", yes)
        done.append(out.who(by))

    install(command)
    assert run(["ls"]) == 2
    assert "Fix: --yes" in capsys.readouterr().err
    assert run(["ls", "--yes"]) == 2
    assert "Fix: --by NAME" in capsys.readouterr().err
    assert done == []
    assert run(["ls", "--yes", "--by", "ana"]) == 0
    assert done == ["ana"]


def test_interrupted_says_what_the_verb_knows(install, capsys):
    @verb(examples=["sluice ls"])
    def command(out):
        """Work."""
        out.if_interrupted = "The last checkpoint is kept. Go on with: sluice train sft"
        raise KeyboardInterrupt

    install(command)
    assert run(["ls"]) == 130
    assert capsys.readouterr().err == "The last checkpoint is kept. Go on with: sluice train sft\n"


def test_version_and_help_also_as_json(capsys):
    assert run(["--version"]) == 0
    version = capsys.readouterr().out.split()
    assert version[0] == "sluice"
    assert run(["--version", "--json"]) == 0
    assert envelope_of(capsys)["result"] == {"version": version[1]}
    assert run(["--help", "--json"]) == 0
    assert "decontaminate" in envelope_of(capsys)["result"]["help"]
    assert run(["help"]) == 0
    assert "decontaminate" in capsys.readouterr().out


def test_without_arguments_the_first_screen_or_the_status(install, capsys, tmp_path, monkeypatch):
    @verb(examples=["sluice status"])
    @click.option("--all", "everything", is_flag=True)
    def command(out, everything):
        """Status."""
        out.say("the status")
        return {"everything": everything}

    install(command, "status")
    monkeypatch.chdir(tmp_path)
    assert run([]) == 0
    drawn = capsys.readouterr().out
    assert "No project here" in drawn
    assert all(f"sluice {name}" in drawn for name in ("audit", "compare", "init", "demo"))
    assert run(["--json"]) == 0
    body = envelope_of(capsys)
    assert body["verb"] is None
    assert body["result"]["project"] is None
    (tmp_path / "sluice.toml").write_text("")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert run([]) == 0
    assert capsys.readouterr().out == "the status\n"
    assert run(["--json"]) == 0
    body = envelope_of(capsys)
    assert body["verb"] == "status"
    assert body["result"] == {"everything": False}
