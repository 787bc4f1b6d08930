"""doccano: JSON Lines of text classification and sequence to sequence (source of 1.8, `data_export`): `text`, `label`
(a list), `Comments` (a list), and whatever stood beside the text when it was imported; the importer's `data` and the
`labels` of releases before 1.0 are read too, and `annotations` with `user` as those exported them.

A line names nobody: doccano exports one file for each person (`NAME.jsonl`) or one for all, so `--by` says whose it is.
What we write names people, times and pace beside the text, where doccano keeps them as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from sluice.core.errors import UsageError
from sluice.curate.labels.exchange.document import json_lines, read_document
from sluice.curate.labels.exchange.word import (
    ALL_MODES,
    EXCHANGES,
    OWN_KEYS,
    SIDES_KEY,
    WRITTEN,
    Exchange,
    NotThis,
    Place,
    Read,
    Task,
    Word,
    cannot_tell,
    choices,
    gather,
    listed,
    moment,
    own_parts,
    pace,
    person,
    picked,
    shown_texts,
)
from sluice.curate.labels.question import Question

SAID = "sluice_said"
"""The key of what is recorded of a word that doccano has no place for: an object with `by`, `time`, `seconds`, and
`cannot_tell` where nobody can."""
TEXTS = ("text", "data")
LABELS = ("label", "labels", "cats", "annotations")
COMMENTS = ("Comments", "comments")


def recognise(_path: Path, records: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the records hold a text and a list of labels."""
    return any(
        any(isinstance(r.get(t), str) for t in TEXTS) and any(isinstance(r.get(k), list) for k in LABELS)
        for r in records
    )


def read(path: Path, question: Question, meant: str | None) -> Read:
    """Read the labels of texts. `meant` names the key that holds them where it is none of doccano's."""
    records, broken = read_document(path)
    if meant is not None and not any(isinstance(r, Mapping) and meant in r for _, r in records):
        raise UsageError(
            f"no line has the key '{meant}'", where="--answer", remedy="leave it out: `label` is doccano's"
        )
    keys = (meant,) if meant else LABELS
    words, problems = gather(records, lambda place, one: _line(place, one, question, keys))
    return Read(tuple(words), (*broken, *problems))


def _line(place: Place, record: Mapping[str, Any], question: Question, keys: Sequence[str]) -> Iterator[Word | NotThis]:
    key = next((k for k in keys if k in record), None)
    found = record.get(key) if key else None
    texts = {name: value for name, value in record.items() if name != key and name not in COMMENTS}
    told = record.get(SAID)
    said = cast("Mapping[str, Any]", told) if isinstance(told, Mapping) else {}
    about: dict[str, Any] = {"texts": texts, **own_parts(record)}
    if said.get("cannot_tell"):
        yield _word(place, None, record, said, about)
        return
    given = cast("list[Any]", found) if isinstance(found, list) else [] if found in (None, "") else [found]
    if not given and not said:
        yield Word(place, None, skipped=True, **about)
        return
    if given and all(isinstance(one, Mapping) for one in given):
        yield from _by_user(place, cast("list[Mapping[str, Any]]", given), question, about)
        return
    yield _word(place, _value(given, question), record, said, about)


def _value(given: Sequence[Any], question: Question) -> Any:
    if question.mode not in WRITTEN:
        return picked(given, question)
    if len(given) != 1:
        raise NotThis(f"{len(given)} texts where the question takes one")
    return given[0]


def _by_user(
    place: Place, given: Sequence[Mapping[str, Any]], question: Question, about: dict[str, Any]
) -> Iterator[Word | NotThis]:
    by_user: dict[str | None, list[Any]] = {}
    for one in given:
        by_user.setdefault(person(one.get("user")), []).append(one.get("label", one.get("text")))
    for who, labels in by_user.items():
        try:
            yield Word(place, _value(labels, question), by=who, **about)
        except NotThis as problem:
            yield problem


def _word(place: Place, value: Any, record: Mapping[str, Any], said: Mapping[str, Any], about: dict[str, Any]) -> Word:
    remarks = next((record[k] for k in COMMENTS if record.get(k)), None)
    texts = cast("list[Any]", remarks) if isinstance(remarks, list) else [remarks]
    comment = "\n".join(text for text in texts if isinstance(text, str)) or None
    who, when = person(said.get("by")), moment(said.get("time"))
    return Word(place, value, by=who, time=when, seconds=pace(said.get("seconds")), comment=comment, **about)


def write(_path: Path, tasks: Sequence[Task], question: Question) -> Iterable[bytes]:
    """Write a line for each row, or for each person's word on it."""
    return json_lines(line for task in tasks for line in _lines(task))


def _lines(task: Task) -> Iterator[dict[str, Any]]:
    shown = shown_texts(task.item)
    plain = {name: text for name, text in shown.items() if name not in OWN_KEYS}
    text = next(iter(plain.values())) if len(plain) == 1 else "\n\n".join(plain.values())
    taken = {"id", "text", SAID, *LABELS, *COMMENTS}
    body = {f"input.{n}" if n in taken or (len(plain) == 1 and n == "text") else n: v for n, v in shown.items()}
    body = {"text": text, **{n: v for n, v in body.items() if n in OWN_KEYS or len(plain) > 1}}
    if not task.words:
        yield {**body, "label": []}
    for word in task.words:
        parts = {"by": word.by, "time": word.time, "seconds": word.seconds}
        said: dict[str, Any] = {name: value for name, value in parts.items() if value is not None}
        if word.value is None:
            said["cannot_tell"] = True
        line: dict[str, Any] = {**body, "label": [] if word.value is None else listed(word.value), SAID: said}
        if word.value == () and not said:
            line[SAID] = {"decided": True}
        if word.sides:
            line[SIDES_KEY] = list(word.sides)
        yield line | ({"Comments": [word.comment]} if word.comment is not None else {})


def setup(question: Question, tasks: Sequence[Task]) -> str:
    """Return the project to make."""
    if question.mode in WRITTEN:
        return "a project of type Sequence to Sequence; import as JSONL"
    single = "" if question.many else ", Allow single label"
    labels = ", ".join([*choices(question), cannot_tell(question)])
    return f"a project of type Text Classification{single}; labels: {labels}"


EXCHANGES.register("doccano")(
    Exchange(
        name="doccano",
        tool="doccano 1.8",
        modes=ALL_MODES,
        drops=frozenset(),
        recognise=recognise,
        read=read,
        write=write,
        setup=setup,
    )
)
