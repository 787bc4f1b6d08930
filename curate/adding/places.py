"""What was read, as columns: one line a row, and the places that rows were seen at. Used by all that reads files in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import dump_exact
from sluice.curate.dataset import Version, operation_frames, rows_frame
from sluice.curate.drops import operations_on
from sluice.curate.formats import ReadResult
from sluice.curate.operation import OCCURRENCES

if TYPE_CHECKING:
    import polars as pl


class SetAsideLine(BaseModel):
    """One line that could not be taken exactly."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    line: int
    column: int | None
    reason: str
    raw: str


def lines_of(reads: list[tuple[str, ReadResult]]) -> pl.DataFrame:
    """Return all rows read, one a line, with the columns of a version and those of an occurrence."""
    import polars as pl

    rows = [read.row for _, result in reads for read in result.rows]
    frame = rows_frame(rows)
    places = pl.DataFrame(
        {
            "file": [name for name, result in reads for _ in result.rows],
            "file_sha256": [result.sha256 for _, result in reads for _ in result.rows],
            "line": [read.line for _, result in reads for read in result.rows],
            "more": [list(read.more) for _, result in reads for read in result.rows],
            "metadata": [dump_exact(read.metadata) for _, result in reads for read in result.rows],
        },
        schema={
            "file": pl.String,
            "file_sha256": pl.String,
            "line": pl.Int64,
            "more": pl.List(pl.Int64),
            "metadata": pl.String,
        },
    )
    return pl.concat([frame, places], how="horizontal")


def places_of(lines: pl.DataFrame) -> pl.DataFrame:
    """Return every place of the rows read; the first of a row's places in one file carries its metadata."""
    import polars as pl

    more = lines.filter(pl.col("more").list.len() > 0).explode("more")
    more = more.with_columns(line=pl.col("more"), metadata=pl.lit("{}"))
    return pl.concat([frame.select(OCCURRENCES) for frame in (lines, more)])


def once_held(version: Version) -> set[str]:
    """Return the rows that the operations on this dataset dropped or changed into others."""
    operations = operations_on(version)
    found: set[str] = set()
    for name, column in (("dropped", "row"), ("edges", "old")):
        frame = operation_frames(version.project, operations, name)
        found |= set(frame[column]) if frame is not None else set()
    return found
