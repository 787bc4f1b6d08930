"""Plots: the same bytes each time, ids of their own, every text escaped, numbers that are those of the rows."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.curate.comparing.distributions import Lengths
from sluice.curate.report.bins import MOST_BINS, histogram
from sluice.curate.report.plots import MARKERS, draw_bars, draw_histogram, draw_shares, short

UGLY = ["<script>alert(1)</script>", "a & b \"c\" 'd'", "عربي", "👩‍👩‍👧‍👦", "]]>", "x" * 300]


def drawings() -> dict[str, str]:
    lengths = Lengths.of("input", "words", [1, 2, 3, 3, 9, 400])
    return {
        "h": draw_histogram("h", histogram(lengths), unit="words", median=3, limit=5),
        "b": draw_bars("b", "Labels <b>", [(text, i + 1) for i, text in enumerate(UGLY)]),
        "s": draw_shares("s", "Shares", [(text, 0.1 * i, 0.05 * i) for i, text in enumerate(UGLY)]),
    }


def test_the_same_numbers_give_the_same_bytes():
    assert drawings() == drawings()


@pytest.mark.parametrize(("name", "svg"), drawings().items())
def test_a_plot_is_clean_svg_in_the_colours_of_the_page(name: str, svg: str):
    tree = ElementTree.fromstring(svg)
    assert "script" not in {e.tag.rpartition("}")[2] for e in tree.iter()}
    assert not any(marker in svg for marker in MARKERS)
    assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) <= {"none", *MARKERS.values()}
    ids = re.findall(r'id="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert all(one.startswith(f"{name}-") for one in ids)
    assert tree.attrib["role"] == "img"
    assert "font-family" not in svg, "the page's style says which"
    assert "http" not in svg.replace("http://www.w3.org", "")


def test_the_description_says_the_numbers_and_names_are_cut_only_in_the_drawing():
    svg = drawings()["b"]
    tree = ElementTree.fromstring(svg)
    described = next(e.text or "" for e in tree.iter() if e.tag.endswith("desc"))
    assert "x" * 300 + ": 6" in described
    shown = [e.text or "" for e in tree.iter() if e.tag.endswith("text")]
    assert {"1", "2", "3", "4", "5", "6"} <= set(shown)
    assert max(map(len, shown)) <= 18
    assert len({short(f"reports/2026/{i}/a-longer-name.jsonl") for i in range(3)}) == 1
    assert short("a/very/long/path/to/rows.jsonl").endswith("rows.jsonl")


def test_bars_are_as_long_as_their_numbers():
    svg = draw_bars("b", "Labels", [("one", 100), ("two", 50)])
    widths = [float(width) for width in re.findall(r'd="M0,[\d.]+h([\d.]+)v[^"]*" fill="var\(--accent\)"', svg)]
    assert len(widths) == 2
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.02)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=60))
def test_a_histogram_holds_every_row_once(values: list[int]):
    found = histogram(Lengths.of("input", "words", values))
    assert len(found.bins) <= MOST_BINS + 1
    assert sum(b.rows for b in found.bins) + found.longer == len(values)
    assert found.longer <= 0.005 * len(values)
    for b in found.bins:
        assert b.rows == sum(b.low <= v < b.high for v in values)
    assert {b.high - b.low for b in found.bins} <= {1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000}
    assert found.longer == sum(v >= found.end for v in values)


@pytest.mark.parametrize(("values", "median"), [([1] * 5, 1), ([1, 2, 2, 3], 2), ([*range(12)], 5)])
def test_the_median_stands_over_its_own_figure_and_in_the_middle_of_its_bar(values: list[int], median: int):
    svg = draw_histogram("h", histogram(Lengths.of("a", "words", values)), unit="words", median=median)
    mark = float(re.findall(r'<line transform="translate\(([\d.]+),0\)"[^>]*stroke-dasharray', svg)[0])
    figures = {t: float(x) for x, t in re.findall(r'translate\(([\d.]+),11\)"[^>]*>(\d+)</text>', svg)}
    bars = [(float(a), float(w)) for a, w in re.findall(r'd="M([\d.]+),[\d.]+h([\d.]+)v[^"]*" fill="var', svg)]
    assert len(set(figures.values())) == len(figures) >= 2
    assert figures.get(str(median), mark) == pytest.approx(mark, abs=0.6)
    assert any(a + w / 2 == pytest.approx(mark, abs=0.6) for a, w in bars)
