"""`labels NAME --import FILE`: what people said elsewhere becomes records like those of the screen.

Nothing is lost: what cannot be taken is listed with its line and the reason, and the file stays as it is. A record's id
follows from what it says, so that the same file brought in twice adds nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import canonical, sha256_hex
from sluice.core.errors import InputError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.curate.dataset import open_dataset
from sluice.curate.labels.exchange import EXCHANGES
from sluice.curate.labels.exchange.document import peek
from sluice.curate.labels.exchange.match import Rows
from sluice.curate.labels.exchange.word import Exchange, NotThis, Place, Word
from sluice.curate.labels.items import items_of
from sluice.curate.labels.log import Log, append_records, keep_question, read_log
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import OF_INPUT, Judgement, Shown, now

IMPORTED = "imported"
"""The queue of a comparison that came from a file."""


class Aside(BaseModel):
    """What of a file was not taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line: int
    record: int
    """Its number, from 1: many tools write a whole list on one line. 0 where it is not known."""
    reason: str


class ImportResult(BaseModel):
    """A file of labels that was brought in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    question: str
    field: str
    file: str
    format: str
    new: int
    """Words that were written to the log."""
    known: int
    """Words that stand in it already."""
    skipped: int
    """Records without a word: left, cancelled, or nobody's turn yet."""
    set_aside: tuple[Aside, ...]
    """In order of lines."""
    people: dict[str, int]
    """New words by who said them."""
    unknown_labels: dict[str, int]
    """Labels that the question does not have, with their numbers; each word is set aside."""
    dry_run: bool = False


def import_labels(
    project: Project,
    ref: str,
    file: Path,
    question: Question,
    *,
    format: str | None = None,
    by: str | None = None,
    names: Mapping[str, str] | None = None,
    answer: str | None = None,
    strict: bool = False,
    loosely: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportResult:
    """Bring in what people said in another tool.

    Args:
        project: of the dataset.
        ref: the dataset; rows of this version are looked for.
        file: what the other tool wrote.
        question: what is answered.
        format: a name in EXCHANGES; None: by content.
        by: whose words those are that name nobody.
        names: what people are called here, by what they are called there.
        answer: which of the file's questions, controls or columns holds the answer.
        strict: whether one word that cannot be taken refuses the whole file.
        loosely: whether texts match that differ in case, blanks and punctuation alone.
        dry_run: only say what would be written.
        progress: called as the words of each person are written.

    Raises InputError for a file that cannot be read, words without a person, no word that fits, and, where strict, for
    any that does not.
    """
    exchange = recognise(file, format)
    version = open_dataset(project, ref)
    read = exchange.read(file, question, answer)
    words = [word for word in read.words if not word.skipped]
    _check_people(words, by, file)
    log = read_log(project)
    rows = Rows(items_of(version, question.mode, question.field), loosely=loosely)
    taken = _Taken(question, rows, version.dataset, by, names or {})
    judged = list(taken.judgements(words))
    aside = sorted([*read.problems, *taken.problems])
    fresh, known = _apart(judged, log, question, taken.timeless)
    result = ImportResult(
        dataset=version.dataset,
        version=version.number,
        question=question.hash,
        field=question.field,
        file=str(file),
        format=exchange.name,
        new=len(fresh),
        known=known,
        skipped=len(read.words) - len(words),
        set_aside=tuple(Aside(line=p.line, record=p.record, reason=reason) for p, reason in aside),
        people=dict(Counter(j.by for j in fresh).most_common()),
        unknown_labels=dict(taken.unknown.most_common()),
        dry_run=dry_run,
    )
    _check_fit(result, judged, strict)
    if fresh and not dry_run:
        keep_question(project, question, log, by=fresh[0].by)
        for number, person in enumerate(result.people, start=1):
            append_records(project, person, [j for j in fresh if j.by == person])
            if progress is not None:
                progress("writing labels", number, len(result.people))
    return result


def recognise(file: Path, format: str | None = None) -> Exchange:
    """Return the format of a file: as named, else by content.

    Raises InputError for a format that there is not, a broken file, and one that looks like none.
    """
    if format is not None:
        return EXCHANGES.get(format)
    table = EXCHANGES.get("csv")
    records = [] if table.recognise(file, []) else peek(file)
    found = next((exchange for _, exchange in EXCHANGES if exchange.recognise(file, records)), None)
    if found is None:
        raise InputError(
            "it looks like no file of labels", where=str(file), remedy=f"--format {' or '.join(EXCHANGES.names())}"
        )
    return found


class _Taken:
    """Words as judgements, and what could not become one."""

    def __init__(self, question: Question, rows: Rows, dataset: str, by: str | None, names: Mapping[str, str]):
        self._question, self._rows, self._dataset, self._by, self._names = question, rows, dataset, by, names
        self.problems: list[tuple[Place, str]] = []
        self.unknown: Counter[str] = Counter()
        self.timeless: set[str] = set()
        """Ids of judgements whose words had no time."""
        self._said: dict[tuple[str, str], tuple[Place, object]] = {}

    def judgements(self, words: Sequence[Word]) -> Iterator[Judgement]:
        """Yield a judgement for each word that can be one."""
        for word in words:
            try:
                yield self._judgement(word)
            except NotThis as problem:
                self.problems.append((word.place, str(problem)))

    def _judgement(self, word: Word) -> Judgement:
        item, question = self._rows.find(word), self._question
        try:
            value = question.check(word.value)
        except InputError as problem:
            self.unknown.update(_strangers(word.value, question))
            raise NotThis(problem.message) from None
        named = word.by or self._by or ""
        by = self._names.get(named, named)
        subject = item.input if question.mode in OF_INPUT else item.row
        if word.time is None:
            place, before = self._said.setdefault((subject, by), (word.place, value))
            if before != value:
                where = f"record {place.record} (line {place.line})"
                raise NotThis(f"{by} said something else of it in {where}, and no time says which came later")
        said = [question.hash, subject, by, value, word.time, word.seconds, word.comment, list(word.sides)]
        name = sha256_hex("sluice/imported-label/1", canonical(said))[:16]
        if word.time is None:
            self.timeless.add(name)
        number = max(word.place.record, 1)
        shown = Shown(session=IMPORTED, place=number, queue=IMPORTED, sides=word.sides) if word.sides else None
        return Judgement(
            id=name,
            time=word.time or now(),
            by=by,
            seconds=word.seconds or 0,
            mode=question.mode,
            question=question.hash,
            field=question.field,
            dataset=self._dataset,
            row=item.row,
            input=item.input,
            value=value,
            comment=word.comment,
            shown=shown,
        )


def _strangers(value: object, question: Question) -> list[str]:
    if not question.labels:
        return []
    given = value if isinstance(value, list | tuple) else [value]
    return [str(one) for one in given if one not in question.labels]


def _check_people(words: Sequence[Word], by: str | None, file: Path) -> None:
    nobody = [word for word in words if word.by is None]
    if nobody and by is None:
        which = "it does not say" if len(nobody) == len(words) else f"{len(nobody):,} words do not say"
        raise InputError(
            f"{which} who decided", where=f"{file}:{nobody[0].place.line}", remedy="name the person: --by NAME"
        )


def _check_fit(result: ImportResult, judged: Sequence[Judgement], strict: bool) -> None:
    if not result.set_aside or (judged and not strict):
        return
    first = result.set_aside[0]
    where = f"{result.file}:{first.line}, record {first.record}"
    if result.unknown_labels and not judged:
        named = ", ".join(f"{label!r}" for label in list(result.unknown_labels)[:8])
        raise InputError(
            f"the question has no label {named}",
            where=where,
            remedy="--question of another, or --labels with all there are",
            result=result,
        )
    what = "no word of it can be taken" if not judged else f"{len(result.set_aside):,} words cannot be taken"
    remedy = "leave --strict out to set them aside" if judged else "sluice labels NAME --export FILE --what tasks"
    raise InputError(f"{what}; the first: {first.reason}", where=where, remedy=remedy, result=result)


def _apart(
    judged: Sequence[Judgement], log: Log, question: Question, timeless: set[str]
) -> tuple[list[Judgement], int]:
    """Return what is new, and how many words stand in the log already, in a record of ours or of an earlier import."""
    ids = {record.id for record in log.records}
    stands: dict[tuple[object, ...], list[Judgement]] = defaultdict(list)
    for one in log.judgements(question=question.hash):
        stands[(one.subject, one.by, one.value)].append(one)
    once = {judgement.id: judgement for judgement in judged}
    fresh = [
        j
        for j in once.values()
        if j.id not in ids
        and not any(_same(j, other, j.id in timeless) for other in stands[(j.subject, j.by, j.value)])
    ]
    return fresh, len(judged) - len(fresh)


def _same(found: Judgement, other: Judgement, timeless: bool) -> bool:
    """Return whether a record of the same answer is the same word: at the same time, in whole seconds where the format
    has no more; without a time, whenever it was said."""
    if found.comment is not None and found.comment != other.comment:
        return False
    whole = found.time.endswith(".000000Z")
    return timeless or found.time == other.time or (whole and found.time[:19] == other.time[:19])
