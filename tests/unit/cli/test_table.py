"""The table of verbs against the verb files: a file, help, examples that parse, nothing heavy at the top."""

from __future__ import annotations

import importlib
import json
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

import sluice.cli.verbs
from sluice.cli.app import front, run
from sluice.cli.table import BY_NAME, PANELS, VERBS
from sluice.cli.verb import VerbCommand, VerbGroup
from sluice.core.task import read_config

HEAVY = {"pydantic", "duckdb", "polars", "pyarrow", "scipy", "numpy", "torch", "transformers", "datasketch"}
HEAVY |= {"jinja2", "jsonschema", "rich", "trl", "peft"}


def commands_below(command: click.Command, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            found += commands_below(child, (*path, name))
    return found


def test_the_table_is_whole():
    assert len(BY_NAME) == len(VERBS)
    assert {line.panel for line in VERBS} == set(PANELS)
    for line in VERBS:
        assert line.help
        assert "\n" not in line.help
        assert len(line.help) <= 78, f"{line.name}: the help has to fit a line of 80 or so"
        assert line.help[-1] not in ".!"


def test_every_verb_file_has_its_line():
    files = {path.stem for path in Path(sluice.cli.verbs.__path__[0]).glob("*.py") if not path.stem.startswith("_")}
    assert files <= {line.module for line in VERBS}


@pytest.mark.parametrize("name", list(BY_NAME))
def test_every_verb_has_its_file_help_and_examples(name, capsys):
    command = importlib.import_module(f"sluice.cli.verbs.{BY_NAME[name].module}").command
    for path, each in commands_below(command, (name,)):
        assert isinstance(each, VerbCommand | VerbGroup), f"{path} is not made by verb or verb_group"
        assert each.help, f"{path} has no docstring"
        assert 1 <= len(each.examples) <= 5
        for parameter in each.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{path}: {parameter.name} has no help"
                assert not {"--json", "--debug"} & set(parameter.opts)
        for example in each.examples:
            words = shlex.split(example.split("  ")[0])
            assert words[: 1 + len(path)] == ["sluice", *path], example
            parse(words[1:], example)
        assert run([*path, "--help"]) == 0
        drawn = capsys.readouterr().out
        assert all(example in drawn for example in each.examples)


def parse(words: list[str], example: str) -> None:
    """Parse a command line down to its last subcommand, without running it."""
    words = [word for word in words if word not in ("--json", "--debug")]
    parent: click.Context | None = None
    command: click.Command = front
    name = "sluice"
    while True:
        context = command.make_context(name, words, parent=parent)
        rest = [*context._protected_args, *context.args]
        if not isinstance(command, click.Group) or not rest:
            break
        found, child, words = command.resolve_command(context, rest)
        assert child is not None, example
        parent, command, name = context, child, found or ""


def modules_after(argv: list[str], folder: Path) -> set[str]:
    """The top-level modules that are loaded after a command line has run in a fresh process."""
    code = (
        "import sys, json, io\n"
        "from sluice.cli.app import run\n"
        f"code = run({argv!r})\n"
        "print(json.dumps([code, sorted({m.partition('.')[0] for m in sys.modules})]), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    exit_code, loaded = json.loads(done.stderr.splitlines()[-1])
    assert exit_code == 0, done.stderr
    return set(loaded)


@pytest.mark.parametrize("argv", [["--help"], ["--version"], []])
def test_the_front_door_loads_nothing_heavy(argv, tmp_path):
    assert not modules_after(argv, tmp_path) & HEAVY


def test_the_help_of_no_verb_loads_anything_heavy(tmp_path):
    code = (
        "import sys, json\n"
        "from sluice.cli.app import run\n"
        f"heavy, blamed = set({sorted(HEAVY)!r}), dict()\n"
        f"for name in {list(BY_NAME)!r}:\n"
        "    before = set(sys.modules)\n"
        "    code = run([name, '--help'])\n"
        "    blamed[name] = [code, sorted({m.partition('.')[0] for m in set(sys.modules) - before} & heavy)]\n"
        "print(json.dumps(blamed), file=sys.stderr)\n"
    )
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    blamed = json.loads(done.stderr.splitlines()[-1])
    assert blamed == {name: [0, []] for name in BY_NAME}


def test_status_loads_no_engine(tmp_path):
    (tmp_path / "sluice.toml").write_text(
        '[task]\nname = "t"\ndata = "t"\ndescription = "d"\nrubric = "rubric.md"\nmetric = "exact"\n'
        '[model]\nbase = "b"\n[project]\nid = "p"\n'
    )
    assert read_config(tmp_path / "sluice.toml").project_id == "p", "a whole one: the way of a broken one is another"
    (tmp_path / "rubric.md").write_text("right is what is right\n")
    heavy = {"polars", "pyarrow", "scipy", "torch", "transformers", "datasketch", "duckdb"}
    assert not modules_after(["status"], tmp_path) & heavy
