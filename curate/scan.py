"""Find n-grams of a few texts in a great many: one pass over bytes, compiled.

`Windows` are n-grams of normalised texts by a hash of this file's own (it never leaves the process): of words or of
characters, in the order in which `sluice.curate.similarity` counts them. `Scanner.hits` says which of the known n-grams
stand in which of many raw texts. It knows texts only; what a hit means is its callers' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from sluice.curate.similarity import Hashes, Numbers, Sort, normalise

CHARACTERS = 5  # as in the similarity
_BLANK = 32

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


def _ascii_fold() -> Bytes:
    """Return what `normalise` makes of each ASCII byte: its lower case, or a blank. Other bytes stay."""
    table = np.arange(256, dtype=np.uint8)
    for code in range(128):
        folded = normalise(f"a{chr(code)}a")
        table[code] = _BLANK if " " in folded else ord(folded[1])
    return table


_FOLD = _ascii_fold()


@njit(cache=True, nogil=True)
def _folded(data, starts, table):  # pragma: no cover - compiled
    """Return texts with their bytes folded and their words one blank apart, and where each begins."""
    out = np.empty(len(data) + 1, dtype=np.uint8)
    begins = np.zeros(len(starts), dtype=np.int64)
    place = 0
    for text in range(len(starts) - 1):
        first = place
        gap = False
        for at in range(starts[text], starts[text + 1]):
            byte = table[data[at]]
            if byte == 32:
                gap = place > first
            else:
                if gap:
                    out[place] = 32
                    place += 1
                    gap = False
                out[place] = byte
                place += 1
        begins[text + 1] = place
    return out[:place], begins


@njit(cache=True, nogil=True)
def _word_counts(data, starts):  # pragma: no cover - compiled
    counts = np.zeros(len(starts) - 1, dtype=np.int64)
    for text in range(len(counts)):
        if starts[text + 1] > starts[text]:
            blanks = 0
            for at in range(starts[text], starts[text + 1]):
                if data[at] == 32:
                    blanks += 1
            counts[text] = blanks + 1
    return counts


@njit(cache=True)
def _mixed(value):  # pragma: no cover - compiled
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(cache=True)
def _place(keys, mask, value):  # pragma: no cover - compiled
    at = np.int64(value & np.uint64(mask))
    while keys[at] != 0 and keys[at] != value:
        at = (at + 1) & mask
    return at


@njit(cache=True, nogil=True)
def _walk(data, starts, width, words, pad, keys, ids, maybe, every):  # pragma: no cover - compiled
    """Return (text, id) of the windows that a table knows; with `every`, (text, hash) of all windows.

    A window of words (`words`), or of characters with a blank before and after the text. With `pad` a text of fewer
    words is one window, filled up with nothing; a text of fewer characters is filled up with blanks. Words are hashed
    by FNV-1a (Fowler, Noll and Vo), windows by a rolling polynomial with the finaliser of splitmix64.
    """
    room = len(data) + 2 * len(starts)  # more than there are windows; pages that nothing is written to cost nothing
    texts = np.empty(room, dtype=np.int64)
    found = np.empty(room, dtype=np.uint64)
    count = 0
    mask = len(keys) - 1
    ring = np.zeros(width, dtype=np.uint64)
    base = np.uint64(0x9E3779B97F4A7C15)
    top = np.uint64(1)
    for _ in range(width):
        top *= base
    for text in range(len(starts) - 1):
        low, high = starts[text], starts[text + 1]
        if low == high:
            continue
        seen, newest = 0, 0
        at = low
        rolling = np.uint64(0)
        ring[:] = 0
        if not words:
            rolling = rolling * base + np.uint64(33)
            ring[0] = np.uint64(33)
            seen, newest = 1, 1 % width
        while True:
            symbol = np.uint64(32)
            if words:
                if at >= high:
                    if pad and seen < width:
                        symbol = np.uint64(0)
                    else:
                        break
                else:
                    symbol = np.uint64(14695981039346656037)
                    while at < high and data[at] != 32:
                        symbol = (symbol ^ np.uint64(data[at])) * np.uint64(1099511628211)
                        at += 1
                    at += 1
            elif at < high:
                symbol = np.uint64(data[at])
                at += 1
                if symbol > np.uint64(127):
                    while at < high and (data[at] & 0xC0) == 0x80:
                        symbol = (symbol << np.uint64(8)) | np.uint64(data[at])
                        at += 1
            elif at == high:
                at += 1
            elif seen < width:
                pass
            else:
                break
            symbol += np.uint64(1)
            rolling = rolling * base + symbol - ring[newest] * top  # the hash of the last `width` symbols
            ring[newest] = symbol
            newest = newest + 1 if newest + 1 < width else 0
            seen += 1
            if seen >= width:
                value = _mixed(rolling)
                if value == 0:
                    value = np.uint64(1)
                keep = every
                result = value
                if (
                    not every and maybe[value >> np.uint64(48)]
                ):  # most windows are known to nobody: a small table says so
                    place = _place(keys, mask, value)
                    if keys[place] != 0:
                        keep = True
                        result = np.uint64(ids[place])
                if keep:
                    texts[count] = text
                    found[count] = result
                    count += 1
    return texts[:count].copy(), found[:count].copy()


@njit(cache=True)
def _filled(keys, ids, maybe, values):  # pragma: no cover - compiled
    mask = len(keys) - 1
    for number in range(len(values)):
        place = _place(keys, mask, values[number])
        keys[place] = values[number]
        ids[place] = number
        maybe[values[number] >> np.uint64(48)] = True


@njit(cache=True, nogil=True)
def _reached(owners, ids, starts, members, needs, known):  # pragma: no cover - compiled
    """Return the owners that hold enough different n-grams of some set; hits come in order of their owners."""
    out = np.empty(len(owners), dtype=np.int64)
    count = 0
    seen = np.full(known, -1, dtype=np.int64)
    current = np.full(len(needs), -1, dtype=np.int64)
    held = np.zeros(len(needs), dtype=np.int64)
    for hit in range(len(owners)):
        owner, gram = owners[hit], ids[hit]
        if seen[gram] == owner:
            continue
        seen[gram] = owner
        for at in range(starts[gram], starts[gram + 1]):
            one = members[at]
            if current[one] != owner:
                current[one] = owner
                held[one] = 0
            held[one] += 1
            if held[one] == needs[one] and (count == 0 or out[count - 1] != owner):
                out[count] = owner
                count += 1
    return out[:count]


class Texts:
    """Many texts, normalised, as one stretch of bytes. ASCII is folded by compiled code, the rest by `normalise`."""

    def __init__(self, texts: Sequence[str]):
        parts = [text if text.isascii() else normalise(text) for text in texts]
        raw = [part.encode("utf-8", "surrogatepass") for part in parts]
        self.data, self.starts = _folded(*_joined(raw), _FOLD)
        sizes = np.diff(self.starts)
        odd = [  # nothing but punctuation: `normalise` keeps it
            n for n, (size, part) in enumerate(zip(sizes.tolist(), raw, strict=True))
            if (not size and part) or (size != len(part) and not parts[n].isascii())
        ]  # fmt: skip
        if odd:
            whole = [bytes(self.data[a:b]) for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)]
            for number in odd:
                whole[number] = normalise(texts[number]).encode("utf-8", "surrogatepass")
            self.data, self.starts = _joined(whole)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, numbers: Numbers) -> Texts:
        """Return some of the texts."""
        some = object.__new__(Texts)
        pieces = [bytes(self.data[self.starts[n] : self.starts[n + 1]]) for n in numbers.tolist()]
        some.data, some.starts = _joined(pieces)
        return some

    def word_counts(self) -> Numbers:
        """Return how many words each text has."""
        return _word_counts(self.data, self.starts)

    def windows(self, sort: Sort, width: int, *, pad: bool = True) -> tuple[Numbers, Hashes]:
        """Return (text, hash) of every n-gram in order. A text under `width` words is one n-gram, or none (`pad`)."""
        nothing = np.zeros(1, dtype=np.uint64)
        none = np.zeros(1, dtype=np.int64)
        return _walk(
            self.data, self.starts, width, sort == "word", pad, nothing, none, np.zeros(1, dtype=np.bool_), True
        )


def _joined(raw: Sequence[bytes]) -> tuple[Bytes, Numbers]:
    starts = np.zeros(len(raw) + 1, dtype=np.int64)
    np.cumsum([len(r) for r in raw], out=starts[1:])
    return np.frombuffer(b"".join(raw), dtype=np.uint8), starts


class Scanner:
    """Looks for known n-grams in texts.

    Args:
        hashes: as `Texts.windows` gives them; equal ones are one.
        sort, width, pad: of those windows.
    """

    def __init__(self, hashes: Hashes, sort: Sort, width: int, *, pad: bool = True):
        self.known: Hashes = np.unique(hashes)
        self.sort, self.width, self.pad = sort, width, pad
        size = 1 << max(4, int(4 * len(self.known)).bit_length())
        self._keys, self._ids = np.zeros(size, dtype=np.uint64), np.zeros(size, dtype=np.int64)
        self._maybe = np.zeros(1 << 16, dtype=np.bool_)
        _filled(self._keys, self._ids, self._maybe, self.known)

    def number(self, hashes: Hashes) -> Numbers:
        """Return the numbers under which known n-grams are reported."""
        return np.searchsorted(self.known, hashes)

    def hits(self, texts: Texts) -> tuple[Numbers, Numbers]:
        """Return (text, number of the n-gram) of every known n-gram that stands in a text, in order of the texts."""
        if not len(self.known):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        found, ids = _walk(
            texts.data,
            texts.starts,
            self.width,
            self.sort == "word",
            self.pad,
            self._keys,
            self._ids,
            self._maybe,
            False,
        )
        return found, ids.astype(np.int64)


class Enough:
    """Says who holds enough of a set of n-grams.

    Args:
        sets: n-grams of each set, as numbers of a scanner.
        needs: how many different ones are enough, for each set.
        known: how many n-grams the scanner knows.
    """

    def __init__(self, sets: Sequence[Numbers], needs: Sequence[int], known: int):
        owner = np.repeat(np.arange(len(sets)), [len(s) for s in sets])
        grams = np.concatenate([*sets, np.empty(0, dtype=np.int64)]).astype(np.int64)
        order = np.argsort(grams, kind="stable")
        self._members = owner[order].astype(np.int64)
        self._starts = np.searchsorted(grams[order], np.arange(known + 1)).astype(np.int64)
        self._needs = np.array(needs, dtype=np.int64)
        self._known = known

    def reached(self, owners: Numbers, grams: Numbers) -> Numbers:
        """Return the owners, each once, of hits (owner, n-gram) that come in order of their owners."""
        return _reached(owners, grams, self._starts, self._members, self._needs, self._known)
