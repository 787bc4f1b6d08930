"""The columns beside a row: read back from the places it was seen at. Many to one, outside the row's hashes.

A row that was seen at several places has several sets of columns: the oldest place speaks for the row where one value
is wanted (export, a label beside the row), all of them where any counts (groups).
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any

from sluice.core.canonical import dump_exact, parse_exact
from sluice.core.errors import InputError
from sluice.core.progress import Progress, watched
from sluice.curate.dataset import Version, lineage, metadata_by_row
from sluice.curate.operation import Operation


def metadata_of(
    version: Version, rows: Collection[str] | None = None, progress: Progress | None = None
) -> dict[str, dict[str, Any]]:
    """Return, by row, the columns of the oldest place that it was seen at; of some rows, or of all."""
    places = metadata_by_row(version, rows)
    told = watched(places.items(), "columns beside rows", len(places), progress)
    return {row: parse_exact(seen[0]["metadata"]) for row, seen in told}


def group_values(
    version: Version,
    column: str,
    rows: Collection[str] | None = None,
    *,
    needed: bool = True,
    where: str = "[task] group",
) -> dict[str, list[str]]:
    """Return, by row, the values of one column over all places that the row was seen at.

    `rows` may be others than the version's own: those that were dropped from it.

    Raises InputError where it is needed and no place of any row has it, naming the columns that there are; `where` is
    what asked for it.
    """
    held = set(version.frame()["row"] if rows is None else rows)
    columns: set[str] = set()
    found: dict[str, list[str]] = {}
    for row, seen in metadata_by_row(version).items():
        if row not in held:
            continue
        values: dict[str, None] = {}
        for place in seen:
            beside = parse_exact(place["metadata"])
            columns.update(beside)
            value = beside.get(column)
            if value is not None:
                values[value if isinstance(value, str) else dump_exact(value)] = None
        if values:
            found[row] = list(values)
    if not found and needed:
        near = get_close_matches(column, columns, n=1)
        raise InputError(
            f"no row of '{version.dataset}' has a column '{column}' beside it",
            where=where,
            remedy=f"did you mean {near[0]}?" if near else f"columns here: {', '.join(sorted(columns)) or 'none'}",
        )
    return found


def class_path(version: Version) -> str | None:
    """Return the path of the class: the task's `stratify`, else the one that the split behind a version was told."""
    if version.project.has_config and version.project.config.task.stratify:
        return version.project.config.task.stratify
    for operation in lineage(version):
        if operation.verb == "split" and operation.parameters.get("stratify"):
            return str(operation.parameters["stratify"])
    return None


def adding_operations(version: Version) -> list[Operation]:
    """Return the operations that read files into what became this version, oldest first."""
    return [o for o in lineage(version)[::-1] if o.verb == "add"]


ANSWERS = {"prompt-completion": "completion", "alpaca": "output"}
"""By shape: the column of the answer, where nobody named one."""


def original_columns(version: Version) -> tuple[list[str], tuple[str, ...]]:
    """Return the columns of the files that the rows came from, in order, and the names of the target columns."""
    columns: dict[str, None] = {}
    targets: tuple[str, ...] = ()
    for operation in adding_operations(version):
        files = operation.parameters.get("files", [])
        for file in files:
            columns.update(dict.fromkeys(file["columns"]))
        named = operation.parameters.get("target") or next((ANSWERS.get(f["shape"]) for f in files), None)
        if not targets and named:
            parts = [named] if named in columns else [part.strip() for part in named.split(",")]
            targets = tuple(dict.fromkeys(parts)) if set(parts) <= set(columns) else ()
    return list(columns), targets
