"""Named columns: `--input COL[,COL] --target COL[,COL]`, or columns called `input` and `target`.

The fields of a row are named like the columns; one column that holds a list of messages is a chat. Several targets
become one JSON object in the order named.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, cast

from sluice.core.columns import likely_input
from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Example, chat_input, target_text
from sluice.curate.formats.records import ReadOptions, near
from sluice.curate.formats.shapes.base import SHAPES, Built, Direct, Reading, Record, Seen, Shape
from sluice.curate.formats.shapes.turns import checked, is_chat, read_list, some, with_weights


def read(seen: Seen) -> Reading:
    """Return how named columns are read. Raises InputError for a column that is not there."""
    columns, options, path = seen.columns, seen.options, seen.path
    if options.input is None and options.target is not None:
        targets = _targets(columns, options, path)
        source = likely_input(dict.fromkeys(c for c in columns if c not in targets))
        raise InputError(
            "--target says which column is the answer, but not which is the input",
            where=str(path),
            remedy=f"add --input {shlex.quote(source) if source else 'COLUMN'}",
        )
    if options.input is None:
        options = ReadOptions(input="input", target="target")
    names = _inputs(columns, options, path)
    targets = _targets(columns, options, path)
    both = next((t for t in targets if t in names), None)
    if both is not None:
        raise InputError(f"'{both}' is both input and target", where=str(path), remedy="name different columns")

    def build(record: Record) -> AnyRow | Built:
        answer = _answer(record, targets)
        if len(names) == 1:
            value = record.get(names[0])
            if isinstance(value, str) and value and not value.isspace():
                return Example(input={names[0]: value}, target=answer)
            if is_chat(value):
                _refuse_sharegpt(cast("list[Any]", value))
                turns = read_list(value, seen.tidy, names[0])
                return with_weights(Example(input=chat_input(turns), target=answer), turns, taken=record)
        fields = {name: seen.tidy(record[name]) for name in names if record.get(name) is not None}
        return checked(Example(input=some(fields), target=answer))

    direct = Direct(inputs=tuple(names), target=targets[0] if targets else None) if len(targets) < 2 else None
    return Reading("input-target", SHAPE.title, frozenset([*names, *targets]), build, direct=direct)


def _known(name: str, columns: list[str], path: Path, flag: str) -> str:
    if name not in columns:
        raise InputError(f"{flag}: no column is called '{name}'", where=str(path), remedy=near(name, columns))
    return name


def _inputs(columns: list[str], options: ReadOptions, path: Path) -> list[str]:
    asked = options.input or ""
    parts = [asked] if asked in columns else [p.strip() for p in asked.split(",") if p.strip()]
    if not parts:
        raise InputError("--input names no column", where=str(path), remedy=near(asked, columns))
    return [_known(p, columns, path, "--input") for p in dict.fromkeys(parts)]


def _targets(columns: list[str], options: ReadOptions, path: Path) -> list[str]:
    """Return the target columns: none, one, or several separated by commas."""
    asked = options.target
    if asked is None:
        return []
    parts = [asked] if asked in columns or "," not in asked else [p.strip() for p in asked.split(",") if p.strip()]
    return [_known(p, columns, path, "--target") for p in dict.fromkeys(parts)]


def _answer(record: Record, targets: list[str]) -> str | None:
    """Return the target of a record; several columns become one JSON object in the order named, absent ones null."""
    if len(targets) < 2:
        return target_text(record.get(targets[0])) if targets else None
    if all(record.get(name) is None for name in targets):
        return None
    return target_text({name: record.get(name) for name in targets})


def _refuse_sharegpt(turns: list[Any]) -> None:
    """Raise InputError for turns as ShareGPT writes them: a question and its answer would both be the input."""
    if all("role" not in cast("Record", turn) for turn in turns):
        raise InputError(
            "this column holds chats in ShareGPT's form (from, value), the answers included",
            remedy="leave --input and --target away: they are then read as chats, the closing answer as the target",
        )


SHAPE = SHAPES.register("input-target")(
    Shape(
        name="input-target",
        title="named columns",
        help="--input COL[,COL] and --target COL[,COL], or columns called input and target",
        examples=({"input": "Where is my parcel?", "target": "delivery"},),
        fits=lambda seen: seen.has("input", "target"),
        read=read,
        options=("input",),
    )
)
