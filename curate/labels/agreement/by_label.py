"""Agreement on one label at a time: named or not. For sets of labels: in the set or not."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from sluice.curate.labels.agreement.coefficients import corrected, ratio
from sluice.curate.labels.agreement.judgements import MISSING, Table
from sluice.curate.labels.agreement.measure import Measure, absent, measured
from sluice.curate.labels.agreement.patterns import Patterns, Statistic, bootstrap, patterns_of

UNUSED = "nobody gave this label on an item that two people judged"
MOST_LABELS = 200
"""Labels that are looked at one by one, the most frequent first: more are free text, not labels."""


class LabelAgreement(BaseModel):
    """How well people agree on one label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    given: int
    """Judgements that name it."""
    share: float
    """Of all judgements."""
    specific: Measure
    """Where one person names it: how often another does, too (Cicchetti and Feinstein 1990)."""
    ac1: Measure
    """Named or not, corrected for chance; a rare label is skewed, so this and not kappa."""
    alpha: Measure

    @property
    def sentence(self) -> str:
        """Return the agreement in words."""
        if self.specific.value is None:
            return f"{self.label}: absent, {self.specific.absent}"
        return f"{self.label}: who gives it meets another who gives it {self.specific.value:.0%} of the time"


def by_label(table: Table, *, draws: int, seed: int) -> tuple[LabelAgreement, ...]:
    """Return the agreement on each label, the least agreed first; ordered and numeric values are not labels: empty."""
    if table.scale == "interval":
        return ()
    labels, held = _membership(table)
    patterns = patterns_of(table.codes, len(table.values))
    whole = patterns.counts[None, :].astype(float)
    given = ((patterns.tally.T @ whole.T).T @ held)[0] if len(patterns.counts) else np.zeros(len(labels))
    judged = max(float(patterns.counts @ patterns.judged), 1.0) if len(patterns.counts) else 1.0
    items = int(patterns.counts @ patterns.paired) if len(patterns.counts) else 0
    order = np.argsort(-given, kind="stable")[:MOST_LABELS]
    labels, held, given = [labels[i] for i in order], held[:, order], given[order]
    if items < 2 or not labels:
        why = "fewer than two items were judged by two people"
        return tuple(
            _of(label, n, judged, {name: absent(name, items, why) for name in ("specific", "ac1", "alpha")})
            for label, n in zip(labels, given, strict=True)
        )
    statistics = _statistics(patterns, held)
    found = bootstrap(patterns.counts, statistics, draws=draws, seed=seed, width=len(labels) * 4)
    raw, chance = found["raw"][0], found["chance"][0]
    results: list[LabelAgreement] = []
    for i, label in enumerate(labels):
        if np.isnan(found["specific"][0][i]):
            measures = {name: absent(name, items, UNUSED) for name in ("specific", "ac1", "alpha")}
        else:
            measures = {
                name: measured(
                    name,
                    (found[name][0][i], found[name][1][:, i]),
                    items,
                    raw=float(raw[i]) if name != "specific" else None,
                    chance=float(chance[i]),
                )
                for name in ("ac1", "alpha")
            }
            measures["specific"] = _specific(found["specific"], i, patterns, held)
            if np.isnan(found["alpha"][0][i]):
                always = "everybody gave this label to every item"
                measures |= {name: absent(name, items, always) for name in ("ac1", "alpha")}
        results.append(_of(label, given[i], judged, measures))
    return tuple(sorted(results, key=lambda one: (one.specific.value is None, one.specific.value or 0.0, one.label)))


def _specific(found: tuple[np.ndarray, np.ndarray], i: int, patterns: Patterns, held: np.ndarray) -> Measure:
    named = patterns.tally @ held[:, i]
    items = int(patterns.counts @ ((named > 0) & (patterns.paired > 0)))
    value = float(found[0][i])
    return measured("specific", (found[0][i], found[1][:, i]), items, raw=value if value >= 1 else None)


def _statistics(patterns: Patterns, held: np.ndarray) -> dict[str, Statistic]:
    """Return the statistics of all labels at once: (draws, labels); `held` says which value names which label."""
    named = patterns.tally @ held
    judged = patterns.judged[:, None].astype(float)
    other = judged - named
    pairs = np.maximum(judged * (judged - 1), 1)
    paired = patterns.paired[:, None]
    agree = paired * (named * (named - 1) + other * (other - 1)) / pairs
    both, either = paired * named * (named - 1) / np.maximum(judged - 1, 1), paired * named
    shares = named / judged
    differ = paired * 2 * named * other / np.maximum(judged - 1, 1)
    total = (paired * judged)[:, 0]

    def raw(drawn: np.ndarray) -> np.ndarray:
        return ratio(drawn @ agree, (drawn @ patterns.paired)[:, None])

    def share(drawn: np.ndarray) -> np.ndarray:
        return drawn @ shares / drawn.sum(axis=1, keepdims=True)

    def alpha(drawn: np.ndarray) -> np.ndarray:
        yes, all_of = drawn @ either, (drawn @ total)[:, None]
        return 1.0 - ratio((all_of - 1) * (drawn @ differ), 2 * yes * (all_of - yes))

    return {
        "raw": raw,
        "chance": lambda drawn: share(drawn) ** 2 + (1 - share(drawn)) ** 2,
        "specific": lambda drawn: ratio(drawn @ both, drawn @ either),
        "ac1": lambda drawn: corrected(raw(drawn), 2 * share(drawn) * (1 - share(drawn))),
        "alpha": alpha,
    }


def _membership(table: Table) -> tuple[list[str], np.ndarray]:
    """Return the labels, and which value names which of them: shape (values, labels) of 0.0 and 1.0."""
    if table.scale != "sets":
        used = np.unique(table.codes[table.codes != MISSING])
        held = np.zeros((len(table.values), len(used)))
        held[used, np.arange(len(used))] = 1.0
        if len(used) > MOST_LABELS:  # columns of the most frequent only: a square of free texts would fill the memory
            counts = np.bincount(table.codes[table.codes != MISSING], minlength=len(table.values))
            used = np.argsort(-counts, kind="stable")[:MOST_LABELS]
            held = np.zeros((len(table.values), len(used)))
            held[used, np.arange(len(used))] = 1.0
        return [str(table.values[i]) for i in used], held
    sets: Any = table.values
    labels = sorted({label for one in sets for label in one})
    place = {label: i for i, label in enumerate(labels)}
    held = np.zeros((len(sets), len(labels)))
    for i, one in enumerate(sets):
        held[i, [place[label] for label in one]] = 1.0
    return labels, held


def _of(label: str, given: float, judged: float, measures: dict[str, Measure]) -> LabelAgreement:
    return LabelAgreement(label=label, given=round(given), share=round(given / judged, 6), **measures)  # pyright: ignore
