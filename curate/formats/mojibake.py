"""Texts whose bytes were once decoded in the wrong encoding (`GrÃ¶ÃŸe` for `Größe`): found, and mended on request.

ftfy tells them and says what they were; it is careful, and still a guess, so nothing is changed unasked. Looked at are
the texts that rows are made of, at any depth; other columns stay as the file has them.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from sluice.curate.formats.records import Mojibake

AROUND = 20  # characters shown on both sides of the first difference


class Found(NamedTuple):
    """What was found in one record."""

    mended: dict[str, Any]
    """The columns that hold mojibake, as they were meant."""
    first: Mojibake


def possible(data: bytes, encoding: str) -> bool:
    """Return whether a file can hold mojibake at all: it takes characters beyond ASCII, escaped ones among them."""
    return encoding == "binary" or not data.isascii() or b"\\u" in data


def look(record: dict[str, Any], columns: frozenset[str], line: int) -> Found | None:
    """Return what is mojibake in these columns of a record, None where nothing is."""
    mended: dict[str, Any] = {}
    first: Mojibake | None = None
    for name in columns:
        value = record.get(name)
        if value is None or (isinstance(value, str) and value.isascii()):
            continue
        better = _mend(value)
        if better != value:
            mended[name] = better
            was, now = _texts(value, better)
            first = first or Mojibake(line, name, *_around(was, now))
    return Found(mended, first) if first else None


def _mend(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _mend_text(value)
    if isinstance(value, list):
        return [_mend(v) for v in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {k: _mend(v) for k, v in cast("dict[str, Any]", value).items()}
    return value


def _mend_text(text: str) -> str:
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    return fix_encoding(text) if is_bad(text) else text


def _texts(was: Any, now: Any) -> tuple[str, str]:
    """Return the first text that differs, in both states."""
    if isinstance(was, dict):
        return next(_texts(v, now[k]) for k, v in cast("dict[str, Any]", was).items() if v != now[k])
    if isinstance(was, list):
        return next(_texts(a, b) for a, b in zip(cast("list[Any]", was), now, strict=True) if a != b)
    return was, now


def _around(was: str, now: str) -> tuple[str, str]:
    same = next((i for i, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now)))
    start = max(same - AROUND, 0)
    return was[start : same + AROUND], now[start : same + AROUND]
