"""What proposes: a name and a function from rows, a question and what was said to proposals, by subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sluice.core.canonical import dump_exact
from sluice.core.errors import InputError, UsageError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.registry import Registry
from sluice.core.rows import AnyRow
from sluice.curate.labels.log import Log
from sluice.curate.labels.question import VERDICTS, Question
from sluice.curate.labels.queues.base import Embed
from sluice.curate.labels.record import Value
from sluice.curate.labels.session import Item


@dataclass(frozen=True)
class Proposal:
    """What is proposed for one subject, and by whom."""

    value: Value
    by: str

    @property
    def text(self) -> str:
        """The value as it is shown and recorded: a text as it is, several labels as a JSON list."""
        return dump_exact(list(self.value)) if isinstance(self.value, tuple) else str(self.value)


@dataclass(frozen=True)
class Proposals:
    """What a source proposes.

    Args:
        by_subject: the proposals; a subject may have none.
        doubts: by subject, how unsure the source is, 0 to 1; None where it cannot say.
        cautions: what should be known about them, a sentence each.
        of_people: whether other people's words are in them: shown beforehand they would make people agree.
    """

    by_subject: Mapping[str, Proposal]
    doubts: Mapping[str, float] | None = None
    cautions: tuple[str, ...] = ()
    of_people: bool = False


@dataclass(frozen=True)
class Wanted:
    """What proposals are wanted for.

    Args:
        project: whose runs and rules are read.
        question: what is asked.
        items: by subject.
        rows: by row hash, those of the items.
        log: what people said.
        of: what stands behind the colon in the source's name, such as a run's id; empty where nothing does.
        seed: of a label model's starts.
        columns: by row, the columns beside it.
        embed: texts to vectors, where a model is named.
        progress: called with (what, done, total).
    """

    project: Project
    question: Question
    items: Mapping[str, Item]
    rows: Mapping[str, AnyRow]
    log: Log
    of: str = ""
    seed: int = 0
    columns: Mapping[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    embed: Embed | None = None
    progress: Progress | None = None

    def texts(self) -> Sequence[str]:
        """Return what is shown of each item's input, in their order."""
        return ["\n".join(text for _, text in item.texts) for item in self.items.values()]


Source = Callable[[Wanted], Proposals]
SOURCES: Registry[Source] = Registry("source of suggestions")


def propose(word: str, wanted: Wanted) -> Proposals:
    """Return what a source proposes.

    Args:
        word: `run:ID`, `rules`, `model`, `model:NAME` or `suspects`.
        wanted: for what.

    Raises InputError for a source that there is not, UsageError for a question it has nothing to say to.
    """
    name, _, of = word.partition(":")
    source = SOURCES.get(name)
    if wanted.question.mode == "compare":
        raise UsageError("there is nothing to suggest of two answers", where="--suggest", remedy="leave it out")
    return source(replace(wanted, of=of))


def checked(question: Question, value: object) -> Value:
    """Return a value that could be proposed as an answer to a question, in review as the answer in place of that given.

    None where it says nothing. Raises InputError where it is no answer.
    """
    if value is None or question.mode != "review":
        return question.check(value)
    others = question.labels[len(VERDICTS) :]
    if not isinstance(value, str) or not value.strip() or (others and value not in others):
        raise InputError(f"{value!r} is no answer that could be proposed", remedy=f"one of: {', '.join(others)}")
    return value
