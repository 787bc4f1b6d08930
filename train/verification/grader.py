"""The task's grader of today: what stored answers are scored with again, where it is the one on record."""

from __future__ import annotations

from typing import NamedTuple

from sluice.core.errors import SluiceError
from sluice.core.project import Project
from sluice.core.task import read_schema
from sluice.evalsuite.graders import Grader, grader_hash
from sluice.evalsuite.question import grader_config, task_grader


class TodaysGrader(NamedTuple):
    """Today's grader and its hash, or why there is none."""

    grader: Grader | None
    sha256: str | None
    why_not: str

    def problem(self, recorded: object) -> str | None:
        """Return why answers recorded under a grader of that hash cannot be scored again, None where they can."""
        if self.grader is not None and self.sha256 == recorded:
            return None
        return self.why_not or "the grader of today is another one"


def todays_grader(project: Project) -> TodaysGrader:
    """Make the task's grader; what is wrong with it is said, not raised."""
    try:
        digest = grader_hash(grader_config(project), project.root, read_schema(project))
        return TodaysGrader(task_grader(project), digest, "")
    except SluiceError as problem:
        return TodaysGrader(None, None, str(problem))
