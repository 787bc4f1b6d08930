"""When a row was written: a column beside the rows, read as dates, times or numbers, one kind for all of them.

Times of different kinds have no order between them that is not a guess, so a column that mixes them is refused. A text
that is no time makes its row undated. It knows values, not parts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Literal

from sluice.core.errors import InputError
from sluice.core.wording import counted
from sluice.curate.dataset import Version
from sluice.curate.metadata import group_values

Kind = Literal["number", "date", "time without zone", "time with zone"]
Moment = tuple[Kind, Decimal]
"""What orders values of one kind: the number itself, days, or microseconds (of UTC where there is a zone)."""

_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_AMBIGUOUS = re.compile(r"\d{1,2}/\d{1,2}/\d{2,4}")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_EPOCH = datetime(1970, 1, 1)
NO_TIME = "no time"


@dataclass(frozen=True)
class Times:
    """The times of rows, all of one kind."""

    column: str
    kind: Kind
    of: dict[str, Decimal]
    """By row hash; of a row that was seen at several places, the newest: after a cut nothing of it is older news."""
    text: dict[str, str]
    """The same as they are written."""
    undated: dict[str, str] = field(default_factory=dict[str, str])
    """Rows without a time, with the reason."""

    def moment(self, text: str) -> Decimal:
        """Return a stored cut as a value that orders. Raises InputError where it is of another kind than the rows."""
        found = read_time(text)
        if found is None or found[0] != self.kind:
            raise InputError(
                f"'{self.column}' was cut at {text}, and the rows have {_plural(self.kind)} now",
                where=self.column,
                remedy=f"write the column of the added rows as it was before: {text}",
            )
        return found[1]


def read_time(text: str) -> Moment | None:
    """Return one value as (kind, what orders it), None where it is no time.

    Numbers count as such (seconds, milliseconds, years: whatever the column means). Dates: 2026-05-01, 2026/5/1,
    2026-05, 1.5.2026. Times: ISO 8601 and the form of e-mails (RFC 5322). 05/01/2026 is two days, so it is none.
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        try:
            number = Decimal(text)
        except InvalidOperation:
            return None
        return ("number", number) if number.is_finite() else None
    try:
        if found := _DATE.fullmatch(text):
            return "date", Decimal(date(int(found[1]), int(found[2]), int(found[3] or 1)).toordinal())
        if found := _DAY_FIRST.fullmatch(text):
            return "date", Decimal(date(int(found[3]), int(found[2]), int(found[1])).toordinal())
        when = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
        return _moment(when)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _moment(when: datetime) -> Moment:
    offset = when.utcoffset()
    kind: Kind = "time without zone" if offset is None else "time with zone"
    since = when.replace(tzinfo=None) - _EPOCH - (offset or timedelta(0))
    return kind, Decimal(since // timedelta(microseconds=1))


def times_of(version: Version, column: str | None) -> Times | None:
    """Return the times of a version's rows, None where no column is named. Raises InputError for an unknown one."""
    if column is None:
        return None
    values = group_values(version, column, where="--by-time")
    return read_times(column, version.frame()["row"].to_list(), values)


def read_times(column: str, rows: Sequence[str], values: Mapping[str, Sequence[str]]) -> Times:
    """Return the times of rows.

    Args:
        column: its name, for messages.
        rows: row hashes.
        values: by row, what the column says at the places that the row was seen at, as text.

    Raises InputError where no row has a time, or the column mixes kinds of time.
    """
    known: dict[str, Moment | None] = {}
    example: dict[str, str] = {}
    best: dict[str, tuple[Decimal, str]] = {}
    undated: dict[str, str] = {}
    kind: Kind | None = None
    for row in rows:
        for text in values.get(row, ()):
            if text not in known:
                known[text] = read_time(text)
            found = known[text]
            if found is None:
                undated.setdefault(row, f"{NO_TIME}: '{text[:40]}' in '{column}'")
                continue
            kind = found[0]
            example.setdefault(kind, text)
            if row not in best or found[1] > best[row][0]:
                best[row] = (found[1], text)
        if row not in best:
            undated.setdefault(row, f"{NO_TIME} in '{column}'")
    if kind is None:
        text = next((t for row in rows for t in values.get(row, ())), "")
        odd = " (month or day first?)" if _AMBIGUOUS.fullmatch(text.strip()) else ""
        raise InputError(
            f"no row has a time in '{column}'" + (f": '{text[:40]}'{odd}" if text else ""),
            where="--by-time",
            remedy="write it as 2026-05-01, 2026-05-01T12:00:00Z or a number",
        )
    if len(example) > 1:
        told = ", ".join(f"'{text[:40]}' ({_plural(name)})" for name, text in example.items())
        raise InputError(
            f"'{column}' holds {counted(len(example), 'kind')} of time, between which there is no order: {told}",
            where="--by-time",
            remedy="write all of them alike, such as 2026-05-01T12:00:00Z",
        )
    return Times(
        column,
        kind,
        {row: order for row, (order, _) in best.items()},
        {row: text for row, (_, text) in best.items()},
        {row: why for row, why in undated.items() if row not in best},
    )


def _plural(kind: str) -> str:
    return {"number": "numbers", "date": "dates"}.get(kind, kind.replace("time", "times"))
