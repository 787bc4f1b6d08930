"""Wrong commands are answered before a library for models is loaded, and the gate answers before there is data."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import whole_project

from sluice.cli.app import run
from sluice.cli.verbs.grade import parse
from sluice.core.errors import UsageError
from sluice.core.project import Project
from sluice.core.scaffold import InitAnswers, scaffold
from sluice.curate.splits.parts import split_dataset
from sluice.evalsuite.freeze import freeze
from sluice.train.gate import GateReport
from sluice.train.policy import HARD, WAIVABLE
from sluice.train.rules.result import RuleResult
from sluice.train.waive import waive

HEAVY = ("torch", "transformers", "peft")
ENOUGH = "we graded these on paper"

BEFORE_FREEZE = {
    3: [
        ["gate"],
        ["train", "sft", "--yes"],
        ["baseline"],
        ["grade", "--list"],
        ["grade", "--by", "ana", "--words", "1=r"],
        ["eval", "base"],
        ["regress", "base"],
        ["waive", "gradable", "--reason", ENOUGH, "--by", "ana"],
    ],
}
"""In a project with rows that are not split."""
WRONG_WORDS = {
    2: [
        ["train", "sft"],
        ["train", "sft", "--yes", "--data", "nope"],
        ["train", "sft", "--yes", "--precision", "fp13"],
        ["plan", "nope"],
        ["plan", "--precision", "fp13"],
        ["gate", "nope"],
        ["gate", "--rows", "nope"],
        ["waive", "gradable", "--reason", "no", "--by", "ana"],
        ["waive", "no-leakage", "--reason", ENOUGH, "--by", "ana"],
        ["eval", "nope"],
        ["eval", "base", "--prompt", "nope.md"],
        ["eval", "base", "--on", "nope"],
        ["regress", "nope"],
        ["regress", "base"],
        ["compare", "nope"],
        ["compare", "nope.jsonl"],
        ["grade"],
        ["grade", "--by", "ana"],
    ],
    3: [["grade", "--list"], ["eval", "base", "--on", "tickets"], ["regress", "base", "--on", "tickets"]],
}
"""In a project whose eval set is frozen."""

WALK = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from sluice.cli.app import run
from sluice.cli.verbs.grade import parse
from sluice.core.errors import UsageError
from sluice.core.project import Project
found = []
for code, argv in json.loads(sys.argv[1]):
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()):
        got = run([*argv, "--json"])
    heavy = [name for name in json.loads(sys.argv[2]) if name in sys.modules]
    found.append([argv, code, got, heavy, json.loads(out.getvalue())["error"]])
print(json.dumps(found))
"""


def walk(folder: Path, commands: dict[int, list[list[str]]]) -> list[list]:
    """Run commands one after the other in a process; return (argv, wanted, exit, heavy modules, error) of each."""
    flat = [(code, argv) for code, some in commands.items() for argv in some]
    argv = [sys.executable, "-c", WALK, json.dumps(flat), json.dumps(HEAVY)]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def stages(tmp_path_factory) -> dict[str, Path]:
    """A project with rows, and the same with a frozen eval set."""
    root = tmp_path_factory.mktemp("refusals")
    files = whole_project.base_model(root / "base")
    project = whole_project.start(root / "frozen", str(files.folder))
    shutil.copytree(project.root, root / "added")
    split_dataset(project, "tickets", eval=30, dev=20)
    freeze(project)
    return {name: root / name for name in ("added", "frozen")}


@pytest.mark.parametrize("stage,commands", [("added", BEFORE_FREEZE), ("frozen", WRONG_WORDS)])
def test_wrong_commands_load_no_library_for_models(stages, stage, commands):
    for argv, wanted, got, heavy, error in walk(stages[stage], commands):
        assert (got, heavy) == (wanted, []), f"{argv}: {error}"
        assert error["remedy"], argv


@pytest.mark.parametrize("stage", ["started", "added"])
def test_the_gate_lists_what_it_takes_before_there_is_data(stages, stage, tmp_path, monkeypatch, capsys):
    if stage == "started":
        scaffold(tmp_path, InitAnswers(name="t", data="tickets", description="d", base="m", kind="text"))
    monkeypatch.chdir(tmp_path if stage == "started" else stages[stage])
    assert run(["gate", "--json"]) == 3
    body = json.loads(capsys.readouterr().out)
    rules = {r["rule"]: r for r in body["result"]["rules"]}
    assert set(rules) == {*HARD, *WAIVABLE}
    assert all(r["status"] == "later" or r["fix"] for r in rules.values())
    step = "sluice add tickets" if stage == "started" else "sluice split tickets"
    assert rules["eval-set-frozen"]["fix"].startswith(step)
    assert rules["rows-trainable"]["fix"].startswith(step)
    assert body["error"]["remedy"].startswith(step)
    assert run(["gate"]) == 3
    assert capsys.readouterr().out.count("\nREFUSED") == 2


@pytest.mark.parametrize(
    "argv,where,needed",
    [
        (["gate", "--rows", "nope"], "--rows", "no-leakage"),
        (["plan", "--precision", "fp13"], "--precision", "bf16"),
        (["waive", "gradable", "--reason", "no"], "--reason", "sluice waive gradable"),
        (["compare", "a.jsonl"], "a.jsonl", "sluice compare a.jsonl"),
        (["compare", "a", "b", "--range", "1", "0"], "--range", "--range 0 1"),
        (["compare", "a", "b", "--claim", "not-worse"], "--claim not-worse", "--margin"),
        (["grade"], None, "--words"),
    ],
)
def test_what_is_wrong_is_named_by_its_option_with_what_is_known(stages, argv, where, needed, monkeypatch, capsys):
    monkeypatch.chdir(stages["frozen"])
    assert run([*argv, "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["where"] == where
    assert needed in error["remedy"]


def test_a_reason_that_is_too_short_is_told_how_long_it_must_be(stages, monkeypatch, capsys):
    monkeypatch.chdir(stages["frozen"])
    assert run(["waive", "gradable", "--reason", "holiday", "--by", "ana"]) == 2
    said = capsys.readouterr().err
    assert "10 characters" in said
    assert "'holiday' has 7" in said


@pytest.mark.parametrize("argv", [["freeze", "--as", "other"], ["freeze", "--keep", "1234567890"]])
def test_every_verb_asks_for_the_same_reasons(stages, argv, monkeypatch, capsys):
    monkeypatch.chdir(stages["frozen"])
    assert run([*argv, "--reason", "m"]) == 2
    assert "10 characters" in capsys.readouterr().err


def test_an_answer_is_judged_once():
    items = [object(), object()]
    assert [item for item, _ in parse("2=r,1=w", items)] == items[::-1]
    with pytest.raises(UsageError, match="judged twice"):
        parse("1=r,2=w,1=w", items)


def test_the_same_waiver_typed_twice_is_one_fact(tmp_path):
    rule = RuleResult(rule="gradable", status="refused", found="nobody graded", value="1", word="absent")
    report = GateReport(
        task="t",
        dataset="d/train",
        version="",
        base="m",
        form="float32",
        open=False,
        rules=(rule,),
        advice=(),
        loosened=(),
    )
    scaffold(tmp_path, InitAnswers(name="t", data="d", description="d", base="m", kind="text"))
    first = waive(Project(tmp_path), report, "gradable", ENOUGH, by="ana")
    waived = report.model_copy(update={"rules": (rule.model_copy(update={"status": "waived"}),)})
    assert waive(Project(tmp_path), waived, "gradable", ENOUGH, by="ana").hash == first.hash
    assert waive(Project(tmp_path), waived, "gradable", ENOUGH, by="bo").hash != first.hash
    assert waive(Project(tmp_path), waived, "gradable", ENOUGH + " again", by="ana").hash != first.hash


def test_compare_of_one_log_outside_a_project_asks_for_the_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["compare", "a.jsonl"]) == 2
    assert "two logs" in capsys.readouterr().err


def test_no_adapter_yet_leads_to_the_next_step_of_the_road(stages, monkeypatch, capsys):
    monkeypatch.chdir(stages["frozen"])
    assert run(["adapters"]) == 0
    assert "sluice baseline" in capsys.readouterr().out
