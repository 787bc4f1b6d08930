"""Duplicates in meaning, with vectors that the test draws: proven, no chains, whatever the order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import UsageError
from sluice.core.rows import AnyRow, Example
from sluice.curate.dataset import rows_frame
from sluice.curate.duplicates import Rules, dedup
from sluice.curate.duplicates.keys import keys_of
from sluice.curate.duplicates.meaning import InMeaning, in_meaning

TEXTS = [f"{a} {b}" for b in "pqrs" for a in ("alpha beta", "gamma", "Alpha beta!", "delta")]
texts = st.sampled_from(TEXTS)
examples = st.builds(lambda t, y: Example(input={"t": t}, target=y), texts, st.sampled_from("xxy"))
collections = st.lists(examples, max_size=14, unique_by=lambda r: r.row)


def vector(text: str) -> Any:
    """Return a direction in the plane, 12 degrees from that of the next text, so that chains are common."""
    angle = TEXTS.index(text) * np.pi / 15
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def embed(some: Sequence[str]) -> Any:
    return np.stack([vector(text) for text in some])


def all_read(some: Sequence[str]) -> Any:
    return np.ones(len(some), bool)


def place(row: AnyRow) -> tuple[int, str]:
    return -len(keys_of(row).input[0]), row.row


def found(rows: Sequence[AnyRow], cosine: float, fixed: Sequence[AnyRow] = (), block: int = 8) -> InMeaning:
    rules = Rules()
    before = dedup(rows, rules, fixed=fixed)
    return in_meaning(before, rows_frame(list(rows)), fixed, rules, cosine, embed, all_read, block=block)


@settings(deadline=None)
@given(collections, collections, st.sampled_from([0.5, 0.86, 0.96]), st.randoms(), st.integers(1, 4))
def test_each_drop_is_proven_and_kept_rows_are_unlike(rows, fixed, cosine, rng: random.Random, block: int):
    done = found(rows, cosine, fixed, block)
    by: dict[str, Any] = {row.row: row for row in (*rows, *fixed)}
    elsewhere = {row.row for row in fixed}
    result = done.result
    gone = {d.row for d in result.dropped}
    assert set(result.kept) | gone == {r.row for r in rows}
    assert not set(result.kept) & gone
    for drop in result.dropped:
        assert drop.kept in set(result.kept) | elsewhere
        if drop.reason == "semantic-duplicate":
            one, two = by[drop.row], by[drop.kept]
            measured = float(vector(one.input["t"]) @ vector(two.input["t"]))
            assert measured == pytest.approx(drop.cosine, abs=1e-5)
            assert measured >= cosine - 1e-5
            assert keys_of(one).learnt == keys_of(two).learnt
    contested = {name for c in result.conflicts for name in c.rows}
    stand_in = {d.kept for d in result.dropped}
    listed = {p.row for p in done.other_target}
    stay = [*elsewhere, *result.kept]
    for one in set(result.kept) - contested - stand_in:
        mine = vector(by[one].input["t"])
        near = [o for o in stay if o != one and vector(by[o].input["t"]) @ mine > cosine + 1e-5]
        ahead = [o for o in near if o in elsewhere or place(by[o]) < place(by[one])]
        assert not [o for o in ahead if keys_of(by[o]).learnt == keys_of(by[one]).learnt]
        assert not ahead or one in listed
    shuffled = found(rng.sample(rows, len(rows)), cosine, fixed, block + 3)
    assert {d.row: d for d in shuffled.result.dropped} == {d.row: d for d in result.dropped}
    assert {p.row for p in shuffled.other_target} == listed


def test_a_row_that_stands_for_one_further_off_stays():
    """B stands for C by words; A is near B in meaning and not near C: were B to go, C would have no proven stand-in."""
    body = "one two three four five six seven eight nine ten"
    rows = [Example(input={"t": t}, target="x") for t in (f"{body} eleven twelve", f"{body} eleven", "w " * 40)]
    angles = {rows[2].input["t"].strip(): 0.0, rows[0].input["t"]: 0.25, rows[1].input["t"]: 0.5}

    def placed(some: Sequence[str]) -> Any:
        return np.array([[np.cos(angles[t.strip()]), np.sin(angles[t.strip()])] for t in some], np.float32)

    rules = Rules()
    before = dedup(rows, rules)
    assert [(d.row, d.kept) for d in before.dropped] == [(rows[1].row, rows[0].row)]
    done = in_meaning(before, rows_frame(rows), (), rules, float(np.cos(0.3)), placed, all_read)
    assert done.result.dropped == before.dropped
    wider = in_meaning(before, rows_frame(rows), (), rules, float(np.cos(0.6)), placed, all_read)
    assert {(d.row, d.kept, d.reason) for d in wider.result.dropped} == {
        (rows[0].row, rows[2].row, "semantic-duplicate"),
        (rows[1].row, rows[2].row, "semantic-duplicate"),
    }


def test_rows_of_a_conflict_stay_and_a_text_that_is_not_read_takes_no_part():
    rows = [Example(input={"t": "alpha"}, target=y) for y in "xy"] + [Example(input={"t": "alpha beta"}, target="x")]

    def same(some: Sequence[str]) -> Any:
        return np.ones((len(some), 1), np.float32)

    before = dedup(rows)
    frame = rows_frame(rows)
    done = in_meaning(before, frame, (), Rules(), 0.99, same, all_read)
    assert not done.result.dropped
    alone = in_meaning(before, frame, (), Rules(), 0.99, same, lambda some: np.array([len(t) < 6 for t in some]))
    assert (alone.compared, alone.too_long) == (2, 1)
    with pytest.raises(UsageError, match=r"0\.3"):
        found(rows, 0.3)


def test_there_are_no_chains():
    """Every text is near the next one only by the model: many families, taken in blocks of every size."""
    rng = random.Random(1)
    gone = 0
    for n in range(60):
        rows = {r.row: r for r in (Example(input={"t": rng.choice(TEXTS)}, target="x") for _ in range(10))}
        result = found(list(rows.values()), 0.86, (), 1 + n % 9).result
        assert {d.kept for d in result.dropped} <= set(result.kept)
        gone += sum(d.reason == "semantic-duplicate" for d in result.dropped)
    assert gone > 60
