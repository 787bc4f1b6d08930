"""`export`: a version to a file, one row a line, with the columns that its rows came with.

The shapes and forms are those of `sluice.curate.formats`; here rows get their metadata, the order of the original
columns and, with `everything`, the rows that were dropped with the reason and the row kept in their place. A folder
(`hf`, `hf-disk`) is made by `sluice.curate.publish`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, UsageError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.prompt import load_prompt
from sluice.curate.dataset import Version, open_dataset
from sluice.curate.export_rows import ExportRows
from sluice.curate.formats import ENCODERS, WRITERS, WriteOptions, write_rows
from sluice.curate.metadata import adding_operations, original_columns
from sluice.curate.publish.folder import FolderResult, Layout, export_folder
from sluice.curate.publish.splits import AllRows, in_no_part, splits_of
from sluice.curate.publish.words import CardWords


class ExportResult(BaseModel):
    """What was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: str
    version: str
    """The hash of the version, 64 hex digits."""
    path: str
    format: str
    """The form of file: jsonl, csv, parquet, ...; with .gz or .zst where it is packed."""
    shape: str
    """The shape of rows: columns (as they came), messages, preference, ..."""
    rows: int
    dropped: int
    """Of those, rows that are out of the version (with `everything`)."""
    columns: tuple[str, ...]
    size: int
    sha256: str
    inexact: dict[str, str]
    """Columns that are not read back as they were, each with what became of their values."""
    read_with: tuple[str, ...] = ()
    """What `add` has to be told to read it back; nothing where it sees for itself."""
    made_folder: str | None = None
    """The folder of the file, where it was made for it."""


class Form(NamedTuple):
    """What `--format` says: a shape of rows, and a form of file where it is named."""

    shape: str
    file: str | None


def export(
    project: Project,
    ref: str,
    path: str | Path,
    *,
    format: str | None = None,
    everything: bool = False,
    prompt: str | None = None,
    implicit: bool = False,
    kind: str | None = None,
    beside: Sequence[str] = (),
    replace: bool = False,
    progress: Progress | None = None,
) -> ExportResult:
    """Write a version to a file in one step; another file of that name is kept, a source of the rows always.

    Args:
        project: of the dataset.
        ref: NAME, NAME@3 or NAME:tag.
        path: the file. Its ending tells the form of file; .gz and .zst behind it pack it.
        format: a shape of rows (messages, preference, trl, ...) or a form of file (csv, parquet, ...); None: the
            columns as they came, by the file's ending.
        everything: also write dropped rows, with the columns status, reason and kept_row.
        prompt: a prompt file of the project that turns fields into messages.
        implicit: preference rows as two transcripts with a shared beginning.
        kind: only rows of this kind.
        beside: metadata columns that a shape without metadata carries all the same.
        replace: whether a file that holds something else is replaced.
        progress: called with (what, done, total).

    Raises FileStands for a file that holds something else, InputError where the extension says nothing, for a row that
    the shape cannot hold, and for a file that the rows were read from; UsageError for a format that contradicts the
    file's ending and for a prompt that would do nothing.
    """
    path = Path(path)
    version = open_dataset(project, ref)
    refuse_source(project, version, path)
    form = form_named(format)
    made = None if path.parent.exists() else str(path.parent)
    rows = ExportRows(version, everything=everything, kind=kind)
    written = write_rows(
        rows,
        path,
        form.shape,
        write_options(version, rows, prompt=prompt, implicit=implicit, beside=beside),
        progress,
        format=form.file,
        title=version.ref,
        replace=replace,
    )
    return ExportResult(
        of=version.ref,
        version=version.hash,
        path=str(path),
        format=written.format,
        shape=written.shape,
        rows=written.rows,
        dropped=rows.dropped,
        columns=tuple(written.columns),
        size=written.size,
        sha256=written.sha256,
        inexact=written.inexact,
        read_with=written.read_with,
        made_folder=made,
    )


def export_to_folder(
    project: Project,
    ref: str,
    folder: str | Path,
    words: CardWords,
    *,
    format: Layout = "hf",
    shape: str = "columns",
    prompt: str | None = None,
    implicit: bool = False,
    kind: str | None = None,
    beside: Sequence[str] = (),
    samples: int = 0,
    checks: bool = True,
    replace: bool = False,
    progress: Progress | None = None,
) -> FolderResult:
    """Write a dataset to a folder that Hugging Face `datasets` loads, with card and Croissant metadata, in one step.

    Args:
        project: of the dataset.
        ref: NAME (its parts become splits, where it has some), NAME@3, NAME:tag or a part.
        folder: a new or empty one, or an earlier export.
        words: what people state of the dataset.
        format: `hf` for Parquet below data/, `hf-disk` as `datasets.save_to_disk` writes.
        shape: a shape of rows.
        prompt, implicit, kind, beside: as for `export`.
        samples: rows of each split that the card shows; none unless asked for.
        checks: whether the audit is run for the card; without it the card says that it was not.
        replace: whether another export in that folder is replaced.
        progress: called with (what, done, total).

    Raises FileStands for another export, InputError for a folder with anything else in it.
    """
    splits = splits_of(project, ref, kind=kind)
    for split in splits:
        refuse_source(project, split.version, Path(folder))
    options = write_options(splits[0].version, AllRows(splits), prompt=prompt, implicit=implicit, beside=beside)
    how: dict[str, Any] = {"samples": samples, "checks": checks, "replace": replace, "progress": progress}
    done = export_folder(project, ref, splits, Path(folder), format, shape, options, words, **how)
    return done.model_copy(update={"in_no_part": in_no_part(project, ref, splits)})


def form_named(format: str | None) -> Form:
    """Return what a `--format` names. Raises InputError for a name that is neither, with the near one."""
    if format is None:
        return Form("columns", None)
    if format in ENCODERS:
        return Form("text" if format == "txt" else "columns", format)
    if format not in WRITERS and format not in ENCODERS:
        from difflib import get_close_matches

        names = [*WRITERS.names(), *ENCODERS.names(), "hf", "hf-disk"]
        near = get_close_matches(format, names, n=1)
        known = ", ".join(names)
        raise InputError(
            f"no format is called '{format}'", remedy=f"did you mean '{near[0]}'?" if near else f"known: {known}"
        )
    return Form(format, None)


def write_options(
    version: Version,
    rows: ExportRows | AllRows,
    *,
    prompt: str | None = None,
    implicit: bool = False,
    beside: Sequence[str] = (),
) -> WriteOptions:
    """Return how the rows of a version become columns. Raises InputError for a metadata column that no row has."""
    columns, targets = original_columns(version)
    for name in beside:
        if name not in rows.metadata_columns:
            known = ", ".join(rows.metadata_columns) or "none"
            raise UsageError(f"no row has a column '{name}' beside it", where="--with", remedy=f"columns: {known}")
    return WriteOptions(
        columns=columns,
        targets=targets or ("target",),
        render=load_prompt(version.project, prompt).render if prompt else None,
        implicit=implicit,
        beside=tuple(beside),
    )


def refuse_source(project: Project, version: Version, path: Path) -> None:
    """Raise InputError for a file that rows of the version were read from, a folder with one in it, and the store."""
    place = path.resolve()
    if place.is_relative_to(project.store.resolve()):
        raise InputError(
            "this is in the store, which Sluice alone writes", where=str(path), remedy="name another place"
        )
    for name in source_names(version):
        source = (project.root / name).resolve()
        if source.exists() and (source == place or source.is_relative_to(place)):
            raise InputError("the rows were read from this file", where=str(source), remedy="choose another name")


def source_names(version: Version) -> set[str]:
    """Return the files that the rows of a version were read from, as they are remembered."""
    return {file["file"] for o in adding_operations(version) for file in o.parameters.get("files", [])}
