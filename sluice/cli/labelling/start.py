"""Start a sitting: the session, what is shown beside the rows, and the form it takes (a screen, or line by line)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.cli.labelling.drawn import WrittenTask
from sluice.cli.labelling.keys import Offer, offer_of
from sluice.core.canonical import sha256_hex
from sluice.core.errors import UsageError
from sluice.core.project import Project
from sluice.curate.dataset import Version
from sluice.curate.labels.log import append_record, keep_question, read_log
from sluice.curate.labels.others import Follower
from sluice.curate.labels.prepare import Plan, prepare_items
from sluice.curate.labels.question import Question
from sluice.curate.labels.queues.base import Embed
from sluice.curate.labels.record import Record
from sluice.curate.labels.session import Item, Session

if TYPE_CHECKING:
    from sluice.cli.labelling.app import LabelApp


@dataclass(frozen=True)
class Prepared:
    """A sitting before anything is shown: what every form of it takes. See `app.LabelApp`."""

    session: Session
    task: WrittenTask
    problem: Callable[[str], str | None]
    offer: Offer
    news: Callable[[], list[Record]]
    cautions: tuple[str, ...] = ()
    """What is to be known of the suggestions."""


def prepare(
    version: Version, items: list[Item], question: Question, plan: Plan, *, by: str, embed: Embed | None = None
) -> Prepared:
    """Return a sitting whose decisions are kept in the project.

    Raises InputError where nothing is left to ask, or the schema cannot be read.
    """
    project = version.project
    follower = Follower(project)
    log = read_log(project)
    found = prepare_items(version, items, question, log, plan, by=by, embed=embed)
    drawn = list(found.items)
    if found.overlap is not None and plan.queue == "random":
        drawn = _from_own_place(drawn, by)
    asked = False

    def write(record: Record) -> None:
        nonlocal asked
        if not asked:
            keep_question(project, question, log, by=by)
            asked = True
        append_record(project, record)

    session = Session(question, drawn, by=by, write=write, log=log, queue=plan.queue, overlap=found.overlap)
    task = written_task(project, version.dataset)
    return Prepared(session, task, text_problem(project), offer_of(question), follower.news, found.cautions)


def _from_own_place(items: list[Item], by: str) -> list[Item]:
    """Let each person begin somewhere else, so that two who share the rows do not look at the same one all the time."""
    at = int(sha256_hex("sluice/queue-start/1", by)[:8], 16) % len(items)
    return items[at:] + items[:at]


def on_screen(sitting: Prepared) -> None:
    """Open the full screen until the person leaves it.

    Raises UsageError where the terminal is too small, and what went wrong inside.
    """
    from sluice.cli.labelling.app import LOWEST, NARROWEST, LabelApp

    columns, lines = shutil.get_terminal_size()
    if columns < NARROWEST or lines < LOWEST:
        raise UsageError(
            f"the terminal has {columns} columns and {lines} lines, and the screen needs {NARROWEST} and {LOWEST}",
            remedy="make the window larger, or: --no-tui",
        )
    run_app(LabelApp(sitting.session, sitting.task, sitting.problem, sitting.offer, sitting.news))


def in_window(sitting: Prepared) -> None:
    """Be the app of one browser window: it talks to the server on stdin and stdout (`web`)."""
    from sluice.cli.labelling.app import LabelApp

    run_app(LabelApp(sitting.session, sitting.task, sitting.problem, sitting.offer, sitting.news))


def run_app(app: LabelApp) -> None:
    """Run the app; what failed inside is raised once the terminal is as it was."""
    app.run()
    if app.failure is not None:
        raise app.failure


def line_by_line(sitting: Prepared, *, read: Callable[[], str | None], say: Callable[[str], None]) -> None:
    """Ask line by line until the person stops or no line is left."""
    from sluice.cli.labelling.plain import PlainSitting

    s = sitting
    PlainSitting(s.session, s.task, s.problem, s.offer, s.news, read=read, say=say).run()


def written_task(project: Project, title: str) -> WrittenTask:
    """Return description and rubric of the task, empty where there are none."""
    if not project.has_config:
        return WrittenTask(title, "", "")
    task = project.config.task
    rubric = project.read_text(task.rubric, what="the rubric") if task.rubric else ""
    return WrittenTask(title, task.description, rubric)


def text_problem(project: Project) -> Callable[[str], str | None]:
    """Return what says what is wrong with a written answer: empty, or not what the task's schema asks for."""
    from sluice.core.task import read_schema
    from sluice.curate.checks.schema import answer_problem

    schema = read_schema(project) if project.has_config else None
    if schema is None:
        return lambda text: None if text.strip() else "an answer cannot be empty"
    return answer_problem(schema)
