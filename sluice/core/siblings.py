"""Temporary files beside their targets: their names, which tell whose they are, and clearing those of the dead."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import time
from pathlib import Path

_SIBLING = re.compile(r"\..+\.(\d+)-[0-9a-f]{8}\.tmp", re.DOTALL)
UNTOUCHED_SECONDS = 3600.0


def sibling(path: Path) -> Path:
    """Return the name of a temporary file beside its target; it tells which process writes it."""
    return path.parent / f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp"


def clear_siblings(folder: Path) -> int:
    """Remove what killed processes left beside their targets. Returns how many were removed.

    A left-over has a name of `sibling`, a process that is not running here, and was not touched for an hour: the
    process may run on another machine that shares the folder.
    """
    if os.name == "nt":  # there is no harmless way to ask for a process there
        return 0
    removed = 0
    for name in os.listdir(folder):
        found = _SIBLING.fullmatch(name)
        if found is None or _runs(int(found[1])):
            continue
        with contextlib.suppress(OSError):  # gone meanwhile, or not ours to remove
            if time.time() - (folder / name).stat().st_mtime > UNTOUCHED_SECONDS:
                _remove(folder / name)
                removed += 1
    return removed


def _remove(path: Path) -> None:
    """Remove a left-over, which is a folder where a whole folder was being made."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True
