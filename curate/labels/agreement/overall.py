"""All measures of one table of judgements, with the word on which of them to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np

from sluice.core.wording import counted
from sluice.curate.labels.agreement import coefficients
from sluice.curate.labels.agreement.judgements import MISSING, Table
from sluice.curate.labels.agreement.measure import ONE_VALUE, Measure, Name, absent, measured
from sluice.curate.labels.agreement.patterns import Patterns, Statistic, bootstrap, distinct, patterns_of

SKEWED = 0.8
"""Share of the judgements that the commonest value takes, from which AC1 is the one to read: with two values, chance
alone then agrees on 68% of the pairs, and kappa and alpha fall although people agree (Feinstein and Cicchetti 1990)."""
SETS = "it takes sets as equal or not, which few are: see the labels one by one"
FEWEST_ITEMS = 2
"""An interval over items needs two: with one item nothing is known of the next."""


def overall(table: Table, *, draws: int, seed: int) -> tuple[Measure, ...]:
    """Return raw agreement, Cohen's kappa (two people), Fleiss' kappa, Krippendorff's alpha and Gwet's AC1 or AC2."""
    patterns = patterns_of(table.codes, len(table.values))
    items = int(patterns.counts @ patterns.paired)
    ac: Name = "ac2" if table.scale in ("ordinal", "interval") else "ac1"
    names: tuple[Name, ...] = ("raw", "cohen", "fleiss", "alpha", ac)
    why = reason(table, items)
    if why is not None:
        return tuple(absent(name, items, why) for name in names)
    reasons = _reasons(table, patterns, ac)
    weight = None if "fleiss" in reasons else coefficients.weights(table.scale, table.values)
    makers: dict[Name, Callable[[], Statistic]] = {
        "raw": lambda: coefficients.raw_agreement(patterns),
        "fleiss": lambda: coefficients.fleiss_kappa(patterns, weight),
        "alpha": lambda: _alpha(patterns, table),
        ac: lambda: coefficients.gwet_ac(patterns, weight),
    }
    statistics: dict[str, Statistic] = {name: make() for name, make in makers.items() if name not in reasons}
    found = bootstrap(patterns.counts, statistics, draws=draws, seed=seed, width=_width(table))
    if "cohen" not in reasons:
        two = table.codes[:, (table.codes != MISSING).any(axis=0)]
        pairs, counts = distinct(two[(two != MISSING).all(axis=1)])
        kappa = coefficients.cohen_kappa(pairs, len(table.values), weight)
        found |= bootstrap(counts, {"cohen": kappa}, draws=draws, seed=seed, width=_width(table))
    raw, chance = float(found["raw"][0]), nominal_chance(patterns)
    return tuple(
        absent(name, items, reasons[name])
        if name in reasons
        else measured(name, found[name], items, raw=raw, chance=0.0 if name == "raw" else chance)
        for name in names
    )


def _reasons(table: Table, patterns: Patterns, ac: Name) -> dict[Name, str]:
    """Return why a measure cannot be had of judgements that agreement can be measured of at all."""
    one = _one_value(patterns)
    if one:
        return dict.fromkeys(("cohen", "fleiss", "alpha", ac), one)
    reasons: dict[Name, str] = {}
    if table.scale == "sets":
        reasons |= dict.fromkeys(("cohen", "fleiss", ac), SETS)
    elif table.scale != "nominal" and len(table.values) > coefficients.MOST_ORDERED:
        why = f"more than {coefficients.MOST_ORDERED} ordered values are numbers: scale `interval`, and its alpha"
        reasons |= dict.fromkeys(("cohen", "fleiss", ac), why)
    judging = int((table.codes != MISSING).any(axis=0).sum())
    if judging != 2:
        reasons["cohen"] = f"it is of two people, here are {judging}: see the pairs"
    if too_many := _too_many(table):
        reasons["alpha"] = too_many
    return reasons


def reason(table: Table, items: int) -> str | None:
    """Return why no measure of a table can be had, or None."""
    if not table.items or (table.codes == MISSING).all():
        return "there are no judgements"
    judging = int((table.codes != MISSING).any(axis=0).sum())
    if judging < 2:
        return "one annotator: agreement needs two people"
    if items == 0:
        return "no item was judged by two people"
    if items < FEWEST_ITEMS:
        return f"{counted(items, 'item was', 'items were')} judged by two people: {FEWEST_ITEMS} are needed"
    return None


def nominal_chance(patterns: Patterns) -> float:
    """Return the agreement that chance gives between equal values, by their shares."""
    shares = coefficients.value_shares(patterns, patterns.counts[None, :].astype(float))
    return float((shares**2).sum())


def commonest(table: Table) -> tuple[Any, float]:
    """Return the value that was given most and its share of the judgements; (None, 0.0) where there are none."""
    given = table.codes[table.codes != MISSING]
    if len(given) == 0:
        return None, 0.0
    counts = np.bincount(given, minlength=len(table.values))
    return table.values[int(counts.argmax())], float(counts.max() / len(given))


def which_to_read(table: Table, measures: tuple[Measure, ...]) -> tuple[Name, str]:
    """Return the name of the measure to read and why."""
    value, share = commonest(table)
    ac = measures[-1]
    if table.scale != "sets" and share >= SKEWED and ac.value is not None:
        return ac.name, (
            f'"{value}" takes {share:.0%} of the judgements: chance alone would agree often, so kappa and alpha come '
            f"out low even where people agree; {ac.title} does not suffer from that"
        )
    why = {
        "nominal": "it takes any number of people, and items that some did not judge",
        "ordinal": "it counts how far apart two ratings are in their order, and takes missing ones",
        "interval": "it counts how far apart two numbers are, and takes missing ones",
        "sets": "it counts sets that overlap as half agreed (MASI distance), and takes missing ones",
    }
    return "alpha", why[table.scale]


def alpha_of(codes: np.ndarray, table: Table, *, draws: int, seed: int) -> Measure:
    """Return Krippendorff's alpha of some of a table's columns, on the table's scale and values."""
    patterns = patterns_of(codes, len(table.values))
    items = int(patterns.counts @ patterns.paired) if len(patterns.counts) else 0
    why = reason(replace(table, codes=codes), items) or _one_value(patterns) or _too_many(table)
    if why:
        return absent("alpha", items, why)
    statistics = {"raw": coefficients.raw_agreement(patterns), "alpha": _alpha(patterns, table)}
    found = bootstrap(patterns.counts, statistics, draws=draws, seed=seed, width=_width(table))
    return measured("alpha", found["alpha"], items, raw=float(found["raw"][0]), chance=nominal_chance(patterns))


def _one_value(patterns: Patterns) -> str | None:
    used = np.unique(patterns.codes[patterns.paired > 0])
    return ONE_VALUE if len(used[used != MISSING]) == 1 else None


def _too_many(table: Table) -> str | None:
    most = {"ordinal": coefficients.MOST_ORDERED, "sets": coefficients.MOST_SETS}.get(table.scale)
    if most is None or len(table.values) <= most:
        return None
    return f"{len(table.values):,} distinct values are too many for a table of their distances ({most:,} at most)"


def _width(table: Table) -> int:
    return len(table.values) ** 2 if table.scale == "ordinal" else len(table.values)


def _alpha(patterns: Patterns, table: Table) -> Statistic:
    if table.scale == "nominal":
        return coefficients.nominal_alpha(patterns)
    if table.scale == "interval":
        return coefficients.interval_alpha(patterns, table.values)
    if table.scale == "ordinal":
        return coefficients.ordinal_alpha(patterns)
    return coefficients.masi_alpha(patterns, cast(tuple[tuple[str, ...], ...], table.values))
