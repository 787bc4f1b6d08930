"""A sitting: one person, one question, rows in an order. Pure: the terminal app, the browser and scripts all drive it.

It knows where the person is, what was decided, skipped and undone, how fast it goes; it makes records and hands each to
`write` before anything else changes, so that whoever is cut off loses at most the decision under way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from sluice.core.errors import UsageError
from sluice.curate.labels.log import Log
from sluice.curate.labels.others import Others
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import OF_INPUT, Judgement, Record, Shown, Skip, Undo, Value, new_id, now

LONGEST = 300.0
"""Seconds a decision may count in the pace: a person who went for coffee did not take an hour to decide."""
RECENT = 30
"""Decisions that the pace is taken from."""


@dataclass(frozen=True)
class Answer:
    """A text that is judged, and where it came from. The person sees the text alone."""

    text: str
    source: str


@dataclass(frozen=True)
class Item:
    """One row to be asked about.

    Args:
        dataset: the part or dataset it was shown from.
        row, input: its hashes.
        texts: what is shown of the input, as (name, text).
        answers: what is judged: one for most modes, two to compare (in the order they are shown), none to write.
        suggestion: what is proposed, and by whom. It counts for nothing until a person says so.
        beside: what else is shown, as (name, text): a column, a slice.
        hidden: the suggestion is not to be seen before the decision.
        gold: the answer is known: the row measures the person, who is not to recognise it.
        known: that answer.
    """

    dataset: str
    row: str
    input: str
    texts: tuple[tuple[str, str], ...]
    answers: tuple[Answer, ...] = ()
    suggestion: tuple[str, str] | None = None
    beside: tuple[tuple[str, str], ...] = ()
    hidden: bool = False
    gold: bool = False
    known: Value = None


@dataclass(frozen=True)
class Progress:
    """How far a sitting has come."""

    decided: int
    skipped: int
    of: int
    pace: float | None
    """Seconds a decision: the median of the last ones. None before the first."""

    @property
    def left(self) -> int:
        """Rows still to be decided, skipped ones included."""
        return self.of - self.decided

    @property
    def seconds_left(self) -> float | None:
        """At that pace. None before the first decision."""
        return None if self.pace is None else self.pace * self.left


class Session:
    """One person answering one question.

    Args:
        question: what is asked.
        items: the rows, in the order they come; what is judged (a row, or an input) is in it once.
        by: the person.
        write: called with each record; what it raises reaches the caller, and nothing has changed then.
        log: what was decided before; of this person it is gone on from, rows that are decided come no more.
        queue: how the order was drawn, for the record.
        overlap: how many people are asked about each; what so many others have decided meanwhile comes no more.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        question: Question,
        items: Sequence[Item],
        *,
        by: str,
        write: Callable[[Record], None],
        log: Log,
        queue: str,
        overlap: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.question, self.items, self.by, self.queue = question, tuple(items), by, queue
        self._write, self._clock = write, clock
        self._name = new_id()
        self._subjects = [item.input if question.mode in OF_INPUT else item.row for item in self.items]
        self._places = {subject: place for place, subject in enumerate(self._subjects)}
        self._decided: dict[str, list[Judgement]] = {}
        self._order: list[Judgement] = []
        self._skipped: dict[str, None] = {}
        self._seconds: list[float] = []
        self._others = Others(overlap)
        self._seen: set[str] = set()
        self._undone: set[tuple[str, str]] = set()
        self._take_in(log.records)
        left = log.skipped(question.hash, by)
        self._skipped = dict.fromkeys(subject for subject in self._subjects if subject in left)
        self._shown_yet = 0
        self.at: int | None = None
        self._since = clock()
        self.forward()

    @property
    def current(self) -> Item | None:
        """The row that is asked about; None where all are decided."""
        return None if self.at is None else self.items[self.at]

    @property
    def progress(self) -> Progress:
        """How far it has come, and how fast it goes. What enough others have decided is not counted."""
        recent = [min(s, LONGEST) for s in self._seconds[-RECENT:]]
        others = self._others.enough - self._decided.keys()
        return Progress(
            decided=len(self._decided),
            skipped=len(self._skipped.keys() - others),
            of=len(self.items) - len(others),
            pace=median(recent) if recent else None,
        )

    @property
    def enough(self) -> bool:
        """Whether enough others have decided the current row while this person was looking at it."""
        subject = None if self.at is None else self._subjects[self.at]
        return subject in self._others.enough and subject not in self._decided

    def take_in(self, records: Iterable[Record]) -> bool:
        """Take in what was written elsewhere: by others, and by this person in another window. Return what changed.

        The row that is being looked at stays; what was taken in before changes nothing.
        """
        changed = self._take_in(records)
        if changed and self.at is None:
            self.forward()
        return changed

    def _take_in(self, records: Iterable[Record]) -> bool:
        changed = False
        for record in records:
            if isinstance(record, Undo) and (record.by, record.of) not in self._undone:
                self._undone.add((record.by, record.of))
                changed |= self._others.take_back(record) or self._take_back(record.of)
            elif isinstance(record, Judgement) and self._is_news(record):
                self._seen.add(record.id)
                changed = True
                if record.by == self.by:
                    self._keep(record)
                else:
                    self._others.add(record)
        return changed

    def _is_news(self, record: Judgement) -> bool:
        asked = record.question == self.question.hash and record.subject in self._places
        return asked and record.id not in self._seen and (record.by, record.id) not in self._undone

    def _keep(self, judgement: Judgement) -> None:
        self._decided.setdefault(judgement.subject, []).append(judgement)
        self._order.append(judgement)
        self._skipped.pop(judgement.subject, None)
        if judgement.seconds > 0:  # a script takes no time
            self._seconds.append(judgement.seconds)

    def _take_back(self, identity: str) -> bool:
        found = next((j for j in self._order if j.id == identity), None)
        if found is not None:
            self._order.remove(found)
            said = self._decided[found.subject]
            said.remove(found)
            if not said:
                del self._decided[found.subject]
        return found is not None

    def decision(self, at: int) -> Judgement | None:
        """Return what this person last said of the row at a place."""
        said = self._decided.get(self._subjects[at])
        return said[-1] if said else None

    def decide(self, value: object, *, comment: str | None = None, reason: str | None = None) -> Judgement:
        """Record a decision about the current row and go on to the next one that is open.

        Raises UsageError where no row is open, InputError where the value is no answer to the question.
        """
        item, _ = self._open()
        checked = self.question.check(value)
        judgement = Judgement(
            id=new_id(),
            time=now(),
            by=self.by,
            seconds=round(self._clock() - self._since, 2),
            mode=self.question.mode,
            question=self.question.hash,
            field=self.question.field,
            dataset=item.dataset,
            row=item.row,
            input=item.input,
            value=checked,
            comment=comment,
            reason=reason,
            shown=self._shown(item),
        )
        self._write(judgement)
        self._seen.add(judgement.id)
        self._shown_yet += 1
        self._keep(judgement)
        self.forward()
        return judgement

    def skip(self, comment: str | None = None) -> None:
        """Leave the current row for the end. A row that was decided stays decided."""
        item, subject = self._open()
        asked = self.question.hash
        self._write(
            Skip(id=new_id(), time=now(), by=self.by, question=asked, row=item.row, subject=subject, comment=comment)
        )
        if subject not in self._decided:
            self._skipped.pop(subject, None)
            self._skipped[subject] = None
        self.forward()

    def undo(self) -> Judgement | None:
        """Take back this person's last decision and return to its row. None where there is none."""
        if not self._order:
            return None
        last = self._order[-1]
        self._write(Undo(id=new_id(), time=now(), by=self.by, row=last.row, of=last.id))
        self._undone.add((self.by, last.id))
        self._take_back(last.id)
        self._seconds = self._seconds[: -1 if last.seconds > 0 else None]
        self.go(self._places[last.subject])
        return last

    def forward(self) -> None:
        """Go to the next open row after this one, round the end; skipped ones come when no other is left."""
        start = -1 if self.at is None else self.at
        order = [*range(start + 1, len(self.items)), *range(start + 1)]
        done = self._decided.keys() | self._skipped.keys() | self._others.enough
        fresh = next((n for n in order if self._subjects[n] not in done), None)
        left = next((self._places[s] for s in self._skipped if s not in self._others.enough), None)
        self.at = left if fresh is None else fresh
        self._since = self._clock()

    def go(self, at: int) -> None:
        """Go to a row by its place, from 0; decided ones can be looked at and decided anew.

        Raises UsageError for a place that there is not.
        """
        if not 0 <= at < len(self.items):
            raise UsageError(f"there is no row {at + 1}", remedy=f"1 to {len(self.items)}")
        self.at = at
        self._since = self._clock()

    def step(self, by: int) -> None:
        """Go some rows on or back, whatever is decided; the ends hold."""
        if self.items:
            self.go(min(len(self.items) - 1, max(0, (len(self.items) if self.at is None else self.at) + by)))

    def find(self, text: str) -> list[int]:
        """Return the places of rows that show a text (capital or small), or whose hash begins with it."""
        wanted = text.casefold()
        return [n for n, item in enumerate(self.items) if wanted and _holds(item, wanted)]

    def words(self) -> Mapping[str, Judgement]:
        """Return what this person last said, by what was judged (a row, or an input)."""
        return {subject: said[-1] for subject, said in self._decided.items()}

    def _open(self) -> tuple[Item, str]:
        if self.at is None:
            raise UsageError("all rows are decided", remedy="undo the last one, or go back to one")
        return self.items[self.at], self._subjects[self.at]

    def _shown(self, item: Item) -> Shown:
        from sluice.core.canonical import sha256_hex

        one = item.answers[0].text if len(item.answers) == 1 else None
        return Shown(
            session=self._name,
            place=self._shown_yet + 1,
            queue=self.queue,
            sides=tuple(a.source for a in item.answers) if len(item.answers) > 1 else (),
            answer=None if one is None else sha256_hex("sluice/answer/1", one),
            suggestion=item.suggestion[0] if item.suggestion else None,
            suggested_by=item.suggestion[1] if item.suggestion else None,
            hidden=item.hidden and item.suggestion is not None,
            gold=item.gold,
            known=item.known,
        )


def _holds(item: Item, wanted: str) -> bool:
    texts = [*(text for _, text in (*item.texts, *item.beside)), *(answer.text for answer in item.answers)]
    return item.row.startswith(wanted) or any(wanted in text.casefold() for text in texts)
