"""What one verb did to a dataset: the record of an operation, and the one way to commit it.

An operation's folder holds the verb, its parameters and counts, each place a row was seen at (`occurrences`), each row
it dropped with the reason and the row kept in its place (`dropped`), each change of a row (`edges`), and the lines that
were set aside. Committing goes: data folder, operation folder, then the numbered names under one short lock with a
journal, so that an operation that makes several parts makes all of them or none.
"""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from sluice import __version__
from sluice.core.canonical import dump_exact
from sluice.core.errors import SurroundingsError, Tampered
from sluice.core.files import atomic_write, file_sha256, link_new, publish_folder, write_synced
from sluice.core.project import Project

if TYPE_CHECKING:
    import polars as pl

FORMAT = 1
OCCURRENCES = ("row", "file", "file_sha256", "line", "metadata")
DROPPED_EXTRA = ("reason", "kept", "similarity", "detail")
EDGES = ("old", "new")
TRIES = 50


class Parent(BaseModel):
    """A version that an operation read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    number: int
    version: str


class Result(BaseModel):
    """A version that an operation made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    number: int
    version: str
    rows: int


class Operation(BaseModel):
    """The record of one operation, as stored in operation.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    id: str
    verb: str
    parameters: dict[str, Any]
    parents: tuple[Parent, ...]
    results: tuple[Result, ...]
    rows_in: int
    rows_out: int
    counts: dict[str, int]
    """What happened to rows, by reason."""
    files: dict[str, str] = {}
    """SHA-256 of each file beside operation.json."""
    time: str
    tool: str


class NameEntry(BaseModel):
    """`names/<dataset>/<n>.json`: which number is which version, and which operation made it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    number: int
    version: str
    operation: str
    time: str


class Outcome(BaseModel):
    """What an operation wants to commit: new contents by dataset, and what it says about rows."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    verb: str
    parameters: dict[str, Any]
    parents: tuple[Parent, ...]
    contents: dict[str, Any]
    """Dataset name to polars frame of rows.COLUMNS (the whole content), in order."""
    rows_in: int
    occurrences: Any = None
    """Polars frame of OCCURRENCES, or None."""
    dropped: Any = None
    """Polars frame of rows.COLUMNS and DROPPED_EXTRA, or None."""
    edges: Any = None
    """Polars frame of EDGES, or None."""
    set_aside: tuple[dict[str, Any], ...] = ()
    report: dict[str, Any] | None = None
    counts: dict[str, int] = {}


def commit(project: Project, build: Callable[[], Outcome | None]) -> Operation | None:
    """Carry out an operation and give its results their numbers.

    `build` reads the newest versions and says what to commit; where another process numbered a version of the same
    datasets meanwhile, it is called again on the winner. Returns None where `build` finds nothing to do.
    """
    from sluice.curate.dataset import write_version

    project.make_store()
    for _ in range(TRIES):
        outcome = build()
        if outcome is None:
            return None
        with project.staging.job() as job:
            versions = {name: write_version(project, job, frame) for name, frame in outcome.contents.items()}
            done = _number_results(project, job, outcome, versions)
        if done is not None:
            return done
    raise SurroundingsError("other processes kept changing the same dataset", remedy="run it again when they are done")


def _number_results(project: Project, job: Path, outcome: Outcome, versions: dict[str, str]) -> Operation | None:
    with project.lock("names", what="the list of versions"):
        _roll_forward(project)
        results: list[Result] = []
        for name, frame in outcome.contents.items():
            read = next((p for p in outcome.parents if p.dataset == name), None)
            newest = newest_number(project, name)
            if newest != (read.number if read else 0):
                return None
            results.append(Result(dataset=name, number=newest + 1, version=versions[name], rows=frame.height))
        done = _write_operation(project, job, outcome, tuple(results))
        entries = [
            NameEntry(dataset=r.dataset, number=r.number, version=r.version, operation=done.id, time=done.time)
            for r in results
        ]
        atomic_write(_journal(project), json.dumps([e.model_dump() for e in entries]).encode())
        _roll_forward(project)
        return done


def _journal(project: Project) -> Path:
    return project.names / "pending.json"


def recover(project: Project) -> None:
    """Finish the numbering that a killed process had decided on. Called by every reader of names; cheap."""
    if _journal(project).exists():
        with project.lock("names", what="the list of versions"):
            _roll_forward(project)


def _roll_forward(project: Project) -> None:
    journal = _journal(project)
    if not journal.exists():
        return
    entries = [NameEntry.model_validate(e) for e in json.loads(journal.read_bytes())]
    with project.staging.job() as job:
        for i, entry in enumerate(entries):
            staged = job / f"name-{i}.json"
            write_synced(staged, (json.dumps(entry.model_dump(), sort_keys=True) + "\n").encode())
            link_new(staged, project.names / entry.dataset / f"{entry.number}.json")
    journal.unlink(missing_ok=True)


def newest_number(project: Project, dataset: str) -> int:
    """Return the newest number of a dataset, 0 where it has none."""
    folder = project.names / dataset
    if not folder.is_dir():
        return 0
    return max((int(p.stem) for p in folder.glob("*.json") if p.stem.isdigit()), default=0)


def _write_operation(project: Project, job: Path, outcome: Outcome, results: tuple[Result, ...]) -> Operation:
    identity = secrets.token_hex(8)
    folder = job / f"operation-{identity}"
    folder.mkdir()
    for name in ("occurrences", "dropped", "edges"):
        frame: pl.DataFrame | None = getattr(outcome, name)
        if frame is not None and frame.height:
            write_parquet(frame, folder / f"{name}.parquet")
    if outcome.set_aside:
        lines = "".join(dump_exact(line) + "\n" for line in outcome.set_aside)
        (folder / "set_aside.jsonl").write_text(lines, encoding="utf-8")
    if outcome.report is not None:
        (folder / "report.json").write_text(json.dumps(outcome.report, ensure_ascii=False, indent=1), encoding="utf-8")
    operation = Operation(
        id=identity,
        verb=outcome.verb,
        parameters=outcome.parameters,
        parents=outcome.parents,
        results=results,
        rows_in=outcome.rows_in,
        rows_out=sum(r.rows for r in results),
        counts=outcome.counts,
        files={file.name: file_sha256(file) for file in sorted(folder.iterdir())},
        time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        tool=f"sluice {__version__}",
    )
    (folder / "operation.json").write_text(operation.model_dump_json(indent=1) + "\n", encoding="utf-8")
    publish_folder(folder, project.operations / identity)
    return operation


def write_parquet(frame: pl.DataFrame, file: Path) -> None:
    """Write a staged Parquet file. Its bytes go through Python, whose error for a full disk can be told from others."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    file.write_bytes(buffer.getbuffer())


def read_operation(project: Project, operation: str) -> Operation:
    """Return the record of an operation. Raises Tampered where it is gone or cannot be read."""
    file = project.operations / operation / "operation.json"
    try:
        return Operation.model_validate_json(file.read_bytes())
    except (ValueError, FileNotFoundError) as problem:
        raise damaged(project, file) from problem


def damaged(project: Project, file: Path) -> Tampered:
    """Return the error for a file of the store that is gone or does not hold what was written."""
    what = "is damaged: it does not hold what was written" if file.exists() else "is gone"
    where = file.relative_to(project.root).as_posix()
    return Tampered(f"a file of the store {what}", where=where, remedy="restore it from a copy")
