"""Which checkpoint of an interrupted run is whole, and the one that the run wrote.

A checkpoint is a folder of several files, written one after the other and removed one after the other, and a process
can die between any two. So each gets `whole.json`, last, with the hash of every file; what does not match is none. What
stands in a folder can be put there by anybody, so the hash of `whole.json` goes into the run's log, outside the folder,
and a checkpoint that the log does not name is none either.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from sluice.core.files import append_line, atomic_write, file_sha256, read_lines

MARK = "whole.json"
EVENT = "checkpoint"


def mark_whole(checkpoint: Path) -> dict[str, str]:
    """Flush every file of a checkpoint, then record their SHA-256 in it. Returns them by relative name."""
    files = [path for path in sorted(checkpoint.rglob("*")) if path.is_file() and path.name != MARK]
    for path in files:
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    hashes = {path.relative_to(checkpoint).as_posix(): file_sha256(path) for path in files}
    atomic_write(checkpoint / MARK, json.dumps(hashes, indent=1, sort_keys=True).encode())
    return hashes


def log_whole(log: Path, checkpoint: Path) -> None:
    """Write into a run's log that a checkpoint is whole, with the hash of its `whole.json`."""
    line = {"step": _step(checkpoint), "event": EVENT, "whole": file_sha256(checkpoint / MARK)}
    append_line(log, json.dumps(line))


def logged(log: Path) -> dict[int, str]:
    """Return the hash of `whole.json` by step, of every checkpoint that a run's log names."""
    return {int(line["step"]): str(line.get("whole")) for line in read_lines(log) if line.get("event") == EVENT}


def last_whole(folder: Path, recorded: Mapping[int, str]) -> Path | None:
    """Return the checkpoint with the highest step that is all there as recorded; clear the others above it away.

    Args:
        recorded: from `logged`.
    """
    found = [path for path in folder.glob("checkpoint-*") if path.name.rpartition("-")[2].isdigit()]
    for path in sorted(found, key=_step, reverse=True):
        if _is_whole(path, recorded.get(_step(path))):
            return path
        shutil.rmtree(path, ignore_errors=True)
    return None


def checkpoint_step(checkpoint: Path | None) -> int:
    """Return the step that a checkpoint was made after; 0 for none."""
    return 0 if checkpoint is None else _step(checkpoint)


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _is_whole(checkpoint: Path, recorded: str | None) -> bool:
    try:
        if file_sha256(checkpoint / MARK) != recorded:
            return False
        hashes = json.loads((checkpoint / MARK).read_text(encoding="utf-8"))
        return bool(hashes) and all(file_sha256(checkpoint / name) == value for name, value in hashes.items())
    except (OSError, ValueError, AttributeError):
        return False
