"""What counts as a time, and what orders it; what cannot be ordered is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.curate.splits.times import read_time, read_times


def order(text: str) -> tuple[str, Decimal]:
    found = read_time(text)
    assert found is not None
    return found


moments = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1))
zones = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@given(moments, moments, zones, zones)
def test_zoned_times_are_ordered_by_the_instant_not_by_the_text(a, b, zone_a, zone_b):
    one, two = a.replace(tzinfo=UTC), b.replace(tzinfo=UTC)
    read = [order(x.astimezone(zone).isoformat()) for x, zone in ((one, zone_a), (two, zone_b))]
    assert (read[0] < read[1]) == (one < two)
    assert (read[0] == read[1]) == (one == two)


@given(moments, moments)
def test_times_without_a_zone_and_dates_keep_their_order(a, b):
    assert (order(a.isoformat()) < order(b.isoformat())) == (a < b)
    days = order(f"{a:%Y-%m-%d}"), order(f"{b.day}.{b.month}.{b.year}")
    assert (days[0] < days[1]) == (a.date() < b.date())


@given(st.integers(-(10**30), 10**30), st.integers(-(10**30), 10**30))
def test_numbers_are_exact_at_any_size(a, b):
    assert (order(str(a)) < order(str(b))) == (a < b)


@pytest.mark.parametrize("text", ["05/01/2026", "2026-02-30", "soon", "", "nan", "inf", "true", "31.4.2026"])
def test_what_is_no_time(text):
    assert read_time(text) is None


def test_a_row_seen_twice_has_the_newest_time_and_a_text_that_is_none_makes_it_undated():
    times = read_times("d", ["a", "b", "c"], {"a": ["2026-01-01", "2026-03-01", "?"], "b": ["?"]})
    assert times.text == {"a": "2026-03-01"}
    assert set(times.undated) == {"b", "c"}
    assert "'?'" in times.undated["b"]


def test_kinds_are_not_mixed():
    with pytest.raises(InputError, match="no order"):
        read_times("d", ["a", "b"], {"a": ["2026-01-01"], "b": ["1767225600"]})
    with pytest.raises(InputError, match="no order"):
        read_times("d", ["a", "b"], {"a": ["2026-01-01T00:00:00Z"], "b": ["2026-01-01T00:00:00"]})
    with pytest.raises(InputError, match="month or day"):
        read_times("d", ["a"], {"a": ["05/01/2026"]})
    with pytest.raises(InputError, match="cut at"):
        read_times("d", ["a"], {"a": ["2026-01-01"]}).moment("17")
