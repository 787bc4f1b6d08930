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
PAIRS_A_ROW = 8
"""Pairs kept a row: in a family of thousands, where all are candidates of all, the others are counted when needed."""


@dataclass(frozen=True)
class Rows:
    """What is known of rows beside the words of their texts; arrays of n numbers, equal where rows are equal in that.

    Args:
        texts: the text of each input.
        shapes: rows of two shapes are never compared.
        inputs: equal normalised inputs.
        learnt: equal answers.
        part_texts: (parts, n) the text of each answer that is prose, -1 for others.
        part_values: (parts, n) equal where that answer is.
        held: rows that are never dropped.
    """

    texts: Numbers
    shapes: Numbers
    inputs: Numbers
    learnt: Numbers
    part_texts: Numbers
    part_values: Numbers
    held: Mask

    @classmethod
    def plain(cls, count: int) -> Rows:
        """Return rows that differ in their texts only."""
        each, none = np.arange(count), np.zeros(count, np.int64)
        empty = np.zeros((0, count), np.int64)
        return cls(each, none, each, none, empty, empty, np.zeros(count, bool))


@dataclass(frozen=True)
class Here:
    """Texts by number, of which some are here.

    Args:
        folded: those that are.
        lows, highs: (texts,) the first of each text's segments among them and the end; -1 where it is not here.
        short: (texts,) which are compared by characters.
        flat, places, sizes: their n-gram sets, as far as they are made; see `sets`.
    """

    folded: Folded
    lows: Numbers
    highs: Numbers
    short: Mask
    flat: Any
    places: Numbers
    sizes: Any

    @classmethod
    def of(cls, folded: Folded, numbers: Numbers | None = None, short: Mask | None = None, wanted: Any = None) -> Here:
        """Return texts of which some are here.

        Args:
            folded: those that are.
            numbers: the number of each; by default they are all texts, in order.
            short: (texts,) which of all texts are short; by default all texts are here.
            wanted: (sorts, texts) which sets to make now, on all cores; by default none.
        """
        numbers = np.arange(len(folded)) if numbers is None else numbers
        short = folded.short if short is None else short
        count = len(short)
        lows, highs, at = np.full(count, -1, np.int64), np.full(count, -1, np.int64), np.zeros(count, np.int64)
        lows[numbers], highs[numbers], at[numbers] = folded.texts[:-1], folded.texts[1:], np.arange(len(folded))
        places, sizes = np.zeros((2, count), np.int64), np.full((2, count), -1, np.int32)
        flats: list[Any] = [np.empty(0, np.uint64)]
        for sort in (WORD_SORT, CHAR_SORT):
            if wanted is None:
                break
            mine = np.flatnonzero(wanted[sort] & (lows >= 0))
            some = np.zeros(len(folded), bool)
            some[at[mine]] = True
            flat, place, size = sets(folded, some, sort)
            places[sort, mine], sizes[sort, mine] = place[at[mine]] + sum(map(len, flats)), size[at[mine]]
            flats.append(flat)
        flat = flats[1] if len(flats) > 1 and not len(flats[2]) else np.concatenate(flats)
        return cls(folded, lows, highs, short, flat, places, sizes)


@dataclass(frozen=True)
class Pairs:
    """What pairs of texts have in common.

    Args:
        later, earlier: numbers of the two, the higher one first; sorted, each pair once.
        hits, unions: n-grams in common, and together.
    """

    later: Numbers
    earlier: Numbers
    hits: Numbers
    unions: Numbers

    @classmethod
    def of(cls, one: Numbers, two: Numbers, hits: Numbers, unions: Numbers) -> Pairs:
        """Return pairs in whatever order they are given, also more than once."""
        later, earlier = np.maximum(one, two), np.minimum(one, two)
        order = np.lexsort((earlier, later))
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(later[order]) != 0) | (np.diff(earlier[order]) != 0)
        kept = order[first]
        return cls(later[kept], earlier[kept], hits[kept], unions[kept])

    def with_others(self, others: Pairs) -> Pairs:
        """Return these pairs and others."""
        return Pairs.of(*(np.concatenate((a, vars(others)[name])) for name, a in vars(self).items()))


NO_PAIRS = Pairs(*(np.zeros(0, np.int64) for _ in range(4)))


@dataclass(frozen=True)
class Survivors:
    """What became of each row.

    Args:
        kept: (n,) the row that stays in its place, -1 where it stays itself.
        share: (n,) Jaccard of the two, counted exactly; 0 where it stays.
        target: (n,) smallest Jaccard of the answers that differ, 1 where none does, 0 for another answer.
        other: (n,) of those that stay: the first one before it that is near and has another answer, else -1.
        other_share: (n,) its Jaccard.
        candidates, counted: pairs that shared a band, and those of which n-grams were counted.
        made: pairs that were counted.
        asked: (texts,) which are needed and not here; where there are any, nothing above is settled.
    """

    kept: Numbers
    share: Shares
    target: Shares
    other: Numbers
    other_share: Shares
    candidates: int
    counted: int
    made: Pairs
    asked: Mask


def char_wanted(short: Mask, characters: Numbers, repeats: Mask, percent: int) -> Mask:
    """Return which texts can meet a partner by characters: short ones, and long ones not too long for a short one.

    Args:
        short, characters: of each text.
        repeats: long texts over half of whose n-grams are repeats (`repetitive`).
        percent: the threshold.
    """
    if not short.any():
        return short
    longest = int(characters[short].max())
    # a text of c characters in k segments has c + 2 k n-grams at most: the bound is loose on purpose
    return short | (percent * characters <= 100 * 2 * (longest + 16)) | repeats


def repetitive(texts: Folded, wanted: Mask) -> Mask:
    """Return of some texts which have few n-grams for their length: over half are repeats."""
    found = np.zeros(len(texts), bool)
    arrays = (texts.data, texts.starts, texts.texts, wanted, found)
    share_out(lambda a, b: compiled.repetitive(*arrays, a, b), len(wanted))
    return found


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
    count = len(wanted)
    short, characters = texts.short[:count], texts.characters[:count]
    keys = [band_keys(texts, WORD_SORT, wanted & ~short, *chosen, room)]
    if short.any():
        repeats = repetitive(texts, ~short)[:count]
        keys.append(
            band_keys(texts, CHAR_SORT, wanted & char_wanted(short, characters, repeats, percent), *chosen, room)
        )
    both = keys[0]
    if len(keys) > 1:
        both = room.zeros((sum(map(len, keys)), count), np.uint32)
        np.concatenate(keys, out=both)
    return both, group(both)


def survivors(
    here: Folded | Here,
    rows: Rows | None = None,
    order: Numbers | None = None,
    *,
    percent: int = NEAR_PERCENT,
    drop_near: bool = False,
    fixed: int = 0,
    found: tuple[Keys, Numbers] | None = None,
    known: Pairs = NO_PAIRS,
) -> Survivors:
    """Decide which rows stay.

    Args:
        here: the texts: of inputs, and of answers that are prose. All of them (`Folded`), or some.
        rows: what else is known of the rows; by default texts only.
        order: the rows that take part, in keeping order; by default all as they stand.
        percent: least Jaccard in hundredths.
        drop_near: also drop a row near to another one with another answer.
        fixed: so many of the order stay in any case.
        found: groups of rows that share a band; by default worked out, where all texts are here.
        known: pairs of texts that were counted before.
    """
    folded = here if isinstance(here, Folded) else here.folded
    rows = rows or Rows.plain(len(folded))
    count = len(rows.shapes)
    order = np.arange(count, dtype=np.int64) if order is None else np.ascontiguousarray(order, np.int64)
    if found is None:
        taking_part = np.zeros(count, bool)
        taking_part[order] = True
        found = candidates(folded, taking_part, percent)
    groups, offsets = found
    if isinstance(here, Folded):
        wanted = np.zeros((2, len(here)), bool)
        wanted[WORD_SORT, rows.texts[(groups > 0).any(axis=0)]] = True
        here = Here.of(folded, wanted=wanted & ~folded.short)
    first = np.searchsorted(known.later, np.arange(len(here.short) + 1)).astype(np.int64)
    kept, other = np.empty(count, np.int64), np.empty(count, np.int64)
    share, target, other_share = (np.empty(count, np.float64) for _ in range(3))
    asked = np.zeros(len(here.short), bool)
    most = PAIRS_A_ROW * count
    looked, counted, made, _ = compiled.survivors(
        folded.data,
        folded.starts,
        here.lows,
        here.highs,
        here.short,
        here.flat,
        here.places,
        here.sizes,
        order,
        groups,
        offsets,
        rows.texts,
        rows.shapes,
        rows.inputs,
        rows.learnt,
        rows.part_texts,
        rows.part_values,
        rows.held,
        fixed,
        percent,
        drop_near,
        first,
        known.earlier,
        known.hits,
        known.unions,
        np.empty(1024, np.int64),
        most,
        asked,
        kept,
        share,
        target,
        other,
        other_share,
    )
    other[kept >= 0] = -1
    new = Pairs.of(*made[: 4 * min(counted, most)].reshape(-1, 4).T)
    return Survivors(kept, share, target, other, other_share, int(looked), int(counted), new, asked)


def meeting(groups: Keys, offsets: Numbers, rows: Rows, new: Mask) -> tuple[Numbers, Numbers]:
    """Return pairs of texts that share a band, the later of them new: (one, other), up to PAIRS_A_ROW a row."""
    pairs, found = compiled.meetings(
        groups, offsets, rows.texts, rows.shapes, new, PAIRS_A_ROW, np.empty(1024, np.int64)
    )
    both = np.unique(pairs[: 2 * found].reshape(-1, 2), axis=0)
    return both[:, 0].copy(), both[:, 1].copy()


def counted(here: Here, one: Numbers, two: Numbers) -> Pairs:
    """Return what pairs of texts have in common, of which the sets were made."""
    hits, unions = np.empty(len(one), np.int64), np.empty(len(one), np.int64)
    arrays = (here.flat, here.places, here.sizes, here.short, one, two, hits, unions)
    share_out(lambda a, b: compiled.count_pairs(*arrays, a, b), len(one))
    return Pairs.of(one, two, hits, unions)


def sets(texts: Folded, wanted: Mask, sort: int) -> tuple[Any, Numbers, Any]:
    """Return (n-grams, the place and the size of each set) of some texts, made on all cores; a size of -1: not made."""
    sizes = np.full(len(texts), -1, np.int32)
    most = texts.words if sort == WORD_SORT else np.diff(texts.starts[texts.texts]) + 5 * np.diff(texts.texts)
    places = np.concatenate(([0], np.cumsum(np.where(wanted, most, 0)))).astype(np.int64)
    flat = np.empty(int(places[-1]), np.uint64)
    arrays = (texts.data, texts.starts, texts.texts, wanted, sort, sizes, flat, places)
    share_out(lambda a, b: compiled.sets_of(*arrays, a, b), len(texts))
    return flat, places[:-1], sizes
