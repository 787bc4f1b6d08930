"""doctor: every line says how to get what is missing, with or without torch, and --need decides the exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.cli.app import run
from sluice.core.project import Project
from sluice.core.scaffold import InitAnswers, scaffold
from sluice.evalsuite.doctor import _fits, _wanted, doctor
from sluice.evalsuite.models.at_hand import model_at_hand
from sluice.evalsuite.models.embedded import DEFAULT_MODEL

WITHOUT_TORCH = """
import sys
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "peft", "trl", "huggingface_hub"):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
sys.meta_path.insert(0, Gone())
from sluice.cli.app import run
sys.exit(run(["doctor", "--json", *sys.argv[1:]]))
"""


def without_torch(folder, *words: str) -> tuple[int, dict]:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def test_without_torch_it_says_what_is_missing_and_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SLUICE_CACHE", str(tmp_path / "cache"))
    code, body = without_torch(tmp_path)
    assert code == 0
    device = next(line for line in body["result"]["lines"] if line["name"] == "device")
    assert device["word"] == "missing"
    assert "sluiceway[train]" in device["fix"]
    code, body = without_torch(tmp_path, "--need", "train")
    assert code == 5
    assert "device" in body["error"]["message"]
    assert without_torch(tmp_path, "--need", "curate")[0] == 0


@pytest.mark.model
def test_a_machine_with_torch_is_measured(tmp_path):
    found = doctor(cache_dir=tmp_path)
    words = {line.name: line for line in found.lines}
    assert found.probe is not None
    assert words["precision"].word == "ok"
    assert found.probe.dtype in words["precision"].found
    assert f"torch {version('torch')}" in words["extra [train]"].found


def test_every_line_that_is_not_ok_has_a_fix(tmp_path):
    found = doctor(Project(tmp_path), cache_dir=tmp_path)
    assert {"python", "git", "packages", "extra [train]", "device", "memory", "disk", "model"} <= {
        line.name for line in found.lines
    }
    assert all(line.fix for line in found.lines if line.word != "ok")
    assert all(line.found for line in found.lines)


def test_the_model_of_the_project_is_looked_for_offline(tmp_path):
    base = tmp_path / "models" / "tiny"
    for name, where in (("here", str(base)), ("hub", "nobody/no-such-model-zz"), ("gone", str(tmp_path / "x" / "y"))):
        scaffold(tmp_path / name, InitAnswers(name=name, data="d", description="d", base=where, kind="text"))
    base.mkdir(parents=True)
    assert model_at_hand(str(base), tmp_path) is None, "a folder without a model"
    (base / "config.json").write_text("{}")
    (base / "model.safetensors").write_bytes(b"w" * 2_000_000)
    lines = {
        name: next(x for x in doctor(Project(tmp_path / name), cache_dir=tmp_path).lines if x.name == "model")
        for name in ("here", "hub", "gone")
    }
    assert (lines["here"].word, lines["hub"].word, lines["gone"].word) == ("ok", "missing", "missing")
    assert str(base) in lines["here"].found
    assert "huggingface.co" in (lines["hub"].fix or "")
    assert "sluice.toml" in (lines["gone"].fix or "")


def test_the_default_model_counts_once_it_is_whole(tmp_path):
    assert model_at_hand(DEFAULT_MODEL, tmp_path) is None
    folder = tmp_path / "models" / DEFAULT_MODEL
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    assert model_at_hand(DEFAULT_MODEL, tmp_path) == folder


def test_a_toml_that_cannot_be_read_does_not_stop_it(tmp_path, monkeypatch, capsys):
    (tmp_path / "sluice.toml").write_text("[task")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICE_CACHE", str(tmp_path / "cache"))
    assert run(["doctor"]) == 0
    assert "sluice.toml" in capsys.readouterr().out


@pytest.mark.parametrize(
    "found,bounds,fits",
    [
        ("2.13.0+cpu", ">=2.8,<3", True),
        ("2.7.9", ">=2.8,<3", False),
        ("3.0", ">=2.8,<3", False),
        ("2.8", ">=2.8.0", True),
        ("1.10.0", ">=1.9", True),
        ("5.0.0rc1", "<6", True),
        ("1.0", "", True),
    ],
)
def test_bounds(found, bounds, fits):
    assert _fits(found, bounds) is fits


@given(st.lists(st.integers(0, 99), min_size=1, max_size=4), st.lists(st.integers(0, 99), min_size=1, max_size=4))
def test_below_and_from_are_opposites(left, right):
    one, other = ".".join(map(str, left)), ".".join(map(str, right))
    assert _fits(one, f">={other}") is not _fits(one, f"<{other}")


def test_the_extras_are_read_from_the_distribution():
    assert "torch" in _wanted("train")
    assert "pydantic" in _wanted("")
    assert not set(_wanted("train")) & set(_wanted(""))
