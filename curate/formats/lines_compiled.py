"""The compiled loops of large JSON Lines: prove that a line is sound and ordinary, and write its row's texts.

A line is proven where every reader of JSON understands it alike and `dump_exact` writes its values as they stand:
keys without escapes and none twice, whole escapes and pairs of surrogates, short numbers in their shortest spelling,
little depth. Anything else is left to `parse_exact`; so nothing here ever refuses a line. All bytes are known to be
UTF-8. One file, because a cached function does not notice when one of another file changes; all of it releases the GIL.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

BYTES = types.Array(types.uint8, 1, "C", readonly=True)
ROOM, PLACES, FLAGS = types.uint8[::1], types.int64[::1], types.boolean[::1]
INT, BOOL, TABLE, PAIRS = types.int64, types.boolean, types.uint32[::1], types.int64[:, ::1]
"""Each function is compiled for these types alone: left to itself, numba compiles one many times over."""


def part(result: Any, *given: Any) -> Any:
    """Compile a function that only others here call."""
    options: dict[str, Any] = {"cache": True, "nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return njit(result(*given), **options)


Array = Any  # numba arrays: their types are decided at the call

DEEPEST = 24  # levels that are proven; `parse_exact` takes more
MOST_KEYS = 256  # of one line's open objects together
MOST_TURNS = 512
KEPT = 16  # sets of keys that a line is held against before it counts as a new one
LONGEST_INT, LONGEST_FLOAT = 18, 15  # digits that int64 and double surely hold
VALUE, FIRST_ITEM, KEY, FIRST_KEY, AFTER = 0, 1, 2, 3, 4  # what is due next on a line, in this order

# what `characters.table` says of a character, in bits
UNSURE, BLANK = 1, 2
LEAD, MORE, ENCODINGS = 2, 14, 0xFFF  # places of two fields of 12 bits
# what `_examine` says of a text, in bits; the first is UNSURE
SAYS, DOUBTFUL, ESCAPED = 2, 4, 8
# what becomes of a line
PLAIN, TAKEN, COMPOSE = 0, 1, 2


PHRASES = (
    "system", "developer", "user", "assistant",
    "sluice/row/1\n", "sluice/input/1\n",
    '{"messages":[', '{"role":"', '","content":"', '"}', "]}",
    '["messages",[', '["', '","', '",null,null,null]', "],null]",
    '["fields",{', "}]",
    '\n["example","text",', "null]", '\n["text"]',
)  # fmt: skip
"""What is written around texts, and looked for. Handed to the loops as one array: constants take long to compile."""
SYSTEM, DEVELOPER, USER, ASSISTANT, ROW, INPUT = range(6)
S_OPEN, S_TURN, S_MID, S_END, S_CLOSE, C_OPEN, C_TURN, C_MID, C_END, C_CLOSE = range(6, 16)
F_OPEN, F_CLOSE, EXAMPLE, NO_TARGET, TEXT = range(16, 21)
OVERHEAD = 256
"""Bytes that a line's texts take beside its own: the fixed words of hashes, roles and brackets."""


@part(BOOL, types.uint8)
def _blank(b: Any) -> Any:
    return b == 0x20 or b == 0x09 or b == 0x0D


@part(INT, INT)
def _nibble(b: Any) -> int:
    if 0x30 <= b <= 0x39:
        return b - 0x30
    if 0x41 <= b <= 0x46:
        return b - 0x37
    if 0x61 <= b <= 0x66:
        return b - 0x57
    return -1


@part(INT, BYTES, INT, INT)
def _unit(data: Array, i: int, end: int) -> int:
    """Return the number of four hexadecimal digits, -1 where they are none."""
    if i + 4 > end:
        return -1
    value = 0
    for k in range(i, i + 4):
        n = _nibble(np.int64(data[k]))
        if n < 0:
            return -1
        value = value << 4 | n
    return value


@part(types.UniTuple(INT, 2), BYTES, INT, INT)
def _escape(data: Array, i: int, end: int) -> Any:
    """Return (code point, place behind) of the escape whose backslash stands at i; (-1, i) for a broken one."""
    if i + 1 >= end:
        return -1, i
    b = data[i + 1]
    if b == 0x22 or b == 0x5C or b == 0x2F:
        return np.int64(b), i + 2
    if b == 0x6E:
        return 10, i + 2
    if b == 0x74:
        return 9, i + 2
    if b == 0x72:
        return 13, i + 2
    if b == 0x62:
        return 8, i + 2
    if b == 0x66:
        return 12, i + 2
    if b != 0x75:
        return -1, i
    cp = _unit(data, i + 2, end)
    i += 6
    if cp < 0 or 0xDC00 <= cp <= 0xDFFF:
        return -1, i
    if 0xD800 <= cp <= 0xDBFF:
        if i + 6 > end or data[i] != 0x5C or data[i + 1] != 0x75:
            return -1, i
        low = _unit(data, i + 2, end)
        if low < 0xDC00 or low > 0xDFFF:
            return -1, i
        return 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00), i + 6
    return cp, i


@part(types.UniTuple(INT, 2), BYTES, INT)
def _point(data: Array, i: int) -> Any:
    """Return (code point, place behind) of the UTF-8 character at a place."""
    b = np.int64(data[i])
    if b < 0x80:
        return b, i + 1
    if b < 0xE0:
        return (b & 0x1F) << 6 | (np.int64(data[i + 1]) & 0x3F), i + 2
    if b < 0xF0:
        return (b & 0x0F) << 12 | (np.int64(data[i + 1]) & 0x3F) << 6 | (np.int64(data[i + 2]) & 0x3F), i + 3
    rest = (np.int64(data[i + 1]) & 0x3F) << 12 | (np.int64(data[i + 2]) & 0x3F) << 6 | (np.int64(data[i + 3]) & 0x3F)
    return (b & 0x07) << 18 | rest, i + 4


@part(INT, BYTES, INT, INT)
def _behind_text(data: Array, i: int, end: int) -> int:
    """Return the place behind the closing quote of a text that begins at i; -1 for a broken one."""
    while i < end:
        b = data[i]
        if b == 0x22:
            return i + 1
        if b == 0x5C:
            cp, i = _escape(data, i, end)
            if cp < 0:
                return -1
        elif b < 0x20:
            return -1
        else:
            i += 1
    return -1


@part(INT, BYTES, INT, INT)
def _behind_number(data: Array, i: int, end: int) -> int:
    """Return the place behind a number that is written back as it stands; -1 for one of which that is not sure."""
    minus = data[i] == 0x2D
    if minus:
        i += 1
    begin = i
    while i < end and 0x30 <= data[i] <= 0x39:
        i += 1
    whole = i - begin
    if whole == 0 or (whole > 1 and data[begin] == 0x30):
        return -1
    zero = whole == 1 and data[begin] == 0x30
    if i >= end or data[i] != 0x2E:
        if whole > LONGEST_INT or (zero and minus) or (i < end and (data[i] == 0x65 or data[i] == 0x45)):
            return -1
        return i
    i += 1
    point = i
    while i < end and 0x30 <= data[i] <= 0x39:
        i += 1
    part = i - point
    if part == 0 or whole + part > LONGEST_FLOAT or (i < end and (data[i] == 0x65 or data[i] == 0x45)):
        return -1
    if data[i - 1] == 0x30:  # 1.50 is 1.5; only 1.0 keeps its nought
        return -1 if part > 1 or (zero and minus) else i
    if zero:  # 0.00001 is 1e-05
        k = point
        while data[k] == 0x30:
            k += 1
        if k - point > 3:
            return -1
    return i


@part(BOOL, BYTES, INT, INT, BYTES, INT, INT)
def _equal(data: Array, a: int, b: int, words: Array, c: int, d: int) -> bool:
    if b - a != d - c:
        return False
    for k in range(b - a):  # noqa: SIM110  # compiled
        if data[a + k] != words[c + k]:
            return False
    return True


@part(INT, BYTES, INT, INT)
def _word(data: Array, i: int, end: int) -> int:
    """Return the place behind true, false or null at i; -1 for anything else."""
    if i + 4 <= end:
        a, b, c, d = data[i], data[i + 1], data[i + 2], data[i + 3]
        if a == 0x74 and b == 0x72 and c == 0x75 and d == 0x65:
            return i + 4
        if a == 0x6E and b == 0x75 and c == 0x6C and d == 0x6C:
            return i + 4
        if i + 5 <= end and a == 0x66 and b == 0x61 and c == 0x6C and d == 0x73 and data[i + 4] == 0x65:
            return i + 5
    return -1


@part(INT, BYTES, INT, INT, PLACES, PLACES, PLACES, PLACES)
def _prove(data: Array, i: int, end: int, stack: Array, base: Array, ks: Array, ke: Array) -> int:
    """Return how many keys the object on a line has, -1 where it is not proven; its keys lie in `ks`, `ke`."""
    depth, n, want = -1, 0, VALUE
    while True:
        while i < end and _blank(data[i]):
            i += 1
        if i >= end:
            return -1
        b = data[i]
        closed = False
        if want <= FIRST_ITEM:
            if b == 0x7B or (b == 0x5B and depth >= 0):
                depth += 1
                if depth == DEEPEST:
                    return -1
                stack[depth], base[depth] = b, n
                want = FIRST_KEY if b == 0x7B else FIRST_ITEM
                i += 1
                continue
            if depth < 0:
                return -1
            if b == 0x5D and want == FIRST_ITEM:
                closed = True
            elif b == 0x22:
                i = _behind_text(data, i + 1, end)
            elif b == 0x2D or 0x30 <= b <= 0x39:
                i = _behind_number(data, i, end)
            else:
                i = _word(data, i, end)
            if i < 0:
                return -1
            want = AFTER
        elif want <= FIRST_KEY:
            if b == 0x7D and want == FIRST_KEY:
                closed = True
            elif b == 0x22:
                i += 1
                begin = i
                while i < end and data[i] != 0x22:
                    if data[i] < 0x20 or data[i] == 0x5C:
                        return -1
                    i += 1
                if i >= end or n == MOST_KEYS:
                    return -1
                for k in range(base[depth], n):
                    if _equal(data, ks[k], ke[k], data, begin, i):
                        return -1
                ks[n], ke[n] = begin, i
                n += 1
                i += 1
                while i < end and _blank(data[i]):
                    i += 1
                if i >= end or data[i] != 0x3A:
                    return -1
                i += 1
                want = VALUE
            else:
                return -1
        elif b == 0x2C:
            i += 1
            want = KEY if stack[depth] == 0x7B else VALUE
        elif b == stack[depth] + 2:  # } is { + 2, ] is [ + 2
            closed = True
        else:
            return -1
        if closed:
            i += 1
            if depth == 0:
                while i < end:
                    if not _blank(data[i]):
                        return -1
                    i += 1
                return n
            n = base[depth]
            depth -= 1
            want = AFTER


@njit(types.void(BYTES, PLACES, PLACES, ROOM, ROOM), cache=True, nogil=True)
def scan(data: Array, starts: Array, ends: Array, proven: Array, fresh: Array) -> None:
    """Say of each line whether it is proven, and whether its keys are others than those of the lines before.

    Args:
        data: the bytes of all lines.
        starts, ends: of each line, without its line feed.
        proven: filled with 1 for a proven line, 0 for another, 2 for a blank one.
        fresh: filled with 1 for a proven line whose keys, in order, are not among the last 16 sets of keys.
    """
    stack, base = np.empty(DEEPEST, np.int64), np.empty(DEEPEST, np.int64)
    ks, ke = np.empty(MOST_KEYS, np.int64), np.empty(MOST_KEYS, np.int64)
    kept_s, kept_e = np.empty((KEPT, MOST_KEYS), np.int64), np.empty((KEPT, MOST_KEYS), np.int64)
    counts = np.empty(KEPT, np.int64)
    for k in range(KEPT):
        counts[k] = -1
    turn = 0
    for line in range(starts.size):
        i, end = starts[line], ends[line]
        while i < end and _blank(data[i]):
            i += 1
        if i == end:
            proven[line] = 2
            continue
        n = _prove(data, i, end, stack, base, ks, ke)
        if n < 0:
            proven[line] = 0
            continue
        proven[line] = 1
        known = False
        for s in range(KEPT):
            if counts[s] != n:
                continue
            known = True
            for k in range(n):
                if not _equal(data, kept_s[s, k], kept_e[s, k], data, ks[k], ke[k]):
                    known = False
                    break
            if known:
                break
        if not known:
            fresh[line] = 1
            counts[turn] = n
            for k in range(n):
                kept_s[turn, k], kept_e[turn, k] = ks[k], ke[k]
            turn = (turn + 1) % KEPT


@part(INT, BYTES, INT)
def _end_of(data: Array, i: int) -> int:
    """Return the place of the closing quote of a proven text that begins at i."""
    while True:
        while data[i] != 0x22 and data[i] != 0x5C:
            i += 1
        if data[i] == 0x22:
            return i
        i += 2


@part(INT, BYTES, INT)
def _behind(data: Array, i: int) -> int:
    """Return the place behind the value of a proven line that begins at i."""
    if data[i] == 0x22:
        return _end_of(data, i + 1) + 1
    if data[i] != 0x7B and data[i] != 0x5B:
        while data[i] != 0x2C and data[i] != 0x7D and data[i] != 0x5D and not _blank(data[i]):
            i += 1
        return i
    depth = 0
    while True:
        b = data[i]
        if b == 0x22:
            i = _end_of(data, i + 1) + 1
            continue
        if b == 0x7B or b == 0x5B:
            depth += 1
        elif b == 0x7D or b == 0x5D:
            depth -= 1
            if depth == 0:
                return i + 1
        i += 1


@part(INT, BYTES, INT)
def _skip(data: Array, i: int) -> int:
    while _blank(data[i]):
        i += 1
    return i


@part(INT, ROOM, INT, BYTES, INT, INT)
def _move(out: Array, o: int, data: Array, a: int, b: int) -> int:
    there, here = out[o : o + b - a], data[a:b]
    for k in range(here.size):  # two parts, so that the loop is over vectors
        there[k] = here[k]
    return o + b - a


@part(INT, ROOM, INT, BYTES, PLACES, INT)
def _put(out: Array, o: int, words: Array, word_cuts: Array, which: int) -> int:
    for k in range(word_cuts[which], word_cuts[which + 1]):
        out[o] = words[k]
        o += 1
    return o


@part(INT, BYTES, INT, INT, TABLE)
def _examine(data: Array, i: int, end: int, table: Array) -> int:
    """Return what is to be known of a proven text: UNSURE, SAYS, DOUBTFUL, ESCAPED."""
    found = 0
    before = np.uint32(0)  # what the character before could lead
    while i < end:
        b = data[i]
        if b < 0x80 and b != 0x5C and before == 0:
            if b > 0x20:
                found |= SAYS
                i += 1
                while i < end and data[i] < 0x80 and data[i] != 0x5C:
                    i += 1
            else:
                i += 1
            continue
        if b == 0x5C:
            found |= ESCAPED
            cp, i = _escape(data, i, end)
        else:
            cp, i = _point(data, i)
        if cp < 0x10000:
            told = table[cp]
            found |= told & UNSURE
            if not told & BLANK:
                found |= SAYS
            if before & (told >> MORE):
                found |= DOUBTFUL
            before = (told >> LEAD) & np.uint32(ENCODINGS)
        else:
            found |= SAYS
            if cp < 0x1F000 or cp > 0x1FBFF:
                found |= UNSURE
            before = np.uint32(0)
    return found


@part(INT, ROOM, INT, INT)
def _utf8(out: Array, o: int, cp: int) -> int:
    if cp < 0x80:
        out[o] = cp
        return o + 1
    if cp < 0x800:
        out[o], out[o + 1] = 0xC0 | cp >> 6, 0x80 | cp & 0x3F
        return o + 2
    if cp < 0x10000:
        out[o], out[o + 1], out[o + 2] = 0xE0 | cp >> 12, 0x80 | cp >> 6 & 0x3F, 0x80 | cp & 0x3F
        return o + 3
    out[o], out[o + 1] = 0xF0 | cp >> 18, 0x80 | cp >> 12 & 0x3F
    out[o + 2], out[o + 3] = 0x80 | cp >> 6 & 0x3F, 0x80 | cp & 0x3F
    return o + 4


@part(INT, ROOM, INT, INT)
def _json(out: Array, o: int, cp: int) -> int:
    """Write a character as `dump_exact` writes it within a text."""
    if cp >= 0x20 and cp != 0x22 and cp != 0x5C:
        return _utf8(out, o, cp)
    out[o] = 0x5C
    if cp == 0x22 or cp == 0x5C:
        out[o + 1] = cp
    elif cp == 10:
        out[o + 1] = 0x6E
    elif cp == 9:
        out[o + 1] = 0x74
    elif cp == 13:
        out[o + 1] = 0x72
    elif cp == 8:
        out[o + 1] = 0x62
    elif cp == 12:
        out[o + 1] = 0x66
    else:
        out[o + 1], out[o + 2], out[o + 3] = 0x75, 0x30, 0x30
        low = cp & 15
        out[o + 4], out[o + 5] = 0x30 + (cp >> 4), low + (0x30 if low < 10 else 0x57)
        return o + 6
    return o + 2


@part(INT, BYTES, INT, INT, ROOM, INT, BOOL)
def _text(data: Array, i: int, end: int, out: Array, o: int, json: bool) -> int:
    """Write a proven text: as JSON has it, or as it is meant."""
    while i < end:
        if data[i] != 0x5C:
            begin = i
            while i < end and data[i] != 0x5C:
                i += 1
            o = _move(out, o, data, begin, i)
            continue
        cp, i = _escape(data, i, end)
        o = _json(out, o, cp) if json else _utf8(out, o, cp)
    return o


@part(INT, BYTES, INT, INT, ROOM, INT)
def _value(data: Array, i: int, end: int, out: Array, o: int) -> int:
    """Write a proven value as compact JSON."""
    while i < end:
        b = data[i]
        if b == 0x22:
            close = _end_of(data, i + 1)
            out[o] = 0x22
            o = _text(data, i + 1, close, out, o + 1, True)
            out[o] = 0x22
            o += 1
            i = close + 1
            continue
        if not _blank(b):
            out[o] = b
            o += 1
        i += 1
    return o


@part(INT, BYTES, INT, BYTES, PLACES, INT, PAIRS, ROOM, INT)
def _columns(
    data: Array, i: int, names: Array, cuts: Array, own: int, places: Array, beside: Array, o: int
) -> int:  # fmt: skip
    """Find the values of a line's own columns, write all others as JSON beside it; -1 where it has a barred column.

    Args:
        data, i: the bytes, and where the line begins.
        names, cuts: the own columns' names, then those of barred columns; name k from cuts[k] to cuts[k + 1].
        own: how many are own columns.
        places: (own, 2), filled with begin and end of each value; -1 for an absent one.
        beside, o: where the metadata go.
    """
    for k in range(own):
        places[k, 0] = -1
    first = True
    beside[o] = 0x7B
    o += 1
    i = _skip(data, _skip(data, i) + 1)
    while data[i] != 0x7D:
        if data[i] == 0x2C:
            i = _skip(data, i + 1)
        begin = i + 1
        end = _end_of(data, begin)
        value = _skip(data, _skip(data, end + 1) + 1)
        i = _behind(data, value)
        mine = False
        for k in range(cuts.size - 1):
            if _equal(data, begin, end, names, cuts[k], cuts[k + 1]):
                if k >= own:
                    return -1
                places[k, 0], places[k, 1] = value, i
                mine = True
                break
        if not mine:
            if not first:
                beside[o] = 0x2C
                o += 1
            first = False
            o = _move(beside, o, data, begin - 1, end + 1)
            beside[o] = 0x3A
            o = _value(data, value, i, beside, o + 1)
        i = _skip(data, i)
    beside[o] = 0x7D
    return o + 1


@part(INT, BYTES, INT, PAIRS, INT, BYTES, PLACES, PLACES)
def _turn(data: Array, i: int, turns: Array, n: int, spelt: Array, spelt_cuts: Array, means: Array) -> int:
    """Read a turn of who speaks and a text alone; return the place behind it, -1 for any other.

    `turns[n]` becomes its role, where its text begins and ends; whether that has escapes is filled in later.
    """
    if data[i] != 0x7B or n == MOST_TURNS:
        return -1
    role = content = -1
    i = _skip(data, i + 1)
    while data[i] != 0x7D:
        if data[i] == 0x2C:
            i = _skip(data, i + 1)
        begin = i + 1
        end = _end_of(data, begin)
        value = _skip(data, _skip(data, end + 1) + 1)
        if data[value] != 0x22:
            return -1
        close = _end_of(data, value + 1)
        if _equal(data, begin, end, spelt, spelt_cuts[0], spelt_cuts[1]):
            for k in range(means.size):
                if _equal(data, value + 1, close, spelt, spelt_cuts[k + 2], spelt_cuts[k + 3]):
                    role = means[k]
            if role < 0:
                return -1
        elif _equal(data, begin, end, spelt, spelt_cuts[1], spelt_cuts[2]):
            content = value + 1
            turns[n, 1], turns[n, 2] = content, close
        else:
            return -1
        i = _skip(data, close + 1)
    if role < 0 or content < 0:
        return -1
    turns[n, 0] = role
    return i + 1


@part(INT, PAIRS, INT, BYTES, TABLE)
def _whole(turns: Array, n: int, data: Array, table: Array) -> int:
    """Return what `_examine` says of all turns together, -1 where a rule of chats might refuse them."""
    talk = spoken = False
    found = 0
    for t in range(n):
        told = _examine(data, turns[t, 1], turns[t, 2], table)
        turns[t, 3] = told & ESCAPED
        found |= told
        says = told & SAYS != 0
        if turns[t, 0] < USER:
            if talk:
                return -1
        else:
            talk = True
            if turns[t, 0] == ASSISTANT and not says:
                return -1
            if says and (t < n - 1 or turns[t, 0] != ASSISTANT):
                spoken = True
    return found if spoken else -1


_COMMON = (
    *(BYTES, PLACES, ROOM, BYTES, PLACES, TABLE),
    *(ROOM, PLACES, ROOM, PLACES, ROOM, PLACES, FLAGS, ROOM, PLACES, BYTES, PLACES),
)


@njit(types.void(*_COMMON, BYTES, PLACES, PLACES), cache=True, nogil=True)
def chats(
    data: Array, starts: Array, taken: Array, names: Array, cuts: Array, table: Array, stored: Array, stored_at: Array,
    hashed: Array, hashed_at: Array, target: Array, target_at: Array, has_target: Array, beside: Array,
    beside_at: Array, words: Array, word_cuts: Array, spelt: Array, spelt_cuts: Array, means: Array,
) -> None:  # fmt: skip
    """Write the texts of chats whose turns have a role and a text and nothing else.

    Args:
        data, starts: the bytes, and where each line begins.
        taken: 1 for a proven line; filled with what becomes of each (PLAIN, TAKEN, COMPOSE).
        names, cuts: the column of turns, then barred columns.
        table: of characters.
        stored, hashed, target, beside: where the input as it is stored, the row's and the input's hashed texts, the
            target and the metadata go; `_at` (one more than lines, two a line for `hashed`) where each begins.
        has_target: filled with whether there is one.
        words, word_cuts: PHRASES, and where each begins.
        spelt, spelt_cuts: how a turn's two keys are called (who speaks, what is said), then how its speakers are.
        means: what each speaker is: SYSTEM, DEVELOPER, USER or ASSISTANT.
    """
    places, turns = np.empty((1, 2), np.int64), np.empty((MOST_TURNS, 4), np.int64)
    s = h = g = m = 0
    for line in range(starts.size):
        state = PLAIN
        if taken[line] == 1:
            o = _columns(data, starts[line], names, cuts, 1, places, beside, m)
            n, found = 0, -1
            i = places[0, 0]
            if o >= 0 and i >= 0 and data[i] == 0x5B:
                i = _skip(data, i + 1)
                while i >= 0 and data[i] != 0x5D:
                    if data[i] == 0x2C:
                        i = _skip(data, i + 1)
                    i = _turn(data, i, turns, n, spelt, spelt_cuts, means)
                    if i >= 0:
                        n += 1
                        i = _skip(data, i)
                if i >= 0 and n:
                    found = _whole(turns, n, data, table)
            if found >= 0 and not found & DOUBTFUL:
                state = COMPOSE if found & UNSURE else TAKEN
                answered = turns[n - 1, 0] == ASSISTANT
                count = n - 1 if answered else n
                m = o
                s = _put(stored, s, words, word_cuts, S_OPEN)
                h = _put(hashed, _put(hashed, h, words, word_cuts, ROW), words, word_cuts, C_OPEN)
                written = h - (word_cuts[C_OPEN + 1] - word_cuts[C_OPEN])
                for t in range(count):
                    if t:
                        stored[s], hashed[h] = 0x2C, 0x2C
                        s += 1
                        h += 1
                    role = turns[t, 0]
                    s = _put(
                        stored,
                        _put(stored, _put(stored, s, words, word_cuts, S_TURN), words, word_cuts, role),
                        words,
                        word_cuts,
                        S_MID,
                    )
                    h = _put(
                        hashed,
                        _put(hashed, _put(hashed, h, words, word_cuts, C_TURN), words, word_cuts, role),
                        words,
                        word_cuts,
                        C_MID,
                    )
                    begin = s
                    if turns[t, 3]:
                        s = _text(data, turns[t, 1], turns[t, 2], stored, s, True)
                    else:
                        s = _move(stored, s, data, turns[t, 1], turns[t, 2])
                    h = _put(hashed, _move(hashed, h, stored, begin, s), words, word_cuts, C_END)
                    s = _put(stored, s, words, word_cuts, S_END)
                s = _put(stored, s, words, word_cuts, S_CLOSE)
                h = _put(hashed, h, words, word_cuts, C_CLOSE)
                end = h
                h = _put(hashed, h, words, word_cuts, EXAMPLE)
                if answered:
                    hashed[h] = 0x22
                    if turns[n - 1, 3]:
                        g = _text(data, turns[n - 1, 1], turns[n - 1, 2], target, g, False)
                        h = _text(data, turns[n - 1, 1], turns[n - 1, 2], hashed, h + 1, True)
                    else:
                        g = _move(target, g, data, turns[n - 1, 1], turns[n - 1, 2])
                        h = _move(hashed, h + 1, data, turns[n - 1, 1], turns[n - 1, 2])
                    hashed[h], hashed[h + 1] = 0x22, 0x5D
                    h += 2
                else:
                    h = _put(hashed, h, words, word_cuts, NO_TARGET)
                has_target[line] = answered
                hashed_at[2 * line + 1] = h
                h = _move(hashed, _put(hashed, h, words, word_cuts, INPUT), hashed, written, end)
        taken[line] = state
        if state == PLAIN:
            hashed_at[2 * line + 1] = h
        stored_at[line + 1], hashed_at[2 * line + 2], target_at[line + 1], beside_at[line + 1] = s, h, g, m


@njit(types.void(*_COMMON, INT, INT, BYTES, PLACES, PLACES, BOOL, INT), cache=True, nogil=True)
def fields(
    data: Array, starts: Array, taken: Array, names: Array, cuts: Array, table: Array, stored: Array, stored_at: Array,
    hashed: Array, hashed_at: Array, target: Array, target_at: Array, has_target: Array, beside: Array,
    beside_at: Array, words: Array, word_cuts: Array, own: int, inputs: int, keys: Array, key_cuts: Array,
    order: Array, drops_blank: bool, kind: int,
) -> None:  # fmt: skip
    """Write the texts of rows of named fields that are all texts. Arguments as for `chats`, and

    Args:
        own, inputs: how many columns rows are made of, and how many of these are inputs; one more is the target.
        keys, key_cuts: the names of the inputs as JSON texts.
        order: the inputs in the order of their names.
        drops_blank: whether a blank or absent input is left out; else it is kept, or the line left to others.
        kind: 0 for an example, 1 for a plain text.
    """
    places = np.empty((own, 2), np.int64)
    from_, to = np.empty(inputs, np.int64), np.empty(inputs, np.int64)
    s = h = g = m = 0
    for line in range(starts.size):
        state = PLAIN
        if taken[line] == 1:
            o = _columns(data, starts[line], names, cuts, own, places, beside, m)
            good, found = o >= 0, 0
            for k in range(inputs):
                if not good:
                    break
                i = places[k, 0]
                if i < 0 or data[i] != 0x22:
                    good = drops_blank and i < 0
                    continue
                told = _examine(data, i + 1, places[k, 1] - 1, table)
                if drops_blank and not told & SAYS:
                    places[k, 0] = -1
                found |= told
            good = good and found & SAYS != 0
            answered, quoted = False, False
            if good and own > inputs and places[inputs, 0] >= 0:
                i = places[inputs, 0]
                quoted = data[i] == 0x22
                answered = data[i] != 0x6E and not (quoted and places[inputs, 1] == i + 2)
                if quoted:
                    found |= _examine(data, i + 1, places[inputs, 1] - 1, table)
                elif data[i] == 0x7B or data[i] == 0x5B:
                    good = False
            if good and not found & DOUBTFUL:
                state = COMPOSE if found & UNSURE else TAKEN
                m = o
                stored[s] = 0x7B
                s += 1
                first = True
                for k in range(inputs):
                    if places[k, 0] < 0:
                        continue
                    if not first:
                        stored[s] = 0x2C
                        s += 1
                    first = False
                    from_[k] = s
                    s = _move(stored, s, keys, key_cuts[k], key_cuts[k + 1])
                    stored[s], stored[s + 1] = 0x3A, 0x22
                    s = _text(data, places[k, 0] + 1, places[k, 1] - 1, stored, s + 2, True)
                    stored[s] = 0x22
                    s += 1
                    to[k] = s
                stored[s] = 0x7D
                s += 1
                h = _put(hashed, h, words, word_cuts, ROW)
                written = h
                h = _put(hashed, h, words, word_cuts, F_OPEN)
                first = True
                for j in range(inputs):
                    k = order[j]
                    if places[k, 0] < 0:
                        continue
                    if not first:
                        hashed[h] = 0x2C
                        h += 1
                    first = False
                    h = _move(hashed, h, stored, from_[k], to[k])
                h = _put(hashed, h, words, word_cuts, F_CLOSE)
                end = h
                if kind == 1:
                    h = _put(hashed, h, words, word_cuts, TEXT)
                else:
                    h = _put(hashed, h, words, word_cuts, EXAMPLE)
                    if answered:
                        a, b = places[inputs, 0], places[inputs, 1]
                        if quoted:
                            a, b = a + 1, b - 1
                        g = _text(data, a, b, target, g, False)
                        hashed[h] = 0x22
                        h = _text(data, a, b, hashed, h + 1, True)
                        hashed[h], hashed[h + 1] = 0x22, 0x5D
                        h += 2
                    else:
                        h = _put(hashed, h, words, word_cuts, NO_TARGET)
                has_target[line] = answered
                hashed_at[2 * line + 1] = h
                h = _move(hashed, _put(hashed, h, words, word_cuts, INPUT), hashed, written, end)
        taken[line] = state
        if state == PLAIN:
            hashed_at[2 * line + 1] = h
        stored_at[line + 1], hashed_at[2 * line + 2], target_at[line + 1], beside_at[line + 1] = s, h, g, m
