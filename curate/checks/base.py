"""What a check is: its spec, what it is given, and the one `run` that never takes a missing input for a pass.

A check says in `find` which rows are concerned. `Check.run` decides the status: `absent` where an input that the check
needs is not there, `found` where rows (or the set as a whole) are concerned, and `ok` only where it truly looked and
found nothing. This module knows nothing of datasets on disk; contexts are rows in memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, final

from pydantic import BaseModel, ConfigDict

from sluice.core.progress import Progress
from sluice.core.registry import Registry
from sluice.core.rows import AnyRow, Example, Preference, Text, Unpaired, input_texts
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.curate.checks.columns import Columns
    from sluice.curate.similar.similarity import Relation

Severity = Literal["fail", "warn"]
Status = Literal["ok", "found", "absent"]
Need = Literal["schema", "tokenizer", "dev", "eval", "before", "model"]

MISSING: dict[Need, str] = {
    "schema": "no schema ([task] schema)",
    "tokenizer": "no tokenizer of the base model, or no length limit",
    "dev": "no dev part",
    "eval": "no eval set",
    "before": "no version before this one",
    "model": "no embedding model is named (--model FOLDER|ID)",
}
"""What is said where an input of that name is not there."""


class Embeds(Protocol):
    """A model that puts texts of like meaning close together: `sluice.curate.embeddings.Kept` is one."""

    @property
    def name(self) -> str:
        """The folder or id that it was loaded by."""
        ...

    def __call__(self, texts: Sequence[str], progress: Progress | None = None) -> Any:
        """Return the (texts, dimensions) vectors of texts, each of length 1."""
        ...


@dataclass(frozen=True)
class Setting:
    """What a project says of a check in the place of its own values; None leaves that value as it is."""

    severity: Severity | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class CheckContext:
    """What checks may look at; None means that it is not there, never that it is empty.

    Args:
        rows: the rows that are audited, in their order.
        schema: the task's JSON schema, checked by `sluice.core.task.parse_schema`.
        count_tokens: tokens of a row as it is rendered for training; may raise SluiceError for one that cannot be.
        max_tokens: the length limit that `count_tokens` is held against.
        dev_rows: rows of the dev part.
        eval_rows: rows of the eval part, or of the frozen set.
        relation: the similarity with its pinned boilerplate; None: version 1 without a list.
        groups: group values by row hash, of all rows here.
        eval_groups: those of the eval rows, where they are pinned elsewhere (a frozen set); None: in `groups`.
        edges: (old, new) row hashes of changes.
        stratify: the path of the label, such as `target.category` (sluice.toml: `[task] stratify`).
        metadata: the columns beside a row, by row hash.
        before_rows: rows of the version before this one.
        corpus: whether every row is held against the rules for text corpora, not rows of kind `text` only.
        settings: severities and thresholds of the project, by check.
        embed: a model that was named for what is judged by meaning; nothing loads one by itself.
        progress: called with (what, done, total).
    """

    rows: Sequence[AnyRow]
    schema: dict[str, Any] | None = None
    count_tokens: Callable[[AnyRow], int] | None = None
    max_tokens: int | None = None
    dev_rows: Sequence[AnyRow] | None = None
    eval_rows: Sequence[AnyRow] | None = None
    relation: Relation | None = None
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    eval_groups: Mapping[str, Sequence[str]] | None = None
    edges: Sequence[tuple[str, str]] = ()
    stratify: str | None = None
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    before_rows: Sequence[AnyRow] | None = None
    corpus: bool = False
    settings: Mapping[str, Setting] = field(default_factory=dict[str, Setting])
    embed: Embeds | None = None
    progress: Progress | None = None

    @cached_property
    def columns(self) -> Columns:
        """The texts of the rows as columns, made once for all checks."""
        from sluice.curate.checks.columns import Columns

        return Columns.of(self.rows)

    def has(self, need: Need) -> bool:
        """Return whether an input is there (an eval or dev part of no rows is not)."""
        if need == "schema":
            return self.schema is not None
        if need == "tokenizer":
            return self.count_tokens is not None and self.max_tokens is not None and self.max_tokens > 0
        if need == "model":
            return self.embed is not None
        return bool({"dev": self.dev_rows, "eval": self.eval_rows, "before": self.before_rows}[need])


class Finding(BaseModel):
    """One row that a check names, and why; without a row it speaks of the whole set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str | None
    """Row hash (64 hex digits), or None."""
    detail: str
    """What was found, without personal data."""
    related: tuple[str, ...] = ()
    """Hashes of other rows that it is about: the conflicting ones, the eval row."""
    figures: dict[str, Any] = {}
    """What a script would want of the detail: given and suggested label, quality, rank."""


class CheckResult(BaseModel):
    """What one check says of one set of rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    severity: Severity
    status: Status
    what: str
    """What the check looks for."""
    summary: str
    """One sentence: what was found, or what is absent."""
    count: int = 0
    """Rows named; where the findings are about the set as a whole, findings."""
    rows: tuple[Finding, ...] = ()
    figures: dict[str, Any] = {}
    """Numbers behind the sentence, JSON values."""
    missing: tuple[str, ...] = ()
    """Where absent: what was not there."""
    remedy: str | None = None
    """Where found: a command, with `{dataset}` for the dataset's name."""
    threshold: str = ""
    """The rule that it went by."""
    limit: float | None = None
    """The number in that rule, where it has one that a project may set."""
    source: str = ""
    """Where the rule comes from: a paper, a named reason, or the user's file."""
    source_sha256: str | None = None
    """Hash of the file of a user's own check."""
    ranked: bool = False
    """Whether `rows` stand in the order in which a person should look at them."""
    measures: bool = False
    """Whether `summary` is a measurement, worth reading where nothing is wrong."""

    @property
    def fails(self) -> bool:
        """Return whether this is a finding of severity fail."""
        return self.status == "found" and self.severity == "fail"

    @property
    def droppable(self) -> bool:
        """Return whether its findings name rows, so that `filter --failing` can drop them."""
        return any(finding.row is not None for finding in self.rows)


class CheckSpec(BaseModel):
    """What is known of a check before it runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    severity: Severity
    what: str
    """One sentence: what it looks for."""
    threshold: str
    """The rule that it goes by; `{limit}` stands for `limit`."""
    limit: float | None = None
    """The one number of the rule that a project may set; None: there is none to set."""
    limits: tuple[float, float] = (0.0, 1.0)
    """Lowest and highest value of `limit`."""
    source: str = "this project, the reason stands in the rule"
    """Where rule and number come from."""
    source_sha256: str | None = None
    """Hash of the file of a user's own check."""
    slow: bool = False
    """Whether it takes more than a second per 10,000 rows: the gate leaves it out unless its severity is fail."""
    ranked: bool = False
    """Whether its findings stand in the order in which a person should look at them."""
    measures: bool = False
    """Whether its sentence is a measurement, worth reading where nothing is wrong."""
    needs: frozenset[Need] = frozenset()
    remedy: str
    """What to do about a finding; `{dataset}` stands for the dataset's name."""

    @property
    def rule(self) -> str:
        """The rule with its number put in."""
        return self.threshold if self.limit is None else self.threshold.replace("{limit}", f"{self.limit:g}")

    def under(self, setting: Setting | None) -> CheckSpec:
        """Return the spec with what a project says in the place of its own values."""
        if setting is None:
            return self
        given = {"severity": setting.severity, "limit": setting.threshold}
        return self.model_copy(update={key: value for key, value in given.items() if value is not None})


@dataclass(frozen=True)
class Found:
    """What `find` hands back: the findings, a sentence, and numbers.

    `missing` names an input that only shows to be missing while looking (a label path that no row has).
    """

    findings: Sequence[Finding] = ()
    summary: str = ""
    figures: dict[str, Any] = field(default_factory=dict[str, Any])
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Examples:
    """Two small contexts: one that the check finds something in, and one that is in order."""

    found: CheckContext
    ok: CheckContext


class Check(ABC):
    """One thing that can be wrong with rows. Subclasses give `spec`, `find` and `examples`."""

    spec: CheckSpec

    def limit(self, context: CheckContext) -> float:
        """Return the number of its rule: the project's, else the spec's."""
        setting = context.settings.get(self.spec.name)
        given = setting.threshold if setting is not None else None
        value = given if given is not None else self.spec.limit
        if value is None:
            raise TypeError(f"the check {self.spec.name} has no limit")
        return value

    @abstractmethod
    def find(self, context: CheckContext) -> Found:
        """Return the rows concerned. Called only with at least one row and all inputs in `spec.needs`."""

    @abstractmethod
    def examples(self) -> Examples:
        """Return rows that it finds, and rows on which it is ok."""

    @final
    def run(self, context: CheckContext) -> CheckResult:
        """Look at the rows and return the result; an input that is missing makes it `absent`, never `ok`."""
        missing = tuple(MISSING[need] for need in sorted(self.spec.needs) if not context.has(need))
        if not context.rows:
            missing = ("no rows", *missing)
        if missing:
            return self._result(context, "absent", f"absent: {', '.join(missing)}", missing=missing)
        found = self.find(context)
        if found.missing:
            return self._result(context, "absent", f"absent: {', '.join(found.missing)}", found, found.missing)
        return self._result(context, "found" if found.findings else "ok", found.summary, found)

    def _result(
        self,
        context: CheckContext,
        status: Status,
        summary: str,
        found: Found | None = None,
        missing: tuple[str, ...] = (),
    ) -> CheckResult:
        findings = tuple(found.findings) if found and status == "found" else ()
        named = {finding.row for finding in findings if finding.row is not None}
        spec = self.spec.under(context.settings.get(self.spec.name))
        return CheckResult(
            name=spec.name,
            severity=spec.severity,
            status=status,
            what=self.spec.what,
            summary=summary,
            count=len(named) or len(findings),
            rows=findings,
            figures=found.figures if found else {},
            missing=missing,
            remedy=self.spec.remedy if status == "found" else None,
            threshold=spec.rule,
            limit=spec.limit,
            source=spec.source,
            source_sha256=spec.source_sha256,
            ranked=spec.ranked,
            measures=spec.measures,
        )


CHECKS: Registry[Check] = Registry("check")


def file_check(check: type[Check]) -> type[Check]:
    """Register a check under the name in its spec (class decorator)."""
    CHECKS.register(check.spec.name)(check())
    return check


def answers(row: AnyRow) -> dict[str, str | None]:
    """Return what a row teaches to answer, by field: the target, or chosen and rejected, or the judged answer."""
    if isinstance(row, Example):
        return {"target": row.target}
    if isinstance(row, Preference):
        return {"chosen": row.chosen, "rejected": row.rejected}
    if isinstance(row, Unpaired):
        return {"answer": row.answer}
    return {}


def texts_of(row: AnyRow) -> list[tuple[str, str]]:
    """Return every text of a row with its place: input fields or turns, then what is learnt from it."""
    taught = [(name, text) for name, text in answers(row).items() if text is not None]
    return [*input_texts(row.input).items(), *taught]


def wanted_answer(row: AnyRow) -> str | None:
    """Return the answer that the row teaches to give: target, chosen, or an answer judged good; else None."""
    if isinstance(row, Example):
        return row.target
    if isinstance(row, Preference):
        return row.chosen
    return row.answer if isinstance(row, Unpaired) and row.good else None


def no_answers(rows: Sequence[AnyRow]) -> Found | None:
    """Return what a check of answers says where there are none: text rows are in order, others lack a target."""
    if any(wanted_answer(row) is not None for row in rows):
        return None
    if all(isinstance(row, Text) for row in rows):
        return Found(summary="text rows have no answer")
    return Found(missing=("no row has an answer yet",))


USUAL = 0.5
"""Share of the rows judged from which on a finding is one about the set: what most rows have is the task, or one fault
of the export, and a list of all of them would help nobody."""
FEWEST_USUAL = 20
"""Rows judged, below which a share says nothing."""


def told(
    context: CheckContext,
    details: Mapping[int, str],
    judged: int,
    said: str,
    *,
    figures: Mapping[str, Any] | None = None,
    usual: str | None = None,
) -> Found:
    """Return findings for places of rows, with the sentence `3 of 1,600 rows SAID` or `none of 1,600 rows SAID`.

    Args:
        details: by place in `context.rows` what was found.
        judged: rows that could be judged at all.
        said: what they do, in the plural: "break off".
        usual: where more than half of the rows do it, the one finding about the set that is made instead.
    """
    numbers = {"judged": judged, "found": len(details), **(figures or {})}
    if not details:
        return Found(summary=f"none of {rows_of(judged)} {said}", figures=numbers)
    sentence = f"{rows_of(len(details), judged)} {said}"
    if usual is not None and judged >= FEWEST_USUAL and len(details) > USUAL * judged:
        return Found([Finding(row=None, detail=usual)], f"{sentence}; {usual}", numbers)
    findings = [Finding(row=context.rows[i].row, detail=details[i]) for i in sorted(details)]
    return Found(findings, sentence, numbers)


def rows_of(count: int, total: int | None = None) -> str:
    """Return `1 row`, `3 rows`, or `3 of 1,600 rows`."""
    if total is not None:
        return f"{count:,} of {counted(total, 'row')}"
    return counted(count, "row")
