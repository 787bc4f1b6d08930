"""Curation through the command line, as a user types it: the road, bad input, processes side by side, kills."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import kill

from sluice.cli.app import run
from sluice.core.project import Project
from sluice.curate.catalogue import Catalogue
from sluice.curate.dataset import dataset_names, open_dataset, versions

SAMPLES = Path(__file__).parents[2] / "datasets" / "support-tickets"
ROAD = (
    ["add", "tickets", "raw.jsonl", "--input", "message", "--target", "answer"],
    ["dedup", "tickets"],
    ["split", "tickets", "--eval", "20", "--dev", "10"],
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that is no project, with the first 300 sample rows in it."""
    monkeypatch.chdir(tmp_path)
    with open(SAMPLES / "raw.jsonl", encoding="utf-8", errors="surrogateescape") as source:
        head = [next(source) for _ in range(300)]
    (tmp_path / "raw.jsonl").write_text("".join([*head, head[0], head[5]]), encoding="utf-8", errors="surrogateescape")
    (tmp_path / "schema.json").write_bytes((SAMPLES / "schema.json").read_bytes())
    return tmp_path


@pytest.fixture
def sluice(capsys):
    """Run a command line with --json; return (exit code, envelope)."""

    def ask(*words: str):
        capsys.readouterr()
        code = run([*words, "--json"])
        envelope = json.loads(capsys.readouterr().out)
        assert envelope["exit"] == code
        return code, envelope

    return ask


def test_numbers_beyond_a_double_are_shown_with_all_their_digits(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    fields = '"x":0.1000000000000000055,"n":12345678901234567890123'
    metadata = '"m":0.30000000000000000001'
    (tmp_path / "exact.jsonl").write_text(f'{{"input":{{{fields}}},"target":"a",{metadata}}}\n')
    assert run(["add", "exact", "exact.jsonl", "--json"]) == 0
    assert fields in capsys.readouterr().out
    for words in (["show", "exact"], ["why", "exact", "exact.jsonl:1"]):
        assert run([*words, "--json"]) == 0
        printed = capsys.readouterr().out
        assert fields in printed
        assert metadata in printed
        assert run(words) == 0
        assert fields in capsys.readouterr().out


def state(folder: Path) -> dict[str, tuple[int, str]]:
    """Return the newest number and hash of every dataset, each checked against its files."""
    project = Project(folder)
    found = {}
    for name in dataset_names(project):
        version = open_dataset(project, name)
        version.check()
        found[name] = (version.number, version.hash)
    return found


def test_the_road_of_somebody_who_only_curates(folder, sluice):
    code, said = sluice("add", "tickets", "raw.jsonl", "--input", "message", "--target", "answer")
    result = said["result"]
    assert code == 0
    assert result["added"] + result["repeated"] + result["set_aside"] == 302
    assert result["repeated"] >= 2
    assert result["set_aside"] > 0
    assert not (folder / "sluice.toml").exists()
    assert {p.name for p in folder.iterdir()} == {"raw.jsonl", "schema.json", ".sluice"}

    _, again = sluice("add", "tickets", "raw.jsonl", "--input", "message", "--target", "answer")
    assert (again["result"]["added"], again["result"]["version"]) == (0, 1)

    _, said = sluice("dedup", "tickets")
    dropped = said["result"]["dropped"]
    _, shown = sluice("show", "tickets", "--dropped")
    listed = shown["result"]["dropped"]
    assert len(listed) == dropped > 0
    for one in listed:
        assert {"row", "reason", "input", "kept"} <= one.keys()
        assert one["kept"]["row"] != one["row"]
        assert one["kept"]["input"]["message"]

    _, said = sluice("split", "tickets", "--eval", "20", "--dev", "10")
    assert {p["name"]: p["rows"] for p in said["result"]["parts"]}["tickets/eval"] == 20

    code, said = sluice("audit", "tickets/train", "--schema", "schema.json", "--fail-on", "fail")
    failing = [
        c["name"] for c in said["result"]["report"]["checks"] if c["severity"] == "fail" and c["status"] == "found"
    ]
    assert (code, said["error"]) == (1, None)
    assert failing
    code, said = sluice("filter", "tickets/train", "--failing", ",".join(failing), "--schema", "schema.json")
    assert (code, said["result"]["changed"]) == (0, True)
    assert sluice("audit", "tickets/train", "--schema", "schema.json", "--fail-on", "fail")[0] == 0
    assert sluice("decontaminate", "tickets/train")[1]["result"]["dropped"] == 0

    _, said = sluice("ls")
    rows = {d["name"]: d for d in said["result"]["datasets"]}
    assert set(rows) == {"tickets", "tickets/train", "tickets/dev", "tickets/eval"}
    assert rows["tickets/train"]["version"] == 2
    assert len(rows["tickets"]["hash"]) == 64
    for name, ending in (("tickets/train", "jsonl"), ("tickets", "csv"), ("tickets", "parquet")):
        _, said = sluice("export", name, f"out.{ending}")
        assert said["result"]["rows"] == rows[name]["rows"]
    assert (folder / "out.jsonl").read_bytes().count(b"\n") == rows["tickets/train"]["rows"]
    _, said = sluice("export", "tickets", "all.jsonl", "--all")
    told = [json.loads(line) for line in (folder / "all.jsonl").read_text().splitlines()]
    assert sum(t["status"] == "dropped" for t in told) == dropped
    assert {t["kept_row"] for t in told if t["status"] == "dropped"} == {one["kept"]["row"] for one in listed}

    row = listed[0]["row"]
    assert sluice("why", "tickets", row[:6])[1]["result"]["row"] == row
    assert sluice("restore", "tickets", row[:10])[1]["result"]["restored"] == 1
    assert sluice("tag", "tickets", "reviewed")[1]["result"]["tag"] == "tickets:reviewed"
    assert sluice("sample", "tickets/train", "50")[1]["result"]["rows"] == 50
    before = Catalogue(Project(folder)).dump()
    (folder / ".sluice" / "store.duckdb").unlink()
    assert Catalogue(Project(folder)).dump() == before


def first_bad(folder: Path) -> int:
    """Return the first line that Python's own reader refuses, or that has no message."""
    for number, line in enumerate((folder / "raw.jsonl").read_bytes().splitlines(), start=1):
        try:
            if not json.loads(line)["message"].strip():
                return number
        except ValueError:
            return number
    raise AssertionError("the sample has no bad line among its first")


def test_what_is_drawn_ends_with_what_to_do_next(folder, capsys):
    for words in (*ROAD, ["audit", "tickets/train"], ["show", "tickets"], ["show", "tickets", "--dropped"], ["ls"]):
        capsys.readouterr()
        assert run(words) == 0
        drawn = capsys.readouterr().out
        assert "Next:" in drawn, words
        assert "freeze" not in drawn
        assert "baseline" not in drawn
    assert run(ROAD[0]) == 0
    err = capsys.readouterr().err
    assert "set aside" in err
    assert f"raw.jsonl:{first_bad(folder)}" in err


BAD = {
    "missing": (["add", "d", "raw.jsonl", "gone.jsonl", "--input", "message"], 2, "gone.jsonl"),
    "near": (["add", "d", "ray.jsonl", "--input", "message"], 2, "raw.jsonl"),
    "empty": (["add", "d", "empty.csv", "--input", "message"], 2, "empty"),
    "encoding": (["add", "d", "latin.csv", "--input", "message"], 2, "--encoding"),
    "column": (["add", "d", "raw.jsonl", "--input", "mesage"], 2, "message"),
    "target": (["add", "d", "raw.jsonl", "--input", "message", "--target", "answers"], 2, "answer"),
    "broken line": (["add", "d", "broken.jsonl", "--input", "message", "--strict"], 2, "broken.jsonl:2"),
    "no input": (["add", "d", "no-input.jsonl", "--input", "message", "--strict"], 2, "no-input.jsonl:2"),
    "name": (["add", "My Data", "raw.jsonl", "--input", "message"], 2, "lower-case"),
    "dataset": (["dedup", "tikets"], 2, "tickets"),
    "version": (["show", "tickets@7"], 2, "1 to 1"),
    "older": (["dedup", "tickets@1"], 2, "versions do not change"),
    "schema": (["audit", "tickets", "--schema", "no-schema.json"], 2, "no-schema.json"),
    "schema gone": (["audit", "tickets", "--schema", "gone.json"], 2, "gone.json"),
    "audit": (["audit", "tickts"], 2, "tickets"),
    "check": (["filter", "tickets", "--failing", "emty"], 2, "empty"),
    "size": (["split", "tickets", "--eval", "many"], 2, "many"),
    "too many": (["split", "tickets", "--eval", "5000"], 2, "none would be left"),
    "per class": (["split", "tickets", "--eval", "5", "--per-class"], 2, "class"),
    "group": (["split", "tickets", "--eval", "5", "--group", "costumer"], 2, "customer"),
    "row": (["why", "tickets", "zzz"], 2, "no row"),
    "ending": (["export", "tickets", "out.xls"], 2, ".csv"),
    "form": (["export", "tickets", "out.csv", "--format", "mesages"], 2, "messages"),
    "source": (["export", "tickets", "raw.jsonl"], 2, "read from this file"),
    "tag": (["tag", "tickets", "Best Of"], 2, "lower-case"),
    "sample": (["sample", "tickets", "0"], 2, "from 1"),
    "eval": (["decontaminate", "tickets"], 2, "split"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_has_one_clear_message_and_changes_nothing(folder, capsys, case):
    (folder / "empty.csv").write_bytes(b"")
    (folder / "latin.csv").write_bytes(b"message\n" + "Größe für Müller, schöne Grüße\n".encode("cp1252") * 40)
    (folder / "broken.jsonl").write_text('{"message": "one"}\n{"message": "tw\n{"message": "three"}\n')
    (folder / "no-input.jsonl").write_text('{"message": "one"}\n{"note": "two"}\n')
    (folder / "no-schema.json").write_text('{"type": "colour"}')
    assert run(ROAD[0]) == 0
    before = state(folder)
    words, code, said = BAD[case]
    capsys.readouterr()
    assert run(words) == code
    err = capsys.readouterr().err.strip().splitlines()
    assert err[-1].startswith("error: ")
    assert said in err[-1]
    assert "Fix: " in err[-1]
    assert "Traceback" not in "\n".join(err)
    assert state(folder) == before
    raw = (folder / "raw.jsonl").read_bytes()
    assert run(ROAD[0]) == 0
    assert (folder / "raw.jsonl").read_bytes() == raw


def test_outside_a_project_the_other_verbs_say_how_to_begin(folder, capsys):
    for words in (["dedup", "d"], ["ls"], ["show", "d"], ["audit", "d"]):
        assert run(words) == 2
        assert "Fix: " in capsys.readouterr().err
    assert not (folder / ".sluice").exists()


def test_a_full_disk_changes_nothing(folder, capsys, monkeypatch):
    """The real call fails as the system's does; only the reason is made up."""
    assert run(ROAD[0]) == 0
    before = state(folder)

    def full(_fd):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        capsys.readouterr()
        assert run(ROAD[1]) == 5
    err = capsys.readouterr().err
    assert "disk is full" in err
    assert "Fix: free some space" in err
    assert state(folder) == before
    assert run(ROAD[1]) == 0
    assert state(folder)["tickets"][0] == 2


def test_four_processes_adding_at_once_lose_nothing(folder):
    lines = (folder / "raw.jsonl").read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)
    for i in range(4):
        (folder / f"part-{i}.jsonl").write_text(
            "".join(lines[i * 60 : i * 60 + 90]), encoding="utf-8", errors="surrogateescape"
        )
    command = [sys.executable, "-m", "sluice", "add", "d"]
    jobs = [
        subprocess.Popen([*command, f"part-{i}.jsonl", "--input", "message", "--target", "answer", "--json"],
                         cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for i in range(4)
    ]  # fmt: skip
    said = [job.communicate(timeout=120) for job in jobs]
    assert [job.returncode for job in jobs] == [0] * 4, said
    (folder / "all.jsonl").write_text("".join(lines[:270]), encoding="utf-8", errors="surrogateescape")
    assert run(["add", "one", "all.jsonl", "--input", "message", "--target", "answer"]) == 0
    project = Project(folder)
    assert open_dataset(project, "d").hash == open_dataset(project, "one").hash
    assert [v.number for v in versions(project, "d")] == [1, 2, 3, 4]
    assert sum(json.loads(out)["result"]["added"] for out, _ in said) == open_dataset(project, "d").manifest.rows
    before = Catalogue(project).dump()
    Catalogue(project).rebuild()
    assert Catalogue(project).dump() == before


def steps(folder: Path) -> list[dict[str, tuple[int, str]]]:
    """Walk the road without a kill; return the state before and after each verb, and count the fault points."""
    found = [state(folder)]
    for words in ROAD:
        assert run(list(words)) == 0
        found.append(state(folder))
    return found


def prepared(folder: Path, verb: int, copy: Path) -> Path:
    """Return a copy of the folder as it is before the verb of this number."""
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(".sluice"))
    return copy


def pulled(folder: Path, verb: int, monkeypatch, at: int) -> bool:
    """Kill one verb at a fault point; hold that the project is usable, in the old state or the new. Whether new."""
    here = prepared(folder, verb, folder.parent / f"{folder.name}-{verb}-{at}")
    monkeypatch.chdir(here)
    for words in ROAD[:verb]:
        assert run(list(words)) == 0
    old = state(here)
    ended = kill.at_sync(ROAD[verb], here, at)
    assert ended.killed, ended.stderr
    found = state(here)
    assert run(list(ROAD[verb])) == 0  # the same command goes on from there
    new = state(here)
    assert found in (old, new)
    assert {name: digest for name, (_, digest) in new.items()} != {name: digest for name, (_, digest) in old.items()}
    assert not [p for p in (here / ".sluice" / "tmp").iterdir() if p.is_dir()]
    before = Catalogue(Project(here)).dump()
    Catalogue(Project(here)).rebuild()
    assert Catalogue(Project(here)).dump() == before
    return found == new


def fault_points(folder: Path, verb: int, monkeypatch) -> int:
    here = prepared(folder, verb, folder.parent / f"{folder.name}-{verb}-count")
    monkeypatch.chdir(here)
    for words in ROAD[:verb]:
        assert run(list(words)) == 0
    return kill.count_syncs(ROAD[verb], here)


@pytest.mark.parametrize("verb", range(len(ROAD)), ids=[words[0] for words in ROAD])
def test_a_killed_verb_leaves_the_old_state_or_the_new(folder, monkeypatch, capsys, verb):
    points = fault_points(folder, verb, monkeypatch)
    ends = [pulled(folder, verb, monkeypatch, at) for at in (1, points - 2)]
    assert ends == [False, True]


@pytest.mark.long
@pytest.mark.parametrize("verb", range(len(ROAD)), ids=[words[0] for words in ROAD])
def test_killed_after_every_fsync(folder, monkeypatch, capsys, verb):
    points = fault_points(folder, verb, monkeypatch)
    ends = [pulled(folder, verb, monkeypatch, at) for at in range(1, points + 1)]
    assert ends == sorted(ends)  # once new, always new
    assert ends[0] is False
    assert ends[-1] is True


@pytest.mark.long
@pytest.mark.parametrize("seconds", [0.4, 0.7, 0.9, 1.1, 1.3])
@pytest.mark.parametrize("verb", range(len(ROAD)), ids=[words[0] for words in ROAD])
def test_killed_at_any_moment(folder, monkeypatch, capsys, verb, seconds):
    here = prepared(folder, verb, folder.parent / f"{folder.name}-random")
    monkeypatch.chdir(here)
    for words in ROAD[:verb]:
        assert run(list(words)) == 0
    old = state(here)
    kill.after(ROAD[verb], here, seconds)
    found = state(here)
    assert run(list(ROAD[verb])) == 0
    assert found in (old, state(here))
