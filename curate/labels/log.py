"""The log of decisions: one file for each writer and copy of the project, appended to, never rewritten.

Several people write at once, each to a file of their own; two copies merge as a union of lines. What counts is worked
out from all records, whatever order they lie in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sluice.core.canonical import dump_exact
from sluice.core.files import append_line
from sluice.core.project import Project
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import Asked, Deal, Judgement, Record, Skip, Undo, new_id, now, read_line


def own_file(project: Project, by: str, *, of: str = "labels") -> Path:
    """Return the log that a person writes to in this copy of the project: of `labels`, or of `grades`."""
    writer = hashlib.sha256(f"{by} {project.root}".encode()).hexdigest()[:12]
    return project.decisions / f"{of}-{writer}.jsonl"


def append_record(project: Project, record: Record) -> None:
    """Write one record to its writer's log; it is on the disk when this returns.

    Raises DiskFull where it cannot be written whole.
    """
    append_records(project, record.by, [record])


def append_records(project: Project, by: str, records: Sequence[Record]) -> None:
    """Write records of one person to their log, in one step; they are on the disk when this returns.

    Raises DiskFull where they cannot be written whole.
    """
    append_line(own_file(project, by), "\n".join(_line(record) for record in records))


def _line(record: Record) -> str:
    body = record.model_dump(mode="json", exclude_none=True)
    if isinstance(record, Judgement):
        body["value"] = record.value  # null says something here: cannot tell
    return dump_exact(body)


def keep_question(project: Project, question: Question, log: Log, *, by: str) -> None:
    """Write a question down where it was never asked before, so that its hash can be read by anyone."""
    if all(question.hash != known.hash for known in log.questions()):
        append_record(project, Asked(id=new_id(), time=now(), by=by, body=question.body()))


@dataclass(frozen=True)
class Log:
    """All records about labels, oldest first."""

    records: tuple[Record, ...]

    def judgements(self, *, question: str | None = None) -> list[Judgement]:
        """Return every decision that was not undone, oldest first, those that were thought better of included."""
        undone = {(r.by, r.of) for r in self.records if isinstance(r, Undo)}
        return [
            r
            for r in self.records
            if isinstance(r, Judgement) and (r.by, r.id) not in undone and (question is None or r.question == question)
        ]

    def last_words(self, *, question: str | None = None) -> dict[tuple[str, str, str], Judgement]:
        """Return what counts: the last decision of each person on each row or input, by (question, subject, by).

        Nobody adjudicates a dispute of their own: of whom there is a word of the usual kind, that one counts. Words on
        gold rows are not among them.
        """
        found: dict[tuple[str, str, str], Judgement] = {}
        for j in (j for j in self.judgements(question=question) if not j.gold):
            key = (j.question, j.subject, j.by)
            if key not in found or found[key].adjudicates or not j.adjudicates:
                found[key] = j
        return found

    def gold_words(self, question: str) -> list[Judgement]:
        """Return the last decision of each person on each gold row."""
        return list({(j.subject, j.by): j for j in self.judgements(question=question) if j.gold}.values())

    def deal(self, question: str) -> Deal | None:
        """Return how the rows of a question were dealt to people the last time; None where they were not."""
        return next((r for r in self.records[::-1] if isinstance(r, Deal) and r.question == question), None)

    def skipped(self, question: str, by: str) -> set[str]:
        """Return the subjects that a person left and has not decided."""
        left = {r.subject for r in self.records if isinstance(r, Skip) and (r.question, r.by) == (question, by)}
        return left - {j.subject for j in self.judgements(question=question) if j.by == by}

    def questions(self) -> list[Question]:
        """Return every question that was asked, the newest last, each once."""
        found = [Question.model_validate(r.body) for r in self.records if isinstance(r, Asked)]
        return list({q.hash: q for q in reversed(found)}.values())[::-1]


def read_log(project: Project) -> Log:
    """Return all records of the project's `decisions/`. A half line that a crash left is passed over."""
    files = sorted(project.decisions.glob("*.jsonl")) if project.decisions.is_dir() else []
    return Log(_in_order(record for file in files for record in _records(file)))


def _records(file: Path) -> Sequence[Record]:
    found: list[Record] = []
    with open(file, "rb") as lines:
        for line in lines:
            record = read_line(line)
            if record is not None:
                found.append(record)
    return found


def _in_order(records: Iterable[Record]) -> tuple[Record, ...]:
    once = {record.id: record for record in records}  # a merge may bring a line twice
    return tuple(sorted(once.values(), key=lambda r: (r.time, r.id)))
