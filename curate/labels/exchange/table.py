"""Tables: CSV, TSV, Excel, Parquet or JSON Lines with a word a line, in any form that `add` reads and `export` writes.

Columns: `row` or the input's own columns, `label`, `by`, `comment`, `time`, `seconds`, `cannot_tell`, `sluice_answer`
and `sluice_sides`; Label Studio's `annotator`, `lead_time` and `updated_at` are understood too. Several labels are a
JSON list in a cell; when they are read, `a; b`, `a | b` and `a, b` do as well. An empty label is a row not decided yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from sluice.core.canonical import dump_exact, structure_of
from sluice.core.errors import UsageError
from sluice.curate.labels.exchange.word import (
    ALL_MODES,
    ANSWER_KEY,
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
    gather,
    moment,
    own_parts,
    pace,
    person,
    picked,
    shown_texts,
    text_or_none,
)
from sluice.curate.labels.question import Question

LABEL = "label"
BY = ("by", "annotator")
TIME = ("time", "updated_at", "created_at")
SECONDS = ("seconds", "lead_time")
COLUMNS = (LABEL, "cannot_tell", *BY, "comment", *TIME, *SECONDS, "row")
"""Columns with a meaning: an input field of such a name is written as `input.NAME`."""
BETWEEN = (";", "|", ",")


def recognise(path: Path, records: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the file is a table by its name, or holds records with a label (or is Label Studio's JSON_MIN)."""
    from sluice.curate.formats.encoders import ENCODERS
    from sluice.curate.formats.write import packing_of

    inner = path.with_suffix("") if packing_of(path) else path
    tables = {e for _, encoder in ENCODERS for e in encoder.extensions if "json" not in e and encoder.name != "txt"}
    return inner.suffix.lower() in tables or any(LABEL in r or "annotation_id" in r for r in records)


def read(path: Path, question: Question, meant: str | None) -> Read:
    """Read a table. `meant` names the column of the answer where that is not `label`.

    Raises UsageError where there is no such column, InputError where the file cannot be read as a table.
    """
    from sluice.curate.formats import Entry, ReadOptions
    from sluice.curate.formats.open_file import open_entry, tell_format

    source = open_entry(Entry(path)).source
    options = ReadOptions(input=ROW_KEY)  # some forms look for an input while they read
    table = tell_format(source, options).read(source, options, None)
    column = meant or LABEL
    if column not in table.columns:
        known = ", ".join(table.columns[:12])
        raise UsageError(f"it has no column '{column}'", where=str(path), remedy=f"--answer one of: {known}")
    numbered = enumerate(zip(table.lines, table.records, strict=True), start=1)
    records = [(Place(line, number), record) for number, (line, record) in numbered]
    words, problems = gather(records, lambda place, record: _line(place, record, question, column))
    aside = tuple((Place(one.line, 0), one.reason) for one in table.set_aside)
    return Read(tuple(words), (*aside, *problems))


def _line(place: Place, record: Mapping[str, Any], question: Question, column: str) -> Iterator[Word | NotThis]:
    texts = {name: value for name, value in record.items() if name not in COLUMNS and name != column}
    about = {"texts": texts, **own_parts(record)}
    about["row"] = about["row"] or text_or_none(record.get("row"))
    unsure = record.get("cannot_tell") in ("yes", "true", True, 1)
    found = record.get(column)
    if (found is None or found == "") and not unsure:
        yield Word(place, None, skipped=True, **about)
        return
    yield Word(
        place,
        None if unsure else _value(found, question),
        by=person(_first(record, BY)),
        time=_time(_first(record, TIME)),
        seconds=pace(_first(record, SECONDS)),
        comment=text_or_none(record.get("comment")),
        **about,
    )


def _first(record: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((record[name] for name in names if record.get(name) not in (None, "")), None)


def _time(found: Any) -> str | None:
    return moment(found.isoformat() if hasattr(found, "isoformat") else found)


def _value(found: Any, question: Question) -> Any:
    if question.mode in WRITTEN:
        return found if isinstance(found, str) else dump_exact(found)
    if isinstance(found, str) and found not in question.labels:
        whole: Any = structure_of(found)
        if isinstance(whole, dict):
            whole = cast("dict[str, Any]", whole).get("choices", whole)
        found = whole if isinstance(whole, list) else _apart(found, question)
    return picked(cast("list[Any]", found) if isinstance(found, list) else [found], question)


def _apart(cell: str, question: Question) -> list[str]:
    """Return the labels of a cell: by the first sign between them that leaves nothing but labels."""
    known = {*question.labels, cannot_tell(question)}
    for sign in BETWEEN if question.many else ():
        parts = [part.strip() for part in cell.split(sign)]
        if len(parts) > 1 and all(part in known for part in parts):
            return parts
    return [cell]


def write(path: Path, tasks: Sequence[Task], question: Question) -> Iterable[bytes]:
    """Write a line for each row, or for each person's word on it, in the form that the file's ending names.

    Raises UsageError for a text that the form cannot hold.
    """
    from sluice.curate.formats.encoders import CannotHold, Column, Survey
    from sluice.curate.formats.write import form_of

    encoder = form_of(path, "columns")
    lines = [line for task in tasks for line in _lines(task, question)]
    columns = {name: Column() for line in lines for name in line}
    for line in lines:
        for name, value in line.items():
            columns[name].add(value)
    try:
        yield from encoder.encode(lines, Survey(columns, len(lines), "labels"))
    except CannotHold as problem:
        raise UsageError(problem.why, where=f"{path}, record {problem.number}", remedy=problem.remedy) from None


def _lines(task: Task, question: Question) -> Iterator[dict[str, Any]]:
    shown = shown_texts(task.item)
    body: dict[str, Any] = {ROW_KEY: shown.pop(ROW_KEY)}
    body |= {f"input.{name}" if name in COLUMNS else name: text for name, text in shown.items()}
    for word in task.words or (None,):
        line: dict[str, Any] = {**body, LABEL: None if word is None else _cell(word, question)}
        line["cannot_tell"] = "yes" if word is not None and word.value is None else None
        line["by"], line["comment"] = (word.by, word.comment) if word else (None, None)
        line["time"], line["seconds"] = (word.time, word.seconds) if word else (None, None)
        if word is not None and word.sides:
            line[SIDES_KEY] = "\n".join(word.sides)
        yield line


def _cell(word: Word, question: Question) -> str | None:
    if word.value is None:
        return None
    return dump_exact(list(word.value)) if question.many else str(word.value)


def setup(_question: Question, _tasks: Sequence[Task]) -> str:
    """Return what to fill in."""
    return f"fill in {LABEL} and by; keep {ROW_KEY} and {ANSWER_KEY} as they are"


EXCHANGES.register("csv")(
    Exchange(
        name="csv",
        tool="CSV (RFC 4180), TSV, Excel, Parquet",
        modes=ALL_MODES,
        drops=frozenset(),
        recognise=recognise,
        read=read,
        write=write,
        setup=setup,
    )
)
