"""The verb verify: three words, names first, exit 0 or 1."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.whole_project import whole_project

from sluice.cli.app import run
from sluice.core.project import Project


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return whole_project(tmp_path_factory.mktemp("verify"))[0].root


@pytest.fixture
def project(whole, tmp_path, monkeypatch) -> Project:
    shutil.copytree(whole, tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    monkeypatch.setenv("SLUICE_CACHE", str(tmp_path / "cache"))
    return Project(tmp_path / "p")


def test_intact_is_one_sentence_and_0(project, capsys):
    assert run(["verify"]) == 0
    drawn = capsys.readouterr().out
    assert "are intact" in drawn.splitlines()[0]
    assert "tampered " not in drawn.split("what", 1)[1].split("\n", 1)[1]
    assert run(["verify", "--all"]) == 0
    assert "evals/tickets-" in capsys.readouterr().out


def test_tampered_is_1_and_named_first(project, capsys):
    (project.adapters / "sft-1" / "adapter_model.safetensors").write_bytes(b"x")
    shutil.rmtree(next(project.runs.glob("dev-*")))
    assert run(["verify"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Tampered: 1 of")
    named = [line for line in lines if line.startswith(("tampered ", "absent "))]
    assert ".sluice/adapters/sft-1" in named[0]
    assert any(".sluice/runs/dev-" in line for line in named[1:])
    assert run(["verify", "--json"]) == 1
    body = json.loads(capsys.readouterr().out)
    assert body["error"]["code"] == "tampered"
    assert body["result"]["word"] == "tampered"
    assert [f["name"] for f in body["result"]["findings"] if f["word"] == "tampered"] == [".sluice/adapters/sft-1"]


def test_a_clone_is_absent_and_0(project, capsys):
    shutil.rmtree(project.store)
    assert run(["verify", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["result"]["word"] == "absent"
    assert body["error"] is None
    assert run(["verify"]) == 0
    assert capsys.readouterr().out.startswith("No alarm")


def test_an_empty_project_has_nothing_to_verify(tmp_path, monkeypatch, capsys):
    (tmp_path / ".sluice").mkdir()
    monkeypatch.chdir(tmp_path)
    assert run(["verify"]) == 0
    assert "nothing" in capsys.readouterr().out
