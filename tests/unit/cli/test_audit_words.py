"""What `audit` proposes and leaves unsaid: near names, no dedup where nothing repeats, no training where none is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice.cli.app import run

TOWNS = ("Leeds", "Lyon", "Porto", "Turin", "Ghent", "Graz", "Bergen", "Malmo", "Split", "Vigo")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [
        {"body": f"{a} to {b}: {i * 7919} {b[::-1]}"} for i, (a, b) in enumerate(zip(TOWNS, TOWNS[::-1], strict=True))
    ]
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(row | {"label": "y"}) + "\n" for row in rows))
    twice = [
        {"body": f"Where is my parcel from {town}, please tell me today!", "label": "y"} for town in ("a", "A", "b")
    ]
    (tmp_path / "twice.jsonl").write_text("".join(json.dumps(row) + "\n" for row in twice))
    return tmp_path


def test_only_a_near_name_is_suggested(here: Path, capsys: pytest.CaptureFixture[str]):
    for name, near in (("nope", None), ("conflcit", "conflict"), ("label-error", "label-errors")):
        assert run(["audit", "d.jsonl", "--input", "body", "--checks", name, "--json"]) == 2
        remedy = json.loads(capsys.readouterr().out)["error"]["remedy"]
        assert ("did you mean" in remedy) == (near is not None)
        assert (near or "known: ") in remedy


def test_dedup_is_proposed_where_something_repeats(here: Path, capsys: pytest.CaptureFixture[str]):
    for name, repeats in (("d", False), ("twice", True)):
        assert run(["add", name, f"{name}.jsonl", "--input", "body", "--target", "label"]) == 0
        capsys.readouterr()
        assert run(["audit", name]) == 0
        assert (f"sluice dedup {name}" in capsys.readouterr().out) == repeats


def test_who_only_curates_hears_nothing_of_gate_or_training(here: Path, capsys: pytest.CaptureFixture[str]):
    words = ["init", "--kind", "curate", "--name", "t", "--data", "d", "--description", "x", "--yes"]
    assert run(words) == 0
    assert run(["add", "d", "d.jsonl", "--input", "body", "--target", "label"]) == 0
    assert run(["add", "e", "twice.jsonl", "--input", "body", "--target", "label"]) == 0
    for argv in (["audit", "d"], ["audit", "e"], ["decontaminate", "d", "--against", "twice.jsonl"]):
        capsys.readouterr()
        run(argv)
        said = capsys.readouterr()
        for word in ("gate", "training", "overlong' cannot", "trained"):
            assert word not in said.out + said.err, (argv, said)
