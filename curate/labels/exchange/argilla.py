"""Argilla 2: records with `fields`, `metadata` and `responses` (source of 2.x: `Record.to_dict`, which
`records.to_json` writes), and the flat columns of `records.to_datasets` as JSON Lines (`QUESTION.responses`, `.users`,
`.status`).

It keeps no time and no pace of a response. People are UUIDs there: ours is made from their name (UUID 5), and the names
stand in the metadata. A record holds one response of a person to a question. Discarded and draft responses are skips;
`to_json` does not say which those are, so prefer `to_datasets` where people discard.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from sluice.curate.labels.exchange.document import json_list, read_document
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
    choices,
    gather,
    one_of,
    own_parts,
    person,
    picked,
    plain_names,
    shown_texts,
    sides_of,
)
from sluice.curate.labels.question import Question

MAIN, COMMENT, CANNOT = "label", "comment", "cannot_tell"
"""Our questions: the answer, a remark, cannot tell."""
PEOPLE_KEY = "sluice_people"
"""The metadata that says who a UUID is: `UUID NAME`, one a person."""
NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "sluice/people")
SETTLED = str(uuid.UUID(int=0))
"""Whose response a settled label is: nobody's."""
FLAT = ".responses"
LEAST, MOST = 0, 10
"""Of a RatingQuestion (docs of 2.x); another scale is asked as labels."""


def recognise(_path: Path, records: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the records are Argilla's, nested or flat."""
    return any(
        (isinstance(r.get("fields"), Mapping) and isinstance(r.get("responses"), Mapping))
        or any(name.endswith(FLAT) and f"{name}.users" in r for name in r)
        or ("_server_id" in r and any(name.endswith(".suggestion") for name in r))
        for r in records
    )


def read(path: Path, question: Question, meant: str | None) -> Read:
    """Read the responses of people."""
    records, broken = read_document(path)
    nested = [(line, _nested(one) if isinstance(one, Mapping) else one) for line, one in records]
    names = [
        name
        for _, one in nested
        if isinstance(one, Mapping)
        for name, given in _mapping(cast("Mapping[str, Any]", one).get("responses")).items()
        if given and name not in (COMMENT, CANNOT)
    ]
    control = one_of(list(dict.fromkeys(names)), meant, own=MAIN, where=str(path))
    words, problems = gather(nested, lambda place, record: _record(place, record, question, control))
    return Read(tuple(words), (*broken, *problems))


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _nested(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a flat record as `to_dict` has it; a nested one as it is."""
    if isinstance(record.get("fields"), Mapping) or isinstance(record.get("responses"), Mapping):
        return record
    responses: dict[str, list[dict[str, Any]]] = {}
    for name in (key.removesuffix(FLAT) for key in record if key.endswith(FLAT)):
        columns = [record.get(f"{name}{FLAT}{part}") for part in ("", ".users", ".status")]
        given, users, states = (cast("list[Any]", c) if isinstance(c, list) else [] for c in columns)
        responses[name] = [
            {
                "value": value,
                "user_id": users[n] if n < len(users) else None,
                "status": states[n] if n < len(states) else None,
            }
            for n, value in enumerate(given)
        ]
    plain = {key: value for key, value in record.items() if "." not in key and not key.startswith("_")}
    return {"id": record.get("id"), "fields": plain, "metadata": plain, "responses": responses}


def _record(
    place: Place, record: Mapping[str, Any], question: Question, control: str | None
) -> Iterator[Word | NotThis]:
    fields, metadata = record.get("fields"), _mapping(record.get("metadata"))
    if not isinstance(fields, Mapping):
        raise NotThis("a record without `fields`")
    texts = cast("Mapping[str, Any]", fields)
    about = {"texts": texts, **own_parts({**metadata, **texts})}
    people = _people(metadata.get(PEOPLE_KEY))
    responses = _mapping(record.get("responses"))
    remarks = {who: given for who, given, _ in _given(responses, COMMENT)}
    unsure = {who for who, _, _ in _given(responses, CANNOT)}
    answers = {who: (given, state) for who, given, state in _given(responses, control)}
    if not answers and not unsure:
        yield Word(place, None, skipped=True, **about)
        return
    if len(answers) != len(_given(responses, control)):
        yield NotThis("one person answered twice")
    for who in dict.fromkeys([*answers, *unsure]):
        given, state = answers.get(who, (None, None))
        skipped = who not in unsure and (state in ("discarded", "draft") or given is None)
        try:
            value = None if skipped or who in unsure else _value(given, question)
        except NotThis as problem:
            yield problem
            continue
        remark = remarks.get(who)
        comment = remark if isinstance(remark, str) else None
        named = None if who == SETTLED else people.get(who or "", who)
        yield Word(place, value, by=named, comment=comment, skipped=skipped, **about)


def _given(responses: Mapping[str, Any], name: str | None) -> list[tuple[str | None, Any, Any]]:
    found = responses.get(name) if name else None
    if found is not None and not isinstance(found, list):
        raise NotThis(f"responses to '{name}' that are no list")
    given: list[tuple[str | None, Any, Any]] = []
    for one in cast("list[Any]", found or []):
        if not isinstance(one, Mapping):
            raise NotThis(f"a response to '{name}' that is no object")
        held = cast("Mapping[str, Any]", one)
        who = held.get("user_id")  # to_dict writes nobody as the text None
        given.append((None if who == "None" else person(who), held.get("value"), held.get("status")))
    return given


def _value(given: Any, question: Question) -> Any:
    if question.mode in WRITTEN:
        return given
    return picked(cast("list[Any]", given) if isinstance(given, list) else [given], question)


def _people(found: Any) -> dict[str, str]:
    lines = cast("list[Any]", found) if isinstance(found, list) else [found]
    pairs = [line.split(" ", 1) for line in lines if isinstance(line, str) and " " in line]
    return {pair[0]: pair[1] for pair in pairs}


def write(_path: Path, tasks: Sequence[Task], question: Question) -> Iterable[bytes]:
    """Write records, each with its responses."""
    return json_list(_written(task, question) for task in tasks)


def user_of(by: str | None) -> str:
    """Return the UUID that stands for a person: their own where their name is one."""
    if by is None:
        return SETTLED
    try:
        return by if str(uuid.UUID(by)) == by and by != SETTLED else str(uuid.uuid5(NAMES, by))
    except ValueError:
        return str(uuid.uuid5(NAMES, by))


def _written(task: Task, question: Question) -> dict[str, Any]:
    fields = {name: text for name, text in plain_names(shown_texts(task.item)).items() if name != ROW_KEY}
    metadata: dict[str, Any] = {ROW_KEY: task.item.row}
    responses: dict[str, list[dict[str, Any]]] = {}
    for word in task.words:
        who = user_of(word.by)
        if word.by is not None and who != word.by:
            metadata.setdefault(PEOPLE_KEY, []).append(f"{who} {word.by}")
        value = list(word.value) if isinstance(word.value, tuple) else word.value
        if question.mode == "rate" and not _rated(question):
            value = str(value)
        name, said = (CANNOT, CANNOT_TELL) if word.value is None else (MAIN, value)
        responses.setdefault(name, []).append({"value": said, "user_id": who})
        if word.comment is not None:
            responses.setdefault(COMMENT, []).append({"value": word.comment, "user_id": who})
    if sides := sides_of(task):
        metadata[SIDES_KEY] = "\n".join(sides)
    return {
        "id": task.item.row,
        "fields": fields,
        "metadata": metadata,
        "suggestions": {},
        "responses": responses,
        "vectors": {},
        "_server_id": None,
    }


def _rated(question: Question) -> bool:
    return bool(question.scale and question.scale[0] >= LEAST and question.scale[1] <= MOST)


def setup(question: Question, tasks: Sequence[Task]) -> str:
    """Return the settings of a dataset for these records, in Python."""
    names = list(
        dict.fromkeys(name for task in tasks for name in plain_names(shown_texts(task.item)) if name != ROW_KEY)
    )
    if question.mode in WRITTEN:
        asked = f'rg.TextQuestion("{MAIN}", required=False)'
    elif _rated(question):
        least, most = question.scale or (1, 5)
        asked = f'rg.RatingQuestion("{MAIN}", values=list(range({least}, {most + 1})), required=False)'
    else:
        kind = "MultiLabelQuestion" if question.many else "LabelQuestion"
        asked = f'rg.{kind}("{MAIN}", labels={choices(question)!r}, required=False)'
    fields = ", ".join(f"rg.TextField({name!r})" for name in names or [ANSWER_KEY])
    return "\n".join(
        [
            "rg.Settings(",
            f"    fields=[{fields}],",
            f'    questions=[{asked}, rg.LabelQuestion("{CANNOT}", labels=["{CANNOT_TELL}"], required=False),',
            f'               rg.TextQuestion("{COMMENT}", required=False)],',
            "    allow_extra_metadata=True,",
            ")  # then dataset.records.from_json(FILE)",
        ]
    )


EXCHANGES.register("argilla")(
    Exchange(
        name="argilla",
        tool="Argilla 2",
        modes=ALL_MODES,
        drops=frozenset({"time", "seconds"}),
        recognise=recognise,
        read=read,
        write=write,
        setup=setup,
    )
)
