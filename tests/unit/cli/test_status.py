"""status: the first thing that lacks is marked, its command is exact, and nothing heavy is loaded."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import whole_project

from sluice.cli.app import run
from sluice.cli.verbs.status import short
from sluice.core.ledger import Ledger
from sluice.core.project import Project
from sluice.core.scaffold import InitAnswers, scaffold
from sluice.core.standing import verdict_file
from sluice.core.status import Status, status
from sluice.curate.dataset import open_dataset
from sluice.curate.sample import sample
from sluice.curate.splits.parts import split_dataset
from sluice.evalsuite.freeze import freeze

HEAVY = ["polars", "pyarrow", "scipy", "torch", "transformers", "datasketch", "duckdb", "numpy"]


@pytest.fixture(scope="module")
def stages(tmp_path_factory) -> dict[str, Path]:
    """A copy of one project at each step of the road."""
    root = tmp_path_factory.mktemp("road")
    files = whole_project.base_model(root / "base")
    project = whole_project.start(root / "project", str(files.folder))
    steps = {
        "added": lambda: None,
        "split": lambda: split_dataset(project, "tickets", eval=30, dev=20),
        "frozen": lambda: freeze(project),
        "measured": lambda: whole_project.measure(project, files),
        "trained": lambda: whole_project.train(project, files),
    }
    copies: dict[str, Path] = {}
    for name, step in steps.items():
        step()
        copies[name] = root / name
        shutil.copytree(project.root, copies[name])
    return copies


def here(found: Status) -> str | None:
    return next((s.name for s in found.stages if s.here), None)


def first(found: Status) -> str:
    return found.next[0].command


@pytest.mark.parametrize(
    "step,stage,command",
    [
        ("added", "data", "sluice dedup tickets"),
        ("split", "eval set", "sluice freeze"),
        ("frozen", "baseline", "sluice baseline"),
        ("measured", "adapter", "sluice grade"),
        ("trained", "adapter", "sluice compare sft-1"),
    ],
)
def test_the_road_step_by_step(stages, step, stage, command):
    found = status(Project(stages[step]))
    assert here(found) == stage
    assert first(found) == command
    done = [s.name for s in found.stages if s.done]
    assert done == ["data", "eval set", "baseline", "adapter"][: len(done)]


def test_a_trained_project_shows_openings_and_waivers(stages):
    found = status(Project(stages["trained"]))
    assert (found.openings_used, found.openings_allowed) == (0, 1)
    assert len(found.waived) == 1
    assert "gradable" in found.waived[0]
    assert "ana" in found.waived[0]
    assert any(s.command == "sluice compare sft-1 --final" for s in found.next)


def test_once_the_set_was_opened_for_it_nothing_is_left_to_do(stages, tmp_path):
    shutil.copytree(stages["trained"], tmp_path / "p")
    project = Project(tmp_path / "p")
    facts = Ledger(project).read()
    body = {"set": facts.of("frozen")[0].body["set"], "spec": "1" * 64, "role": "eval"}
    Ledger(project).write("opened", body | {"adapter": facts.of("trained")[0].body["adapter"]})
    assert status(project).openings_used == 1
    Ledger(project).write("evaluated", body | {"adapter": facts.of("trained")[0].body["adapter"]})
    found = status(project)
    assert here(found) is None
    assert found.openings_used == 1


def test_with_all_openings_spent_no_verdict_is_proposed(stages, tmp_path):
    shutil.copytree(stages["trained"], tmp_path / "p")
    project = Project(tmp_path / "p")
    assert not any("opening" in n for n in status(project).notices)
    digest = Ledger(project).read().of("frozen")[0].body["set"]
    Ledger(project).write("opened", {"set": digest, "spec": "1" * 64, "role": "eval", "adapter": "2" * 64})
    found = status(project)
    assert not any("--final" in s.command for s in found.next)
    assert any("no opening" in n for n in found.notices)


def test_an_empty_project_and_one_that_only_curates(tmp_path, monkeypatch, capsys):
    scaffold(tmp_path, InitAnswers(name="t", data="tickets", description="d", base="m", kind="json"))
    found = status(Project(tmp_path))
    assert here(found) == "data"
    assert [s.name for s in found.stages] == ["data", "eval set", "baseline", "adapter"]
    assert found.next[0].command.startswith("sluice add tickets ")
    assert found.next[0].command.endswith("--dry-run")
    assert found.advice
    monkeypatch.chdir(tmp_path)
    assert run([]) == 0
    drawn = capsys.readouterr().out
    assert "<- you are here" in drawn
    assert drawn.index("data") < drawn.index("eval set") < drawn.index("Next:")
    (tmp_path / "sluice.toml").unlink()
    scaffold(tmp_path, InitAnswers(name="t", data="tickets", description="d", base="m", kind="curate"))
    found = status(Project(tmp_path))
    assert [s.name for s in found.stages] == ["data"]
    assert found.curate_only
    assert not found.advice


def test_files_that_lie_here_are_named_in_the_next_command(tmp_path):
    scaffold(tmp_path, InitAnswers(name="t", data="tickets", description="d", base="m", kind="text"))
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.jsonl").write_text('{"prompt": "x", "completion": "y"}\n')
    assert first(status(Project(tmp_path))) == "sluice add tickets raw/a.jsonl --dry-run"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", '{"id": 7, "note": "a long text", "label": "x"}\n' * 2),
        ("-a b.jsonl", '\n{"the body": "a long text"}\n'),
        ("a.csv", "id;body;category\n1;a long text, with a comma;x\n"),
        ("a.tsv", "id\tbody\n1\ta long text\n"),
        ("a.csv", "\ufeffnummer,anfrage\n1,ein langer Text\n"),
        ("a.jsonl", '{"input": "x", "target": "y"}\n'),
    ],
)
def test_the_first_commands_of_all_work_as_they_stand(tmp_path, monkeypatch, capsys, name, content):
    scaffold(tmp_path, InitAnswers(name="t", data="tickets", description="d", base="m", kind="text"))
    (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    steps = [step.command for step in status(Project(tmp_path)).next]
    assert len(steps) == 2
    for step in steps:
        assert run(shlex.split(step)[1:]) == 0, step
    rows = open_dataset(Project(tmp_path), "tickets").examples()
    assert all("text" in json.dumps(row.input).lower() or row.input == {"input": "x"} for row in rows)


def test_a_file_whose_columns_cannot_be_told_cheaply_gets_the_one_command_that_names_them(tmp_path):
    scaffold(tmp_path, InitAnswers(name="t", data="tickets", description="d", base="m", kind="text"))
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    (step,) = status(Project(tmp_path)).next
    assert step.command == "sluice add tickets a.parquet --dry-run"
    assert "--input" in step.remark


def test_a_store_without_a_toml_is_not_nagged_about_baselines(stages, tmp_path):
    shutil.copytree(stages["added"], tmp_path / "p")
    (tmp_path / "p" / "sluice.toml").unlink()
    found = status(Project(tmp_path / "p"))
    assert not found.started
    assert [s.name for s in found.stages] == ["data"]
    assert found.stages[0].done
    assert first(found) == "sluice audit tickets"
    assert found.next[-1].command == "sluice init"


@pytest.mark.parametrize("text", ["[task", '[task]\nname = "t"\n', "name = \xe9".encode("latin-1")])
def test_a_toml_that_cannot_be_read_is_a_notice(text, tmp_path):
    (tmp_path / "sluice.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    found = status(Project(tmp_path))
    assert len(found.notices) == 1
    assert "sluice.toml" in found.notices[0]


def test_lost_and_tampered_evidence_is_a_notice(stages, tmp_path):
    shutil.copytree(stages["frozen"], tmp_path / "p")
    project = Project(tmp_path / "p")
    entry = next(project.ledger.glob("*.json"))
    entry.unlink()
    found = status(project)
    assert any("written back" in n for n in found.notices)
    assert entry.exists()
    entry.write_bytes(b"{}")
    assert any(n.startswith("tampered") for n in status(project).notices)
    shutil.rmtree(project.evals)
    found = status(project)
    assert here(found) == "eval set"
    assert first(found) == "git checkout evals"


def test_work_that_was_cut_is_said(stages, tmp_path):
    shutil.copytree(stages["trained"], tmp_path / "p")
    project = Project(tmp_path / "p")
    (project.store / "training" / "sft-1" / "done").unlink()
    next(project.runs.glob("dev-*/closed.json")).unlink()
    notices = status(project).notices
    assert any("sft-1" in n for n in notices)
    assert any("not closed" in n for n in notices)


def test_a_project_in_git_says_what_is_not_committed(stages, tmp_path):
    shutil.copytree(stages["frozen"], tmp_path / "p")
    root = tmp_path / "p"
    assert any("git init" in n for n in status(Project(root)).notices)
    git = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@y", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "-q"], check=True, capture_output=True)
    subprocess.run([*git, "commit", "-qm", "empty", "--allow-empty"], check=True, capture_output=True)
    assert any(n.startswith("2 facts are not committed") for n in status(Project(root)).notices)
    subprocess.run([*git, "add", "ledger"], check=True, capture_output=True)
    subprocess.run([*git, "commit", "-qm", "facts"], check=True, capture_output=True)
    assert not any("committed" in n for n in status(Project(root)).notices)


def test_two_sets_frozen_apart_are_said_and_the_choice_counts(stages, tmp_path):
    shutil.copytree(stages["frozen"], tmp_path / "a")
    shutil.copytree(stages["split"], tmp_path / "b")
    other = Project(tmp_path / "b")
    sample(other, "tickets/dev", 22, to="tickets-2")
    freeze(other, "tickets-2", name="tickets")
    for file in other.ledger.glob("*.json"):
        shutil.copy(file, tmp_path / "a" / "ledger")
    shutil.copytree(other.evals, tmp_path / "a" / "evals", dirs_exist_ok=True)
    project = Project(tmp_path / "a")
    found = status(project)
    assert here(found) == "eval set"
    assert first(found).startswith("sluice freeze --keep ")
    from sluice.evalsuite.freeze import keep

    keep(project, first(found).split()[3], "the larger one")
    assert here(status(project)) == "baseline"


def test_status_of_a_whole_project_loads_nothing_heavy(stages):
    code = (
        "import sys, json\nfrom sluice.cli.app import run\n"
        "code = run(['status', '--json'])\n"
        f"print(json.dumps([code, sorted(set({HEAVY!r}) & set(sys.modules))]), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=stages["trained"], capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stderr.splitlines()[-1]) == [0, []]
    assert json.loads(done.stdout)["result"]["stages"][0]["name"] == "data"


def test_the_home_folder_is_a_tilde():
    home = str(Path.home())
    assert short(home + "/x") == "~/x"
    assert short(home + "x") == home + "x"


def test_the_verdict_is_shown_once_the_answers_are_on_record(stages, tmp_path):
    shutil.copytree(stages["trained"], tmp_path / "p")
    project = Project(tmp_path / "p")
    ledger = Ledger(project)
    facts = ledger.read()
    digest, adapter = facts.of("frozen")[0].body["set"], facts.of("trained")[0].body["adapter"]
    body = {"set": digest, "spec": "1" * 64, "role": "eval", "adapter": adapter}
    kept = verdict_file(project, adapter, digest)
    kept.parent.mkdir()
    kept.write_text('{"word": "not-worse", "sentence": "helped 3, hurt 1, not worse", "against_reference": null}')
    ledger.write("opened", body)
    found = status(project)
    assert here(found) == "adapter"
    assert "opened" in found.stages[-1].text
    assert any(s.command == "sluice compare sft-1 --final" for s in found.next)
    ledger.write("evaluated", body)
    found = status(project)
    assert here(found) is None
    assert found.stages[-1].text == "sft-1: not worse: helped 3, hurt 1"
    assert [s.command for s in found.next] == ["sluice adapters"]
    kept.unlink()
    assert "sluice compare sft-1 --final" in status(project).stages[-1].text


def test_what_sluice_toml_names_and_is_not_there_is_said_and_the_way_is_shown(stages, tmp_path, monkeypatch, capsys):
    root = tmp_path / "p"
    shutil.copytree(stages["frozen"], root)
    text = (root / "sluice.toml").read_text()
    assert 'metric = "exact"' in text
    (root / "rubric.md").unlink()
    (root / "sluice.toml").write_text(text.replace('metric = "exact"', 'metric = "exakt"\nschema = "gone.json"'))
    monkeypatch.chdir(root)
    assert run(["status", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["result"]
    said = "\n".join(result["notices"])
    assert "rubric.md" in said
    assert "gone.json" in said
    assert "'exakt'" in said
    assert "'exact'" in said
    assert result["next"][0]["command"] == "sluice baseline"
    assert run(["gate", "--json"]) == 2
    assert run(["status"]) == 0


def test_what_found_nothing_is_named_no_more_and_rows_in_no_part_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["kettle", "lamp", "desk", "chair", "blender", "tent", "stove", "radio", "mirror", "carpet"]

    def lines(name: str, first: int, last: int) -> str:
        texts = (f"{words[i % 10]} {i * 7919 % 9973} of {words[i // 10]} is broken, {i}" for i in range(first, last))
        some = [json.dumps({"input": text, "target": "ab"[i % 2]}) for i, text in enumerate(texts)]
        (tmp_path / name).write_text("".join(f"{line}\n" for line in some))
        return name

    def named() -> set[str]:
        return {step.command.split()[1] for step in status(Project(tmp_path)).next}

    assert run(["add", "d", lines("a.jsonl", 0, 40)]) == 0
    assert {"audit", "dedup"} <= named()
    assert run(["audit", "d"]) == 0
    assert run(["dedup", "d"]) == 0
    assert not {"audit", "dedup", "split"} & named()
    assert run(["split", "d", "--eval", "6"]) == 0
    assert "split" not in named()
    assert run(["add", "d", lines("b.jsonl", 40, 60)]) == 0
    assert {"audit", "dedup", "split"} <= named()
    assert run(["split", "d"]) == 0
    assert "split" not in named()
    assert run(["sample", "d", "30"]) == 0
    assert "split" not in named()
    assert run(["restore", "d", "--reason-was", "not-sampled"]) == 0
    assert "split" in named()
    assert run(["split", "d"]) == 0
    assert "split" not in named()
