"""What the curate verbs say to run next can be run as it stands, and fits where the data is."""

from __future__ import annotations

import json
import shlex

import pytest

from sluice.cli.app import run
from sluice.core.project import Project
from sluice.core.scaffold import InitAnswers, scaffold
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.formats import ReadOptions

TOWNS = ["Leeds", "Lyon", "Porto", "Turin", "Ghent", "Graz", "Bergen", "Malmo", "Split", "Vigo"]
PAIR = {"body": "a", "label": "x"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A started project with files of 60 unlike rows in it, and no dataset."""
    start = InitAnswers(name="t", data="d", description="x", base="m", kind="classification", labels=("y", "n"))
    scaffold(tmp_path, start)
    texts = [f"{a}{b} {i * 7919} {b[::-1]} {i * 104729 % 99991}" for i, (a, b) in enumerate(_pairs())]
    rows = [{"body": text, "label": "yn"[i % 3 == 0]} for i, text in enumerate(texts)]
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _pairs():
    return [(a, b) for a in TOWNS[:6] for b in TOWNS]


def added(folder, name="d"):
    add(Project(folder), name, [folder / "d.jsonl"], ReadOptions(input="body", target="label"))


def said(capsys, line):
    """Run a command line and return the commands below "Next:"."""
    capsys.readouterr()
    run(shlex.split(line))
    _, _, after = capsys.readouterr().out.partition("Next:\n")
    return [text.strip().split("    ")[0] for text in after.splitlines()]


def works(command):
    return run(shlex.split(command)[1:]) == 0


def test_a_small_dataset_is_split_in_sizes_that_it_has(folder, capsys):
    added(folder)
    for line in ("dedup d", "status"):
        command = next(c for c in said(capsys, line) if c.startswith("sluice split"))
        assert works(f"{command} --dry-run"), command


def test_a_size_that_cannot_be_drawn_is_answered_with_sizes_that_can(folder, capsys):
    added(folder)
    assert run(["split", "d", "--eval", "100", "--dev", "40", "--json"]) == 2
    remedy = json.loads(capsys.readouterr().out)["error"]["remedy"]
    assert works(f"sluice split d {remedy[remedy.index('--eval') :]} --dry-run")


def test_dedup_of_what_was_split_never_asks_for_another_draw(folder, capsys):
    added(folder)
    run(["split", "d", "--eval", "20", "--dev", "5"])
    assert "sluice split d" in said(capsys, "dedup d")
    assert not any("split" in command for command in said(capsys, "dedup d/train"))


@pytest.mark.parametrize("name", ["d", "other"])
def test_the_eval_part_that_was_made_is_the_one_to_freeze(folder, capsys, name):
    added(folder, name)
    found = said(capsys, f"split {name} --eval 20 --dev 5")
    assert found[0] == ("sluice freeze" if name == "d" else "sluice freeze other/eval")


def test_ls_of_an_empty_project_names_its_files(folder, capsys):
    assert any("d.jsonl" in command and " d " in command for command in said(capsys, "ls"))


def test_what_was_read_so_is_added_so(folder, capsys):
    (folder / "-dash.jsonl").write_bytes((folder / "d.jsonl").read_bytes())
    for line in (
        "audit d.jsonl --input body --target label",
        "add d d.jsonl --input body --target label --dry-run",
        "audit --input body --target label -- -dash.jsonl",
    ):
        command = said(capsys, line)[0].replace("NAME", "d")
        assert works(command), command
        assert {r.target for r in open_dataset(Project(folder), "d").examples()} == {"y", "n"}


def test_all_lines_that_were_set_aside_can_be_seen_and_one_of_them_whole(folder, capsys):
    long = "long " * 80
    lines = [json.dumps(PAIR), *[f'{{"body": "{long}{i}", "body": 1}}' for i in range(12)]]
    (folder / "bad.jsonl").write_text("\n".join(lines))
    capsys.readouterr()
    run(["add", "bad", "bad.jsonl", "--input", "body"])
    hint = capsys.readouterr().err.splitlines()[-1].partition(": ")[2]
    everything, *_ = said(capsys, "show bad --set-aside")
    assert hint == everything
    run(shlex.split(everything)[1:])
    drawn = capsys.readouterr().out
    assert all(f"bad.jsonl:{n}" in drawn for n in range(2, 14))
    (one,) = [c for c in said(capsys, everything.removeprefix("sluice ")) if c.startswith("sluice why")]
    run(shlex.split(one)[1:])
    assert f"{long}0" in capsys.readouterr().out


def test_a_dry_run_points_to_nothing_that_is_not_there(folder, capsys):
    (folder / "bad.jsonl").write_text("\n".join([json.dumps(PAIR), *["{"] * 9]))
    run(["add", "bad", "bad.jsonl", "--input", "body", "--dry-run"])
    assert "sluice show" not in capsys.readouterr().err


@pytest.mark.parametrize("line", ["dedup d", "status", "split d --eval 20 --dev 5"])
def test_what_is_exported_goes_to_a_file_that_is_not_there(folder, capsys, line):
    (folder / "sluice.toml").unlink()
    (folder / "d-train.jsonl").write_text("something else\n")
    added(folder)
    command = next(c for c in said(capsys, line) if c.startswith("sluice export"))
    assert works(command), command


@pytest.mark.parametrize(
    "line",
    [
        "dedup d --drop-near --dry-run",
        "sample d 9 --seed 4 --dry-run",
        "split d --eval 20 --dev 5 --seed 7 --dry-run",
        "filter d --failing conflict --dry-run",
        "restore d --reason-was not-sampled --dry-run",
    ],
)
def test_a_dry_run_ends_with_the_command_itself(folder, capsys, line):
    twice = [{"body": f"a text of two answers {i}", "label": label} for i in range(3) for label in "yn"]
    with (folder / "d.jsonl").open("a") as file:
        file.write("".join(json.dumps(r) + "\n" for r in twice))
    added(folder)
    if line.startswith("restore"):
        run(["sample", "d", "50"])
    assert said(capsys, line)[0] == f"sluice {line.removesuffix(' --dry-run')}"


def test_a_split_that_would_change_nothing_says_so(folder, capsys):
    added(folder)
    run(["split", "d", "--eval", "20", "--dev", "5"])
    capsys.readouterr()
    assert run(["split", "d", "--dry-run"]) == 0
    assert "would stay" in capsys.readouterr().out.splitlines()[0]


def test_a_row_that_may_not_come_back_is_not_proposed_to_be_restored(folder, capsys):
    added(folder)
    run(["split", "d", "--eval", "20", "--dev", "5"])
    held = open_dataset(Project(folder), "d/eval").examples()[0]
    (folder / "more.jsonl").write_text(json.dumps({"body": held.input["body"].upper(), "label": "y"}) + "\n")
    add(Project(folder), "d", [folder / "more.jsonl"], ReadOptions(input="body", target="label"))
    run(["split", "d"])
    assert not any("restore" in c for c in said(capsys, "show d/train --dropped"))
    run(["sample", "d/train", "20"])
    (command,) = (c for c in said(capsys, "show d/train --dropped") if "restore" in c)
    assert works(command), command


def test_remedies_name_the_dataset_and_keep_what_was_typed(folder, capsys):
    added(folder)
    (folder / "lean.jsonl").write_text(
        "".join(json.dumps({"body": f"w{i} x{i}", "label": "y"}) + "\n" for i in range(60))
    )
    add(Project(folder), "lean", [folder / "lean.jsonl"], ReadOptions(input="body", target="label"))
    capsys.readouterr()
    assert run(["filter", "lean", "--failing", "balance", "--json"]) == 2
    assert "{" not in json.loads(capsys.readouterr().out)["error"]["remedy"]
    for log in ("a.jsonl", "b.jsonl"):
        (folder / log).write_text("".join(json.dumps({"id": i, "score": i % 2}) + "\n" for i in range(60)))
    assert run(shlex.split("compare a.jsonl b.jsonl --kind binary --claim not-worse --json")) == 2
    remedy = json.loads(capsys.readouterr().out)["error"]["remedy"]
    assert run(shlex.split(remedy)[1:]) in (0, 4)


def test_a_sample_of_more_rows_than_there_are_says_so(folder, capsys):
    added(folder)
    assert run(["sample", "d", "100", "--to", "s"]) == 0
    assert "100 rows were asked for" in capsys.readouterr().out


def test_one_row_is_one_row(folder, capsys):
    (folder / "one.jsonl").write_text(json.dumps(PAIR) + "\n")
    for line in (
        "add one one.jsonl --input body --dry-run",
        "add one one.jsonl --input body",
        "add one one.jsonl --input body",
        "dedup one",
        "audit one",
        "show one",
        "tag one first",
        "sample one 1",
        "export one out.csv",
        "filter one --failing empty",
    ):
        assert run(shlex.split(line)) == 0
        drawn = capsys.readouterr().out
        assert "1 row" in drawn or "1 line" in drawn, line
        assert "1 rows" not in drawn, line
        assert "1 lines" not in drawn, line
