"""Mapped columns: `--map FIELD=TEMPLATE`, each field of a row a template over the columns of a record.

Fields: input or input.NAME, or messages (a template that gives the JSON list); target; chosen and rejected; answer and
good; text; system (a turn in front of the input, which then is a chat). A column that a template reads in any other way
than as a whole (`{{ body }}`) stays in the metadata as well, so that nothing is lost. An empty cell gives nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sluice.core.errors import InputError, UsageError
from sluice.core.rows import AnyRow, Example, Preference, Text, Unpaired, chat_judged, chat_pair, chat_row
from sluice.curate.formats.records import near
from sluice.curate.formats.shapes.base import SHAPES, Built, Reading, Record, Seen, Shape
from sluice.curate.formats.shapes.sandbox import compile_mapping, fill
from sluice.curate.formats.shapes.turns import checked, judged, read_list, some, with_system, with_weights

if TYPE_CHECKING:
    from jinja2 import Template

FIELDS = ("input", "messages", "system", "target", "chosen", "rejected", "answer", "good", "text")
_WHOLE = re.compile(r"\{\{-?\s*([A-Za-z][A-Za-z0-9_]*)\s*-?\}\}")
EXAMPLE = "--map input='{{ subject }}\\n{{ body }}' --map target='{{ label }}'"


def parse_map(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return templates by field. Raises UsageError for what is no FIELD=TEMPLATE, and for fields that do not fit."""
    found: dict[str, str] = {}
    for pair in pairs:
        field, equals, template = pair.partition("=")
        field = field.strip()
        if not equals or not (field in FIELDS or re.fullmatch(r"input\..+", field)):
            raise UsageError(
                f"--map {pair[:60]!r} is no FIELD=TEMPLATE", remedy=f"fields: {', '.join(FIELDS)}, input.NAME"
            )
        if field in found:
            raise UsageError(f"--map {field} is given twice", remedy="give it once")
        found[field] = template.replace("\\n", "\n").replace("\\t", "\t")
    _refuse_misfits(set(found))
    return found


def _refuse_misfits(fields: set[str]) -> None:
    named = {f for f in fields if f.startswith("input.")}
    inputs = [group for group in ({"input"} & fields, named, {"messages"} & fields, {"text"} & fields) if group]
    if len(inputs) != 1:
        said = "no input" if not inputs else "more than one of input, input.NAME, messages, text"
        raise UsageError(f"--map says {said}", remedy=EXAMPLE)
    answers = fields - named - {"input", "messages", "text", "system"}
    if answers not in (set(), {"target"}, {"chosen", "rejected"}, {"answer", "good"}):
        raise UsageError(
            f"--map {', '.join(sorted(answers))} make no row together",
            remedy="give target, or chosen and rejected, or answer and good",
        )
    if "text" in fields and (answers or "system" in fields):
        raise UsageError("--map text makes a row of one text, with nothing beside it", remedy="map input instead")
    if "system" in fields and named:
        raise UsageError("--map system makes a chat, which has no named fields", remedy="map input, without a name")


def read(seen: Seen) -> Reading:
    """Return how mapped columns are read. Raises InputError for a template that reads what is no column."""
    templates = parse_map(seen.options.map)
    compiled: dict[str, Template] = {}
    used: set[str] = set()
    whole: set[str] = set()
    for field, text in templates.items():
        compiled[field], reads = compile_mapping(field, text)
        for name in reads - {"record"}:
            if name not in seen.columns:
                raise InputError(
                    f"--map {field}: no column is called '{name}'",
                    where=str(seen.path),
                    remedy=near(name, seen.columns),
                )
        used |= reads - {"record"}
        match = _WHOLE.fullmatch(text.strip())
        if match:
            whole.add(match[1])
    absent = dict.fromkeys(seen.columns)

    def build(record: Record) -> AnyRow | Built:
        cells = absent | record
        return _row({field: fill(field, template, cells) for field, template in compiled.items()}, seen, record)

    return Reading("map", "mapped columns", frozenset(used), build, taken=frozenset(whole))


def _row(made: dict[str, str], seen: Seen, record: Record) -> AnyRow | Built:
    if "text" in made:
        return Text(input=some({"text": made["text"]}))
    answers = {k: v for k, v in made.items() if k in ("target", "chosen", "rejected", "answer", "good")}
    if "messages" in made or "system" in made:
        if "messages" in made:
            turns: list[Any] = read_list(made["messages"], seen.tidy, "messages")
        else:
            some({"input": made["input"]})
            turns = [{"role": "user", "content": made["input"]}]
        turns = with_system(turns, made.get("system"))
        return with_weights(checked(_chat(turns, answers)), turns, taken=record)
    named = {k.partition(".")[2] or k: v for k, v in made.items() if k == "input" or k.startswith("input.")}
    return checked(_fields({k: v for k, v in named.items() if v}, answers))


def _chat(turns: list[Any], answers: dict[str, str]) -> AnyRow:
    spoken = {k: [{"role": "assistant", "content": v}] for k, v in answers.items()}
    if "chosen" in answers:
        return chat_pair(turns, spoken["chosen"], spoken["rejected"])
    if "answer" in answers:
        return chat_judged(turns, spoken["answer"], _good(answers))
    if answers.get("target"):
        return chat_row([*turns, *spoken["target"]])
    return chat_row(turns)


def _fields(fields: dict[str, Any], answers: dict[str, str]) -> AnyRow:
    content = some(fields)
    for name in ("chosen", "rejected", "answer"):
        if answers.get(name) == "":
            raise InputError(f"no {name} answer" if name != "answer" else "no answer")
    if "chosen" in answers:
        return Preference(input=content, chosen=answers["chosen"], rejected=answers["rejected"])
    if "answer" in answers:
        return Unpaired(input=content, answer=answers["answer"], good=_good(answers))
    return Example(input=content, target=answers.get("target") or None)


def _good(answers: dict[str, str]) -> bool:
    good = judged(answers["good"])
    if good is None:
        raise InputError(f"good is {answers['good']!r}: neither good (true, 1) nor bad (false, 0)")
    return good


SHAPES.register("map")(
    Shape(
        name="map",
        title="mapped columns",
        help=f"any columns, by templates: {EXAMPLE}",
        examples=({"subject": "Parcel", "body": "Where is it?", "label": "delivery"},),
        fits=lambda seen: bool(seen.options.map),
        read=read,
        options=("map",),
    )
)
