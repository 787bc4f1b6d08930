"""One label an item out of many judgements: `combine`, by the majority, Dawid-Skene or MACE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sluice.core.errors import InputError, UsageError
from sluice.core.progress import Progress
from sluice.core.wording import counted
from sluice.curate.labels.agreement.judgements import MISSING, Judgement, Table, as_value, tabulate
from sluice.curate.labels.models import crowd, majority
from sluice.curate.labels.models.result import Combined, ItemLabel, Reliability

LEARNERS: Mapping[str, crowd.Learner] = {"dawid-skene": crowd.dawid_skene, "mace": crowd.mace}
MODELS = ("majority", *LEARNERS)
TIE = 1e-6
"""Difference of two probabilities that decides nothing."""
FEWEST_PEOPLE = 3
"""Whom a model can learn from: of two who differ nothing says who is right (Dawid and Skene 1979 need three views)."""
FEW = 20
"""Judgements of an annotator below which the 95% interval of an accuracy of 0.8 is wider than 0.35."""


def combine(
    judgements: Iterable[Judgement],
    *,
    model: str = "majority",
    known: Mapping[str, Any] | None = None,
    allowed: Sequence[Any] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Combined:
    """Return one label for each item, and how reliable each annotator is.

    Args:
        judgements: of people and rules, one of each on an item at most; None as a value is "cannot say". Sets of labels
            are for `combine_sets`.
        model: one of MODELS.
        known: the true value of gold items, from which Dawid-Skene learns; every model returns it for its item.
        allowed: the values that could be given.
        seed: of MACE's starts; the other models draw nothing.
        progress: called with (what, done, total).

    Raises:
        UsageError: an unknown model.
        InputError: no judgement, what `agreement.tabulate` raises, fewer than three annotators for a model that learns.
        SurroundingsError: crowd-kit is not installed.
    """
    if model not in MODELS:
        raise UsageError(f'"{model}" is no label model', remedy=f"one of {', '.join(MODELS)}")
    table = tabulate(judgements, scale="nominal", allowed=allowed)
    judged = (table.codes != MISSING).any(axis=1)
    if not judged.any():
        raise InputError("nobody judged anything: there is nothing to combine", remedy="label some rows first")
    unjudged = tuple(item for item, one in zip(table.items, judged, strict=True) if not one)
    table = _used(table.take(judged))
    truth, strange = _known(table, known or {})
    cautions = _cautions(table, strange)
    learner = LEARNERS.get(model)
    if learner is not None and len(table.values) < 2:
        cautions.append("every judgement is the same value: there is nothing to learn of anyone")
        learner = None
    if learner is None:
        chances = majority.vote_shares(table)
        rows = np.flatnonzero(truth != MISSING)
        chances[rows] = np.eye(len(table.values))[truth[rows]]
        annotators, shares = _by_majority(table), None
    else:
        if len(table.annotators) < FEWEST_PEOPLE and not (truth != MISSING).any():
            raise InputError(
                f"{model} learns who is reliable from {FEWEST_PEOPLE} annotators or more, here are "
                f"{len(table.annotators)}",
                remedy="use majority, add a third person or a rule, or give gold items",
            )
        fitted = crowd.fit(learner, table.codes, len(table.values), truth, seed=seed, progress=progress)
        chances, shares = fitted.chances, tuple(round(float(one), 6) for one in fitted.shares)
        annotators = _by_model(table, fitted)
    return Combined(
        model=model,
        values=table.values,
        items=_labels(table, chances),
        unjudged=unjudged,
        annotators=annotators,
        shares=shares,
        cautions=tuple(cautions),
        seed=seed if model == "mace" else None,
    )


def _used(table: Table) -> Table:
    """Return the table with the values and annotators that occur: a model can say nothing of others."""
    people = np.flatnonzero((table.codes != MISSING).any(axis=0))
    used = np.unique(table.codes[table.codes != MISSING])
    place = np.full(len(table.values) + 1, MISSING)
    place[used] = np.arange(len(used))
    return replace(
        table,
        annotators=tuple(table.annotators[i] for i in people),
        values=tuple(table.values[i] for i in used),
        codes=place[table.codes[:, people]],
    )


def _known(table: Table, known: Mapping[str, Any]) -> tuple[np.ndarray, int]:
    """Return the code of the true value of each item, MISSING where unknown, and how many values nobody ever gave."""
    truth, strange = np.full(len(table.items), MISSING), 0
    code = {value: i for i, value in enumerate(table.values)}
    place = {item: i for i, item in enumerate(table.items)}
    for item, value in known.items():
        if item in place:
            right = code.get(as_value(value, "nominal", f"gold item {item}"))
            strange += right is None
            truth[place[item]] = MISSING if right is None else right
    return truth, strange


def _cautions(table: Table, strange: int) -> list[str]:
    cautions: list[str] = []
    each = (table.codes != MISSING).sum(axis=1)
    single = int((each == 1).sum())
    if single:
        cautions.append(f"{counted(single, 'item has', 'items have')} one judgement: nothing checks it")
    few = [name for name, n in zip(table.annotators, (table.codes != MISSING).sum(axis=0), strict=True) if n < FEW]
    if few:
        cautions.append(f"under {FEW} judgements say little of an annotator: {', '.join(few[:5])}")
    if strange:
        cautions.append(f"{counted(strange, 'gold value')} nobody ever gave: left out")
    return cautions


def _labels(table: Table, chances: np.ndarray) -> tuple[ItemLabel, ...]:
    most = chances.max(axis=1)
    level = chances >= most[:, None] - TIE
    each = (table.codes != MISSING).sum(axis=1)
    found: list[ItemLabel] = []
    for i, item in enumerate(table.items):  # one record an item is the result
        leading = np.flatnonzero(level[i])
        tied = len(leading) > 1
        found.append(
            ItemLabel(
                item=item,
                label=None if tied else table.values[leading[0]],
                probability=round(float(most[i]), 6),
                tied=tuple(table.values[j] for j in leading) if tied else (),
                judgements=int(each[i]),
            )
        )
    return tuple(found)


def _by_majority(table: Table) -> tuple[Reliability, ...]:
    found: list[Reliability] = []
    for place, name in enumerate(table.annotators):
        right = majority.accuracy(table, place)
        why = None if right is not None else "no item on which the others have a majority"
        judgements = int((table.codes[:, place] != MISSING).sum())
        found.append(Reliability(annotator=name, judgements=judgements, accuracy=right, absent=why))
    return _ranked(found)


def _by_model(table: Table, fitted: crowd.Fit) -> tuple[Reliability, ...]:
    found: list[Reliability] = []
    for place, name in enumerate(table.annotators):
        errors = fitted.errors[place]
        rows = tuple(tuple(round(float(one), 6) for one in row) for row in errors)
        found.append(
            Reliability(
                annotator=name,
                judgements=int((table.codes[:, place] != MISSING).sum()),
                accuracy=float(fitted.shares @ errors.diagonal()),
                knows=None if fitted.knows is None else float(fitted.knows[place]),
                errors=rows,
            )
        )
    return _ranked(found)


def _ranked(found: list[Reliability]) -> tuple[Reliability, ...]:
    return tuple(sorted(found, key=lambda one: (one.accuracy is None, one.accuracy or 0.0, one.annotator)))
