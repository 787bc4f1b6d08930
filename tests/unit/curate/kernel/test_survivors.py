"""Bulk near-duplicates: the answer of the exact way, candidates as datasketch's index has them, recall, bounds."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.rows import AnyRow, Example, Messages, Preference, Unpaired
from sluice.core.rows import Message as Turn
from sluice.curate.duplicates import Rules, dedup
from sluice.curate.kernel import compiled, signatures, survivors
from sluice.curate.kernel.fold import fold
from sluice.curate.similar.similarity import Relation, normalise, word_ngrams

WORDS = ["order", "late", "please", "refund", "my", "parcel", "日本語", "ok"]
ANSWER = "we are sorry for the delay and will send you a new parcel"
TARGETS = ["a", "A.", '{"x": 1}', '{"x":1.0}', ANSWER, ANSWER + " soon", None]
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join)
variants = st.builds(lambda s, end: s.capitalize() + end, sentences, st.sampled_from(["", ".", "!", "  "]))
answers = st.sampled_from([t for t in TARGETS if t])
rows = st.one_of(
    st.builds(lambda t, y: Example(input={"t": t}, target=y), variants, st.sampled_from(TARGETS)),
    st.builds(lambda t, u, y: Example(input={"t": t, "u": u, "n": 5}, target=y), variants, variants, answers),
    st.builds(lambda t, y: Example(input=Messages(turns=(Turn(role="user", content=t),)), target=y), variants, answers),
    st.builds(lambda t, y, z: Preference(input={"t": t}, chosen=y, rejected=z), variants, answers, answers),
    st.builds(lambda t, y, g: Unpaired(input={"t": t}, answer=y, good=g), variants, answers, st.booleans()),
)
RULES = st.builds(
    Rules,
    on=st.sampled_from(["both", "input", "target"]),
    drop_near=st.booleans(),
    percent=st.sampled_from([45, 60, 70, 85, 100]),
)


@pytest.fixture
def nearly_all_are_candidates(monkeypatch: pytest.MonkeyPatch):
    """Bands of one permutation: a pair of Jaccard 0.7 is missed once in 10^66."""
    monkeypatch.setattr(survivors, "bands_for", lambda percent: (125, 1))


@pytest.mark.usefixtures("nearly_all_are_candidates")
def test_the_compiled_way_gives_the_answer_of_the_exact_one():
    @settings(deadline=None, max_examples=60)
    @given(st.lists(rows, max_size=24, unique_by=lambda r: r.row), RULES, st.integers(0, 6))
    def holds(found: list[AnyRow], rules: Rules, elsewhere: int):
        fixed, own = found[:elsewhere], found[elsewhere:]
        exact, bulk = (dedup(own, rules, fixed=fixed, way=way) for way in ("exact", "lsh"))
        assert bulk.kept == exact.kept
        assert bulk.dropped == exact.dropped
        assert bulk.conflicts == exact.conflicts
        assert set(bulk.near_other_target) == set(exact.near_other_target)

    holds()


def mutated(rng: random.Random, number: int) -> list[str]:
    texts: list[str] = []
    for _ in range(number):
        words = ["".join(rng.choices("abcdefghijklmnop", k=5)) for _ in range(rng.choice((5, 20, 60)))]
        texts.append(" ".join(words))
        for _ in range(3):
            copy = [*words]
            for _ in range(max(1, len(words) // 20)):
                copy[rng.randrange(len(copy))] = "changed"
            texts.append(" ".join(copy))
    return sorted(set(texts))


def test_candidates_are_those_of_datasketch_over_the_same_signatures():
    texts = [t for t in mutated(random.Random(3), 60) if t.count(" ") > 7]
    bands, per_band = signatures.bands_for(70)
    multipliers, shifts = signatures.permutations(bands * per_band)
    index = MinHashLSH(num_perm=bands * per_band, params=(bands, per_band))
    signed: list[MinHash] = []
    for number, text in enumerate(texts):
        upper = (word_ngrams([normalise(text)])[0] >> np.uint64(32)).astype(np.uint32)
        least = (multipliers[:, None] * upper + shifts[:, None]).min(axis=1)
        signed.append(MinHash(num_perm=bands * per_band, hashvalues=least.astype(np.uint64), scheme="affine32"))
        index.insert(number, signed[-1])
    expected = {(i, int(str(j))) for i, one in enumerate(signed) for j in index.query(one) if int(str(j)) > i}
    keys = signatures.band_keys(fold(texts), compiled.WORD, np.ones(len(texts), bool), bands, per_band)
    signatures.group(keys)
    together = {
        (i, j) for i, j in combinations(range(len(texts)), 2) if ((keys[:, i] == keys[:, j]) & (keys[:, i] > 0)).any()
    }
    assert together == expected
    assert len(expected) > 50


def test_bands_are_those_that_datasketch_chooses():
    for percent, chosen in signatures.CHOSEN.items():
        asked = MinHashLSH(threshold=percent / 100, num_perm=signatures.PERMUTATIONS, weights=signatures.WEIGHTS)
        assert (asked.b, asked.r) == chosen == signatures.bands_for(percent) == signatures.bands_for(percent + 20)


def test_recall_is_at_least_97_of_100_and_every_drop_is_proven():
    texts = mutated(random.Random(7), 400)
    found = survivors.survivors(fold(texts))
    relation = Relation()
    dropped = np.flatnonzero(found.kept >= 0)
    for i in dropped.tolist():
        assert relation.near_equal(texts[i], texts[found.kept[i]]) == found.share[i] >= 0.7
        assert found.kept[found.kept[i]] == -1
    exact = dedup([Example(input={"t": t}) for t in texts], way="exact")
    assert len(dropped) >= 0.97 * len(exact.dropped) > 200


def test_a_short_text_and_a_long_one_that_only_repeats_itself_are_compared_by_characters():
    texts = ["ha ha ha ha", "ha " * 500, "a long text of many words that is like no other one in this short list"]
    assert Relation().near_equal(texts[0], texts[1]) is not None
    assert survivors.survivors(fold(texts)).kept.tolist() == [-1, 0, -1]


def test_a_family_of_thousands_is_held_against_its_one_survivor():
    rest = "which i placed in your shop last monday and which you said would be with me before the end of this week"
    found = survivors.survivors(fold([f"please tell me the state of order {n} {rest}" for n in range(5000)]))
    assert (found.kept == 0).sum() == 4999
    assert found.candidates < 10_000


def test_no_text_and_texts_without_a_word():
    assert len(survivors.survivors(fold([])).kept) == 0
    assert survivors.survivors(fold(["", "", "?"])).kept.tolist() == [-1, -1, -1]
