"""Leaks from a few eval rows into a great many rows, taken from the columns of a version.

`sluice.curate.leaks` judges; here the rows that it need not look at are left out, exactly: who stands in the relation
shares at least 70% of an eval input's n-grams, and these are counted in one pass over bytes (`sluice.curate.scan`).
What is left, a row in a thousand, becomes row objects. A collision of hashes makes a candidate more, never one less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sluice.core.progress import Progress
from sluice.core.rows import AnyRow, from_record
from sluice.curate.clusters import Asked, Groups, histories
from sluice.curate.leaks import Leak, find_leaks
from sluice.curate.row_texts import row_texts
from sluice.curate.similarity import NEAR_TENTHS, SHORT_WORDS, Mask, Numbers, Relation, Sort, char_ngrams, word_ngrams

if TYPE_CHECKING:
    import polars as pl

    from sluice.curate.scan import Scanner, Texts

FEW = 2_000
"""Rows up to which all of them are looked at: nothing is compiled, and nothing won by leaving some out."""
FIRST_UNSPACED = "\u0e00"  # Thai; all scripts without spaces that the similarity knows come after it
BATCH = 25_000  # rows whose texts are held at a time
WIDTHS: dict[Sort, int] = {"word": 3, "char": 5}
_LOOKS: tuple[tuple[Sort, bool, bool], ...] = (("word", False, False), ("char", True, False), ("char", False, True))
"""(sort of n-gram, of the short eval inputs, in short texts only): the pairings of `sluice.curate.join.related`."""
_NGRAMS = {"word": word_ngrams, "char": char_ngrams}


def leaks_in_frame(
    frame: pl.DataFrame,
    eval_rows: Sequence[AnyRow],
    relation: Relation,
    eval_groups: Groups | None = None,
    edges: Iterable[tuple[str, str]] = (),
    progress: Progress | None = None,
) -> list[Leak]:
    """Return what `find_leaks` returns for the rows of a frame of rows.COLUMNS, whose groups are its column `groups`.

    Args:
        frame: the rows that are searched.
        eval_rows, relation, eval_groups, edges: as for `find_leaks`.
        progress: told how many rows were looked through.
    """
    edges = list(edges)
    if frame.height > FEW and eval_rows:
        touched = candidates(frame, eval_rows, relation, progress)
        touched |= _tied(frame, eval_rows, eval_groups or {}, edges)
        frame = frame.filter(touched)
    rows = [from_record(record) for record in frame.iter_rows(named=True)]
    groups = dict(zip(frame["row"].to_list(), frame["groups"].to_list(), strict=True))
    return find_leaks(rows, eval_rows, relation, groups, eval_groups, edges, progress)


def candidates(
    frame: pl.DataFrame, eval_rows: Sequence[AnyRow], relation: Relation, progress: Progress | None = None
) -> Mask:
    """Return which rows of a frame may stand in the relation to an eval row by their texts; never one too few."""
    from sluice.curate.scan import Texts

    wanted = _Wanted(eval_rows, relation)
    touched = np.zeros(frame.height, dtype=bool)
    for batch in row_texts(frame, BATCH):
        texts, owner = Texts(batch.texts), np.array(batch.rows, dtype=np.int64)
        for found in wanted.held_by(texts, owner, _without_spaces(batch.texts, owner)):
            touched[found] = True
        if progress is not None and len(owner):
            progress("leaks", int(owner[-1]) + 1, frame.height)
    return touched


def _tied(frame: pl.DataFrame, eval_rows: Sequence[AnyRow], groups: Groups, edges: list[tuple[str, str]]) -> Mask:
    """Return which rows share a group value or a history with an eval row."""
    import polars as pl

    values = sorted({value for row in eval_rows for value in groups.get(row.row) or ()})
    names = histories(edges)
    changed = {names[row.row] for row in eval_rows if row.row in names}
    beside = [row for row, number in names.items() if number in changed]
    shared = pl.col("groups").list.eval(pl.element().is_in(values)).list.any().fill_null(value=False)
    return frame.select(shared | pl.col("row").is_in(beside)).to_series().to_numpy().copy()


class _Wanted:
    """What is looked for: word 3-grams of the long eval inputs, character 5-grams of the short ones, and of the long
    ones in texts that are short themselves."""

    def __init__(self, eval_rows: Sequence[AnyRow], relation: Relation):
        from sluice.curate.scan import Enough, Scanner, Texts

        asked = Asked(eval_rows, relation).texts
        owner = np.array([n for n, text in enumerate(asked.texts) for part in text if part], dtype=np.int64)
        parts = [part for text in asked.texts for part in text if part]
        texts = Texts(parts)
        self.looks: list[tuple[bool, Scanner, Enough]] = []
        """(in short texts only, n-grams, how many of which are enough)"""
        for sort, of_short, in_short in _LOOKS:
            at, mine = texts.windows(sort, WIDTHS[sort])
            theirs, _ = _NGRAMS[sort](parts)  # the same n-grams in the same order, by the hashes of the similarity
            wanted = asked.short[owner[at]] == of_short
            of, mine, theirs = owner[at[wanted]], mine[wanted], theirs[wanted]
            if not len(mine):
                continue
            scanner = Scanner(mine, sort, WIDTHS[sort])
            numbers, stays = scanner.number(mine), ~np.isin(theirs, relation.boilerplate.hashes)
            sets = [np.unique(numbers[(of == n) & some]) for n in np.unique(of) for some in (of >= 0, stays)]
            sets = [one for one in sets if len(one)]
            needs = [(NEAR_TENTHS * len(one) + 9) // 10 for one in sets]
            self.looks.append((in_short, scanner, Enough(sets, needs, len(scanner.known))))

    def held_by(self, texts: Texts, owner: Numbers, without_spaces: Mask) -> Iterator[Numbers]:
        """Yield rows that hold enough of an eval input.

        Args:
            texts: of rows.
            owner: the row of each.
            without_spaces: which may be of a script without spaces, and so count as short.
        """
        short = np.flatnonzero((texts.word_counts() < SHORT_WORDS) | without_spaces)
        for in_short, scanner, enough in self.looks:
            if in_short:
                at, found = scanner.hits(texts.take(short))
                at = short[at]
            else:
                at, found = scanner.hits(texts)
            yield enough.reached(owner[at], found)


def _without_spaces(raw: Sequence[str], owner: Numbers) -> Mask:
    """Return which texts may belong to an input of a script without spaces: it counts as short whatever its words."""
    there = np.array([not text.isascii() and max(text) >= FIRST_UNSPACED for text in raw], dtype=bool)
    return np.isin(owner, owner[there]) if there.any() else there
