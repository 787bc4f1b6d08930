"""`ExportRows`: the rows of a version to write, each made when it is asked for, with the columns beside it.

What is held are column buffers: the version's own, and for each row the metadata of the oldest place it was seen at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from json import loads
from typing import TYPE_CHECKING, Any, overload

from sluice.core.canonical import parse_exact
from sluice.core.errors import UsageError
from sluice.core.rows import COLUMNS
from sluice.curate.dataset import Version, places_by_row
from sluice.curate.drops import dropped_frame
from sluice.curate.formats import ExportRow
from sluice.curate.formats.writers import KINDS

if TYPE_CHECKING:
    import polars as pl

SLICE = 4096
"""Rows that are Python values at a time."""
EXTRA = ("metadata", "status", "reason", "kept")


class ExportRows(Sequence[ExportRow]):
    """Rows in order: those of the version, then with `everything` those that were dropped.

    Args:
        version: of a dataset.
        everything: also rows that are out of it, each with status, reason and the row kept in its place.
        kind: only rows of this kind.
    """

    def __init__(self, version: Version, *, everything: bool = False, kind: str | None = None):
        import polars as pl

        if kind is not None and kind not in KINDS:
            raise UsageError(f"no kind of row is called '{kind}'", where="--kind", remedy=f"known: {', '.join(KINDS)}")
        frame = _told(version.frame(), "kept" if everything else None)
        gone = dropped_frame(version) if everything else None
        if gone is not None:
            dropped = gone.select(*COLUMNS, pl.lit("dropped").alias("status"), "reason", "kept")
            frame = pl.concat([frame, dropped], how="vertical_relaxed")
        if kind is not None:
            frame = frame.filter(pl.col("kind") == kind)
        beside = _metadata(version)
        self._frame = frame.join(beside, on="row", how="left", maintain_order="left")

    @property
    def dropped(self) -> int:
        """Rows among them that are out of the version."""
        return int((self._frame["status"] == "dropped").sum() or 0)

    @cached_property
    def kinds(self) -> dict[str, int]:
        """Rows by kind."""
        return {str(kind): int(n) for kind, n in sorted(self._frame.group_by("kind").len().iter_rows())}

    @cached_property
    def inputs(self) -> int:
        """Distinct inputs."""
        return int(self._frame["input_hash"].n_unique())

    @cached_property
    def chats(self) -> int:
        """Rows whose input is a chat."""
        return int((self._frame["input_form"] == "messages").sum() or 0)

    @cached_property
    def text_bytes(self) -> int:
        """Bytes of the texts of all rows and their metadata: the same for the same rows, wherever they are."""
        names = ("input", "target", "chosen", "rejected", "answer", "metadata")
        return sum(int(self._frame[name].str.len_bytes().sum() or 0) for name in names)

    @cached_property
    def metadata_columns(self) -> list[str]:
        """The columns beside the rows, in order of appearance."""
        texts = self._frame["metadata"].drop_nulls().unique(maintain_order=True)
        return list(dict.fromkeys(name for text in texts for name in loads(text)))

    def __len__(self) -> int:
        return self._frame.height

    def __iter__(self) -> Iterator[ExportRow]:
        for part in self._frame.iter_slices(SLICE):
            for record in part.iter_rows(named=True):
                yield _row(record)

    @overload
    def __getitem__(self, index: int) -> ExportRow: ...

    @overload
    def __getitem__(self, index: slice) -> list[ExportRow]: ...

    def __getitem__(self, index: int | slice) -> ExportRow | list[ExportRow]:
        if isinstance(index, int):
            return _row(self._frame.row(index, named=True))
        return [_row(record) for record in self._frame[index].iter_rows(named=True)]


def _told(frame: pl.DataFrame, status: str | None) -> pl.DataFrame:
    import polars as pl

    absent = pl.lit(None, dtype=pl.String)
    told = pl.lit(status, dtype=pl.String)
    return frame.with_columns(told.alias("status"), absent.alias("reason"), absent.alias("kept"))


def _row(record: dict[str, Any]) -> ExportRow:
    metadata, status, reason, kept = (record.pop(name) for name in EXTRA)
    return ExportRow(record, parse_exact(metadata) if metadata else {}, status, reason, kept)


def _metadata(version: Version) -> pl.DataFrame:
    """Return row and metadata (JSON text) of the oldest place that each row was seen at, as `redact` left it."""
    import polars as pl

    seen = places_by_row(version)
    if seen is None:
        return pl.DataFrame(schema={"row": pl.String, "metadata": pl.String})
    return seen.select("row", "metadata").unique("row", keep="first", maintain_order=True)
