"""`export`: a version to a file, one row a line, with the columns that its rows came with.

The forms are those of `sluice.curate.formats`; here rows get their metadata, the order of the original columns and,
with `everything`, the rows that were dropped with the reason and the row kept in their place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, UsageError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.prompt import load_prompt
from sluice.curate.add import name_of
from sluice.curate.dataset import Version, open_dataset
from sluice.curate.drops import dropped_frame
from sluice.curate.formats import WRITERS, ExportRow, WriteOptions, write_rows
from sluice.curate.metadata import adding_operations, metadata_of, original_columns

BY_EXTENSION = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}


class ExportResult(BaseModel):
    """What was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: str
    path: str
    format: str
    rows: int
    dropped: int
    """Of those, rows that are out of the version (with `everything`)."""
    columns: tuple[str, ...]
    size: int
    sha256: str
    inexact: dict[str, str]
    """Columns that are not read back as they were, each with what became of their values."""
    made_folder: str | None = None
    """The folder of the file, where it was made for it."""


def export(
    project: Project,
    ref: str,
    path: str | Path,
    *,
    format: str | None = None,
    everything: bool = False,
    prompt: str | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> ExportResult:
    """Write a version to a file in one step; another file of that name is kept, a source of the rows always.

    Args:
        project: of the dataset.
        ref: NAME, NAME@3 or NAME:tag.
        path: the file.
        format: messages, prompt-completion, jsonl, csv or parquet; None: by the file's extension.
        everything: also write dropped rows, with the columns status, reason and kept_row.
        prompt: a prompt file of the project that turns fields into messages (messages and prompt-completion).
        replace: whether a file that holds something else is replaced.
        progress: called with (what, done, total).

    Raises FileStands for a file that holds something else, InputError where the extension says nothing, for a row that
    the format cannot hold, and for a file that the rows were read from; UsageError for a format that contradicts the
    file's ending and for a prompt that would do nothing.
    """
    path = Path(path)
    version = open_dataset(project, ref)
    _refuse_source(project, version, path)
    form = format or _by_extension(path)
    _check_form(form, path, prompt)
    made = None if path.parent.exists() else str(path.parent)
    columns, target = original_columns(version)
    records = _records(version, everything)
    written = write_rows(
        records,
        path,
        form,
        WriteOptions(
            columns=columns,
            target_column=target or "target",
            render=load_prompt(project, prompt).render if prompt else None,
        ),
        progress,
        replace=replace,
    )
    return ExportResult(
        of=version.ref,
        path=str(path),
        format=written.format,
        rows=written.rows,
        dropped=sum(r.status == "dropped" for r in records),
        columns=tuple(written.columns),
        size=written.size,
        sha256=written.sha256,
        inexact=written.inexact,
        made_folder=made,
    )


def _by_extension(path: Path) -> str:
    found = BY_EXTENSION.get(path.suffix.lower())
    if found is None:
        raise InputError(
            f"the ending '{path.suffix}' names no format" if path.suffix else "the file has no ending",
            where=str(path),
            remedy="end it in .jsonl, .csv or .parquet, or add --format messages",
        )
    return found


def _check_form(form: str, path: Path, prompt: str | None) -> None:
    """Raise UsageError where the ending of the file says another form than is written, or a prompt would do nothing."""
    named = BY_EXTENSION.get(path.suffix.lower())
    holds = form if form in BY_EXTENSION.values() else "jsonl"
    if named is not None and form in WRITERS and named != holds:
        raise UsageError(
            f"a file that ends in {path.suffix} would hold {form}, which is {holds.upper()}",
            where=str(path),
            remedy=f"end it in .{holds}",
        )
    if prompt is not None and form in BY_EXTENSION.values():
        raise UsageError(
            f"a prompt makes messages of the fields, and {form} writes the fields as they are",
            where="--prompt",
            remedy="add --format messages, or leave the prompt out",
        )


def _refuse_source(project: Project, version: Version, path: Path) -> None:
    name = name_of(project, path)
    sources = {f["file"] for o in adding_operations(version) for f in o.parameters.get("files", [])}
    if name in sources and path.exists():
        raise InputError("the rows were read from this file", where=str(path), remedy="choose another name")


def _records(version: Version, everything: bool) -> list[ExportRow]:
    beside = metadata_of(version)
    status = "kept" if everything else None
    rows = [
        ExportRow(record, beside.get(record["row"], {}), status) for record in version.frame().iter_rows(named=True)
    ]
    gone = dropped_frame(version) if everything else None
    if gone is not None:
        rows += [_dropped(record, beside) for record in gone.iter_rows(named=True)]
    return rows


def _dropped(record: dict[str, Any], beside: dict[str, dict[str, Any]]) -> ExportRow:
    return ExportRow(record, beside.get(record["row"], {}), "dropped", record["reason"], record["kept"])
