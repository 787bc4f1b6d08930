"""Which texts stay: each in order, unless it is near-equal to one that stayed before it, proven by exact Jaccard.

There are no chains: a text never goes because of a neighbour's neighbour. A family of thousands is held against its one
survivor, not against itself, so time grows with the texts and not with their pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sluice.curate.kernel import compiled
from sluice.curate.kernel.fold import Folded
from sluice.curate.kernel.room import MEMORY, Room
from sluice.curate.kernel.signatures import Keys, band_keys, bands_for, group
from sluice.curate.kernel.threads import share_out
from sluice.curate.similar.similarity import NEAR_PERCENT, Mask, Numbers

Shares = np.ndarray[Any, np.dtype[np.float64]]
WORD_SORT, CHAR_SORT = compiled.WORD, compiled.CHAR


@dataclass(frozen=True)
class Rows:
    """What is known of rows beside their texts; arrays of n numbers, equal where rows are equal in that respect.

    Args:
        shapes: rows of two shapes are never compared.
        inputs: equal normalised inputs.
        learnt: equal answers.
        part_texts: (parts, n) the text of each answer that is prose, -1 for others.
        part_values: (parts, n) equal where that answer is.
        held: rows that are never dropped.
    """

    shapes: Numbers
    inputs: Numbers
    learnt: Numbers
    part_texts: Numbers
    part_values: Numbers
    held: Mask

    @classmethod
    def plain(cls, count: int) -> Rows:
        """Return rows that differ in their texts only."""
        none = np.zeros(count, np.int64)
        empty = np.zeros((0, count), np.int64)
        return cls(none, np.arange(count), none, empty, empty, np.zeros(count, bool))


@dataclass(frozen=True)
class Survivors:
    """What became of each text.

    Args:
        kept: (n,) the text that stays in its place, -1 where it stays itself.
        share: (n,) Jaccard of the two, counted exactly; 0 where it stays.
        target: (n,) smallest Jaccard of the answers that differ, 1 where none does, 0 for another answer.
        other: (n,) of those that stay: the first one before it that is near and has another answer, else -1.
        other_share: (n,) its Jaccard.
        candidates, counted: pairs that shared a band, and those of which n-grams were counted.
    """

    kept: Numbers
    share: Shares
    target: Shares
    other: Numbers
    other_share: Shares
    candidates: int = 0
    counted: int = 0


def char_wanted(texts: Folded, count: int, percent: int) -> Mask:
    """Return which inputs can meet a partner by characters: short ones, and long ones not too long for a short one."""
    short, characters = texts.short[:count], texts.characters[:count]
    if not short.any():
        return short
    longest = int(characters[short].max())
    # a text of c characters in k segments has c + 2 k n-grams at most: the bound is loose on purpose
    fits = percent * characters <= 100 * 2 * (longest + 16)
    repeats = np.zeros(count, bool)
    arrays = (texts.data, texts.starts, texts.texts, ~short & ~fits, repeats)
    share_out(lambda a, b: compiled.repetitive(*arrays, a, b), count)
    return short | fits | repeats


def candidates(
    texts: Folded, wanted: Mask, percent: int, bands: tuple[int, int] | None = None, room: Room = MEMORY
) -> tuple[Keys, Numbers]:
    """Return (groups, offsets) of the wanted texts: by words for long ones, by characters where one may be short.

    Args:
        texts: the inputs, then others.
        wanted: (n,) which inputs take part.
        percent: the threshold that the bands are chosen for.
        bands: (bands, permutations in a band) in their place.
        room: where the keys of bands lie.
    """
    chosen = bands or bands_for(percent)
    keys = [band_keys(texts, WORD_SORT, wanted & ~texts.short[: len(wanted)], *chosen, room)]
    chars = wanted & char_wanted(texts, len(wanted), percent)
    if chars.any():
        keys.append(band_keys(texts, CHAR_SORT, chars, *chosen, room))
    both = keys[0]
    if len(keys) > 1:
        both = room.zeros((sum(map(len, keys)), len(wanted)), np.uint32)
        np.concatenate(keys, out=both)
    return both, group(both)


def survivors(
    texts: Folded,
    rows: Rows | None = None,
    order: Numbers | None = None,
    *,
    percent: int = NEAR_PERCENT,
    drop_near: bool = False,
    fixed: int = 0,
    found: tuple[Keys, Numbers] | None = None,
    room: Room = MEMORY,
) -> Survivors:
    """Decide which texts stay.

    Args:
        texts: the inputs, then the answers that are prose.
        rows: what else is known of them; by default texts only.
        order: the inputs that take part, in keeping order; by default all as they stand.
        percent: least Jaccard in hundredths.
        drop_near: also drop a text near to another one with another answer.
        fixed: so many of the order stay in any case.
        found: groups of `candidates`, where they are known already.
        room: where the keys of bands lie.
    """
    rows = rows or Rows.plain(len(texts))
    count = len(rows.shapes)
    order = np.arange(count, dtype=np.int64) if order is None else np.ascontiguousarray(order, np.int64)
    taking_part = np.zeros(count, bool)
    taking_part[order] = True
    groups, offsets = found or candidates(texts, taking_part, percent, room=room)
    flat, places, sizes = word_sets(texts, taking_part & ~texts.short[:count] & (groups > 0).any(axis=0))
    kept, other = np.empty(count, np.int64), np.empty(count, np.int64)
    share, target, other_share = (np.empty(count, np.float64) for _ in range(3))
    looked, counted = compiled.survivors(
        texts.data,
        texts.starts,
        texts.texts,
        texts.short,
        flat,
        places,
        sizes,
        order,
        groups,
        offsets,
        rows.shapes,
        rows.inputs,
        rows.learnt,
        rows.part_texts,
        rows.part_values,
        rows.held,
        fixed,
        percent,
        drop_near,
        kept,
        share,
        target,
        other,
        other_share,
    )
    other[kept >= 0] = -1
    return Survivors(kept, share, target, other, other_share, int(looked), int(counted))


def word_sets(texts: Folded, wanted: Mask) -> tuple[Any, Numbers, Any]:
    """Return (n-grams, place and size by sort and text) of the word sets of some inputs, made on all cores.

    Only a text that shares a band with another is ever counted; characters and answers are few, and made when needed.
    """
    count = len(texts)
    places, sizes = np.zeros((2, count), np.int64), np.full((2, count), -1, np.int32)
    some = np.zeros(count, bool)
    some[: len(wanted)] = wanted
    room = np.where(some, texts.words, 0)
    ends = np.concatenate(([0], np.cumsum(room))).astype(np.int64)
    places[WORD_SORT] = ends[:-1]
    flat = np.empty(int(ends[-1]), np.uint64)
    arrays = (texts.data, texts.starts, texts.texts, some, WORD_SORT, sizes[WORD_SORT], flat, ends)
    share_out(lambda a, b: compiled.sets_of(*arrays, a, b), count)
    return flat, places, sizes
