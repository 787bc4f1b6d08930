"""What a report says, as one record: the page draws it, and `--out x.json` writes it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sluice.curate.adding.add import FileRead, SetAsideLine
from sluice.curate.audit import Worst
from sluice.curate.comparing.distributions import Categories, Comparison, Lengths
from sluice.curate.report.texts import PageRow


class Record(BaseModel):
    """What all records of a report share."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(Record):
    """A command to run next."""

    command: str
    remark: str = ""


class FoundRow(Record):
    """A row that a check names."""

    row: str | None
    detail: str
    shown: PageRow | None = None
    """None for a finding about the set as a whole."""
    related: tuple[PageRow, ...] = ()
    """Rows that it is about: the eval row that it repeats, those it contradicts."""


class ReportedCheck(Record):
    """One check: what it says, why, and the first rows that it names."""

    name: str
    severity: str
    status: Literal["ok", "found", "absent"]
    what: str
    summary: str
    threshold: str
    """The rule that it went by."""
    source: str
    """Where the rule comes from."""
    remedy: str | None
    count: int
    rows: tuple[FoundRow, ...]
    figures: dict[str, Any]
    measures: bool = False
    """Whether the summary is a measurement, shown where nothing is wrong, too."""


class Nearest(Record):
    """How like each other the rows are: for each, the most similar other row."""

    rows: int
    """Rows that were held against each other."""
    of: int
    """Rows in all: where more, `rows` of them were drawn."""
    bins: tuple[tuple[str, int], ...]
    """Rows by the Jaccard similarity of their input to that of the nearest other row; below the threshold of
    near-equality nothing is counted."""
    alone: int
    """Rows without a near-equal one."""


class Drift(Record):
    """Two sets of rows, distribution by distribution."""

    a: str
    b: str
    comparisons: tuple[Comparison, ...]


class HistoryStep(Record):
    """One operation on the way to a version."""

    time: str
    verb: str
    read: tuple[str, ...]
    """Files or versions that it read."""
    made: tuple[str, ...]
    """Versions, each with its rows: `tickets@2 (1,482 rows)`."""
    rows_in: int
    rows_out: int
    reasons: tuple[tuple[str, int], ...]
    """What happened to rows, by reason."""
    parameters: str


class Report(Record):
    """The whole report of an audit."""

    form: Literal["sluice/report/1"] = Field(default="sluice/report/1", serialization_alias="schema")
    of: str
    dataset: str | None
    version: str | None
    """Hash of the version's content; None for files."""
    worst: Worst
    verdict: str
    """The answer in one sentence."""
    reason: str
    """What it stands on."""
    rows: int
    inputs: int
    """Inputs that differ."""
    looked_at: tuple[str, ...]
    next: tuple[Step, ...]
    checks: tuple[ReportedCheck, ...]
    distributions: tuple[Lengths | Categories, ...]
    nearest: Nearest | None
    drift: tuple[Drift, ...]
    samples: tuple[PageRow, ...]
    history: tuple[HistoryStep, ...]
    files: tuple[FileRead, ...]
    set_aside: int
    first_set_aside: tuple[SetAsideLine, ...]
    tool: str
