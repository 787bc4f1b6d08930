"""The whole of it: judgements in, every measure of agreement out, as one record that a verb draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from sluice.core.progress import Progress
from sluice.curate.labels.agreement.by_label import LabelAgreement, by_label
from sluice.curate.labels.agreement.judgements import MISSING, Judgement, Scale, Table, tabulate
from sluice.curate.labels.agreement.measure import Measure, Name, named
from sluice.curate.labels.agreement.overall import commonest, overall, which_to_read
from sluice.curate.labels.agreement.people import (
    AnnotatorAgreement,
    Confused,
    Confusion,
    PairAgreement,
    by_annotator,
    by_pair,
    confused,
    confusion,
)

DRAWS = 1_000
SEED = 0
MOST_TABLES = 3
"""Confusion tables that a record holds, of the pairs that share most items; `people.confusion` makes any other."""
MOST_VALUES = 20
"""Values up to which two people's confusion is a table; beyond it the list of confused values says more."""


class SliceAgreement(BaseModel):
    """Agreement within one part of the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slice: str
    items: int
    measures: tuple[Measure, ...]
    read: Name
    why: str


class Agreement(BaseModel):
    """How far people agree, on what, and who does not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: Scale
    items: int
    annotators: tuple[str, ...]
    judgements: int
    cannot_say: int
    paired: int
    """Items that two people or more judged: agreement stands on these."""
    disagreed: tuple[str, ...]
    """Items on which two people said different things: what a third person looks at."""
    commonest: Any
    """The value that was given most; None without judgements."""
    commonest_share: float
    measures: tuple[Measure, ...]
    read: Name
    """The measure to read."""
    why: str
    """Why that one."""
    labels: tuple[LabelAgreement, ...]
    people: tuple[AnnotatorAgreement, ...]
    pairs: tuple[PairAgreement, ...]
    slices: tuple[SliceAgreement, ...]
    confused: tuple[Confused, ...]
    confusions: tuple[Confusion, ...]
    draws: int
    seed: int

    @property
    def headline(self) -> Measure:
        """Return the measure to read."""
        found = named(self.measures, self.read)
        return found if found is not None else self.measures[0]

    @property
    def sentence(self) -> str:
        """Return the agreement in words: the measure to read, and why that one."""
        if self.headline.value is None:
            return f"Agreement not measured: {self.headline.absent}."
        return f"{self.headline.sentence}. Read {self.headline.title}: {self.why}."


def agree(
    judgements: Iterable[Judgement],
    *,
    scale: Scale = "nominal",
    allowed: Sequence[Any] | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
    progress: Progress | None = None,
) -> Agreement:
    """Return how far people agree, each number with its bootstrap interval over items or the reason for its absence.

    Args:
        judgements: one of a person on an item at most; None as a value is "cannot say", a missing judgement.
        scale: how values are compared: nominal, ordinal, interval or sets.
        allowed: the values that could be given (ordinal: from lowest to highest); Gwet's coefficients count them all.
        draws: resamples of an interval.
        seed: of the resampling.
        progress: called with (what, done, total).

    Raises:
        InputError, UsageError: what `judgements.tabulate` raises.
    """
    table = tabulate(judgements, scale=scale, allowed=allowed)
    steps = 4 + len(names := sorted({one for one in table.slices if one is not None}))

    def step(done: int) -> None:
        if progress:
            progress("measuring agreement", done, steps)

    step(0)
    measures = overall(table, draws=draws, seed=seed)
    read, why = which_to_read(table, measures)
    step(1)
    labels = by_label(table, draws=draws, seed=seed)
    step(2)
    people = by_annotator(table, draws=draws, seed=seed)
    step(3)
    pairs = by_pair(table, draws=draws, seed=seed)
    step(4)
    slices: list[SliceAgreement] = []
    for done, name in enumerate(names):
        slices.append(_slice(name, table, draws, seed))
        step(5 + done)
    paired, disagreed = _paired(table)
    value, share = commonest(table)
    return Agreement(
        scale=scale,
        items=len(table.items),
        annotators=table.annotators,
        judgements=int((table.codes != MISSING).sum()),
        cannot_say=sum(table.cannot_say.values()),
        paired=paired,
        disagreed=disagreed,
        commonest=value,
        commonest_share=share,
        measures=measures,
        read=read,
        why=why,
        labels=labels,
        people=people,
        pairs=pairs,
        slices=tuple(slices),
        confused=confused(table),
        confusions=_tables(table),
        draws=draws,
        seed=seed,
    )


def _slice(name: str, table: Table, draws: int, seed: int) -> SliceAgreement:
    part = table.take(np.array([one == name for one in table.slices]))
    measures = overall(part, draws=draws, seed=seed)
    read, why = which_to_read(part, measures)
    return SliceAgreement(slice=name, items=len(part.items), measures=measures, read=read, why=why)


def _paired(table: Table) -> tuple[int, tuple[str, ...]]:
    judged = table.codes != MISSING
    paired = judged.sum(axis=1) >= 2
    highest = table.codes.max(axis=1, initial=MISSING)
    lowest = np.where(judged, table.codes, len(table.values)).min(axis=1, initial=len(table.values))
    return int(paired.sum()), tuple(table.items[i] for i in np.flatnonzero(paired & (highest != lowest)))


def _tables(table: Table) -> tuple[Confusion, ...]:
    judged = (table.codes != MISSING).astype(np.int64)
    common = np.triu(judged.T @ judged, k=1)
    order = np.argsort(-common, axis=None, kind="stable")[:MOST_TABLES]
    pairs = [divmod(int(place), len(table.annotators)) for place in order if common.flat[place] > 0]
    few = [(a, b) for a, b in pairs if _used(table, a, b) <= MOST_VALUES]
    return tuple(confusion(table, table.annotators[a], table.annotators[b]) for a, b in few)


def _used(table: Table, a: int, b: int) -> int:
    codes = table.codes[:, [a, b]]
    return len(np.unique(codes[(codes != MISSING).all(axis=1)]))
