from __future__ import annotations

import os
from pathlib import Path

import pytest

from sluice.core.errors import InputError
from sluice.core.project import Project, gitattributes_text, gitignore_text


def test_the_nearest_folder_upwards_is_the_project(tmp_path: Path) -> None:
    (tmp_path / "sluice.toml").touch()
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert Project.find(inner).root == tmp_path.resolve()
    (tmp_path / "a" / ".sluice").mkdir()
    assert Project.find(inner).root == (tmp_path / "a").resolve()
    assert not Project.find(inner).has_config
    (inner / "sluice.toml").mkdir()
    assert Project.find(inner).root == (tmp_path / "a").resolve(), "a folder of that name is no project file"


def test_no_project_says_how_to_begin(tmp_path: Path) -> None:
    found = Project.find_or_none(tmp_path)
    if found is not None:
        pytest.skip("the folder for temporary files lies in a project")
    with pytest.raises(InputError) as problem:
        Project.find(tmp_path)
    assert problem.value.remedy == "sluice init"


def test_the_store_is_made_once_and_hides_itself_from_git(tmp_path: Path) -> None:
    project = Project(tmp_path).make_store()
    assert (project.store / ".gitignore").read_text() == "*\n"
    (project.store / ".gitignore").write_text("mine\n")
    project.make_store()
    assert (project.store / ".gitignore").read_text() == "mine\n"
    assert {p.name for p in project.store.iterdir()} == {".gitignore", "data", "operations", "names"}
    assert os.listdir(tmp_path) == [".sluice"], "add outside a project makes nothing else"


def test_files_of_the_project_stay_in_it(tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    (tmp_path / "secret").write_text("x")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "in.md").write_text("in")
    project = Project(root)
    assert project.read_text("in.md", what="the rubric") == "in"
    for name in ("../secret", str(tmp_path / "secret"), "link"):
        with pytest.raises(InputError, match="the rubric lies outside"):
            project.file(name, what="the rubric")
    for name in ("none.md", "."):
        with pytest.raises(InputError, match="does not exist"):
            project.file(name, what="the rubric")


def test_a_lock_of_the_project_is_under_its_store(tmp_path: Path) -> None:
    project = Project(tmp_path)
    with project.lock("opening", what="the opening"):
        assert (project.store / "locks" / "opening.lock").exists()


def test_what_git_is_told() -> None:
    assert gitignore_text() == ".sluice/\n"
    lines = gitattributes_text(["rubric.md", "docs/r.md", "graders/g.py"]).splitlines()
    for name in ("ledger/**", "evals/**", "prompts/**", "graders/**", "rubric.md", "schema.json", "docs/r.md"):
        assert lines.count(f"{name} -text") == 1
    assert "decisions/*.jsonl merge=union -text" in lines
