"""Which columns of a file are likely the input and the target: what messages propose, so that it can be run as said.

It looks at names, and at the first record where one is at hand; nothing is taken for granted by it: `add` reads only
columns that are named, or that name themselves. The first line of a file is read without any engine.
"""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

LIKELY_INPUTS = (
    "body",
    "text",
    "question",
    "instruction",
    "message",
    "query",
    "sentence",
    "content",
    "prompt",
    "input",
)
LIKELY_TARGETS = ("target", "label", "answer", "output", "response", "completion", "category", "intent", "class")
CONVERSATIONS = ("conversations", "conversation")
SELF_EVIDENT: tuple[frozenset[str], ...] = (
    frozenset({"messages"}),
    frozenset({"conversations"}),
    frozenset({"conversation"}),
    frozenset({"chosen", "rejected"}),
    frozenset({"preferred_output", "non_preferred_output"}),
    frozenset({"prompt", "completion"}),
    frozenset({"instruction", "output"}),
    frozenset({"input", "target"}),
)
"""Columns that `add` takes without being told."""
FIRST_BYTES = 1 << 16
DELIMITERS = (",", ";", "\t", "|")


def likely_input(record: Mapping[str, Any]) -> str | None:
    """Return the column of a record that is likely the input: by its name, else the first of those with most text."""
    columns = [c for c in record if c not in CONVERSATIONS]  # as an input it would hold its own answer
    known = next((c for c in LIKELY_INPUTS if c in columns), None)
    return known or max(columns, key=lambda c: len(v) if isinstance(v := record[c], str) else 0, default=None)


def add_options(record: Mapping[str, Any]) -> str | None:
    """Return the options of `sluice add` for records like this one: "" where none is needed, None where none helps.

    Args:
        record: column to value; values that are not known may be None.
    """
    if any(wanted <= record.keys() for wanted in SELF_EVIDENT):
        return ""
    source = likely_input(record)
    if source is None:
        return None
    target = next((c for c in LIKELY_TARGETS if c in record and c != source), None)
    return f"--input {shlex.quote(source)}" + (f" --target {shlex.quote(target)}" if target else "")


def first_record(path: Path) -> dict[str, Any]:
    """Return the first record of a JSONL or delimited file, {} where it cannot be told without reading it whole."""
    try:
        with open(path, "rb") as file:
            head = file.read(FIRST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        if not isinstance(problem, UnicodeDecodeError) or problem.end < len(problem.object) - 4:
            return {}
        head = problem.object[: problem.start].decode("utf-8-sig")  # a character that the last byte cut
    lines = head.splitlines(keepends=True)
    if path.suffix.lower() in (".csv", ".tsv"):
        return _first_cells(lines)
    for line in lines:
        if line.strip():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                return {}
            return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    return {}


def _first_cells(lines: list[str]) -> dict[str, Any]:
    if not lines:
        return {}
    none: list[str] = []
    delimiter = max(DELIMITERS, key=lines[0].count)
    try:
        records = csv.reader(lines, delimiter=delimiter)
        header = next(records, none)
        cells = next(records, none)
    except csv.Error:
        return {}
    return dict(zip(header, [*cells, *[None] * len(header)], strict=False))
