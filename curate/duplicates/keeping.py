"""Which of two rows that say the same stays: what a keep policy makes of a version, as a rank by row.

    longest   the longest input, then the row's hash (no rank is needed)
    first     the one seen first: order of the additions, file, line
    newest    the latest in a column of dates, times or numbers
    best      the highest in a column of numbers
    trusted   the one from the source that is named first; sources are file names (patterns)

Rows that a policy ranks alike go by the longest input, then the row's hash. But for `first` nothing depends on the
order in which rows were read, and nothing on the order in which they stand in the version.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatch
from typing import Any, Literal

from sluice.core.errors import InputError, UsageError
from sluice.core.wording import counted
from sluice.curate.dataset import Version, lineage, operation_frames
from sluice.curate.metadata import group_values

Keep = Literal["longest", "first", "newest", "best", "trusted"]
Rank = Mapping[str, Any]
KEEPS: tuple[Keep, ...] = ("longest", "first", "newest", "best", "trusted")
NEEDS: dict[str, str] = {"newest": "the column of dates", "best": "the column of numbers", "trusted": "the sources"}


def rank_by(version: Version, rows: Collection[str], keep: Keep, by: str | None) -> Rank | None:
    """Return what orders rows, lowest first; rows without a rank come last. None: the longest.

    Args:
        version: that holds the rows, or from which they were dropped.
        rows: their hashes.
        keep: the policy.
        by: the column, or for `trusted` the sources separated by commas, the most trusted first.

    Raises UsageError where `by` is missing or means nothing, InputError for a column that is not there or whose values
    have no order.
    """
    if keep in NEEDS and not by:
        raise UsageError(
            f"--keep {keep} needs {NEEDS[keep]}",
            remedy=f"name {'it' if keep != 'trusted' else 'them'}: --keep {keep} --by "
            + ("FILE,FILE" if keep == "trusted" else "COLUMN"),
        )
    if by and keep not in NEEDS:
        raise UsageError(
            f"--by says nothing where --keep is {keep}", remedy="leave it out, or name a policy: --keep best"
        )
    if keep == "first":
        return _first_seen(version)
    if keep == "newest":
        return _newest(version, rows, str(by))
    if keep == "best":
        return _best(version, rows, str(by))
    return _trusted(version, str(by)) if keep == "trusted" else None


def _places(version: Version) -> Any:
    return operation_frames(version.project, lineage(version)[::-1], "occurrences")


def _first_seen(version: Version) -> Rank:
    frame = _places(version)
    rank: dict[str, int] = {}
    places: dict[tuple[Any, ...], int] = {}
    for row, *place in frame.select("row", "file", "file_sha256", "line").iter_rows() if frame is not None else ():
        number = places.setdefault(tuple(place), len(places))  # a row that `redact` changed is where its old one was
        rank[row] = min(rank.get(row, number), number)
    return rank


def _newest(version: Version, rows: Collection[str], column: str) -> Rank:
    from sluice.curate.splits.times import read_times

    times = read_times(column, list(rows), group_values(version, column, rows, where="--by"))
    return {row: -moment for row, moment in times.of.items()}


def _best(version: Version, rows: Collection[str], column: str) -> Rank:
    rank: dict[str, Decimal] = {}
    odd: list[str] = []
    for row, values in group_values(version, column, rows, where="--by").items():
        for value in values:
            try:
                number = Decimal(value)
            except InvalidOperation:
                odd.append(value)
                continue
            if number.is_finite():
                rank[row] = min(rank.get(row, -number), -number)
    if odd:
        raise InputError(
            f"'{column}' holds what is no number: {odd[0]!r}"
            + (f" ({counted(len(odd), 'such value')})" if odd[1:] else ""),
            where=version.ref,
            remedy="name a column of numbers, or --keep newest for dates",
        )
    return rank


def _trusted(version: Version, sources: str) -> Rank:
    wanted = [s.strip() for s in sources.split(",") if s.strip()]
    frame = _places(version)
    files: list[str] = sorted(set(frame["file"])) if frame is not None else []
    level = {
        f: n
        for f in files
        for n, w in reversed(list(enumerate(wanted)))
        if f == w or fnmatch(f, w) or f.endswith(f"/{w}")
    }
    idle = [w for n, w in enumerate(wanted) if n not in level.values()]
    if idle:
        raise UsageError(
            f"no row of '{version.dataset}' came from {idle[0]}",
            where="--by",
            remedy=f"its sources: {', '.join(files[:8]) or 'none'}",
        )
    rank: dict[str, int] = {}
    if frame is not None:
        for row, file in zip(frame["row"].to_list(), frame["file"].to_list(), strict=True):
            place = level.get(file, len(wanted))
            rank[row] = min(rank.get(row, place), place)
    return rank
