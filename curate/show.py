"""`show`: rows of a version, one row by its id, the rows that are out of it, or the lines that were set aside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from sluice.core.errors import InputError
from sluice.core.files import atomic_write
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.curate.adding.add import SetAsideLine
from sluice.curate.adding.set_aside import still_waiting, write_sheet
from sluice.curate.checks.base import Embeds
from sluice.curate.dataset import open_dataset
from sluice.curate.drops import DroppedRow, ShownRow, dropped_rows, shown_row
from sluice.curate.metadata import metadata_of

if TYPE_CHECKING:
    import polars as pl

    from sluice.curate.similar.similarity import Prepared

LEAST_ALIKE = 10
"""Hundredths of Jaccard, under which a row is not shown as being like a text."""


class RowBeside(ShownRow):
    """A row with what stands beside it."""

    groups: tuple[str, ...]
    metadata: dict[str, Any]


class FailingRow(RowBeside):
    """A row that a check names, with what it says of it."""

    rank: int
    """Place in the order in which the check names its rows: of a ranked check, the one to look at first is 1."""
    detail: str
    figures: dict[str, Any] = Field(default_factory=dict)
    """What the check says in numbers and words for scripts: of `label-errors` given, suggested, quality."""


class LikeRow(RowBeside):
    """A row near to a text that was asked for."""

    similarity: float
    """Exact Jaccard of the text and the row's input (word 3-grams; character 5-grams where one is short)."""


class Shown(BaseModel):
    """What was asked to be shown; the other lists are empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: str
    total: int
    """How many there are; the list may be a part of them."""
    rows: tuple[RowBeside, ...] = ()
    dropped: tuple[DroppedRow, ...] = ()
    failing: tuple[FailingRow, ...] = ()
    like: tuple[LikeRow, ...] = ()
    check: str | None = None
    set_aside: tuple[SetAsideLine, ...] = ()
    out: str | None = None
    """The file that they were written to, to be mended or gone through."""


def show_rows(project: Project, ref: str, *, row: str | None = None, limit: int | None = 10) -> Shown:
    """Return the first rows of a version, or the one whose hash begins with `row`."""

    version = open_dataset(project, ref)
    frame = version.frame()
    if row is not None:
        frame = frame.filter(frame["row"].str.starts_with(row.lower()))
        if frame.height != 1:
            word = "no row" if not frame.height else f"{frame.height} rows"
            raise InputError(
                f"{word} of it begin{'s' if not frame.height else ''} with '{row}'",
                where=version.ref,
                remedy=f"sluice why {version.dataset} {row}" if not frame.height else "give more digits",
            )
    part = frame if limit is None else frame.head(min(limit, frame.height))
    beside = metadata_of(version, part["row"].to_list())
    rows = tuple(
        RowBeside(
            **shown_row(record).model_dump(),
            groups=tuple(record["groups"] or ()),
            metadata=beside.get(record["row"], {}),
        )
        for record in part.iter_rows(named=True)
    )
    return Shown(of=version.ref, total=frame.height, rows=rows)


def show_like(
    project: Project, ref: str, text: str, *, limit: int | None = 10, exact_up_to: int | None = None
) -> Shown:
    """Return the rows whose inputs are nearest to a text by exact Jaccard, the nearest first.

    Every row is looked at, so none is missed. Rows under 0.1 have next to nothing in common with the text and are left
    out. Raises InputError for a text without a word.

    Args:
        project, ref: where to look.
        text: what the rows should be like.
        limit: rows at most.
        exact_up_to: rows from which on compiled code looks; the answer is the same.
    """
    import numpy as np

    from sluice.curate.duplicates.dedup import EXACT_UP_TO
    from sluice.curate.similar.similarity import Relation, normalise

    form = normalise(text)
    if not form:
        raise InputError("there is no word in that text", where="--like", remedy="give the text to look for")
    version = open_dataset(project, ref)
    frame = version.frame()
    asked = Relation().prepare([(form,)])
    share = _shares(asked, frame, frame.height > (EXACT_UP_TO if exact_up_to is None else exact_up_to))
    names = frame["row"].to_list()
    near = np.flatnonzero(100 * share >= LEAST_ALIKE).tolist()
    found = sorted(near, key=lambda i: (-share[i], names[i]))
    records = {i: frame.row(i, named=True) for i in found[:limit]}
    beside = metadata_of(version, [record["row"] for record in records.values()])
    like = tuple(
        LikeRow(
            **shown_row(record).model_dump(),
            groups=tuple(record["groups"] or ()),
            metadata=beside.get(record["row"], {}),
            similarity=float(share[i]),
        )
        for i, record in records.items()
    )
    return Shown(of=version.ref, total=len(found), like=like)


def _shares(asked: Prepared, frame: pl.DataFrame, many: bool) -> Any:
    """Return the Jaccard of a text with each input where it is at least LEAST_ALIKE, else less or 0."""
    import numpy as np

    if many:
        from sluice.curate.duplicates.columns import inputs_of
        from sluice.curate.kernel.like import likeness  # loads numba

        return likeness(asked, inputs_of(frame))
    from sluice.curate.duplicates.keys import keys_of_record
    from sluice.curate.similar.join import Side, related
    from sluice.curate.similar.similarity import Relation

    every = Relation().prepare([keys_of_record(r, "input").input for r in frame.iter_rows(named=True)])
    share = np.zeros(frame.height)
    sides = Side(asked, None, np.zeros(1, bool)), Side(every, None, np.zeros(frame.height, bool))
    for pairs in related(*sides, percent=LEAST_ALIKE):
        share[pairs.right] = np.maximum(share[pairs.right], pairs.share)
    return share


def show_failing(
    project: Project,
    ref: str,
    check: str,
    *,
    limit: int | None = None,
    embed: Embeds | None = None,
    progress: Progress | None = None,
) -> Shown:
    """Return the rows that one check of `audit` names, in its order: of a ranked check the worst stands first.

    Raises InputError for a name that is no check, and where the check cannot look. `embed` as for `audit_dataset`.
    """
    from sluice.curate.audit import failing_rows
    from sluice.curate.audit_dataset import audit_dataset

    version = open_dataset(project, ref)
    audit = audit_dataset(project, version.ref, checks=[check], embed=embed, progress=progress)
    details = failing_rows(audit.report, [check], version.dataset)
    told = {f.row: f for f in audit.report.check(check).rows}
    wanted = list(details)[:limit]
    asked = set(wanted)
    records = {record["row"]: record for record in version.frame().iter_rows(named=True) if record["row"] in asked}
    beside = metadata_of(version, wanted)
    rows = tuple(
        FailingRow(
            **shown_row(records[row]).model_dump(),
            groups=tuple(records[row]["groups"] or ()),
            metadata=beside.get(row, {}),
            rank=rank,
            detail=told[row].detail,
            figures=told[row].figures,
        )
        for rank, row in enumerate(wanted, start=1)
    )
    return Shown(of=version.ref, total=len(details), failing=rows, check=check)


def write_failing(shown: Shown, file: Path, *, replace: bool = False) -> Shown:
    """Write what `show_failing` found to a table in which a person goes through it (`labels.review`).

    Raises InputError where the file holds something else and is not to be replaced, and for an unknown ending.
    """
    from sluice.curate.formats.output import FileStands
    from sluice.curate.labels.review import write_review

    try:
        write_review(shown.failing, file, replace=replace)
    except FileStands:
        raise InputError(
            "a file of that name holds something else", where=str(file), remedy="choose another name, or add --yes"
        ) from None
    return shown.model_copy(update={"out": str(file)})


def show_dropped(project: Project, ref: str, *, reason: str | None = None, limit: int | None = None) -> Shown:
    """Return the rows that are out of a dataset, with the row kept in the place of each.

    Raises InputError for a reason that no row is out for, naming those that there are.
    """
    version = open_dataset(project, ref)
    found = dropped_rows(version)
    if reason is not None:
        reasons = sorted({row.reason for row in found})
        found = [row for row in found if row.reason == reason]
        if not found:
            other = f"; the reasons here: {', '.join(reasons)}" if reasons else ", nor for another one"
            raise InputError(
                f"no row is out for the reason '{reason}'{other}",
                where=version.ref,
                remedy=f"sluice show {ref} --dropped" if reasons else "sluice why NAME ROW tells where a row is",
            )
    return Shown(of=version.ref, total=len(found), dropped=tuple(found if limit is None else found[:limit]))


def show_set_aside(project: Project, ref: str, *, limit: int | None = None) -> Shown:
    """Return the lines that were set aside when files were read into what became this version, and not mended since."""
    version = open_dataset(project, ref)
    found = [w.line for w in still_waiting(version)]
    return Shown(of=version.ref, total=len(found), set_aside=tuple(found if limit is None else found[:limit]))


def write_set_aside(project: Project, ref: str, file: Path, *, replace: bool = False) -> Shown:
    """Write all set-aside lines to a sheet in which they can be mended (`add NAME --fix FILE`).

    Raises InputError where nothing is set aside, where the file holds something else and is not to be replaced, and
    always for a file that rows were read from.
    """
    from sluice.curate.export import refuse_source

    version = open_dataset(project, ref)
    refuse_source(project, version, file)
    if file.exists() and not file.is_file():
        raise InputError("this is no file", where=str(file), remedy="name a file")
    waiting = still_waiting(version)
    if not waiting:
        raise InputError("no line is set aside", where=version.ref, remedy=f"sluice show {ref} shows its rows")
    data = write_sheet(waiting, version.dataset).encode()
    if not replace and file.exists() and file.read_bytes() != data:
        raise InputError(
            "a file of that name holds something else", where=str(file), remedy="choose another name, or add --yes"
        )
    atomic_write(file, data)
    return Shown(of=version.ref, total=len(waiting), set_aside=tuple(w.line for w in waiting), out=str(file))
