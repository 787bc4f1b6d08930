"""Lines that could not be taken: which are still waiting, and the sheet in which a person mends them.

A line is known by its file and its number. It waits from the operation that set it aside until a later one has a row of
that very place: mended in the file itself and added again, or in a sheet (`show NAME --set-aside --out FILE`, then
`add NAME --fix FILE`). The sheet is plain text: above each line stand its place and reason, below it what is mended.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sluice.core.errors import InputError
from sluice.core.files import read_lines
from sluice.curate.adding.places import SetAsideLine
from sluice.curate.dataset import Version, lineage, operation_frames
from sluice.curate.operation import Operation

Place = tuple[str, int]
MARK, HEAD, ESCAPE = "#@ ", "#| ", "#= "
_PLACE = re.compile(r"#@ (?P<file>.+?):(?P<line>\d+)(:\d+)?(  .*)?")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line that was set aside, and the operation that read it."""

    line: SetAsideLine
    operation: Operation

    @property
    def place(self) -> Place:
        """Its file and number."""
        return self.line.file, self.line.line


def set_aside_history(version: Version) -> dict[Place, list[Waiting]]:
    """Return every time that a line behind a version was set aside, by place, oldest first."""
    found: dict[Place, list[Waiting]] = {}
    for operation in lineage(version)[::-1]:
        for entry in read_lines(version.project.operations / operation.id / "set_aside.jsonl"):
            if "raw" in entry:  # rows that a split set aside are no lines
                waiting = Waiting(SetAsideLine.model_validate(entry), operation)
                found.setdefault(waiting.place, []).append(waiting)
    return found


def still_waiting(version: Version) -> list[Waiting]:
    """Return the lines that are set aside, in order of the operations and of the files; mended ones are none."""
    history = set_aside_history(version)
    if not history:
        return []
    operations = [o.id for o in lineage(version)[::-1]]
    frame = operation_frames(version.project, lineage(version)[::-1], "occurrences")
    taken: dict[Place, int] = {}
    if frame is not None:
        files = list({file for file, _ in history})
        rows = frame.filter(frame["file"].is_in(files)).select("file", "line", "operation")
        for file, line, operation in rows.iter_rows():
            taken[file, line] = max(taken.get((file, line), -1), operations.index(operation))
    newest = [times[-1] for times in history.values()]
    return [w for w in newest if taken.get(w.place, -1) < operations.index(w.operation.id)]


def mended_since(version: Version, lines: Sequence[SetAsideLine]) -> int:
    """Return how many of the lines that a file has set aside are rows of the dataset by now."""
    known = set(set_aside_history(version)) - {w.place for w in still_waiting(version)}
    return sum((line.file, line.line) in known for line in lines)


def columns_of(waiting: Waiting) -> list[str]:
    """Return the columns of the file that a line stood in."""
    return list(facts_of(waiting).get("columns", []))


def facts_of(waiting: Waiting) -> dict[str, Any]:
    """Return what is known of the file that a line stood in: format, shape, columns, hash."""
    files = waiting.operation.parameters.get("files", [])
    return next((f for f in files if f["file"] == waiting.line.file), {})


def write_sheet(lines: Sequence[Waiting], dataset: str) -> str:
    """Return lines as a text to be mended, each below its place and reason."""
    out = [
        f"# Lines of {dataset} that were set aside: {len(lines):,}. Mend the text below each mark (#@); leave the",
        f"# marks as they are, and what you cannot mend. Then: sluice add {dataset} --fix FILE",
    ]
    for waiting in lines:
        line = waiting.line
        column = f":{line.column}" if line.column else ""
        out.append(f"{MARK}{line.file}:{line.line}{column}  {' '.join(line.reason.split())}")
        if facts_of(waiting).get("format") == "csv":
            out.append(HEAD + ",".join(columns_of(waiting)))
        out += [_escaped(part) for part in line.raw.split("\n")]
    return "\n".join(out) + "\n"


def read_sheet(text: str, where: str) -> dict[Place, str]:
    """Return the texts of a sheet by place. Raises InputError for what is no sheet, or a place twice."""
    found: dict[Place, list[str]] = {}
    current: list[str] | None = None
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        if line.startswith(MARK):
            match = _PLACE.fullmatch(line.rstrip("\r"))
            if match is None:
                raise InputError("this mark names no FILE:LINE", where=f"{where}:{number}", remedy="restore the mark")
            place = (match["file"], int(match["line"]))
            if place in found:
                raise InputError(
                    f"{place[0]}:{place[1]} stands here twice", where=f"{where}:{number}", remedy="keep one of the two"
                )
            current = found.setdefault(place, [])
        elif current is not None and not line.startswith(HEAD):
            current.append(line.removeprefix(ESCAPE))
    if not found:
        raise InputError(
            "no set-aside line is marked in it (#@ FILE:LINE)",
            where=where,
            remedy="sluice show NAME --set-aside --out FILE writes such a file",
        )
    return {place: "\n".join(lines).rstrip("\r\n") for place, lines in found.items()}


def _escaped(line: str) -> str:
    return ESCAPE + line if line.startswith((MARK, HEAD, ESCAPE)) else line
