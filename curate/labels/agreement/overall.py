"""All measures of one table of judgements, with the word on which of them to read."""

from __future__ import annotations

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
FEWEST_ITEMS = 2
"""An interval over items needs two: with one item nothing is known of the next."""


def overall(table: Table, *, draws: int, seed: int) -> tuple[Measure, ...]:
    """Return raw agreement, Cohen's kappa (two people), Fleiss' kappa, Krippendorff's alpha and Gwet's AC1 or AC2."""
    patterns = patterns_of(table.codes, len(table.values))
    weight_too_big = table.scale in ("ordinal", "interval") and len(table.values) > coefficients.MOST_ORDERED
    weight = None if weight_too_big else coefficients.weights(table.scale, table.values)
    names: tuple[Name, ...] = ("raw", "cohen", "fleiss", "alpha", "ac1" if weight is None else "ac2")
    items = int(patterns.counts @ patterns.paired)
    why = reason(table, items)
    if why is not None:
        return tuple(absent(name, items, why) for name in names)
    statistics: dict[str, Statistic] = {"raw": coefficients.raw_agreement(patterns)}
    reasons: dict[str, str] = {}
    if _one_value(patterns):
        reasons = dict.fromkeys(names[1:], ONE_VALUE)
    if not reasons:
        statistics |= {"fleiss": coefficients.fleiss_kappa(patterns, weight)}
        statistics |= {names[-1]: coefficients.gwet_ac(patterns, weight)}
        alpha = _alpha(patterns, table)
        statistics |= {"alpha": alpha} if alpha else {}
        if alpha is None:
            reasons["alpha"] = _too_many(table)
        if weight_too_big:
            for name in ("fleiss", names[-1]):
                statistics.pop(name)
                reasons[name] = f"more than {coefficients.MOST_ORDERED} ordered values: read Krippendorff's alpha"
    width = len(table.values) ** 2 if table.scale == "ordinal" else len(table.values)
    found = bootstrap(patterns.counts, statistics, draws=draws, seed=seed, width=width)
    if "cohen" not in reasons:
        if len(table.annotators) != 2:
            reasons["cohen"] = f"it is of two people, here are {len(table.annotators)}: see the pairs"
        elif weight_too_big:
            reasons["cohen"] = f"more than {coefficients.MOST_ORDERED} ordered values: read Krippendorff's alpha"
        else:
            pairs, counts = distinct(table.codes[(table.codes != MISSING).all(axis=1)])
            two = {"cohen": coefficients.cohen_kappa(pairs, len(table.values), weight)}
            found |= bootstrap(counts, two, draws=draws, seed=seed, width=len(table.values))
    raw = float(found["raw"][0])
    chance = nominal_chance(patterns)
    return tuple(
        measured(name, found[name], items, raw=raw, chance=0.0 if name == "raw" else chance)
        if name in found
        else absent(name, items, reasons[name])
        for name in names
    )


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
    """Return the value that was given most and its share of the judgements."""
    given = table.codes[table.codes != MISSING]
    counts = np.bincount(given, minlength=len(table.values))
    return table.values[int(counts.argmax())], float(counts.max() / max(len(given), 1))


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
    """Return Krippendorff's alpha of some columns or rows of a table's codes, on the table's scale and values."""
    part = replace(table, codes=codes)
    patterns = patterns_of(codes, len(table.values))
    items = int(patterns.counts @ patterns.paired) if len(patterns.counts) else 0
    why = reason(part, items) or _one_value(patterns)
    statistic = None if why else _alpha(patterns, table)
    if why or statistic is None:
        return absent("alpha", items, why or _too_many(table))
    width = len(table.values) ** 2 if table.scale == "ordinal" else len(table.values)
    statistics = {"raw": coefficients.raw_agreement(patterns), "alpha": statistic}
    found = bootstrap(patterns.counts, statistics, draws=draws, seed=seed, width=width)
    raw = float(found["raw"][0])
    return measured("alpha", found["alpha"], items, raw=raw, chance=nominal_chance(patterns))


def _one_value(patterns: Patterns) -> str | None:
    used = np.unique(patterns.codes[patterns.paired > 0])
    return ONE_VALUE if len(used[used != MISSING]) == 1 else None


def _too_many(table: Table) -> str:
    return f"{len(table.values):,} distinct values are too many for its table of distances"


def _alpha(patterns: Patterns, table: Table) -> Statistic | None:
    if table.scale == "nominal":
        return coefficients.nominal_alpha(patterns)
    if table.scale == "interval":
        return coefficients.interval_alpha(patterns, table.values)
    if table.scale == "ordinal":
        return coefficients.ordinal_alpha(patterns) if patterns.values <= coefficients.MOST_ORDERED else None
    sets = cast(tuple[tuple[str, ...], ...], table.values)
    return coefficients.masi_alpha(patterns, sets) if patterns.values <= coefficients.MOST_SETS else None
