"""What can be worked out again and is kept so that it need not be: `.sluice/cache/`, safe to delete at any time.

A file's name ends in the hash of its bytes, and is believed only where the two agree: a damaged file counts as none.
What lies here is derived from rows, so `forget` clears the folder whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from typing import TYPE_CHECKING

from sluice.core.files import atomic_write, make_folder
from sluice.core.project import Project

if TYPE_CHECKING:
    import polars as pl

DIGITS = 32  # of the hash, in a name


def read_cache(project: Project, name: str) -> pl.DataFrame | None:
    """Return the frame that was kept under a name, None where there is none or it is damaged."""
    import polars as pl

    for file in sorted(project.cache.glob(f"{name}.*.parquet")):
        with contextlib.suppress(OSError):
            data = file.read_bytes()
            if hashlib.sha256(data).hexdigest()[:DIGITS] == file.name.split(".")[-2]:
                return pl.read_parquet(io.BytesIO(data))
    return None


def write_cache(project: Project, name: str, frame: pl.DataFrame) -> None:
    """Keep a frame under a name, in the place of what was there."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    data = buffer.getvalue()
    file = project.cache / f"{name}.{hashlib.sha256(data).hexdigest()[:DIGITS]}.parquet"
    make_folder(project.cache)
    before = [old for old in project.cache.glob(f"{name}.*.parquet") if old != file]
    atomic_write(file, data)
    for old in before:
        with contextlib.suppress(OSError):
            old.unlink()
