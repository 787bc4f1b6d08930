"""`audit` of a dataset in its project, or of plain files without one: what the checks are given, and what they say.

The checks themselves are `sluice.curate.checks`, pure over rows; here their inputs are gathered: schema, dev and eval
rows, pinned boilerplate, groups, metadata, and a token counter where the caller brings one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import BadPath, InputError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.rows import AnyRow, to_record
from sluice.core.task import parse_schema, read_schema
from sluice.curate.adding.add import FileRead, SetAsideLine, name_of, read_facts
from sluice.curate.adding.remarks import FileNotRead, MojibakeFound, first_mojibake, not_read
from sluice.curate.audit import AuditReport, Worst, audit_rows
from sluice.curate.checks import CheckContext, Finding
from sluice.curate.checks.base import Embeds
from sluice.curate.checks.choice import checks_of
from sluice.curate.dataset import Version, has_dataset, open_dataset
from sluice.curate.drops import ShownRow, find_records, shown_row
from sluice.curate.formats import Entry, ReadOptions, read_files
from sluice.curate.leaks.eval_side import change_edges, eval_side
from sluice.curate.metadata import class_path, metadata_of

MOST_NAMED = 6
"""Files whose names are the name of an audit of files."""
FIRST = 2
"""Example rows of each finding."""
Tokens = Callable[[AnyRow], int]


class Audit(BaseModel):
    """The quality report of a dataset or of files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: str
    """`tickets/train@2`, or the names of the files."""
    dataset: str | None
    """None for files."""
    report: AuditReport
    set_aside: int = 0
    """Lines of the files that could not be taken exactly."""
    first_set_aside: tuple[SetAsideLine, ...] = ()
    files_set_aside: tuple[FileNotRead, ...] = ()
    """Files whose encoding is in doubt, set aside whole under the encoding `auto`."""
    passed_over: tuple[FileNotRead, ...] = ()
    """Files of a folder or pattern that are of no form that is read."""
    mojibake: int = 0
    """Rows of the files with text whose bytes were once decoded in the wrong encoding."""
    first_mojibake: tuple[MojibakeFound, ...] = ()
    worst: Worst
    """The most severe finding; lines that could not be read are a failure."""
    examples: dict[str, tuple[ShownRow, ...]]
    """By check: the first rows that it names."""
    looked_at: tuple[str, ...] = ()
    """Eval and dev rows that the rows were held against."""


@dataclass(frozen=True)
class Seen:
    """What an audit looked at, for whoever writes a report of it."""

    context: CheckContext
    version: Version | None = None
    """None for files."""
    files: tuple[FileRead, ...] = ()
    sources: dict[str, str] = field(default_factory=dict[str, str])
    """Of files: the file that each row was first seen in, by row hash."""
    set_aside: tuple[SetAsideLine, ...] = ()


def audit_dataset(
    project: Project,
    ref: str,
    *,
    schema: dict[str, Any] | None = None,
    count_tokens: Tokens | None = None,
    max_tokens: int | None = None,
    checks: Sequence[str] | None = None,
    corpus: bool = False,
    embed: Embeds | None = None,
    progress: Progress | None = None,
    seen: Callable[[Seen], None] | None = None,
) -> Audit:
    """Run all checks, or those named, over a version; the project's own are among them.

    Args:
        project: of the dataset. A sluice.toml is not needed; its schema, stratify and length limit are used.
        ref: NAME, NAME@3 or NAME:tag.
        schema: in the place of the task's.
        count_tokens: tokens of a row as it is rendered for training; without it the check `over-long` is absent.
        max_tokens: length limit, in the place of the task's.
        checks: names of checks; None: all that sluice.toml does not leave out.
        corpus: hold every row against the rules for text corpora, not rows of kind `text` only.
        embed: a model for what is judged by meaning (`spread`, `label-errors`); without it `spread` is absent.
        progress: called with (what, done, total).
        seen: called with what was looked at.
    """
    if seen is not None and count_tokens is not None:
        count_tokens = remembered(count_tokens)
    version = open_dataset(project, ref)
    context, looked_at = audit_context(
        version, schema=schema, count_tokens=count_tokens, max_tokens=max_tokens, progress=progress
    )
    report = audit_rows(replace(context, corpus=corpus, embed=embed), checks, checks_of(project))
    if seen is not None:
        seen(Seen(context, version))
    records = find_records(version, _named(report))
    shown = {row: shown_row(record) for row, record in records.items()}
    return Audit(
        of=version.ref,
        dataset=version.dataset,
        report=report,
        worst=report.worst,
        examples=_examples(report, shown),
        looked_at=looked_at,
    )


def remembered(count_tokens: Tokens) -> Tokens:
    """Return a counter that counts each row once: a report asks for what a check has counted."""
    known: dict[str, int] = {}

    def count(row: AnyRow) -> int:
        if row.row not in known:
            known[row.row] = count_tokens(row)
        return known[row.row]

    return count


def audit_context(
    version: Version,
    *,
    schema: dict[str, Any] | None = None,
    count_tokens: Tokens | None = None,
    max_tokens: int | None = None,
    progress: Progress | None = None,
) -> tuple[CheckContext, tuple[str, ...]]:
    """Return what the checks may look at for a version, and the names of the rows it is held against.

    A part is held against the parts after it (train against dev and eval, dev against eval) and the frozen sets; any
    other dataset against eval and dev rows that are not its own.
    """
    project = version.project
    task = project.config.task if project.has_config else None
    if schema is None and task is not None:
        schema = read_schema(project)
    rows = version.rows()
    own = {row.row for row in rows}
    base, _, part = version.dataset.partition("/")
    groups = {row: values for row, values in version.groups().items() if values}
    names: list[str] = []
    beside = [version]

    side = eval_side(project, version.dataset) if part != "eval" else None
    eval_rows = [row for row in side.rows if row.row not in own] if side else []
    if side and part:
        eval_rows = list(side.rows)
    if side and eval_rows:
        names += side.names
    dev_rows: list[AnyRow] = []
    if part not in ("dev", "eval") and has_dataset(project, f"{base}/dev"):
        dev = open_dataset(project, f"{base}/dev")
        dev_rows = [row for row in dev.rows() if part or row.row not in own]
        groups |= {row: values for row, values in dev.groups().items() if values}
        beside.append(dev)
        names += [dev.ref] if dev_rows else []
    if has_dataset(project, f"{base}/eval"):
        beside.append(open_dataset(project, f"{base}/eval"))
    context = CheckContext(
        rows=rows,
        schema=schema,
        count_tokens=count_tokens,
        max_tokens=max_tokens if max_tokens is not None else (task.max_tokens if task else None),
        dev_rows=dev_rows or None,
        eval_rows=eval_rows or None,
        relation=side.relation if side else None,
        groups=groups,
        eval_groups=side.groups if side else None,
        edges=change_edges(*beside),
        stratify=class_path(version),
        metadata=metadata_of(version),
        before_rows=rows_before(version),
        progress=progress,
    )
    return context, tuple(names)


def rows_before(version: Version) -> list[AnyRow] | None:
    """Return the rows of the version before this one; None where it is the first, or that one's rows are not here."""
    if version.number < 2:
        return None
    before = open_dataset(version.project, f"{version.dataset}@{version.number - 1}")
    return before.rows() if before.is_here else None


def audit_files(
    files: Sequence[str | Path | Entry],
    options: ReadOptions | None = None,
    *,
    project: Project | None = None,
    schema: dict[str, Any] | None = None,
    count_tokens: Tokens | None = None,
    max_tokens: int | None = None,
    checks: Sequence[str] | None = None,
    corpus: bool = False,
    embed: Embeds | None = None,
    progress: Progress | None = None,
    seen: Callable[[Seen], None] | None = None,
) -> Audit:
    """Run the checks over files as they are, all rows together; no project is needed and nothing is stored.

    With a project its own checks, severities and thresholds count. `options` say how files are read, all else is as for
    `audit_dataset`.
    """
    here = Project(".")
    rows: list[AnyRow] = []
    metadata: dict[str, dict[str, Any]] = {}
    aside: list[SetAsideLine] = []
    names: list[str] = []
    sources: dict[str, str] = {}
    facts: list[FileRead] = []
    found = read_files(files, options or ReadOptions(), lambda path: name_of(here, path), progress)
    for name, read in found.files:
        names.append(name)
        facts.append(read_facts(name, read))
        rows += [r.row for r in read.rows]
        for r in read.rows:
            metadata.setdefault(r.row.row, r.metadata)
            sources.setdefault(r.row.row, name)
        aside += [
            SetAsideLine(file=name, line=s.line, column=s.column, reason=s.reason, raw=s.raw) for s in read.set_aside
        ]
    context = CheckContext(
        rows=rows,
        schema=schema,
        count_tokens=count_tokens,
        max_tokens=max_tokens,
        metadata=metadata,
        corpus=corpus,
        embed=embed,
        progress=progress,
    )
    report = audit_rows(context, checks, checks_of(project))
    if seen is not None:
        seen(Seen(context, None, tuple(facts), sources, tuple(aside)))
    wanted = _named(report)
    shown = {row.row: shown_row(to_record(row)) for row in rows if row.row in wanted}
    return Audit(
        of=", ".join(names if len(names) <= MOST_NAMED else [*names[:3], f"and {len(names) - 3:,} more files"]),
        dataset=None,
        report=report,
        worst="fail" if aside or found.doubtful else report.worst,
        files_set_aside=not_read(found.doubtful),
        passed_over=not_read(found.passed_over),
        mojibake=sum(len(read.mojibake) for _, read in found.files),
        first_mojibake=first_mojibake(found.files),
        set_aside=len(aside),
        first_set_aside=tuple(aside[:5]),
        examples=_examples(report, shown),
    )


def schema_file(path: str | Path) -> dict[str, Any]:
    """Return the JSON schema in a file. Raises InputError where it is missing or no schema."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadPath("no such file", where=str(path), remedy="check the path of the schema") from None
    except (UnicodeDecodeError, IsADirectoryError):
        raise InputError("the schema is not UTF-8 text", where=str(path), remedy="save it as UTF-8 JSON") from None
    return parse_schema(text, where=str(path))


def _first(findings: Sequence[Finding]) -> list[str]:
    return [f.row for f in findings if f.row is not None][:FIRST]


def _named(report: AuditReport) -> set[str]:
    return {row for check in report.checks for row in _first(check.rows)}


def _examples(report: AuditReport, shown: dict[str, ShownRow]) -> dict[str, tuple[ShownRow, ...]]:
    return {
        check.name: tuple(shown[row] for row in _first(check.rows)) for check in report.checks if _first(check.rows)
    }
