"""Texts whose bytes were once decoded in the wrong encoding (`GrÃ¶ÃŸe` for `Größe`): found, and mended on request.

ftfy tells them and says what they were; it is careful, and still a guess, so nothing is changed unasked. Looked at are
the texts that rows are made of, at any depth; other columns stay as the file has them.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple, cast

from sluice.curate.formats.records import Mojibake

ENCODINGS = (
    "latin-1",
    "sloppy-windows-1252",
    "sloppy-windows-1251",
    "sloppy-windows-1250",
    "sloppy-windows-1253",
    "sloppy-windows-1254",
    "sloppy-windows-1257",
    "iso-8859-2",
    "macroman",
    "cp437",
)
"""What ftfy takes UTF-8 to have been read in."""
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
        if not _doubtful(value):
            continue
        better = _mend(value)
        if better != value:
            mended[name] = better
            was, now = _texts(value, better)
            first = first or Mojibake(line, name, *_around(was, now))
    return Found(mended, first) if first else None


def _doubtful(value: Any) -> bool:
    """Return whether a text in a value could be mojibake: only then is a mended copy made and compared."""
    if isinstance(value, str):
        return not value.isascii() and _looks_like_utf8().search(value) is not None
    if isinstance(value, dict):
        value = list(cast("dict[str, Any]", value).values())
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            if _doubtful(item):
                return True
    return False


def _mend(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _mend_text(value)
    if isinstance(value, list):
        return [_mend(v) for v in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {k: _mend(v) for k, v in cast("dict[str, Any]", value).items()}
    return value


def _mend_text(text: str) -> str:
    if not _looks_like_utf8().search(text):
        return text
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    return fix_encoding(text) if is_bad(text) else text


@cache
def _looks_like_utf8() -> re.Pattern[str]:
    """Return what finds characters that could be the bytes of one UTF-8 character, read in one of ftfy's encodings.

    ftfy asks the same more thoroughly and twenty times slower; nearly all sound texts end here.
    """
    parts: list[str] = []
    leads: set[str] = set()
    for encoding in ENCODINGS:
        more = f"[{re.escape(bytes_of(0x80, 0xC0, encoding))}]"
        for first, last, count in ((0xC2, 0xE0, 1), (0xE0, 0xF0, 2), (0xF0, 0xF5, 3)):
            lead = leads_of(encoding, first, last)
            leads.update(lead)
            parts.append(f"[{re.escape(''.join(lead))}]{more}{{{count}}}")
    return re.compile(f"(?=[{re.escape(''.join(sorted(leads)))}])(?:{'|'.join(parts)}|[ÃÂ] |â€)")


def bytes_of(first: int, last: int, encoding: str) -> str:
    """Return the characters that a range of bytes is read as."""
    import ftfy.bad_codecs  # noqa: F401  # registers the forgiving sloppy-windows-*

    return bytes(range(first, last)).decode(encoding, "ignore")


def leads_of(encoding: str, first: int = 0xC2, last: int = 0xF5) -> list[str]:
    """Return the characters that the first byte of a UTF-8 character is read as, but for dashes and quotes."""
    return [c for c in bytes_of(first, last, encoding) if c not in "–—“”‘’"]  # Mac Roman's, and everybody's


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
