"""Components and boilerplate, against comparing all pairs of rows."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.rows import AnyRow, Example, Message, Messages, Text
from sluice.curate.similar.boilerplate import find_boilerplate
from sluice.curate.similar.clusters import components, links, similarity_clusters
from sluice.curate.similar.similarity import Boilerplate, Relation

WORDS = ["order", "late", "please", "refund", "my", "parcel", "jazz"]
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
examples = st.builds(lambda text, target: Example(input={"t": text}, target=target), sentences, sentences)
collections = st.lists(examples, max_size=10, unique_by=lambda r: r.row)


def noise(rng: random.Random, words: int) -> str:
    return " ".join("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(words))


def partition(clusters: list[list[int]], rows: list[AnyRow]) -> set[frozenset[str]]:
    return {frozenset(rows[n].row for n in numbers) for numbers in clusters}


@settings(deadline=None)
@given(collections, st.randoms())
def test_components_are_those_of_the_graph_of_all_links(rows: list[AnyRow], rng: random.Random):
    reach = {n: {n} for n in range(len(rows))}
    for tie in links(rows, rows, Relation()):
        joined = reach[tie.asks] | reach[tie.answers]
        for n in joined:
            reach[n] = joined
    expected = {frozenset(rows[n].row for n in numbers) for numbers in reach.values()}
    assert partition(components(rows, Relation()), rows) == expected
    shuffled = rng.sample(rows, len(rows))
    assert partition(components(shuffled, Relation()), shuffled) == expected


@settings(deadline=None)
@given(collections)
def test_links_are_near_equal_or_contained_inputs(rows: list[AnyRow]):
    found = {(tie.asks, tie.answers, tie.field, tie.near) for tie in links(rows, rows, Relation())}
    relation = Relation()
    for i, one in enumerate(rows):
        for j, two in enumerate(rows):
            near = relation.near_equal(one.input["t"], two.input["t"]) is not None
            assert ((i, j, "input", True) in found) == near
            inside = relation.contained(one.input["t"], two.target) is not None
            near_target = relation.near_equal(one.input["t"], two.target) is not None
            if inside and not near_target:
                assert (i, j, "target", False) in found


def test_a_large_family_and_a_label_do_not_confuse_components():
    rng = random.Random(1)
    family = [Example(input={"t": f"state of order number {n:05} please"}, target="status") for n in range(700)]
    strangers = [Example(input={"t": noise(rng, 9)}, target="status") for _ in range(300)]
    rows: list[AnyRow] = [*family, *strangers]
    rng.shuffle(rows)
    sizes = sorted(map(len, components(rows, Relation())))
    assert sizes == [1] * 300 + [700]


def test_groups_and_changes_tie_rows():
    rng = random.Random(2)
    rows: list[AnyRow] = [Example(input={"t": noise(rng, 9)}, target="x") for _ in range(5)]
    names = [r.row for r in rows]
    groups = {names[0]: ["anna"], names[1]: ["anna", "firm"], names[2]: ["firm"]}
    edges = [(names[3], "0" * 64), ("0" * 64, names[4])]
    assert components(rows, Relation(), groups, edges) == [[0, 1, 2], [3, 4]]


def test_twenty_paraphrases_are_one_cluster_also_within_a_larger_set():
    rng = random.Random(3)
    rest = "which i placed in your shop last monday and send the money back to my bank account as soon as you can"
    asks = [f"please cancel my order number {n} {rest}" for n in range(20)]
    rows: list[AnyRow] = [Example(input={"t": t}, target="cancel") for t in asks]
    others: list[AnyRow] = [Example(input={"t": noise(rng, 10)}, target="x") for _ in range(200)]
    for boilerplate in (Boilerplate(), find_boilerplate(rows), find_boilerplate([*rows, *others])):
        assert len(similarity_clusters(rows, Relation(boilerplate))) == 1


def test_boilerplate_takes_a_greeting_out():
    rng = random.Random(4)
    greeting = "hello dear support team i hope that you are all doing well today"
    rows: list[AnyRow] = [Text(input={"text": f"{greeting} {noise(rng, 12)}"}) for _ in range(60)]
    rows += [Text(input={"text": noise(rng, 12)}) for _ in range(60)]
    found = find_boilerplate(rows)
    assert len(found.ngrams) > 10
    assert len(components(rows, Relation(found))) == 120
    assert not find_boilerplate(rows[:19]).ngrams
    unlike: list[AnyRow] = [Text(input={"text": noise(rng, 12)}) for _ in range(60)]
    assert not find_boilerplate(unlike).ngrams


def test_a_long_system_message_or_instruction_does_not_tie_all_rows_together():
    rng = random.Random(5)
    system = noise(rng, 150)
    chats: list[AnyRow] = [
        Example(
            input=Messages(turns=(Message(role="system", content=system), Message(role="user", content=noise(rng, 9)))),
            target="x",
        )
        for _ in range(120)
    ]
    assert len(components(chats, Relation())) == 1
    assert len(components(chats, Relation(find_boilerplate(chats)))) == 120
    inline: list[AnyRow] = [Example(input={"t": f"{system} {noise(rng, 12)}"}, target="x") for _ in range(120)]
    assert len(components(inline, Relation())) == 1
    assert len(components(inline, Relation(find_boilerplate(inline)))) == 120
    told, plain = Message(role="system", content=system), Message(role="user", content="play jazz")
    repeated: list[AnyRow] = [Example(input=Messages(turns=turns)) for turns in ((told, plain), (plain,))]
    repeated += [Example(input=Messages(turns=(told, Message(role="user", content="stop it"))))]
    assert components(repeated, Relation(find_boilerplate(chats))) == [[0, 1], [2]]
