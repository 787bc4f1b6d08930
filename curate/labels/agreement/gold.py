"""How often people are right on gold items, whose answer is known, with Wilson's interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.wilson import wilson_bounds
from sluice.core.wording import counted
from sluice.curate.labels.agreement.judgements import Judgement, Scale, as_value
from sluice.curate.labels.agreement.measure import ALPHA


class Miss(BaseModel):
    """A gold item that was judged wrongly."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str
    annotator: str
    given: Any
    gold: Any


class GoldAccuracy(BaseModel):
    """One person on the gold items, or everybody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    annotator: str | None
    """None: everybody."""
    right: int
    judged: int
    accuracy: float | None
    low: float | None
    high: float | None
    """Ends of Wilson's 95% interval."""
    cannot_say: int
    """Gold items of which they could not say: not judged, neither right nor wrong."""
    absent: str | None = None
    misses: tuple[Miss, ...] = ()

    @property
    def sentence(self) -> str:
        """Return the accuracy in words."""
        who = self.annotator or "all"
        if self.accuracy is None:
            return f"{who}: absent, {self.absent}"
        of = f"{self.right} of {counted(self.judged, 'gold item')} right"
        return f"{who}: {of}, {self.accuracy:.2f} [{self.low:.2f}, {self.high:.2f}]"


def gold_accuracy(
    judgements: Iterable[Judgement], gold: Mapping[str, Any], *, scale: Scale = "nominal"
) -> tuple[GoldAccuracy, ...]:
    """Return the accuracy of everybody together, then of each person by name.

    Args:
        judgements: at most one of a person on an item; those on other items are passed over, but their annotators are
            named (absent).
        gold: the right value by item.
        scale: `sets` compares sets; the others take a value as right only where it is equal.
    """
    right = {item: as_value(value, scale, f"gold item {item}") for item, value in gold.items()}
    people: dict[str, tuple[list[bool], list[Miss], list[str]]] = {}
    for judgement in judgements:
        marks, misses, unsure = people.setdefault(judgement.annotator, ([], [], []))
        if judgement.item not in right:
            continue
        if judgement.value is None:
            unsure.append(judgement.item)
            continue
        given = as_value(judgement.value, scale, f"item {judgement.item}, annotator {judgement.annotator}")
        marks.append(given == right[judgement.item])
        if not marks[-1]:
            theirs = {"given": judgement.value, "gold": gold[judgement.item]}
            misses.append(Miss(item=judgement.item, annotator=judgement.annotator, **theirs))
    each = [_accuracy(name, *people[name]) for name in sorted(people)]
    pooled = [[part for name in sorted(people) for part in people[name][i]] for i in range(3)]
    return (_accuracy(None, *pooled), *each)


def _accuracy(annotator: str | None, marks: list[Any], misses: list[Any], unsure: list[Any]) -> GoldAccuracy:
    right, judged = sum(marks), len(marks)
    low, high = wilson_bounds(right, judged, ALPHA) if judged else (None, None)
    return GoldAccuracy(
        annotator=annotator,
        right=right,
        judged=judged,
        accuracy=right / judged if judged else None,
        low=low,
        high=high,
        cannot_say=len(unsure),
        absent=None if judged else "judged no gold item",
        misses=tuple(sorted(misses, key=lambda miss: (miss.item, miss.annotator))),
    )
