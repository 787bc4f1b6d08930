"""Which question is meant: what was typed, the question asked before, the schema and the rows put together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.curate.dataset import Version
from sluice.curate.labels.items import check_field, known_labels
from sluice.curate.labels.log import Log
from sluice.curate.labels.question import VERDICTS, Question, ask
from sluice.curate.labels.record import Mode


def written_task(project: Project) -> str:
    """Return the hash of what people judge by: description and rubric. Nothing is written where there is no task."""
    if not project.has_config:
        return hashlib.sha256(b"").hexdigest()
    task = project.config.task
    rubric = project.read_text(task.rubric, what="the rubric") if task.rubric else ""
    return hashlib.sha256(f"{task.description}\n{rubric}".encode()).hexdigest()


def choose_question(
    version: Version,
    log: Log,
    *,
    mode: Mode = "classify",
    field: str = "target",
    labels: Sequence[str] = (),
    many: bool = False,
    ordered: bool = False,
    scale: tuple[int, int] | None = None,
    between: tuple[str, ...] = (),
) -> Question:
    """Return the question that is asked of a version's rows.

    Labels that nobody names are those of the same question when it was last asked; then the schema's; then the rows'.

    Args:
        version: whose rows are asked about.
        log: what was asked before.
        mode, field, labels, many, ordered, scale, between: see `question.ask`.

    Raises UsageError where the parts do not fit or labels are not known, InputError where the task cannot be read.
    """
    check_field(field)
    written = written_task(version.project)
    if mode == "classify" and not labels:
        before = next((q for q in log.questions()[::-1] if (q.mode, q.field) == (mode, field)), None)
        labels = before.labels if before else known_labels(version, field)
        many, ordered = many or bool(before and before.many), ordered or bool(before and before.ordered)
        if not labels:
            raise UsageError(
                f"it has to be said which labels {field} may have: neither the schema nor the rows tell",
                remedy="--labels billing,shipping,other",
            )
    if mode == "review" and not labels:
        known = known_labels(version, field)
        labels = () if set(known) & set(VERDICTS) else known
    return ask(
        mode, field=field, labels=labels, many=many, ordered=ordered, scale=scale, between=between, written=written
    )


def find_question(log: Log, word: str | None = None) -> Question:
    """Return the question that a word means: its hash's beginning, its field, its mode; without one, the newest.

    Raises InputError where none, or more than one, is meant.
    """
    asked = log.questions()
    if not asked:
        raise InputError("nothing was labelled here yet", remedy="sluice label NAME")
    if word is None:
        return asked[-1]
    for meant in (
        [q for q in asked if len(word) >= 4 and q.hash.startswith(word)],
        [q for q in asked if word in (q.field, q.shortened())],
        [q for q in asked if q.mode == word],
    ):
        if meant:
            return meant[-1]
    known = ", ".join(f"{q.hash[:8]} ({q.shortened()})" for q in asked[-8:])
    raise InputError(f"no question is called '{word}'", where="--question", remedy=f"known: {known}")
