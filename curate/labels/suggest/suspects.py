"""`suspects`: another label where the given one is likely wrong, by the labels of the other rows.

Confident learning as the check `label-errors` of `audit` does it, see `sluice.curate.labels.confident`.
"""

from __future__ import annotations

from sluice.core.errors import InputError, UsageError
from sluice.curate.labels.confident import FEWEST, suspects
from sluice.curate.labels.items import answer_of, field_value
from sluice.curate.labels.suggest.source import SOURCES, Proposal, Proposals, Wanted


@SOURCES.register("suspects")
def of_suspects(wanted: Wanted) -> Proposals:
    """Return the likelier label of each subject whose own is doubted.

    Raises UsageError for a mode that judges no label, InputError where too few rows have one, SurroundingsError
    without cleanlab.
    """
    question = wanted.question
    if question.mode not in ("review", "classify"):
        raise UsageError(f"{question.mode} judges no label", where="--queue suspects", remedy="--mode review")
    given = {s: field_value(answer_of(wanted.rows[item.row]), question.field) for s, item in wanted.items.items()}
    texts = dict(zip(wanted.items, wanted.texts(), strict=True))
    labelled = {s: label for s, label in given.items() if label is not None}
    subjects, labels = list(labelled), list(labelled.values())
    found = suspects([texts[s] for s in subjects], labels, embed=wanted.embed, progress=wanted.progress)
    if found is None:
        raise InputError(
            f"fewer than two labels at '{question.field}' have {FEWEST} rows",
            where="--queue suspects",
            remedy="--field names the label, such as target.category",
        )
    named = {subjects[one.place]: one for one in found.found}
    allowed = {s: one for s, one in named.items() if not question.labels or one.suggested in question.labels}
    cautions = (
        f"a classifier gives {found.accuracy:.0%} of the labels of {found.judged:,} rows; where it is right seldom its "
        "doubts mean little",
    )
    return Proposals(
        {s: Proposal(one.suggested, "suspects") for s, one in allowed.items()},
        {s: 1.0 - one.quality for s, one in allowed.items()},
        cautions,
    )
