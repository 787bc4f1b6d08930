"""Which shape a file has: what the user said, else the first of SHAPES that fits, and the others that fit are named.

A shape that few records have does not decide over a file of another one: its records are then set aside instead.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from sluice.core.columns import add_options
from sluice.core.errors import InputError, UsageError
from sluice.curate.formats.arrow import WholeList, WholeObject
from sluice.curate.formats.records import ReadOptions
from sluice.curate.formats.shapes.base import SHAPES, Reading, Record, Seen, Shape

HEAD, FEW, MOST = 1_000, 0.1, 0.5
"""A shape that under a tenth of the first records have gives way to one that more than half of all have."""


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
    if options.map or any(getattr(options, name) for name in ("thread", "order", "role", "text", "roles")):
        return SHAPES.get("map" if options.map else "thread").read(seen)
    if options.input is not None or options.target is not None:
        return SHAPES.get("input-target").read(seen)
    fitting = [shape for _, shape in SHAPES if shape.fits(seen)]
    if not fitting:
        raise _unrecognised(columns, path)
    taken = _usual(seen) if _is_rare(fitting[0], seen) else None
    reading = (taken or fitting[0]).read(seen)
    names = {reading.shape, *(shape.name for shape in fitting)}
    parts = {name for name in names for whole in names if _is_part(whole, name)}
    others = [shape for shape in fitting if shape.name not in {reading.shape, *parts}]
    if not others:
        return reading
    note = "; ".join(f"{shape.title} (--shape {shape.name})" for shape in others)
    return replace(reading, note=note)


def _is_rare(shape: Shape, seen: Seen) -> bool:
    """Return whether few of the first records of a file have a shape by themselves."""
    head = [_alone(record, seen) for record in itertools.islice(seen.records, HEAD)]
    return sum(map(shape.fits, head)) < FEW * len(head)


def _usual(seen: Seen) -> Shape | None:
    """Return the shape that most records of a file have, each by itself."""
    counts: Counter[str] = Counter()
    total = 0
    for total, record in enumerate(seen.records, start=1):  # noqa: B007 - counted; a large file is not held
        one = _alone(record, seen)
        counts.update(name for name, shape in SHAPES if shape.fits(one))
    best = next(iter(counts.most_common(1)), None)
    return SHAPES.get(best[0]) if best is not None and best[1] > MOST * total else None


def _alone(record: Record, seen: Seen) -> Seen:
    """Return what would be known of a file that held one record."""
    return replace(seen, columns=[k for k, value in record.items() if value is not None], records=(record,))


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
    if isinstance(value, (WholeObject, WholeList)):
        return value
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in cast("Record", value).items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(v) for v in cast("list[Any]", value)]
    return value
