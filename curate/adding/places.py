"""What was read, as columns: one line a row, and the places that rows were seen at. Used by all that reads files in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import dump_exact
from sluice.core.rows import COLUMNS
from sluice.curate.dataset import Version, operation_frames, rows_frame
from sluice.curate.drops import operations_on
from sluice.curate.formats import ColumnRows, ReadResult, ReadRow
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

    return pl.concat(
        [
            (_of_columns(result.rows) if isinstance(result.rows, ColumnRows) else _of_rows(result.rows)).with_columns(
                pl.lit(name).alias("file"), pl.lit(result.sha256).alias("file_sha256")
            )
            for name, result in reads
        ]
    )


def _of_columns(rows: ColumnRows) -> pl.DataFrame:
    import polars as pl

    return rows.frame.select(*COLUMNS, "line", pl.lit([], pl.List(pl.Int64)).alias("more"), "metadata")


def _of_rows(rows: Sequence[ReadRow]) -> pl.DataFrame:
    import polars as pl

    frame = rows_frame([read.row for read in rows])
    return frame.with_columns(
        pl.Series("line", [read.line for read in rows], pl.Int64),
        pl.Series("more", [list(read.more) for read in rows], pl.List(pl.Int64)),
        pl.Series("metadata", [dump_exact(read.metadata) for read in rows], pl.String),
    )


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
