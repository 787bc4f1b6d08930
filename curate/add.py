"""`add`: read files into a dataset. What a file says is what the version holds; what cannot be taken is set aside.

Rows that the dataset holds already, or held and dropped for a reason, are not added again: a new place they were seen
at is noted beside them. So adding a file twice changes nothing, and adding one that has grown adds what is new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import dump_exact
from sluice.core.errors import InputError, UsageError
from sluice.core.files import read_lines
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.wording import counted
from sluice.curate.absent import bring_back, refuse_absent
from sluice.curate.dataset import (
    PARTS,
    Version,
    check_name,
    has_dataset,
    lineage,
    open_dataset,
    operation_frames,
    rows_frame,
)
from sluice.curate.drops import ShownRow, operations_on, shown_row
from sluice.curate.formats import ReadOptions, ReadResult, read_file
from sluice.curate.operation import Outcome, commit
from sluice.curate.privacy.remembered import forgotten_among

if TYPE_CHECKING:
    import polars as pl

FIRST = 5
"""Rows and set-aside lines that the result shows."""


class SetAsideLine(BaseModel):
    """One line that could not be taken exactly."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    line: int
    column: int | None
    reason: str
    raw: str


class FileRead(BaseModel):
    """How one file was read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    sha256: str
    format: str
    shape: str
    encoding: str
    columns: tuple[str, ...]
    rows: int
    set_aside: int
    left_out: dict[str, str]
    """Columns that are not among the metadata, each with the reason."""


class AddResult(BaseModel):
    """What `add` did, or would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    """The newest number of the dataset; 0 where there is none yet (a dry run)."""
    changed: bool
    """Whether a version was made."""
    rows: int
    """Rows that the dataset holds now."""
    added: int
    """Rows that are new to the dataset."""
    repeated: int
    """Lines whose row the dataset holds already, or stood in the files before."""
    dropped_before: int
    """Lines whose row was dropped from the dataset for a reason; they stay out."""
    forgotten: int = 0
    """Lines whose row was erased by `forget`; they are not taken again."""
    set_aside: int
    """Lines that could not be taken exactly."""
    files: tuple[FileRead, ...]
    first_set_aside: tuple[SetAsideLine, ...]
    first_rows: tuple[ShownRow, ...]
    unanswered: int
    """Lines read that have no target."""
    parts: tuple[str, ...]
    """Parts that a split made of this dataset; they do not change."""
    brought_back: tuple[str, ...] = ()
    """Versions whose content was gone from this copy and is here again, made of these files."""
    dry_run: bool = False


def add(
    project: Project,
    dataset: str,
    files: Sequence[str | Path],
    options: ReadOptions | None = None,
    *,
    strict: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> AddResult:
    """Read files into a dataset and make its next version; nothing is added where one of the files cannot be read.

    Args:
        project: its store is made where it is missing.
        dataset: the name, new or known.
        files: paths; each is read whole.
        options: columns, encoding, delimiter, format.
        strict: add nothing where a line has to be set aside.
        dry_run: only say what would be read.
        progress: called with (what, done, total).

    Versions of the dataset whose content is gone are made again where these files hold it.

    Raises InputError for a file that cannot be read and, under `strict`, for the first line that is set aside.
    """
    check_name(dataset)
    if not files:
        raise UsageError("no file to add", remedy=f"sluice add {dataset} FILE...")
    options = options or ReadOptions()
    distinct = {path.resolve(): path for path in map(Path, files)}
    reads = [(name_of(project, path), read_file(path, options, progress)) for path in distinct.values()]
    aside = [
        SetAsideLine(file=name, line=s.line, column=s.column, reason=s.reason, raw=s.raw)
        for name, read in reads
        for s in read.set_aside
    ]
    if strict and aside:
        first = aside[0]
        raise InputError(
            f"{first.reason}; nothing was added ({counted(len(aside), 'such line')})",
            where=f"{first.file}:{first.line}" + (f":{first.column}" if first.column else ""),
            remedy="mend the lines, or leave --strict away: they are then set aside and kept",
            result={"added": 0, "set_aside": len(aside), "first_set_aside": aside[:FIRST]},
        )
    lines = _lines(reads)
    gone = forgotten_among(project, lines["row"])
    forgotten = lines.filter(lines["row"].is_in(list(gone))).height
    lines = lines.filter(~lines["row"].is_in(list(gone))) if gone else lines
    tally: Counter[str] = Counter()

    def build() -> Outcome | None:
        tally.clear()
        if has_dataset(project, dataset):
            refuse_absent(open_dataset(project, dataset), back)
        return _outcome(project, dataset, options, reads, lines, aside, tally)

    back: tuple[str, ...] = ()
    if dry_run:
        build()
        changed = False
    else:
        back = bring_back(project, dataset, lines)
        changed = commit(project, build) is not None
    newest = open_dataset(project, dataset) if has_dataset(project, dataset) else None
    return AddResult(
        dataset=dataset,
        version=newest.number if newest else 0,
        changed=changed,
        rows=newest.manifest.rows if newest else 0,
        added=tally["added"],
        repeated=tally["repeated"],
        dropped_before=tally["dropped"],
        forgotten=forgotten,
        set_aside=len(aside),
        files=tuple(_read_facts(name, read) for name, read in reads),
        first_set_aside=tuple(aside[:FIRST]),
        first_rows=tuple(shown_row(r) for r in lines.head(FIRST).iter_rows(named=True)),
        unanswered=lines.filter((lines["kind"] == "example") & lines["target"].is_null()).height,
        parts=parts_of(project, dataset),
        brought_back=back,
        dry_run=dry_run,
    )


def name_of(project: Project, path: Path) -> str:
    """Return the name that a file is remembered by: relative to the project where it lies inside, else as given."""
    full = path.resolve()
    return full.relative_to(project.root).as_posix() if full.is_relative_to(project.root) else path.as_posix()


def parts_of(project: Project, dataset: str) -> tuple[str, ...]:
    """Return the parts that a whole dataset was split into."""
    if "/" in dataset:
        return ()
    return tuple(f"{dataset}/{part}" for part in PARTS if has_dataset(project, f"{dataset}/{part}"))


def _lines(reads: list[tuple[str, ReadResult]]) -> pl.DataFrame:
    """Return all rows read, one a line, with the columns of a version and those of an occurrence."""
    import polars as pl

    rows = [read.row for _, result in reads for read in result.rows]
    frame = rows_frame(rows)
    places = pl.DataFrame(
        {
            "file": [name for name, result in reads for _ in result.rows],
            "file_sha256": [result.sha256 for _, result in reads for _ in result.rows],
            "line": [read.line for _, result in reads for read in result.rows],
            "metadata": [dump_exact(read.metadata) for _, result in reads for read in result.rows],
        },
        schema={"file": pl.String, "file_sha256": pl.String, "line": pl.Int64, "metadata": pl.String},
    )
    return pl.concat([frame, places], how="horizontal")


def _outcome(
    project: Project,
    dataset: str,
    options: ReadOptions,
    reads: list[tuple[str, ReadResult]],
    lines: pl.DataFrame,
    aside: list[SetAsideLine],
    tally: Counter[str],
) -> Outcome | None:
    """Return what to commit on top of the newest version, None where the files say nothing new."""
    import polars as pl

    from sluice.core.rows import COLUMNS

    newest = open_dataset(project, dataset) if has_dataset(project, dataset) else None
    held = set(newest.frame()["row"]) if newest else set[str]()
    gone = _once_held(newest) - held if newest else set[str]()
    known = pl.col("row").is_in(list(held | gone))
    new = lines.filter(~known).unique("row", keep="first", maintain_order=True).select(COLUMNS)
    dropped = lines.filter(pl.col("row").is_in(list(gone))).height
    tally.update(added=new.height, dropped=dropped, repeated=lines.height - new.height - dropped)
    occurrences = lines.select("row", "file", "file_sha256", "line", "metadata")
    fresh_aside = aside
    if newest is not None:
        operations = lineage(newest)
        seen = operation_frames(project, operations, "occurrences")
        if seen is not None:
            occurrences = occurrences.join(seen, on=["row", "file", "line", "metadata"], how="anti")
        noted = _noted(project, [o.id for o in operations])
        fresh_aside = [a for a in aside if (a.file, a.line, a.raw) not in noted]
    if not new.height and not occurrences.height and not fresh_aside:
        return None
    content = pl.concat([newest.frame(), new]) if newest else new
    facts = [_read_facts(name, read).model_dump(mode="json") for name, read in reads]
    return Outcome(
        verb="add",
        parameters={
            "files": facts,
            "input": options.input,
            "target": options.target,
            "encoding": options.encoding,
            "delimiter": options.delimiter,
            "format": options.format,
        },
        parents=(newest.parent,) if newest else (),
        contents={dataset: content},
        rows_in=len(held),
        occurrences=occurrences.select("row", "file", "file_sha256", "line", "metadata"),
        set_aside=tuple(a.model_dump(mode="json") for a in fresh_aside),
        counts={"added": new.height, "places": occurrences.height, "set_aside": len(fresh_aside)},
    )


def _once_held(version: Version) -> set[str]:
    """Return the rows that the operations on this dataset dropped or changed into others."""
    operations = operations_on(version)
    found: set[str] = set()
    for name, column in (("dropped", "row"), ("edges", "old")):
        frame = operation_frames(version.project, operations, name)
        found |= set(frame[column]) if frame is not None else set()
    return found


def _noted(project: Project, operations: list[str]) -> set[tuple[Any, ...]]:
    files = [project.operations / operation / "set_aside.jsonl" for operation in operations]
    return {(a["file"], a["line"], a["raw"]) for file in files for a in read_lines(file)}


def _read_facts(name: str, read: ReadResult) -> FileRead:
    return FileRead(
        file=name,
        sha256=read.sha256,
        format=read.format,
        shape=read.shape,
        encoding=read.encoding,
        columns=tuple(read.columns),
        rows=len(read.rows),
        set_aside=len(read.set_aside),
        left_out=read.left_out,
    )
