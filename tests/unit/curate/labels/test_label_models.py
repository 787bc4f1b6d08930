"""Label models: annotators of known error rates are recovered, ties are named, orders and names mean nothing."""

from __future__ import annotations

import numpy as np
import pytest
from support.judged import judged, sure

from sluice.core.errors import InputError, UsageError
from sluice.curate.labels.agreement import Judgement
from sluice.curate.labels.models import MODELS, combine, combine_sets

NAMES = ("billing", "bug", "other")
SHARES = np.array([0.5, 0.3, 0.2])
MATRICES = np.array(
    [
        [[0.95, 0.03, 0.02], [0.04, 0.92, 0.04], [0.05, 0.05, 0.90]],  # careful
        [[0.80, 0.10, 0.10], [0.10, 0.80, 0.10], [0.10, 0.10, 0.80]],  # hasty
        [[0.90, 0.05, 0.05], [0.40, 0.55, 0.05], [0.30, 0.05, 0.65]],  # leans to the commonest
        [[0.60, 0.20, 0.20], [0.20, 0.60, 0.20], [0.20, 0.20, 0.60]],  # poor
    ]
)


def simulated(items=1_200, seen=0.9, seed=7):
    """Return judgements of four people with known error matrices on items of known truth."""
    generator = np.random.default_rng(seed)
    truth = generator.choice(3, items, p=SHARES)
    found = []
    for person, matrix in enumerate(MATRICES):
        said = (generator.random(items)[:, None] > matrix.cumsum(axis=1)[truth]).sum(axis=1)
        asked = generator.random(items) < seen
        found += [Judgement(f"{i:05}", f"p{person}", NAMES[said[i]]) for i in np.flatnonzero(asked)]
    return found, truth


def right(combined, truth):
    return float(np.mean([one.label == NAMES[truth[int(one.item)]] for one in combined.items]))


def by_name(combined):
    return sorted(combined.annotators, key=lambda one: one.annotator)


@pytest.fixture(scope="module")
def crowd():
    pytest.importorskip("crowdkit")
    judgements, truth = simulated()
    return {model: combine(judgements, model=model) for model in MODELS}, truth, judgements


def test_dawid_skene_recovers_the_error_matrices(crowd):
    """Each cell rests on 200 to 500 judgements: a standard error of 0.02 to 0.03, and what the model adds to it."""
    combined, truth, _ = crowd
    found = combined["dawid-skene"]
    assert found.values == NAMES
    errors = np.array([one.errors for one in by_name(found)])
    assert errors.sum(axis=2) == pytest.approx(np.ones((4, 3)), abs=1e-5)
    assert np.abs(errors - MATRICES).mean() < 0.03
    assert np.abs(errors - MATRICES).max() < 0.12
    assert np.array(found.shares) == pytest.approx(SHARES, abs=0.05)
    accuracy = np.array([one.accuracy for one in by_name(found)])
    known = (SHARES * MATRICES.diagonal(axis1=1, axis2=2)).sum(axis=1)
    assert accuracy == pytest.approx(known, abs=0.04)
    assert found.annotators[0].annotator == "p3"
    assert right(found, truth) > right(combined["majority"], truth) + 0.02


def test_mace_tells_who_knows_from_who_guesses(crowd):
    combined, truth, _ = crowd
    found = combined["mace"]
    knows = [one.knows for one in by_name(found)]
    assert knows[0] > knows[1] > knows[3]
    assert all(0 <= one <= 1 for one in knows)
    known = (SHARES * MATRICES.diagonal(axis1=1, axis2=2)).sum(axis=1)
    assert np.array([one.accuracy for one in by_name(found)]) == pytest.approx(known, abs=0.06)
    assert right(found, truth) > right(combined["majority"], truth)


def test_probabilities_are_honest(crowd):
    """Of the items held at 0.9 on average, 0.9 are right."""
    combined, truth, _ = crowd
    for model in ("dawid-skene", "mace"):
        held = float(np.mean([one.probability for one in combined[model].items]))
        assert held == pytest.approx(right(combined[model], truth), abs=0.04)


@pytest.mark.parametrize("model", MODELS)
def test_order_and_names_mean_nothing_and_a_seed_repeats(model):
    """Also where people and values first appear in another order than the sorted one."""
    pytest.importorskip("crowdkit")
    judgements, _ = simulated(items=80)
    first = combine(judgements, model=model)
    assert first == combine(judgements[::-1], model=model)
    people = dict(zip(("p0", "p1", "p2", "p3"), ("z", "y", "x", "w"), strict=True))
    words = dict(zip(NAMES, ("2", "0", "1"), strict=True))
    other = combine([Judgement(one.item, people[one.annotator], words[one.value]) for one in judgements], model=model)
    assert [words.get(one.label) for one in first.items] == [one.label for one in other.items]
    again = {one.annotator: one.accuracy for one in other.annotators}
    for one in first.annotators:
        assert again[people[one.annotator]] == pytest.approx(one.accuracy, abs=0.01)


def test_majority_names_ties_and_leaves_each_own_vote_out_of_their_accuracy():
    found = combine(judged([["a", "a", "b"], ["a", "b", None], ["b", None, None], ["a", "b", "c"]]))
    assert [(one.label, one.tied) for one in found.items] == [
        ("a", ()),
        (None, ("a", "b")),
        ("b", ()),
        (None, ("a", "b", "c")),
    ]
    assert found.items[0].probability == pytest.approx(2 / 3)
    assert found.ties == ("item-00001", "item-00003")
    two = combine(judged([["a", "a", "b"], ["a", "a", "a"], ["b", "c", None]]))
    accuracy = {one.annotator: one.accuracy for one in two.annotators}  # a tie of the others tells nothing
    assert accuracy == {"person-0": 0.5, "person-1": 0.5, "person-2": 0.5}
    assert two.annotators[0].annotator == "person-0"
    alone = combine([Judgement("1", "ana", "a")])
    assert alone.annotators[0].accuracy is None
    assert alone.annotators[0].absent
    assert alone.cautions


def test_gold_items_teach_dawid_skene_and_fix_their_label():
    """Two people who always swap two values can only be told apart by what is known."""
    pytest.importorskip("crowdkit")
    rows = [["a", "b"], ["b", "a"]] * 30
    judgements = judged(rows)
    with pytest.raises(InputError, match="3 annotators"):
        combine(judgements, model="dawid-skene")
    gold = {f"item-{i:05}": rows[i][0] for i in range(10)}
    found = combine(judgements, model="dawid-skene", known=gold)
    accuracy = {one.annotator: one.accuracy for one in found.annotators}
    assert sure(accuracy["person-0"]) > 0.95
    assert sure(accuracy["person-1"]) < 0.05
    assert [one.label for one in found.items] == [row[0] for row in rows]
    strange = combine(judgements, known={"item-00000": "b", "item-00001": "never given"})
    assert strange.items[0].label == "b"
    assert strange.items[0].probability == 1
    assert any("nobody ever gave" in one for one in strange.cautions)


@pytest.mark.parametrize("model", MODELS)
def test_one_value_everywhere_teaches_nothing(model):
    found = combine(judged([["a", "a", "a"]] * 4), model=model)
    assert [one.label for one in found.items] == ["a"] * 4
    assert found.shares is None
    assert model == "majority" or any("nothing to learn" in one for one in found.cautions)


def test_items_that_nobody_could_judge_are_named():
    found = combine([Judgement("1", "ana", None), Judgement("2", "ana", "a")])
    assert found.unjudged == ("1",)
    assert [one.item for one in found.items] == ["2"]
    with pytest.raises(InputError, match="nobody judged"):
        combine([Judgement("1", "ana", None)])
    with pytest.raises(UsageError, match="no label model"):
        combine([Judgement("1", "ana", "a")], model="vote")


@pytest.mark.parametrize("model", MODELS)
def test_sets_are_combined_label_by_label(model):
    pytest.importorskip("crowdkit")
    generator = np.random.default_rng(4)
    truth = generator.random((150, 2)) < (0.6, 0.3)
    wrong = generator.random((3, 150, 2)) < np.array([0.05, 0.1, 0.3])[:, None, None]
    judgements = [
        Judgement(f"{i:03}", f"p{p}", [label for k, label in enumerate("xy") if truth[i, k] != wrong[p, i, k]])
        for p in range(3)
        for i in range(150)
    ]
    found = combine_sets([*judgements, Judgement("999", "p0", None)], model=model)
    assert found.values == ("x", "y")
    assert found.unjudged == ("999",)
    sets = [tuple(label for k, label in enumerate("xy") if row[k]) for row in truth]
    assert np.mean([one.label == right for one, right in zip(found.items, sets, strict=True)]) > 0.85
    accuracy = [one.accuracy for one in by_name(found)]
    assert accuracy == pytest.approx([0.95, 0.9, 0.7], abs=0.13)
    assert found.annotators[0].annotator == "p2"


def test_a_set_is_undecided_where_one_of_its_labels_is():
    found = combine_sets([Judgement("1", "ana", ["x", "y"]), Judgement("1", "ben", ["x"])])
    (one,) = found.items
    assert (one.label, one.tied, one.probability) == (None, ("y",), 0.5)
    with pytest.raises(InputError, match="any label"):
        combine_sets([Judgement("1", "ana", [])])
