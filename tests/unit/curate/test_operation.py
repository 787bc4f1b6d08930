"""Committing: all results of an operation or none, each number once, races done again on the winner."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sluice.core.errors import InputError, SurroundingsError
from sluice.core.files import watch_syncs
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.curate.dataset import has_dataset, lineage, open_dataset, rows_frame, versions
from sluice.curate.operation import Outcome, commit, newest_number, recover


def outcome(project: Project, name: str, *texts: str, **more) -> Outcome:
    """Add rows of these texts on top of the newest version."""
    import polars as pl

    newest = open_dataset(project, name) if has_dataset(project, name) else None
    new = rows_frame([Example(input={"x": text}) for text in texts])
    return Outcome(
        verb="add",
        parameters={},
        parents=(newest.parent,) if newest else (),
        contents={name: pl.concat([newest.frame(), new]) if newest else new},
        rows_in=newest.manifest.rows if newest else 0,
        **more,
    )


def test_an_operation_names_its_parents_and_results(tmp_path):
    project = Project(tmp_path)
    first = commit(project, lambda: outcome(project, "d", "one"))
    second = commit(project, lambda: outcome(project, "d", "two", counts={"added": 1}))
    assert first is not None
    assert second is not None
    assert [r.number for r in (*first.results, *second.results)] == [1, 2]
    assert (second.rows_in, second.rows_out, second.counts) == (1, 2, {"added": 1})
    assert second.parents[0].version == first.results[0].version
    assert lineage(open_dataset(project, "d")) == [second, first]


def test_a_full_disk_is_said_with_its_place_and_changes_nothing(tmp_path, monkeypatch):
    project = Project(tmp_path)
    commit(project, lambda: outcome(project, "d", "one"))
    real = Path.write_bytes

    def full(self, data):
        if self.suffix == ".parquet":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(SurroundingsError, match="disk is full") as problem:
        commit(project, lambda: outcome(project, "d", "two"))
    assert str(project.store) in (problem.value.where or "")
    assert newest_number(project, "d") == 1


def test_nothing_to_do_makes_no_number(tmp_path):
    project = Project(tmp_path)
    assert commit(project, lambda: None) is None
    assert newest_number(project, "d") == 0


def test_an_error_while_building_leaves_nothing(tmp_path):
    project = Project(tmp_path)

    def build() -> Outcome:
        raise InputError("bad")

    with pytest.raises(InputError):
        commit(project, build)
    assert not has_dataset(project, "d")
    assert not list(project.data.iterdir())


def test_the_loser_of_a_race_does_it_again_on_the_winner(tmp_path):
    project = Project(tmp_path)
    commit(project, lambda: outcome(project, "d", "zero"))
    built = threading.Barrier(3)
    calls = []

    def build(text: str):
        calls.append(text)
        made = outcome(project, "d", text)
        if calls.count(text) == 1:
            built.wait(timeout=20)
        return made

    jobs = [threading.Thread(target=commit, args=(project, lambda t=t: build(t))) for t in ("a", "b", "c")]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert {r.input["x"] for r in open_dataset(project, "d").examples()} == {"zero", "a", "b", "c"}
    assert [v.number for v in versions(project, "d")] == [1, 2, 3, 4]
    assert len(calls) > 3


def test_several_results_come_all_or_none(tmp_path):
    """The plug is pulled after each fsync in turn, by an exception that nothing catches."""

    class Plug(BaseException):
        pass

    def parts() -> Outcome:
        contents = {f"d/{p}": rows_frame([Example(input={"x": p})]) for p in ("train", "dev", "eval")}
        return Outcome(verb="split", parameters={}, parents=(), contents=contents, rows_in=3, report={"a": 1})

    at, seen = 0, set()
    while True:
        at += 1
        project = Project(tmp_path / str(at))
        left = [at]

        def pull(_path: str, left=left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Plug

        try:
            with watch_syncs(pull):
                commit(project, parts)
        except Plug:
            pass
        else:
            break
        found = {p for p in ("train", "dev", "eval") if has_dataset(project, f"d/{p}")}
        assert found in (set(), {"train", "dev", "eval"}), f"after fsync {at}"
        seen.add(len(found))
        for part in found:
            open_dataset(project, f"d/{part}").check()
        done = commit(project, parts) if not found else None
        assert found or done is not None
        assert not list((project.store / "tmp").iterdir()), "left-overs"
    assert seen == {0, 3}
    assert at > 8


def test_a_pending_numbering_is_finished_by_the_next_reader(tmp_path):
    project = Project(tmp_path)
    commit(project, lambda: outcome(project, "d", "one"))
    entry = json.loads((project.names / "d" / "1.json").read_bytes())
    (project.names / "pending.json").write_text(json.dumps([{**entry, "number": 2}]))
    recover(project)
    assert open_dataset(project, "d").number == 2
    assert not (project.names / "pending.json").exists()


def test_a_live_job_is_never_cleaned_as_a_left_over(tmp_path):
    """A job of another process is under way while this one commits; a dead one is cleared."""
    project = Project(tmp_path).make_store()
    code = (
        "import sys\n"
        "from sluice.core.project import Project\n"
        "with Project(sys.argv[1]).staging.job() as job:\n"
        "    (job / 'half').write_text('x')\n"
        "    print(job, flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    live, dead = (
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    )
    assert live.stdout is not None
    assert dead.stdout is not None
    folders = [Path(p.stdout.readline().strip()) for p in (live, dead)]
    dead.kill()
    dead.wait()
    commit(project, lambda: outcome(project, "d", "one"))
    assert (folders[0] / "half").read_text() == "x"
    assert not folders[1].exists()
    live.communicate("\n", timeout=20)
    assert live.returncode == 0
    assert not folders[0].exists()
