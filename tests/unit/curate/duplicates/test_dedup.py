"""Dedup: each drop is proven, one row of each cluster stays, order does not matter, a second run drops nothing."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import UsageError
from sluice.core.rows import AnyRow, Example, Preference, Text, Unpaired
from sluice.curate.duplicates import Rules, dedup
from sluice.curate.duplicates.keys import keys_of
from sluice.curate.duplicates.rules import Way
from sluice.curate.similar.similarity import Relation

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
    result = dedup(rows, Rules(drop_near=drop_near))
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
    again = dedup(kept, Rules(drop_near=drop_near))
    assert again.dropped == ()
    assert again.near_other_target == result.near_other_target
    shuffled = dedup(rng.sample(rows, len(rows)), Rules(drop_near=drop_near))
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
    result = dedup([a, b], Rules(drop_near=True))
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


@pytest.mark.parametrize("way", ["exact", "lsh"])
def test_long_answers_are_compared_without_their_punctuation(way: Way):
    said = "the parcel don't go by e-mail or a-b post today, good-bye my friend"
    a, b = ask("where is my parcel", said), ask("where is my parcel?", said.replace("-", " ").replace("'", " "))
    found = dedup([a, b], way=way)
    assert [(d.reason, d.target_jaccard) for d in found.dropped] == [("near-duplicate", 1.0)]


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


def test_the_lowest_rank_is_kept():
    first, second = ask("where is my parcel"), ask("Where is my parcel?!")
    rank = {first.row: ("b.jsonl", 1), second.row: ("a.jsonl", 7)}
    assert dedup([first, second], Rules(rank=rank)).kept == (second.row,)
    assert dedup([first, second], Rules(rank={first.row: ("z", 1)})).kept == (first.row,)


def test_rows_of_elsewhere_stay_and_take_their_like_with_them():
    there, here = ask("where is my parcel"), [ask("Where is my parcel?!"), ask("i want my money back"), ask("late")]
    for way in ("exact", "lsh"):
        result = dedup([*here, there], fixed=[there], way=way)
        assert result.kept == (here[1].row, here[2].row)
        assert [(d.row, d.kept, d.reason) for d in result.dropped] == [
            (here[0].row, there.row, "exact-duplicate"),
            (there.row, there.row, "exact-duplicate"),
        ]
        result = dedup([ask("where is my parcel", "other")], fixed=[there], way=way)
        assert not result.dropped
        assert [len(c.rows) for c in result.conflicts] == [2]


def test_what_has_to_be_alike_can_be_the_input_alone_or_the_target_alone():
    answer = "we are sorry for the delay and will send a new parcel by express on the next working day"
    rows = [ask("where is my parcel", answer), ask("where is my parcel", "ask again"), ask("refund", answer + " ok")]
    for way in ("exact", "lsh"):
        assert not dedup(rows, way=way).dropped
        by_input = dedup(rows, Rules(on="input"), way=way)
        assert len(by_input.kept) == 2
        assert not by_input.conflicts
        by_target = dedup(rows, Rules(on="target"), way=way)
        assert {d.row for d in by_target.dropped} == {rows[0].row}
        assert by_target.dropped[0].kept == rows[2].row  # the longer answer


@pytest.mark.parametrize("way", ["exact", "lsh"])
def test_rows_without_an_answer_are_not_alike_where_only_answers_count(way: Way):
    rows = [ask("where is it", None), ask("good-bye", None), Text(input={"text": "one"}), Text(input={"text": "two"})]
    assert dedup(rows, Rules(on="target"), way=way).kept == tuple(row.row for row in rows)
    again = dedup([*rows, ask("and here", "x"), ask("there", "x")], Rules(on="target"), fixed=rows[:1], way=way)
    assert again.counts == {"exact-duplicate": 2}  # one of the two, and the row that is there already


def test_a_threshold_can_be_higher_or_lower_but_not_meaningless():
    words = [f"word{n}" for n in range(40)]
    one, two = ask(" ".join(words)), ask(" ".join([*words[:20], "changed", *words[21:]]))
    share = Relation().near_equal(one.input["t"], two.input["t"])
    assert share is not None
    assert 0.8 < share < 0.9
    for way in ("exact", "lsh"):
        assert dedup([one, two], Rules(percent=80), way=way).dropped
        assert not dedup([one, two], Rules(percent=90), way=way).dropped
    far = ask(" ".join([*words[:8], "a", *words[9:20], "b", *words[21:32], "c", *words[33:]]))
    assert Relation().near_equal(one.input["t"], far.input["t"]) is None
    for way in ("exact", "lsh"):
        assert [d.jaccard > 0.5 for d in dedup([one, far], Rules(percent=50), way=way).dropped] == [True]
    with pytest.raises(UsageError):
        Rules(percent=3)


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
