"""The verdict that is kept for `status`: written by a final comparison only, read back as it was said."""

from __future__ import annotations

import pytest
from support import whole_project

from sluice.core.errors import Refused
from sluice.core.ledger import Ledger
from sluice.core.project import Project
from sluice.core.standing import read_json, verdict_file
from sluice.core.status import status
from sluice.evalsuite.compare import Comparison
from sluice.evalsuite.verdict import decide
from sluice.train.judge import Judged
from sluice.train.verdicts import keep_verdict


def judged(*, final: bool) -> Judged:
    verdict = decide([0.0] * 40, [1.0] * 40, kind="binary", score_range=(0.0, 1.0))
    comparison = Comparison.model_construct(verdict=verdict, final=final)
    return Judged.model_construct(adapter="sft-1", comparison=comparison, against_reference=None)


@pytest.fixture
def project(tmp_path) -> Project:
    return whole_project.whole_project(tmp_path)[0]


def test_a_final_verdict_is_kept_and_shown_by_status(project):
    ledger = Ledger(project)
    facts = ledger.read()
    body = {"set": facts.of("frozen")[0].body["set"], "adapter": facts.of("trained")[0].body["adapter"], "spec": "1"}
    before = len(facts.facts)
    keep_verdict(project, judged(final=True))
    assert len(ledger.read().facts) == before, "it is no fact"
    assert read_json(verdict_file(project, body["adapter"], body["set"]))["word"] == "better"
    assert "better" not in status(project).stages[-1].text, "without the fact `evaluated` it is not believed"
    ledger.write("opened", body | {"role": "eval"})
    ledger.write("evaluated", body | {"role": "eval"})
    assert status(project).stages[-1].text.startswith("sft-1: better: helped 40")


def test_a_comparison_on_dev_is_none(project):
    with pytest.raises(Refused):
        keep_verdict(project, judged(final=False))
    assert not (project.store / "verdicts").exists()
