"""What can be frozen: an eval part, or a dataset that nothing is trained on; never rows that are trained on.

Personal data that is still there is counted."""

from __future__ import annotations

import json

import pytest
from support import whole_project

from sluice.core.errors import UsageError
from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.sample import sample
from sluice.curate.splits.parts import split_dataset
from sluice.evalsuite.freeze import freeze


@pytest.fixture
def project(tmp_path) -> Project:
    files = whole_project.base_model(tmp_path / "base")
    return whole_project.start(tmp_path / "p", str(files.folder))


@pytest.mark.parametrize("guard", [False, True])
@pytest.mark.parametrize("of", ["tickets", "tickets@1", "tickets/train", "tickets/dev"])
def test_rows_that_are_trained_or_chosen_on_are_no_set(project, of, guard):
    split_dataset(project, "tickets", eval=30, dev=20)
    with pytest.raises(UsageError) as problem:
        freeze(project, of, name="watch", guard=guard)
    assert problem.value.remedy == "sluice freeze tickets/eval"
    assert not project.evals.exists()


def test_a_dataset_of_its_own_can_be_frozen(project):
    split_dataset(project, "tickets", eval=30, dev=20)
    sample(project, "tickets/train", 25, to="apart")
    assert freeze(project, "apart").rows == 25
    assert freeze(project, "tickets/eval", reason="the eval rows decide").rows == 30


def test_freeze_counts_what_is_still_there_and_shows_no_value(tmp_path):
    project = whole_project.start(tmp_path / "p")
    rows = [json.loads(line) for line in whole_project.raw_rows(tmp_path, n=24, seed=5).read_text().splitlines()]
    rows[0]["input"] += " write to jane.doe@example.com or +49 30 901820"
    rows[1]["input"] += " my mail is sam@example.org"
    file = tmp_path / "people.jsonl"
    file.write_text("".join(json.dumps(r) + "\n" for r in rows))
    add(project, "people", [file])
    result = freeze(project, "people")
    assert (result.personal, result.personal_rows) == ({"email": 2, "phone": 1}, 2)
    assert "jane" not in result.model_dump_json()
