"""Sets of labels: each label is combined by itself, in or not, and the items' sets are put together again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sluice.core.errors import InputError
from sluice.core.progress import Progress
from sluice.curate.labels.agreement.judgements import MISSING, Judgement, tabulate
from sluice.curate.labels.models.combine import combine
from sluice.curate.labels.models.result import Combined, ItemLabel, Reliability

IN, OUT = "in", "out"


def combine_sets(
    judgements: Iterable[Judgement],
    *,
    model: str = "majority",
    known: Mapping[str, Any] | None = None,
    allowed: Sequence[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Combined:
    """Return one set of labels for each item: those that the model holds to be in.

    Arguments and errors as `combine`; the values are collections of labels. In the result `values` are the labels, a
    label is a sorted tuple, `tied` are the labels that nothing decides, a probability is the product over the labels,
    `shares` says how often each label is in, and a person's accuracy is the mean over the labels.
    """
    given = list(judgements)
    table = tabulate(given, scale="sets", allowed=allowed)
    sets: Any = table.values
    labels = sorted({label for one in sets for label in one})
    if not labels:
        raise InputError("nobody gave any label: there is nothing to combine", remedy="label some rows first")
    said = [
        (item, name, set(sets[table.codes[i, j]]))
        for i, item in enumerate(table.items)
        for j, name in enumerate(table.annotators)
        if table.codes[i, j] != MISSING
    ]
    parts: list[Combined] = []
    for done, label in enumerate(labels):
        if progress:
            progress(f"{model} of each label", done, len(labels))
        of_label = [Judgement(item, name, IN if label in held else OUT) for item, name, held in said]
        truth = {item: IN if label in set(held) else OUT for item, held in (known or {}).items()}
        parts.append(combine(of_label, model=model, known=truth, seed=seed))
    if progress:
        progress(f"{model} of each label", len(labels), len(labels))
    judged = {item for item, _, _ in said}
    return Combined(
        model=model,
        values=tuple(labels),
        items=tuple(_merged(labels, same) for same in zip(*(part.items for part in parts), strict=True)),
        unjudged=tuple(item for item in table.items if item not in judged),
        annotators=_people(parts),
        shares=None if any(part.shares is None for part in parts) else tuple(_share(part) for part in parts),
        cautions=tuple(dict.fromkeys(caution for part in parts for caution in part.cautions)),
        seed=parts[0].seed,
    )


def _merged(labels: Sequence[str], same: Sequence[ItemLabel]) -> ItemLabel:
    """Return the set of one item from what was decided of each label."""
    tied = tuple(label for label, one in zip(labels, same, strict=True) if one.tie)
    held = tuple(label for label, one in zip(labels, same, strict=True) if one.label == IN)
    return ItemLabel(
        item=same[0].item,
        label=None if tied else held,
        probability=round(math.prod(one.probability for one in same), 6),
        tied=tied,
        judgements=same[0].judgements,
    )


def _people(parts: Sequence[Combined]) -> tuple[Reliability, ...]:
    found: list[Reliability] = []
    for name in sorted(one.annotator for one in parts[0].annotators):
        theirs = [one for part in parts for one in part.annotators if one.annotator == name]
        right = [one.accuracy for one in theirs if one.accuracy is not None]
        knows = [one.knows for one in theirs if one.knows is not None]
        found.append(
            Reliability(
                annotator=name,
                judgements=theirs[0].judgements,
                accuracy=sum(right) / len(right) if right else None,
                knows=sum(knows) / len(knows) if knows else None,
                absent=None if right else theirs[0].absent,
            )
        )
    return tuple(sorted(found, key=lambda one: (one.accuracy is None, one.accuracy or 0.0, one.annotator)))


def _share(part: Combined) -> float:
    return next((share for value, share in zip(part.values, part.shares or (), strict=True) if value == IN), 0.0)
