"""A split leaks nothing, in any case: that is the property; the rest is that it keeps its word about sizes."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError, UsageError
from sluice.core.rows import AnyRow, Example
from sluice.curate.leaks.find import find_leaks
from sluice.curate.similar.clusters import similarity_clusters
from sluice.curate.similar.similarity import Relation
from sluice.curate.splits.draw import SPARE
from sluice.curate.splits.split import SplitResult, split

WORDS = ["order", "late", "please", "refund", "my", "parcel", "jazz", "play", "the", "blue", "shoe", "again"]
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join)
examples = st.builds(
    lambda text, target: Example(input={"t": text}, target=target),
    sentences,
    st.one_of(st.sampled_from("ab"), sentences),
)
collections = st.lists(examples, min_size=8, max_size=30, unique_by=lambda r: r.row)


def noise(rng: random.Random, words: int = 9) -> str:
    return " ".join("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(words))


def unlike(seed: int, number: int, targets: str = "ab") -> list[AnyRow]:
    rng = random.Random(seed)
    return [Example(input={"t": noise(rng)}, target=targets[n % len(targets)]) for n in range(number)]


def check(result: SplitResult, rows: list[AnyRow], groups: dict[str, list[str]] | None = None) -> None:
    by = {row.row: row for row in rows}
    relation = Relation(result.boilerplate)
    parts = {name: [by[r] for r in getattr(result, name)] for name in ("train", "dev", "eval")}
    assert find_leaks([*parts["train"], *parts["dev"]], parts["eval"], relation, groups) == []
    assert find_leaks(parts["train"], parts["dev"], relation, groups) == []
    named = [*result.train, *result.dev, *result.eval]
    assert len(named) == len(set(named))
    assert not {*result.train} & {a.row for a in result.set_aside}


@settings(deadline=None, max_examples=40)
@given(collections, st.integers(1, 3), st.integers(0, 3), st.integers(0, 3), st.randoms())
def test_no_leak_between_parts_and_the_order_of_rows_does_not_matter(
    rows: list[AnyRow], n_eval: int, n_dev: int, seed: int, rng: random.Random
):
    groups = {row.row: [f"g{len(row.row.strip(c))}"] for row in rows for c in "0" if row.row.startswith("0")}
    try:
        result = split(rows, eval=n_eval, dev=n_dev, seed=seed, groups=groups)
    except InputError:
        return
    check(result, rows, groups)
    for asked, got in ((n_eval, len(result.eval)), (n_dev, len(result.dev))):
        assert min(asked, 1) <= got <= max(2 * asked, asked + SPARE if asked else 0)
    lone = sum(len(c) == 1 for c in similarity_clusters(rows, Relation(result.boilerplate), groups))
    if lone >= n_eval + n_dev + len({row.target for row in rows}):  # type: ignore[union-attr]
        assert (len(result.eval), len(result.dev), result.set_aside) == (n_eval, n_dev, ())
    everything = {*result.train, *result.dev, *result.eval, *(a.row for a in result.set_aside)}
    assert everything == {row.row for row in rows}
    again = split(rng.sample(rows, len(rows)), eval=n_eval, dev=n_dev, seed=seed, groups=groups)
    assert (set(again.eval), set(again.dev), set(again.train)) == (
        set(result.eval),
        set(result.dev),
        set(result.train),
    )


@settings(deadline=None, max_examples=40)
@given(collections, collections, st.integers(1, 3), st.integers(0, 2))
def test_no_leak_from_another_dataset(rows: list[AnyRow], other: list[AnyRow], n_eval: int, n_dev: int):
    try:
        result = split(rows, eval=n_eval, dev=n_dev, eval_from=other)
    except InputError:
        return
    check(result, [*rows, *other])
    assert {*result.eval, *result.dev, *result.left} == {row.row for row in other}
    assert {*result.train, *(a.row for a in result.set_aside)} == {row.row for row in rows}
    drawn = {*result.eval, *result.dev}
    assert all(a.touches in drawn for a in result.set_aside)


def test_sizes_seeds_and_strata():
    rows = unlike(1, 400, "aaab")
    result = split(rows, eval=40, dev=0.05)
    assert (len(result.eval), len(result.dev), len(result.train)) == (40, 20, 340)
    assert result.strata == {
        "a": {"eval": 30, "dev": 15, "train": 255},
        "b": {"eval": 10, "dev": 5, "train": 85},
    }
    assert set(split(rows, eval=40, dev=0.05, seed=1).eval) != set(result.eval)
    result = split(rows, eval_per_class=20, dev_per_class=10)
    assert all((parts["eval"], parts["dev"]) == (20, 10) for parts in result.strata.values())


def test_a_class_with_one_row_goes_to_train_and_is_named():
    rows = unlike(2, 60, "ab")
    lone = Example(input={"t": "the only one of its sort"}, target="rare")
    result = split([*rows, lone], eval=20, dev=10)
    assert lone.row in result.train
    assert any("rare" in note for note in result.notes)


def test_components_stay_together_and_eval_has_distinct_clusters():
    rng = random.Random(3)
    rows: list[AnyRow] = []
    for _ in range(120):
        text = noise(rng, 12)
        rows += [Example(input={"t": text + end}, target="x") for end in ("", " again", " once more")]
    result = split(rows, eval=60, dev=15)
    check(result, rows)
    by = {row.row: row for row in rows}
    assert not result.set_aside
    clusters = similarity_clusters([by[r] for r in result.eval], Relation(result.boilerplate))
    assert len(clusters) >= 20
    assert Counter(map(len, clusters)) == {3: 20}


def test_an_oversized_component_is_cut_at_its_boundary():
    words = [f"w{n:03}x" for n in range(400)]
    chain: list[AnyRow] = [Example(input={"t": " ".join(words[n : n + 20])}, target="x") for n in range(0, 380, 2)]
    result = split(chain, eval=10, dev=5)
    check(result, chain)
    assert result.largest == len(chain)
    assert result.set_aside
    assert len(result.train) > 100
    drawn = {*result.eval, *result.dev}
    assert all(a.touches in drawn and "boundary" in a.reason for a in result.set_aside)
    assert any("hang together" in note for note in result.notes)


def test_groups_never_straddle():
    rows = unlike(4, 200)
    groups = {row.row: [f"customer {n // 4}"] for n, row in enumerate(rows)}
    result = split(rows, eval=80, dev=20, groups=groups)
    check(result, rows, groups)
    assert not result.set_aside
    history = [(rows[n].row, rows[n + 1].row) for n in range(0, 200, 2)]
    result = split(rows, eval=80, dev=20, edges=history)
    for old, new in history:
        assert sum({old, new} <= set(part) for part in (result.train, result.dev, result.eval)) == 1


def test_sizes_that_cannot_be_drawn_say_what_can():
    rows = unlike(5, 10, "a")
    with pytest.raises(InputError, match="none would be left"):
        split(rows, eval=50)
    with pytest.raises(InputError, match="8 can be drawn"):
        split([*rows[:9], rows[9].model_copy(update={"target": "alone"})], eval=9, stratify="target")
    paraphrases: list[AnyRow] = [
        Example(input={"t": f"cancel order number {n:05} right now"}, target="x") for n in range(20)
    ]
    with pytest.raises(InputError):
        split(paraphrases, eval=5)
    with pytest.raises(InputError, match=r"b \(4\)"):
        split([*unlike(6, 40, "a"), *unlike(7, 5, "b")], eval_per_class=10)
    with pytest.raises(InputError, match="left to train"):
        split(rows, eval=10, eval_from=rows)
    for size in (-1, 1.5):
        with pytest.raises(UsageError):
            split(rows, eval=size)
    with pytest.raises(UsageError):
        split(rows)


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"stratify": "target.nope"}, "target.nope"),
        ({"stratify": "t"}, "input.t"),
        ({"eval": 0, "dev": 0}, "neither eval nor dev"),
        ({"eval": 0.005}, "less than one row"),
        ({"dev": 0.0001}, "less than one row"),
        ({"eval": 0, "dev": 0, "eval_per_class": 0.1}, "each class"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_compared(monkeypatch, asked, word):
    def compared(*_args, **_more):
        raise AssertionError("rows were compared")

    monkeypatch.setattr("sluice.curate.splits.split.find_boilerplate", compared)
    monkeypatch.setattr("sluice.curate.splits.split.components", compared)
    with pytest.raises((InputError, UsageError)) as problem:
        split(unlike(0, 40), **({"eval": 5, "dev": 2} | asked))
    assert word in str(problem.value)
