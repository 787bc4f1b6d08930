"""The audit's numbers: by hand, by brute force, and on sets with a known fault."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.rows import Preference
from sluice.curate.checks.pair_tells import in_rings, tells_of
from sluice.curate.checks.preference import length_auc
from sluice.curate.pairs.audit import audit_pairs
from sluice.curate.pairs.candidate import Answer, Candidate
from sluice.curate.pairs.rules import Rules, take


def pair(chosen: str, rejected: str, number: int = 0) -> Preference:
    return Preference(input={"text": f"Is it open on day {number}?"}, chosen=chosen, rejected=rejected)


def candidate(chosen: str, rejected: str, margin: float = 1.0, source: str = "choices", digest: str = "i") -> Candidate:
    return Candidate(digest, {"text": "a"}, Answer(chosen, "m"), Answer(rejected, "m"), margin, source, ("ana",), "w")


lengths = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30)


@given(lengths)
def test_the_auc_is_the_share_of_pairs_of_pairs_told_apart(pairs):
    a, b = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    gaps = a - b
    wins = np.mean([[(x > y) + 0.5 * (x == y) for y in -gaps] for x in gaps])
    assert length_auc(a, b) == pytest.approx(max(wins, 1 - wins))


@given(lengths)
def test_the_auc_does_not_know_which_side_is_the_chosen_one(pairs):
    a, b = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    assert length_auc(a, b) == pytest.approx(length_auc(b, a))
    assert 0.5 <= length_auc(a, b) <= 1
    assert length_auc(b + 1 + np.arange(len(a)), b) == 1


def test_a_logistic_regression_on_the_difference_has_that_auc():
    linear_model = pytest.importorskip("sklearn.linear_model")
    metrics = pytest.importorskip("sklearn.metrics")
    draw = np.random.default_rng(3)
    a, b = draw.integers(3, 40, 80).astype(float), draw.integers(1, 36, 80).astype(float)
    gaps, which = np.concatenate([a - b, b - a])[:, None], np.repeat([1, 0], 80)
    fitted = linear_model.LogisticRegression().fit(gaps, which)
    assert length_auc(a, b) == pytest.approx(metrics.roc_auc_score(which, fitted.decision_function(gaps)))


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")), max_size=12))
def test_rings_are_the_components_of_three_or_more(edges):
    names = "abcde"
    reach = np.zeros((5, 5), dtype=bool)
    for x, y in edges:
        reach[names.index(x), names.index(y)] = True
    for k in range(5):  # Warshall
        reach |= reach[:, k : k + 1] & reach[k : k + 1, :]
    both = (reach & reach.T) | np.eye(5, dtype=bool)
    expected = [
        n
        for n, (x, y) in enumerate(edges)
        if x != y and both[names.index(x), names.index(y)] and both[names.index(x)].sum() >= 3
    ]
    assert in_rings([(n, x, y) for n, (x, y) in enumerate(edges)]) == expected


def test_forms_are_told_with_their_shares():
    import polars as pl

    frame = pl.DataFrame({"chosen": ["Yes.", "Sure, it is.", "- one\n- two"], "rejected": ["yes", "no", "maybe"]})
    found = {name: (round(a, 2), round(b, 2)) for name, a, b in tells_of(frame)}
    assert found["ends with a full stop"] == (0.67, 0)
    assert found["has a list"] == (0.33, 0)
    assert found["begins by agreeing"] == (0.33, 0)
    assert found["begins with a capital"] == (0.67, 0)


def test_the_audit_of_people_position_sources_and_models():
    rows = [pair(f"answer {i} is yes", f"answer {i} is no", i) for i in range(4)]
    said = [
        {"source": "choices", "preferred_by": ["ana"], "margin": 1.0, "shown_first": "chosen"},
        {"source": "choices", "preferred_by": ["ana", "ben"], "margin": 0.5, "shown_first": "rejected"},
        {"source": "samples", "preferred_by": ["exact"], "margin": 0.25, "chosen_model": "m", "rejected_model": "m"},
    ]
    found = audit_pairs(rows, {row.row: one for row, one in zip(rows, said, strict=False)})
    assert (found.pairs, found.inputs, found.on_policy) == (4, 4, 0.25)
    assert found.people == {"ana": 2, "ben": 1, "exact": 1}
    assert found.sources == {"choices": 2, "samples": 1, "elsewhere": 1}
    assert found.models == {"m": 2}
    assert found.position is not None
    assert (found.position.choices, found.position.first_chosen) == (2, 0.5)
    assert found.margins is not None
    assert (found.margins.least, found.margins.median, found.margins.most) == (0.25, 0.5, 1.0)
    assert found.length is not None
    assert (found.length.auc, found.length.longer_chosen) == (0.5, 0.5)


def test_nothing_measured_is_none_and_not_zero():
    found = audit_pairs([], {})
    assert (found.length, found.position, found.margins, found.on_policy) == (None, None, None, None)
    assert audit_pairs([pair("a", "b")], {}).on_policy is None


def test_pairs_that_contradict_are_both_left_out_and_equal_ones_are_one():
    told = take(
        [candidate("yes it is", "no it is not"), candidate("yes it is", "no it is not", source="samples"),
         candidate("up", "down", digest="j"), candidate("down", "up", digest="j", source="gold")],
        Rules(),
    )  # fmt: skip
    assert [[one.source for one in pairs] for pairs in told.pairs] == [["choices", "samples"]]
    assert told.aside["preferred both ways"] == 2


def test_almost_equal_texts_are_no_pair_but_objects_that_differ_in_one_field_are():
    long = "We have sent the parcel to the address that you gave us and it will be with you on Monday morning"
    assert not take([candidate(long, f"{long}!")], Rules()).pairs
    fields = ", ".join(f'"field{n}": "value number {n}"' for n in range(12))
    assert take([candidate(f'{{{fields}, "x": 1}}', f'{{{fields}, "x": 2}}')], Rules()).pairs
    assert not take([candidate('{"a": 1, "b": 2}', '{"b":2,"a":1}')], Rules()).pairs


@given(
    st.lists(
        st.tuples(st.sampled_from("ij"), st.sampled_from("abcd"), st.sampled_from("abcd"), st.floats(0, 1)), max_size=20
    ),
    st.integers(1, 3),
    st.sampled_from(["random", "hardest", "widest"]),
)
def test_what_is_taken_keeps_every_rule(said, most, which):
    rules = Rules(per_input=most, rejected=which)
    given_ = [candidate(f"says {a}", f"says {b}", m, digest=d) for d, a, b, m in said]
    taken = take(given_, rules)
    assert taken == take(given_, rules)
    keys = [pairs[0].key for pairs in taken.pairs]
    assert len(set(keys)) == len(keys)
    for digest, chosen, rejected in keys:
        assert chosen != rejected
        assert (digest, rejected, chosen) not in keys
        assert sum(key[0] == digest for key in keys) <= most
    assert all(max(one.margin for one in pairs) >= rules.margin - 1e-9 for pairs in taken.pairs)
    assert len(keys) + sum(taken.aside.values()) == len({one.key for one in given_})
