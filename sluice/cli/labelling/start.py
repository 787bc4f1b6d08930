"""Start a sitting for `sluice label`: what is shown beside the rows, what a written answer is held against."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.curate.dataset import Version
from sluice.curate.labels.log import append_record, keep_question
from sluice.curate.labels.prepare import Plan, prepare
from sluice.curate.labels.question import Question
from sluice.curate.labels.queues.base import Embed
from sluice.curate.labels.record import Record
from sluice.curate.labels.session import Progress, Session

NARROWEST = 40
"""Columns that the screen needs."""


def start_sitting(
    version: Version, question: Question, plan: Plan, *, by: str, embed: Embed | None = None
) -> tuple[Progress, tuple[str, ...]]:
    """Open the screen and return how far the person came, and what is to be known of the suggestions.

    Raises UsageError where the terminal is too narrow, InputError where nothing is left to ask.
    """
    from sluice.cli.labelling.app import LabelApp, WrittenTask
    from sluice.curate.labels.log import read_log

    columns = shutil.get_terminal_size().columns
    if columns < NARROWEST:
        raise UsageError(
            f"the terminal has {columns} columns, and the screen needs {NARROWEST}",
            remedy="make the window wider, or: --no-tui",
        )
    project = version.project
    log = read_log(project)
    prepared = prepare(version, question, log, plan, by=by, embed=embed)
    asked = False

    def write(record: Record) -> None:
        nonlocal asked
        if not asked:
            keep_question(project, question, log, by=by)
            asked = True
        append_record(project, record)

    session = Session(question, prepared.items, by=by, write=write, log=log, queue=plan.queue)
    description, rubric = written_texts(project)
    LabelApp(session, WrittenTask(version.dataset, description, rubric), text_problem(project)).run()
    return session.progress, prepared.cautions


def written_texts(project: Project) -> tuple[str, str]:
    """Return description and rubric of the task, empty where there are none."""
    if not project.has_config:
        return "", ""
    task = project.config.task
    return task.description, project.read_text(task.rubric, what="the rubric") if task.rubric else ""


def text_problem(project: Project) -> Callable[[str], str | None]:
    """Return what says what is wrong with a written answer: empty, or not what the task's schema asks for."""
    from sluice.curate.checks.schema import answer_problem

    name = project.config.task.output_schema if project.has_config else None
    if name is None:
        return lambda text: None if text.strip() else "an answer cannot be empty"
    try:
        schema = json.loads(project.read_text(name, what="the schema"))
    except ValueError as problem:
        raise InputError(f"the schema is no JSON: {problem}", where=name, remedy="mend it") from problem
    return answer_problem(schema)
