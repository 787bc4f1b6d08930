"""The texts of rows by number, those that are at hand among them, and their signatures.

A text is read and signed only where nothing is kept of it, or where a pair asks for its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sluice.curate.duplicates.columns import Columns, Wording, columns_of, numbered, places_in
from sluice.curate.duplicates.kept import Kept, Signed
from sluice.curate.duplicates.keys import On
from sluice.curate.kernel import survivors as kernel
from sluice.curate.kernel.fold import Folded
from sluice.curate.kernel.room import Room
from sluice.curate.kernel.signatures import Keys, band_keys, group
from sluice.curate.kernel.survivors import CHAR_SORT, WORD_SORT, Here, char_wanted, repetitive
from sluice.curate.similar.similarity import Hashes, Mask, Numbers

if TYPE_CHECKING:
    import polars as pl


class Texts:
    """All texts of rows, each once: first those of inputs, then answers that are prose.

    Args:
        frame, on: of which rows, and which of their texts.
        hashes: (texts, 2).
        of_rows, of_parts: (n,) the number of each input, (n, PARTS) of each answer, -1 where it is no prose.
        inputs: so many texts are inputs.
        folded, numbers: those at hand, and the number of each.
        room: where normal forms lie.
    """

    def __init__(
        self,
        frame: pl.DataFrame,
        on: On,
        hashes: Hashes,
        of_rows: Numbers,
        of_parts: Numbers,
        row_of: Numbers,
        wording: Wording,
        room: Room,
    ):
        self.hashes, self.of_rows, self.of_parts = hashes, of_rows, of_parts
        self.inputs = int(of_rows.max(initial=-1)) + 1
        self._frame, self._row_of, self._room = frame, row_of, room
        self._on: On = on
        self.folded = wording.folded
        self.numbers = places_in(wording.hashes, hashes)
        self._at_hand = self.mask(self.numbers)

    @classmethod
    def of(cls, frame: pl.DataFrame, on: On, columns: Columns, wording: Wording, room: Room) -> Texts:
        """Return the texts of rows, of which some were read."""
        count = len(columns)
        owners, parts = np.nonzero(columns.prose.any(axis=2))
        numbers, firsts = numbered(np.concatenate((columns.texts, columns.prose[owners, parts])))
        of_parts = np.full(columns.prose.shape[:2], -1, np.int64)
        of_parts[owners, parts] = numbers[count:]
        rows = np.concatenate((np.arange(count), owners))[firsts]
        every = np.concatenate((columns.texts, columns.prose[owners, parts]))[firsts]
        return cls(frame, on, every, numbers[:count], of_parts, rows, wording, room)

    def mask(self, numbers: Numbers) -> Mask:
        """Return which of all texts these are."""
        found = np.zeros(len(self.hashes), bool)
        found[numbers] = True
        return found

    def bring(self, wanted: Mask) -> None:
        """Read the wanted texts that are not at hand: (texts,) or, of inputs alone, as many as they are."""
        missing = np.flatnonzero(wanted & ~self._at_hand[: len(wanted)])
        if not len(missing):
            return
        rows = np.unique(self._row_of[missing])
        _, wording = columns_of(self._frame[rows.tolist()], self._on, self._room)
        self.folded = _joined(self.folded, wording.folded)
        self.numbers = np.concatenate((self.numbers, places_in(wording.hashes, self.hashes)))
        self._at_hand[self.numbers] = True

    def here(self, short: Mask, wanted: Mask) -> Here:
        """Return the texts at hand for the kernel, the wanted ones among them, with their sets.

        Args:
            short: of inputs, which are short; of other texts it is known once they are at hand.
            wanted: (texts,).
        """
        self.bring(wanted)
        every = np.zeros(len(self.hashes), bool)
        every[: self.inputs] = short
        every[self.numbers] = self.folded.short
        sorts = np.zeros((2, len(every)), bool)
        sorts[WORD_SORT] = wanted & ~every
        sorts[CHAR_SORT] = wanted & (every if every.any() else False)
        if every[wanted].any():  # a long text may meet a short one
            sorts[CHAR_SORT] = wanted
        return Here.of(self.folded, self.numbers, every, sorts)


def _joined(one: Folded, other: Folded) -> Folded:
    return Folded(
        np.concatenate((one.data, other.data)),
        np.concatenate((one.starts, one.starts[-1] + other.starts[1:])),
        np.concatenate((one.texts, one.texts[-1] + other.texts[1:])),
        *(np.concatenate((getattr(one, k), getattr(other, k))) for k in ("short", "words", "characters")),
    )


@dataclass(frozen=True)
class Signing:
    """Signatures of all inputs, by text.

    Args:
        short, characters, lengths, repeats, words, chars, by_chars: see `kept.Signed`.
        new: numbers of the texts that were signed now.
    """

    short: Mask
    characters: Numbers
    lengths: Numbers
    repeats: Any
    words: Any
    chars: Any
    by_chars: Mask
    new: Numbers

    @classmethod
    def of(cls, texts: Texts, percent: int, kept: Kept | None, room: Room) -> Signing:
        """Return the signatures of the inputs for a threshold; those that are kept are not made again."""
        bands = kernel.bands_for(percent)
        count = texts.inputs
        old = kept.signed(bands) if kept else None
        place = np.full(count, -1) if old is None else places_in(texts.hashes[:count], old.hashes)
        known = np.flatnonzero(place >= 0)
        made = cls(
            short=np.zeros(count, bool),
            characters=np.zeros(count, np.int64),
            lengths=np.zeros(count, np.int64),
            repeats=np.full(count, -1, np.int8),
            words=room.zeros((count, bands[0]), np.uint32),
            chars=room.zeros((count, bands[0]), np.uint32),
            by_chars=np.zeros(count, bool),
            new=np.flatnonzero(place < 0),
        )
        if old is not None:
            for name in ("short", "characters", "lengths", "repeats", "words", "chars", "by_chars"):
                getattr(made, name)[known] = getattr(old, name)[place[known]]
        changed = made._sign(texts, bands, room)
        changed |= made._sign_by_characters(texts, percent, bands, room)
        if kept and changed:
            columns = {name: value for name, value in vars(made).items() if name != "new"}
            kept.keep_signed(bands, Signed(hashes=texts.hashes[:count], **columns), old)
        return made

    def _sign(self, texts: Texts, bands: tuple[int, int], room: Room) -> bool:
        some, at = _at_hand(texts, self.new)
        folded = texts.folded
        self.short[self.new] = folded.short[at]
        self.characters[self.new] = folded.characters[at]
        self.lengths[self.new] = folded.characters[at] - np.maximum(0, np.diff(folded.texts)[at] - 1)
        keys = band_keys(folded, WORD_SORT, some & ~folded.short, *bands, room)
        self.words[self.new] = keys[:, at].T
        return len(self.new) > 0

    def _sign_by_characters(self, texts: Texts, percent: int, bands: tuple[int, int], room: Room) -> bool:
        """Sign those that may meet a short text."""
        if not self.short.any():
            return False
        sure = char_wanted(self.short, self.characters, np.zeros(len(self.short), bool), percent)
        asked = np.flatnonzero(~sure & (self.repeats < 0))
        some, at = _at_hand(texts, asked)
        self.repeats[asked] = repetitive(texts.folded, some)[at]
        new = np.flatnonzero(self._by_characters(percent) & ~self.by_chars)
        some, at = _at_hand(texts, new)
        self.chars[new] = band_keys(texts.folded, CHAR_SORT, some, *bands, room)[:, at].T
        self.by_chars[new] = True
        return len(asked) + len(new) > 0

    def _by_characters(self, percent: int) -> Mask:
        return char_wanted(self.short, self.characters, self.repeats == 1, percent)

    def groups(self, of_rows: Numbers, taking_part: Mask, percent: int, room: Room) -> tuple[Keys, Numbers]:
        """Return the rows' groups as `kernel.survivors.candidates` gives them, for rows that take part."""
        rows = np.flatnonzero(taking_part)
        kinds = [self.words]
        by_chars = self._by_characters(percent) if self.short.any() else self.short
        if by_chars.any():
            kinds.append(self.chars)
        bands = self.words.shape[1]
        groups = room.zeros((bands * len(kinds), len(of_rows)), np.uint32)
        groups[:bands, rows] = self.words[of_rows[rows]].T
        if len(kinds) > 1:
            mine = rows[by_chars[of_rows[rows]]]
            groups[bands:, mine] = self.chars[of_rows[mine]].T
        return groups, group(groups)


def _at_hand(texts: Texts, numbers: Numbers) -> tuple[Mask, Numbers]:
    """Bring texts; return (which of those at hand they are, the place of each)."""
    texts.bring(texts.mask(numbers))
    place = np.zeros(len(texts.hashes), np.int64)
    place[texts.numbers] = np.arange(len(texts.numbers))
    some = np.zeros(len(texts.numbers), bool)
    some[place[numbers]] = True
    return some, place[numbers]
