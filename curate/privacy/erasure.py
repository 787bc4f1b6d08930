"""What is to be erased, and the journal in which a killed `forget` left off.

The journal holds what goes for as long as the work lasts, for its owner alone, and is overwritten before it is removed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import Tampered
from sluice.core.files import sync_fd, sync_folder
from sluice.core.project import Project
from sluice.core.rows import SHOWN
from sluice.curate.privacy.person import Person, person
from sluice.curate.privacy.sealed import FOLDER, folder, key_id, keyed, write_private

JOURNAL = "forget.json"
_HASH = re.compile(r"\b[0-9a-f]{6,64}\b")
_NUMBER = re.compile(rf"[0-9]{{6,{SHOWN - 1}}}")
"""A word that is left alone though it may begin a hash: a plain number, far oftener. Sluice itself writes SHOWN or 64
digits of a row; of those that people typed short, the ones without a letter stay, too few bits to tell a row by."""


class Erasure(BaseModel):
    """What goes, and under which key its hashes are left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    id: str
    """16 hex digits; the fact of it carries them."""
    reason: str
    rows: tuple[str, ...]
    """Row hashes, sorted."""
    inputs: tuple[str, ...] = ()
    """Hashes of the inputs of these rows, sorted: people decide about inputs, too."""
    people: tuple[str, ...] = ()
    """Values as they were typed."""
    regions: tuple[str, ...] | None = None
    key: str
    """The key, as hex."""
    forget_key: bool = False

    def keyed(self, row: str) -> str:
        """Return the keyed hash of a row, or of the beginning of one."""
        return keyed(bytes.fromhex(self.key), row)

    @property
    def key_id(self) -> str:
        """A name of the key."""
        return key_id(bytes.fromhex(self.key))

    def persons(self) -> tuple[Person, ...]:
        """Return the people that are meant."""
        return tuple(person(value, self.regions) for value in self.people)

    def hashes(self) -> dict[str, str]:
        """Return the keyed hash of each row."""
        return {row: self.keyed(row) for row in self.rows}

    def short(self) -> list[str]:
        """Return the keyed hashes of the first digits of each row, which people see, sorted."""
        return sorted({self.keyed(row[:SHOWN]) for row in self.rows})


class Eraser:
    """Takes what goes out of texts and JSON values."""

    def __init__(self, erasure: Erasure):
        self.erasure = erasure
        self.rows = frozenset(erasure.rows)
        self.inputs = frozenset(erasure.inputs)
        self.hashes = erasure.hashes()
        self.people = erasure.persons()

    def names_a_person(self, text: str) -> bool:
        """Return whether any of the people is in a text."""
        return any(one.is_in(text) for one in self.people)

    def text(self, text: str) -> str:
        """Return a text without the people, and with keyed hashes where rows were named."""
        for one in self.people:
            if one.is_in(text):
                text = one.out_of(text)
        return _HASH.sub(self._hash, text)

    def _hash(self, match: re.Match[str]) -> str:
        word = match[0]
        if word in self.hashes:
            return self.hashes[word]
        if len(word) < 64 and not _NUMBER.fullmatch(word):
            for row, digest in self.hashes.items():
                if row.startswith(word):
                    return digest[: len(word)]
        return word

    def value(self, value: Any) -> Any:
        """Return a JSON value without them."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(v) for v in value]  # type: ignore[misc]
        if isinstance(value, dict):
            return {self.text(str(k)): self.value(v) for k, v in value.items()}  # type: ignore[misc]
        return value


def journal(project: Project) -> Path:
    """Return where the journal of a `forget` at work lies."""
    return project.store / FOLDER / JOURNAL


def pending(project: Project) -> Erasure | None:
    """Return what a killed `forget` was erasing; None where nothing is left to be done."""
    file = journal(project)
    if not file.is_file():
        return None
    data = file.read_bytes()
    if not data.strip(b"\0"):  # the work was done, and the journal overwritten: only its name was left
        file.unlink(missing_ok=True)
        return None
    try:
        return Erasure.model_validate_json(data)
    except ValueError as problem:
        raise Tampered(
            "the journal of a forget cannot be read", where=str(file), remedy="remove it, then forget again"
        ) from problem


def open_journal(project: Project, erasure: Erasure) -> None:
    """Write down what is to be erased, before anything is."""
    shred(folder(project).glob(f".{journal(project).name}.*.tmp"))  # of a killed one; the lock is ours
    write_private(journal(project), erasure.model_dump_json().encode())


def close_journal(project: Project) -> None:
    """Overwrite and remove the journal."""
    shred([journal(project)])


def shred(files: Iterable[Path]) -> None:
    """Overwrite files with zeros and remove them. Where the disk keeps old blocks is beyond us, and the docs say so."""
    for file in files:
        if file.is_file():
            with open(file, "r+b") as handle:
                size = os.fstat(handle.fileno()).st_size
                handle.write(b"\0" * size)
                handle.flush()
                sync_fd(handle.fileno(), file)
            file.unlink()
            sync_folder(file.parent)
