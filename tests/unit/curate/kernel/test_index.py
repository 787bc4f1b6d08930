"""The index for single texts: against the relation itself, pair by pair, and against the bulk way's bands."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.curate.kernel.fold import fold
from sluice.curate.kernel.index import NearIndex
from sluice.curate.kernel.signatures import bands_for
from sluice.curate.kernel.survivors import candidates
from sluice.curate.similar.similarity import Relation

WORDS = [f"w{n}" for n in range(60)]


def changed(text: list[str], rng: random.Random) -> str:
    """A text with none to six of its words changed."""
    words = list(text)
    for _ in range(rng.randrange(7)):
        words[rng.randrange(len(words))] = rng.choice(WORDS)
    return " ".join(words)


def many(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    families = [[rng.choice(WORDS) for _ in range(rng.choice([4, 7, 9, 40, 90]))] for _ in range(count // 15)]
    return [changed(rng.choice(families), rng) for _ in range(count)]


def test_it_finds_what_a_look_at_every_pair_finds():
    drawn = many(1, 300)
    texts, asked = drawn[:150], drawn[150:]
    relation, index = Relation(), NearIndex()
    assert list(index.add(texts[:100])) == list(range(100))
    index.add(texts[100:])
    wanted = missed = 0
    for text in asked:
        true = {i: share for i, t in enumerate(texts) if (share := relation.near_equal(text, t)) is not None}
        found = {near.number: near.jaccard for near in index.query(text)}
        assert found == {i: true[i] for i in found}  # nothing that is not near, and each share exact
        wanted += len(true)
        missed += len(true.keys() - found.keys())
    assert wanted > 100
    assert missed <= 0.03 * wanted


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(alphabet="ab \u0416\u4e2d.", max_size=30), min_size=1, max_size=6))
def test_a_text_finds_itself_first_whatever_it_is_made_of(texts):
    index = NearIndex()
    index.add(texts)
    for number, text in enumerate(texts):
        found = index.query(text)
        if not any(c.isalnum() for c in text):
            continue
        assert found[0].jaccard == 1.0
        assert number in {near.number for near in found if near.jaccard == 1.0}


def test_its_bands_are_those_of_the_bulk_way():
    """Two texts share a band here exactly where they share one there: the same n-grams, permutations and rows."""
    texts = [t for t in many(3, 60) if t.count(" ") >= 20]
    groups, _ = candidates(fold(texts), ~fold(texts).short, 70)
    bands, _rows = bands_for(70)
    index = NearIndex()
    index.add(texts)
    for i, text in enumerate(texts):
        together = {
            j for b in range(bands) if groups[b, i] for j in range(len(texts)) if groups[b, j] == groups[b, i]
        } | {i}
        relation = Relation()
        near = {j for j in together if relation.near_equal(text, texts[j]) is not None}
        assert {n.number for n in index.query(text)} == near


def test_a_lower_threshold_finds_more():
    words = [f"x{n}" for n in range(40)]
    other = [*words[:30], *(f"y{n}" for n in range(10))]
    loose, strict = NearIndex(40), NearIndex(70)
    for index in (loose, strict):
        index.add([" ".join(words)])
    (near,) = loose.query(" ".join(other))
    assert near.jaccard == pytest.approx(28 / (38 + 38 - 28))
    assert strict.query(" ".join(other)) == []
