"""Dataset versions against their hashes: names, operations, manifests, Parquet bytes, rows, tags."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from sluice.core.errors import InputError, Tampered
from sluice.core.files import file_sha256
from sluice.core.forgotten import Forgotten, told
from sluice.core.ledger import Fact
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.rows import COLUMNS, from_record
from sluice.core.runs import rows_hash
from sluice.curate.dataset import Version, dataset_names, read_name
from sluice.curate.operation import Operation, newest_number, read_operation
from sluice.train.verification.finding import Finding, absent, intact, tampered

_UNREADABLE = (InputError, ValueError, KeyError, TypeError)


class Versions:
    """Every version of the project, checked once.

    Attributes:
        findings: what was found, in order of names.
        whole: the versions whose content is intact, with every row.
        lacking: those that a fact says rows were forgotten of, by hash, with that fact.
    """

    def __init__(self, project: Project, forgotten: Forgotten, progress: Progress | None = None):
        self.project = project
        self.forgotten = forgotten
        self.lacking: dict[str, Fact] = {}
        self.findings: list[Finding] = []
        self.whole: list[Version] = []
        self._contents: dict[str, Finding] = {}
        self._operations: dict[str, Operation | None] = {}
        self._rows: dict[str, str] = {}
        numbered = [(d, n) for d in dataset_names(project) for n in range(1, newest_number(project, d) + 1)]
        for i, (dataset, number) in enumerate(numbered):
            if progress:
                progress("checking dataset versions", i, len(numbered))
            self.findings += self._version(dataset, number)
        self.findings += self._tags()

    def with_rows(self, digest: str, n: int | None) -> Version | None:
        """Return an intact version that holds just the rows of a hash over row hashes, or None."""
        for version in self.whole:
            if n is not None and version.manifest.rows != n:
                continue
            if version.hash not in self._rows:
                self._rows[version.hash] = rows_hash(version.frame()["row"].to_list())
            if self._rows[version.hash] == digest:
                return version
        return None

    def with_hash(self, digest: str) -> Version | None:
        """Return an intact version by its hash, or None."""
        return next((v for v in self.whole if v.hash == digest), None)

    def _version(self, dataset: str, number: int) -> Iterator[Finding]:
        name = f"{dataset}@{number}"
        file = self.project.names / dataset / f"{number}.json"
        if not file.is_file():
            yield absent("version", name, f".sluice/names/{dataset}/{number}.json is not here")
            return
        try:
            entry = read_name(self.project, dataset, number)
        except Tampered as problem:
            yield tampered("version", name, f"{_inside(self.project, file)}: {problem.message}")
            return
        if (entry.dataset, entry.number) != (dataset, number):
            yield tampered("version", name, f"{_inside(self.project, file)} names {entry.dataset}@{entry.number}")
            return
        version = Version(self.project, entry)
        yield from self._operation(version)
        found = self._contents.get(version.hash)
        if found is None:
            found = self._contents[version.hash] = self._content(version)
        if found.word == "intact" and version.hash not in self.lacking:
            self.whole.append(version)
        yield found.model_copy(update={"name": name})

    def _content(self, version: Version) -> Finding:
        folder = self.project.data / version.hash
        place = f".sluice/data/{version.hash[:10]}..."
        if not (folder / "manifest.json").is_file():
            return absent("version", version.ref, f"{place} is not here")
        try:
            manifest = version.manifest
            gone = next((f for f in version.files if not f.is_file()), None)
            if gone is not None:
                return absent("version", version.ref, f"{place}/{gone.name} is not here")
            version.check()
            frame = version.frame()
            kinds = {str(k): int(n) for k, n in frame.group_by("kind").len().iter_rows()}
        except Tampered as problem:
            where = f"{Path(problem.where).name}: " if problem.where else ""
            return tampered("version", version.ref, f"{place}: {where}{problem.message}")
        except _UNREADABLE as problem:
            return tampered("version", version.ref, f"{place}: a row cannot be read: {problem}")
        said = (manifest.version, manifest.rows, manifest.kinds, sum(f.rows for f in manifest.files), manifest.columns)
        if said != (version.hash, frame.height, kinds, frame.height, COLUMNS):
            return tampered("version", version.ref, f"{place}/manifest.json says other things than the files hold")
        if manifest.left is not None:
            return self._lacking(version, place)
        return intact("version", version.ref)

    def _lacking(self, version: Version, place: str) -> Finding:
        """Return what is found of a version that says itself that rows of it were forgotten."""
        manifest = version.manifest
        fact = self.forgotten.version(version.hash, str(manifest.left))
        if fact is None:
            return tampered(
                "version", version.ref, f"{place}: rows are gone, and no fact says that they were forgotten"
            )
        unknown = set(manifest.forgotten) - set(self.forgotten.rows())
        if unknown:
            reason = f"{place}/manifest.json names {len(unknown)} forgotten rows that no fact names"
            return tampered("version", version.ref, reason)
        made = next((r for r in version.operation.results if r.version == version.hash), None)
        if made is not None and made.rows != manifest.rows + len(manifest.forgotten):
            return tampered("version", version.ref, f"{place}: more rows are gone than were forgotten")
        self.lacking[version.hash] = fact
        n = len(manifest.forgotten)
        return intact("version", version.ref, f"{n} of its rows {told(fact)}" if n else f"values in it {told(fact)}")

    def _operation(self, version: Version) -> Iterator[Finding]:
        identity = version.entry.operation
        name = f"{identity} ({version.ref})"
        if identity not in self._operations:
            self._operations[identity] = None
            if not (self.project.operations / identity / "operation.json").is_file():
                yield absent("operation", name, f".sluice/operations/{identity} is not here")
            else:
                yield self._read_operation(identity, name)
        done = self._operations[identity]
        if done is not None and not any(
            (r.dataset, r.number, r.version) == (version.dataset, version.number, version.hash) for r in done.results
        ):
            yield tampered("version", version.ref, "its name and the operation that made it name different versions")

    def _read_operation(self, identity: str, name: str) -> Finding:
        folder = self.project.operations / identity
        try:
            operation = read_operation(self.project, identity)
        except ValueError:
            return tampered("operation", name, "operation.json cannot be read")
        if operation.id != identity:
            return tampered("operation", name, f"operation.json is of {operation.id}")
        for parent in operation.parents:
            file = self.project.names / parent.dataset / f"{parent.number}.json"
            if file.is_file() and _said_version(file) != parent.version:
                return tampered("operation", name, f"its parent {parent.dataset}@{parent.number} is another version")
        for listed, digest in sorted(operation.files.items()):
            if not (folder / listed).is_file():
                return absent("operation", name, f".sluice/operations/{identity}/{listed} is not here")
            if file_sha256(folder / listed) != digest:
                return tampered("operation", name, f"{listed} is not the file that was written")
        for kind in ("dropped", "occurrences", "edges"):
            file = folder / f"{kind}.parquet"
            problem = _frame_problem(file, rows=kind == "dropped") if file.is_file() else None
            if problem:
                return tampered("operation", name, f"{file.name}: {problem}")
        self._operations[identity] = operation
        return intact("operation", name)

    def _tags(self) -> Iterator[Finding]:
        for file in sorted(self.project.tags.rglob("*.json")) if self.project.tags.is_dir() else []:
            dataset = file.parent.relative_to(self.project.tags).as_posix()
            name = f"{dataset}:{file.stem}"
            try:
                body = json.loads(file.read_bytes())
                number, said = int(body["number"]), str(body["version"])
            except (ValueError, KeyError, TypeError):
                yield tampered("tag", name, f"{_inside(self.project, file)} cannot be read")
                continue
            entry = self.project.names / dataset / f"{number}.json"
            if not entry.is_file():
                yield absent("tag", name, f"{dataset}@{number} is not here")
            elif _said_version(entry) != said:
                yield tampered("tag", name, f"it names another version than {dataset}@{number}")
            else:
                yield intact("tag", name)


def _said_version(file: Path) -> str | None:
    try:
        return str(json.loads(file.read_bytes())["version"])
    except (ValueError, KeyError, TypeError):
        return None


def _frame_problem(file: Path, *, rows: bool) -> str | None:
    """Return what is wrong with a Parquet file of an operation: unreadable, or a row that is not what it is called."""
    import polars as pl

    try:
        frame = pl.read_parquet(file)
        if rows:
            for record in frame.iter_rows(named=True):
                if from_record(record).row != record["row"]:
                    return f"the row {record['row'][:10]} is not what its hash says"
    except (pl.exceptions.PolarsError, OSError, *_UNREADABLE) as problem:
        return f"cannot be read: {' '.join(str(problem).split())[:120]}"
    return None


def _inside(project: Project, file: Path) -> str:
    return file.relative_to(project.root).as_posix()
