"""Texts into normal form, all at once: what `normalise` says of one text, over an Arrow buffer of many.

A table holds the form of every character whose form does not depend on its neighbours (no combining marks, no half
syllables): letters of Latin, Greek, Cyrillic, Hebrew, Chinese, Japanese, Korean, punctuation, symbols, emoji. A text
with any other character is normalised in Python, one by one.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from sluice.curate.kernel import compiled
from sluice.curate.kernel.room import MEMORY, Room
from sluice.curate.kernel.threads import share_out
from sluice.curate.similar.similarity import FOLD, SHORT_WORDS, UNSPACED_SHARE, Mask, Numbers, normalise

if TYPE_CHECKING:
    import pyarrow as pa

TOP = 0x20000
LOOKED_AT = (
    range(0x3400),
    range(0xFB00, 0xFB50),
    range(0xFE10, 0xFE70),
    range(0xFF00, 0xFFF0),
    range(0x1F000, 0x1FB00),
)
SAME = (range(0x3400, 0xA000), range(0xAC00, 0xD7A4))
"""Chinese characters and Korean syllables: their own form."""
JAMO = range(0x1100, 0x1200)
LONGEST = 3  # bytes of a form for each byte of the character: room for all forms is then known beforehand


@dataclass(frozen=True)
class Folded:
    """Texts in normal form: bytes of all segments, and which segments a text has.

    Args:
        data: (bytes,) UTF-8 of the normal forms, one after the other.
        starts: (segments + 1,) where each begins.
        texts: (texts + 1,) the first segment of each text.
        short: (texts,) whether a text is compared by characters (`is_short`).
        words: (texts,) words in it: at least as many as it has word n-grams.
        characters: (texts,) characters, a blank between segments counted.
    """

    data: Any
    starts: Numbers
    texts: Numbers
    short: Mask
    words: Numbers
    characters: Numbers

    def __len__(self) -> int:
        return len(self.texts) - 1

    def text(self, number: int) -> tuple[str, ...]:
        """Return the segments of one text."""
        places = range(int(self.texts[number]), int(self.texts[number + 1]))
        return tuple(bytes(self.data[self.starts[s] : self.starts[s + 1]]).decode() for s in places)


def fold(segments: pa.Array | list[str], texts: Numbers | None = None, room: Room = MEMORY) -> Folded:
    """Return texts in normal form.

    Args:
        segments: a `large_string` array without nulls (or texts, which are copied into one).
        texts: (texts + 1,) the first segment of each text; by default each segment is a text.
        room: where normal forms lie.

    Half a surrogate pair cannot stand in an Arrow string; rows that hold one were never read.
    """
    import polars as pl

    array: Any = pl.Series(segments, dtype=pl.String).to_arrow() if isinstance(segments, list) else segments
    count = len(array)
    starts, data = _buffers(array)
    first = np.arange(count + 1, dtype=np.int64) if texts is None else np.ascontiguousarray(texts, np.int64)
    widths = np.diff(starts)
    plain = not len(data) or int(data.max()) < 0x80
    if not plain:
        widths = widths * LONGEST
    places = np.concatenate(([0], np.cumsum(widths))).astype(np.int64)
    out = room.zeros(int(places[-1]), np.uint8)
    lengths = np.zeros(count, np.int64)
    if not count:
        return measured(out, places, first)
    table = _table(TOP if not plain else 0x80)
    share_out(lambda a, b: compiled.fold(data, starts, places, lengths, *table, out, a, b), count)
    other = np.flatnonzero(lengths < 0)
    forms = {int(s): normalise(array[int(s)].as_py()).encode() for s in other}
    lengths[other] = [len(forms[int(s)]) for s in other]
    packed_starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    packed = room.zeros(int(packed_starts[-1]), np.uint8)
    lengths[other] = 0
    share_out(lambda a, b: compiled.compact(out, places, lengths, packed, packed_starts, a, b), count)
    for s, form in forms.items():
        packed[packed_starts[s] : packed_starts[s + 1]] = np.frombuffer(form, np.uint8)
    return measured(packed, packed_starts, first)


def measured(data: Any, starts: Numbers, texts: Numbers) -> Folded:
    """Return texts that are in normal form already, with what is known of their lengths."""
    count = len(starts) - 1
    words, characters, unspaced = (np.zeros(count, np.int64) for _ in range(3))
    share_out(lambda a, b: compiled.measure(data, starts, words, characters, unspaced, a, b), count)
    sums = [np.diff(np.concatenate(([0], np.cumsum(v)))[texts]) for v in (words, characters, unspaced)]
    short = (sums[0] < SHORT_WORDS) | ((sums[2] > 0) & (sums[2] >= UNSPACED_SHARE * sums[1]))
    return Folded(data, starts, texts, short, sums[0], sums[1] + np.maximum(0, np.diff(texts) - 1))


def _buffers(array: pa.Array) -> tuple[Numbers, Any]:
    """Return (starts, bytes) of a large_string array, a slice of one included."""
    _, offsets, data = array.buffers()
    if not len(array):
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    starts = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    raw = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return starts - starts[0], raw[starts[0] : starts[-1]]


@cache
def _table(top: int) -> tuple[Any, Any, Any]:
    """Return (place of each code point's form, its bytes, all forms) under a code point; see `compiled.fold`."""
    joins = _joining()
    places = np.full(top, compiled.UNKNOWN, np.int32)
    sizes = np.zeros(top, np.uint8)
    forms = bytearray()
    for points in LOOKED_AT if top == TOP else (range(top),):
        for cp in points:
            form = _form(chr(cp), joins)
            if form is not None and len(form) <= LONGEST * len(chr(cp).encode()):
                places[cp], sizes[cp] = len(forms), len(form)
                forms += form
    for points in SAME if top == TOP else ():
        places[points.start : points.stop] = len(forms) + 3 * np.arange(len(points))
        sizes[points.start : points.stop] = 3
        forms += "".join(map(chr, points)).encode()
    return places, sizes, np.frombuffer(bytes(forms), np.uint8)


def _joining() -> set[str]:
    """Return the characters that can melt into the one before them (Unicode's NFC_Quick_Check is not Yes)."""
    found = set(map(chr, JAMO))
    for cp in range(0x3400):
        parts = unicodedata.decomposition(chr(cp)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            found.add(chr(int(parts[1], 16)))
    return found


def _form(character: str, joins: set[str]) -> bytes | None:
    """Return the normal form of a character, or None where it depends on its neighbours."""
    if character in joins or unicodedata.combining(character):
        return None
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", character).casefold())
    if any(c in joins or unicodedata.combining(c) for c in folded):
        return None
    return "".join(FOLD[ord(c)] for c in folded).encode()
