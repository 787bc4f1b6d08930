"""What can be frozen: an eval part, or a dataset that nothing is trained on; never rows that are trained on."""

from __future__ import annotations

import pytest
from support import whole_project

from sluice.core.errors import UsageError
from sluice.core.project import Project
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
