"""Dedup: each drop is proven, one row of each cluster stays, order does not matter, a second run drops nothing."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.rows import AnyRow, Example, Preference, Text, Unpaired
from sluice.curate.duplicates import dedup
from sluice.curate.duplicates.keys import keys_of
from sluice.curate.duplicates.near import jaccard, lsh_candidates
from sluice.curate.join import Side, related
from sluice.curate.similarity import Relation

WORDS = ["order", "late", "please", "refund", "my", "parcel"]
TARGETS = ["a", "A.", '{"x": 1, "y": "b"}', '{"y":"B","x":1.0}', "c"]
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join)
variants = st.builds(lambda s, end: s.capitalize() + end, sentences, st.sampled_from(["", ".", "!", "  "]))
examples = st.builds(lambda t, y: Example(input={"t": t}, target=y), variants, st.sampled_from(TARGETS))
collections = st.lists(examples, max_size=14, unique_by=lambda r: r.row)


def ask(text: str, target: str | None = "x") -> Example:
    return Example(input={"t": text}, target=target)


@settings(deadline=None)
@given(collections, st.randoms(), st.booleans())
def test_dedup_properties(rows: list[AnyRow], rng: random.Random, drop_near: bool):
    result = dedup(rows, drop_near=drop_near)
    by = {row.row: row for row in rows}
    relation = Relation()
    gone = {d.row for d in result.dropped}
    assert set(result.kept) | gone == set(by)
    assert not set(result.kept) & gone
    for drop in result.dropped:
        assert drop.kept in result.kept
        one, two = by[drop.row], by[drop.kept]
        assert relation.near_equal(one.input["t"], two.input["t"]) == drop.jaccard
        same = keys_of(one).learnt == keys_of(two).learnt
        assert same == (drop.reason != "near-other-target")
        assert drop.reason != "near-other-target" or drop_near
    kept = [by[name] for name in result.kept]
    contested = {name for c in result.conflicts for name in c.rows}
    for i, one in enumerate(kept):
        for two in kept[:i]:
            if relation.near_equal(one.input["t"], two.input["t"]) is not None:
                a, b = keys_of(one), keys_of(two)
                assert a.learnt != b.learnt or {one.row, two.row} & contested
                assert (a.input, a.learnt) != (b.input, b.learnt)
    again = dedup(kept, drop_near=drop_near)
    assert again.dropped == ()
    assert again.near_other_target == result.near_other_target
    shuffled = dedup(rng.sample(rows, len(rows)), drop_near=drop_near)
    assert set(shuffled.kept) == set(result.kept)
    assert {d.row: d for d in shuffled.dropped} == {d.row: d for d in result.dropped}
    assert shuffled.conflicts == result.conflicts


@settings(deadline=None)
@given(collections)
def test_conflicts_are_equal_inputs_that_say_different_things_and_all_claims_stay(rows: list[AnyRow]):
    result = dedup(rows)
    said: dict[object, dict[object, set[str]]] = {}
    for row in rows:
        key = keys_of(row)
        said.setdefault(key.input, {}).setdefault(key.says, set()).add(row.row)
    kept = set(result.kept)
    expected = {frozenset(set().union(*v.values()) & kept) for v in said.values() if len(v) > 1}
    assert {frozenset(c.rows) for c in result.conflicts} == expected
    for values in said.values():
        if len(values) > 1:
            for names in values.values():
                assert names & set(result.kept)


def test_a_conflict_lists_the_rows_that_stay_and_no_twin_of_them():
    rows = [ask("where is my parcel", "A"), ask("Where is my parcel?", "A"), ask("where is my parcel", "B")]
    result = dedup([*rows, ask("WHERE is my parcel", "B")])
    assert len(result.dropped) == 2
    (conflict,) = result.conflicts
    assert set(conflict.rows) == set(result.kept)


def test_no_chain_drags_in_strangers():
    words = [f"w{n}" for n in range(60)]
    chain: list[AnyRow] = [ask(" ".join(words[n : n + 30])) for n in range(0, 30, 2)]
    result = dedup(chain)
    by = {row.row: row for row in chain}
    assert 1 < len(result.kept) < len(chain)
    for drop in result.dropped:
        assert Relation().near_equal(by[drop.row].input["t"], by[drop.kept].input["t"]) is not None


def test_near_inputs_with_other_targets_stay_and_are_listed():
    a = ask("add blue train to evening playlist", '{"song": "blue train"}')
    b = ask("add blue trains to evening playlist", '{"song": "blue trains"}')
    result = dedup([a, b])
    assert not result.dropped
    assert [{p.row, p.other} for p in result.near_other_target] == [{a.row, b.row}]
    result = dedup([a, b], drop_near=True)
    assert [d.reason for d in result.dropped] == ["near-other-target"]
    assert result.kept == (b.row,)  # the longer input


def test_targets_equal_by_value_and_long_answers_by_likeness():
    a = ask("Where is it?", '{"a": 1, "b": [1.0, null]}')
    b = ask("where is it", '{"b":[1,null],"a":1}')
    assert [d.reason for d in dedup([a, b]).dropped] == ["exact-duplicate"]
    assert dedup([ask("Where is it?", "5"), ask("where is it", "-5")]).conflicts
    answer = "we are sorry for the delay and will send a new parcel by express on the next working day"
    c, d = ask("where is my parcel", answer), ask("where is my parcel", answer + " of ours")
    result = dedup([c, d])
    assert not result.conflicts
    assert [(x.reason, x.target_jaccard < 1) for x in result.dropped] == [("near-duplicate", True)]


def test_rows_of_other_kinds_shapes_and_without_target_are_not_compared():
    rows: list[AnyRow] = [
        ask("where is my parcel"),
        ask("where is my parcel", None),
        Example(input={"other": "where is my parcel"}, target="x"),
        Text(input={"text": "where is my parcel"}),
        Unpaired(input={"t": "where is my parcel"}, answer="x", good=True),
        Preference(input={"t": "where is my parcel"}, chosen="x", rejected="y"),
    ]
    result = dedup(rows)
    assert not result.dropped
    assert not result.conflicts


def test_contradictions_of_judged_answers_and_pairs():
    good = Unpaired(input={"t": "hi"}, answer="x", good=True)
    bad = Unpaired(input={"t": "Hi!"}, answer="x", good=False)
    pair = Preference(input={"t": "hi"}, chosen="x", rejected="y")
    swapped = Preference(input={"t": "hi"}, chosen="y", rejected="x")
    other = Preference(input={"t": "hi"}, chosen="x", rejected="z")
    result = dedup([good, bad, pair, swapped, other])
    assert {frozenset(c.rows) for c in result.conflicts} == {
        frozenset((good.row, bad.row)),
        frozenset((pair.row, swapped.row)),
    }
    assert not result.dropped


def test_keep_the_first_seen():
    first, second = ask("where is my parcel"), ask("Where is my parcel?!")
    places = {first.row: ("b.jsonl", 1), second.row: ("a.jsonl", 7)}
    assert dedup([first, second], keep="first", places=places).kept == (second.row,)
    assert dedup([first, second], keep="first", places={first.row: ("z", 1)}).kept == (first.row,)


def variants_of(rng: random.Random, number: int) -> list[str]:
    texts: list[str] = []
    for _ in range(number):
        words = ["".join(rng.choices("abcdefghijklmnop", k=5)) for _ in range(rng.choice((5, 20, 60)))]
        texts.append(" ".join(words))
        for _ in range(3):
            copy = [*words]
            for _ in range(max(1, len(words) // 20)):
                copy[rng.randrange(len(copy))] = "changed"
            texts.append(" ".join(copy))
    return texts


def test_lsh_finds_at_least_97_of_100_pairs_and_dedup_by_it_drops_only_proven_ones():
    rng = random.Random(7)
    texts = sorted(set(variants_of(rng, 250)))
    prepared = Relation().prepare([(t,) for t in texts])
    everything = np.arange(len(texts))
    true: set[tuple[int, int]] = set()
    for pairs in related(Side(prepared), Side(prepared)):
        true |= {
            (i, j) for i, j, n in zip(pairs.left.tolist(), pairs.right.tolist(), pairs.near, strict=True) if n and i < j
        }
    met: set[tuple[int, int]] = set()
    for i, j in lsh_candidates(prepared, everything, everything):
        met |= {(a, b) for a, b in zip(i.tolist(), j.tolist(), strict=True) if a < b}
    assert len(true) > 200
    assert len(true & met) >= 0.97 * len(true)
    wrong = met - true
    if wrong:
        a, b = np.array(sorted(wrong)).T
        assert not jaccard(prepared, a, b).any()
    rows: list[AnyRow] = [ask(t) for t in texts]
    by_lsh, exact = dedup(rows, way="lsh"), dedup(rows, way="exact")
    assert not dedup([r for r in rows if r.row in set(by_lsh.kept)], way="lsh").dropped
    assert len(exact.kept) <= len(by_lsh.kept) <= 1.05 * len(exact.kept)


def test_a_family_of_thousands_leaves_one():
    rest = "which i placed in your shop last monday and which you said would be with me before the end of this week"
    rows: list[AnyRow] = [ask(f"please tell me the state of order {n} {rest}") for n in range(2000)]
    result = dedup(rows)
    assert len(result.kept) == 1
    assert {d.kept for d in result.dropped} == set(result.kept)
    apart: list[AnyRow] = [ask(row.input["t"], f"order {n}") for n, row in enumerate(rows[:600])]  # type: ignore[index]
    result = dedup(apart)
    assert not result.dropped
    assert len(result.near_other_target) == 599
