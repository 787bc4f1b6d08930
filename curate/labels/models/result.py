"""What a label model says: a label an item, and how reliable each annotator is."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.wording import counted


class ItemLabel(BaseModel):
    """The label of one item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str
    label: Any
    """None where it is a tie: nothing decides."""
    probability: float
    """Of the label by the model; by majority the share of the votes."""
    tied: tuple[Any, ...] = ()
    """The values that are equally likely; empty where one leads."""
    judgements: int

    @property
    def tie(self) -> bool:
        """Return whether several values are equally likely."""
        return bool(self.tied)


class Reliability(BaseModel):
    """How far one annotator, a person or a rule, is to be believed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    annotator: str
    judgements: int
    accuracy: float | None
    """Probability that a judgement is right: by the model, for majority the share that equals the others' majority."""
    knows: float | None = None
    """MACE: the share of judgements that are not guesses."""
    errors: tuple[tuple[float, ...], ...] | None = None
    """Rows: the true value, in the order of `Combined.values`; columns: what this annotator says then."""
    absent: str | None = None
    """Why there is no accuracy."""

    @property
    def sentence(self) -> str:
        """Return the reliability in words."""
        if self.accuracy is None:
            return f"{self.annotator}: absent, {self.absent}"
        return f"{self.annotator}: right {self.accuracy:.0%} of the time, from {counted(self.judgements, 'judgement')}"


class Combined(BaseModel):
    """All items and all annotators under one model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    values: tuple[Any, ...]
    items: tuple[ItemLabel, ...]
    """Those that anyone judged, by name."""
    unjudged: tuple[str, ...]
    """Those of which everybody said "cannot say"."""
    annotators: tuple[Reliability, ...]
    """The least reliable first."""
    shares: tuple[float, ...] | None
    """Of each value among the true labels, as the model estimates it."""
    cautions: tuple[str, ...]
    seed: int | None
    """None: the model draws nothing."""

    @property
    def ties(self) -> tuple[str, ...]:
        """Return the items without a decision."""
        return tuple(one.item for one in self.items if one.tie)

    @property
    def sentence(self) -> str:
        """Return the result in words."""
        tied = f", {counted(len(self.ties), 'tie')} left to a person" if self.ties else ""
        return f"{self.model}: {counted(len(self.items) - len(self.ties), 'item')} labelled{tied}"
