"""Drift: found where two sets differ, silent on fair splits; the false alarm rate is measured."""

from __future__ import annotations

import numpy as np

from sluice.core.rows import AnyRow, Example
from sluice.curate.checks import CHECKS, CheckContext
from sluice.curate.checks.drift import compare
from sluice.curate.comparing.distributions import compare as compare_all
from sluice.curate.comparing.measure import guess_languages, measure


def population(count: int, seed: int, labels: str = "aabbbc", mean: float = 3.0) -> list[AnyRow]:
    generator = np.random.default_rng(seed)
    sizes = generator.lognormal(mean, 0.6, count).astype(int) + 1
    return [
        Example(input={"t": f"{seed}-{i} " + "x " * int(size)}, target=labels[int(generator.integers(len(labels)))])
        for i, size in enumerate(sizes)
    ]


def test_fair_splits_do_not_cry_wolf():
    alarms = 0
    for seed in range(100):
        rows = population(240, seed)
        context = CheckContext(rows[:200], eval_rows=rows[200:])
        alarms += CHECKS.get("drift-eval").run(context).status == "found"
    assert alarms <= 4  # 1 in 100 expected at most; 5 or more come by chance in under 1 of 250 runs


def test_a_set_of_other_length_or_labels_is_found():
    rows = population(200, 1)
    longer = CHECKS.get("drift-eval").run(CheckContext(rows, eval_rows=population(60, 2, mean=4.0)))
    other = CHECKS.get("drift-eval").run(CheckContext(rows, eval_rows=population(60, 3, labels="bccc")))
    assert "input length" in longer.rows[0].detail
    assert [f.detail.split(" of ")[0] for f in other.rows] == ["label"]
    few = CHECKS.get("drift-eval").run(CheckContext(rows, eval_rows=population(10, 2, mean=6.0)))
    assert few.status == "ok"
    assert "too few" in few.summary


def test_rows_that_went_are_compared_with_those_that_stayed():
    rows = population(200, 5)
    kept = [row for row in rows if isinstance(row, Example) and row.target != "b"]
    result = CHECKS.get("drift").run(CheckContext(kept, before_rows=rows))
    assert result.status == "found"
    assert "went" in result.rows[0].detail
    assert CHECKS.get("drift").run(CheckContext(rows, before_rows=rows)).status == "ok"


def test_what_is_found_differs_in_a_comparison_of_the_same_rows_too():
    rows, others = population(200, 1), population(90, 3, labels="bccc")
    found = CHECKS.get("drift-eval").run(CheckContext(rows, eval_rows=others))
    compared = {c.name: c for c in compare_all(measure(others), measure(rows))}
    assert found.status == "found"
    names = {"label": "labels"}
    for finding in found.rows:
        name = finding.detail.split(" of ")[0]
        said = compared[names.get(name, name)]
        assert said.word == "differs"
        assert said.sentence in finding.detail
        assert found.figures[name]["value"] == said.value
    assert {f.detail.split(" of ")[0] for f in found.rows} == {"label"}


def test_the_languages_of_the_check_are_those_of_a_comparison():
    asked = "Wo ist mein Paket geblieben, ich warte seit zwei Wochen darauf und niemand antwortet mir"
    english = "The tracking page has shown nothing at all for two weeks, and nobody answers my letters"
    rows: list[AnyRow] = [Example(input={"t": f"{asked if i % 3 else english} {i}"}, target="x") for i in range(40)]
    rows += [Example(input={"t": f"{i}"}, target=f"{english}, said number {i}") for i in range(5)]
    told = guess_languages(rows)
    assert told is not None
    assert CHECKS.get("language").run(CheckContext(rows)).figures["languages"] == told.counts


def test_a_chance_of_one_in_a_thousand_is_not_far_in_large_sets():
    rows = population(3000, 8)
    assert all(d.value < 0.15 for d in compare(rows[:2500], rows[2500:], CheckContext(rows)).values())
