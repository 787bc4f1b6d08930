"""The coefficients against values that others published: Fleiss, Krippendorff, Gwet, Passonneau, Cohen."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from support.judged import from_contingency, from_counts, judged, measure_of, sure

from sluice.curate.labels.agreement import agree
from sluice.curate.labels.agreement.coefficients import masi

N = None
FLEISS_WIKIPEDIA = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]
SIX_RATERS = [
    [0, 0, 0, 6, 0],
    [0, 3, 0, 0, 3],
    [0, 1, 4, 0, 1],
    [0, 0, 0, 0, 6],
    [0, 3, 0, 3, 0],
    [2, 0, 4, 0, 0],
    [0, 0, 4, 0, 2],
    [2, 0, 3, 1, 0],
    [2, 0, 0, 4, 0],
    [0, 0, 0, 0, 6],
    [1, 0, 0, 5, 0],
    [1, 1, 0, 4, 0],
    [0, 3, 3, 0, 0],
    [1, 0, 0, 5, 0],
    [0, 2, 0, 3, 1],
]
"""The first 15 patients of Fleiss 1971, as Gwet's own package irrCAC prints them with its results."""
ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]
KRIPPENDORFF_WIKIPEDIA = [
    [N, N, N, N, N, 3, 4, 1, 2, 1, 1, 3, 3, N, 3],
    [1, N, 2, 1, 3, 3, 4, 3, N, N, N, N, N, N, N],
    [N, N, 2, 1, 3, 4, 4, N, 2, 1, 1, 3, 3, N, 4],
]
FOUR_RATERS = [
    [1, 1, N, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [N, 5, 5, 5],
    [N, N, 1, 1],
    [N, N, 3, N],
]
"""Krippendorff's example with missing values, in irrCAC as cac.raw4raters."""


def value(rows, name, **options):
    return sure(measure_of(agree(judged(rows), draws=20, **options), name).value)


def test_fleiss_kappa_of_the_table_in_wikipedia():
    assert value(from_counts(FLEISS_WIKIPEDIA), "fleiss") == pytest.approx(0.210, abs=5e-4)


@pytest.mark.parametrize(
    "name, published", [("raw", 0.5511111), ("ac1", 0.4448007), ("fleiss", 0.4139265), ("alpha", 0.4204384)]
)
def test_six_psychiatrists(name, published):
    assert value(from_counts(SIX_RATERS), name) == pytest.approx(published, abs=1e-7)


@pytest.mark.parametrize(
    "name, published",
    [("raw", 0.89), ("cohen", 0.7964094), ("fleiss", 0.7962397), ("ac1", 0.8493305), ("alpha", 0.7972585)],
)
def test_two_abstractors(name, published):
    """Fleiss' kappa of two people is Scott's pi."""
    assert value(from_contingency(ABSTRACTORS), name) == pytest.approx(published, abs=1e-7)


@pytest.mark.parametrize("scale, published", [("nominal", 0.691358), ("ordinal", 0.806721), ("interval", 0.810845)])
def test_krippendorff_with_missing_values(scale, published):
    assert value(list(zip(*KRIPPENDORFF_WIKIPEDIA, strict=True)), "alpha", scale=scale) == pytest.approx(
        published, abs=1e-6
    )


@pytest.mark.parametrize(
    "scale, name, published",
    [
        ("nominal", "raw", 0.8181818),
        ("nominal", "ac1", 0.77544),
        ("nominal", "fleiss", 0.76117),
        ("nominal", "alpha", 0.74342),
        ("ordinal", "ac2", 0.85874),  # irrCAC with linear weights
        ("ordinal", "fleiss", 0.81794),
        ("interval", "ac2", 0.914),  # irrCAC with quadratic weights
        ("interval", "fleiss", 0.86494),
        ("interval", "alpha", 0.84911),
    ],
)
def test_gwet_with_missing_values_and_weights(scale, name, published):
    assert value(FOUR_RATERS, name, scale=scale) == pytest.approx(published, abs=1e-5)


@pytest.mark.parametrize(
    "kappa_low, table",
    [(True, [[118, 5], [2, 0]]), (False, [[20, 5], [10, 15]])],
    ids=["skewed", "even"],
)
def test_ac1_does_not_fall_where_one_value_is_rare(kappa_low, table):
    """The second table is the standing example of Cohen's kappa, 0.4; the first is Gwet's paradox: 94% raw."""
    rows = from_contingency(table)
    found = agree(judged(rows), draws=20)
    kappa, ac1 = value(rows, "cohen"), value(rows, "ac1")
    if kappa_low:
        assert kappa == pytest.approx(-0.0234, abs=1e-4)
        assert ac1 == pytest.approx(0.9408, abs=1e-4)
        assert found.read == "ac1"
        assert found.commonest_share == 243 / 250
    else:
        assert kappa == pytest.approx(0.4, abs=1e-12)
        assert found.read == "alpha"


def test_weighted_kappa_is_one_less_the_share_of_expected_distance():
    """Cohen 1968, by his definition in disagreement weights, over all cells."""
    table = np.array([[11, 2, 1], [3, 9, 4], [0, 2, 12]])
    total, rows, columns = table.sum(), table.sum(axis=1), table.sum(axis=0)
    apart = np.abs(np.subtract.outer(np.arange(3), np.arange(3)))
    for scale, distance in (("ordinal", apart), ("interval", apart**2)):
        expected = Fraction(int((distance * np.outer(rows, columns)).sum()), int(total))
        published = 1 - float(Fraction(int((distance * table).sum())) / expected)
        assert value(from_contingency(table), "cohen", scale=scale) == pytest.approx(published, abs=1e-12)


def test_masi_distance():
    """Passonneau 2006: 1 for equal sets, 2/3 for a part, 1/3 for an overlap, 0 for disjoint ones, times Jaccard."""
    sets = [("a", "b"), ("a", "b", "c", "d"), ("a", "c"), ("e",), ()]
    distance = masi(sets)
    assert distance[0, 0] == 0
    assert distance[0, 1] == pytest.approx(1 - 2 / 4 * 2 / 3)
    assert distance[0, 2] == pytest.approx(1 - 1 / 3 * 1 / 3)
    assert distance[0, 3] == 1
    assert distance[4, 4] == 0
    assert distance[4, 0] == 1
    assert np.array_equal(distance, distance.T)


def test_alpha_of_sets_is_written_out_by_hand():
    """Two items of two people: {a,b} and {a} meet at 1 - 1/2 x 2/3 = 2/3; the other item agrees on {c}."""
    rows = [[["a", "b"], ["a"]], [["c"], ["c"]]]
    observed = 2 * (2 / 3) / 4  # both directions, of four judgements
    pairs = 2 * (2 / 3) + 2 * 2 * (1 + 1)  # {a,b}-{a}; each of them against each of the two {c}
    assert value(rows, "alpha", scale="sets") == pytest.approx(1 - observed / (pairs / (4 * 3)))


@pytest.mark.parametrize(
    "scale, rows, alpha",
    [
        ("nominal", [[0, 1], [0, 1], [1, 0], [1, 0]], Fraction(-3, 4)),
        ("nominal", [[1, 1, 1], [0, 0, 0], [1, 1, 1], [0, 0, 1]], Fraction(288, 420)),
        ("nominal", [[1, 1, 0], [0, 0, N]], Fraction(1, 3)),
        ("interval", [[1.0, 2.0], [3.0, 4.0], [1.0, 1.0]], Fraction(19, 24)),
        ("ordinal", [[1, 1], [3, 4], [5, 5]], Fraction(94, 99)),
    ],
)
def test_alpha_by_hand(scale, rows, alpha):
    """1 - observed / expected distance in fractions, as the tests of inspect_ai have them."""
    assert value(rows, "alpha", scale=scale) == pytest.approx(float(alpha), abs=1e-12)
