"""The report of a split: what the parts are made of, and what weighed how much before dedup dropped it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.core.rows import Preference
from sluice.curate.dataset import open_dataset
from sluice.curate.deduplicate import deduplicate
from sluice.curate.restore import restore
from sluice.curate.splits.parts import split_dataset
from sluice.curate.splits.split import split
from sluice.curate.splits.weights import weights
from tests.unit.curate.conftest import message
from tests.unit.curate.splits.test_parts import add_lines

texts = st.integers(0, 8).map(message)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(texts, st.text("abc", max_size=2), st.text("abc", max_size=2)), min_size=6, max_size=30))
def test_preference_rows_are_split_by_prompt_never_by_row(found):
    rows = [Preference(input={"prompt": text}, chosen=f"+{a}", rejected=f"-{b}") for text, a, b in found]
    try:
        done = split(rows, eval=2, dev=1)
    except InputError:
        return
    prompt = {row.row: row.input_hash for row in rows}
    parts = [{prompt[r] for r in part} for part in (done.train, done.dev, done.eval)]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


def test_rows_that_dedup_dropped_weigh_in_their_cluster(project, lines):
    copies = [{"body": message(70) + "!" * n, "label": "y"} for n in range(5)]
    add_lines(project, lines, "d", *copies, {"body": message(71), "label": "y"}, {"body": message(71), "label": "y"})
    assert deduplicate(project, "d").dropped == 4
    done = split_dataset(project, "d", eval=12, dev=6)
    assert done.report is not None
    assert (done.report.rows, done.report.weight) == (62, 67)
    assert sum(p.weight for p in done.report.parts) == 67
    assert sum(p.rows for p in done.report.parts) == 62
    made = open_dataset(project, "d/train").operation
    stored = json.loads((project.operations / made.id / "report.json").read_text())
    heavy = stored["heavy"]
    assert sorted(heavy["weight"]) == [2, 5]
    kept = {r.row for r in open_dataset(project, "d").rows()}
    assert set(heavy["row"]) <= kept
    held = next(p for p in done.report.parts if p.part == heavy["part"][0])
    assert (held.largest[0].row, held.largest[0].weight) == (heavy["row"][0], 5)


def test_a_restored_twin_stands_for_itself_again(project, lines):
    add_lines(project, lines, "d", *({"body": message(70) + end, "label": "y"} for end in ("", "!", "?!")))
    deduplicate(project, "d")
    assert max(weights(open_dataset(project, "d")).values()) == 3
    restore(project, "d", reason="exact-duplicate")
    version = open_dataset(project, "d")
    found = weights(version)
    assert sum(found[row.row] for row in version.rows()) == 63


def test_shares_are_of_the_part_and_beside_those_of_all(project):
    done = split_dataset(project, "d", eval=12, dev=6, group="customer")
    assert done.report is not None
    parts = {p.part: p for p in done.report.parts}
    assert sum(p.share for p in parts.values()) == pytest.approx(1)
    for part in parts.values():
        assert sum(x.rows for x in part.labels.values()) == part.rows
        assert sum(x.share for x in part.labels.values()) == pytest.approx(1)
        assert part.groups is not None
        assert part.groups == part.rows / 3  # each customer has 3 rows and lies whole in one part
        assert part.clusters == part.groups
    assert {name: x.of_all for name, x in parts["train"].labels.items()} == pytest.approx({"n": 1 / 3, "y": 2 / 3})
