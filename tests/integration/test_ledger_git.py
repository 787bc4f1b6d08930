"""The ledger and real git: whatever git does to the working tree, no fact is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support import git

from sluice.core.files import append_line, read_lines
from sluice.core.ledger import Facts, Ledger
from sluice.core.project import Project, gitattributes_text, gitignore_text

TOML = """
[task]
name = "t"
data = "d"
description = "x"
rubric = "rubric.md"
[model]
base = "m"
[project]
id = "p-1"
"""
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed here")


class Copy:
    """A clone of the project, as one person has it."""

    def __init__(self, root: Path):
        self.root = root
        self.project = Project(root)
        self.ledger = Ledger(self.project)

    def git(self, *words: str) -> str:
        return git.git(self.root, *words)

    def commit(self, message: str = "facts") -> None:
        git.commit(self.root, message)

    def read(self) -> Facts:
        return self.ledger.read()

    def hashes(self) -> set[str]:
        facts = self.read()
        assert [p for p in facts.problems if p.word == "tampered"] == []
        return {f.hash for f in facts.facts}


def begin(root: Path) -> Copy:
    root.mkdir(parents=True, exist_ok=True)
    (root / "sluice.toml").write_text(TOML)
    (root / "rubric.md").write_bytes(b"one\ntwo\n")
    (root / ".gitignore").write_text(gitignore_text())
    (root / ".gitattributes").write_text(gitattributes_text())
    copy = Copy(root)
    copy.project.make_store()
    copy.git("init", "-q")
    copy.commit("init")
    return copy


def clone(copy: Copy, root: Path, *options: str) -> Copy:
    copy.git("clone", "-q", *options, str(copy.root), str(root))
    return Copy(root)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return begin(tmp_path / "one")


def test_the_ledgers_of_two_copies_are_one_union_with_two_heads(copy: Copy, tmp_path: Path) -> None:
    shared = copy.ledger.write("frozen", {"set": "s"})
    append_line(copy.project.decisions / "labels.jsonl", '{"id":"0"}')
    copy.commit()
    other = clone(copy, tmp_path / "two")
    written = {shared.hash}
    for side, name in ((copy, "one"), (other, "two")):
        for kind in ("frozen", "opened", "graded", "evaluated"):
            written.add(side.ledger.write(kind, {"by": name}).hash)
        append_line(side.project.decisions / "labels.jsonl", f'{{"id":"{name}"}}')
        side.commit(name)
    git.merge(copy.root, other.root)
    facts = copy.read()
    assert {f.hash for f in facts.facts} == written
    assert facts.problems == ()
    assert facts.uncommitted == ()
    assert {r["id"] for r in read_lines(copy.project.decisions / "labels.jsonl")} == {"0", "one", "two"}
    assert len(facts.heads()) == 2
    after = copy.ledger.write("chosen", {})
    assert list(after.parents) == facts.heads()
    assert copy.read().ancestors(after.hash) == written
    order = [f.hash for f in copy.read().facts]
    assert all(order.index(p) < order.index(f.hash) for f in copy.read().facts for p in f.parents)


def test_the_same_fact_on_both_sides_is_no_conflict(copy: Copy, tmp_path: Path) -> None:
    other = clone(copy, tmp_path / "two")
    fact = copy.ledger.write("opened", {"n": 1})
    name = f"{fact.hash}.json"
    other.project.ledger.mkdir()
    (other.project.ledger / name).write_bytes((copy.project.ledger / name).read_bytes())
    copy.commit("one")
    other.commit("two")
    git.merge(copy.root, other.root)
    assert copy.hashes() == {fact.hash}


def test_an_older_branch_loses_no_fact(copy: Copy) -> None:
    copy.git("branch", "older")
    committed = copy.ledger.write("opened", {"n": 1})
    copy.commit()
    loose = copy.ledger.write("evaluated", {"n": 2})
    copy.git("checkout", "-q", "older")
    assert not (copy.project.ledger / f"{committed.hash}.json").exists(), "git did take it away"
    facts = copy.read()
    assert {f.hash for f in facts.facts} == {committed.hash, loose.hash}
    assert facts.written_back == (committed.hash,)
    assert set(facts.uncommitted or ()) == {committed.hash, loose.hash}
    assert copy.read().written_back == ()


def test_stash_of_untracked_files_loses_no_fact(copy: Copy) -> None:
    loose = copy.ledger.write("opened", {"n": 1})
    copy.git("stash", "-q", "-u")
    assert not (copy.project.ledger / f"{loose.hash}.json").exists()
    facts = copy.read()
    assert facts.written_back == (loose.hash,)
    assert {f.hash for f in facts.facts} == {loose.hash}


@pytest.mark.parametrize("options", [["-fd"], ["-fdx", "-e", ".sluice"]])
def test_clean_loses_no_fact(copy: Copy, options: list[str]) -> None:
    loose = copy.ledger.write("opened", {"n": 1})
    copy.git("clean", "-q", *options)
    assert not copy.project.ledger.exists()
    assert copy.hashes() == {loose.hash}


def test_clean_of_ignored_files_leaves_what_was_committed(copy: Copy) -> None:
    committed = copy.ledger.write("opened", {"n": 1})
    copy.commit()
    copy.git("clean", "-q", "-fdx")
    assert not copy.project.store.exists()
    (copy.project.ledger / f"{committed.hash}.json").unlink()
    facts = copy.read()
    assert {f.hash for f in facts.facts} == {committed.hash}, "HEAD still holds it"
    assert facts.written_back == (committed.hash,)
    assert (copy.project.ledger_copy / f"{committed.hash}.json").exists()


def test_a_fact_removed_from_both_places_counts_from_head(copy: Copy) -> None:
    fact = copy.ledger.write("opened", {"n": 1})
    copy.commit()
    for place in (copy.project.ledger, copy.project.ledger_copy):
        (place / f"{fact.hash}.json").unlink()
    assert copy.read().written_back == (fact.hash,)
    assert copy.hashes() == {fact.hash}


def test_an_edited_and_committed_fact_is_tampered_by_name(copy: Copy) -> None:
    fact = copy.ledger.write("graded", {"right": 9})
    file = copy.project.ledger / f"{fact.hash}.json"
    file.write_bytes(file.read_bytes().replace(b":9", b":8"))
    copy.commit()
    facts = copy.read()
    assert {(p.word, p.name) for p in facts.problems} == {
        ("tampered", f"ledger/{file.name}"),
        ("tampered", f"HEAD/{file.name}"),
    }
    assert facts.facts == (fact,), "the copy beside git is whole"


def test_line_ends_are_never_changed(copy: Copy, tmp_path: Path) -> None:
    fact = copy.ledger.write("graded", {"text": "a\nb"})
    kept = {
        "prompts/p.md": b"a\nb\n",
        "prompts/deep/q.md": b"a\r\nb\r\n",
        "evals/s-12345678/rows.jsonl": b'{"a":1}\n{"a":2}\n',
        "evals/s-12345678/manifest.json": b"{\n}\n",
        "graders/g.py": b"def grade(): ...\n",
        "schema.json": b"{\n}\n",
        "decisions/me.jsonl": b'{"id":1}\n',
    }
    for name, data in kept.items():
        (copy.root / name).parent.mkdir(parents=True, exist_ok=True)
        (copy.root / name).write_bytes(data)
    (copy.root / "notes.txt").write_bytes(b"a\nb\n")
    copy.commit()
    other = clone(copy, tmp_path / "windows", "--config", "core.autocrlf=true", "--config", "core.eol=crlf")
    assert (other.root / "notes.txt").read_bytes() == b"a\r\nb\r\n", "the setting is at work on other files"
    for name, data in (kept | {"rubric.md": b"one\ntwo\n"}).items():
        assert (other.root / name).read_bytes() == data, name
    assert other.hashes() == {fact.hash}
    assert other.git("status", "--porcelain") == ""


def test_files_that_the_project_names_keep_their_bytes_too(tmp_path: Path) -> None:
    names = ["docs/my rubric.md", "schéma.json", "#odd[1].md", "rubric.md"]
    text = gitattributes_text(names)
    assert text.count("rubric.md -text\n") == 1
    root = tmp_path / "p"
    copy = begin(root)
    (root / ".gitattributes").write_text(text)
    for name in names:
        assert copy.git("check-attr", "text", "--", name).rstrip().endswith("text: unset"), name
    assert copy.git("check-attr", "text", "--", "src/main.py").rstrip().endswith("text: unspecified")
    assert copy.git("check-attr", "merge", "--", "decisions/a.jsonl").rstrip().endswith("merge: union")


def test_a_clone_has_the_committed_facts_and_makes_its_copy(copy: Copy, tmp_path: Path) -> None:
    fact = copy.ledger.write("opened", {"n": 1})
    copy.commit()
    copy.ledger.write("opened", {"n": 2})
    other = clone(copy, tmp_path / "two")
    assert not other.project.store.exists()
    assert other.hashes() == {fact.hash}
    assert (other.project.ledger_copy / f"{fact.hash}.json").exists()
    assert other.git("status", "--porcelain") == "", "the copy is not in git"
    assert len(copy.read().uncommitted or ()) == 1


def test_a_project_below_the_top_of_a_repository(tmp_path: Path) -> None:
    top = begin(tmp_path / "repo")
    inner = Copy(top.root / "tasks" / "one [a]*")
    inner.root.mkdir(parents=True)
    (inner.root / "sluice.toml").write_text(TOML)
    mine, outer = inner.ledger.write("opened", {"n": 1}), top.ledger.write("opened", {"n": 2})
    top.commit()
    for copy, fact in ((inner, mine), (top, outer)):
        for place in (copy.project.ledger, copy.project.ledger_copy):
            (place / f"{fact.hash}.json").unlink()
        facts = copy.read()
        assert [f.hash for f in facts.facts] == [fact.hash]
        assert facts.uncommitted == ()


def test_inside_a_git_hook_the_right_repository_is_read(
    copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fact = copy.ledger.write("opened", {"n": 1})
    copy.commit()
    other = begin(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    assert copy.read().uncommitted == ()
    assert {f.hash for f in copy.read().facts} == {fact.hash}


def test_a_linked_worktree_has_a_head_of_its_own(copy: Copy, tmp_path: Path) -> None:
    fact = copy.ledger.write("opened", {"n": 1})
    copy.commit()
    copy.git("worktree", "add", "-q", str(tmp_path / "tree"))
    other = Copy(tmp_path / "tree")
    (other.project.ledger / f"{fact.hash}.json").unlink()
    assert other.read().written_back == (fact.hash,)


def test_a_repository_without_a_commit_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "sluice.toml").write_text(TOML)
    copy = Copy(tmp_path)
    copy.git("init", "-q")
    fact = copy.ledger.write("opened", {"n": 1})
    facts = copy.read()
    assert facts.uncommitted is None
    assert facts.facts == (fact,)
