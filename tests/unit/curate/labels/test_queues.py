"""Queues: each order against a plain reckoning of what it promises."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.errors import InputError, UsageError
from sluice.curate.labels.log import Log
from sluice.curate.labels.question import ask
from sluice.curate.labels.queues import QUEUES, arrange
from sluice.curate.labels.queues.different import by_ngrams, by_vectors, k_centres
from sluice.curate.labels.record import ADJUDICATION, Judgement, Shown
from sluice.curate.labels.session import Item
from sluice.curate.similar.similarity import ngrams

ASKED = ask("classify", labels=("a", "b", "c"), written="w")


def items(count: int, texts: list[str] | None = None) -> list[Item]:
    said = texts or [f"text number {n}" for n in range(count)]
    return [Item("d", f"{n:064x}", f"{n:064x}", (("body", said[n]),)) for n in range(count)]


def word(place: int, by: str, value: str, *, queue: str = "random", time: int = 0) -> Judgement:
    row = f"{place:064x}"
    return Judgement(
        id=f"{place}-{by}-{time}",
        time=f"2026-01-01T00:00:{time:02d}.0Z",
        by=by,
        seconds=1,
        mode="classify",
        question=ASKED.hash,
        field="target",
        dataset="d",
        row=row,
        input=row,
        value=value,
        shown=Shown(session="s", place=1, queue=queue),
    )


def places(found: list[Item]) -> list[int]:
    return [int(item.row, 16) for item in found]


def order(queue: str, count: int, words: list[Judgement], *, by: str = "zoe", **options: Any) -> list[int]:
    given_items = options.pop("items", None) or items(count)
    return places(arrange(given_items, ASKED, Log(tuple(words)), by=by, queue=queue, **options))


@pytest.mark.parametrize("queue", [name for name in QUEUES.names() if name not in ("disagreed", ADJUDICATION)])
def test_every_queue_is_the_same_again_and_asks_nothing_twice(queue):
    options: dict[str, Any] = {"doubts": {f"{n:064x}": n / 20 for n in range(20)}}
    name = "spread:body" if queue == "spread" else queue
    found = order(name, 20, [word(1, "ana", "a"), word(2, "ana", "b")], **options)
    assert found == order(name, 20, [word(1, "ana", "a"), word(2, "ana", "b")], **options)
    assert sorted(found) == list(range(20))


def test_the_most_divided_come_first_and_what_is_agreed_not_at_all():
    said = {0: "aa", 1: "ab", 2: "aaab", 3: "aabb", 4: "abc", 5: "abcc"}
    words = [word(n, f"p{i}", v) for n, values in said.items() for i, v in enumerate(values)]
    assert order("disagreed", 8, words) == [4, 5, 3, 1, 2], "1.58, 1.5, 1 (of four), 1 (of two), 0.81 bits"


def test_nobody_settles_a_dispute_of_their_own_and_a_third_word_does_not_divide_more():
    words = [word(0, "ana", "a"), word(0, "ben", "b"), word(1, "ana", "a"), word(1, "cem", "b")]
    assert set(order(ADJUDICATION, 3, words, by="cem")) == {0}
    assert set(order(ADJUDICATION, 3, words, by="cem", overlap=2)) == {0}, (
        "two have decided: that is when a third comes"
    )
    third = word(0, "cem", "c", queue=ADJUDICATION, time=5)
    assert order(ADJUDICATION, 3, [*words, third], by="cem") == [0], "it can be thought better of"
    with pytest.raises(InputError, match="disagree"):
        order("disagreed", 3, [word(0, "ana", "a")])


def test_slices_take_turns_whatever_their_size():
    found = items(12)
    columns = {item.row: {"channel": "mail" if n < 9 else "chat" if n < 11 else None} for n, item in enumerate(found)}
    turns = order("spread:channel", 12, [], items=found, columns=columns)
    kinds = [columns[f"{n:064x}"]["channel"] for n in turns]
    assert set(kinds[:3]) == {"mail", "chat", None}
    assert sorted(map(str, kinds[3:5])) == ["chat", "mail"]
    assert kinds[5:] == ["mail"] * 7
    with pytest.raises(InputError, match="did you mean spread:channel"):
        order("spread:chanel", 12, [], items=found, columns=columns)
    for odd in ("spread", "random:x"):
        with pytest.raises(UsageError):
            order(odd, 12, [])


@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=9, unique=True), st.integers(1, 4)
)
def test_k_centres_are_the_farthest_each_time_and_within_twice_the_best_cover(points, k):
    spots = np.array(points, float)
    apart = np.linalg.norm(spots[:, None] - spots[None], axis=2)
    k = min(k, len(points))
    taken = k_centres(lambda place: apart[place], len(points), k)
    assert len(set(taken)) == k
    for n in range(1, k):
        to_nearest = apart[:, taken[:n]].min(axis=1)
        assert apart[taken[n], taken[:n]].min() == to_nearest.max()
    radius = apart[:, taken].min(axis=1).max()
    best = min(apart[:, list(some)].min(axis=1).max() for some in itertools.combinations(range(len(points)), k))
    assert radius <= 2 * best + 1e-9, "Gonzalez 1985, theorem 2.2"


def test_what_is_decided_is_a_centre():
    line = np.abs(np.arange(10)[:, None] - np.arange(10)[None]).astype(float)
    assert k_centres(lambda place: line[place], 10, 2, [9]) == [0, 4]
    assert k_centres(lambda place: line[place, :3], 3, 5, [0, 1, 2]) == []


TEXTS = ["", "where is my parcel", "Where is  my parcel?", "refund the invoice please", "a", "你好我的包裹在哪里", ""]


def test_distances_by_n_grams_are_those_of_sets():
    distances = by_ngrams(TEXTS)
    sets = [ngrams(text, "char") for text in TEXTS]
    for place, own in enumerate(sets):
        wanted = [1 - (len(own & other) / len(own | other) if own | other else 1) for other in sets]
        assert distances(place) == pytest.approx(wanted)


def test_distances_by_vectors_are_those_of_angles():
    vectors = np.array([[1, 0], [0, 1], [-1, 0]], np.float32)
    assert by_vectors(vectors)(0).tolist() == [0, 1, 2]


def test_the_odd_one_out_comes_early_and_copies_come_late():
    texts = [*["where is my parcel"] * 6, "refund the invoice", "the invoice was charged twice"]
    found = order("different", 8, [word(0, "ana", "a")], items=items(8, texts))
    assert set(found[:2]) == {6, 7}
    assert found[-1] == 0, "what is decided comes last"


def topics() -> list[Item]:
    sure = [f"parcel courier tracking {n}" for n in range(10)] + [f"invoice card refund {n}" for n in range(10)]
    return items(22, [*sure, "parcel invoice courier card", "tracking refund"])


def test_what_lies_between_two_labels_is_uncertain():
    pytest.importorskip("sklearn")
    words = [*(word(n, "ana", "a") for n in range(4)), *(word(n, "ana", "b") for n in range(10, 14))]
    found = order("uncertain", 22, words, items=topics())
    assert set(found[:2]) == {20, 21}
    assert set(found[-8:]) == {0, 1, 2, 3, 10, 11, 12, 13}
    by_model = {f"{n:064x}": 0.9 if n == 5 else 0.1 for n in range(4, 12)}
    assert order("uncertain", 22, words, items=topics(), doubts=by_model)[0] == 5, "what proposes is asked instead"


def test_before_two_labels_are_known_rows_come_as_drawn():
    drawn = order("random", 22, [], items=topics())
    found = order("uncertain", 22, [word(0, "ana", "a")], items=topics())
    assert found == [*(n for n in drawn if n), 0]


def test_what_is_no_label_cannot_be_learnt():
    written = ask("write", written="w")
    with pytest.raises(UsageError, match="no labels"):
        arrange(items(3), written, Log(()), by="ana", queue="uncertain")
