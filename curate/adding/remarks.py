"""What is to be said of files beside their rows: those that were not read, and texts that were decoded twice."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from sluice.curate.dataset import rows_frame
from sluice.curate.formats import ColumnRows, PassedOver, ReadResult

if TYPE_CHECKING:
    import polars as pl

FIRST = 5
"""Places that a result shows."""


class FileNotRead(BaseModel):
    """A file that was not read, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    reason: str


class MojibakeFound(BaseModel):
    """A row with text whose bytes were once decoded in the wrong encoding."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    line: int
    column: str
    found: str
    """The text around the place."""
    mended: str
    """The same, as it was meant."""


def not_read(files: Sequence[PassedOver]) -> tuple[FileNotRead, ...]:
    """Return files that were not read, as a result shows them."""
    return tuple(FileNotRead(file=f.file, reason=f.reason) for f in files)


def first_mojibake(reads: list[tuple[str, ReadResult]]) -> tuple[MojibakeFound, ...]:
    """Return the first places of mojibake, as a result shows them."""
    places = ((name, place) for name, read in reads for place in read.mojibake)
    return tuple(
        MojibakeFound(file=name, line=p.line, column=p.column, found=p.found, mended=p.mended)
        for name, p in islice(places, FIRST)
    )


def mended_rows(reads: list[tuple[str, ReadResult]]) -> pl.DataFrame | None:
    """Return the rows that were mended, as the files have them, each with what it became."""
    import polars as pl

    rows = (r.rows.mended.values() if isinstance(r.rows, ColumnRows) else r.rows for _, r in reads)
    read = (row for some in rows for row in some)
    pairs = {r.before.row: (r.before, r.row.row) for r in read if r.before and r.before.row != r.row.row}
    if not pairs:
        return None
    frame = rows_frame([before for before, _ in pairs.values()])
    return frame.with_columns(
        reason=pl.lit("mojibake"),
        kept=pl.Series([new for _, new in pairs.values()], dtype=pl.String),
        similarity=pl.lit(None, dtype=pl.Float64),
        detail=pl.lit(None, dtype=pl.String),
    )
