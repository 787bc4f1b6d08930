"""How much memory the bulk way needs, said before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.curate.kernel.room import MEMORY, Room

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

PER_ROW, PER_BYTE = 1400, 4.5
"""Bytes at the peak beyond the rows themselves, for each row and each byte of its text: the upper edge of what was
measured with 40,000 rows of 8, 60 and 200 words and 120,000 of 30 (one field, a label; 62, 107, 169 and 190 MB from
scratch, less where signatures are kept)."""
PER_OTHER_BYTE = 2.5
"""More for a byte of a text that is not ASCII: room for the longest normal form."""
TOLD_FROM = 1_000_000_000
TEXTS = ("input", "target", "chosen", "rejected", "answer")


def peak_bytes(*frames: pl.DataFrame) -> int:
    """Return an estimate of the bytes that the bulk way needs for rows (frames of rows.COLUMNS), beside the rows."""
    import polars as pl

    rows = total = other = 0
    for frame in frames:
        rows += frame.height
        sizes = frame.select(
            pl.sum_horizontal(pl.col(TEXTS).str.len_bytes().cast(pl.Int64)).sum().alias("bytes"),
            pl.sum_horizontal(pl.col(TEXTS).str.len_chars().cast(pl.Int64)).sum().alias("characters"),
        )
        size, characters = sizes.row(0)
        total += size or 0
        other += size if (size or 0) > (characters or 0) else 0
    return int(PER_ROW * rows + PER_BYTE * total + PER_OTHER_BYTE * other)


def available_bytes() -> int:
    """Return the memory that this machine can still give."""
    import psutil

    return int(psutil.virtual_memory().available)


def room_for(needed: int, available: int, folder: Path) -> Room:
    """Return where the large arrays go: to files in a folder where memory would not hold them."""
    return Room(folder) if needed > available else MEMORY
