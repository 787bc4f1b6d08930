"""Gold rows: rows whose answer is known, among the others and not to be told from them. They measure people.

What is said of one is recorded as such (`shown.gold`, with the known answer), counts in nobody's labels, and is never
applied. Their places are drawn, one in each stretch of rows, for each person and sitting anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sluice.core.canonical import parse_exact, sha256_hex
from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.curate.labels.agreement.gold import GoldAccuracy, gold_accuracy
from sluice.curate.labels.agreement.judgements import Judgement as Word
from sluice.curate.labels.items import answer_of, field_value, items_of
from sluice.curate.labels.log import Log
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import OF_INPUT, Value
from sluice.curate.labels.session import Item

COLUMN = "gold"
"""Beside gold rows whose answer is judged: the right judgement."""
SHARE = 0.1
"""Of the rows that are shown. One in ten: 30 of 300, whose accuracy of 0.9 has a 95% interval 0.21 wide."""
WITHOUT = ("correct", "write", "compare")
"""Modes whose answers are not right or wrong by being equal to one."""


def gold_items(project: Project, word: str, question: Question, items: Mapping[str, Item]) -> dict[str, Item]:
    """Return the gold rows of a question, by subject, each with its known answer.

    Args:
        project: of the datasets.
        word: a dataset whose rows have the answer (classify: at the question's field; other modes: in a column `gold`
            beside them), or a table with the columns `row` (first digits of a row of this dataset) and `label`.
        question: what is asked.
        items: what is asked about, by subject; gold rows of a table are among them.

    Raises UsageError for a mode without right answers, InputError where no row has one, or one is none.
    """
    if question.mode in WITHOUT:
        raise UsageError(
            f"answers to '{question.shortened()}' are not right or wrong by themselves",
            where="--gold",
            remedy="leave it out",
        )
    file = Path(word)
    if file.suffix and file.is_file():
        return _of_table(file, question, items)
    return _of_dataset(project, word, question)


def mix(
    items: Sequence[Item], gold: Sequence[Item], open_: set[str], *, by: str, seed: int, share: float
) -> list[Item]:
    """Return items with gold rows among them: one in each stretch of open rows, at a place that is drawn.

    Args:
        items: in their order.
        gold: those that this person has not decided come first, in an order of their own.
        open_: rows (hashes) that the person has not decided.
        by: the person.
        seed: of the draws.
        share: of the rows that are shown.

    Raises UsageError for a share that is none.
    """
    if not 0 < share <= 0.5:
        raise UsageError(f"{share:g} of the rows cannot be gold", where="--gold-share", remedy="above 0, up to 0.5")
    drawn = sorted(gold, key=lambda item: sha256_hex("sluice/gold/1", f"{seed} {by} {item.row}"))
    fresh = [item for item in drawn if item.row in open_]
    done = [item for item in drawn if item.row not in open_]
    stretch = round(1 / share) - 1
    waiting = [item for item in items if item.row in open_]
    slots: dict[str, Item] = {}
    for start, item in zip(range(0, len(waiting), stretch), fresh, strict=False):
        some = waiting[start : start + stretch]
        place = int(sha256_hex("sluice/gold/2", f"{seed} {by} {item.row} {len(done)}")[:8], 16) % len(some)
        slots[some[place].row] = item
    mixed = [one for item in items for one in ([slots[item.row], item] if item.row in slots else [item])]
    return [*mixed, *done]


def gold_accuracies(log: Log, question: Question) -> tuple[GoldAccuracy, ...]:
    """Return how often people are right on gold rows, all together and each; empty where nobody was asked about one."""
    words = log.gold_words(question.hash)
    if not words:
        return ()
    known: dict[str, Any] = {j.subject: j.shown.known for j in words if j.shown is not None}
    said = [Word(j.subject, j.by, _as_said(j.meaning)) for j in words]
    return gold_accuracy(said, {s: _as_said(v) for s, v in known.items()}, scale="sets" if question.many else "nominal")


def _as_said(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _of_dataset(project: Project, ref: str, question: Question) -> dict[str, Item]:
    from sluice.curate.dataset import open_dataset
    from sluice.curate.metadata import metadata_of

    version = open_dataset(project, ref)
    rows = {row.row: row for row in version.rows()}
    classify = question.mode == "classify"
    beside = {} if classify else metadata_of(version)
    found: dict[str, Item] = {}
    for item in items_of(version, question.mode, question.field):
        told = beside.get(item.row, {}).get(COLUMN)
        value = field_value(answer_of(rows[item.row]), question.field) if classify else told
        if value is not None:
            subject = item.input if question.mode in OF_INPUT else item.row
            found[subject] = replace(item, gold=True, known=_checked(question, value, f"{ref}, row {item.row[:10]}"))
    if not found:
        where = question.field if classify else f"the column '{COLUMN}' beside it"
        raise InputError(
            f"no row of {ref} has a known answer: none stands at {where}", where="--gold", remedy="add them"
        )
    return found


def _of_table(file: Path, question: Question, items: Mapping[str, Item]) -> dict[str, Item]:
    from sluice.curate.formats import Entry, ReadOptions
    from sluice.curate.formats.open_file import open_entry, tell_format
    from sluice.curate.labels.say import find_item

    source = open_entry(Entry(file)).source
    options = ReadOptions(input="row")
    table = tell_format(source, options).read(source, options, None)
    lacking = [name for name in ("row", "label") if name not in table.columns]
    if lacking:
        raise InputError(
            f"it has no column {', '.join(lacking)}",
            where=str(file),
            remedy="a table with the columns row and label, or the name of a dataset",
        )
    subject_of = {item.row: subject for subject, item in items.items()}
    found: dict[str, Item] = {}
    for line, record in zip(table.lines, table.records, strict=True):
        where = f"{file}:{line}"
        item = find_item(list(items.values()), str(record.get("row") or "").strip(), where)
        value = _checked(question, record.get("label"), where)
        found[subject_of[item.row]] = replace(item, gold=True, known=value)
    if not found:
        raise InputError("it holds no row", where=str(file), remedy="name rows and their labels in it")
    return found


def _checked(question: Question, value: object, where: str) -> Value:
    if question.many and isinstance(value, str):
        value = parse_exact(value) if value.startswith("[") else [part.strip() for part in value.split(",")]
    if value is None or value == "":
        raise InputError("the known answer is empty", where=where, remedy="write it, or take the row out")
    try:
        return question.check(value)
    except InputError as problem:
        raise InputError(f"the known answer {value!r} is none", where=where, remedy=problem.remedy) from None
