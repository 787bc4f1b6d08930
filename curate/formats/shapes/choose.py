"""Which shape a file has: what the user said, else the first of SHAPES that fits, and the others that fit are named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from sluice.core.columns import add_options
from sluice.core.errors import InputError, UsageError
from sluice.curate.formats.records import ReadOptions
from sluice.curate.formats.shapes.base import SHAPES, Reading, Record, Seen


def choose(
    columns: list[str],
    options: ReadOptions,
    path: Path,
    records: Sequence[Record] = (),
    *,
    nulls_are_gaps: bool = False,
) -> Reading:
    """Return how the records of a file become rows.

    Args:
        columns: all columns of the file.
        options: what the user named wins over what the columns look like.
        path: for messages.
        records: all records; without them the columns alone decide.
        nulls_are_gaps: whether nested nulls are left out of inputs and chats.

    Raises InputError for a column that is not there and for columns that say nothing by themselves.
    """
    tidy: Callable[[Any], Any] = _without_nulls if nulls_are_gaps else _as_it_is
    seen = Seen(columns, options, path, records, tidy)
    told = [name for name in ("map", "thread", "input") if getattr(options, name)]
    if len(told) > 1:
        raise UsageError(
            f"--{told[0]} and --{told[1]} are two ways to say what a row is", remedy=f"leave one away: --{told[1]}"
        )
    if options.shape is not None:
        return SHAPES.get(options.shape).read(seen)
    if options.map or options.thread or options.order or options.role:
        return SHAPES.get("map" if options.map else "thread").read(seen)
    if options.input is not None or options.target is not None:
        return SHAPES.get("input-target").read(seen)
    fitting = [shape for _, shape in SHAPES if shape.fits(seen)]
    if not fitting:
        raise _unrecognised(columns, path)
    reading = fitting[0].read(seen)
    others = [shape for shape in fitting[1:] if not _is_part(reading.shape, shape.name)]
    if not others:
        return reading
    note = "; ".join(f"{shape.title} (--shape {shape.name})" for shape in others)
    return replace(reading, note=note)


def _is_part(taken: str, other: str) -> bool:
    """Return whether a shape is what is left of another one when columns are passed over: no second reading of it."""
    return (taken, other) in {("preference", "preference-implicit")}


def _unrecognised(columns: list[str], path: Path) -> InputError:
    if not columns:
        return InputError("its records have no columns", where=str(path), remedy="check that this is the file you mean")
    shown = ", ".join(columns[:30]) + (", ..." if len(columns) > 30 else "")
    flags = add_options(dict.fromkeys(columns))
    text = "; --shape text for plain texts" if "text" in columns else ""
    return InputError(
        f"which column is the input? It has: {shown}",
        where=str(path),
        remedy=f"name it, for example {flags} (--target may be left away; other columns stay as metadata){text}",
    )


def _as_it_is(value: Any) -> Any:
    return value


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in cast("Record", value).items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(v) for v in cast("list[Any]", value)]
    return value
