"""Which word counts: agreed, a third person's, a model's, one person's, and what stays open."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError, UsageError
from sluice.curate.labels.log import Log
from sluice.curate.labels.record import ADJUDICATION, Judgement, Mode, Shown, Value, read_line
from sluice.curate.labels.settle import LEAST, RULES, settle, settle_all

PEOPLE = ("ana", "ben", "cem", "dia")


def word(row: str, by: str, value: Value, *, at: int = 0, mode: Mode = "classify", **shown: object) -> Judgement:
    """Return a word of a person on an input; with `shown` what they saw."""
    saw = Shown.model_validate({"session": "s", "place": 1, "queue": "random"} | shown) if shown else None
    return Judgement(
        id=f"{at:04}-{row}-{by}",
        time=f"{at:04}",
        by=by,
        seconds=0,
        mode=mode,
        question="q",
        field="target",
        dataset="t",
        row=row,
        input=row,
        value=value,
        shown=(shown and saw) or None,
    )


def said(*values: Value) -> list[Judgement]:
    return [word("r", by, value) for by, value in zip(PEOPLE, values, strict=False)]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["x", "y", None]), min_size=1, max_size=4), st.sampled_from(["agreed", "majority"]))
def test_no_rule_that_counts_takes_what_nobody_said_or_breaks_a_tie(values, rule):
    (found,) = settle(said(*values), rule).values()
    telling = [v for v in values if v is not None]
    if not telling:
        assert (found.how, found.value) == ("cannot tell", None)
    elif len(set(telling)) == 1:
        assert (found.value, found.how) == (telling[0], "one" if len(telling) == 1 else "agreed")
    elif rule == "majority" and telling.count("x") != telling.count("y"):
        assert (found.how, found.value) == ("majority", max("xy", key=telling.count))
    else:
        assert (found.how, found.value) == ("open", None)


def test_a_majority_can_be_asked_to_be_large():
    votes = said("x", "x", "y")
    assert settle(votes, "majority")["r"].probability == pytest.approx(2 / 3, abs=1e-6)
    assert settle(votes, "majority", least=0.6)["r"].value == "x"
    assert settle(votes, "majority", least=0.7)["r"].how == "open"


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in ("dawid-skene", "mace")] + ["ana"])
def test_a_third_persons_word_counts_under_every_rule(rule):
    words = [*said("x", "y"), word("r", "zoe", "z", at=1, queue=ADJUDICATION)]
    found = settle(words, rule)["r"]
    assert (found.how, found.value, found.people) == ("adjudicated", "z", ("zoe",))


def test_one_persons_word_counts_where_there_is_one():
    words = [*said("x", "y"), word("s", "ben", "y"), word("s", "cem", "x"), word("u", "ben", "y")]
    found = settle(words, "ana")
    assert (found["r"].value, found["r"].how) == ("x", "person")
    assert (found["s"].how, found["u"].how) == ("open", "one")


def test_nobody_adjudicates_a_dispute_of_their_own():
    """Whatever order the two words of one person come in, and also where a merge brings them together."""
    own, over = word("r", "ana", "x", at=1), word("r", "ana", "z", at=2, queue=ADJUDICATION)
    early = word("r", "ana", "z", at=0, queue=ADJUDICATION)
    for records in ((own, over), (early, own)):
        counts = Log((*records, word("r", "ben", "y"))).last_words()
        assert counts["q", "r", "ana"] == own
        assert settle(list(counts.values()))["r"].how == "open"
    changed = word("r", "ana", "y", at=3, queue=ADJUDICATION)
    assert Log((early, changed)).last_words()["q", "r", "ana"] == changed, "a third person may think better of it"


def test_sides_and_suggestions_count_by_what_they_mean():
    """Two people choose one answer that stood on different sides, and accept different suggestions."""
    left = word("r", "ana", "a", mode="compare", sides=("run-1", "run-2"))
    right = word("r", "ben", "b", mode="compare", sides=("run-2", "run-1"))
    assert settle([left, right])["r"].value == "run-1"
    tie = word("r", "cem", "tie", mode="compare", sides=("run-2", "run-1"))
    assert settle([left, tie])["r"].how == "open"
    one, other = (word("r", by, "accept", mode="review", suggestion=s) for by, s in (("ana", "x"), ("ben", "y")))
    assert settle([one, other])["r"].how == "open"
    assert settle([one, word("r", "ben", "x", mode="review", suggestion="y")])["r"].value == "x"


def simulated(seed: int, rows: int = 200) -> tuple[list[Judgement], dict[str, str]]:
    """Return what four people of very different worth say, and the truth."""
    draw, right = random.Random(seed), dict(zip(PEOPLE, (0.97, 0.9, 0.6, 0.6), strict=True))
    truth = {f"r{n}": draw.choice("xyz") for n in range(rows)}
    words = [
        word(row, by, true if draw.random() < right[by] else draw.choice([v for v in "xyz" if v != true]))
        for row, true in truth.items()
        for by in PEOPLE
    ]
    return words, truth


def test_a_model_leaves_open_what_it_does_not_know_and_is_right_about_the_rest():
    pytest.importorskip("crowdkit")
    words, truth = simulated(7)
    found = settle_all(words, "dawid-skene")
    taken = {s: one for s, one in found.words.items() if one.value is not None}
    assert all(one.probability is not None and one.probability >= LEAST for one in taken.values())
    assert all(one.probability is None or one.probability < LEAST for s, one in found.words.items() if s not in taken)
    assert sum(one.value == truth[s] for s, one in taken.items()) / len(taken) > 0.95
    counted = settle(words, "majority")
    by_count = sum(one.value == truth[s] for s, one in counted.items())
    by_model = sum(one.value == truth[s] for s, one in taken.items())
    assert by_model > by_count, "it knows whom to believe: more rows get their true label"
    assert found.accuracy["ana"] == pytest.approx(0.97, abs=0.05)
    assert found.accuracy["dia"] == pytest.approx(0.6, abs=0.1)


def test_a_model_learns_from_what_a_third_person_decided():
    pytest.importorskip("crowdkit")
    words, truth = simulated(8)
    decided = [word(s, "zoe", true, at=1, queue=ADJUDICATION) for s, true in list(truth.items())[:40]]
    found = settle_all([*words, *decided], "dawid-skene")
    assert all(found.words[s].how == "adjudicated" for s in list(truth)[:40])
    assert "zoe" not in found.accuracy


def test_several_labels_are_combined_one_by_one_and_keep_their_order():
    votes = [("x", "y"), ("x", "y"), ("y",)]
    (found,) = settle([word("r", by, v) for by, v in zip(PEOPLE, votes, strict=False)], "majority").values()
    assert (found.value, found.people) == (("x", "y"), ("ana", "ben"))
    split = [("z", "x"), ("z", "y"), ("z",)]  # nobody else says x, nobody else says y: all say z
    (found,) = settle([word("r", by, v) for by, v in zip(PEOPLE, split, strict=False)], "majority").values()
    assert (found.value, found.people) == (("z",), ("cem",))


def test_what_cannot_be_a_rule_is_refused():
    with pytest.raises(UsageError, match="no rule"):
        settle(said("x", "y"), "coin")
    with pytest.raises(UsageError, match="no probability"):
        settle(said("x", "y"), "agreed", least=0.9)
    for least in (0.0, 1.5, float("nan")):
        with pytest.raises(UsageError, match="no probability"):
            settle(said("x", "y"), "majority", least=least)
    pytest.importorskip("crowdkit")
    with pytest.raises(InputError, match="3 annotators"):
        settle(said("x", "y"), "dawid-skene")


def test_a_line_is_read_whole_or_not_at_all():
    """Half a surrogate in a text, half a line, another kind, and a line of which more keys are known elsewhere."""
    body = word("r", "ana", "x").model_dump(mode="json", exclude_none=True)
    assert read_line(json.dumps({**body, "later": 1}).encode()) == word("r", "ana", "x")
    odd = read_line(json.dumps({**body, "value": "\ud800 cut"}).encode())
    assert isinstance(odd, Judgement)
    assert odd.value == "\ud800 cut"
    line = json.dumps(body).encode()
    for broken in (line[:-9], b"", b"[]", b'"\\u00e4"', json.dumps({**body, "kind": "grade"}).encode()):
        assert read_line(broken) is None
