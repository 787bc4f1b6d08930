"""`labels NAME --apply`: what people said becomes the dataset's next version.

A row whose target changes is a new row with an edge to the old one, which leaves with the reason "labelled" and with
who said so; the places it was seen at go with it. What people still disagree on stays as it is, and is counted; so does
a row whose label would break the task's schema. A frozen eval set is never changed: the part it came from is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import dump_exact
from sluice.core.errors import InputError, UsageError
from sluice.core.evalset import read_set, set_folders
from sluice.core.project import Project
from sluice.core.rows import AnyRow, Example, from_record, to_record
from sluice.core.task import read_schema
from sluice.curate.adding.add import parts_of
from sluice.curate.changed_rows import carried, content, edges_frame, hold, places_frame
from sluice.curate.checks.schema import answer_problem
from sluice.curate.dataset import Version, open_dataset, open_newest
from sluice.curate.drops import Drop, drop_rows
from sluice.curate.labels.items import with_field
from sluice.curate.labels.log import Log, read_log
from sluice.curate.labels.question import VERDICTS, Question
from sluice.curate.labels.record import OF_INPUT, Judgement, Value
from sluice.curate.labels.settle import Settled, settle_all
from sluice.curate.operation import Outcome, commit

Problem = Callable[[str], str | None]
LABELLED = "labelled"
MODES = ("classify", "correct", "write", "review")
"""Questions whose answers are targets, or stand in one."""


class RefusedLabel(BaseModel):
    """A settled label that a row cannot take; the row stays as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    value: Value
    why: str


class ApplyResult(BaseModel):
    """What `labels --apply` did, or would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    changed: bool
    question: str
    field: str
    rows: int
    labelled: int
    """Rows that got another target."""
    same: int
    """Rows whose target said so already."""
    open: int
    """Rows that people disagree on; they stay as they are."""
    untold: int
    """Rows of which nobody could tell."""
    without: int
    """Rows that nobody was asked about."""
    merged: int
    """Rows that became equal to another one."""
    rejected: int
    """Rows whose suggestion was refused, and nothing put in its place; they stay as they are."""
    refused: tuple[RefusedLabel, ...]
    """Rows whose label would break the task's schema, or that cannot hold it; they stay as they are."""
    conflicts: int
    """Inputs of changed rows that have more than one target now (check `conflict`)."""
    frozen: tuple[str, ...]
    """Frozen eval sets that hold rows which got another target; the sets stay as they are."""
    how: dict[str, int]
    """Rows by how their label was settled."""
    parts: tuple[str, ...]
    dry_run: bool = False


def apply_labels(
    project: Project,
    dataset: str,
    question: Question,
    *,
    rule: str = "agreed",
    least: float | None = None,
    dry_run: bool = False,
) -> ApplyResult:
    """Put settled labels into the targets of a dataset, and make its next version where that changes any.

    Args:
        project: of the dataset.
        dataset: its name; the newest version is read.
        question: whose answers count.
        rule, least: how disagreements are settled, see `settle_all`.
        dry_run: only say what would be changed.

    Raises UsageError where the question's answers are no targets, and what `settle_all` raises.
    """
    if question.mode not in MODES:
        raise UsageError(
            f"answers to '{question.shortened()}' are no targets",
            where="--apply",
            remedy=f"only {', '.join(MODES)} can be applied; to leave only rows of some answers: --keep right",
        )
    seen: dict[str, Any] = {}
    problem = schema_problem(project)

    def build() -> Outcome | None:
        version = open_newest(project, dataset)
        words = settle_all(question_words(read_log(project), question), rule, least=least).words
        return _outcome(version, question, words, {"settle": rule, "least": least}, problem, seen)

    if dry_run:
        build()
        changed = False
    else:
        changed = commit(project, build) is not None
    newest = open_dataset(project, dataset)
    return ApplyResult(
        dataset=newest.dataset,
        version=newest.number,
        changed=changed,
        question=question.hash,
        field=question.field,
        parts=parts_of(project, newest.dataset),
        dry_run=dry_run,
        **seen,
    )


def question_words(log: Log, question: Question) -> list[Judgement]:
    """Return the last word of each person on each subject of a question."""
    return list(log.last_words(question=question.hash).values())


def schema_problem(project: Project) -> Problem:
    """Return what says how a target breaks the task's schema; without a schema none does."""
    schema = read_schema(project) if project.has_config else None
    return (lambda _: None) if schema is None else answer_problem(schema)


def _outcome(
    version: Version,
    question: Question,
    settled: Mapping[str, Settled],
    how: Mapping[str, Any],
    problem: Problem,
    seen: dict[str, Any],
) -> Outcome | None:
    frame = version.frame()
    records: dict[str, dict[str, Any]] = {}
    edges: list[tuple[str, str]] = []
    drops: list[Drop] = []
    counts: dict[str, int] = dict.fromkeys(
        ("labelled", "same", "open", "untold", "without", "merged", "rejected", "refused"), 0
    )
    by_how: Counter[str] = Counter()
    refused: list[RefusedLabel] = []
    targets: dict[str, set[str]] = defaultdict(set)
    touched: set[str] = set()
    for record in frame.iter_rows(named=True):  # each row may take a label of its own, and be held to the schema
        row = from_record(record)
        word = settled.get(row.input_hash if question.mode in OF_INPUT else row.row)
        new, why = _taken(row, question, word, problem)
        if why is not None and word is not None:
            refused.append(RefusedLabel(row=row.row, value=word.value, why=why))
        elif word is not None and word.value is not None and isinstance(row, Example):
            by_how[word.how] += 1
        counts["refused" if why is not None else _fate(row, new, word)] += 1
        targets[new.input_hash].add(new.row)
        if new.row != row.row:
            touched.add(new.input_hash)
            edges.append((row.row, new.row))
            drops.append(Drop(row.row, LABELLED, new.row, None, word.told if word else None))
        counts["merged"] += hold(records, to_record(new, record["groups"]))
    told = {name: n for name, n in counts.items() if name != "refused"}
    seen.clear()
    seen.update({**told, "rows": len(records), "how": dict(by_how), "refused": tuple(refused)})
    seen["conflicts"] = sum(len(targets[content]) > 1 for content in touched)
    seen["frozen"] = _frozen(version, {old for old, _ in edges})
    if not edges:
        return None
    return Outcome(
        verb="label",
        parameters={"question": question.model_dump(mode="json"), **how},
        parents=(version.parent,),
        contents={version.dataset: content(records)},
        rows_in=frame.height,
        occurrences=places_frame(carried(version, edges)),
        dropped=drop_rows(frame, drops)[1],
        edges=edges_frame(edges),
        counts={LABELLED: len(edges)} | {name: counts[name] for name in ("open", "untold", "refused") if counts[name]},
    )


def _fate(row: AnyRow, new: AnyRow, word: Settled | None) -> str:
    if word is None or not isinstance(row, Example):
        return "without"
    if word.value is None:
        return "open" if word.how == "open" else "untold"
    if word.value == "reject":
        return "rejected"
    return "same" if new.row == row.row else "labelled"


def _taken(row: AnyRow, question: Question, word: Settled | None, problem: Problem) -> tuple[AnyRow, str | None]:
    """Return the row as it stands now, and why it could not take its label.

    A target that broke the schema before may stay broken: the label did not do it.
    """
    try:
        new = _labelled(row, question, word)
    except InputError as error:
        return row, error.message
    if new is row or not isinstance(new, Example) or not isinstance(row, Example) or new.row == row.row:
        return new, None
    why = problem(new.target or "")
    if why is not None and (row.target is None or problem(row.target) is None):
        return row, why
    return new, None


def _labelled(row: AnyRow, question: Question, word: Settled | None) -> AnyRow:
    if word is None or word.value is None or not isinstance(row, Example):
        return row
    value = word.value
    if question.mode == "review" and value in VERDICTS:
        return row  # what stands is right, or wrong with nothing in its place
    if question.mode in ("correct", "write"):
        return row.model_copy(update={"target": str(value), "target_form": "text"})
    label = dump_exact(list(value)) if isinstance(value, tuple) else str(value)
    form = {"target_form": "text"} if question.field == "target" else {}
    return row.model_copy(update={"target": with_field(row.target, question.field, label), **form})


def _frozen(version: Version, rows: set[str]) -> tuple[str, ...]:
    if not rows:
        return ()
    sets = [read_set(folder) for folder in set_folders(version.project.evals)]
    return tuple(sorted({one.name for one in sets if any(row.row in rows for row in one.rows)}))
