"""Attacks on the count of openings, on references and on what is measured before anything is opened.

Made as a hurried user, a script or a coding agent would: each is refused by name, or found by `sluice verify` by name.
What is out of reach is said in docs/gate.md.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from support import tiny_road

from sluice.core.runs import Run, StoredAnswer
from sluice.evalsuite.asking import Form, spec_for
from sluice.evalsuite.baselines.bench import bench, reached_limit

pytestmark = [pytest.mark.model]
FORM = Form("float32", None, "cpu", 1)


def spec_of(road, name: str):
    """Return the spec under which an adapter would answer the eval set, as any script can work it out."""
    from sluice.train.adapters import open_adapter

    b = bench(road.project, road.model, FORM)
    adapter = open_adapter(road.project, name)
    return b, spec_for(
        b.files,
        b.form,
        adapter.prompt,
        list(b.frozen.rows),
        role="eval",
        on=b.frozen.name,
        max_new_tokens=reached_limit(b, road.facts()),
        adapter=adapter.sha256,
    )


def openings(road) -> int:
    return len([f for f in road.facts().of("opened") if f.body.get("adapter")])


# answers and facts that were planted


def test_answers_planted_before_the_opening_are_found(trained):
    b, spec = spec_of(trained, "sft-1")
    run = Run.start(trained.project, spec)
    for row in b.frozen.rows:
        run.append(StoredAnswer(row=row.row, input=row.input_hash, text=row.target, stop="end"))
    ended = trained("compare", "sft-1", "--final", "--yes", code=3)
    assert "before the set was opened" in ended.error["message"]
    assert openings(trained) == 0
    shutil.rmtree(run.folder)
    trained("compare", "sft-1", "--final", "--yes", code=None)
    assert openings(trained) == 1, "the honest opening is not spent"


def test_a_run_that_was_cut_is_gone_on_with(judged):
    """Answers after an opening are what the opening was for."""
    run = judged.run_of("tickets", adapter=True)
    lines = (run.folder / "answers.jsonl").read_text().splitlines()
    (run.folder / "answers.jsonl").write_text("\n".join(lines[:5]) + "\n")
    (run.folder / "closed.json").unlink()
    assert judged("compare", "sft-1", "--final", "--yes", code=None).code in (1, 4)
    assert openings(judged) == 1


@pytest.mark.parametrize("how", ["a stored run", "an opened fact"])
def test_nothing_that_is_planted_makes_a_candidate_open(judged, how):
    judged.train("--seed", "5")
    b, spec = spec_of(judged, "sft-2")
    if how == "a stored run":
        Run.start(judged.project, spec)
    else:
        judged.forge("opened", {"set": b.frozen.sha256, "spec": spec.sha256, "adapter": spec.adapter})
    assert "openings" in judged("compare", "sft-2", "--final", "--yes", code=3).error["message"]
    named = judged.tampered()
    assert any(line.startswith("opened") and "1 are allowed" in line for line in named) == (how == "an opened fact")


def test_an_opening_without_a_spec_counts_and_breaks_nothing(trained):
    (frozen,) = trained.facts().of("frozen")
    (made,) = trained.facts().of("trained")
    trained.forge("opened", {"set": frozen.body["set"], "adapter": made.body["adapter"]})
    assert "openings" in trained("compare", "sft-1", "--final", "--yes", code=3).error["message"]


# earlier sets


def test_openings_of_a_set_that_is_moved_away_are_inherited(judged):
    """The rows differ by one, so no stored run is of the very same rows."""
    judged.freeze_later([judged.eval_text(i) for i in range(23)])
    judged("compare", "sft-1", "--final", "--yes", code=3)
    first = next(p for p in judged.project.evals.iterdir() if p.name.startswith("tickets-"))
    shutil.move(first, judged.root / "elsewhere")
    assert "openings" in judged("compare", "sft-1", "--final", "--yes", code=3).error["message"]
    assert openings(judged) == 1


def test_openings_are_inherited_by_rows_that_were_made_longer(judged):
    more = tiny_road.words(77, 96)
    judged.freeze_later([" ".join([judged.eval_text(i), *more[4 * i : 4 * i + 4]]) for i in range(24)])
    assert "openings" in judged("compare", "sft-1", "--final", "--yes", code=3).error["message"]


def test_rows_of_a_set_that_is_not_here_are_not_measured_on(trained):
    texts = [trained.eval_text(i) for i in range(24)]
    trained.add_rows("other", tiny_road.words(50, 25))
    trained("freeze", "other", "--as", "second", "--reason", "more rows, unlike the first")
    trained.add_rows("practice", texts)
    first = next(p for p in trained.project.evals.iterdir() if p.name.startswith("tickets-"))
    shutil.move(first, trained.root / "elsewhere")
    assert "nobody can say" in trained("eval", "base", "--on", "practice", code=3).error["message"]
    shutil.move(trained.root / "elsewhere", first)
    assert "belong to the eval set" in trained("eval", "base", "--on", "practice", code=3).error["message"]


def test_rows_that_repeat_eval_rows_almost_are_not_measured_on(trained):
    trained.add_rows("probe", [f"{trained.eval_text(i)} !" for i in range(24)])
    assert "repeat its rows" in trained("eval", "sft-1", "--on", "probe", code=3).error["message"]
    trained.edit("openings = 1", "openings = 1\nmargin = 0.1")
    trained("freeze", "--reason", "a margin for the guard set")
    assert "repeat its rows" in trained("freeze", "probe", "--guard", "--as", "probe", code=3).error["message"]


def test_dev_rows_that_were_measured_on_decide_nothing(trained):
    dev = [r["input"]["input"] for r in trained("show", "tickets/dev", "-n", "22").result["rows"]]
    trained.freeze_later(dev[:21])
    assert "were dev rows" in trained("compare", "sft-1", "--final", "--yes", code=3).error["message"]
    assert openings(trained) == 0


def test_an_eval_set_that_no_longer_decides_is_not_opened(trained):
    trained.add_rows("other", tiny_road.words(50, 25))
    trained("freeze", "other", "--as", "second", "--reason", "more rows, unlike the first")
    trained("baseline")
    ended = trained("eval", "sft-1", "--on", "tickets", "--final", "--yes", code=3)
    assert "no longer decides" in ended.error["message"]
    assert openings(trained) == 0


# the ledger


def test_another_project_id_forgets_no_opening(judged):
    judged.edit('id = "p-tiny"', 'id = "p-fresh"')
    shutil.rmtree(judged.project.runs)
    judged("freeze")
    found = judged.gate()["eval-set-frozen"]
    assert found["status"] == "refused"
    assert found["fix"] == "set [project] id back"
    judged("baseline")
    judged("compare", "sft-1", "--final", "--yes", code=None)
    assert openings(judged) == 0
    judged.edit('id = "p-fresh"', 'id = "p-tiny"')
    assert openings(type(judged)(judged.root)) == 1


@pytest.mark.parametrize("old_set", ["here", "moved away"])
def test_another_project_id_and_another_name_of_the_set_forget_no_opening(judged, old_set):
    old = next(p for p in judged.project.evals.iterdir())
    judged.edit('id = "p-tiny"', 'id = "p-fresh"')
    shutil.rmtree(judged.project.runs)
    judged("freeze", "--as", "again")
    if old_set == "moved away":
        shutil.move(old, judged.root / "elsewhere")
    found = judged.gate()["eval-set-frozen"]
    assert found["status"] == "refused"
    assert "another project id" in found["found"]
    named = [f["name"] for f in judged("verify", code=1).result["findings"] if f["word"] == "tampered"]
    assert any("again-" in name for name in named)
    judged("baseline")
    ended = judged("compare", "sft-1", "--final", "--yes", code=None)
    assert ended.code == 3
    assert openings(judged) == 0


def test_facts_of_another_project_on_other_rows_are_in_nobodys_way(judged):
    """A project that was begun as a copy of another, with an eval set of its own."""
    judged.edit('id = "p-tiny"', 'id = "p-fresh"')
    texts = [judged.eval_text(i)[::-1] for i in range(24)]
    judged.add_rows("other", texts)
    judged("freeze", "other", "--as", "own")
    found = judged.gate()["eval-set-frozen"]
    assert found["status"] == "ok", found["found"]


def test_a_set_is_not_opened_on_a_ledger_that_was_tampered_with(trained):
    file = next(trained.project.ledger.iterdir())
    file.write_text(file.read_text() + " ")
    assert "tampered" in trained("compare", "sft-1", "--final", "--yes", code=3).error["message"]
    assert openings(trained) == 0


def test_a_guard_set_that_is_moved_away_passes_its_measurements_on(trained):
    """A guard set may be measured as often as wanted; rows of it that decide later were seen all the same."""
    trained.edit("openings = 1", "openings = 1\nmargin = 0.1")
    trained("freeze", "--reason", "a margin for the guard set")
    texts = [trained.eval_text(i)[::-1] for i in range(24)]
    trained.add_rows("watched", texts)
    trained("freeze", "watched", "--guard", "--as", "watched")
    trained("eval", "sft-1", "--on", "watched")
    guard = next(p for p in trained.project.evals.iterdir() if p.name.startswith("watched-"))
    shutil.move(guard, trained.root / "elsewhere")
    trained.freeze_later(texts[1:])
    refused = trained("compare", "sft-1", "--final", "--yes", code=3)
    assert "earlier sets" in refused.error["message"], refused.error


def test_four_adapters_and_three_openings(measured):
    measured.edit("openings = 1", "openings = 3")
    measured("freeze", "--reason", "three candidates, each judged at a third of alpha")
    measured.waive()
    for seed in range(4):
        measured.train("--seed", str(seed))
    for n in (1, 2, 3):
        verdict = measured("compare", f"sft-{n}", "--final", "--yes", code=None).result
        assert verdict["comparison"]["verdict"]["openings"] == 3
    assert measured("compare", "sft-4", "--final", "--yes", code=3).error["code"] == "refused"
    assert openings(measured) == 3
    again = measured("compare", "sft-2", "--final", "--yes", code=None)
    assert again.code != 3
    assert measured.tampered() == []


def test_a_claim_made_after_an_opening_is_named(judged):
    claimed = judged.facts().of("claimed")[0].body
    digest = judged.forge("claimed", claimed | {"reason": "it would look better"})
    assert any(digest[:10] in line and "opened" in line for line in judged.tampered())


def test_a_changed_claim_without_a_reason_is_named(measured):
    claimed = measured.facts().of("claimed")[0].body
    digest = measured.forge("claimed", claimed | {"question": claimed["question"] | {"openings": 3}, "reason": ""})
    assert any(digest[:10] in line and "no reason" in line for line in measured.tampered())


OPEN = """
import sys, time
from pathlib import Path
from sluice.core.errors import Refused
from sluice.core.ledger import Ledger
from sluice.core.project import Project
from sluice.core.runs import RunSpec
from sluice.evalsuite.openings import open_set
from sluice.evalsuite.question import pinned_question
from sluice.evalsuite.sets import require_set

project, spec = Project(Path(sys.argv[1])), RunSpec.model_validate_json(sys.argv[2])
ledger = Ledger(project)
frozen = require_set(project, ledger.read())
question, _ = pinned_question(ledger.read(), frozen.sha256)
print("ready", flush=True)
sys.stdin.readline()
try:
    open_set(project, ledger, frozen, question, spec)
except Refused:
    sys.exit(3)
"""


def test_processes_that_open_at_once_make_no_more_than_k_openings(trained):
    _, spec = spec_of(trained, "sft-1")
    specs = [spec.model_copy(update={"adapter": f"{i}" * 64}) for i in range(4)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(trained.root), s.model_dump_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for s in specs
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    codes = sorted(process.wait(60) for process in processes)
    assert codes == [0, 3, 3, 3]
    assert openings(trained) == 1
