"""`labels NAME`: what was asked of a dataset's rows, who said how much, how far people agree, and on what not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.rows import AnyRow, Example, input_texts
from sluice.curate.dataset import open_dataset
from sluice.curate.drops import one_line
from sluice.curate.labels.agreement import Agreement, GoldAccuracy, Pace
from sluice.curate.labels.gold import gold_accuracies
from sluice.curate.labels.items import fitting_rows
from sluice.curate.labels.log import Log, read_log
from sluice.curate.labels.measured import agreement_of, pace_of
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import OF_INPUT, Judgement, Value
from sluice.curate.labels.settle import Settled, Settling, settle_all
from sluice.curate.metadata import group_values


class Person(BaseModel):
    """One person's share of a question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str
    decided: int
    adjudicated: int
    """Of those, disputes of others."""
    cannot_tell: int
    minutes: float
    """Time on record, each decision at its own length."""
    accuracy: float | None = None
    """How often this person is right, as the rule estimates it; None where it estimates nothing."""


class Labelled(BaseModel):
    """One row, and what was said of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    input: str
    text: str
    """The input on one line."""
    value: Value
    how: str
    """See `settle.Settled`."""
    probability: float | None
    people: tuple[str, ...]
    """Whose word it is; of an open one, who disagrees."""
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
    how: dict[str, int]
    """Rows by how their label was settled."""
    people: tuple[Person, ...]
    agreement: Agreement
    """Of the words on rows of this version; what a third person decided is not among them."""
    pace: tuple[Pace, ...]
    gold: tuple[GoldAccuracy, ...]
    """How often people are right on gold rows, all together and each; empty where nobody was asked about one."""
    cautions: tuple[str, ...]
    """What the rule says against its own result."""


class Overview(BaseModel):
    """All questions that were asked of a version's rows, the newest last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    settle: str
    """The rule."""
    questions: tuple[Asked, ...]
    rows: tuple[Labelled, ...] = ()
    """Of the one question that was asked for, those that people disagree on first; nothing otherwise."""


def overview(
    project: Project,
    ref: str,
    *,
    question: Question | None = None,
    rule: str = "agreed",
    least: float | None = None,
    disputed: bool = False,
    column: str | None = None,
    progress: Progress | None = None,
) -> Overview:
    """Return what was said of a version's rows.

    Args:
        project: of the dataset.
        ref: a version.
        question: the one to list row by row; None: all of them, counted.
        rule, least: how disagreements are settled, see `settle_all`.
        disputed: list only rows that are open.
        column: beside the rows, by whose values agreement is measured apart, too.
        progress: called with (what, done, total).

    Raises UsageError for a rule that there is not, InputError for a column that no row has, and what `settle_all`
    raises.
    """
    version = open_dataset(project, ref)
    log = read_log(project)
    values = group_values(version, column, where="--by-column") if column else {}
    asked: list[Asked] = []
    listed: list[Labelled] = []
    rows = version.rows()
    for each, words in asked_words(log, question):
        here = subjects_of(rows, each, {j.subject for j in words})
        if question is None and not any(j.subject in here for j in words):
            continue
        settling = settle_all(words, rule, least=least, progress=progress)
        slices = {s: found[0] for s, row in here.items() if (found := values.get(row.row))}
        known = gold_accuracies(log, each)
        asked.append(_asked(each, words, here, settling, slices, known, progress))
        if question is not None:
            listed = _listed(settling, words, here, disputed=disputed)
    return Overview(
        dataset=version.dataset, version=version.number, settle=rule, questions=tuple(asked), rows=tuple(listed)
    )


def asked_words(log: Log, question: Question | None = None) -> list[tuple[Question, list[Judgement]]]:
    """Return the last word of each person on each subject, by question, the newest last; of one question, or of all."""
    words: dict[str, list[Judgement]] = defaultdict(list)
    for judgement in log.last_words(question=question.hash if question else None).values():
        words[judgement.question].append(judgement)
    return [(each, words[each.hash]) for each in ([question] if question else log.questions())]


def subjects_of(rows: Sequence[AnyRow], question: Question, said: Collection[str]) -> dict[str, AnyRow]:
    """Return what a question can be asked about, by subject; empty where no row fits its mode (any more).

    Args:
        rows: of a version.
        question: what is asked.
        said: subjects with a word: a row that was written is still what was written, though it has a target now.
    """
    found: dict[str, AnyRow] = {}
    fitting = fitting_rows(rows, question.mode)
    if question.mode == "write":
        fitting += [row for row in rows if isinstance(row, Example) and row.target and row.input_hash in said]
    for row in fitting:
        found.setdefault(row.input_hash if question.mode in OF_INPUT else row.row, row)
    return found


def _asked(
    question: Question,
    words: Sequence[Judgement],
    here: Mapping[str, AnyRow],
    settling: Settling,
    slices: Mapping[str, str],
    gold: tuple[GoldAccuracy, ...],
    progress: Progress | None,
) -> Asked:
    settled = [word for word in settling.words.values() if word.subject in here]
    ours = [j for j in words if j.subject in here]
    labels = Counter(label for word in settled for label in _labels(word))
    theirs: dict[str, list[Judgement]] = defaultdict(list)
    for judgement in words:
        theirs[judgement.by].append(judgement)
    return Asked(
        question=question.hash,
        mode=question.mode,
        field=question.field,
        labels=question.labels,
        rows=len(here),
        decided=len(settled),
        elsewhere=len({j.subject for j in words if j.subject not in here}),
        counts=dict(labels.most_common()) if question.mode not in ("correct", "write") else {},
        open=sum(word.how == "open" for word in settled),
        cannot_tell=sum(word.how == "cannot tell" for word in settled),
        how=dict(Counter(word.how for word in settled).most_common()),
        people=tuple(_person(by, theirs[by], settling.accuracy.get(by)) for by in sorted(theirs)),
        agreement=agreement_of(question, ours, slices=slices, progress=progress),
        pace=pace_of(words),
        gold=gold,
        cautions=settling.cautions,
    )


def _labels(word: Settled) -> tuple[str, ...]:
    if word.value is None:
        return ()
    return word.value if isinstance(word.value, tuple) else (str(word.value),)


def _person(by: str, words: Sequence[Judgement], accuracy: float | None) -> Person:
    return Person(
        by=by,
        decided=len(words),
        adjudicated=sum(j.adjudicates for j in words),
        cannot_tell=sum(j.value is None for j in words),
        minutes=round(sum(j.seconds for j in words) / 60, 1),
        accuracy=None if accuracy is None else round(accuracy, 6),
    )


def _listed(
    settling: Settling, words: Sequence[Judgement], here: Mapping[str, AnyRow], *, disputed: bool
) -> list[Labelled]:
    comments: dict[str, dict[str, str]] = defaultdict(dict)
    for judgement in words:
        if judgement.comment:
            comments[judgement.subject][judgement.by] = judgement.comment
    settled = [word for word in settling.words.values() if word.subject in here]
    settled = [word for word in settled if word.how == "open" or not disputed]
    return [
        Labelled(
            row=here[word.subject].row,
            input=here[word.subject].input_hash,
            text=one_line(input_texts(here[word.subject].input)),
            value=word.value,
            how=word.how,
            probability=word.probability,
            people=word.people,
            said=word.said,
            comments=comments.get(word.subject, {}),
        )
        for word in sorted(settled, key=lambda word: word.how != "open")
    ]
