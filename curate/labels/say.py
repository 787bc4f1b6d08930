"""`label NAME --row ID --label L --by WHO`: one decision from a script, kept like those of the screen."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError
from sluice.core.project import Project
from sluice.core.rows import SHOWN
from sluice.curate.dataset import open_dataset
from sluice.curate.labels.items import items_of
from sluice.curate.labels.log import append_record, keep_question, read_log
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import ADJUDICATION, Judgement, Shown, Value, new_id, now
from sluice.curate.labels.session import Item

SHORTEST = 6
"""Hex digits that a row is named by, at least."""


class Said(BaseModel):
    """A decision that was recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    question: str
    field: str
    value: Value
    by: str
    before: Value
    """What this person said of it before; None where that was nothing."""
    changed: bool
    """False where the very same was said already: nothing is written then."""


def say(
    project: Project,
    ref: str,
    word: str,
    value: object,
    question: Question,
    *,
    by: str,
    comment: str | None = None,
    adjudicate: bool = False,
) -> Said:
    """Record one decision about one row.

    Args:
        project: of the dataset.
        ref: the dataset.
        word: the first 6 or more digits of the row.
        value: an answer to the question; None: cannot tell.
        question: what is answered.
        by: who says so.
        comment: a remark.
        adjudicate: decide what others disagree on; it counts over their words.

    Raises InputError where the row is not there, or the value is no answer, and where there is no dispute to
    decide, or it is the person's own.
    """
    checked = question.check(value)
    version = open_dataset(project, ref)
    item = find_item(items_of(version, question.mode, question.field), word, version.ref)
    log = read_log(project)
    judgement = Judgement(
        id=new_id(),
        time=now(),
        by=by,
        seconds=0,
        mode=question.mode,
        question=question.hash,
        field=question.field,
        dataset=version.dataset,
        row=item.row,
        input=item.input,
        value=checked,
        comment=comment,
        shown=Shown(session=new_id(), place=1, queue=ADJUDICATION) if adjudicate else None,
    )
    words = log.last_words(question=question.hash)
    before = words.get((question.hash, judgement.subject, by))
    if adjudicate:
        check_dispute([j for j in words.values() if j.subject == judgement.subject], item.row, by)
    changed = before is None or (before.value, before.comment, before.adjudicates) != (checked, comment, adjudicate)
    if changed:
        keep_question(project, question, log, by=by)
        append_record(project, judgement)
    return Said(
        row=item.row,
        question=question.hash,
        field=question.field,
        value=checked,
        by=by,
        before=before.value if before else None,
        changed=changed,
    )


def check_dispute(words: Sequence[Judgement], row: str, by: str) -> None:
    """Raise Refused where a person cannot adjudicate: there is no dispute among others, or they are part of it."""
    usual = {j.by: j.meaning for j in words if not j.adjudicates}
    told = ", ".join(f"{who}: {value}" for who, value in usual.items()) or "nobody"
    if by in usual:
        raise InputError(
            f"{by} is one of those who disagree: {told}",
            where=row[:SHOWN],
            remedy="a third person adjudicates; to change your own word leave --adjudicate out",
        )
    if len({value for value in usual.values() if value is not None}) < 2:
        raise InputError(
            f"nobody disagrees on this row ({told})",
            where=row[:SHOWN],
            remedy="leave --adjudicate out; sluice labels NAME --disputed lists what is open",
        )


def find_item(items: list[Item], word: str, where: str) -> Item:
    """Return the one item whose row begins with a word. Raises InputError where none, or more than one, does."""
    found = [item for item in items if len(word) >= SHORTEST and item.row.startswith(word.casefold())]
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        raise InputError(f"{len(found)} rows begin with '{word}'", where=where, remedy="give more of its digits")
    raise InputError(
        f"no row that could be judged so begins with '{word}'",
        where=where,
        remedy=f"give its first {SHOWN} digits, as sluice show {where} --json has them",
    )
