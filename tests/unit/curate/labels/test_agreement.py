"""The record that a verb draws: degenerate cases, people, labels, slices, sets, confusion, pace, gold."""

from __future__ import annotations

import pytest
from support.judged import judged, measure_of

from sluice.core.errors import InputError, UsageError
from sluice.core.wilson import wilson_bounds
from sluice.curate.labels.agreement import (
    Decision,
    Judgement,
    agree,
    confusion,
    gold_accuracy,
    pace,
    tabulate,
)


def test_no_judgement_one_annotator_no_overlap_and_one_item_are_absent_with_their_reason():
    reasons = {
        "there are no judgements": [],
        "one annotator: agreement needs two people": [["a"], ["b"]],
        "no item was judged by two people": [["a", None], [None, "b"]],
        "1 item was judged by two people: 2 are needed": [["a", "a"], ["b", None]],
    }
    for reason, rows in reasons.items():
        found = agree(judged(rows))
        assert {one.absent for one in found.measures} == {reason}
        assert all(one.value is None for one in found.measures)
        assert reason in found.sentence


def test_one_value_everywhere_is_agreement_but_shows_nothing():
    found = agree(judged([["a", "a", "a"]] * 5), allowed=["a", "b"])
    assert measure_of(found, "raw").value == 1
    for name in ("cohen", "fleiss", "alpha", "ac1"):
        measure = measure_of(found, name)
        assert measure.value is None
        assert "same value" in measure.absent
    assert found.headline.value is None
    assert found.people[0].agreement.value == 1
    assert found.people[0].kappa.value is None
    assert found.labels[0].specific.value == 1
    assert found.labels[0].ac1.value is None


def test_cannot_say_is_counted_and_is_no_judgement():
    rows = [Judgement("1", "ana", None), Judgement("1", "ben", "x"), Judgement("2", "ana", "y")]
    found = agree([*rows, Judgement("2", "ben", "y"), Judgement("3", "ana", "x"), Judgement("3", "ben", "x")])
    assert (found.cannot_say, found.paired, found.judgements) == (1, 2, 5)
    assert {one.annotator: one.cannot_say for one in found.people} == {"ana": 1, "ben": 0}


def test_the_annotator_who_differs_is_named_first_and_lifts_alpha_when_left_out():
    rows = [[v, v, w] for v, w in zip("abab" * 10, "abba" * 10, strict=True)]
    found = agree(judged(rows))
    worst, best = found.people[0], found.people[-1]
    assert worst.annotator == "person-2"
    assert worst.agreement.value == 0.5
    assert worst.alpha_without.value == 1
    assert measure_of(found, "alpha").value < 1
    assert best.agreement.value == 0.75
    assert [(one.first, one.second) for one in found.pairs][-1] == ("person-0", "person-1")
    assert found.pairs[0].cohen.value == pytest.approx(0)


def test_specific_agreement_of_a_label_by_hand():
    """Ten judgements say "a", 8 of them meet another "a"; four say "b", 2 of them meet another "b"."""
    found = agree(judged([["a", "a"]] * 4 + [["b", "b"]] * 1 + [["a", "b"]] * 2))
    by = {one.label: one for one in found.labels}
    assert by["a"].specific.value == pytest.approx(8 / 10)
    assert by["b"].specific.value == pytest.approx(2 / 4)
    assert by["a"].given == 10
    assert by["b"].share == pytest.approx(4 / 14, abs=1e-6)
    assert [one.label for one in found.labels] == ["b", "a"]
    assert found.disagreed == ("item-00005", "item-00006")
    (pair,) = found.confused
    assert (pair.one, pair.other, pair.pairs, pair.share) == ("a", "b", 2, 1)


def test_confusion_has_the_first_person_in_its_rows():
    table = tabulate(judged([["a", "b"], ["a", "b"], ["b", "b"], [None, "a"]]), scale="nominal")
    found = confusion(table, "person-0", "person-1")
    assert found.values == ("a", "b")
    assert found.counts == ((0, 2), (0, 1))
    assert agree(judged([["a", "b"], ["a", "b"], ["b", "b"], [None, "a"]])).confusions == (found,)


def test_slices_are_measured_apart():
    rows = [["a", "a"], ["b", "b"]] * 5 + [["a", "b"], ["b", "a"]] * 5
    found = agree(judged(rows, ["easy"] * 10 + ["hard"] * 10))
    easy, hard = found.slices
    assert (easy.slice, easy.items) == ("easy", 10)
    assert measure_of(easy, "alpha").value == 1
    assert measure_of(hard, "alpha").value < -0.8


def test_sets_of_labels_are_read_label_by_label_and_by_overlap():
    rows = [[["x", "y"], ["y", "x"]], [["x"], ["x", "z"]], [[], []], [["y"], ["y"]]]
    found = agree(judged(rows), scale="sets")
    assert measure_of(found, "raw").value == 3 / 4
    alpha = measure_of(found, "alpha")
    strict = measure_of(agree(judged([[str(sorted(labels)) for labels in row] for row in rows])), "alpha")
    assert strict.value < alpha.value < 1  # {x} and {x, z} overlap: half agreed, not different
    assert "label" in measure_of(found, "ac1").absent
    by = {one.label: one for one in found.labels}
    assert by["x"].specific.value == 1
    assert by["z"].specific.value == 0
    with pytest.raises(InputError, match="scale `sets`"):
        agree(judged(rows))
    with pytest.raises(InputError, match="not among those allowed"):
        agree(judged(rows), scale="sets", allowed=["x", "y"])


def test_objects_are_compared_by_their_canonical_form():
    rows = [[{"a": 1, "b": 2.0}, {"b": 2, "a": 1}], [{"a": 1}, {"a": 2}]]
    assert measure_of(agree(judged(rows)), "raw").value == 0.5


@pytest.mark.parametrize(
    "judgements, options, word",
    [
        ([Judgement("1", "", "a")], {}, "annotator"),
        ([Judgement("1", "ana", "a"), Judgement("1", "ana", "a")], {}, "twice"),
        ([Judgement("1", "ana", "c")], {"allowed": ["a", "b"]}, "not among"),
        ([Judgement("1", "ana", "c")], {"scale": "interval"}, "number"),
        ([Judgement("1", "ana", float("nan"))], {"scale": "interval"}, "number"),
        ([Judgement("1", "ana", "low"), Judgement("2", "ana", "high")], {"scale": "ordinal"}, "order"),
        ([Judgement("1", "ana", "low")], {"scale": "ratio"}, "scale"),
        ([Judgement("1", "ana", "low")], {"scale": "sets"}, "list"),
    ],
)
def test_bad_judgements_are_named(judgements, options, word):
    with pytest.raises((InputError, UsageError), match=word) as caught:
        agree(judgements, **options)
    assert caught.value.remedy


def test_pace_leaves_breaks_out_and_counts_hours_of_work():
    quick = [Decision("ana", f"2026-01-01T09:{i // 60:02}:{i % 60:02}Z", 10.0) for i in range(360)]
    slow = [Decision("ana", f"2026-01-02T09:{i:02}:00Z", 40.0) for i in range(10)]
    away = [Decision("ben", "2026-01-01T10:00:00Z", 9_000.0), Decision("ben", "2026-01-01T13:00:00Z", 20.0)]
    everybody, ana, ben = pace([*reversed(slow), *away, *quick])
    assert (ana.decisions, ana.median, ana.worked) == (370, 10.0, pytest.approx(1 + 400 / 3600, abs=1e-4))
    assert [(one.hour, one.decisions, one.median) for one in ana.hours] == [(1, 360, 10.0), (2, 10, 40.0)]
    assert (ben.away, ben.worked) == (1, pytest.approx(320 / 3600, abs=1e-4))
    assert everybody.annotator is None
    assert everybody.decisions == 372
    assert pace([]) == ()
    with pytest.raises(InputError):
        pace([Decision("ana", "1", -1.0)])


def test_gold_accuracy_with_wilson_and_the_misses():
    rows = [Judgement(str(i), "ana", "a" if i else "b") for i in range(10)]
    rows += [Judgement("99", "cy", "a"), Judgement("0", "ben", None)]
    everybody, ana, ben, cy = gold_accuracy(rows, {str(i): "a" for i in range(10)})
    assert (ana.right, ana.judged, ana.accuracy) == (9, 10, 0.9)
    assert (ana.low, ana.high) == wilson_bounds(9, 10)
    assert [(miss.item, miss.given, miss.gold) for miss in ana.misses] == [("0", "b", "a")]
    assert ben.accuracy is None
    assert ben.cannot_say == 1
    assert ben.absent
    assert cy.accuracy is None
    assert everybody.right == 9
    sets = gold_accuracy([Judgement("1", "ana", ["y", "x"])], {"1": ["x", "y"]}, scale="sets")
    assert sets[0].accuracy == 1


def test_numbers_with_thousands_of_values_and_free_texts_take_seconds():
    rows = [[i * 1.01, i * 1.01 + (i % 7) / 10, i + 0.003] for i in range(1_500)]
    found = agree(judged(rows), scale="interval", draws=50)
    assert measure_of(found, "alpha").value > 0.99
    assert "alpha" in measure_of(found, "ac2").absent
    assert found.confusions == ()
    texts = agree(judged([[f"{a}", f"{b}"] for a, b, _ in rows]), draws=50)
    assert measure_of(texts, "raw").value == pytest.approx(1 / 7, abs=0.01)
