"""What is known of a dataset: where its rows came from, what was done to them, what they hold, what checks found.

From the record of operations and from the rows themselves. Texts of rows, findings about single rows, expressions and
paths of the machine stay out. A check that could not look is told as such; so is an operation that was never run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.progress import Progress
from sluice.curate.audit_dataset import audit_dataset
from sluice.curate.dataset import lineage
from sluice.curate.operation import Operation
from sluice.curate.publish.splits import Split

SETTINGS = ("stratify", "keep", "on", "policy", "group")
"""Parameters of operations that are words of ours or names of columns; of the others only numbers and yes or no."""


class SourceFact(BaseModel):
    """One file that rows were read from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Relative to the project; the bare name of a file that lies elsewhere."""
    sha256: str
    format: str
    shape: str
    encoding: str
    rows: int
    set_aside: int


class OperationFact(BaseModel):
    """One thing that was done to the rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    verb: str
    rows_in: int
    rows_out: int
    counts: dict[str, int]
    settings: dict[str, Any]
    time: str
    tool: str


class CheckFact(BaseModel):
    """What one check of the audit found in a split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    severity: str
    status: str
    """`ok`, `found` or `absent`."""
    count: int
    what: str
    missing: tuple[str, ...]


class SplitFact(BaseModel):
    """What a split holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: str
    dataset: str
    version: str
    rows: int
    inputs: int
    """Distinct ones."""
    kinds: dict[str, int]
    chats: int
    """Rows whose input is a chat."""
    input_characters: dict[str, Any]
    answer_characters: dict[str, Any]
    languages: dict[str, int]
    """Rows by language, as far as the check `language` is sure; empty where it could not look."""
    checks: tuple[CheckFact, ...]
    """Empty where the audit was not run."""


class Facts(BaseModel):
    """All that is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    number: int
    """Of the first split's version."""
    splits: tuple[SplitFact, ...]
    sources: tuple[SourceFact, ...]
    operations: tuple[OperationFact, ...]
    """Oldest first."""
    described: str | None
    """The task's description, where the dataset is the task's."""

    @property
    def rows(self) -> int:
        """Rows of all splits."""
        return sum(split.rows for split in self.splits)

    @property
    def kinds(self) -> dict[str, int]:
        """Rows by kind."""
        found: dict[str, int] = {}
        for split in self.splits:
            for kind, number in split.kinds.items():
                found[kind] = found.get(kind, 0) + number
        return found

    @property
    def findings(self) -> dict[str, int]:
        """By check that found something: how many rows, or findings about a split."""
        found: dict[str, int] = {}
        for check in (check for split in self.splits for check in split.checks if check.status == "found"):
            found[check.name] = found.get(check.name, 0) + check.count
        return found

    def ran(self, verb: str) -> list[OperationFact]:
        """Return the operations of a verb."""
        return [operation for operation in self.operations if operation.verb == verb]


def facts_of(splits: Sequence[Split], *, checks: bool = True, progress: Progress | None = None) -> Facts:
    """Return what is known of some splits of one dataset; runs the audit over each unless `checks` is off."""
    project = splits[0].version.project
    base = splits[0].dataset
    operations: dict[str, Operation] = {}
    for split in splits:
        operations |= {o.id: o for o in lineage(split.version)[::-1]}
    told = sorted(operations.values(), key=lambda o: o.time)
    task = project.config.task if project.has_config else None
    ours = task is not None and task.data in (base, base.partition("/")[0])
    return Facts(
        dataset=base,
        number=splits[0].version.number,
        splits=tuple(_split(split, checks, progress) for split in splits),
        sources=tuple(_sources(told)),
        operations=tuple(_operation(o) for o in told),
        described=task.description if task is not None and ours else None,
    )


def _sources(operations: Sequence[Operation]) -> list[SourceFact]:
    found: dict[tuple[str, str], SourceFact] = {}
    for operation in operations:
        for file in operation.parameters.get("files", []) if operation.verb == "add" else []:
            name = plain_name(file["file"])
            found[name, file["sha256"]] = SourceFact(
                name=name,
                sha256=file["sha256"],
                format=file["format"],
                shape=file["shape"],
                encoding=file["encoding"],
                rows=file["rows"],
                set_aside=file["set_aside"],
            )
    return list(found.values())


def plain_name(name: str) -> str:
    """Return the name of a file without where it lies on this machine."""
    path = PurePath(name)
    return path.name if path.is_absolute() or ".." in path.parts or ":" in name else path.as_posix()


def _operation(operation: Operation) -> OperationFact:
    return OperationFact(
        id=operation.id,
        verb=operation.verb,
        rows_in=operation.rows_in,
        rows_out=operation.rows_out,
        counts=_counts(operation.counts),
        settings=_settings(operation.parameters),
        time=operation.time,
        tool=operation.tool,
    )


def _counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts by reason, without what a reason says of single rows."""
    found: dict[str, int] = {}
    for name, number in counts.items():
        reason = name.partition(":")[0]
        found[reason] = found.get(reason, 0) + number
    return found


def _settings(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in parameters.items()
        if isinstance(value, (bool, int, float)) or (name in SETTINGS and isinstance(value, str))
    }


def _split(split: Split, checks: bool, progress: Progress | None) -> SplitFact:
    version = split.version
    audit = audit_dataset(version.project, version.ref, checks=None if checks else (), progress=progress)
    figures = audit.report.figures
    return SplitFact(
        split=split.name,
        dataset=version.ref,
        version=version.hash,
        rows=len(split.rows),
        inputs=split.rows.inputs,
        kinds=split.rows.kinds,
        chats=split.rows.chats,
        input_characters=figures["input_characters"],
        answer_characters=figures["answer_characters"],
        languages=next((c.figures.get("languages", {}) for c in audit.report.checks if c.name == "language"), {}),
        checks=tuple(
            CheckFact(name=c.name, severity=c.severity, status=c.status, count=c.count, what=c.what, missing=c.missing)
            for c in audit.report.checks
        ),
    )
