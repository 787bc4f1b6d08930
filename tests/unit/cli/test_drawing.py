"""Progress, tables, and values as JSON: what is drawn where nobody looks, and what is never written."""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict
from rich.cells import cell_len

from sluice.cli.envelope import Failure, envelope, plain
from sluice.cli.layout import plain_table, terminal_table
from sluice.cli.progress import Progress, duration, rate
from sluice.core.wording import visible


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_off_a_terminal_a_line_every_ten_seconds():
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, live=False, silent=False, clock=clock)
    for done in range(61):
        progress("rows answered", done, 120)
        clock.now += 0.5
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0] == "rows answered  20 of 120  2.0/s  50 s left"
    assert "\r" not in stream.getvalue()


def test_short_work_off_a_terminal_draws_nothing():
    stream = io.StringIO()
    progress = Progress(stream, live=False, silent=False)
    for done in range(101):
        progress("rows", done, 100)
    assert stream.getvalue() == ""


def test_on_a_terminal_one_line_is_renewed_and_taken_away():
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, live=True, silent=False, clock=clock)
    progress("loading torch", 0, 0)
    assert stream.getvalue() == "\rloading torch ...\x1b[K"
    for done in range(1, 101):
        clock.now += 0.02
        progress("rows", done, 100)
    assert stream.getvalue().endswith("\r\x1b[K")
    assert stream.getvalue().count("rows") < 30, "redrawn ten times a second at most"
    assert "\n" not in stream.getvalue()


def test_a_silent_or_closed_stream_is_no_error():
    stream = io.StringIO()
    Progress(stream, live=True, silent=True)("rows", 1, 2)
    assert stream.getvalue() == ""
    stream.close()
    progress = Progress(stream, live=True, silent=False)
    progress("rows", 1, 2)
    progress("rows", 2, 2)


@pytest.mark.parametrize(
    "seconds, said",
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (5400, "1 h 30 min"), (7170, "2 h 00 min")],
)
def test_durations(seconds, said):
    assert duration(seconds) == said


def test_rates():
    assert [rate(1240.4), rate(1.94), rate(0.1)] == ["1,240/s", "1.9/s", "6.0/min"]


def test_a_plain_table_is_aligned_uncut_and_one_line_a_row():
    lines = plain_table(("name", "rows", "note"), [("tickets", 2716, "a\nb"), ("x", None, "w" * 300)])
    assert lines[0] == "name      rows  note"
    assert lines[1] == "tickets  2,716  a\\nb"
    assert lines[2] == f"x            -  {'w' * 300}"


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), st.integers() | st.none(), st.text(max_size=200)), max_size=5))
def test_tables_take_any_text_and_fit_the_terminal(rows):
    shown = [(visible(first), number, visible(last)) for first, number, last in rows]
    assert len(plain_table(("a", "b", "c"), shown)) == 1 + len(rows)
    for line in terminal_table(("a", "b", "c"), shown, ("", "", ""), 60, False):
        assert cell_len(line) <= 60, "cells of the terminal, not characters"
        assert "\x1b" not in line


@settings(deadline=None)
@given(st.text())
def test_visible_text_holds_no_control_character(text):
    assert all(ch in "\t\n" or (ord(ch) >= 32 and not 127 <= ord(ch) < 160) for ch in visible(text))
    if text.isprintable():
        assert visible(text) == text


class Inner(BaseModel):
    model_config = ConfigDict(frozen=True)
    score: float
    where: Path


@dataclass(frozen=True)
class Outer:
    inner: Inner
    when: datetime
    seen: frozenset[str]


def test_models_dataclasses_paths_times_and_sets_have_a_form():
    value = Outer(Inner(score=math.inf, where=Path("a") / "b"), datetime(2026, 1, 2, tzinfo=UTC), frozenset({"b", "a"}))
    assert plain(value) == {
        "inner": {"score": None, "where": str(Path("a") / "b")},
        "when": "2026-01-02T00:00:00+00:00",
        "seen": ["a", "b"],
    }
    numpy = pytest.importorskip("numpy")
    assert plain({"x": numpy.float64("nan"), "n": numpy.int64(3), "a": numpy.array([1.5])}) == {
        "x": None,
        "n": 3,
        "a": [1.5],
    }
    with pytest.raises(TypeError):
        plain({"x": b"bytes"})


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_keeps_its_digits(value):
    text = envelope("show", 0, {"x": value}, None)
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal)["result"]["x"] == value
    assert json.loads(envelope("show", 0, {"x": Decimal("NaN")}, None))["result"]["x"] is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@settings(deadline=None)
@given(anything, st.sampled_from(["utf-8", "ascii", "cp1252"]))
def test_the_envelope_is_one_line_of_json_in_any_encoding(value, encoding):
    text = envelope("ls", 2, value, Failure(2, "usage", "no", None, None), encoding)
    text.encode(encoding)
    assert "\n" not in text

    def no_constant(name: str):
        raise AssertionError(name)

    body = json.loads(text, parse_constant=no_constant)
    assert body["result"] == plain(value)
    assert body["error"] == {"code": "usage", "message": "no", "where": None, "remedy": None}
