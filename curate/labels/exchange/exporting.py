"""`labels NAME --export FILE`: rows to be labelled in another tool, or what was said of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.curate.dataset import open_dataset
from sluice.curate.formats.output import write_file
from sluice.curate.labels.exchange import EXCHANGES
from sluice.curate.labels.exchange.word import Exchange, Place, Task, Word
from sluice.curate.labels.items import items_of
from sluice.curate.labels.log import read_log
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import OF_INPUT, Judgement
from sluice.curate.labels.session import Item
from sluice.curate.labels.settle import settle

What = Literal["words", "settled", "tasks"]
NOWHERE = Place(0, 0)
WHAT: tuple[What, ...] = ("words", "settled", "tasks")


class ExportResult(BaseModel):
    """A file of labels, or of rows to be labelled, that was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    question: str
    field: str
    file: str
    sha256: str
    format: str
    what: str
    rows: int
    words: int
    people: tuple[str, ...]
    left_out: dict[str, int]
    """Words that were not written, by the reason."""
    lost: tuple[str, ...]
    """What of the words this format has no place for, where there is any of it."""
    setup: str
    """What to set up in the tool before the file is loaded there."""


def export_labels(
    project: Project,
    ref: str,
    file: Path,
    question: Question,
    *,
    format: str | None = None,
    what: str = "words",
    by: str | None = None,
    rule: str = "agreed",
    replace: bool = False,
) -> ExportResult:
    """Write rows for another tool.

    Args:
        project: of the dataset.
        ref: the dataset.
        file: where to.
        question: what is asked.
        format: a name in EXCHANGES; None: a table, where the file's ending names one.
        what: `words` of all people, what they `settled`, or `tasks`: rows that nobody (or not `by`) has decided.
        by: one person alone.
        rule: how disagreements are settled, see `settle`.
        replace: whether a file that holds something else is replaced.

    Raises UsageError where format or mode do not fit, InputError where nothing is there to write.
    """
    if what not in WHAT:
        raise UsageError(f"'{what}' cannot be exported", where="--what", remedy=f"one of: {', '.join(WHAT)}")
    exchange = _format_of(file, format)
    if question.mode not in exchange.modes:
        fitting = ", ".join(e.name for _, e in EXCHANGES if question.mode in e.modes)
        raise UsageError(
            f"{exchange.tool} has no place for {question.mode}", where="--format", remedy=f"one of: {fitting}"
        )
    if what == "tasks" and not exchange.tasks:
        raise UsageError(f"{exchange.tool} takes scores, not tasks", where="--what", remedy="--what words or settled")
    version = open_dataset(project, ref)
    items = items_of(version, question.mode, question.field)
    last = [j for j in read_log(project).last_words(question=question.hash).values() if by is None or j.by == by]
    tasks, left = _tasks(items, question, last, what, rule)
    tasks, dropped = _held(tasks, exchange)
    left |= dropped
    if not tasks:
        raise _nothing(what, version.dataset, left)
    written = write_file(file, exchange.write(file, tasks, question), packing=_packing(file), replace=replace)
    words = [word for task in tasks for word in task.words]
    return ExportResult(
        dataset=version.dataset,
        version=version.number,
        question=question.hash,
        field=question.field,
        file=str(file),
        sha256=written.sha256,
        format=exchange.name,
        what=what,
        rows=len(tasks),
        words=len(words),
        people=tuple(sorted({word.by for word in words if word.by})),
        left_out=left,
        lost=_lost(words, last, exchange, what),
        setup=exchange.setup(question, tasks),
    )


def _format_of(file: Path, format: str | None) -> Exchange:
    if format is not None:
        return EXCHANGES.get(format)
    table = EXCHANGES.get("csv")
    if "json" not in "".join(file.suffixes).lower() and table.recognise(file, []):
        return table
    raise UsageError(
        "it has to be said which tool it is for", where=str(file), remedy=f"--format {' or '.join(EXCHANGES.names())}"
    )


def _packing(file: Path) -> str | None:
    from sluice.curate.formats.write import packing_of

    return packing_of(file)


def _tasks(
    items: Sequence[Item], question: Question, last: Sequence[Judgement], what: str, rule: str
) -> tuple[list[Task], dict[str, int]]:
    by_subject: dict[str, list[Judgement]] = defaultdict(list)
    for judgement in sorted(last, key=lambda j: (j.time, j.id)):
        by_subject[judgement.subject].append(judgement)
    subjects: Mapping[str, Item] = {(i.input if question.mode in OF_INPUT else i.row): i for i in items}
    if what == "tasks":
        if question.mode == "compare":
            raise UsageError("which answers to compare is not in the rows", where="--what", remedy="sluice label NAME")
        return [Task(item) for subject, item in subjects.items() if subject not in by_subject], {}
    gone = sum(len(words) for subject, words in by_subject.items() if subject not in subjects)
    left = {"the row is not in this version": gone} if gone else {}
    if what == "words":
        return [
            Task(item, tuple(map(word_of, by_subject[subject])))
            for subject, item in subjects.items()
            if subject in by_subject
        ], left
    settled = settle(last, rule)
    unsettled = sum(word.value is None for subject, word in settled.items() if subject in subjects)
    left |= {"not settled": unsettled} if unsettled else {}
    return [
        Task(item, (_settled(settled[subject].value, by_subject[subject]),))
        for subject, item in subjects.items()
        if subject in settled and settled[subject].value is not None
    ], left


def word_of(judgement: Judgement) -> Word:
    """Return a decision as it is written out."""
    return Word(
        place=NOWHERE,
        value=judgement.value,
        by=judgement.by,
        time=judgement.time,
        seconds=judgement.seconds or None,
        comment=judgement.comment or None,
        sides=judgement.shown.sides if judgement.shown else (),
    )


def _settled(value: object, said: Sequence[Judgement]) -> Word:
    """Return what several people settled: nobody's own word, at the time of the last of theirs."""
    alike = [j for j in said if j.value == value] or list(said)
    sides = {j.shown.sides for j in alike if j.shown}
    return Word(place=NOWHERE, value=value, time=alike[-1].time, sides=next(iter(sides)) if len(sides) == 1 else ())


def _held(tasks: Sequence[Task], exchange: Exchange) -> tuple[list[Task], dict[str, int]]:
    if "cannot tell" not in exchange.drops:
        return list(tasks), {}
    kept = [(task, tuple(word for word in task.words if word.value is not None)) for task in tasks]
    dropped = sum(len(task.words) - len(words) for task, words in kept)
    left = {"nobody can tell, and every score would count": dropped} if dropped else {}
    return [Task(task.item, words) for task, words in kept if words], left


def _lost(words: Sequence[Word], last: Sequence[Judgement], exchange: Exchange, what: str) -> tuple[str, ...]:
    found = {
        "time": any(word.time for word in words),
        "seconds": any(word.seconds for word in words),
        "comment": any(word.comment for word in words),
    }
    lost = [name for name, there in found.items() if there and name in exchange.drops]
    if what == "words" and any(j.shown is not None and j.shown.queue == "adjudicate" for j in last):
        lost.append("whose word decides")
    return tuple(lost)


def _nothing(what: str, dataset: str, left: Mapping[str, int]) -> InputError:
    if what == "tasks":
        return InputError("every row is decided", where=dataset, remedy="--what words writes what was said")
    why = f" ({', '.join(f'{reason}: {n:,}' for reason, n in left.items())})" if left else ""
    said = "nothing is settled" if what == "settled" else "nobody has said anything that could be written"
    return InputError(said + why, where=dataset, remedy="--what tasks writes the rows that are to be labelled")
