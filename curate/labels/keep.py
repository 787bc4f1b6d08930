"""`labels NAME --keep right,partly`: rows that people graded or rated otherwise leave, and can be restored.

Grades and ratings are no targets: what they are good for is leaving rows out. A row that nobody judged, that nobody
could judge, or that people disagree on stays, and is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import UsageError
from sluice.core.project import Project
from sluice.curate.adding.add import parts_of
from sluice.curate.dataset import open_dataset, open_newest
from sluice.curate.drops import Drop, drop_rows
from sluice.curate.labels.log import read_log
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import Value
from sluice.curate.labels.settle import settle_all
from sluice.curate.operation import Outcome, commit

JUDGED = "judged"
"""The reason of a row that leaves by what people said of it."""
MODES = ("grade", "rate", "review")


class KeepResult(BaseModel):
    """What `labels --keep` did, or would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    changed: bool
    question: str
    keep: tuple[Value, ...]
    rows: int
    """Rows that are left."""
    kept: int
    """Of those, with an answer that is kept."""
    dropped: dict[str, int]
    """Rows that left, by what was said of them."""
    open: int
    """Rows that people disagree on; they stay."""
    untold: int
    """Rows of which nobody could tell; they stay."""
    without: int
    """Rows that nobody judged; they stay."""
    parts: tuple[str, ...]
    dry_run: bool = False


def keep_rows(
    project: Project,
    dataset: str,
    question: Question,
    answers: Sequence[str],
    *,
    rule: str = "agreed",
    least: float | None = None,
    dry_run: bool = False,
) -> KeepResult:
    """Drop the rows of which people said something else, and make the dataset's next version where there are any.

    Args:
        project: of the dataset.
        dataset: its name; the newest version is read.
        question: about rows: grade, rate or review.
        answers: those with which a row stays, as they are typed.
        rule, least: how disagreements are settled, see `settle_all`.
        dry_run: only say what would go.

    Raises UsageError for another question, InputError for an answer that it has not.
    """
    if question.mode not in MODES:
        raise UsageError(
            f"answers to '{question.shortened()}' say nothing of a row's worth",
            where="--keep",
            remedy=f"of {', '.join(MODES)}; a target is filtered by: sluice filter NAME --where",
        )
    wanted = tuple(dict.fromkeys(question.check(answer) for answer in answers))
    seen: dict[str, Any] = {}

    def build() -> Outcome | None:
        version = open_newest(project, dataset)
        frame = version.frame()
        words = settle_all(list(read_log(project).last_words(question=question.hash).values()), rule, least=least).words
        drops: list[Drop] = []
        counts: dict[str, int] = dict.fromkeys(("kept", "open", "untold", "without"), 0)
        dropped: dict[str, int] = {}
        for row in frame["row"]:
            word = words.get(row)
            if word is None or word.value is None:
                counts["without" if word is None else "open" if word.how == "open" else "untold"] += 1
            elif word.value in wanted:
                counts["kept"] += 1
            else:
                dropped[str(word.value)] = dropped.get(str(word.value), 0) + 1
                drops.append(Drop(row, JUDGED, None, None, f"{question.mode} {word.value}, {word.told}"))
        seen.clear()
        seen.update({**counts, "rows": frame.height - len(drops), "dropped": dict(sorted(dropped.items()))})
        if not drops:
            return None
        left, gone = drop_rows(frame, drops)
        return Outcome(
            verb="label",
            parameters={
                "question": question.model_dump(mode="json"),
                "keep": list(wanted),
                "settle": rule,
                "least": least,
            },
            parents=(version.parent,),
            contents={version.dataset: left},
            rows_in=frame.height,
            dropped=gone,
            counts={JUDGED: len(drops)},
        )

    if dry_run:
        build()
        changed = False
    else:
        changed = commit(project, build) is not None
    newest = open_dataset(project, dataset)
    return KeepResult(
        dataset=newest.dataset,
        version=newest.number,
        changed=changed,
        question=question.hash,
        keep=wanted,
        parts=parts_of(project, newest.dataset),
        dry_run=dry_run,
        **seen,
    )
