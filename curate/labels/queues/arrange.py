"""What a person is asked about, in which order: a queue by its name, without what others have decided often enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sluice.core.errors import InputError, UsageError
from sluice.core.progress import Progress
from sluice.curate.labels.log import Log
from sluice.curate.labels.question import Question
from sluice.curate.labels.queues.base import QUEUES, Asking, Embed
from sluice.curate.labels.record import ADJUDICATION, OF_INPUT
from sluice.curate.labels.session import Item

ARGUED = frozenset({"spread"})
"""Queues whose name takes something behind a colon."""


def arrange(
    items: Sequence[Item],
    question: Question,
    log: Log,
    *,
    by: str,
    queue: str = "random",
    seed: int = 0,
    overlap: int | None = None,
    dealt: Collection[str] | None = None,
    columns: Mapping[str, Mapping[str, Any]] | None = None,
    doubts: Mapping[str, float] | None = None,
    embed: Embed | None = None,
    progress: Progress | None = None,
) -> list[Item]:
    """Return the items that a person is asked about, in their order; those that they decided already stay among them.

    Args:
        items: what could be asked about.
        question: what is asked.
        log: what was said before.
        by: who is asked.
        queue: the name of an order, such as `random` or `spread:channel`.
        seed: of draws.
        overlap: how many people are asked about each; what so many others have decided comes no more. None: everyone is
            asked about everything.
        dealt: the subjects that were dealt to this person; None: all. A third person adjudicates those of others.
        columns, doubts, embed, progress: see `base.Asking`.

    Raises UsageError for an overlap below 1, InputError for a queue that there is not and where nothing is left to ask.
    """
    if overlap is not None and overlap < 1:
        raise UsageError(f"{overlap} people cannot be asked", where="--overlap", remedy="give a number from 1 on")
    name, _, of = queue.partition(":")
    order = QUEUES.get(name)
    if of and name not in ARGUED:
        raise UsageError(f"the queue '{name}' takes nothing behind a colon", where="--queue", remedy=f"--queue {name}")
    by_subject = {item.input if question.mode in OF_INPUT else item.row: item for item in items}
    words = list(log.last_words(question=question.hash).values())
    others = Counter(j.subject for j in words if j.by != by)
    mine = {j.subject for j in words if j.by == by}
    full = {s for s in by_subject if overlap is not None and s not in mine and others[s] >= overlap}
    unlike = set(by_subject) - set(dealt) if dealt is not None and name != ADJUDICATION else set[str]()
    if name == ADJUDICATION:
        full = set()  # as many as were to decide have decided, and differ: that is when a third person comes
    wanted = [s for s in by_subject if s in mine or (s not in full and s not in unlike)]
    found = order(Asking(question, wanted, by_subject, words, by, seed, of, columns or {}, doubts, embed, progress))
    if not found:
        raise InputError(_nothing(name, overlap), remedy="sluice labels NAME shows how far it has come")
    return [by_subject[subject] for subject in found]


def _nothing(queue: str, overlap: int | None) -> str:
    if queue in ("disagreed", ADJUDICATION):
        return "there is nothing that people disagree on"
    if queue == "suspects":
        return "no label is doubted"
    return f"each row was decided by {overlap} people" if overlap is not None else "no row is left to ask about"
