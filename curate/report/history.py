"""The way a version came about: its operations, oldest first, with the rows that came in, went out, and why."""

from __future__ import annotations

from typing import Any

from sluice.core.canonical import dump_exact
from sluice.core.wording import counted
from sluice.curate.dataset import Version, lineage
from sluice.curate.operation import Operation
from sluice.curate.report.model import HistoryStep
from sluice.curate.report.texts import shown_text

WIDTH = 60
"""Characters of a parameter that are shown."""


def history(version: Version) -> tuple[HistoryStep, ...]:
    """Return the operations that a version stands on, oldest first."""
    return tuple(_step(operation) for operation in reversed(lineage(version)))


def _step(operation: Operation) -> HistoryStep:
    files = operation.parameters.get("files") if operation.verb == "add" else None
    read = [f"{p.dataset}@{p.number}" for p in operation.parents]
    read += [shown_text(file.get("file", "")) for file in files or [] if isinstance(file, dict)]
    given = {k: v for k, v in operation.parameters.items() if k != "files" and v not in (None, False, [], {}, "")}
    return HistoryStep(
        time=operation.time,
        verb=operation.verb,
        read=tuple(read),
        made=tuple(f"{r.dataset}@{r.number} ({counted(r.rows, 'row')})" for r in operation.results),
        rows_in=operation.rows_in,
        rows_out=operation.rows_out,
        reasons=tuple(
            (reason.replace("_", " "), rows)
            for reason, rows in sorted(operation.counts.items(), key=lambda item: (-item[1], item[0]))
            if rows
        ),
        parameters=", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in given.items()),
    )


def _value(value: Any) -> str:
    if value is True:
        return "yes"
    text = ", ".join(map(str, value)) if isinstance(value, list) else value if isinstance(value, str) else None
    return shown_text(dump_exact(value) if text is None else text, WIDTH)
