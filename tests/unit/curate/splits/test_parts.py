"""`split`: parts that share nothing; a split never moves a row; what was an eval row stays one."""

from __future__ import annotations

import itertools
import json

import pytest

from sluice.core.errors import InputError, UsageError
from sluice.curate.adding.add import add
from sluice.curate.dataset import has_dataset, open_dataset
from sluice.curate.drops import dropped_rows
from sluice.curate.filter import filter_rows
from sluice.curate.formats import ReadOptions
from sluice.curate.leaks.eval_side import pinned_boilerplate
from sluice.curate.leaks.find import find_leaks
from sluice.curate.restore import restore
from sluice.curate.similar.similarity import Boilerplate, Relation
from sluice.curate.splits.parts import LEFT_WHOLE, split_dataset

OPTIONS = ReadOptions(input="body", target="label")


def rows_of(project, part, dataset="d"):
    return {r.row for r in open_dataset(project, f"{dataset}/{part}").rows()}


def add_lines(project, lines, dataset, *records, name="more"):
    return add(project, dataset, [lines(project.root / f"{name}.jsonl", *records)], OPTIONS)


def test_parts_are_the_whole_and_share_nothing(project):
    done = split_dataset(project, "d", eval=12, dev=6)
    assert {p.name: (p.version, p.rows) for p in done.parts} == {"d/train": (1, 42), "d/dev": (1, 6), "d/eval": (1, 12)}
    whole = {r.row for r in open_dataset(project, "d").rows()}
    parts = [rows_of(project, p) for p in ("train", "dev", "eval")]
    assert set().union(*parts) == whole
    assert sum(map(len, parts)) == len(whole)
    for a, b in itertools.permutations(("train", "dev", "eval"), 2):
        assert not find_leaks(
            open_dataset(project, f"d/{a}").rows(), open_dataset(project, f"d/{b}").rows(), Relation()
        )


def test_without_eval_or_dev_no_such_part_is_made(project):
    split_dataset(project, "d", eval=5)
    assert has_dataset(project, "d/eval")
    assert not has_dataset(project, "d/dev")
    with pytest.raises(UsageError, match="neither eval nor dev"):
        split_dataset(project, "other" if has_dataset(project, "other") else copy_of(project))


def copy_of(project):
    add(project, "copy", [project.root / "d.jsonl"], OPTIONS)
    return "copy"


def test_the_same_split_twice_changes_nothing_and_another_one_is_refused(project):
    split_dataset(project, "d", eval=12, dev=6, seed=3)
    again = split_dataset(project, "d", eval=12, dev=6, seed=3)
    assert (again.changed, again.extended) == (False, True)
    assert not split_dataset(project, "d").changed
    with pytest.raises(UsageError, match="never moves a row"):
        split_dataset(project, "d", eval=20)
    with pytest.raises(UsageError, match="is a part"):
        split_dataset(project, "d/train", eval=5)


def test_the_draw_is_the_seed_s(project):
    assert split_dataset(project, "d", eval=12, seed=1, dry_run=True).parts[0].rows == 48
    assert not has_dataset(project, "d/eval")
    split_dataset(project, "d", eval=12, seed=1)
    split_dataset(project, copy_of(project), eval=12, seed=1)
    assert rows_of(project, "eval") == rows_of(project, "eval", "copy")
    add(project, "third", [project.root / "d.jsonl"], OPTIONS)
    split_dataset(project, "third", eval=12, seed=2)
    assert rows_of(project, "eval", "third") != rows_of(project, "eval")


def test_groups_never_straddle_and_are_set_on_the_rows(project):
    split_dataset(project, "d", eval=12, dev=6, group="customer")
    groups = {p: open_dataset(project, f"d/{p}").groups() for p in ("train", "dev", "eval")}
    values = {p: {v for found in g.values() for v in found} for p, g in groups.items()}
    assert all(values.values())
    assert values["train"].isdisjoint(values["eval"] | values["dev"])
    assert values["dev"].isdisjoint(values["eval"])
    with pytest.raises(InputError, match="kunde"):
        split_dataset(project, copy_of(project), eval=12, group="kunde")


def test_added_rows_follow_their_like_and_eval_rows_stay(project, lines):
    split_dataset(project, "d", eval=12, dev=6)
    before = {p: rows_of(project, p) for p in ("train", "dev", "eval")}
    texts = {p: open_dataset(project, f"d/{p}").examples()[0].input["body"] for p in before}
    added = {p: {"body": text + "!!", "label": "other"} for p, text in texts.items()}
    add_lines(project, lines, "d", *added.values(), {"body": "unlike all the others, wholly new words", "label": "y"})
    done = split_dataset(project, "d")
    after = {p: rows_of(project, p) for p in before}
    assert after["eval"] == before["eval"]
    assert {p: len(after[p] - before[p]) for p in before} == {"train": 2, "dev": 1, "eval": 0}
    assert all(before[p] <= after[p] for p in before)
    assert done.set_aside == 1
    assert done.first_set_aside[0].touches is not None
    assert done.first_set_aside[0].touches.row in before["eval"]
    assert open_dataset(project, "d/eval").number == 1
    assert not split_dataset(project, "d").changed


def test_what_was_filtered_from_train_does_not_come_back_and_what_left_the_whole_leaves_train(project, lines):
    add_lines(project, lines, "d", {"body": "an answer that is blank on its own", "label": " "})
    split_dataset(project, "d", eval=12, dev=6)
    held = rows_of(project, "train")
    assert filter_rows(project, "d/train", ["empty"]).dropped == 1
    assert not split_dataset(project, "d").changed
    add_lines(project, lines, "d", {"body": "another blank answer, of its own again", "label": "  "}, name="again")
    assert split_dataset(project, "d").parts[0].new == 1
    filter_rows(project, "d", ["empty"])
    done = split_dataset(project, "d")
    assert (done.changed, done.gone) == (True, 1)
    assert len(rows_of(project, "train")) == len(held) - 1
    assert LEFT_WHOLE in {d.reason for d in dropped_rows(open_dataset(project, "d/train"))}
    assert restore(project, "d", reason="empty").restored == 2
    assert split_dataset(project, "d").parts[0].new == 1  # not the one that was filtered from train itself


def test_eval_from_another_dataset_leaves_its_other_rows_and_sets_repeats_aside(project, lines):
    hand = [{"body": f"written by hand, number {'abcdefghijkl'[i] * 9} and {i * 31}", "label": "y"} for i in range(12)]
    add_lines(project, lines, "hand", *hand, name="hand")
    add_lines(project, lines, "d", {"body": hand[0]["body"].upper(), "label": "n"})
    done = split_dataset(project, "d", eval=10, dev=2, source="hand")
    assert done.left == 0
    assert done.set_aside == 1
    assert rows_of(project, "eval") | rows_of(project, "dev") == {r.row for r in open_dataset(project, "hand").rows()}
    assert open_dataset(project, "hand").number == 1
    (aside,) = dropped_rows(open_dataset(project, "d/train"))
    assert aside.kept is not None
    assert aside.kept.input == {"body": hand[0]["body"]}


def test_the_boilerplate_is_pinned_in_the_report_and_found_through_later_operations(project, lines):
    footer = "kind regards from all of us at the little shop on the corner of the street"
    add_lines(
        project,
        lines,
        "f",
        *({"body": f"{r.input['body']} {footer}", "label": "y"} for r in open_dataset(project, "d").examples()),
    )
    split_dataset(project, "f", eval=12)
    version = open_dataset(project, "f/train")
    report = json.loads((project.operations / version.entry.operation / "report.json").read_bytes())
    pinned = Boilerplate.model_validate(report["boilerplate"])
    assert pinned.ngrams
    add_lines(project, lines, "f/train", {"body": "something else entirely", "label": "y"}, name="else")
    assert pinned_boilerplate(open_dataset(project, "f/train")) == pinned
