"""`add`: read files into a dataset. What a file says is what the version holds; what cannot be taken is set aside.

Rows that the dataset holds already, or held and dropped for a reason, are not added again: a new place they were seen
at is noted beside them. So adding a file twice changes nothing, and adding one that has grown adds what is new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, UsageError
from sluice.core.files import read_lines
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.wording import counted
from sluice.curate.adding.absent import bring_back, refuse_absent
from sluice.curate.adding.places import SetAsideLine, lines_of, once_held, places_of
from sluice.curate.adding.remarks import FileNotRead, MojibakeFound, first_mojibake, mended_rows, not_read
from sluice.curate.adding.set_aside import mended_since
from sluice.curate.dataset import (
    PARTS,
    check_name,
    has_dataset,
    lineage,
    open_dataset,
    operation_frames,
)
from sluice.curate.drops import ShownRow, shown_row
from sluice.curate.formats import Entry, ReadOptions, ReadResult, Reads, read_files
from sluice.curate.operation import DROPPED_EXTRA, OCCURRENCES, Outcome, commit
from sluice.curate.privacy.remembered import forgotten_among, forgotten_unknown

if TYPE_CHECKING:
    import polars as pl

FIRST = 5
"""Rows and set-aside lines that the result shows."""


class FileRead(BaseModel):
    """How one file was read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    sha256: str
    format: str
    shape: str
    read_as: str
    """What the rows were taken for, for people: "ShareGPT chats"."""
    encoding: str
    columns: tuple[str, ...]
    rows: int
    set_aside: int
    left_out: dict[str, str]
    """Columns that are not among the metadata, each with the reason."""
    note: str | None = None
    """What else the columns fit, and how the file is then read."""
    sheet: str | None = None
    """The sheet of a workbook that was read."""
    packed: str | None = None
    """`gzip` or `zstd`; `sha256` is of the packed file."""
    encoding_detected: bool = False
    """Whether the encoding was detected (`--encoding auto`) rather than told."""
    mojibake: int = 0
    """Rows with text whose bytes were once decoded in the wrong encoding."""


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
    forgotten_unknown: int = 0
    """Rows forgotten in another copy, whose key is not here: lines that hold them cannot be told, and are taken."""
    set_aside: int
    """Lines that could not be taken exactly."""
    files: tuple[FileRead, ...]
    first_set_aside: tuple[SetAsideLine, ...]
    first_rows: tuple[ShownRow, ...]
    unanswered: int
    """Lines read that have no target."""
    parts: tuple[str, ...]
    """Parts that a split made of this dataset; they do not change."""
    files_set_aside: tuple[FileNotRead, ...] = ()
    """Files whose encoding is in doubt, set aside whole under the encoding `auto`."""
    passed_over: tuple[FileNotRead, ...] = ()
    """Files of a folder or pattern that are of no form that is read."""
    mojibake: int = 0
    """Rows read with text whose bytes were once decoded in the wrong encoding."""
    first_mojibake: tuple[MojibakeFound, ...] = ()
    mended: bool = False
    """Whether such rows were mended; each is kept as the file has it among the dropped rows."""
    brought_back: tuple[str, ...] = ()
    """Versions whose content was gone from this copy and is here again, made of these files."""
    mended_since: int = 0
    """Of the lines set aside, those that were mended before and are rows of the dataset."""
    fixed: int = 0
    """Set-aside lines that were mended and are rows now (`--fix`)."""
    dry_run: bool = False


def add(
    project: Project,
    dataset: str,
    files: Sequence[str | Path | Entry],
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
        files: paths, folders, patterns, ids of the hub, or Entries; each file is read whole.
        options: columns, encoding, delimiter, format and the like.
        strict: add nothing where a line, or a file whose encoding is in doubt, has to be set aside.
        dry_run: only say what would be read.
        progress: called with (what, done, total).

    Versions of the dataset whose content is gone are made again where these files hold it.

    Raises InputError for a file that cannot be read and, under `strict`, for the first line that is set aside.
    """
    check_name(dataset)
    if not files:
        raise UsageError("no file to add", remedy=f"sluice add {dataset} FILE...")
    options = options or ReadOptions()
    found = read_files(files, options, lambda path: name_of(project, path), progress)
    aside = set_aside_of(found)
    if strict and aside:
        first = aside[0]
        raise InputError(
            f"{first.reason}; nothing was added ({counted(len(aside), 'such line')})",
            where=f"{first.file}:{first.line}" + (f":{first.column}" if first.column else ""),
            remedy="mend the lines, or leave --strict away: they are then set aside and kept",
            result={"added": 0, "set_aside": len(aside), "first_set_aside": aside[:FIRST]},
        )
    if strict and found.doubtful:
        raise InputError(
            f"{found.doubtful[0].reason}; nothing was added",
            where=found.doubtful[0].file,
            remedy="name its encoding, or leave --strict away: the file is then set aside whole",
            result={"added": 0, "set_aside": 0, "files_set_aside": not_read(found.doubtful)},
        )
    return take_in(project, dataset, options, found, dry_run=dry_run)


def take_in(
    project: Project,
    dataset: str,
    options: ReadOptions,
    found: Reads,
    *,
    fix: dict[str, Any] | None = None,
    dry_run: bool = False,
) -> AddResult:
    """Make the next version of a dataset of files that were read.

    Args:
        project, dataset, options, dry_run: as in `add`.
        found: what was read.
        fix: where the lines are mended ones, the file that they stand in: `file`, `sha256`.
    """
    reads, aside = found.files, set_aside_of(found)
    lines = lines_of(reads)
    before = mended_rows(reads)
    gone = list(forgotten_among(project, {*lines["row"], *(before["row"] if before is not None else ())}))
    forgotten = lines.filter(lines["row"].is_in(gone)).height
    if gone:
        lines = lines.filter(~lines["row"].is_in(gone))
        if before is not None:
            before = before.filter(~(before["row"].is_in(gone) | before["kept"].is_in(gone)))
            before = before if before.height else None
    tally: Counter[str] = Counter()

    def build() -> Outcome | None:
        tally.clear()
        if has_dataset(project, dataset):
            refuse_absent(open_dataset(project, dataset), back)
        return _outcome(project, dataset, options, found, lines, aside, before, tally, fix)

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
        forgotten_unknown=forgotten_unknown(project) if tally["added"] else 0,
        set_aside=len(aside),
        files=tuple(read_facts(name, read) for name, read in reads),
        first_set_aside=tuple(aside[:FIRST]),
        first_rows=tuple(shown_row(r) for r in lines.head(FIRST).iter_rows(named=True)),
        unanswered=lines.filter((lines["kind"] == "example") & lines["target"].is_null()).height,
        parts=parts_of(project, dataset),
        files_set_aside=not_read(found.doubtful),
        passed_over=not_read(found.passed_over),
        mojibake=sum(len(read.mojibake) for _, read in reads),
        first_mojibake=first_mojibake(reads),
        mended=options.fix_mojibake,
        brought_back=back,
        mended_since=mended_since(newest, aside) if newest and aside else 0,
        fixed=tally["added"] + tally["repeated"] + tally["dropped"] if fix else 0,
        dry_run=dry_run,
    )


def set_aside_of(found: Reads) -> list[SetAsideLine]:
    """Return the lines of all files that could not be taken."""
    return [
        SetAsideLine(file=name, line=s.line, column=s.column, reason=s.reason, raw=s.raw)
        for name, read in found.files
        for s in read.set_aside
    ]


def name_of(project: Project, path: Path) -> str:
    """Return the name that a file is remembered by: relative to the project where it lies inside, else as given."""
    full = path.resolve()
    return full.relative_to(project.root).as_posix() if full.is_relative_to(project.root) else path.as_posix()


def parts_of(project: Project, dataset: str) -> tuple[str, ...]:
    """Return the parts that a whole dataset was split into."""
    if "/" in dataset:
        return ()
    return tuple(f"{dataset}/{part}" for part in PARTS if has_dataset(project, f"{dataset}/{part}"))


def _outcome(
    project: Project,
    dataset: str,
    options: ReadOptions,
    found: Reads,
    lines: pl.DataFrame,
    aside: list[SetAsideLine],
    before: pl.DataFrame | None,
    tally: Counter[str],
    fix: dict[str, Any] | None,
) -> Outcome | None:
    """Return what to commit on top of the newest version, None where the files say nothing new."""
    import polars as pl

    from sluice.core.rows import COLUMNS

    newest = open_dataset(project, dataset) if has_dataset(project, dataset) else None
    held = set(newest.frame()["row"]) if newest else set[str]()
    gone = once_held(newest) - held if newest else set[str]()
    old = before.filter(~pl.col("row").is_in(list(gone))) if before is not None else None
    replaced = held & set(old["row"]) if old is not None else set[str]()
    known = pl.col("row").is_in(list(held | gone))
    new = lines.filter(~known).unique("row", keep="first", maintain_order=True).select(COLUMNS)
    dropped = lines.filter(pl.col("row").is_in(list(gone))).height
    tally.update(added=new.height, dropped=dropped, repeated=lines.height - new.height - dropped)
    occurrences = places_of(lines)
    fresh_aside = aside
    if newest is not None:
        operations = lineage(newest)
        seen = operation_frames(project, operations, "occurrences")
        if seen is not None:
            occurrences = occurrences.join(seen, on=["row", "file", "line", "metadata"], how="anti")
        noted = _noted(project, [o.id for o in operations])
        fresh_aside = [a for a in aside if (a.file, a.line, a.raw) not in noted]
    if not new.height and not occurrences.height and not fresh_aside and not replaced:
        return None
    content = pl.concat([newest.frame().filter(~pl.col("row").is_in(list(replaced))), new]) if newest else new
    facts = [read_facts(name, read).model_dump(mode="json") for name, read in found.files]
    doubtful = [f.model_dump(mode="json") for f in not_read(found.doubtful)]
    return Outcome(
        verb="add",
        parameters={
            "files": facts,
            **asdict(options),
            **({"fix": fix} if fix else {}),
            **({"files_set_aside": doubtful} if doubtful else {}),
        },
        parents=(newest.parent,) if newest else (),
        contents={dataset: content},
        rows_in=len(held),
        occurrences=occurrences.select(OCCURRENCES),
        dropped=old.select(*COLUMNS, *DROPPED_EXTRA) if old is not None else None,
        edges=old.select(pl.col("row").alias("old"), pl.col("kept").alias("new")) if old is not None else None,
        set_aside=tuple(a.model_dump(mode="json") for a in fresh_aside),
        counts={"added": new.height, "places": occurrences.height, "set_aside": len(fresh_aside)}
        | ({"mojibake": old.height} if old is not None and old.height else {}),
    )


def _noted(project: Project, operations: list[str]) -> set[tuple[Any, ...]]:
    files = [project.operations / operation / "set_aside.jsonl" for operation in operations]
    return {(a["file"], a["line"], a["raw"]) for file in files for a in read_lines(file)}


def read_facts(name: str, read: ReadResult) -> FileRead:
    """Return how a file was read, under the name that it is shown by."""
    return FileRead(
        file=name,
        sha256=read.sha256,
        format=read.format,
        shape=read.shape,
        read_as=read.read_as,
        encoding=read.encoding,
        columns=tuple(read.columns),
        rows=len(read.rows),
        set_aside=len(read.set_aside),
        left_out=read.left_out,
        note=read.note,
        sheet=read.sheet,
        packed=read.packed,
        encoding_detected=read.detected,
        mojibake=len(read.mojibake),
    )
