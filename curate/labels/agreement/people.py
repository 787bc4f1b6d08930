"""Each annotator against the others, each pair of annotators, and which values people give for one another."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from sluice.core.wording import counted
from sluice.curate.labels.agreement import coefficients
from sluice.curate.labels.agreement.judgements import MISSING, Table, Value
from sluice.curate.labels.agreement.measure import ONE_VALUE, Measure, absent, measured
from sluice.curate.labels.agreement.overall import FEWEST_ITEMS, SETS, alpha_of, reason
from sluice.curate.labels.agreement.patterns import Statistic, bootstrap, distinct, patterns_of

MOST_PAIRS = 100
"""Pairs of people that are measured, those with the most items in common first."""
MOST_CONFUSED = 50
MOST_NOMINAL = 2_000
"""Distinct unordered values up to which the kappa of two people is computed: more are free text."""


class AnnotatorAgreement(BaseModel):
    """One annotator against the others on the items that both judged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    annotator: str
    judgements: int
    cannot_say: int
    agreement: Measure
    """Share of the others' judgements of an item that are equal to theirs, mean over items."""
    kappa: Measure
    """The same, corrected for chance (Cohen's kappa with the others as one person)."""
    alpha_without: Measure
    """Of all others together: far above the alpha of all, and this annotator is the one who differs."""

    @property
    def sentence(self) -> str:
        """Return the agreement in words."""
        if self.agreement.value is None:
            return f"{self.annotator}: absent, {self.agreement.absent}"
        items = counted(self.agreement.items, "item")
        return f"{self.annotator}: agrees with {self.agreement.value:.0%} of what others said of {items}"


class PairAgreement(BaseModel):
    """Two annotators."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: str
    second: str
    raw: Measure
    cohen: Measure


class Confusion(BaseModel):
    """What two people said of the items that both judged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: str
    """Its values are the rows."""
    second: str
    values: tuple[Any, ...]
    counts: tuple[tuple[int, ...], ...]


class Confused(BaseModel):
    """Two values that were given to one item by two people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    one: Any
    other: Any
    pairs: int
    """Pairs of judgements of an item."""
    items: int
    share: float
    """Of all pairs that disagree."""


def by_annotator(table: Table, *, draws: int, seed: int) -> tuple[AnnotatorAgreement, ...]:
    """Return each annotator against the others, the least agreeing first."""
    found: list[AnnotatorAgreement] = []
    for place, name in enumerate(table.annotators):
        own, rest = table.codes[:, place], np.delete(table.codes, place, axis=1)
        shared = (own != MISSING) & (rest != MISSING).any(axis=1)
        items, why = int(shared.sum()), reason(table, int(shared.sum()))
        if why is not None and items < FEWEST_ITEMS and len(table.annotators) > 1:
            why = f"{counted(items, 'item')} in common with others: {FEWEST_ITEMS} are needed"
        if why is not None:
            agreement, kappa = absent("raw", items, why), absent("cohen", items, why)
        else:
            agreement, kappa = _against(own[shared], rest[shared], table, draws, seed)
        found.append(
            AnnotatorAgreement(
                annotator=name,
                judgements=int((own != MISSING).sum()),
                cannot_say=table.cannot_say.get(name, 0),
                agreement=agreement,
                kappa=kappa,
                alpha_without=alpha_of(rest, table, draws=draws, seed=seed),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.agreement.value is None, one.agreement.value or 0, one.annotator)))


def by_pair(table: Table, *, draws: int, seed: int) -> tuple[PairAgreement, ...]:
    """Return raw agreement and Cohen's kappa of the pairs that share most items, the least agreeing first."""
    judged = table.codes != MISSING
    common = judged.T.astype(np.int64) @ judged.astype(np.int64)
    pairs = [(a, b) for a, b in combinations(range(len(table.annotators)), 2) if common[a, b]]
    pairs = sorted(pairs, key=lambda pair: -common[pair])[:MOST_PAIRS]
    found: list[PairAgreement] = []
    for a, b in pairs:
        rows, counts = distinct(table.codes[judged[:, a] & judged[:, b]][:, [a, b]])
        items, measures = int(counts.sum()), {}
        if items < FEWEST_ITEMS:
            measures = {name: absent(name, items, "one item in common: 2 are needed") for name in ("raw", "cohen")}
        else:
            measures = _two(rows, counts, table, draws, seed)
        found.append(PairAgreement(first=table.annotators[a], second=table.annotators[b], **measures))
    return tuple(sorted(found, key=lambda one: (one.raw.value is None, one.raw.value or 0, one.first, one.second)))


def confusion(table: Table, first: str, second: str) -> Confusion:
    """Return how often `first` gave one value where `second` gave another; values that neither gave are left out."""
    a, b = table.annotators.index(first), table.annotators.index(second)
    both = (table.codes[:, a] != MISSING) & (table.codes[:, b] != MISSING)
    rows = table.codes[both][:, [a, b]]
    used, inverse = np.unique(rows, return_inverse=True)
    inverse = inverse.reshape(-1, 2)
    counts = np.zeros((len(used), len(used)), dtype=np.int64)
    np.add.at(counts, (inverse[:, 0], inverse[:, 1]), 1)
    return Confusion(
        first=first,
        second=second,
        values=tuple(_shown(table.values[i]) for i in used),
        counts=tuple(tuple(int(n) for n in row) for row in counts),
    )


def confused(table: Table) -> tuple[Confused, ...]:
    """Return the values that people give for one another, most often first, over all pairs of judgements."""
    patterns = patterns_of(table.codes, len(table.values))
    pairs: dict[tuple[int, int], list[int]] = {}
    for codes, count in zip(patterns.codes.tolist(), patterns.counts.tolist(), strict=True):  # patterns, not items
        held = [code for code in codes if code != MISSING]
        counts = {code: held.count(code) for code in held}
        for one, other in combinations(sorted(counts), 2):
            both = pairs.setdefault((one, other), [0, 0])
            both[0] += counts[one] * counts[other] * count
            both[1] += count
    total = sum(number for number, _ in pairs.values())
    ranked = sorted(pairs.items(), key=lambda pair: (-pair[1][0], pair[0]))[:MOST_CONFUSED]
    return tuple(
        Confused(
            one=_shown(table.values[one]),
            other=_shown(table.values[other]),
            pairs=number,
            items=items,
            share=round(number / total, 6),
        )
        for (one, other), (number, items) in ranked
    )


def _against(own: np.ndarray, rest: np.ndarray, table: Table, draws: int, seed: int) -> tuple[Measure, Measure]:
    values = len(table.values)
    rows, counts = distinct(np.column_stack([own, -np.sort(-rest, axis=1)]))
    mine, others = rows[:, 0], rows[:, 1:]
    held = others != MISSING
    many = held.sum(axis=1)
    equal = (others == mine[:, None]).sum(axis=1) / many
    statistics: dict[str, Statistic] = {"raw": lambda drawn: drawn @ equal / drawn.sum(axis=1)}
    why = _no_kappa(rows, table)
    if why is None:
        weight = coefficients.weights(table.scale, table.values)
        same = equal if weight is None else (weight[mine[:, None], others] * held).sum(axis=1) / many
        one, theirs = coefficients.one_hot(mine, values), _shares_of(others, values)

        def kappa(drawn: np.ndarray) -> np.ndarray:
            total = drawn.sum(axis=1)
            shares = theirs @ drawn.T
            chance = ((one @ drawn.T) * (shares if weight is None else weight @ shares)).sum(axis=0) / total**2
            return coefficients.corrected(drawn @ same / total, chance)

        statistics["cohen"] = kappa
    return _with_intervals(statistics, rows, counts, table, why, draws, seed)


def _two(rows: np.ndarray, counts: np.ndarray, table: Table, draws: int, seed: int) -> dict[str, Measure]:
    same = (rows[:, 0] == rows[:, 1]).astype(float)
    statistics: dict[str, Statistic] = {"raw": lambda drawn: drawn @ same / drawn.sum(axis=1)}
    why = _no_kappa(rows, table)
    if why is None:
        weight = coefficients.weights(table.scale, table.values)
        statistics["cohen"] = coefficients.cohen_kappa(rows, len(table.values), weight)
    raw, cohen = _with_intervals(statistics, rows, counts, table, why, draws, seed)
    return {"raw": raw, "cohen": cohen}


def _with_intervals(
    statistics: dict[str, Statistic],
    rows: np.ndarray,
    counts: np.ndarray,
    table: Table,
    why: str | None,
    draws: int,
    seed: int,
) -> tuple[Measure, Measure]:
    items = int(counts.sum())
    found = bootstrap(counts, statistics, draws=draws, seed=seed, width=len(table.values))
    raw = float(found["raw"][0])
    agreement = measured("raw", found["raw"], items, raw=raw)
    if why is not None:
        return agreement, absent("cohen", items, why)
    return agreement, measured("cohen", found["cohen"], items, raw=raw, chance=_chance(rows, counts, len(table.values)))


def _no_kappa(rows: np.ndarray, table: Table) -> str | None:
    """Return why two sides have no kappa, or None."""
    used = np.unique(rows)
    if len(used[used != MISSING]) == 1:
        return ONE_VALUE
    if table.scale == "sets":
        return SETS
    most = MOST_NOMINAL if table.scale == "nominal" else coefficients.MOST_ORDERED
    if len(table.values) > most:
        return f"{len(table.values):,} distinct values are too many for kappa ({most:,} at most)"
    return None


def _shares_of(others: np.ndarray, values: int) -> Any:
    """Return the share of the others' judgements that name each value: sparse, (values, patterns)."""
    from scipy.sparse import csr_array

    rows, columns = np.nonzero(others != MISSING)
    each = 1.0 / (others != MISSING).sum(axis=1)
    return csr_array((each[rows], (others[rows, columns], rows)), shape=(values, len(others)))


def _chance(rows: np.ndarray, counts: np.ndarray, values: int) -> float:
    judged = rows != MISSING
    weight = np.repeat((counts / judged.sum(axis=1))[:, None], rows.shape[1], axis=1)
    shares = np.bincount(rows[judged], weights=weight[judged], minlength=values) / counts.sum()
    return float((shares**2).sum())


def _shown(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value
