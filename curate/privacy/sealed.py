"""What the project keeps to itself in `.sluice/privacy/`: pseudonyms with their values, and the secret key.

Both are files that only their owner may read (mode 600 in a folder of mode 700) and lie outside git. They are **not**
encrypted: who can read the account's files can read them. To be rid of the values, throw the mapping away.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import Tampered
from sluice.core.files import atomic_write, disk_errors, sync_fd, sync_folder
from sluice.core.project import Project
from sluice.core.siblings import sibling

FOLDER = "privacy"
MAPPING = "pseudonyms.json"
KEY = "key"
KEY_BYTES = 32


class Pseudonyms(BaseModel):
    """Which value has which number; in `values` only what is to be known again."""

    model_config = ConfigDict(extra="forbid")

    format: int = 1
    next: dict[str, int] = {}
    """By kind: the number that the next new value gets. Never goes back, so that a number never means two people."""
    values: dict[str, dict[str, int]] = {}
    """By kind: numbers by normalised value."""

    def of(self, kind: str, value: str) -> str:
        """Return the pseudonym of a normalised value, `[EMAIL_1]`; a new value gets the next number."""
        known = self.values.setdefault(kind, {})
        if value not in known:
            known[value] = self.next.get(kind, 1)
            self.next[kind] = known[value] + 1
        return f"[{kind.replace('-', '_').upper()}_{known[value]}]"

    def forget(self, values: set[tuple[str, str]]) -> int:
        """Take values out by (kind, normalised value) and return how many; their numbers stay taken."""
        gone = [(kind, value) for kind, value in values if value in self.values.get(kind, {})]
        for kind, value in gone:
            del self.values[kind][value]
        return len(gone)


def folder(project: Project) -> Path:
    """Return the folder of what is sealed, made for its owner alone."""
    place = project.store / FOLDER
    if not place.is_dir():
        project.make_store()
        with disk_errors(place):
            place.mkdir(mode=0o700, exist_ok=True)
            sync_folder(place.parent)
    return place


def write_private(path: Path, data: bytes) -> None:
    """Replace a file in one step by one that only its owner may read."""
    with disk_errors(path):
        temporary = sibling(path)
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                sync_fd(file.fileno(), temporary)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def read_pseudonyms(project: Project) -> Pseudonyms:
    """Return the mapping as it is kept; an empty one where there is none. Raises Tampered where it cannot be read."""
    file = project.store / FOLDER / MAPPING
    try:
        return Pseudonyms.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return Pseudonyms()
    except ValueError as problem:
        raise Tampered(
            "the mapping of pseudonyms cannot be read",
            where=str(file),
            remedy="restore it from a copy; removing it gives known people new numbers",
        ) from problem


def write_pseudonyms(project: Project, mapping: Pseudonyms, *, keep: bool) -> None:
    """Store the mapping; with `keep` false only how far the numbers went, and the values that were kept before.

    A value that was never to be kept is then known to nobody.
    """
    kept = mapping if keep else Pseudonyms(next=mapping.next, values=read_pseudonyms(project).values)
    if not kept.next and not kept.values:
        return
    body = json.dumps(kept.model_dump(mode="json"), ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    write_private(folder(project) / MAPPING, body.encode())


def secret_key(project: Project, *, make: bool = False) -> bytes | None:
    """Return the key of this project's keyed hashes; None where there is none (or it was thrown away)."""
    file = project.store / FOLDER / KEY
    if file.is_file():
        return bytes.fromhex(file.read_text().strip())
    if not make:
        return None
    key = secrets.token_bytes(KEY_BYTES)
    write_private(folder(project) / KEY, key.hex().encode() + b"\n")
    return key


def drop_key(project: Project) -> None:
    """Throw the key away: what it hashed can be recognised by nobody any more."""
    file = project.store / FOLDER / KEY
    if file.is_file():
        atomic_write(file, b"0" * (2 * KEY_BYTES) + b"\n")
        file.unlink()
        sync_folder(file.parent)


def keyed(key: bytes, word: str) -> str:
    """Return the keyed hash of a row: HMAC-SHA256 (RFC 2104) under the project's key, 64 hex digits."""
    return hmac.new(key, b"sluice/forgotten/1\n" + word.encode(), hashlib.sha256).hexdigest()


def key_id(key: bytes) -> str:
    """Return a name for a key that does not give it away."""
    return hashlib.sha256(b"sluice/key/1\n" + key).hexdigest()[:16]
