"""The JSON envelope: exactly one object a run, on success and on failure.

`{schema: "sluice/1", verb, exit, result or null, error: {code, message, where, remedy} or null}`. It knows how values
become JSON (NaN and infinities become null, since JSON has neither; numbers of rows keep all their digits), and nothing
about verbs.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, NamedTuple

from sluice.core.canonical import dump_exact

SCHEMA = "sluice/1"
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")  # in JSON they stand inside texts only


class Failure(NamedTuple):
    """What went wrong, ready to be drawn or written.

    Args:
        exit: the exit code of the process.
        code: a stable word that scripts may match.
        message: what is wrong, one line.
        where: the place, or None.
        remedy: what to do next, or None.
    """

    exit: int
    code: str
    message: str
    where: str | None = None
    remedy: str | None = None


def plain(value: Any) -> Any:
    """Return `value` as dicts, lists, texts, numbers (Decimals among them), booleans and None only.

    Raises:
        TypeError: for a value that has no agreed form in JSON (a bug of the verb that returned it).
    """
    if value is None or isinstance(value, bool | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "model_dump"):
        return plain(value.model_dump())
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    as_dict = getattr(value, "_asdict", None)
    if as_dict is not None:  # a named tuple
        return plain(as_dict())
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=repr)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    to_list = getattr(value, "tolist", None)
    if to_list is not None:  # numpy scalars and arrays, without importing numpy
        return plain(to_list())
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        return [plain(item) for item in value]
    raise TypeError(f"a result holds a {type(value).__name__}, which has no form in JSON")


def envelope(verb: str | None, exit_code: int, result: Any, failure: Failure | None, encoding: str = "utf-8") -> str:
    """Return the envelope as one line; characters that `encoding` cannot hold are written as JSON escapes."""
    error = None
    if failure is not None:
        error = {key: getattr(failure, key) for key in ("code", "message", "where", "remedy")}
    body = {"schema": SCHEMA, "verb": verb, "exit": exit_code, "result": plain(result), "error": error}
    text = dump_exact(body)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:  # half a surrogate pair in a message, or a terminal that is not UTF-8
        return _BEYOND_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)
    return text
