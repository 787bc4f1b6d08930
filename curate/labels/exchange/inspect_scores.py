"""inspect's scores from outside (inspect_ai, source of `scorer/_precomputed.py`, 2026): JSON or JSON Lines of `id`,
`value`, and where given `epoch`, `answer`, `explanation`, `metadata`. `precomputed_scores("FILE")` reads them there.

`id` is a sample's id: a row's hash. A grade is C, P or I as inspect counts them; `explanation` is the remark. inspect
takes one score for a sample, so a file with several words on a row is refused; a row that nobody can tell is left out,
since every value would count. A written text is no score.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from sluice.core.errors import UsageError
from sluice.curate.labels.exchange.document import json_lines, read_document
from sluice.curate.labels.exchange.word import (
    ALL_MODES,
    ANSWER_KEY,
    EXCHANGES,
    ROW_KEY,
    WRITTEN,
    Exchange,
    NotThis,
    Place,
    Read,
    Task,
    Word,
    gather,
    moment,
    pace,
    person,
    picked,
    shown_texts,
    text_or_none,
)
from sluice.curate.labels.question import Question

GRADES = {"right": "C", "partly": "P", "wrong": "I", "accept": "C", "reject": "I"}
"""Our words as inspect's CORRECT, PARTIAL and INCORRECT (`scorer/_metric.py`)."""
NUMBERS = {1: "C", 0.5: "P", 0: "I"}


def recognise(_path: Path, records: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the records are scores."""
    return any("id" in r and "value" in r for r in records)


def read(path: Path, question: Question, meant: str | None) -> Read:
    """Read scores. `meant` names the key of `value` where that is an object."""
    records, broken = read_document(path)
    words, problems = gather(records, lambda place, one: _score(place, one, question, meant))
    return Read(tuple(words), (*broken, *problems))


def _score(place: Place, record: Mapping[str, Any], question: Question, meant: str | None) -> Iterator[Word | NotThis]:
    if "id" not in record:
        raise NotThis("a score without `id`")
    if "value" not in record:
        raise NotThis("a score without `value`")
    beside = _mapping(record.get("metadata"))
    name = text_or_none(beside.get(ROW_KEY)) or str(record["id"])
    yield Word(
        place,
        _value(record["value"], question, meant),
        row=name,
        texts=_mapping(beside.get("input")) or {**beside, "id": record["id"]},
        answer=text_or_none(beside.get(ANSWER_KEY)),
        by=person(beside.get("by")) or person(beside.get("annotator")),
        time=moment(beside.get("time")),
        seconds=pace(beside.get("seconds")),
        comment=text_or_none(record.get("explanation")),
        sides=tuple(map(str, cast("list[Any]", beside["sides"]))) if isinstance(beside.get("sides"), list) else (),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _value(value: Any, question: Question, meant: str | None) -> Any:
    if isinstance(value, Mapping):
        held = cast("Mapping[str, Any]", value)
        if meant is None or meant not in held:
            raise NotThis(f"it holds several scores: name one of {', '.join(map(str, held))} with --answer")
        value = held[meant]
    if question.mode in ("grade", "review"):
        letter = NUMBERS.get(float(value), value) if isinstance(value, bool | int | float) else value
        back = {GRADES[label]: label for label in question.labels}
        value = back.get(letter, letter) if isinstance(letter, str) else letter
    return picked(cast("list[Any]", value) if isinstance(value, list) else [value], question)


def write(path: Path, tasks: Sequence[Task], question: Question) -> Iterable[bytes]:
    """Write a score for each row that somebody could tell.

    Raises UsageError where a row has several.
    """
    twice = next((task for task in tasks if len(task.words) > 1), None)
    if twice is not None:
        raise UsageError(
            f"inspect takes one score a sample, and {len(twice.words)} people judged row {twice.item.row[:10]}",
            where=str(path),
            remedy="--what settled, or name one person with --by",
        )
    return json_lines(_written(task, word, question) for task in tasks for word in task.words)


def _written(task: Task, word: Word, question: Question) -> dict[str, Any]:
    value = list(word.value) if isinstance(word.value, tuple) else word.value
    if question.mode in ("grade", "review"):
        value = GRADES[str(value)]
    parts = {"by": word.by, "time": word.time, "seconds": word.seconds, "sides": list(word.sides) or None}
    own = shown_texts(task.item)
    metadata: dict[str, Any] = {key: own.pop(key) for key in (ROW_KEY, ANSWER_KEY) if key in own}
    metadata |= {"input": own, **{k: v for k, v in parts.items() if v is not None}}
    body: dict[str, Any] = {"id": task.item.row, "value": value}
    if len(task.item.answers) == 1:
        body["answer"] = task.item.answers[0].text
    if word.comment is not None:
        body["explanation"] = word.comment
    return body | {"metadata": metadata}


def setup(_question: Question, _tasks: Sequence[Task]) -> str:
    """Return how inspect takes the file."""
    return "precomputed_scores(FILE) as a scorer, samples with `id` set to the row"


EXCHANGES.register("inspect")(
    Exchange(
        name="inspect",
        tool="inspect_ai 0.3",
        modes=ALL_MODES - WRITTEN,
        drops=frozenset({"cannot tell", "several"}),
        recognise=recognise,
        read=read,
        write=write,
        setup=setup,
        tasks=False,
    )
)
