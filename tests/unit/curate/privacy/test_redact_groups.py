"""redact beside groups, parts and frozen sets: what belonged together is known to belong together afterwards."""

from __future__ import annotations

import pytest

from sluice.core.errors import InputError
from sluice.core.evalset import read_set, set_folders
from sluice.core.ledger import Fact
from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.formats import ReadOptions
from sluice.curate.leaks.eval_side import relation_of
from sluice.curate.metadata import group_values
from sluice.curate.operation import Outcome, commit
from sluice.curate.redact import redact
from sluice.curate.splits.parts import split_dataset
from sluice.evalsuite.sets import SetState
from sluice.train.leak_evidence import collect_leaks
from tests.unit.curate.conftest import message
from tests.unit.curate.test_dropping import freeze

OPTIONS = ReadOptions(input="body", target="label")


def test_a_row_that_two_rows_become_is_of_both_their_groups_and_keeps_what_stood_beside_it(tmp_path, lines):
    project = Project(tmp_path)
    records = [
        {"body": "call [EMAIL_1] about the lamp", "label": "x", "customer": "C1"},
        {"body": "call jane@example.com about the lamp", "label": "x", "customer": "C2"},
        {"body": "call Jane@Example.com about the lamp", "label": "x", "customer": "C3"},
    ]
    add(project, "d", [lines(tmp_path / "d.jsonl", *records)], OPTIONS)
    result = redact(project, "d")
    assert (result.rows, result.merged) == (1, 2)
    ((_, customers),) = group_values(open_dataset(project, "d"), "customer").items()
    assert sorted(customers) == ["C1", "C2", "C3"]


def test_groups_of_eval_rows_are_not_parted_from_rows_to_come(tmp_path, lines):
    project = Project(tmp_path)
    records = [{"body": message(i), "label": "x", "customer": f"user{i % 20}@example.com"} for i in range(60)]
    add(project, "d", [lines(tmp_path / "d.jsonl", *records)], OPTIONS)
    split_dataset(project, "d", eval=9, dev=6, group="customer")
    for ref, remedy in (("d", "d/train"), ("d/eval", "before it is split"), ("d/dev", "before it is split")):
        before = open_dataset(project, ref).number
        with pytest.raises(InputError, match="kept apart") as caught:
            redact(project, ref)
        assert remedy in str(caught.value.remedy)
        assert open_dataset(project, ref).number == before
    assert redact(project, "d/train").changed  # holds no row of their groups
    freeze(project, "d/eval")
    add(project, "other", [lines(tmp_path / "o.jsonl", *({**r, "body": "so " + r["body"]} for r in records))], OPTIONS)
    with pytest.raises(InputError, match="sluice decontaminate other"):
        redact(project, "other")


@pytest.mark.parametrize("when", ["before the freeze", "after it"])
def test_the_gate_knows_an_eval_row_that_was_redacted_in_its_part(project, lines, when):
    told = {"body": "mail a.b@example.com", "label": "y", "customer": "C99"}
    add(
        project,
        "e",
        [lines(project.root / "e.jsonl", *({"body": message(i), "label": "y"} for i in range(70, 80)))],
        OPTIONS,
    )
    add(project, "e", [lines(project.root / "told.jsonl", told)], OPTIONS)
    other = told if when == "before the freeze" else {**told, "body": "mail [EMAIL_1]"}  # the name that is not frozen
    add(project, "d", [lines(project.root / "mine.jsonl", other)], OPTIONS)
    frame = open_dataset(project, "e").frame()
    commit(project, lambda: Outcome(verb="t", parameters={}, parents=(), contents={"e/eval": frame}, rows_in=11))
    if when == "after it":
        freeze(project, "e/eval")
    assert redact(project, "e/eval").redacted == 1
    if when != "after it":
        freeze(project, "e/eval")
    (frozen,) = map(read_set, set_folders(project.evals))
    version = open_dataset(project, "d")
    fact = Fact(hash="f" * 64, project="p", kind="frozen", body={}, parents=(), time="", account="a", tool="t")
    (project.root / "sluice.toml").write_text(
        '[task]\nname = "d"\ndata = "d"\ndescription = "Say it."\nrubric = "rubric.md"\nmetric = "exact"\n'
        '[model]\nbase = "none"\n[project]\nid = "daf5fdd050e6b1a4"\n'
    )
    (project.root / "rubric.md").write_text("Right is right.\n")
    state = SetState(fact=fact, word="intact", frozen=frozen)
    leaks, _ = collect_leaks(Project(project.root), state, relation_of(frozen), version.rows(), version, None)
    mine = next(r.row for r in version.rows() if r.input["body"] == other["body"])
    assert leaks is not None
    assert mine in {leak.row for leak in leaks}
