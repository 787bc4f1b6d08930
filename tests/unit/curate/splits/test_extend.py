"""Added rows follow their component; none comes to stand beside an eval row, none moves."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Example
from sluice.curate.leaks.find import find_leaks
from sluice.curate.similar.similarity import Relation
from sluice.curate.splits.extend import extend_split
from sluice.curate.splits.split import Part, split

WORDS = ["order", "late", "please", "refund", "my", "parcel", "jazz", "play", "the", "blue", "shoe", "again"]
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join)
examples = st.builds(lambda text, target: Example(input={"t": text}, target=target), sentences, sentences)
collections = st.lists(examples, min_size=6, max_size=20, unique_by=lambda r: r.row)


@settings(deadline=None, max_examples=40)
@given(collections, collections)
def test_parts_stay_apart_after_adding(rows: list[AnyRow], new: list[AnyRow]):
    try:
        result = split(rows, eval=2, dev=2)
    except InputError:
        return
    relation = Relation(result.boilerplate)
    by = {row.row: row for row in [*rows, *new]}
    parts: dict[Part, list[AnyRow]] = {
        "train": [by[r] for r in result.train],
        "dev": [by[r] for r in result.dev],
        "eval": [by[r] for r in result.eval],
    }
    held = {row.row for part in parts.values() for row in part}
    assigned = extend_split(parts, new, relation)
    assert {a.row for a in assigned} == {row.row for row in new} - held
    for a in assigned:
        assert a.part != "eval"
        if a.part is not None:
            parts[a.part].append(by[a.row])
    assert find_leaks([*parts["train"], *parts["dev"]], parts["eval"], relation) == []
    assert find_leaks(parts["train"], parts["dev"], relation) == []


def noise(rng: random.Random) -> str:
    return " ".join("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(20))


def test_each_case():
    rng = random.Random(1)
    train, dev, held_out = (Example(input={"t": noise(rng)}, target="x") for _ in range(3))
    parts: dict[Part, list[AnyRow]] = {"train": [train], "dev": [dev], "eval": [held_out]}

    def like(row: Example) -> str:
        return row.input["t"] + " indeed"  # type: ignore[index]

    def row(text: str) -> Example:
        return Example(input={"t": text}, target="y")

    stranger, at_train, at_dev, at_eval = row(noise(rng)), row(like(train)), row(like(dev)), row(like(held_out))
    tie = row(f"{like(train)} {like(dev)}")
    grouped, changed = row(noise(rng)), row(noise(rng))
    groups = {grouped.row: ["anna"], dev.row: ["anna"]}
    new = [stranger, at_train, at_dev, at_eval, grouped, changed, train]
    found = extend_split(parts, new, Relation(), groups, [(held_out.row, changed.row)])
    assert [(a.row, a.part) for a in found] == [
        (stranger.row, "train"),
        (at_train.row, "train"),
        (at_dev.row, "dev"),
        (at_eval.row, None),
        (grouped.row, "dev"),
        (changed.row, None),
    ]
    (tied,) = extend_split(parts, [tie], Relation())
    assert (tied.part, tied.touches) == (None, dev.row)
