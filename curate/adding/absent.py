"""Versions whose content is not in this copy: which command brings it back, and bringing it back from its files.

Names and operations tell which rows a version held: those of the version before, with what a file gave (`add`) or
without what was dropped. So content is made again out of the same files and counts only where it has the very hash
of the version; what comes out otherwise is not written. Frozen sets and the ledger do not depend on any of this.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sluice.core.errors import InputError, SluiceError
from sluice.core.project import Project
from sluice.core.rows import COLUMNS
from sluice.core.wording import typed
from sluice.curate.adding.command import FLAGS, add_command
from sluice.curate.dataset import (
    Version,
    has_dataset,
    lineage,
    operation_frames,
    row_schema,
    version_hash,
    versions,
    write_version,
)
from sluice.curate.drops import operations_on
from sluice.curate.operation import Operation

if TYPE_CHECKING:
    import polars as pl


def way_back(version: Version) -> str:
    """Return what brings the content of a version back where it is gone: a copy, or the commands that made it."""
    base, _, part = version.dataset.partition("/")
    try:
        made_by = operations_on(version)[::-1]
    except SluiceError:  # of an operation that is gone as well
        made_by = []
    again: list[str] = []
    if part and any(o.verb == "split" for o in made_by):
        again = [f"sluice split {base}"]
    else:
        files: dict[tuple[Any, ...], list[str]] = {}
        for o in made_by:
            if o.verb == "add" and not o.parameters.get("fix"):
                how = (o.parameters.get(flag) for flag in FLAGS)
                alike = files.setdefault(tuple(tuple(v) if isinstance(v, list) else v for v in how), [])
                alike += [f["file"] for f in o.parameters["files"] if f["file"] not in alike]
        options = [dict(zip(FLAGS, how, strict=True)) for how in files]
        again = [add_command(version.dataset, f, o) for f, o in zip(files.values(), options, strict=True)]
        again += [f"sluice add {version.dataset} --fix {typed(name)}" for name in _mended_in(made_by)]
    again += _redactions(version.dataset, made_by)[-1:]
    copy = "copy .sluice/data from where it is whole"
    return f"{copy}, or make it again: {'; then '.join(again)}" if again else copy


def _mended_in(operations: Sequence[Operation]) -> list[str]:
    """Return the files that mended lines were taken from, in order."""
    return list(dict.fromkeys(o.parameters["fix"]["file"] for o in operations if o.parameters.get("fix")))


def _redactions(dataset: str, operations: Sequence[Operation]) -> list[str]:
    """Return the command of each redaction, in order; one said again changes nothing but what is absent."""
    found: list[str] = []
    for o in operations:
        if o.verb == "redact" and o.parameters["mapping"] == "keep":  # else nobody knows the pseudonyms again
            kinds, regions, names = (o.parameters[key] for key in ("kinds", "regions", "names"))
            options = {"kinds": ",".join(kinds or ()), "region": ",".join(regions or ()), "names": names or ""}
            said = (f"--{flag} {typed(value)}" for flag, value in options.items() if value)
            found.append(" ".join((f"sluice redact {dataset}", *said)))
    return found


def refuse_absent(version: Version, back: Sequence[str], done: str = "these files alone do") -> None:
    """Raise InputError where the content is still absent, although what was `done` brought others back."""
    if not version.is_here:
        some = f"{', '.join(back)} came back; " if back else ""
        raise InputError(
            f"{some}the content of this version is absent here, and {done} not make it again",
            where=version.ref,
            remedy=way_back(version),
        )


def bring_back(
    project: Project,
    dataset: str,
    found: pl.DataFrame | None = None,
    draw: Callable[[Version], pl.DataFrame | None] | None = None,
    drawn: str = "split",
) -> tuple[str, ...]:
    """Write the absent content of a dataset's versions again, oldest first, as far as it can be made.

    Args:
        project: of the dataset.
        dataset: its name; one that has no version has nothing to bring back.
        found: rows of rows.COLUMNS as they were read from files.
        draw: makes the content of a version that the verb `drawn` made.
        drawn: `split` or `redact`, which do their work again.

    Returns:
        the versions that are here again, `tickets@1`.
    """
    if not has_dataset(project, dataset):
        return ()
    lacking = [version for version in versions(project, dataset) if not version.is_here]
    back: list[str] = []
    for version in lacking:
        content = draw(version) if draw and version.operation.verb == drawn else _content(version, found)
        if content is not None and version_hash(content) == version.hash:
            with project.staging.job() as job:
                write_version(project, job, content)
            back.append(version.ref)
    return tuple(back)


def _content(version: Version, found: pl.DataFrame | None) -> pl.DataFrame | None:
    """Return what a version must have held, None where the version before it is not here either."""
    import polars as pl

    before = next((p for p in version.operation.parents if p.dataset == version.dataset), None)
    old = pl.DataFrame(schema=row_schema())
    if before is not None:
        parent = versions(version.project, version.dataset)[before.number - 1]
        if not parent.is_here:
            return None
        old = parent.frame()
    dropped = operation_frames(version.project, [version.operation], "dropped")
    if dropped is not None:
        old = old.filter(~pl.col("row").is_in(dropped["row"].implode()))
    sources = [frame.select(COLUMNS) for frame in (found, _once_dropped(version)) if frame is not None]
    new = _came_in(version) - set(old["row"])
    joined = [frame.filter(pl.col("row").is_in(list(new))) for frame in sources]
    return pl.concat([old, *joined]).unique("row", keep="first", maintain_order=True)


def _came_in(version: Version) -> set[str]:
    """Return the rows that an operation read from files or brought back; some may be held already."""
    operation = version.operation
    read = operation_frames(version.project, [operation], "occurrences")
    report = version.project.operations / operation.id / "report.json"
    restored = json.loads(report.read_bytes()).get("restored", ()) if operation.verb == "restore" else ()
    out = _once_dropped(version) if operation.verb == "add" else None  # what was dropped before stays out
    return {*(read["row"] if read is not None else ()), *restored} - set(out["row"] if out is not None else ())


def _once_dropped(version: Version) -> pl.DataFrame | None:
    return operation_frames(version.project, lineage(version), "dropped")
