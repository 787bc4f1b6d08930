"""`labels NAME --apply`: what people said becomes the dataset's next version.

A row whose target changes is a new row with an edge to the old one, which leaves with the reason "labelled" and with
who said so; the places it was seen at go with it. What people still disagree on stays as it is, and is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import dump_exact
from sluice.core.errors import UsageError
from sluice.core.project import Project
from sluice.core.rows import COLUMNS, AnyRow, Example, from_record, to_record
from sluice.curate.adding.add import parts_of
from sluice.curate.dataset import Version, metadata_by_row, open_dataset, open_newest, row_schema
from sluice.curate.drops import Drop, drop_rows
from sluice.curate.labels.items import with_field
from sluice.curate.labels.log import Log, read_log
from sluice.curate.labels.question import VERDICTS, Question
from sluice.curate.labels.record import OF_INPUT
from sluice.curate.labels.settle import Settled, settle
from sluice.curate.operation import EDGES, OCCURRENCES, Outcome, commit

LABELLED = "labelled"
MODES = ("classify", "correct", "write", "review")
"""Questions whose answers are targets, or stand in one."""


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
    how: dict[str, int]
    """Rows by how their label was settled."""
    parts: tuple[str, ...]
    dry_run: bool = False


def apply_labels(
    project: Project, dataset: str, question: Question, *, rule: str = "agreed", dry_run: bool = False
) -> ApplyResult:
    """Put settled labels into the targets of a dataset, and make its next version where that changes any.

    Args:
        project: of the dataset.
        dataset: its name; the newest version is read.
        question: whose answers count.
        rule: how disagreements are settled, see `settle`.
        dry_run: only say what would be changed.

    Raises UsageError where the question's answers are no targets; InputError where a target cannot hold the field.
    """
    if question.mode not in MODES:
        raise UsageError(
            f"answers to '{question.shortened()}' are no targets",
            where="--apply",
            remedy=f"only {', '.join(MODES)} can be applied",
        )
    seen: dict[str, Any] = {}

    def build() -> Outcome | None:
        version = open_newest(project, dataset)
        return _outcome(version, question, settled_words(read_log(project), question, rule), rule, seen)

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


def settled_words(log: Log, question: Question, rule: str = "agreed") -> dict[str, Settled]:
    """Return what counts of all words on a question, by subject."""
    return settle(list(log.last_words(question=question.hash).values()), rule)


def _outcome(
    version: Version, question: Question, settled: Mapping[str, Settled], rule: str, seen: dict[str, Any]
) -> Outcome | None:
    import polars as pl

    frame = version.frame()
    records: dict[str, dict[str, Any]] = {}
    edges: list[tuple[str, str]] = []
    drops: list[Drop] = []
    counts: dict[str, int] = dict.fromkeys(("labelled", "same", "open", "untold", "without", "merged"), 0)
    how: dict[str, int] = {}
    for record in frame.iter_rows(named=True):
        row = from_record(record)
        word = settled.get(row.input_hash if question.mode in OF_INPUT else row.row)
        new = _labelled(row, question, word)
        if word is not None and word.value is not None and isinstance(row, Example):
            how[word.how] = how.get(word.how, 0) + 1
        counts[_fate(row, new, word)] += 1
        if new.row != row.row:
            edges.append((row.row, new.row))
            drops.append(Drop(row.row, LABELLED, new.row, None, word.told if word else None))
        stands = to_record(new, record["groups"])
        held = records.setdefault(new.row, stands)
        if held is not stands:
            held["groups"] = sorted({*(held["groups"] or []), *(stands["groups"] or [])})
            counts["merged"] += 1
    seen.clear()
    seen.update({**counts, "rows": len(records), "how": how})
    if not edges:
        return None
    content = pl.DataFrame(list(records.values()), schema=row_schema(), orient="row")
    return Outcome(
        verb="label",
        parameters={"question": question.model_dump(mode="json"), "settle": rule},
        parents=(version.parent,),
        contents={version.dataset: content.select(COLUMNS)},
        rows_in=frame.height,
        occurrences=_places(version, edges),
        dropped=drop_rows(frame, drops)[1],
        edges=pl.DataFrame(edges, schema=list(EDGES), orient="row"),
        counts={LABELLED: len(edges)} | {name: counts[name] for name in ("open", "untold") if counts[name]},
    )


def _fate(row: AnyRow, new: AnyRow, word: Settled | None) -> str:
    if word is None or not isinstance(row, Example):
        return "without"
    if word.value is None:
        return "open" if word.how == "open" else "untold"
    return "same" if new.row == row.row else "labelled"


def _labelled(row: AnyRow, question: Question, word: Settled | None) -> AnyRow:
    if word is None or word.value is None or not isinstance(row, Example):
        return row
    value = word.value
    if question.mode == "review":  # a proposal that was accepted, or what was put in its place
        kept = value in VERDICTS
        return row if kept else row.model_copy(update={"target": with_field(row.target, question.field, str(value))})
    if question.mode != "classify":
        return row.model_copy(update={"target": str(value), "target_form": "text"})
    label = dump_exact(list(value)) if isinstance(value, tuple) else str(value)
    return row.model_copy(update={"target": with_field(row.target, question.field, label)})


def _places(version: Version, edges: list[tuple[str, str]]) -> Any:
    """Return where the new rows were seen: where the old ones were, with all that stood beside them."""
    import polars as pl

    beside = metadata_by_row(version)
    found = [
        {**{key: place[key] for key in OCCURRENCES}, "row": new} for old, new in edges for place in beside.get(old, [])
    ]
    schema = {name: pl.Int64 if name == "line" else pl.String for name in OCCURRENCES}
    return pl.DataFrame(found, schema=schema, orient="row") if found else None
