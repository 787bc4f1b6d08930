"""Arrow columns to Python values that JSON holds exactly.

`converter` decides by type, once a column: what has no exact form is refused there by name; a single cell that has
none (NaN, a year beyond 9999) becomes `Unfit`, and its row is set aside. Knows nothing of files.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sluice.core.canonical import JsonProblem, parse_exact
from sluice.core.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

Convert = Callable[[Any], Any]
PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
EPOCH = datetime.datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Unfit:
    """A cell that JSON cannot hold exactly."""

    reason: str
    shown: str


class WholeObject(dict[str, Any]):
    """An object that came as JSON, not as a struct: a null in it is a value, not the gap of another row's key."""


class WholeList(list[Any]):
    """A list that came as JSON: nulls in its objects are values."""


def converter(kind: pa.DataType, column: str, path: Path) -> Callable[[pa.ChunkedArray], list[Any]]:
    """Return a function from a column of this type to its values (None where absent, Unfit where JSON has no form).

    Raises InputError that names the column, for a type that has no exact JSON form.
    """
    if _is_json(kind):
        return lambda array: [_json(text) for chunk in array.chunks for text in chunk.storage.to_pylist()]
    ready = _ready(kind)
    if ready is not None:
        return ready
    cell = _cell(kind, column, path)

    def convert(array: pa.ChunkedArray) -> list[Any]:
        return [_first_unfit(cell(scalar)) for chunk in array.chunks for scalar in chunk]

    return convert


def _is_json(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.json"


def _json(text: str | None) -> Any:
    """Return the value of a cell of Arrow's type JSON. Below lists and structs such cells stay text."""
    if text is None:
        return None
    try:
        value = parse_exact(text)
    except JsonProblem as problem:
        return Unfit(f"no JSON, whatever its type says: {problem.reason}", text)
    return WholeObject(value) if isinstance(value, dict) else WholeList(value) if isinstance(value, list) else value


def _ready(kind: pa.DataType) -> Callable[[pa.ChunkedArray], list[Any]] | None:
    """Return the fast way for the types of most columns: whole-column conversion without a look at each cell."""
    import pyarrow as pa
    import pyarrow.types as t

    def as_it_is(array: pa.ChunkedArray) -> list[Any]:
        return array.to_pylist()

    def floats(array: pa.ChunkedArray) -> list[Any]:
        return [v if v is None or math.isfinite(v) else _not_finite(v) for v in array.to_pylist()]

    def texts(array: pa.ChunkedArray) -> list[Any]:
        try:
            return array.to_pylist()
        except UnicodeDecodeError:
            return [_text(scalar) for chunk in array.chunks for scalar in chunk]

    if t.is_integer(kind) or t.is_boolean(kind) or t.is_null(kind):
        return as_it_is
    if t.is_floating(kind):
        return floats
    if t.is_string(kind) or t.is_large_string(kind) or kind == pa.string_view():
        return texts
    return None


def _first_unfit(value: Any) -> Any:
    """Return the value, or the Unfit found anywhere inside it."""
    if isinstance(value, dict):
        return next((u for v in value.values() if isinstance(u := _first_unfit(v), Unfit)), value)
    if isinstance(value, list):
        return next((u for v in value if isinstance(u := _first_unfit(v), Unfit)), value)
    return value


def _cell(kind: pa.DataType, column: str, path: Path) -> Convert:
    """Return a function from one Arrow scalar of this type to its value."""
    import pyarrow as pa
    import pyarrow.types as t

    if t.is_integer(kind) or t.is_boolean(kind) or t.is_null(kind):
        return lambda s: s.as_py()
    if t.is_floating(kind):
        return lambda s: v if (v := s.as_py()) is None or math.isfinite(v) else _not_finite(v)
    if t.is_string(kind) or t.is_large_string(kind) or kind == pa.string_view():
        return _text
    if t.is_decimal(kind):
        return lambda s: None if (v := s.as_py()) is None else format(v, "f")
    if t.is_timestamp(kind):
        zone = _zone(kind.tz, column, path)
        return lambda s: _timestamp(s.value, kind.unit, zone)
    if t.is_date(kind):
        days = 1 if t.is_date32(kind) else 86_400_000
        return lambda s: _date(s.value, days)
    if t.is_time(kind):
        return lambda s: None if s.value is None else _clock(s.value, kind.unit)
    if t.is_dictionary(kind):
        inner = _cell(kind.value_type, column, path)
        return lambda s: inner(s.value) if s.is_valid else None
    if isinstance(kind, pa.BaseExtensionType):
        stored = _cell(kind.storage_type, column, path)
        return lambda s: stored(s.value) if s.is_valid else None
    nested = _nested(kind, column, path)
    if nested is not None:
        return nested
    raise InputError(
        f"column '{column}' holds {kind}, which has no exact JSON form",
        where=str(path),
        remedy="name other columns, or write it as text (in SQL: encode or CAST(... AS VARCHAR))",
    )


def _nested(kind: pa.DataType, column: str, path: Path) -> Convert | None:
    import pyarrow.types as t

    if t.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        if len({f.name for f in fields}) != len(fields):
            raise InputError(
                f"column '{column}' holds a struct with one name twice", where=str(path), remedy="rename one of them"
            )
        parts = [(f.name, i, _cell(f.type, f"{column}.{f.name}", path)) for i, f in enumerate(fields)]
        return lambda s: {name: part(s[i]) for name, i, part in parts} if s.is_valid else None
    if t.is_map(kind):
        key, item = _cell(kind.key_type, column, path), _cell(kind.item_type, column, path)

        def pairs(scalar: Any) -> Any:
            if not scalar.is_valid:
                return None
            found = [(key(p["key"]), item(p["value"])) for p in scalar.values]
            names = {k for k, _ in found if isinstance(k, str)}
            return dict(found) if len(names) == len(found) else Unfit("a map whose keys are no distinct texts", "map")

        return pairs
    listish = (t.is_list, t.is_large_list, t.is_fixed_size_list, t.is_list_view, t.is_large_list_view)
    if any(check(kind) for check in listish):
        inner = _cell(kind.value_type, column, path)
        return lambda s: [inner(v) for v in s.values] if s.is_valid else None
    return None


def _not_finite(value: float) -> Unfit:
    return Unfit("NaN" if math.isnan(value) else "an infinite number", repr(value))


def _text(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        raw = bytes(scalar.as_buffer())
        return Unfit("bytes that are not UTF-8", raw.decode("utf-8", "backslashreplace"))


def _zone(name: str | None, column: str, path: Path) -> datetime.tzinfo | None:
    if name is None:
        return None
    if name in ("UTC", "utc", "Z", "Etc/UTC", "+00:00"):
        return datetime.UTC
    if name[0] in "+-":
        digits = name[1:].replace(":", "")
        offset = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
        return datetime.timezone(-offset if name[0] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise InputError(
            f"column '{column}' is in the time zone {name}, which this machine does not know",
            where=str(path),
            remedy="pip install tzdata, or write the column in UTC",
        ) from None


def _timestamp(value: int | None, unit: str, zone: datetime.tzinfo | None) -> Any:
    if value is None:
        return None
    seconds, part = divmod(value, PER_SECOND[unit])
    try:
        moment = EPOCH + datetime.timedelta(seconds=seconds)
        if zone is not None:
            moment = moment.replace(tzinfo=datetime.UTC).astimezone(zone)
    except OverflowError:
        return Unfit("a time outside the years 1 to 9999", f"{value} {unit}")
    text = moment.isoformat()
    return text[:19] + _fraction(part, unit) + text[19:]


def _date(value: int | None, per_day: int) -> Any:
    if value is None:
        return None
    days, rest = divmod(value, per_day)
    if rest:
        return Unfit("a date with a time of day", f"{value}")
    try:
        return (EPOCH.date() + datetime.timedelta(days=days)).isoformat()
    except OverflowError:
        return Unfit("a date outside the years 1 to 9999", f"{value}")


def _clock(value: int, unit: str) -> str:
    seconds, part = divmod(value, PER_SECOND[unit])
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{_fraction(part, unit)}"


def _fraction(part: int, unit: str) -> str:
    """Return the digits behind the second, none where they are zero, else all that the unit has."""
    return f".{part:0{len(str(PER_SECOND[unit])) - 1}}" if part else ""
