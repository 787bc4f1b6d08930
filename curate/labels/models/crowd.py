"""Dawid-Skene and MACE by crowd-kit: codes in, probabilities of the true value and parameters of each annotator out.

Two habits of crowd-kit 1.4 are met here. Its MACE orders people and values by first appearance in one place and sorted
in another: we give codes for which the two orders are one. And its restarts all begin at the same seed: we start it
from several seeds, and keep the most likely end. Both models draw nothing else: equal seeds give equal results.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from sluice.core.errors import SurroundingsError
from sluice.core.progress import Progress
from sluice.curate.labels.agreement.judgements import MISSING

EXTRA = "labels"
STEPS = 200
TOLERANCE = 1e-6
"""Of the gain in likelihood a judgement, at which Dawid-Skene has settled; crowd-kit's 1e-5 stops some steps early."""
STARTS = 4
"""Seeds that MACE is begun from: Hovy et al. 2013 took 100, and gained little after the first few."""
MACE_STEPS = 50


@dataclass(frozen=True, eq=False)
class Fit:
    """What a model has learnt."""

    chances: np.ndarray
    """(items, values): probability of each value being the true one."""
    errors: np.ndarray
    """(annotators, true value, given value)."""
    shares: np.ndarray
    """Of the true values."""
    knows: np.ndarray | None = None
    """(annotators,), MACE only."""


Learner = Callable[[np.ndarray, int, np.ndarray, int, Progress | None], Fit]
"""Codes, values, known, seed and progress to what was learnt."""


def available() -> bool:
    """Return whether crowd-kit is installed."""
    return find_spec("crowdkit") is not None


def fit(
    learn: Learner, codes: np.ndarray, values: int, known: np.ndarray, *, seed: int, progress: Progress | None = None
) -> Fit:
    """Return what `dawid_skene` or `mace` learn from judgements.

    Args:
        learn: one of the two.
        codes: (items, annotators), MISSING where there is no judgement; every item and annotator has one at least.
        values: how many there are; every one was given by somebody.
        known: (items,), the true value where it is known, else MISSING.
        seed: of what the model draws.
        progress: called with (what, done, total).

    Raises:
        SurroundingsError: crowd-kit is not installed.
    """
    if not available():
        raise SurroundingsError("crowd-kit is not installed", remedy=f'pip install "sluiceway[{EXTRA}]"')
    people = np.argsort((codes != MISSING).argmax(axis=0), kind="stable")
    codes = codes[:, people]
    given = codes[codes != MISSING]
    order = given[np.sort(np.unique(given, return_index=True)[1])]
    place = np.append(np.argsort(order), MISSING)  # MISSING is the last place from behind
    found = learn(place[codes], values, place[known], seed, progress)
    back, ours = np.argsort(order), np.argsort(people)
    return Fit(
        found.chances[:, back],
        found.errors[ours][:, back][:, :, back],
        found.shares[back],
        None if found.knows is None else found.knows[ours],
    )


def dawid_skene(codes: np.ndarray, values: int, known: np.ndarray, seed: int, progress: Progress | None) -> Fit:
    """Learn the model of Dawid and Skene 1979: every annotator has an error matrix. It starts from the majority."""
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    if progress:
        progress("Dawid-Skene", 0, 1)
    rows = np.flatnonzero(known != MISSING)
    truth = pd.Series(known[rows], index=rows) if len(rows) else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        model: Any = DawidSkene(n_iter=STEPS, tol=TOLERANCE).fit(_frame(codes), truth)
    everything = range(values)
    chances = model.probas_.reindex(index=range(len(codes)), columns=everything).to_numpy()
    each = model.errors_.reindex(columns=everything)
    errors = np.zeros((codes.shape[1], values, values))
    people, given = (each.index.get_level_values(i).to_numpy() for i in (0, 1))
    errors[people, :, given] = each.to_numpy()
    if progress:
        progress("Dawid-Skene", 1, 1)
    return Fit(chances, errors, chances.mean(axis=0))


def mace(codes: np.ndarray, values: int, known: np.ndarray, seed: int, progress: Progress | None) -> Fit:
    """Learn the model of Hovy et al. 2013: an annotator knows the true value, or guesses by a habit of their own.

    What is known fixes the value of its items, but does not teach: crowd-kit's MACE takes no known values.
    """
    from crowdkit.aggregation import MACE

    ends: list[tuple[float, Fit]] = []
    for start in range(STARTS):
        if progress:
            progress("MACE", start, STARTS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            model: Any = MACE(n_restarts=1, n_iter=MACE_STEPS, random_state=seed + start).fit(_frame(codes))
        guesses, knows = model.spamming_[:, 0], model.spamming_[:, 1]
        errors = guesses[:, None, None] * model.thetas_[:, None, :] + knows[:, None, None] * np.eye(values)
        chances, likelihood = _posterior(codes, errors)
        ends.append((likelihood, Fit(chances, errors, chances.mean(axis=0), knows)))
    best = max(ends, key=lambda end: end[0])[1]
    if progress:
        progress("MACE", STARTS, STARTS)
    rows = np.flatnonzero(known != MISSING)
    best.chances[rows] = np.eye(values)[known[rows]]
    return best


def _posterior(codes: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the probability of each value for each item under equal priors, and the log likelihood of all."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(errors, 1e-300))
    total = np.zeros((len(codes), errors.shape[1]))
    for person in range(codes.shape[1]):
        rows = np.flatnonzero(codes[:, person] != MISSING)
        total[rows] += logs[person][:, codes[rows, person]].T
    highest = total.max(axis=1, keepdims=True)
    weights = np.exp(total - highest)
    return weights / weights.sum(axis=1, keepdims=True), float(
        (highest[:, 0] + np.log(weights.sum(axis=1) / errors.shape[1])).sum()
    )


def _frame(codes: np.ndarray) -> Any:
    """Return crowd-kit's frame: task, worker and label, each numbered by its first appearance."""
    import pandas as pd

    tasks, workers = np.nonzero(codes != MISSING)
    return pd.DataFrame({"task": tasks, "worker": workers, "label": codes[tasks, workers]})
