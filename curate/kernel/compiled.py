"""Every loop that numba compiles, in one file: a cached function does not notice when one of another file changes.

Texts lie in one buffer of bytes, segment after segment; a text is a run of segments. The n-grams and their hashes are
those of `sluice.curate.similar.similarity` (docs/formats.md, "n-grams"). All functions release the GIL; callers give
each thread a range of its own. Nothing here allocates in proportion to all texts but what a caller hands in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

FNV_BASIS = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_1, _3, _5 = np.uint64(1), np.uint64(3), np.uint64(5)
_27, _29, _30, _31, _32 = np.uint64(27), np.uint64(29), np.uint64(30), np.uint64(31), np.uint64(32)
_ZERO, _BLANK = np.uint64(0), np.uint64(32)
_EMPTY = np.uint32(0xFFFFFFFF)
WORD, CHAR = 0, 1
UNKNOWN = -1  # a character that the tables do not hold: the text is folded in Python

Array = Any  # numba arrays: their types are decided at the call


@njit(inline="always")
def _finish(h: Any) -> Any:
    h = (h ^ (h >> _30)) * _MIX_1
    h = (h ^ (h >> _27)) * _MIX_2
    return h ^ (h >> _31)


@njit(cache=True, nogil=True)
def _point(data: Array, i: int) -> Any:
    """Return (code point, bytes) of the UTF-8 character at a place."""
    b = np.int64(data[i])
    if b < 0x80:
        return b, 1
    if b < 0xE0:
        return (b & 0x1F) << 6 | (np.int64(data[i + 1]) & 0x3F), 2
    if b < 0xF0:
        return (b & 0x0F) << 12 | (np.int64(data[i + 1]) & 0x3F) << 6 | (np.int64(data[i + 2]) & 0x3F), 3
    rest = (np.int64(data[i + 1]) & 0x3F) << 12 | (np.int64(data[i + 2]) & 0x3F) << 6 | (np.int64(data[i + 3]) & 0x3F)
    return (b & 0x07) << 18 | rest, 4


@njit(cache=True, nogil=True)
def fold(
    data: Array, starts: Array, places: Array, lengths: Array, places_of: Array, sizes_of: Array, folded: Array,
    out: Array, first: int, last: int,
) -> None:  # fmt: skip
    """Fold segments into `out` at `places`; a length of -1 says that a character is unknown to the tables.

    Args:
        data, starts: the UTF-8 bytes of all segments, and where each begins (one more than segments).
        places: where each segment's folded bytes go.
        lengths: filled with the bytes written of each.
        places_of, sizes_of, folded: by code point, where in `folded` its form lies and its bytes; UNKNOWN, or 0 bytes
            for one that is dropped. A blank in a form is 0x20.
        out: at least as long as every form together.
        first, last: the segments of this call.
    """
    top = places_of.size
    for s in range(first, last):
        o = begin = places[s]
        blank = False
        i, end = starts[s], starts[s + 1]
        known = True
        while i < end:
            if data[i] < 0x80:  # one byte to one byte: the usual case, kept short
                b = folded[places_of[data[i]]]
                i += 1
                if b == 0x20:
                    blank = o > begin
                    continue
                if blank:
                    out[o] = 0x20
                    o += 1
                    blank = False
                out[o] = b
                o += 1
                continue
            cp, width = _point(data, i)
            i += width
            at = places_of[cp] if cp < top else UNKNOWN
            if at == UNKNOWN:
                known = False
                break
            for k in range(at, at + sizes_of[cp]):
                b = folded[k]
                if b == 0x20:
                    blank = o > begin
                else:
                    if blank:
                        out[o] = 0x20
                        o += 1
                        blank = False
                    out[o] = b
                    o += 1
        # nothing but punctuation keeps it (see `normalise`): rare, and left to Python
        lengths[s] = o - begin if known and (o > begin or starts[s] == end) else UNKNOWN


@njit(cache=True, nogil=True)
def compact(out: Array, places: Array, lengths: Array, packed: Array, starts: Array, first: int, last: int) -> None:
    """Copy folded segments to where they lie one after the other."""
    for s in range(first, last):
        if lengths[s] > 0:
            packed[starts[s] : starts[s] + lengths[s]] = out[places[s] : places[s] + lengths[s]]


@njit(cache=True, nogil=True)
def measure(
    data: Array, starts: Array, words: Array, characters: Array, unspaced: Array, first: int, last: int
) -> None:
    """Count of each folded segment its words, its characters, and those of scripts without spaces."""
    for s in range(first, last):
        i, end = starts[s], starts[s + 1]
        w, c, u = (1 if end > i else 0), 0, 0
        while i < end:
            c += 1
            if data[i] < 0x80:
                w += data[i] == 0x20
                i += 1
                continue
            cp, width = _point(data, i)
            i += width
            if cp >= 0x0E00 and (
                cp <= 0x0EFF
                or 0x1000 <= cp <= 0x109F
                or 0x1780 <= cp <= 0x17FF
                or 0x3040 <= cp <= 0x30FF
                or 0x3400 <= cp <= 0x9FFF
                or 0xF900 <= cp <= 0xFAFF
                or 0x20000 <= cp <= 0x3FFFF
            ):
                u += 1
        words[s], characters[s], unspaced[s] = w, c, u


@njit(inline="always")
def _gram(a: Any, b: Any, c: Any) -> Any:
    h = _3 * _MULTIPLIER + a + _1
    h = h * _MULTIPLIER + b + _1
    return _finish(h * _MULTIPLIER + c + _1)


@njit(cache=True, nogil=True)
def _word_grams(data: Array, low: int, high: int, out: Array, n: int) -> int:
    """Write the hashes of a segment's word 3-grams from place n on; return the place after the last."""
    if high <= low:
        return n
    words = 0
    a, b, h = _ZERO, _ZERO, FNV_BASIS
    for i in range(low, high + 1):
        if i == high or data[i] == 0x20:
            code = _finish(h)
            h = FNV_BASIS
            words += 1
            if words >= 3:
                out[n] = _gram(a, b, code)
                n += 1
            a, b = b, code
        else:
            h = (h ^ np.uint64(data[i])) * FNV_PRIME
    if words == 1:
        out[n] = _gram(b, _ZERO, _ZERO)
        n += 1
    elif words == 2:
        out[n] = _gram(a, b, _ZERO)
        n += 1
    return n


@njit(cache=True, nogil=True)
def _char_grams(data: Array, low: int, high: int, out: Array, n: int) -> int:
    """Write the hashes of a segment's character 5-grams, a blank before and after it, at least 5 characters."""
    if high <= low:
        return n
    a, b, c, d = _ZERO, _ZERO, _ZERO, _BLANK  # the last four characters; the first of all is a blank
    seen, i, after = 1, low, 0
    while True:
        if i < high:
            cp, width = (np.int64(data[i]), 1) if data[i] < 0x80 else _point(data, i)
            i += width
        elif after == 0 or seen < 5:
            cp, after = np.int64(32), 1
        else:
            break
        e = np.uint64(cp)
        seen += 1
        if seen >= 5:
            h = _5 * _MULTIPLIER + a + _1
            h = h * _MULTIPLIER + b + _1
            h = h * _MULTIPLIER + c + _1
            h = h * _MULTIPLIER + d + _1
            out[n] = _finish(h * _MULTIPLIER + e + _1)
            n += 1
        a, b, c, d = b, c, d, e
    return n


@njit(cache=True, nogil=True)
def grams(data: Array, starts: Array, low: int, high: int, sort: int, out: Array) -> int:
    """Write the n-gram hashes of the segments low to high - 1, repeats included; return how many there are."""
    n = 0
    for s in range(low, high):
        if sort == WORD:
            n = _word_grams(data, starts[s], starts[s + 1], out, n)
        else:
            n = _char_grams(data, starts[s], starts[s + 1], out, n)
    return n


@njit(cache=True, nogil=True)
def unique(values: Array, n: int) -> int:
    """Sort the first n values and put each once at the front; return how many there are."""
    if n < 2:
        return n
    values[:n].sort()
    m = 1
    for i in range(1, n):
        if values[i] != values[m - 1]:
            values[m] = values[i]
            m += 1
    return m


@njit(cache=True, nogil=True)
def sets_of(
    data: Array, starts: Array, texts: Array, wanted: Array, sort: int, sizes: Array, flat: Array, places: Array,
    first: int, last: int,
) -> None:  # fmt: skip
    """Fill the n-gram set of each wanted text into `flat` at its place (as long as its grams), and its size."""
    for t in range(first, last):
        if wanted[t]:
            room = flat[places[t] : places[t + 1]]
            sizes[t] = unique(room, grams(data, starts, texts[t], texts[t + 1], sort, room))


@njit(cache=True, nogil=True)
def repetitive(data: Array, starts: Array, texts: Array, wanted: Array, found: Array, first: int, last: int) -> None:
    """Say of each wanted text whether over half of its word n-grams are repeats: it has few n-grams for its length."""
    longest = 0
    for t in range(first, last):
        longest = max(longest, starts[texts[t + 1]] - starts[texts[t]] + 5 * (texts[t + 1] - texts[t]))
    buffer = np.empty(longest + 8, np.uint64)
    for t in range(first, last):
        if wanted[t]:
            n = grams(data, starts, texts[t], texts[t + 1], WORD, buffer)
            found[t] = 2 * unique(buffer, n) < n


@njit(cache=True, nogil=True)
def sign(
    data: Array, starts: Array, texts: Array, wanted: Array, sort: int, multipliers: Array, shifts: Array, rows: int,
    keys: Array, first: int, last: int,
) -> None:  # fmt: skip
    """Fill the band keys of each wanted text; texts that are not wanted or empty keep what was there.

    MinHash (Broder 1997): per permutation the smallest a * x + b mod 2^32 over the n-grams x (their upper 32 bits). A
    band's key is a hash of `rows` of them; 0 is kept for "no key".

    Args:
        multipliers (odd), shifts: one 32-bit number a permutation.
        rows: permutations in a band.
        keys: (bands, texts), 32 bits each.
        first, last: the texts of this call.
    """
    longest = 0
    for t in range(first, last):
        longest = max(longest, starts[texts[t + 1]] - starts[texts[t]] + 5 * (texts[t + 1] - texts[t]))
    buffer = np.empty(longest + 8, np.uint64)
    width = multipliers.size
    least = np.empty(width, np.uint32)
    for t in range(first, last):
        if not wanted[t]:
            continue
        n = grams(data, starts, texts[t], texts[t + 1], sort, buffer)
        if not n:
            continue
        for k in range(width):
            least[k] = _EMPTY
        for g in range(n):
            x = np.uint32(buffer[g] >> _32)
            for k in range(width):
                least[k] = min(least[k], np.uint32(multipliers[k] * x + shifts[k]))
        k = 0
        for band in range(keys.shape[0]):
            h = np.uint64(band + 1)
            for _ in range(rows):
                h = (h ^ np.uint64(least[k])) * _MULTIPLIER
                h ^= h >> _29
                k += 1
            keys[band, t] = max(np.uint32(1), np.uint32(_finish(h) >> _32))


@njit(cache=True, nogil=True)
def group(keys: Array, table: Array, counts: Array) -> int:
    """Turn one band's keys into numbers of groups, in place: 0 where a text is alone; return how many groups there are.

    Args:
        keys: (texts,), 0 where a text has none.
        table, counts: two arrays of one power of two above twice the texts, 32 bits each, zeroed here.
    """
    table[:] = 0
    counts[:] = 0
    mask = table.size - 1
    for t in range(keys.size):
        key = keys[t]
        if key:
            at = np.int64(key) & mask
            while table[at] != 0 and table[at] != key:
                at = (at + 1) & mask
            table[at] = key
            counts[at] = min(counts[at] + 1, 2)
    groups = 0
    for t in range(keys.size):
        key = keys[t]
        if key:
            at = np.int64(key) & mask
            while table[at] != key:
                at = (at + 1) & mask
            if counts[at] == 1:
                keys[t] = 0
                continue
            if counts[at] == 2:
                groups += 1
                counts[at] = groups + 2
            keys[t] = counts[at] - 2
    return groups


@njit(cache=True, nogil=True)
def common(one: Array, other: Array) -> int:
    """Return how many numbers two sorted sets have in common."""
    i = j = n = 0
    while i < one.size and j < other.size:
        if one[i] == other[j]:
            n += 1
            i += 1
            j += 1
        elif one[i] < other[j]:
            i += 1
        else:
            j += 1
    return n


@njit(cache=True, nogil=True)
def _grown(arena: Array, needed: int) -> Array:
    if needed <= arena.size:
        return arena
    bigger = np.empty(max(needed, arena.size + (arena.size >> 1)), arena.dtype)
    bigger[: arena.size] = arena
    return bigger


@njit(cache=True, nogil=True)
def _counted(
    data: Array, starts: Array, lows: Array, highs: Array, short: Array, a: int, b: int, arena: Array, used: int,
    places: Array, sizes: Array,
) -> Any:  # fmt: skip
    """Return (n-grams two texts have in common, and together; the arena of sets; how much of it is used).

    A set is made when it is first asked for, and kept. The sort is that of the pair: characters where either is short.
    """
    sort = CHAR if short[a] or short[b] else WORD
    for t in (a, b):
        if sizes[sort, t] < 0:
            room = starts[highs[t]] - starts[lows[t]] + 5 * (highs[t] - lows[t])
            arena = _grown(arena, used + room)
            found = arena[used : used + room]
            n = unique(found, grams(data, starts, lows[t], highs[t], sort, found))
            sizes[sort, t], places[sort, t] = n, used
            used += n
    n, m = sizes[sort, a], sizes[sort, b]
    if not n or not m:
        return 0, n + m, arena, used
    i, j = places[sort, a], places[sort, b]
    hits = common(arena[i : i + n], arena[j : j + m])
    return hits, n + m - hits, arena, used


@njit(cache=True, nogil=True)
def _known(a: int, b: int, first: Array, others: Array) -> int:
    """Return the place of a pair among known ones, -1 where it is none of them; they are sorted within each text."""
    if a < b:
        a, b = b, a
    low, high = first[a], first[a + 1]
    while low < high:
        middle = (low + high) >> 1
        if others[middle] < b:
            low = middle + 1
        else:
            high = middle
    return low if low < first[a + 1] and others[low] == b else -1


@njit(cache=True, nogil=True)
def _chains(groups: Array, offsets: Array) -> Any:
    """Return room for chains of rows by group: heads (the newest link of each, or -1), links (row, link before)."""
    bands, n = groups.shape
    total = 0
    for b in range(bands):
        for i in range(n):
            total += groups[b, i] != 0
    return np.full(offsets[bands] + 1, -1, np.int64), np.empty((total, 2), np.int64)


@njit(cache=True, nogil=True)
def survivors(
    data: Array, starts: Array, lows: Array, highs: Array, short: Array, flat: Array, places: Array, sizes: Array,
    order: Array, groups: Array, offsets: Array, text_of: Array, shapes: Array, inputs: Array, learnt: Array,
    part_texts: Array, part_values: Array, held: Array, fixed: int, percent: int, drop_near: bool, first: Array,
    others: Array, hits: Array, unions: Array, made: Array, most: int, asked: Array, kept: Array, share: Array,
    target: Array, other: Array, other_share: Array,
) -> Any:  # fmt: skip
    """Take rows in order; keep each that is unlike every kept one before it, else drop it for the first such one.

    What two texts have in common is looked up among known pairs, else counted, where both texts are here. A row that
    meets a pair that is neither is left undecided, and the texts that it may need are asked for: the caller brings
    them and calls again, until nothing is asked.

    Args:
        data, starts: segments. lows, highs: by text, the first of its segments and the end; -1 where it is not here.
        short: which are compared by characters.
        flat, places, sizes: n-gram sets made beforehand, by sort and text (`sets_of`); a size of -1: none yet.
        order: the rows that take part, in keeping order.
        groups: (bands, n) numbers of groups, 0 where alone; offsets: where each band's groups begin.
        text_of: (n,) the text of each row's input.
        shapes, inputs, learnt: (n,) numbers that are equal where rows may be compared, ask the same, teach the same.
        part_texts, part_values: (parts, n) text number of the answer where it is prose, else -1; number of its value.
        held: rows of a conflict, which are never dropped.
        fixed: the first `fixed` of the order stay in any case (rows of another dataset).
        percent: least Jaccard, of inputs and of answers, in hundredths.
        drop_near: also drop for a near input with another answer.
        first, others, hits, unions: known pairs: by the later text, the earlier ones, n-grams in common and together.
        made, most: pairs that were counted here (later, earlier, in common, together), up to so many.
        asked: (texts,) filled: texts that are needed and not here.
        kept, share, target, other, other_share: filled: the number each is dropped for (-1: stays), Jaccard of inputs
            and of answers, the first near one with another answer (-1: none), its Jaccard.

    Returns (candidate pairs looked at, pairs counted, `made` grown to hold them, rows left undecided).
    """
    n, bands, parts = shapes.size, groups.shape[0], part_texts.shape[0]
    heads, links = _chains(groups, offsets)
    linked = 0
    stamp = np.full(n, -1, np.int64)
    met = np.empty(1024, np.int64)
    arena, used = flat, flat.size
    looked = counted = undecided = 0
    kept[:], other[:] = -1, -1
    share[:], target[:], other_share[:] = 0.0, 0.0, 0.0
    for rank in range(order.size):
        i = order[rank]
        decided = True
        if rank >= fixed:
            m = 0
            for b in range(bands):
                g = groups[b, i]
                if not g:
                    continue
                link = heads[offsets[b] + g]
                while link >= 0:
                    before = links[link, 0]
                    if stamp[before] != rank:
                        stamp[before] = rank
                        if shapes[order[before]] == shapes[i]:
                            met = _grown(met, m + 1)
                            met[m] = before
                            m += 1
                    link = links[link, 1]
            met[:m].sort()
            looked += m
            for c in range(m):
                j = order[met[c]]
                same = learnt[i] == learnt[j]
                maybe = not same and parts > 0
                if maybe:
                    for p in range(parts):
                        if part_values[p, i] != part_values[p, j] and (part_texts[p, i] < 0 or part_texts[p, j] < 0):
                            maybe = False
                if not same and not maybe and not drop_near and (other[i] >= 0 or inputs[i] == inputs[j]):
                    continue
                near, alike = 0.0, (1.0 if same else 0.0)
                for p in range(-1, parts if maybe else 0):  # -1: the inputs
                    if p == 0:
                        alike = 1.0
                    if p >= 0 and (part_values[p, i] == part_values[p, j] or near == 0.0 or not decided):
                        continue
                    one = text_of[i] if p < 0 else part_texts[p, i]
                    two = text_of[j] if p < 0 else part_texts[p, j]
                    value = 1.0
                    if one != two:
                        at = _known(one, two, first, others)
                        common_, together = 0, 0
                        if at >= 0:
                            common_, together = hits[at], unions[at]
                        elif lows[one] < 0 or lows[two] < 0:
                            decided = False
                            asked[one], asked[two] = True, True
                            continue
                        else:
                            common_, together, arena, used = _counted(
                                data, starts, lows, highs, short, one, two, arena, used, places, sizes
                            )
                            if counted < most:
                                made = _grown(made, 4 * counted + 4)
                                made[4 * counted], made[4 * counted + 1] = max(one, two), min(one, two)
                                made[4 * counted + 2], made[4 * counted + 3] = common_, together
                            counted += 1
                        near_enough = together > 0 and 100 * common_ >= percent * together
                        value = common_ / together if near_enough else 0.0
                    if p < 0:
                        near = value
                    else:
                        alike = min(alike, value)
                if not decided:
                    for k in range(c, m):  # what else it may need
                        asked[text_of[order[met[k]]]] = True
                        for p in range(parts):
                            if part_texts[p, order[met[k]]] >= 0:
                                asked[part_texts[p, order[met[k]]]] = True
                    asked[text_of[i]] = True
                    for p in range(parts):
                        if part_texts[p, i] >= 0:
                            asked[part_texts[p, i]] = True
                    undecided += 1
                    break
                if near == 0.0:
                    continue
                apart = alike == 0.0 and inputs[i] != inputs[j]
                if apart and other[i] < 0:
                    other[i], other_share[i] = j, near
                if not held[i] and (alike > 0.0 or (apart and drop_near)):
                    kept[i], share[i], target[i] = j, near, alike
                    break
        if decided and kept[i] < 0:
            for b in range(bands):
                g = groups[b, i]
                if g:
                    links[linked, 0], links[linked, 1] = rank, heads[offsets[b] + g]
                    heads[offsets[b] + g] = linked
                    linked += 1
    return looked, counted, made, undecided


@njit(cache=True, nogil=True)
def meetings(
    groups: Array, offsets: Array, text_of: Array, shapes: Array, new: Array, most: int, pairs: Array
) -> Any:  # fmt: skip
    """Return (pairs of texts of one group of which the later row's text is new, how many): of each row up to `most`.

    Args:
        groups, offsets, text_of, shapes: see `survivors`; rows with new texts stand behind the others.
        new: (texts,) which are.
        most: pairs a row; the nearest in order are taken.
        pairs: room for pairs, (later text, earlier text) one after the other; returned grown.
    """
    bands, n = groups.shape
    heads, links = _chains(groups, offsets)
    linked = 0
    stamp = np.full(n, -1, np.int64)
    found = 0
    for i in range(n):
        mine = 0
        for b in range(bands):
            g = groups[b, i]
            if not g:
                continue
            link, looked = heads[offsets[b] + g], 0
            while new[text_of[i]] and link >= 0 and looked < most and mine < most:
                j = links[link, 0]
                link = links[link, 1]
                looked += 1
                if stamp[j] != i and shapes[j] == shapes[i] and text_of[j] != text_of[i]:
                    stamp[j] = i
                    pairs = _grown(pairs, 2 * found + 2)
                    pairs[2 * found] = max(text_of[i], text_of[j])
                    pairs[2 * found + 1] = min(text_of[i], text_of[j])
                    found += 1
                    mine += 1
            links[linked, 0], links[linked, 1] = i, heads[offsets[b] + g]
            heads[offsets[b] + g] = linked
            linked += 1
    return pairs, found


@njit(cache=True, nogil=True)
def count_pairs(
    flat: Array, places: Array, sizes: Array, short: Array, one: Array, two: Array, hits: Array, unions: Array,
    first: int, last: int,
) -> None:  # fmt: skip
    """Count of pairs of texts, whose sets are made already (`sets_of`), the n-grams in common and together."""
    for k in range(first, last):
        a, b = one[k], two[k]
        sort = CHAR if short[a] or short[b] else WORD
        i, j, n, m = places[sort, a], places[sort, b], sizes[sort, a], sizes[sort, b]
        hits[k] = common(flat[i : i + n], flat[j : j + m])
        unions[k] = n + m - hits[k]


@njit(cache=True, nogil=True)
def number(left: Array, keys: Array, ids: Array, left_ids: Array) -> int:
    """Number the different hashes of one side in the order they come; return how many there are.

    Args:
        left: hashes; `left_ids` gets their numbers, as long.
        keys, ids: the table, of a power of two above the hashes; ids are -1 where it is empty.
    """
    mask = np.uint64(keys.size - 1)
    n = 0
    for k in range(left.size):
        at = np.int64(left[k] & mask)
        while ids[at] >= 0 and keys[at] != left[k]:
            at = (at + 1) & (keys.size - 1)
        if ids[at] < 0:
            keys[at], ids[at] = left[k], n
            n += 1
        left_ids[k] = ids[at]
    return n


@njit(cache=True, nogil=True)
def look_up(right: Array, keys: Array, ids: Array, right_ids: Array, first: int, last: int) -> None:
    """Write the number of each hash of the other side by a table that `number` filled; -1 where it has none."""
    mask = np.uint64(keys.size - 1)
    for k in range(first, last):
        at = np.int64(right[k] & mask)
        while ids[at] >= 0 and keys[at] != right[k]:
            at = (at + 1) & (keys.size - 1)
        right_ids[k] = ids[at]


@njit(cache=True, nogil=True)
def count_common(
    one: Array, one_starts: Array, other: Array, other_starts: Array, i: Array, j: Array, hits: Array,
    first: int, last: int,
) -> None:  # fmt: skip
    """Count what pairs of sets of two collections have in common."""
    for k in range(first, last):
        a, b = i[k], j[k]
        left = one[one_starts[a] : one_starts[a + 1]]
        hits[k] = common(left, other[other_starts[b] : other_starts[b + 1]])


@njit(cache=True, nogil=True)
def nearest(
    data: Array, starts: Array, texts: Array, short: Array, flat: Array, places: Array, sizes: Array, groups: Array,
    offsets: Array, shapes: Array, percent: int, most: int, other: Array, share: Array,
) -> None:  # fmt: skip
    """Fill the nearest other text of each text, among the last `most` before it in each of its groups.

    A pair is counted once and told to both. Of equally near ones the first is taken.
    """
    n, bands = shapes.size, groups.shape[0]
    heads, links = _chains(groups, offsets)
    linked = 0
    stamp = np.full(n, -1, np.int64)
    arena, used = flat, flat.size
    for i in range(n):
        for b in range(bands):
            g = groups[b, i]
            if not g:
                continue
            link, looked = heads[offsets[b] + g], 0
            while link >= 0 and looked < most:
                j = int(links[link, 0])
                link = links[link, 1]
                looked += 1
                if stamp[j] == i or shapes[j] != shapes[i]:
                    continue
                stamp[j] = i
                hits, union, arena, used = _counted(
                    data, starts, texts[:-1], texts[1:], short, i, j, arena, used, places, sizes
                )
                near = hits / union if union > 0 and 100 * hits >= percent * union else 0.0
                if near > share[i] or (near == share[i] and near > 0.0 and j < other[i]):
                    other[i], share[i] = j, near
                if near > share[j]:
                    other[j], share[j] = i, near
            links[linked, 0], links[linked, 1] = i, heads[offsets[b] + g]
            heads[offsets[b] + g] = linked
            linked += 1


@njit(cache=True, nogil=True)
def likeness(
    data: Array, starts: Array, texts: Array, short: Array, words: Array, chars: Array, asked_short: bool,
    share: Array, first: int, last: int,
) -> None:  # fmt: skip
    """Fill the Jaccard of each text with one that is asked for, given by its n-gram sets (sorted) of either sort."""
    longest = 0
    for t in range(first, last):
        longest = max(longest, starts[texts[t + 1]] - starts[texts[t]] + 5 * (texts[t + 1] - texts[t]))
    buffer = np.empty(longest + 8, np.uint64)
    for t in range(first, last):
        by_chars = asked_short or short[t]
        asked = chars if by_chars else words
        n = unique(buffer, grams(data, starts, texts[t], texts[t + 1], CHAR if by_chars else WORD, buffer))
        hits = common(buffer[:n], asked)
        union = n + asked.size - hits
        share[t] = hits / union if union else 0.0


@njit(cache=True, nogil=True)
def holders(
    data: Array, starts: Array, texts: Array, wanted: Array, sort: int, bits: Array, table: Array, numbers: Array,
    posted: Array, postings: Array, needed: Array, found: Array, first: int, last: int,
) -> None:  # fmt: skip
    """Say of each wanted text whether it holds enough different n-grams of one of the entries looked for.

    Args:
        bits: 2^k flags by the lowest bits of an n-gram: most are told apart without a look into the table.
        table, numbers: open addressing by n-gram hash (0: free), and the number of each n-gram.
        posted, postings: by that number, the entries that have it.
        needed: different n-grams by entry from which on a text is found.
        found: (texts,) set to True, never to False.
        first, last: the texts of this call.
    """
    longest = 0
    for t in range(first, last):
        longest = max(longest, starts[texts[t + 1]] - starts[texts[t]] + 5 * (texts[t + 1] - texts[t]))
    buffer = np.empty(longest + 8, np.uint64)
    seen = np.full(posted.size, -1, np.int64)
    counts = np.zeros(needed.size, np.int64)
    touched = np.empty(needed.size, np.int64)
    low_bits, mask = np.uint64(8 * bits.size - 1), np.uint64(table.size - 1)
    for t in range(first, last):
        if not wanted[t] or found[t]:
            continue
        met = 0
        for g in range(grams(data, starts, texts[t], texts[t + 1], sort, buffer)):
            h = buffer[g]
            b = h & low_bits
            if not bits[b >> _3] >> np.uint8(b & np.uint64(7)) & 1:
                continue
            at = (h >> _32) & mask
            while table[at] != 0 and table[at] != h:
                at = (at + _1) & mask
            if table[at] == 0:
                continue
            number = numbers[at]
            if seen[number] == t:
                continue
            seen[number] = t
            for p in range(posted[number], posted[number + 1]):
                entry = postings[p]
                if counts[entry] == 0:
                    touched[met] = entry
                    met += 1
                counts[entry] += 1
                if counts[entry] >= needed[entry]:
                    found[t] = True
        for k in range(met):
            counts[touched[k]] = 0


@njit(cache=True, nogil=True)
def fill(grams: Array, table: Array, numbers: Array) -> None:
    """Put different n-grams and their places into a table of open addressing (a power of two, 0: free)."""
    mask = np.uint64(table.size - 1)
    for number in range(grams.size):
        at = (grams[number] >> _32) & mask
        while table[at] != 0:
            at = (at + _1) & mask
        table[at], numbers[at] = grams[number], number


@njit(cache=True, nogil=True)
def held(
    data: Array, starts: Array, texts: Array, wanted: Array, sort: int, table: Array, numbers: Array, posted: Array,
    postings: Array, left_out: Array, percent: int, found: Array, first: int, last: int,
) -> None:  # fmt: skip
    """Say of each wanted text whether some unit holds `percent` of its different n-grams.

    A unit that does holds one of the text's rarest n-grams (all but `needed` - 1 of those that stand anywhere): only
    units that hold one of these are counted, and their other n-grams are searched for in sorted lists.

    Args:
        table, numbers: open addressing by n-gram hash (0: free), and the number of each n-gram.
        posted, postings: by that number, the units that hold it, sorted.
        left_out: by that number, whether the n-gram is no part of a text.
        found: (texts,) set to True, never to False.
        first, last: the texts of this call.
    """
    longest = units = 0
    for t in range(first, last):
        longest = max(longest, starts[texts[t + 1]] - starts[texts[t]] + 5 * (texts[t + 1] - texts[t]))
    for p in range(postings.size):
        units = max(units, postings[p] + 1)
    buffer, rare = np.empty(longest + 8, np.uint64), np.empty(longest + 8, np.int64)
    counts, touched = np.zeros(units, np.int64), np.empty(units, np.int64)
    mask = np.uint64(table.size - 1)
    for t in range(first, last):
        if not wanted[t] or found[t]:
            continue
        size = known = 0
        n = unique(buffer, grams(data, starts, texts[t], texts[t + 1], sort, buffer))
        for g in range(n):
            h = buffer[g]
            at = (h >> _32) & mask
            while table[at] != 0 and table[at] != h:
                at = (at + _1) & mask
            number = numbers[at]
            if table[at] == h and left_out[number]:
                continue
            size += 1
            if table[at] == h and posted[number + 1] > posted[number]:
                rare[known] = (posted[number + 1] - posted[number]) << 32 | number
                known += 1
        needed = max(1, (percent * size + 99) // 100)
        if known < needed:
            continue
        rare[:known].sort()
        met = 0
        for k in range(known - needed + 1):
            number = rare[k] & 0xFFFFFFFF
            for p in range(posted[number], posted[number + 1]):
                unit = postings[p]
                if counts[unit] == 0:
                    touched[met] = unit
                    met += 1
                counts[unit] += 1
        for m in range(met):
            unit = touched[m]
            count = counts[unit]
            counts[unit] = 0
            k = known - needed + 1
            while not found[t] and k < known and count < needed and count + known - k >= needed:
                number = rare[k] & 0xFFFFFFFF
                low, high = posted[number], posted[number + 1]
                while low < high:
                    middle = (low + high) >> 1
                    if postings[middle] < unit:
                        low = middle + 1
                    else:
                        high = middle
                count += low < posted[number + 1] and postings[low] == unit
                k += 1
            if count >= needed:
                found[t] = True


@njit(cache=True, nogil=True)
def rarest(starts: Array, ids: Array, frequency: Array, percent: int, grams: Array, lefts: Array) -> int:
    """Write of each set the rare n-grams that a partner cannot all lack, and its number; return how many there are.

    Args:
        starts, ids: where each set begins, and its n-grams by number.
        frequency: by that number, how many partners hold it; those that none does are left out.
        percent: of the set, what a partner holds at least.
        grams, lefts: filled; as long as `ids`.
    """
    n = longest = 0
    for s in range(starts.size - 1):
        longest = max(longest, starts[s + 1] - starts[s])
    keys = np.empty(longest, np.int64)
    for s in range(starts.size - 1):
        size = starts[s + 1] - starts[s]
        for k in range(size):
            keys[k] = frequency[ids[starts[s] + k]] << 32 | ids[starts[s] + k]
        keys[:size].sort()
        for k in range(size - (percent * size + 99) // 100 + 1 if size else 0):
            if keys[k] >> 32:
                grams[n], lefts[n] = keys[k] & 0xFFFFFFFF, s
                n += 1
    return n
