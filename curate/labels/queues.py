"""In which order rows come: a queue is a name and a function from items to their order.

The order depends on rows, seed and log, never on the machine, so that whoever stops goes on where they were.
`order` is as the dataset has them, `random` a draw, `disagreed` what people answer differently, and `adjudicate` the
same for a third person, whose word then counts over theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from sluice.core.canonical import sha256_hex
from sluice.core.errors import InputError, UsageError
from sluice.core.registry import Registry
from sluice.curate.labels.log import Log
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import ADJUDICATION, OF_INPUT, Judgement
from sluice.curate.labels.session import Item
from sluice.curate.labels.settle import settle

Words = Sequence[Judgement]
Order = Callable[[Sequence[str], Words, str, int], list[str]]
"""(subjects, last words on the question, who asks, seed) to subjects in their order; some may be left out."""

QUEUES: Registry[Order] = Registry("queue")


def arrange(
    items: Sequence[Item],
    question: Question,
    log: Log,
    *,
    by: str,
    queue: str = "random",
    seed: int = 0,
    overlap: int | None = None,
) -> list[Item]:
    """Return the items that a person is asked about, in their order; those that they decided already stay among them.

    Args:
        items: what could be asked about.
        question: what is asked.
        log: what was said before.
        by: who is asked.
        queue: the name of an order.
        seed: of draws.
        overlap: how many people are asked about each; what so many others have decided comes no more. None: everyone is
            asked about everything.

    Raises UsageError for an overlap below 1, InputError for a queue that there is not and where nothing is left to ask.
    """
    if overlap is not None and overlap < 1:
        raise UsageError(f"{overlap} people cannot be asked", where="--overlap", remedy="give a number from 1 on")
    by_subject = {item.input if question.mode in OF_INPUT else item.row: item for item in items}
    words = list(log.last_words(question=question.hash).values())
    others = Counter(j.subject for j in words if j.by != by)
    mine = {j.subject for j in words if j.by == by}
    wanted = [s for s in by_subject if overlap is None or s in mine or others[s] < overlap]
    found = QUEUES.get(queue)(wanted, words, by, seed)
    if not found:
        raise InputError(_nothing(queue, overlap), remedy="sluice labels NAME shows how far it has come")
    return [by_subject[subject] for subject in found]


def _nothing(queue: str, overlap: int | None) -> str:
    if queue in ("disagreed", ADJUDICATION):
        return "there is nothing that people disagree on"
    return f"each row was decided by {overlap} people"


@QUEUES.register("random")
def _random(subjects: Sequence[str], _words: Words, _by: str, seed: int) -> list[str]:
    return sorted(subjects, key=lambda s: sha256_hex("sluice/queue/1", f"{seed} {s}"))


@QUEUES.register("order")
def _order(subjects: Sequence[str], _words: Words, _by: str, _seed: int) -> list[str]:
    return list(subjects)


@QUEUES.register("disagreed")
def _disagreed(subjects: Sequence[str], words: Words, _by: str, seed: int) -> list[str]:
    """Only what is open, the most words first."""
    here = set(subjects)
    unsettled = [s for s in settle(words).values() if s.how == "open" and s.subject in here]
    drawn = {s: n for n, s in enumerate(_random(subjects, words, "", seed))}
    return [s.subject for s in sorted(unsettled, key=lambda s: (-len(s.said), drawn[s.subject]))]


@QUEUES.register(ADJUDICATION)
def _adjudicate(subjects: Sequence[str], words: Words, by: str, seed: int) -> list[str]:
    """What others disagree on: nobody settles a dispute of their own."""
    own = {j.subject for j in words if j.by == by and (j.shown is None or j.shown.queue != ADJUDICATION)}
    theirs = [j for j in words if j.shown is None or j.shown.queue != ADJUDICATION]
    return [s for s in _disagreed(subjects, theirs, by, seed) if s not in own]
