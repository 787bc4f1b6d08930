"""The nouns of exchange: one person's word as another tool holds it, a row with its words, a format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

from sluice.core.canonical import dump_exact
from sluice.core.errors import UsageError
from sluice.core.registry import Registry
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import Mode, Value
from sluice.curate.labels.session import Item

ROW_KEY = "sluice_row"
"""The key under which a row's hash travels with its text."""
ANSWER_KEY = "sluice_answer"
"""The same of the answer that is judged."""
SIDES_KEY = "sluice_sides"
"""The same of where compared answers came from."""
OWN_KEYS = (ROW_KEY, ANSWER_KEY, SIDES_KEY)
CANNOT_TELL = "cannot-tell"
"""What says in a list of labels that nobody can tell; see `cannot_tell` where the question has such a label."""
ALL_MODES: frozenset[Mode] = frozenset({"classify", "rate", "grade", "correct", "write", "compare", "review"})
WRITTEN: frozenset[Mode] = frozenset({"correct", "write"})


class Place(NamedTuple):
    """Where a record stands in a file."""

    line: int
    """From 1; of a table, as its reader counts."""
    record: int
    """The number of the record, from 1: many tools write a whole list on one line. 0 where it is not counted."""


class NotThis(ValueError):
    """One record, or one word in it, that cannot be taken; the text says why."""


@dataclass(frozen=True)
class Word:
    """What one person said, with nothing of our own in it yet."""

    place: Place
    value: Any
    """As it stands; `Question.check` decides. None: cannot tell."""
    row: str | None = None
    """A row's hash, where we wrote the file."""
    texts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """All that may be the input, by name."""
    answer: str | None = None
    """The answer that was judged, where it is known."""
    by: str | None = None
    time: str | None = None
    """UTC with microseconds, as records have it."""
    seconds: float | None = None
    comment: str | None = None
    sides: tuple[str, ...] = ()
    skipped: bool = False
    """The person left it, or nobody has looked at it: there is no word."""


@dataclass(frozen=True)
class Task:
    """A row that is written out, and what was said of it."""

    item: Item
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Read:
    """What a format made of a file."""

    words: tuple[Word, ...]
    problems: tuple[tuple[Place, str], ...]
    """Records that could not be taken, and why."""


@dataclass(frozen=True)
class Exchange:
    """One format of one tool."""

    name: str
    tool: str
    """The tool and the version whose documentation or source was read."""
    modes: frozenset[Mode]
    """Questions whose answers it can hold."""
    drops: frozenset[str]
    """What of a word it cannot hold: of by, time, seconds, comment, sides, cannot tell, several."""
    recognise: Callable[[Path, Sequence[Mapping[str, Any]]], bool]
    """From a file's name and its first records; no record for what is no JSON."""
    read: Callable[[Path, Question, str | None], Read]
    """Of a file; the last is which of its questions, controls or columns is meant."""
    write: Callable[[Path, Sequence[Task], Question], Iterable[bytes]]
    setup: Callable[[Question, Sequence[Task]], str]
    """What to set up in the tool before the file is loaded there."""
    tasks: bool = True
    """Whether rows that nobody has decided have a place in it."""


EXCHANGES: Registry[Exchange] = Registry("format of labels")


def cannot_tell(question: Question) -> str:
    """Return what a list of labels says where nobody can tell: never a label of the question."""
    word = CANNOT_TELL
    while word in question.labels:
        word += "-"
    return word


def choices(question: Question) -> list[str]:
    """Return what may be picked for a question that is answered from a list; ratings as text."""
    if question.scale:
        return [str(n) for n in range(question.scale[0], question.scale[1] + 1)]
    return list(question.labels)


def listed(value: Value) -> list[str]:
    """Return an answer as the list of what was picked."""
    return list(value) if isinstance(value, tuple) else [str(value)]


def plain(value: Any) -> Any:
    """Return a value as a list of labels has it: a number without a point where it is whole, all else as JSON text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else dump_exact(value)


def picked(found: Sequence[Any], question: Question) -> Any:
    """Return what was picked from a list as an answer, still unchecked.

    Raises NotThis for several where one may be given, and for nothing where something must.
    """
    if list(found) == [cannot_tell(question)]:
        return None
    if question.many:
        return [plain(one) for one in found]
    if len(found) != 1:
        raise NotThis(f"{len(found)} answers where the question takes one" if found else "no answer was picked")
    return plain(found[0])


def shown_texts(item: Item) -> dict[str, str]:
    """Return the texts of a row by name, none of which is a key of ours; the judged answer and the row beside them."""
    found = {name if name not in OWN_KEYS else f"input.{name}": text for name, text in item.texts}
    if len(item.answers) == 1:
        found[ANSWER_KEY] = item.answers[0].text
    return {**found, ROW_KEY: item.row}


def plain_names(texts: Mapping[str, str]) -> dict[str, str]:
    """Return texts under names of small letters, digits and underscores: others are no names of fields everywhere."""
    found: dict[str, str] = {}
    for name, text in texts.items():
        key = re.sub("[^a-z0-9_]+", "_", name.lower()).strip("_") or "field"
        while key in found or (key != name and key in texts):
            key += "_"
        found[key] = text
    return found


def own_parts(held: Mapping[str, Any]) -> dict[str, Any]:
    """Return row, judged answer and sides as they stand in what a tool kept beside a text."""
    sides = held.get(SIDES_KEY)
    sides = sides.split("\n") if isinstance(sides, str) and sides else sides
    return {
        "row": text_or_none(held.get(ROW_KEY)),
        "answer": text_or_none(held.get(ANSWER_KEY)),
        "sides": tuple(map(str, cast("list[Any]", sides))) if isinstance(sides, list) else (),
    }


def sides_of(task: Task) -> tuple[str, ...]:
    """Return where the answers came from that the words of a task compare: one task has one pair."""
    found = {word.sides for word in task.words}
    return next(iter(found)) if len(found) == 1 else ()


def text_or_none(value: Any) -> str | None:
    """Return a text that says something; None for anything else."""
    return value if isinstance(value, str) and value else None


def person(value: Any) -> str | None:
    """Return a person as records name them: a name, an address, or a number as text; None where there is none."""
    if isinstance(value, Mapping):
        told = cast("Mapping[str, Any]", value)
        return next((who for key in ("email", "username", "id") if (who := person(told.get(key)))), None)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None


_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?( ?(Z|[+-]\d\d:?\d\d))?")
DAY = 86_400.0


def moment(value: Any) -> str | None:
    """Return a time as records have it. One without a zone is taken for UTC; a number for seconds since 1970.

    Raises NotThis for what is no time, and for one more than a day ahead: it would count over all later words.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            found = datetime.fromtimestamp(value, UTC)
        elif isinstance(value, str) and _TIME.fullmatch(value.strip()):
            text = re.sub(r"(\.\d{6})\d+", r"\1", value.strip().replace(" Z", "Z").replace(" +", "+"))
            found = datetime.fromisoformat(text)
            found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        else:
            raise ValueError
        ahead = found.timestamp() - datetime.now(UTC).timestamp() > DAY
    except (ValueError, OverflowError, OSError):
        raise NotThis(f"{str(value)[:40]!r} is no time") from None
    if ahead:
        raise NotThis(f"{str(value)[:40]!r} is a time that has not come yet")
    return written_time(found)


def written_time(found: datetime) -> str:
    """Return a UTC time as records have it; years before 1000 keep four digits, so that times sort as text."""
    return found.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def pace(value: Any) -> float | None:
    """Return seconds; None where none are given. Raises NotThis for what is no such number."""
    if value is None or value == "":
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise NotThis(f"{str(value)[:40]!r} is no number of seconds") from None
    if not 0 <= found < float("inf"):
        raise NotThis(f"{found} is no number of seconds")
    return found


def gather(
    records: Iterable[tuple[Place, Any]], one: Callable[[Place, Mapping[str, Any]], Iterator[Word | NotThis]]
) -> tuple[list[Word], list[tuple[Place, str]]]:
    """Return the words of records, and what could not be taken: a bad word does not take its neighbours with it."""
    words: list[Word] = []
    problems: list[tuple[Place, str]] = []
    for place, record in records:
        if not isinstance(record, Mapping):
            problems.append((place, "this is no JSON object"))
            continue
        try:
            for found in one(place, cast("Mapping[str, Any]", record)):
                if isinstance(found, NotThis):
                    problems.append((place, str(found)))
                else:
                    words.append(found)
        except NotThis as problem:
            problems.append((place, str(problem)))
    return words, problems


def one_of(names: Sequence[str], meant: str | None, *, own: str, where: str) -> str | None:
    """Return which of a file's questions, controls or columns holds the answer; None where it has none.

    Args:
        names: those that fit the question's mode, each once.
        meant: the one that was named.
        own: what ours is called.
        where: the file.

    Raises UsageError where several fit and none is named, or the named one is not there.
    """
    known = ", ".join(names) or "none"
    if meant is not None:
        if meant not in names:
            raise UsageError(f"it holds no answers called '{meant}'", where=where, remedy=f"--answer one of: {known}")
        return meant
    if own in names or not names:
        return own if names else None
    if len(names) > 1:
        raise UsageError(f"it answers {len(names)} questions: {known}", where=where, remedy=f"--answer {names[0]}")
    return names[0]
