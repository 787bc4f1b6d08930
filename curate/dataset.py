"""Datasets and their immutable versions: names, numbers, tags, manifests over Parquet.

`tickets` names the newest version, `tickets@3` one of them, `tickets:gold` a tag; `tickets/train` is a part, a dataset
with versions of its own. A version's hash is over its sorted row hashes, group values and schema, so that it does not
depend on who wrote the Parquet; file hashes beside it serve against corruption.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.core.canonical import canonical
from sluice.core.errors import InputError, Tampered, UsageError
from sluice.core.files import atomic_write, file_sha256, publish_folder
from sluice.core.progress import Progress, watched
from sluice.core.project import DATASET_NAME, NAME_RULE, STORE, Project
from sluice.core.rows import COLUMNS, AnyRow, Example, from_record, to_record
from sluice.curate.manifest import DataFile, Manifest, manifest_bytes
from sluice.curate.operation import (
    NameEntry,
    Operation,
    Parent,
    damaged,
    newest_number,
    read_operation,
    recover,
    write_parquet,
)

if TYPE_CHECKING:
    import polars as pl

PARTS = ("train", "dev", "eval")
_NAME = re.compile(rf"{DATASET_NAME}(/(train|dev|eval))?")
_REF = re.compile(r"(?P<name>[^@:]+)(@(?P<number>\d+)|:(?P<tag>[a-z0-9][a-z0-9._-]*))?")


def row_schema() -> Any:
    """Return the polars schema of rows.COLUMNS."""
    import polars as pl

    schema: dict[str, Any] = dict.fromkeys(COLUMNS, pl.String)
    schema["good"] = pl.Boolean
    schema["groups"] = pl.List(pl.String)
    return pl.Schema(schema)


def read_stored(project: Project, file: Path) -> pl.DataFrame:
    """Return a Parquet file of the store. Raises Tampered where it is gone or damaged."""
    import polars as pl

    try:
        return pl.read_parquet(file)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as problem:
        raise damaged(project, file) from problem


def rows_frame(rows: list[AnyRow], groups: dict[str, list[str]] | None = None) -> pl.DataFrame:
    """Return rows as a polars frame of rows.COLUMNS, in their order."""
    import polars as pl

    records = [to_record(row, (groups or {}).get(row.row)) for row in rows]
    return pl.DataFrame(records, schema=row_schema(), orient="row")


def version_hash(frame: pl.DataFrame) -> str:
    """Return the hash of a version's content: sorted rows with their groups, and the schema. 64 hex digits."""
    digest = hashlib.sha256(b"sluice/version/1\n" + canonical(list(COLUMNS)).encode() + b"\n")
    if not (frame["groups"].list.len() > 0).any():  # as `add` leaves them: all lines at once
        digest.update("".join([f"{row} []\n" for row in frame["row"].sort().to_list()]).encode())
        return digest.hexdigest()
    for row, groups in sorted(zip(frame["row"].to_list(), frame["groups"].to_list(), strict=True)):
        digest.update(f"{row} {canonical(sorted(groups)) if groups else '[]'}\n".encode())
    return digest.hexdigest()


def write_version(project: Project, job: Path, frame: pl.DataFrame) -> str:
    """Publish the content of a version and return its hash; content that is already there is left alone."""
    version = version_hash(frame)
    final = project.data / version
    if (final / "manifest.json").exists():
        return version
    folder = job / f"version-{version[:16]}"
    folder.mkdir(exist_ok=True)
    file = folder / "rows-0.parquet"
    write_parquet(frame, file)
    manifest = Manifest(
        version=version,
        rows=frame.height,
        kinds={str(k): int(n) for k, n in sorted(frame.group_by("kind").len().iter_rows())},
        columns=COLUMNS,
        files=(DataFile(path=f"{version}/{file.name}", sha256=file_sha256(file), rows=frame.height),),
    )
    (folder / "manifest.json").write_bytes(manifest_bytes(manifest))
    publish_folder(folder, final)
    return version


class Version:
    """One version of a dataset: immutable content and the operation that made it."""

    def __init__(self, project: Project, entry: NameEntry):
        self.project = project
        self.entry = entry
        self.dataset = entry.dataset
        self.number = entry.number
        self.hash = entry.version

    @property
    def ref(self) -> str:
        """The name of this very version, `tickets@3`."""
        return f"{self.dataset}@{self.number}"

    @property
    def is_here(self) -> bool:
        """Whether its content is in this copy."""
        return (self.project.data / self.hash / "manifest.json").is_file()

    @property
    def parent(self) -> Parent:
        """This version as the parent of a new operation."""
        return Parent(dataset=self.dataset, number=self.number, version=self.hash)

    @cached_property
    def manifest(self) -> Manifest:
        """What the version holds. Raises Tampered where the manifest is gone or cannot be read."""
        file = self.project.data / self.hash / "manifest.json"
        try:
            return Manifest.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            from sluice.curate.adding.absent import way_back

            raise InputError(
                "the content of this version is absent here", where=self.ref, remedy=way_back(self)
            ) from None
        except ValueError as problem:
            raise damaged(self.project, file) from problem

    @cached_property
    def operation(self) -> Operation:
        """The operation that made this version."""
        return read_operation(self.project, self.entry.operation)

    @property
    def files(self) -> list[Path]:
        """The Parquet files in order."""
        return [self.project.data / f.path for f in self.manifest.files]

    def frame(self) -> pl.DataFrame:
        """Return the content as a polars frame of rows.COLUMNS. Raises Tampered where a file cannot be read."""
        import polars as pl

        try:
            return pl.concat([read_stored(self.project, f) for f in self.files]).select(COLUMNS)
        except (pl.exceptions.PolarsError, Tampered) as problem:
            from sluice.curate.adding.absent import way_back

            where = problem.where if isinstance(problem, Tampered) else self.ref
            raise Tampered(
                "a data file is damaged: it does not hold what was written",
                where=where,
                remedy=f"remove {STORE}/data/{self.hash}, then {way_back(self)}",
            ) from problem

    def to_polars(self) -> pl.DataFrame:
        """Return the content as a polars frame (the name that a library user looks for)."""
        return self.frame()

    def rows(self, progress: Progress | None = None) -> list[AnyRow]:
        """Return the rows in order."""
        frame = self.frame()
        records = watched(frame.iter_rows(named=True), "rows read", frame.height, progress)
        return [from_record(record) for record in records]

    def examples(self) -> list[Example]:
        """Return the rows, all of which must be examples. Raises InputError otherwise."""
        return [self._example(from_record(record)) for record in self.frame().iter_rows(named=True)]

    def _example(self, row: AnyRow) -> Example:
        if not isinstance(row, Example):
            from sluice.curate.adding.kinds import needs_examples

            raise needs_examples(self, row)
        return row

    def checked_examples(self) -> list[Example]:
        """Return the rows, read once, each held against its hash and all of them against the version's.

        Raises Tampered where any differs: what is measured and trained on is what was recorded.
        """
        frame = self.frame()
        found: list[Example] = []
        for record in frame.iter_rows(named=True):
            place = f"{self.ref} {str(record['row'])[:10]}"
            try:
                row = from_record(record)
            except (InputError, ValueError, TypeError, KeyError) as problem:
                raise Tampered(f"a row cannot be read: {problem}", where=place, remedy="sluice verify") from problem
            if row.row != record["row"]:
                raise Tampered("a row is not what its hash says", where=place, remedy="sluice verify")
            found.append(self._example(row))
        if version_hash(frame) != self.hash:
            self._refuse_forgotten()
            raise Tampered("the rows are not those of the version", where=self.ref, remedy="sluice verify")
        return found

    def _refuse_forgotten(self) -> None:
        if self.manifest.left is not None:
            raise InputError(
                "rows of this version were forgotten: it is no longer what was recorded",
                where=self.ref,
                remedy=f"use the newest version: {self.dataset} (sluice forget finishes one that was cut)",
            )

    def groups(self) -> dict[str, list[str]]:
        """Return group values by row."""
        frame = self.frame()
        return dict(zip(frame["row"].to_list(), frame["groups"].to_list(), strict=True))

    def check(self) -> None:
        """Raise Tampered where a file's bytes, a row or the version's hash is not what was recorded.

        Of a version that rows were forgotten of, what is left is held against what its manifest says; whether a fact
        says so too is for `verify` to find out.
        """
        for file in self.manifest.files:
            path = self.project.data / file.path
            if not path.exists():
                raise Tampered("a data file is gone", where=str(path), remedy="restore it from a copy")
            if file_sha256(path) != file.sha256:
                raise Tampered("a data file has other bytes than recorded", where=str(path), remedy="restore it")
        frame = self.frame()
        for record in frame.iter_rows(named=True):
            if from_record(record).row != record["row"]:
                raise Tampered("a row is not what its hash says", where=f"{self.ref} {record['row'][:10]}")
        if version_hash(frame) != self.manifest.content:
            raise Tampered("the content is not what the version's hash says", where=self.ref)


def check_name(name: str) -> str:
    """Return a dataset name. Raises InputError for one that cannot be a name."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"'{name}' cannot be the name of a dataset",
            remedy=f"{NAME_RULE}; parts are NAME/train, NAME/dev, NAME/eval",
        )
    return name


def dataset_names(project: Project) -> list[str]:
    """Return the names of all datasets, parts after their whole."""
    recover(project)
    if not project.names.is_dir():
        return []
    folders = {p.parent for p in project.names.rglob("*.json") if p.stem.isdigit()}
    return sorted(str(f.relative_to(project.names).as_posix()) for f in folders)


def has_dataset(project: Project, name: str) -> bool:
    """Return whether a dataset of that name has a version."""
    recover(project)
    return _NAME.fullmatch(name) is not None and newest_number(project, name) > 0


def open_dataset(project: Project, ref: str) -> Version:
    """Return the version that a reference names. Raises InputError, with the near name where there is one."""
    match = _REF.fullmatch(ref)
    if match is None:
        raise InputError(f"'{ref}' names no dataset", remedy="write NAME, NAME@3 or NAME:tag")
    name = match["name"]
    newest = newest_number(project, name) if has_dataset(project, name) else 0
    if not newest:
        known = dataset_names(project)
        near = get_close_matches(name, known, n=1)
        hint = (
            f"did you mean '{near[0]}'?"
            if near
            else (f"known: {', '.join(known)}" if known else "sluice add NAME FILES")
        )
        raise InputError(f"no dataset is called '{name}'", remedy=hint)
    number = newest
    if match["tag"]:
        number = _tagged(project, name, match["tag"])
    elif match["number"]:
        number = int(match["number"])
        if not 1 <= number <= newest:
            raise InputError(f"'{name}' has no version {number}", remedy=f"it has 1 to {newest}")
    return Version(project, read_name(project, name, number))


def open_newest(project: Project, name: str) -> Version:
    """Return the newest version of a dataset, the one that is changed. Raises UsageError for an older one or a tag."""
    version = open_dataset(project, name)
    if name != version.dataset:
        raise UsageError(
            f"'{name}' names one version, and versions do not change",
            remedy=f"name the dataset: {version.dataset} (its newest version is then changed)",
        )
    return version


def read_name(project: Project, dataset: str, number: int) -> NameEntry:
    """Return the entry that gives a number to a version."""
    file = project.names / dataset / f"{number}.json"
    try:
        return NameEntry.model_validate_json(file.read_bytes())
    except (ValueError, FileNotFoundError) as problem:
        raise damaged(project, file) from problem


def versions(project: Project, dataset: str) -> list[Version]:
    """Return all versions of a dataset, oldest first."""
    newest = open_dataset(project, dataset).number
    return [Version(project, read_name(project, dataset, n)) for n in range(1, newest + 1)]


def tag(project: Project, ref: str, name: str) -> Version:
    """Give a version a name of its own, `tickets:gold`; naming it again moves the tag."""
    version = open_dataset(project, ref)
    if not re.fullmatch(DATASET_NAME, name):
        raise InputError(f"'{name}' cannot be a tag", remedy=NAME_RULE)
    if name.isdigit():  # `tickets:3` beside `tickets@3` would be another version
        raise InputError(
            f"'{name}' cannot be a tag: it reads like the number of a version", remedy="put a letter to it"
        )
    body = {"number": version.number, "version": version.hash}
    atomic_write(project.tags / version.dataset / f"{name}.json", (json.dumps(body) + "\n").encode())
    return version


def tags(project: Project, dataset: str) -> dict[str, int]:
    """Return the tags of a dataset and their numbers."""
    folder = project.tags / dataset
    found = sorted(folder.glob("*.json")) if folder.is_dir() else []
    return {f.stem: int(json.loads(f.read_bytes())["number"]) for f in found}


def _tagged(project: Project, dataset: str, name: str) -> int:
    known = tags(project, dataset)
    if name not in known:
        raise InputError(f"'{dataset}' has no tag '{name}'", remedy=f"known: {', '.join(known) or 'none'}")
    return known[name]


def lineage(version: Version) -> list[Operation]:
    """Return every operation that a version stands on, newest first, each once."""
    seen: dict[str, Operation] = {}
    queue = [version.entry]
    while queue:
        entry = queue.pop(0)
        if entry.operation in seen:
            continue
        operation = read_operation(version.project, entry.operation)
        seen[entry.operation] = operation
        queue += [read_name(version.project, p.dataset, p.number) for p in operation.parents]
    return list(seen.values())


def operation_frames(project: Project, operations: list[Operation], name: str) -> pl.DataFrame | None:
    """Return the `occurrences`, `dropped` or `edges` of operations as one frame with a column `operation`."""
    import polars as pl

    frames = []
    for operation in operations:
        file = project.operations / operation.id / f"{name}.parquet"
        if file.exists():
            frames.append(read_stored(project, file).with_columns(operation=pl.lit(operation.id)))
    return pl.concat(frames, how="diagonal_relaxed") if frames else None


def places_by_row(version: Version, rows: Collection[str] | None = None) -> pl.DataFrame | None:
    """Return the places that rows were seen at, oldest first: row, file, file_sha256, line, metadata, operation.

    The metadata is JSON text. What `redact` says of a row stands for all that was said of it before. `rows`: of these
    alone; by default of all.
    """
    import polars as pl

    operations = lineage(version)[::-1]
    frame = operation_frames(version.project, operations, "occurrences")
    redactions = [o.id for o in operations if o.verb == "redact"]
    if frame is not None and rows is not None:
        frame = frame.filter(frame["row"].is_in(list(rows)))
    if frame is None or not redactions:
        return frame
    order = pl.DataFrame({"operation": [o.id for o in operations], "at": range(len(operations))})
    timed = frame.join(order, on="operation", how="left", maintain_order="left")
    since = timed.filter(pl.col("operation").is_in(redactions)).group_by("row").agg(since=pl.col("at").max())
    told = timed.join(since, on="row", how="left", maintain_order="left")
    return told.filter(pl.col("since").is_null() | (pl.col("at") >= pl.col("since"))).drop("at", "since")


def metadata_by_row(version: Version, rows: Collection[str] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Return, by row, each of its places (`places_by_row`): {file, file_sha256, line, metadata, operation}."""
    frame = places_by_row(version, rows)
    found: dict[str, list[dict[str, Any]]] = {}
    if frame is not None:
        for record in frame.iter_rows(named=True):
            found.setdefault(record["row"], []).append(record)
    return found
