"""The documents keep step with the code: exit codes, the envelope, dependencies, commands."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from sluice.cli.table import BY_NAME
from sluice.core.errors import SluiceError
from sluice.evalsuite.verdict import EXIT_CODES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _table_rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _kinds(kind: type[SluiceError]) -> list[type[SluiceError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _kinds(child))]


def _codes_of_the_edge() -> dict[str, int]:
    """The (code, exit) pairs that sluice/cli/edge.py gives to exceptions of other libraries."""
    calls = [
        node
        for node in ast.walk(ast.parse(_text(ROOT / "sluice" / "cli" / "edge.py")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Failure"
    ]
    pairs = [(ast.unparse(call.args[1]), ast.unparse(call.args[0])) for call in calls if len(call.args) > 1]
    return {ast.literal_eval(code): int(exit_) for code, exit_ in pairs if code.startswith("'")}


def test_every_code_of_an_error_is_documented_with_its_exit():
    documented = {row[0].strip("`"): int(row[1]) for row in _table_rows(_text(DOCS / "exit-codes.md")) if "`" in row[0]}
    for module in ("ledger", "project", "task", "files", "runs"):
        import_module(f"sluice.core.{module}")
    in_code = {kind.code: kind.exit_code for kind in _kinds(SluiceError)} | _codes_of_the_edge()
    assert len(in_code) > 10
    assert documented == in_code


def test_every_exit_code_is_explained():
    explained = {int(row[0]) for row in _table_rows(_text(DOCS / "exit-codes.md")) if row[0].isdigit()}
    assert explained == {
        *EXIT_CODES.values(),
        *(kind.exit_code for kind in _kinds(SluiceError)),
        *_codes_of_the_edge().values(),
    }


def test_the_example_of_the_envelope_is_one(tmp_path: Path):
    (example,) = re.findall(r"```json\n(.*?)\n```", _text(DOCS / "json.md"), re.DOTALL)
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "completion": "b"}\n{"prompt":\n', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sluice", "add", "tickets", "rows.jsonl", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    shown, real = json.loads(example), json.loads(done.stdout)
    assert list(shown) == list(real)
    assert {key: type(value) for key, value in shown["result"].items()} == {
        key: type(real["result"][key]) for key in shown["result"]
    }
    assert (real["result"]["added"], real["result"]["set_aside"]) == (1, 1)


def test_every_declared_package_has_its_line():
    settings = tomllib.loads(_text(ROOT / "pyproject.toml"))["project"]
    groups = [settings["dependencies"], *settings["optional-dependencies"].values()]
    listed = {name.strip() for row in _table_rows(_text(DOCS / "dependencies.md")) for name in row[0].split(",")}
    declared = {Requirement(line).name for group in groups for line in group}
    assert sorted(declared - listed) == []
    assert sorted(listed - declared - {"package"}) == []


def test_every_verb_in_the_documents_is_a_verb():
    texts = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    said = {
        (path.name, word)
        for path in texts
        for block in re.findall(r"```.*?```|`[^`\n]+`", _text(path), re.DOTALL)
        for word in re.findall(r"(?:^|[\n`$|&]) *sluice ([a-z]+)", block)
    }
    assert said
    assert sorted(pair for pair in said if pair[1] not in BY_NAME) == []


def test_links_between_documents_hold():
    for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", _text(path)):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.name} points to {target}"


def test_the_readme_lists_every_page():
    linked = set(re.findall(r"\]\(docs/([\w-]+\.md)\)", _text(ROOT / "README.md")))
    assert linked == {path.name for path in DOCS.glob("*.md")}


def test_the_readme_is_two_screens_and_names_the_two_commands():
    readme = _text(ROOT / "README.md")
    assert "make demo" in readme
    assert "make test" in readme
    assert len(readme.splitlines()) <= 130


TARGETS = ("help", "setup", "demo", "test", "check", "acceptance", "bench")


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_and_explains_a_target(target: str):
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if target != "help":
        explained = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert f"make {target} " in explained


def test_ci_runs_the_commands_of_the_readme():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = [line.partition(" 2>&1")[0].strip() for line in _text(script).splitlines()]
    assert "make check" in lines
    assert "make test" in lines
