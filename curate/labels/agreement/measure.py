"""A measure with its interval, or the reason why there is none. No number is ever shown without one of the two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from sluice.core.wilson import wilson_bounds
from sluice.core.wording import counted

Name = Literal["raw", "cohen", "fleiss", "alpha", "ac1", "ac2", "specific"]
TITLES: dict[Name, str] = {
    "raw": "raw agreement",
    "cohen": "Cohen's kappa",
    "fleiss": "Fleiss' kappa",
    "alpha": "Krippendorff's alpha",
    "ac1": "Gwet's AC1",
    "ac2": "Gwet's AC2",
    "specific": "specific agreement",
}
ALPHA = 0.05
"""One minus the level of every interval here."""
FEWEST_DRAWS = 0.9
"""Of the resamples in which a measure has to be defined: of fewer an interval would be of the lucky ones only."""
ONE_VALUE = "every judgement is the same value: nothing shows that people can tell values apart"


class Measure(BaseModel):
    """One coefficient of agreement: 1 is full agreement, 0 what chance gives (raw and specific: shares)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    value: float | None = None
    low: float | None = None
    high: float | None = None
    """The ends of the 95% interval over items; absent where the items cannot give one."""
    items: int
    """Items with two judgements or more, which it stands on."""
    interval: Literal["bootstrap", "wilson"] | None = None
    """`wilson` where all pairs agree: resampling what never varies would give an interval without width."""
    absent: str | None = None
    """Why there is no value, or no interval."""

    @model_validator(mode="after")
    def _whole(self) -> Measure:
        if (self.value is None or self.low is None) and not self.absent:
            raise ValueError("a measure without a value or interval needs its reason")
        return self

    @property
    def title(self) -> str:
        """Return what the field calls it."""
        return TITLES[self.name]

    @property
    def sentence(self) -> str:
        """Return the measure in words."""
        if self.value is None:
            return f"{self.title}: absent, {self.absent}"
        between = f"[{self.low:.2f}, {self.high:.2f}]" if self.low is not None else f"(no interval: {self.absent})"
        return f"{self.title} {self.value:.2f} {between}, {counted(self.items, 'item')}"


def absent(name: Name, items: int, reason: str) -> Measure:
    """Return a measure that has no value."""
    return Measure(name=name, items=items, absent=reason)


def measured(
    name: Name, found: tuple[np.ndarray, np.ndarray], items: int, *, raw: float | None = None, chance: float = 0.0
) -> Measure:
    """Return a measure from its value and its bootstrap samples: the percentile interval.

    Args:
        name: of the coefficient.
        found: its value, and samples of shape (draws,); nan where it is not defined.
        items: that could be resampled.
        raw: the share of agreeing pairs: where it is 1, the interval is Wilson's lower bound of `items` of `items`,
            carried over by (agreement - chance) / (1 - chance).
        chance: expected agreement, for that.
    """
    value, samples = float(found[0]), np.asarray(found[1], dtype=float)
    if np.isnan(value):
        return absent(name, items, ONE_VALUE)
    if raw is not None and raw >= 1.0 - 1e-12:
        low = 1.0 - (1.0 - wilson_bounds(items, items, ALPHA)[0]) / max(1.0 - chance, 1e-12)
        return Measure(name=name, value=value, low=_tidy(max(low, -1.0)), high=1.0, items=items, interval="wilson")
    defined = samples[~np.isnan(samples)]
    if len(defined) < FEWEST_DRAWS * len(samples) or len(defined) == 0:
        return Measure(
            name=name,
            value=_tidy(value),
            items=items,
            absent=f"in {1 - len(defined) / max(len(samples), 1):.0%} of the resamples it is not defined, "
            "too few judgements differ",
        )
    low, high = np.quantile(defined, [ALPHA / 2, 1 - ALPHA / 2])
    return Measure(name=name, value=_tidy(value), low=_tidy(low), high=_tidy(high), items=items, interval="bootstrap")


def named(measures: Sequence[Measure], name: Name) -> Measure | None:
    """Return the measure of a name among several, None where it was not asked for."""
    return next((one for one in measures if one.name == name), None)


def _tidy(number: float) -> float:
    """Return a number without what floating point adds beyond the twelfth digit."""
    return float(round(float(number), 12)) + 0.0
