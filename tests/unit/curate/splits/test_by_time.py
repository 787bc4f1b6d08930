"""By time: every row of train is older than every row of dev, and that than every row of eval; they share nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError, Refused, UsageError
from sluice.core.rows import AnyRow, Example
from sluice.curate.dataset import open_dataset
from sluice.curate.restore import restore
from sluice.curate.similar.similarity import Relation
from sluice.curate.splits.by_time import AFTER_CUT, extend_by_time, split_by_time
from sluice.curate.splits.extend import touches
from sluice.curate.splits.parts import split_dataset
from sluice.curate.splits.times import Times
from tests.unit.curate.conftest import message
from tests.unit.curate.splits.test_extend import collections
from tests.unit.curate.splits.test_parts import add_lines, rows_of
from tests.unit.curate.splits.test_split import unlike

DAYS = st.integers(0, 6)


def times_of(rows: list[AnyRow], days: list[int | None]) -> Times:
    known = {r.row: d for r, d in zip(rows, days, strict=True) if d is not None}
    return Times("day", "number", {r: Decimal(d) for r, d in known.items()}, {r: str(d) for r, d in known.items()})


@settings(deadline=None, max_examples=60)
@given(collections, collections, st.data(), st.integers(1, 4), st.integers(0, 3))
def test_parts_are_ordered_apart_and_stay_so_when_rows_are_added(
    rows: list[AnyRow], new: list[AnyRow], data: st.DataObject, n_eval: int, n_dev: int
):
    times = times_of(rows, data.draw(st.lists(st.none() | DAYS, min_size=len(rows), max_size=len(rows))))
    groups = {row.row: [f"g{row.row[0]}"] for row in (*rows, *new) if row.row[0] in "01"}
    by = {row.row: row for row in (*rows, *new)}
    try:
        done = split_by_time(rows, times, eval=n_eval, dev=n_dev, groups=groups)
    except (InputError, UsageError):
        return
    relation = Relation(done.boilerplate)
    parts = {name: [by[r] for r in getattr(done, name)] for name in ("train", "dev", "eval")}
    everywhere = [r for part in parts.values() for r in part]
    assert {r.row for r in everywhere} | {a.row for a in done.set_aside} == {r.row for r in rows}
    assert len(everywhere) + len(done.set_aside) == len({r.row for r in rows})
    check(parts, times, relation, groups)
    mirrored = split_by_time(rows[::-1], times, eval=n_eval, dev=n_dev, groups=groups)
    assert {*mirrored.train} == {*done.train}

    fresh = [row for row in new if row.row not in {r.row for r in rows}]
    added = times_of(fresh, data.draw(st.lists(st.none() | DAYS, min_size=len(fresh), max_size=len(fresh))))
    placed = extend_by_time(parts, fresh, added, done.cuts, relation, groups)
    assert {a.row for a in placed} == {row.row for row in fresh}
    assert {a.part for a in placed} <= {"train", None}
    parts["train"] = [*parts["train"], *(by[a.row] for a in placed if a.part)]
    both = Times("day", "number", times.of | added.of, times.text | added.text)
    check(parts, both, relation, groups)


def check(parts, times: Times, relation: Relation, groups) -> None:
    for newer, older in (("eval", "dev"), ("eval", "train"), ("dev", "train")):
        assert touches(parts[older], parts[newer], relation, groups, []) == {}
        oldest = min((times.of[r.row] for r in parts[newer]), default=None)
        assert oldest is None or all(times.of[r.row] < oldest for r in parts[older])


def test_the_cut_is_as_near_to_the_size_as_whole_times_allow_and_says_so():
    rows = unlike(1, 30)
    times = times_of(rows, [n // 5 for n in range(30)])
    done = split_by_time(rows, times, eval=6, dev=4)
    assert (len(done.eval), len(done.dev), len(done.train)) == (5, 5, 20)
    assert done.cuts == {"eval": "5", "dev": "4"}
    assert sum("not" in note for note in done.notes) == 2
    assert len(split_by_time(rows, times, eval=0.34).eval) == 10
    with pytest.raises(InputError, match="1 time"):
        split_by_time(rows, times_of(rows, [1] * 30), eval=5)
    with pytest.raises(UsageError, match="less than one"):
        split_by_time(rows, times, eval=0.001)


def test_older_rows_that_hang_together_with_newer_ones_are_set_aside_and_no_others():
    rows = unlike(2, 20)
    old, middle, new = (Example(input={"t": f"{rows[0].input['t']} {word}"}, target="x") for word in ("a", "b", "c"))
    everyone = [*rows[1:], old, middle, new]
    times = times_of(everyone, [*range(19), 0, 0, 99])
    groups = {rows[1].row: ["anna"], new.row: ["anna"]}
    done = split_by_time(everyone, times, eval=1, dev=2, groups=groups)
    assert done.eval == (new.row,)
    assert {a.row for a in done.set_aside} == {old.row, middle.row, rows[1].row}
    assert {a.touches for a in done.set_aside} == {new.row}
    with pytest.raises(InputError, match="hang together"):
        split_by_time(rows, times_of(rows, list(range(20))), eval=1, groups={r.row: ["one"] for r in rows})


@pytest.fixture
def dated(project, lines):
    """Return a project whose dataset `t` holds 40 unlike rows, one a day."""
    records = [{"body": message(i), "label": "yn"[i % 2], "at": f"2026-03-{i % 28 + 1:02d}"} for i in range(40)]
    add_lines(project, lines, "t", *records[:28], {"body": "a row that has no date at all", "label": "y"}, name="t")
    return project


def test_a_project_split_by_time_reports_its_cuts_and_no_younger_row(dated, lines):
    done = split_dataset(dated, "t", eval=0.25, dev=4, by_time="at")
    assert {p.name: p.rows for p in done.parts} == {"t/train": 17, "t/dev": 4, "t/eval": 7}
    assert done.report is not None
    assert done.report.cuts == {"eval": "2026-03-22", "dev": "2026-03-18"}
    assert done.report.younger_in_train == 0
    ranges = {p.part: (p.oldest, p.newest) for p in done.report.parts}
    assert ranges["train"] == ("2026-03-01", "2026-03-17")
    assert ranges["eval"] == ("2026-03-22", "2026-03-28")
    assert done.reasons == {"no time in 'at'": 1}
    before = {part: rows_of(dated, part, "t") for part in ("train", "dev", "eval")}
    late, early, old = ({"body": message(50 + i), "label": "y", "at": at} for i, at in enumerate(DATES))
    add_lines(dated, lines, "t", late, early, old)
    again = split_dataset(dated, "t")
    assert (again.changed, again.set_aside) == (True, 2)
    assert all(reason.startswith(AFTER_CUT) for reason in again.reasons)
    assert again.report is not None
    assert again.report.younger_in_train == 0
    after = {part: rows_of(dated, part, "t") for part in before}
    assert after["eval"] == before["eval"]
    assert after["dev"] == before["dev"]
    assert len(after["train"] - before["train"]) == 1
    assert split_dataset(dated, "t").report == again.report


DATES = ("2026-05-01", "2026-03-19", "2025-12-24")


def test_what_time_keeps_out_does_not_come_back(dated, lines):
    split_dataset(dated, "t", eval=5, by_time="at")
    add_lines(dated, lines, "t", {"body": message(60), "label": "y", "at": "2027-01-01"})
    split_dataset(dated, "t")
    with pytest.raises(Refused) as problem:
        restore(dated, "t/train", reason=f"{AFTER_CUT} the cut of eval")
    assert "not older" in problem.value.message
    assert len(open_dataset(dated, "t/train").rows()) == 23


def test_what_cannot_be_asked_together(dated):
    for other in ({"source": "d"}, {"per_class": True}, {"stratify": "target"}):
        with pytest.raises(UsageError, match="by-time"):
            split_dataset(dated, "t", eval=4, by_time="at", **other)
    with pytest.raises(InputError, match="column 'when'") as problem:
        split_dataset(dated, "t", eval=4, by_time="when")
    assert "at" in (problem.value.remedy or "")
    split_dataset(dated, "t", eval=4)
    with pytest.raises(UsageError, match="without --by-time"):
        split_dataset(dated, "t", by_time="at")
