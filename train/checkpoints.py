"""Which checkpoint of an interrupted run is whole.

A checkpoint is a folder of several files, written one after the other and removed one after the other, and a process
can die between any two. So each gets `whole.json`, last, with the hash of every file; what does not match is none.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from sluice.core.files import atomic_write, file_sha256

_MARK = "whole.json"


def mark_whole(checkpoint: Path) -> dict[str, str]:
    """Flush every file of a checkpoint, then record their SHA-256 in it. Returns them by relative name."""
    files = [path for path in sorted(checkpoint.rglob("*")) if path.is_file() and path.name != _MARK]
    for path in files:
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    hashes = {path.relative_to(checkpoint).as_posix(): file_sha256(path) for path in files}
    atomic_write(checkpoint / _MARK, json.dumps(hashes, indent=1, sort_keys=True).encode())
    return hashes


def last_whole(folder: Path) -> Path | None:
    """Return the checkpoint with the highest step whose files are all there as recorded; clear the broken ones away."""
    found = [path for path in folder.glob("checkpoint-*") if path.name.rpartition("-")[2].isdigit()]
    for path in sorted(found, key=_step, reverse=True):
        if _is_whole(path):
            return path
        shutil.rmtree(path, ignore_errors=True)
    return None


def checkpoint_step(checkpoint: Path | None) -> int:
    """Return the step that a checkpoint was made after; 0 for none."""
    return 0 if checkpoint is None else _step(checkpoint)


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _is_whole(checkpoint: Path) -> bool:
    try:
        hashes = json.loads((checkpoint / _MARK).read_text(encoding="utf-8"))
        return bool(hashes) and all(file_sha256(checkpoint / name) == value for name, value in hashes.items())
    except (OSError, ValueError, AttributeError):
        return False
