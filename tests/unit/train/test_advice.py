"""Advice: what is unusual or was not measured, with what would satisfy it; it refuses nothing by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.curate.labels.agreement import Measure
from sluice.evalsuite.question import deciding_rule
from sluice.evalsuite.stats.power import usual_gain
from sluice.evalsuite.stats.rates import wilson
from sluice.train.evidence import Evidence
from sluice.train.label_evidence import LabelEvidence
from sluice.train.policy import AGREEMENT
from sluice.train.rules.advice import ADVICE_RULES, dev_size, label_agreement, ladder, resolvable, train_size
from sluice.train.waivers import WORST


def on_set(evidence: Evidence, *, right: int, n: int = 200, groups: int = 0, **question: object) -> Evidence:
    """Return the evidence with an eval set of n rows, each alone or in one of so many groups, and a best baseline."""
    assert evidence.bench is not None
    assert evidence.baselines is not None
    values = tuple((f"g{i % groups}",) if groups else () for i in range(n))
    manifest = evidence.bench.frozen.manifest.model_copy(update={"groups": values})
    bench = replace(
        evidence.bench,
        frozen=evidence.bench.frozen.model_copy(update={"manifest": manifest}),
        question=evidence.bench.question.model_copy(update=question),
    )
    return replace(evidence, bench=bench, baselines=replace(evidence.baselines, best_rate=wilson(right, n)))


def test_advice_never_refuses_by_itself(good):
    for rule in ADVICE_RULES:
        for evidence in (good, replace(good, baselines=None, bench=None)):
            said = rule(evidence)
            assert said is None or said.status in ("ok", "advice")


@pytest.mark.parametrize(("mean", "status"), [(0.1, "ok"), (0.97, "advice")])
def test_what_is_left_to_gain_is_read_in_the_direction_of_the_metric(good, mean, status):
    for direction, right in (("higher", round(200 * mean)), ("lower", round(200 * (1 - mean)))):
        found = resolvable(on_set(good, right=right, direction=direction))
        assert found.status == status, direction


def test_rows_in_groups_count_as_their_groups_and_as_graded(good):
    """100 rows show a gain of .155; in 25 groups they show what 25 graded ones do, and no less is promised."""
    gain = usual_gain("graded", 25)
    assert gain is not None
    left = replace(good, target=0.2)
    assert resolvable(on_set(left, right=0, n=100)).status == "ok"
    grouped = on_set(left, right=0, n=100, groups=25)
    assert grouped.bench is not None
    assert deciding_rule(grouped.bench.question, grouped.bench.frozen.manifest) == ("graded", 25)
    found = resolvable(grouped)
    assert found.status == "advice"
    assert "25 groups" in found.found
    assert f"{gain:.3f}" in found.found
    assert float(found.value or "nan") == pytest.approx(gain - 0.2, abs=1e-6)
    assert resolvable(on_set(replace(good, target=gain + 0.01), right=0, n=100, groups=25)).status == "ok"


@pytest.mark.parametrize(("n", "status"), [(1, "advice"), (19, "advice"), (20, "ok")])
def test_a_dev_part_on_which_choices_are_noise_is_said(good, n, status):
    found = dev_size(replace(good, bench=replace(good.bench, dev=good.bench.dev[:n])))
    assert found.status == status
    assert status == "ok" or (found.value == str(20 - n) and f"{1 / n:.2f} of a rate" in found.found)
    assert dev_size(replace(good, bench=None)).value is None


def test_the_ladder_holds_once_the_task_is_said_to_need_neither(good):
    assert ladder(replace(good, needs=())).status == "ok"
    unsaid, tools = ladder(replace(good, needs=None)), ladder(replace(good, needs=("tools",)))
    assert (unsaid.status, tools.status) == ("advice", "advice")
    assert "needs = []" in (unsaid.fix or "")
    assert "tools" in tools.found
    assert "retrieval" not in tools.found


@pytest.mark.parametrize(("n", "value"), [(1_000, None), (10_000, None), (999, "1"), (10_400, "400")])
def test_train_size_says_how_many_rows_are_too_few_or_too_many(good, n, value):
    found = train_size(replace(good, train=good.train[:1] * n))
    assert (found.status, found.value) == ("ok" if value is None else "advice", value)


def measured(low: float | None, *, people: int = 2, value: float | None = None) -> LabelEvidence:
    """Return what two people's words on 100 rows show."""
    if low is None:
        measure = Measure(name="alpha", items=0, absent="no item was judged by two people")
    else:
        measure = Measure(name="alpha", value=value or low + 0.1, low=low, high=1.0, items=100, interval="bootstrap")
    return LabelEvidence("classify target.category", measure, people, judged=100, of=100)


def test_agreement_counts_by_the_lower_end_of_its_interval(good):
    holds = replace(good, labels=(measured(AGREEMENT),))
    assert label_agreement(holds).status == "ok"
    short = label_agreement(replace(good, labels=(measured(AGREEMENT - 0.01, value=0.95),)))
    assert (short.status, short.value) == ("advice", "0.010000")


def test_of_several_questions_the_least_agreed_one_speaks(good):
    both = (measured(0.9), measured(0.3), measured(None))
    found = label_agreement(replace(good, labels=both))
    assert found.status == "advice"
    assert "0.40" in found.found
    assert len(found.details) == 2


@pytest.mark.parametrize(("people", "said"), [(1, "one annotator"), (2, "two people")])
def test_what_nobody_judged_twice_is_not_measured_and_no_pass(good, people, said):
    found = label_agreement(replace(good, labels=(measured(None, people=people),)))
    assert (found.status, found.value) == ("advice", "1")
    assert said in found.found


def test_a_waiver_of_agreement_covers_no_worse_one(good):
    """Even the worst agreement is within what a waiver can be of."""
    for low in (-1.0, 0.0, 0.5):
        value = float(label_agreement(replace(good, labels=(measured(low),))).value or "nan")
        assert 0 < value <= WORST["label-agreement"]
