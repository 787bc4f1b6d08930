"""How far two judges agree on the same rows: raw agreement with its interval, Cohen's kappa, Gwet's AC1.

Raw agreement decides (the gate asks for a share); kappa and AC1 are shown beside it, since raw agreement flatters
where one label is common, and kappa punishes there. What this module does not know: who is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError
from sluice.evalsuite.stats.rates import Rate, wilson


class Agreement(BaseModel):
    """Agreement of two judges over the same rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agreed: int
    """Rows on which both said the same."""
    rate: Rate
    """Raw agreement with n and Wilson's interval."""
    kappa: float | None
    """Cohen's kappa; None where both always said one and the same label (chance agreement is 1)."""
    ac1: float | None
    """Gwet's AC1; None where only one label occurs."""


def agreement(first: Sequence[Hashable], second: Sequence[Hashable], alpha: float = 0.05) -> Agreement:
    """Return how far two judges agree.

    Args:
        first: shape (n,), labels of one judge.
        second: shape (n,), labels of the other on the same rows.
        alpha: one minus the level of Wilson's interval.

    Raises:
        InputError: no rows, lists of different length, or a missing label.

    Sources: Cohen 1960; Gwet 2008.
    """
    n = len(first)
    if n != len(second):
        raise InputError(f"one judge has {n} labels, the other {len(second)}", remedy="give labels of the same rows")
    if n == 0:
        raise InputError("no rows were judged by both", remedy="judge at least one row")
    for name, labels in (("first", first), ("second", second)):
        for index, label in enumerate(labels):
            if label is None:
                raise InputError(
                    f"the {name} judge gave no label",
                    where=f"row {index + 1}",
                    remedy="leave the row out of both lists",
                )
    agreed = sum(one == other for one, other in zip(first, second, strict=True))
    observed = agreed / n
    counts_first, counts_second = Counter(first), Counter(second)
    labels = counts_first.keys() | counts_second.keys()
    by_chance = sum(counts_first[label] * counts_second[label] for label in labels) / n**2
    shares = [(counts_first[label] + counts_second[label]) / (2 * n) for label in labels]
    kappa = None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)
    ac1 = None
    if len(labels) > 1:
        chance = sum(share * (1 - share) for share in shares) / (len(labels) - 1)
        ac1 = (observed - chance) / (1 - chance)
    return Agreement(agreed=agreed, rate=wilson(agreed, n, alpha), kappa=kappa, ac1=ac1)
