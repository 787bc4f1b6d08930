"""Where rows hang together in groups, parts are drawn of whole groups: about the size asked for, hardly a row lost."""

from __future__ import annotations

import random

import pytest

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Example
from sluice.curate.leaks.find import find_leaks
from sluice.curate.similar.similarity import Relation
from sluice.curate.splits.draw import WORTH
from sluice.curate.splits.split import SplitResult, split

Groups = dict[str, list[str]]


def hexes(number: int, targets: str = "abc", seed: int = 1) -> list[AnyRow]:
    rng = random.Random(seed)
    return [
        Example(input={"t": " ".join(f"{rng.getrandbits(32):08x}" for _ in range(8))}, target=rng.choice(targets))
        for _ in range(number)
    ]


def grouped(rows: list[AnyRow], number: int) -> Groups:
    return {row.row: [f"g{n % number}"] for n, row in enumerate(rows)}


def straddling(result: SplitResult, groups: Groups) -> set[str]:
    parts = [{groups[r][0] for r in part} for part in (result.train, result.dev, result.eval)]
    return (parts[0] & parts[1]) | (parts[0] & parts[2]) | (parts[1] & parts[2])


@pytest.mark.parametrize("groups", [100, 20])
def test_a_size_that_whole_groups_give_is_given_and_no_row_is_lost(groups: int):
    rows = hexes(400)
    by = grouped(rows, groups)
    result = split(rows, eval=40, dev=40, groups=by)
    assert (len(result.eval), len(result.dev), len(result.train)) == (40, 40, 320)
    assert not result.set_aside
    assert not straddling(result, by)


def test_classes_stay_in_proportion_over_whole_groups():
    rows = hexes(400)
    result = split(rows, eval=80, groups=grouped(rows, 100))
    for counts in result.strata.values():
        assert abs(counts["eval"] - sum(counts.values()) / 5) <= 4


@pytest.mark.parametrize("groups", [37, 12])
@pytest.mark.parametrize("seed", range(3))
def test_a_size_between_whole_groups_comes_out_as_the_nearest_and_is_said(groups: int, seed: int):
    rows = hexes(groups * 11, seed=seed)
    result = split(rows, eval=40, dev=40, groups=grouped(rows, groups), seed=seed)
    assert not result.set_aside
    for part in ("eval", "dev"):
        assert len(getattr(result, part)) == 44
        assert any(note.startswith(f"{part}: 44 rows, not 40") for note in result.notes)


def test_few_groups_are_named_before_the_set_cannot_be_frozen():
    rows = hexes(400)
    notes = split(rows, eval=40, groups=grouped(rows, 100)).notes
    assert any("10 groups" in note and "--eval 80" in note for note in notes)
    assert not any("freeze" in note for note in split(rows, eval=80, groups=grouped(rows, 100)).notes)


def test_groups_far_larger_than_a_part_lose_one_of_them_for_each_part():
    rows = hexes(400)
    by = grouped(rows, 4)
    result = split(rows, eval=40, dev=40, groups=by)
    assert (len(result.eval), len(result.dev), len(result.train)) == (40, 40, 200)
    assert {by[a.row][0] for a in result.set_aside} == {by[r][0] for r in (*result.eval, *result.dev)}
    assert all("same group" in a.reason for a in result.set_aside)
    with pytest.raises(InputError) as problem:
        split(rows, eval=40, dev=40, groups=grouped(rows, 2))
    assert "--dev away" in (problem.value.remedy or "")


def test_small_clusters_of_like_rows_are_drawn_whole():
    rng = random.Random(4)
    rows: list[AnyRow] = []
    for _ in range(5):
        text = " ".join(f"{rng.getrandbits(32):08x}" for _ in range(14))
        rows += [Example(input={"t": f"{text} {end}"}, target="x") for end in ("a", "b", "c", "d", "e")]
    result = split(rows, eval=3, dev=1)
    assert (len(result.eval), len(result.dev), len(result.train)) == (5, 5, 15)
    assert not result.set_aside


def test_groups_too_large_for_a_part_go_to_train_where_others_give_its_size():
    rows = hexes(300)
    by = {row.row: [f"g{n}" if n < 100 else "large"] for n, row in enumerate(rows)}
    result = split(rows, eval=40, dev=20, groups=by)
    assert (len(result.eval), len(result.dev)) == (40, 20)
    assert not result.set_aside
    assert {row.row for row in rows[100:]} <= set(result.train)


def test_rows_of_each_class_over_whole_groups():
    rows = hexes(400)
    by = grouped(rows, 100)
    result = split(rows, eval_per_class=20, dev_per_class=5, groups=by)
    assert not result.set_aside
    assert not straddling(result, by)
    assert all(abs(c["eval"] - 20) <= 2 and abs(c["dev"] - 5) <= 2 for c in result.strata.values())


@pytest.mark.parametrize("singles", [0, 8])
def test_a_chain_of_like_rows_is_cut_where_that_is_cheap(singles: int):
    words = [f"w{n:03}x" for n in range(400)]
    rows: list[AnyRow] = [Example(input={"t": " ".join(words[n : n + 20])}, target="x") for n in range(0, 380, 2)]
    rows += hexes(singles, "x")
    result = split(rows, eval=10, dev=5)
    assert (len(result.eval), len(result.dev)) == (10, 5)
    drawn = {*result.eval, *result.dev}
    assert 0 < len(result.set_aside) <= WORTH * (len(drawn) - singles)
    assert all(a.touches in drawn and "alike" in a.reason for a in result.set_aside)
    kept = [row for row in rows if row.row in result.train]
    assert not find_leaks(kept, [row for row in rows if row.row in drawn], Relation(result.boilerplate))
