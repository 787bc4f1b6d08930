"""The rows of a file as columns: what a large file is read into. A row is made of them when somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from sluice.core.canonical import parse_exact
from sluice.core.rows import from_record
from sluice.curate.formats.records import ReadRow

if TYPE_CHECKING:
    import polars as pl


class ColumnRows(Sequence[ReadRow]):
    """Rows that were read, in order.

    Args:
        frame: the columns of a version's rows (rows.COLUMNS), `line`, and `metadata` as JSON text.
        mended: by position, the rows in which mojibake was mended.
    """

    def __init__(self, frame: pl.DataFrame, mended: Mapping[int, ReadRow]):
        self.frame = frame
        self.mended = mended

    def __len__(self) -> int:
        return self.frame.height

    def __iter__(self) -> Iterator[ReadRow]:
        for at, record in enumerate(self.frame.iter_rows(named=True)):
            yield self.mended.get(at) or _row(record)

    @overload
    def __getitem__(self, at: int) -> ReadRow: ...
    @overload
    def __getitem__(self, at: slice) -> list[ReadRow]: ...
    def __getitem__(self, at: int | slice) -> ReadRow | list[ReadRow]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        place = range(len(self))[at]
        return self.mended.get(place) or _row(self.frame.row(place, named=True))


def _row(record: dict[str, Any]) -> ReadRow:
    row = from_record(record)
    vars(row).update(row=record["row"], input_hash=record["input_hash"])  # at hand: they need not be worked out again
    return ReadRow(row, record["line"], parse_exact(record["metadata"]))
