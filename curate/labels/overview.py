"""`labels NAME`: what was asked of a dataset's rows, who said how much, and what people agree on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from sluice.core.project import Project
from sluice.curate.dataset import Version, open_dataset
from sluice.curate.labels.agreement.gold import GoldAccuracy
from sluice.curate.labels.gold import gold_accuracies
from sluice.curate.labels.items import items_of
from sluice.curate.labels.log import Log, read_log
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import OF_INPUT, Judgement, Value
from sluice.curate.labels.settle import Settled, settle


class Person(BaseModel):
    """One person's share of a question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str
    decided: int
    cannot_tell: int
    minutes: float
    """Time on record, each decision at its own length."""


class Labelled(BaseModel):
    """One row, and what was said of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    input: str
    value: Value
    how: str
    """See `settle.Settled`."""
    said: dict[str, Value]
    comments: dict[str, str]


class Asked(BaseModel):
    """One question, and how far it has come on a dataset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    mode: str
    field: str
    labels: tuple[str, ...]
    rows: int
    """Rows (or inputs, where it is about inputs) of the version that the question fits."""
    decided: int
    """Of those, with a word of at least one person."""
    elsewhere: int
    """Rows or inputs with a word that the version does not hold (any more)."""
    counts: dict[str, int]
    """Settled labels and their numbers, the most frequent first; `open` and `cannot tell` apart."""
    open: int
    cannot_tell: int
    people: tuple[Person, ...]
    gold: tuple[GoldAccuracy, ...] = ()
    """How often people are right on gold rows, all together and each; empty where there were none."""


class Overview(BaseModel):
    """All questions that were asked of a version's rows, the newest last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    questions: tuple[Asked, ...]
    rows: tuple[Labelled, ...] = ()
    """Of the one question that was asked for; nothing otherwise."""


def overview(project: Project, ref: str, *, question: Question | None = None, rule: str = "agreed") -> Overview:
    """Return what was said of a version's rows.

    Args:
        project: of the dataset.
        ref: a version.
        question: the one to list row by row; None: all of them, counted.
        rule: how disagreements are settled, see `settle`.

    Raises UsageError for a rule that there is not.
    """
    version = open_dataset(project, ref)
    log = read_log(project)
    wanted = [question] if question else log.questions()
    asked = [(q, last_words(log, q)) for q in wanted]
    told = [(q, words, _subjects(version, q)) for q, words in asked]
    touched = [(q, words, here) for q, words, here in told if question or any(j.subject in here for j in words)]
    rows: list[Labelled] = []
    for _, words, here in touched if question else ():
        rows += [_labelled(word, words) for word in settle(words, rule).values() if word.subject in here]
    return Overview(
        dataset=version.dataset,
        version=version.number,
        questions=tuple(_asked(log, q, words, here, rule) for q, words, here in touched),
        rows=tuple(rows),
    )


def last_words(log: Log, question: Question) -> list[Judgement]:
    """Return the last word of each person on each subject of a question."""
    return list(log.last_words(question=question.hash).values())


def _subjects(version: Version, question: Question) -> set[str]:
    from sluice.core.errors import InputError

    try:
        items = items_of(version, question.mode, question.field)
    except InputError:  # no row fits the mode (any more)
        return set()
    return {item.input if question.mode in OF_INPUT else item.row for item in items}


def _asked(log: Log, question: Question, words: Sequence[Judgement], here: set[str], rule: str) -> Asked:
    settled = [word for word in settle(words, rule).values() if word.subject in here]
    labels = Counter(label for word in settled for label in _labels(word))
    by = sorted({j.by for j in words})
    return Asked(
        question=question.hash,
        mode=question.mode,
        field=question.field,
        labels=question.labels,
        rows=len(here),
        decided=len(settled),
        elsewhere=len({j.subject for j in words} - here),
        counts=dict(labels.most_common()) if question.mode not in ("correct", "write") else {},
        open=sum(word.how == "open" for word in settled),
        cannot_tell=sum(word.how == "cannot tell" for word in settled),
        people=tuple(_person(who, [j for j in words if j.by == who]) for who in by),
        gold=gold_accuracies(log, question),
    )


def _labels(word: Settled) -> tuple[str, ...]:
    if word.value is None:
        return ()
    return word.value if isinstance(word.value, tuple) else (str(word.value),)


def _person(by: str, words: Sequence[Judgement]) -> Person:
    return Person(
        by=by,
        decided=len(words),
        cannot_tell=sum(j.value is None for j in words),
        minutes=round(sum(j.seconds for j in words) / 60, 1),
    )


def _labelled(word: Settled, words: Sequence[Judgement]) -> Labelled:
    about = [j for j in words if j.subject == word.subject]
    return Labelled(
        row=about[0].row,
        input=about[0].input,
        value=word.value,
        how=word.how,
        said=word.said,
        comments={j.by: j.comment for j in about if j.comment},
    )
