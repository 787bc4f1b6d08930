"""Leaks from documents into a great many rows, taken from the columns of a version: whose input stands in a document?

`sluice.curate.leaks.find` judges; here the rows that it need not look at are left out, exactly. A long input is looked
for by words, in whole documents; a short one by characters, in the parts of a document and in stretches of it, since a
document holds most character 5-grams of its language somewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sluice.core.progress import Progress
from sluice.core.rows import from_record
from sluice.curate.leaks.find import Leak, find_leaks_in_texts, parts_of_text
from sluice.curate.similar.row_texts import ANSWERS
from sluice.curate.similar.similarity import (
    CONTAINED_TENTHS,
    LONG_CHARACTERS,
    NEAR_PERCENT,
    STRETCH,
    Hashes,
    Mask,
    Numbers,
    Relation,
    is_short,
    ngrams_in_order,
    word_ngrams,
)

if TYPE_CHECKING:
    import polars as pl

    from sluice.curate.kernel.fold import Folded
    from sluice.curate.kernel.held import Units
    from sluice.curate.similar.folding import Block

FEW = 20_000_000
"""Rows times characters of documents up to which all rows are looked at, and nothing is compiled."""
BATCH = 25_000  # rows whose texts are held at a time
JUDGED = 20_000  # rows that are judged together: bounds memory, changes no result
TOGETHER = 4_000_000  # characters of documents that are looked into together: some 500 MB
CHARACTERS = 64
"""Of the inputs that are looked for in the shortest stretches; for longer ones they double."""


def leaks_of_documents(
    frame: pl.DataFrame, named: Mapping[str, str], relation: Relation, progress: Progress | None = None
) -> list[Leak]:
    """Return what `find_leaks_in_texts` returns for the rows of a frame of rows.COLUMNS.

    Args:
        frame: the rows whose inputs are looked for.
        named: documents by name.
        relation: with its boilerplate.
        progress: told how many rows were looked through.
    """
    if frame.height * sum(map(len, named.values())) > FEW:
        frame = frame.filter(candidates(frame, named, relation, progress))
    found: list[Leak] = []
    for low in range(0, frame.height, JUDGED):
        rows = [from_record(record) for record in frame.slice(low, JUDGED).iter_rows(named=True)]
        found += find_leaks_in_texts(named, rows, relation)
        if progress is not None:
            progress("documents: evidence", min(low + JUDGED, frame.height), frame.height)
    return found


def candidates(
    frame: pl.DataFrame, named: Mapping[str, str], relation: Relation, progress: Progress | None = None
) -> Mask:
    """Return which rows of a frame may have an input that stands in a document; never one too few."""
    import polars as pl

    from sluice.curate.similar.folding import blocks

    inputs = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in ANSWERS)
    touched = np.zeros(frame.height, dtype=bool)
    groups = list(_groups(named))
    for number, texts in enumerate(groups):
        documents = _Documents(texts, relation)
        for done, some in blocks(inputs, BATCH):
            for block in some:
                rows, found = documents.hold(block)
                touched[rows[found]] = True
            if progress is not None:
                progress("documents", number * frame.height + done, len(groups) * frame.height)
    return touched


def _groups(named: Mapping[str, str]) -> Iterator[list[str]]:
    """Yield the texts by as many as are looked into together; a larger one alone."""
    group: list[str] = []
    for text in named.values():
        if group and sum(map(len, group)) + len(text) > TOGETHER:
            yield group
            group = []
        group.append(text)
    yield group


@dataclass(frozen=True)
class _Part:
    """A piece of a document that inputs are held against."""

    text: str
    whole: bool
    short: bool


class _Documents:
    """Some documents, ready to be asked which inputs may stand in them."""

    def __init__(self, texts: list[str], relation: Relation):
        from sluice.curate.kernel.held import Units

        self.left_out = relation.boilerplate.hashes
        self.documents = [
            [_Part(part, whole, is_short((part,))) for part, whole in parts_of_text(text)] for text in texts
        ]
        self.by_words = Units.of([_grams(parts) for parts in self.documents], self.left_out)
        self.by_characters: dict[tuple[int, bool, bool], Units] = {}
        self.longest = max(len(part.text) for parts in self.documents for part in parts)

    def hold(self, block: Block) -> tuple[Numbers, Mask]:
        """Return (rows of a block, which of them may stand in a document)."""
        from sluice.curate.kernel.compiled import WORD
        from sluice.curate.kernel.fold import measured
        from sluice.curate.kernel.held import held
        from sluice.curate.similar.folding import taken

        rows, first = block.by_row()
        segments = block.segments
        whole = measured(segments.data, segments.starts, first)
        asks = [(whole, False)]
        if len(self.left_out):
            stays = self._asked(segments, first)
            data, starts = taken(segments.data, segments.starts, np.flatnonzero(stays))
            asked = measured(data, starts, np.concatenate(([0], np.cumsum(stays)))[first])
            asks += [(asked, False), (asked, True)]
        found = np.zeros(len(rows), dtype=bool)
        for texts, without in asks:
            held(texts, ~texts.short, WORD, self.by_words, found, without=without)
            self._by_characters(texts, found, without)
        return rows, found

    def _by_characters(self, texts: Folded, found: Mask, without: bool) -> None:
        """Set `found` for texts that may stand in a document by characters: short ones, and all in short parts."""
        from sluice.curate.kernel.compiled import CHAR
        from sluice.curate.kernel.held import held

        low, high = -1, CHARACTERS
        while True:
            last = 2 * STRETCH * high >= self.longest
            within = (texts.characters > low) & ((texts.characters <= high) | last)
            for near in (True, False):
                percent = NEAR_PERCENT if near else 10 * CONTAINED_TENTHS
                some = within if near else within & (texts.characters >= LONG_CHARACTERS)
                for short in (True, False):
                    wanted = some & (texts.short == short) & ~found
                    if wanted.any():
                        units = self._units(high, near=near, only_short=not short, last=last)
                        held(texts, wanted, CHAR, units, found, without=without, percent=percent)
            if last:
                return
            low, high = high, 2 * high

    def _units(self, characters: int, *, near: bool, only_short: bool, last: bool) -> Units:
        """Return what inputs of up to so many characters are held against: what they may equal, or be contained in.

        No part that has too many n-grams is near to them. What contains them does so within `STRETCH` times as many
        n-grams as they have; stretches twice as long, each beginning halfway through the one before it, hold every one
        of that length.
        """
        from sluice.curate.kernel.held import Units

        key = characters, near, only_short
        if key not in self.by_characters:
            half = STRETCH * characters
            sets: list[Hashes] = []
            for part in (part for parts in self.documents for part in parts if part.short or not only_short):
                if not near and not part.whole:
                    continue
                hashes = ngrams_in_order(part.text, "char")
                if not near:
                    sets += [hashes[at : at + 2 * half] for at in range(0, max(1, len(hashes) - half), half)]
                elif last or NEAR_PERCENT * len(np.setdiff1d(hashes, self.left_out)) <= 100 * characters:
                    sets.append(hashes)
            self.by_characters[key] = Units.of(sets, self.left_out)
        return self.by_characters[key]

    def _asked(self, segments: Folded, first: Numbers) -> Mask:
        """Return which fields are looked for: those that are not nothing but boilerplate, or all where none is left."""
        from sluice.curate.kernel.compiled import CHAR, WORD
        from sluice.curate.kernel.held import Units, held

        known = Units.of([self.left_out], np.empty(0, np.uint64))
        constant = np.zeros(len(segments), dtype=bool)
        for sort, of in ((WORD, ~segments.short), (CHAR, segments.short)):
            held(segments, of, sort, known, constant, without=False, percent=100)
        sizes = np.diff(first)
        some = np.repeat(np.logical_or.reduceat(~constant, first[:-1]), sizes)
        return ~constant | ~some


def _grams(parts: list[_Part]) -> Hashes:
    """Return the word n-grams of a document and of its parts that are compared by words."""
    return np.unique(word_ngrams([part.text for part in parts if not part.short])[0])
