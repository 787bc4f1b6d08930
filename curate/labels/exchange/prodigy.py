"""Prodigy: JSON Lines of `db-out` (docs of 1.1x, "Annotation interfaces"): `choice` with `options` and `accept`, binary
`textcat` with one `label`, `text_input` with `user_input`; `answer` is accept, reject or ignore, `_annotator_id` the
person, `_timestamp` whole seconds.

Ignored tasks are skips. Rejecting says something of a binary task alone: in a review it is the verdict, elsewhere it
says what a row is not, which is no answer here. Prodigy keeps keys that it does not know: row, exact time, pace and
remark travel as such, and the exact time counts only while it agrees with `_timestamp`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sluice.core.errors import UsageError
from sluice.curate.labels.exchange.document import json_lines, read_document
from sluice.curate.labels.exchange.word import (
    ALL_MODES,
    ANSWER_KEY,
    CANNOT_TELL,
    EXCHANGES,
    ROW_KEY,
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
    plain,
    shown_texts,
    text_or_none,
)
from sluice.curate.labels.question import Question

INPUT, COMMENT, SAID = "user_input", "comment", "sluice_said"
"""Prodigy's own key of a written answer, ours of a remark, and of what else was recorded of a word."""
ANSWERS = ("accept", "reject", "ignore")


def recognise(_path: Path, records: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the records are tasks of Prodigy's."""
    marks = ("_annotator_id", "_session_id", "_task_hash", "_input_hash", "_view_id", "options", "accept")
    return any(
        (r.get("answer") in ANSWERS and any(m in r for m in (*marks, "label"))) or "_task_hash" in r or "options" in r
        for r in records
    )


def read(path: Path, question: Question, meant: str | None) -> Read:
    """Read what people said of tasks.

    Raises UsageError where an answer is named: a task has one.
    """
    if meant is not None:
        raise UsageError("a Prodigy task has one answer", where="--answer", remedy="leave --answer out")
    records, broken = read_document(path)
    words, problems = gather(records, lambda place, task: _task(place, task, question))
    return Read(tuple(words), (*broken, *problems))


def _task(place: Place, task: Mapping[str, Any], question: Question) -> Iterator[Word | NotThis]:
    found = task.get(SAID)
    said = cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}
    about: dict[str, Any] = {"texts": task, **own_parts(task)}
    answer = task.get("answer")
    if answer is None or answer == "ignore":
        yield Word(place, None, skipped=True, **about)
        return
    if answer not in ANSWERS:
        raise NotThis(f"`answer` is {str(answer)[:40]!r}, not accept, reject or ignore")
    yield Word(
        place,
        _value(task, question, str(answer)),
        by=person(task.get("_annotator_id")) or person(task.get("_session_id")),
        time=_time(task.get("_timestamp"), said.get("time")),
        seconds=pace(said.get("seconds")),
        comment=text_or_none(task.get(COMMENT)),
        **about,
    )


def _time(whole: Any, exact: Any) -> str | None:
    found = moment(whole)
    told = moment(exact)
    return told if told is not None and (found is None or told[:19] == found[:19]) else found


def _value(task: Mapping[str, Any], question: Question, answer: str) -> Any:
    if answer == "accept" and task.get("accept") == [CANNOT_TELL] and question.mode in WRITTEN:
        return None
    if question.mode == "review" and "accept" not in task:
        return answer
    if answer == "reject":
        what = text_or_none(task.get("label"))
        raise NotThis(
            f"it says that the row is not {what!r}, not what it is" if what else "a rejected task says nothing"
        )
    if question.mode in WRITTEN:
        written = task.get(INPUT)
        if not isinstance(written, str):
            raise NotThis(f"a task without `{INPUT}`")
        return written
    if "accept" in task:
        accepted = task["accept"]
        if not isinstance(accepted, list):
            raise NotThis("`accept` is no list")
        return picked([_option(one, task, question) for one in cast("list[Any]", accepted)], question)
    if "label" in task:
        return picked([task["label"]], question)
    raise NotThis("a task without `accept` or `label`")


def _option(accepted: Any, task: Mapping[str, Any], question: Question) -> Any:
    """Return what an accepted option is called: its id, or its text where that is the label and the id is none."""
    if plain(accepted) in choices(question):
        return accepted
    for option in cast("list[Any]", task.get("options") or []) if isinstance(task.get("options"), list) else []:
        if isinstance(option, Mapping):
            held = cast("Mapping[str, Any]", option)
            if held.get("id") == accepted and held.get("text") in choices(question):
                return held["text"]
    return accepted


def write(_path: Path, tasks: Sequence[Task], question: Question) -> Iterable[bytes]:
    """Write a task for each row, or for each person's word on it."""
    return json_lines(line for task in tasks for line in _lines(task, question))


def _lines(task: Task, question: Question) -> Iterator[dict[str, Any]]:
    body: dict[str, Any] = {_name(name): text for name, text in shown_texts(task.item).items()}
    if "text" not in body:
        body = {"text": _text(task), **body}
    options = choices(question) if question.mode not in WRITTEN else []
    unsure = cannot_tell(question)
    if options:
        body["options"] = [{"id": label, "text": label} for label in options]
        body["options"].append({"id": unsure, "text": "cannot tell"})
    if not task.words:
        yield body
    for word in task.words:
        yield {**body, **_said(word, question, unsure)}


def _name(name: str) -> str:
    """Return the name of a field where Prodigy has no meaning of its own for it."""
    taken = {"options", "accept", "answer", "label", "spans", "tokens", "html", "image", "meta", INPUT, COMMENT, SAID}
    return f"input.{name}" if name in taken or name.startswith("_") else name


def _text(task: Task) -> str:
    parts = [text for _, text in task.item.texts] + [answer.text for answer in task.item.answers]
    return "\n\n".join(parts)


def _said(word: Word, question: Question, unsure: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if question.mode not in WRITTEN:
        found["accept"] = [unsure] if word.value is None else listed(word.value)
    elif word.value is None:
        found["accept"] = [CANNOT_TELL]
    else:
        found[INPUT] = word.value
    if word.sides:
        found[SIDES_KEY] = list(word.sides)
    if word.comment is not None:
        found[COMMENT] = word.comment
    found["answer"] = "accept"
    if word.by is not None:
        found |= {"_annotator_id": word.by, "_session_id": word.by}
    if word.time is not None:
        found["_timestamp"] = int(datetime.fromisoformat(word.time).timestamp())
    kept = {key: value for key, value in (("time", word.time), ("seconds", word.seconds)) if value is not None}
    return found | ({SAID: kept} if kept else {})


def setup(question: Question, tasks: Sequence[Task]) -> str:
    """Return the command that serves the tasks."""
    if question.mode in WRITTEN:
        return f'a recipe with blocks text and text_input (field_id "{INPUT}"); rows keep their key {ROW_KEY}'
    style = "multiple" if question.many else "single"
    return (
        f'a recipe with view_id "choice" and choice_style "{style}"; with answers to judge, show {ANSWER_KEY}; '
        "PRODIGY_ALLOWED_SESSIONS names people"
    )


EXCHANGES.register("prodigy")(
    Exchange(
        name="prodigy",
        tool="Prodigy 1",
        modes=ALL_MODES,
        drops=frozenset(),
        recognise=recognise,
        read=read,
        write=write,
        setup=setup,
    )
)
