"""`label NAME --row ID --label L --by WHO`: one decision from a script, kept like those of the screen."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError
from sluice.core.project import Project
from sluice.core.rows import SHOWN
from sluice.curate.dataset import open_dataset
from sluice.curate.labels.items import items_of
from sluice.curate.labels.log import append_record, keep_question, read_log
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import Judgement, Value, new_id, now
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
    project: Project, ref: str, word: str, value: object, question: Question, *, by: str, comment: str | None = None
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

    Raises InputError where the row is not there, or the value is no answer.
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
    )
    before = log.last_words(question=question.hash).get((question.hash, judgement.subject, by))
    changed = before is None or (before.value, before.comment) != (checked, comment)
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
