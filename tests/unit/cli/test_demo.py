"""The demo writes into a folder of its own, and goes on in one that it began."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from sluice.cli.demo import steps
from sluice.cli.demo import walk as module
from sluice.cli.demo.walk import DATA, MARK, Stopped, Walk, grade, prepare, walk
from sluice.cli.terminal import Terminal
from sluice.core.errors import SurroundingsError


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", ["raw.jsonl", "notes.txt", "sluice.toml", ".sluice/store.duckdb"])
def test_a_folder_that_holds_something_else_is_left_alone(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(SurroundingsError) as problem:
        prepare(tmp_path)
    assert name.partition("/")[0] in problem.value.message
    assert files(tmp_path) == {name: b"mine"}


def test_a_new_one_is_filled_and_one_that_was_cut_goes_on(tmp_path):
    (tmp_path / "new" / ".git").mkdir(parents=True)
    for _ in range(2):
        prepare(tmp_path / "new")
        assert set(files(tmp_path / "new")) == {*DATA, MARK, "prompts/short.md"}
    (tmp_path / "new" / DATA[0]).unlink()
    prepare(tmp_path / "new")
    assert (tmp_path / "new" / DATA[0]).is_file()


class Verbs:
    """Stands in for the command: writes down what was run to its end, and can be cut at any one of the commands."""

    def __init__(self):
        self.ran: list[tuple[str, ...]] = []
        self.cut_at: int | None = None
        self.exits: dict[str, int] = {"train": 3}
        self.calls = 0

    def __call__(self, argv):
        self.calls += 1
        if self.calls - 1 == self.cut_at:
            if self.calls % 2:
                raise KeyboardInterrupt
            return 130  # as the edge says it
        if argv[0] == "init":
            Path("sluice.toml").write_text('[task]\n# stratify = "x"\n# [prompts]\n# train = "x"\n')
        self.ran.append(tuple(argv))
        impatient = argv[:3] == ["train", "sft", "--yes"]
        return self.exits.get(argv[0], 0) if argv[0] != "train" or impatient else 0


@pytest.fixture
def verbs(monkeypatch) -> Verbs:
    """The demo on a machine that trains 10 rows a second, 5,000 of them there, with nobody at a terminal."""
    fake = Verbs()
    monkeypatch.setattr("sluice.cli.app.run", fake)
    monkeypatch.setattr(module, "say_estimate", lambda out, w: None)
    monkeypatch.setattr(module, "say_planted", lambda out, step: None)
    monkeypatch.setattr(module, "best_gflops", lambda: 300.0)
    monkeypatch.setattr(module, "newest_adapter", lambda: "sft-1")
    monkeypatch.setattr("sluice.cli.verbs.plan.make", lambda *a, **k: SimpleNamespace(rows_per_second=10.0))
    monkeypatch.setattr("sluice.core.project.Project.find", lambda *a: None)
    held = SimpleNamespace(manifest=SimpleNamespace(rows=5000))
    monkeypatch.setattr("sluice.curate.dataset.open_dataset", lambda *a: held)
    return fake


def test_the_whole_road_is_walked_and_takes_the_rows_that_there_is_time_for(tmp_path, verbs):
    result = walk(Terminal(json=True), tmp_path / "demo")
    names = [argv[0] for argv in verbs.ran]
    assert names[0] == "init"
    assert names[-3:] == ["compare", "adapters", "log"]
    assert names.index("waive") < names.index("sample") < len(names) - 1 - names[::-1].index("train")
    (sample,) = (argv for argv in verbs.ran if argv[0] == "sample")
    assert 3500 < int(sample[2]) < 5000
    assert result["adapter"] == "sft-1"
    toml = (tmp_path / "demo" / "sluice.toml").read_text()
    assert 'train = "prompts/short.md"' in toml
    assert "# [prompts]" not in toml


def test_cut_at_any_step_it_goes_on_where_it_was(tmp_path, verbs):
    walk(Terminal(json=True), tmp_path / "whole")
    whole, verbs.ran = [argv[:2] for argv in verbs.ran], []
    assert len(whole) > 15
    for cut in range(len(whole)):
        verbs.calls, verbs.cut_at, verbs.ran = 0, cut, []
        folder = tmp_path / f"cut{cut}"
        here = Path.cwd()
        with pytest.raises(KeyboardInterrupt):
            walk(Terminal(json=True), folder)
        assert Path.cwd() == here
        assert [argv[:2] for argv in verbs.ran] == whole[:cut]
        walk(Terminal(json=True), folder)
        assert [argv[:2] for argv in verbs.ran] == whole, f"cut at {whole[cut]}"


def test_a_step_that_fails_stops_the_demo_and_is_tried_again(tmp_path, verbs):
    verbs.exits["dedup"] = 5
    with pytest.raises(Stopped) as problem:
        walk(Terminal(json=True), tmp_path / "demo")
    assert "dedup" in problem.value.message
    assert "sluice demo" in (problem.value.remedy or "")
    verbs.exits["dedup"] = 0
    walk(Terminal(json=True), tmp_path / "demo")
    assert [argv[0] for argv in verbs.ran].count("add") == 2


@pytest.mark.parametrize(
    ("at_terminal", "code", "sealed", "reason"),
    [
        (False, 0, False, steps.NOBODY),
        (True, 0, True, None),
        (True, 0, False, steps.STOPPED),
        (True, 4, True, steps.NOT_HELD),
    ],
)
def test_what_is_waived_has_the_reason_that_is_true(tmp_path, verbs, monkeypatch, at_terminal, code, sealed, reason):
    monkeypatch.setattr(module, "wants_to_grade", lambda out: at_terminal)
    monkeypatch.setattr(module, "graded", lambda: sealed)
    verbs.exits["grade"] = code
    verbs.cut_at = 1 if at_terminal and reason else None  # between the grading and the waiver
    (tmp_path / MARK).parent.mkdir()
    for _ in range(2):
        try:
            grade(Terminal(json=True), Walk(Terminal(json=True), tmp_path))
        except KeyboardInterrupt:
            monkeypatch.setattr(module, "wants_to_grade", lambda out: False)
    assert [argv[argv.index("--reason") + 1] for argv in verbs.ran if argv[0] == "waive"] == [reason] * bool(reason)
    assert [argv[0] for argv in verbs.ran].count("grade") == int(at_terminal)
    assert json.loads((tmp_path / MARK).read_bytes())
