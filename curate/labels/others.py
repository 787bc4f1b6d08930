"""What others decide while a person is at it: who has said what, and which rows have had enough.

`Others` counts, `Follower` reads what was added to the logs since it last looked, and nothing twice.
"""

from __future__ import annotations

import json
from pathlib import Path

from sluice.core.project import Project
from sluice.curate.labels.record import Judgement, Record, Undo, read_record


class Others:
    """Who else has decided what.

    Args:
        overlap: people who are asked about each row; None: everyone is asked about all.

    Attributes:
        enough: subjects that so many others have decided.
    """

    def __init__(self, overlap: int | None):
        self._overlap = overlap
        self._words: dict[str, dict[str, set[str]]] = {}
        self._subjects: dict[tuple[str, str], str] = {}
        self.enough: set[str] = set()

    def add(self, judgement: Judgement) -> None:
        """Count a decision of another person; of gold rows everybody decides all."""
        if judgement.gold:
            return
        self._words.setdefault(judgement.subject, {}).setdefault(judgement.by, set()).add(judgement.id)
        self._subjects[judgement.by, judgement.id] = judgement.subject
        self._count(judgement.subject)

    def take_back(self, undo: Undo) -> bool:
        """Count it no more. Return whether it was counted."""
        subject = self._subjects.pop((undo.by, undo.of), None)
        if subject is None:
            return False
        said = self._words[subject][undo.by]
        said.discard(undo.of)
        if not said:
            del self._words[subject][undo.by]
        self._count(subject)
        return True

    def _count(self, subject: str) -> None:
        if self._overlap is not None and len(self._words[subject]) >= self._overlap:
            self.enough.add(subject)
        else:
            self.enough.discard(subject)


class Follower:
    """Reads the logs of a project on from where they are now. Make it before the log is read as a whole."""

    def __init__(self, project: Project):
        self._folder = project.decisions
        self._read_to = {file: file.stat().st_size for file in self._files()}

    def news(self) -> list[Record]:
        """Return the records that were added since the last call, file by file; half lines are left for later."""
        found: list[Record] = []
        for file in self._files():
            size, start = file.stat().st_size, self._read_to.get(file, 0)
            if size == start:
                continue
            if size < start:  # another file took its place: a merge
                start = 0
            with file.open("rb") as stream:
                stream.seek(start)
                piece = stream.read()
            whole = piece[: piece.rfind(b"\n") + 1]
            self._read_to[file] = start + len(whole)
            found += [record for line in whole.splitlines() if (record := _record(line)) is not None]
        return found

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.jsonl")) if self._folder.is_dir() else []


def _record(line: bytes) -> Record | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return read_record(found) if isinstance(found, dict) else None
