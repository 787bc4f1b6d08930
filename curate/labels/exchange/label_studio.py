"""Label Studio: tasks with `data` and `annotations`, its raw JSON (docs of 1.x, 2025: "JSON format of annotated
tasks"; `completions` of releases before 1.0 is read too). Its CSV and JSON_MIN are read as tables.

Choices, Rating, Number, TextArea and Pairwise are understood. Pairwise knows left and right alone: a tie and both bad
stand in a Choices control beside it. A cancelled annotation is a skip. What several people settled is marked
`ground_truth` and names nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from xml.sax.saxutils import quoteattr

from sluice.core.canonical import sha256_hex
from sluice.curate.labels.exchange.document import json_list, read_document
from sluice.curate.labels.exchange.word import (
    ALL_MODES,
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
    choices,
    gather,
    listed,
    moment,
    one_of,
    own_parts,
    pace,
    person,
    picked,
    plain_names,
    shown_texts,
    sides_of,
)
from sluice.curate.labels.question import Question

MAIN, COMMENT, CANNOT, SAME = "label", "comment", "cannot_tell", "same"
"""Our controls: the answer, a remark, cannot tell, a tie or both bad of two answers."""
SIDES = {"left": "a", "right": "b"}
TYPES = {
    "classify": ("choices",),
    "grade": ("choices",),
    "review": ("choices",),
    "rate": ("rating", "number", "choices"),
    "compare": ("pairwise", "choices"),
    "correct": ("textarea",),
    "write": ("textarea",),
}


def recognise(_path: Path, records: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the records are tasks."""
    return any(isinstance(r.get("data"), Mapping) and _annotations(r) is not None for r in records)


def read(path: Path, question: Question, meant: str | None) -> Read:
    """Read what people said of tasks."""
    records, broken = read_document(path)
    names = list(dict.fromkeys(_controls(records, question)))
    control = one_of(names, meant, own=MAIN, where=str(path))
    words, problems = gather(records, lambda place, task: _task(place, task, question, control))
    return Read(tuple(words), (*broken, *problems))


def _controls(records: Sequence[tuple[Place, Any]], question: Question) -> Iterator[str]:
    for _, task in records:
        for annotation in (_annotations(task) or []) if isinstance(task, Mapping) else []:
            for result in _results(annotation):
                name = str(result.get("from_name"))
                if result.get("type") in TYPES[question.mode] and name not in (COMMENT, CANNOT, SAME):
                    yield name


def _annotations(task: Mapping[str, Any]) -> list[Any] | None:
    found = task.get("annotations", task.get("completions"))
    return cast("list[Any]", found) if isinstance(found, list) else None


def _results(annotation: Any) -> list[Mapping[str, Any]]:
    found = cast("Mapping[str, Any]", annotation).get("result") if isinstance(annotation, Mapping) else None
    return [cast("Mapping[str, Any]", one) for one in cast("list[Any]", found or []) if isinstance(one, Mapping)]


def _task(place: Place, task: Mapping[str, Any], question: Question, control: str | None) -> Iterator[Word | NotThis]:
    data = task.get("data")
    if not isinstance(data, Mapping):
        raise NotThis("a task without `data`")
    held = cast("Mapping[str, Any]", data)
    about = {"texts": held, **own_parts(held)}
    annotations = _annotations(task)
    if not annotations:
        yield Word(place, None, skipped=True, **about)
        return
    for annotation in annotations:
        try:
            yield _word(place, annotation, question, control, about)
        except NotThis as problem:
            yield problem


def _word(place: Place, annotation: Any, question: Question, control: str | None, about: dict[str, Any]) -> Word:
    if not isinstance(annotation, Mapping):
        raise NotThis("an annotation that is no object")
    said = cast("Mapping[str, Any]", annotation)
    result = said.get("result")
    if not isinstance(result, list):
        raise NotThis("an annotation without `result`")
    by_name: dict[str, Mapping[str, Any]] = {}
    for one in _results(said):
        by_name.setdefault(str(one.get("from_name")), one)
    skipped = bool(said.get("was_cancelled"))
    remark = by_name.get(COMMENT)
    return Word(
        place,
        None if skipped else _value(by_name, question, control),
        by=person(said.get("completed_by")),
        time=moment(said.get("updated_at") or said.get("created_at")),
        seconds=pace(said.get("lead_time")),
        comment=_text(remark) if remark else None,
        skipped=skipped,
        **about,
    )


def _value(by_name: Mapping[str, Mapping[str, Any]], question: Question, control: str | None) -> Any:
    if CANNOT in by_name:
        return None
    found = by_name.get(control) if control else None
    if question.mode == "compare" and found is None and SAME in by_name:
        return picked(_inner(by_name[SAME], "choices"), question)
    if found is None:
        return picked([], question)
    kind = str(found.get("type"))
    if kind not in TYPES[question.mode]:
        raise NotThis(f"{kind} where the question takes {' or '.join(TYPES[question.mode])}")
    if kind == "textarea":
        return _text(found)
    if kind == "pairwise":
        side = _inner(found, "selected")
        if side not in SIDES:
            raise NotThis(f"{str(side)[:40]!r} is neither left nor right")
        return SIDES[side]
    inner = _inner(found, kind)
    return picked(cast("list[Any]", inner) if isinstance(inner, list) else [inner], question)


def _inner(result: Mapping[str, Any], key: str) -> Any:
    value = result.get("value")
    if not isinstance(value, Mapping) or key not in value:
        raise NotThis(f"a result without `{key}`")
    return cast("Mapping[str, Any]", value)[key]


def _text(result: Mapping[str, Any]) -> str:
    found = _inner(result, "text")
    texts = cast("list[Any]", found) if isinstance(found, list) else [found]
    if len(texts) != 1 or not isinstance(texts[0], str):
        raise NotThis(f"{len(texts)} texts where the question takes one")
    return texts[0]


def write(_path: Path, tasks: Sequence[Task], question: Question) -> Iterable[bytes]:
    """Write tasks, each with its annotations."""
    return json_list(_written(number, task, question) for number, task in enumerate(tasks, start=1))


def _written(number: int, task: Task, question: Question) -> dict[str, Any]:
    data: dict[str, Any] = {**plain_names(shown_texts(task.item))}
    if sides := sides_of(task):
        data[SIDES_KEY] = list(sides)
    annotations = [_annotation(word, question, _object(task)) for word in task.words]
    return {"id": number, "data": data, "annotations": annotations}


def _object(task: Task) -> str:
    return next(iter(plain_names(shown_texts(task.item))))


def _annotation(word: Word, question: Question, shown: str) -> dict[str, Any]:
    def result(name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
        mark = sha256_hex(name, f"{word.by} {word.time} {value}")[:10]
        return {"id": mark, "from_name": name, "to_name": shown, "type": kind, "value": value, "origin": "manual"}

    found: list[dict[str, Any]] = []
    if word.value is None:
        found.append(result(CANNOT, "choices", {"choices": [CANNOT_TELL]}))
    elif question.mode in WRITTEN:
        found.append(result(MAIN, "textarea", {"text": [word.value]}))
    elif question.mode == "rate":
        kind = _rating(question)
        found.append(result(MAIN, kind, {kind: word.value}))
    elif question.mode == "compare" and word.value in SIDES.values():
        found.append(result(MAIN, "pairwise", {"selected": "left" if word.value == "a" else "right"}))
    elif question.mode == "compare":
        found.append(result(SAME, "choices", {"choices": [word.value]}))
    elif word.value != ():
        found.append(result(MAIN, "choices", {"choices": listed(word.value)}))
    if word.comment is not None:
        found.append(result(COMMENT, "textarea", {"text": [word.comment]}))
    body: dict[str, Any] = {"result": found, "was_cancelled": False, "ground_truth": word.by is None}
    if word.by is not None:
        body["completed_by"] = int(word.by) if word.by.isdecimal() and str(int(word.by)) == word.by else word.by
    if word.time is not None:
        body |= {"created_at": word.time, "updated_at": word.time}
    if word.seconds is not None:
        body["lead_time"] = word.seconds
    return body


def _rating(question: Question) -> str:
    return "rating" if question.scale and question.scale[0] >= 0 else "number"


def setup(question: Question, tasks: Sequence[Task]) -> str:
    """Return the labelling interface for these tasks, as Label Studio takes it under Settings, Labeling Interface."""
    names = list(
        dict.fromkeys(name for task in tasks for name in plain_names(shown_texts(task.item)) if name != ROW_KEY)
    )
    first = quoteattr(names[0] if names else "text")
    lines = [f"  <Text name={quoteattr(name)} value={quoteattr('$' + name)}/>" for name in names]
    if question.mode in WRITTEN:
        lines.append(f'  <TextArea name="{MAIN}" toName={first} maxSubmissions="1"/>')
    elif question.mode == "rate":
        least, most = question.scale or (1, 5)
        ends = f'maxRating="{most}"' if _rating(question) == "rating" else f'min="{least}" max="{most}"'
        lines.append(f'  <{_rating(question).title()} name="{MAIN}" toName={first} {ends}/>')
    else:
        lines.append(f'  <Choices name="{MAIN}" toName={first} choice="{"multiple" if question.many else "single"}">')
        lines += [f"    <Choice value={quoteattr(label)}/>" for label in choices(question)]
        lines.append("  </Choices>")
    lines.append(f'  <Choices name="{CANNOT}" toName={first}><Choice value="{CANNOT_TELL}"/></Choices>')
    lines.append(f'  <TextArea name="{COMMENT}" toName={first} maxSubmissions="1"/>')
    return "\n".join(["<View>", *lines, "</View>"])


EXCHANGES.register("label-studio")(
    Exchange(
        name="label-studio",
        tool="Label Studio 1",
        modes=ALL_MODES,
        drops=frozenset(),
        recognise=recognise,
        read=read,
        write=write,
        setup=setup,
    )
)
