"""Leaks from a few eval rows into a great many rows, taken from the columns of a version.

`sluice.curate.leaks.find` judges; here the rows that it need not look at are left out, exactly: who stands in the
relation shares at least 70% of an eval input's n-grams, and these are counted in one pass over bytes
(`sluice.curate.kernel.holders`). What is left, a row in a thousand, becomes row objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sluice.core.progress import Progress
from sluice.core.rows import AnyRow, from_record
from sluice.curate.leaks.find import Leak, find_leaks
from sluice.curate.similar.clusters import Asked, Groups, histories
from sluice.curate.similar.similarity import Mask, Relation, Sort

if TYPE_CHECKING:
    import polars as pl


FEW = 2_000
"""Rows up to which all of them are looked at: nothing is compiled, and nothing won by leaving some out."""
BATCH = 25_000  # rows whose texts are held at a time


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
        eval_rows, relation, edges: as for `find_leaks`.
        eval_groups: group values of the eval rows by row hash; none where it is not given.
        progress: told how many rows were looked through.
    """
    edges, eval_groups = list(edges), eval_groups or {}
    if not eval_rows:
        return []
    if frame.height > FEW:
        touched = candidates(frame, eval_rows, relation, progress)
        touched |= _tied(frame, eval_rows, eval_groups, edges)
        frame = frame.filter(touched)
    rows = [from_record(record) for record in frame.iter_rows(named=True)]
    groups = dict(zip(frame["row"].to_list(), frame["groups"].to_list(), strict=True))
    return find_leaks(rows, eval_rows, relation, groups, eval_groups, edges, progress)


def candidates(
    frame: pl.DataFrame, eval_rows: Sequence[AnyRow], relation: Relation, progress: Progress | None = None
) -> Mask:
    """Return which rows of a frame may stand in the relation to an eval row by their texts; never one too few.

    The pairings are those of `sluice.curate.similar.join.related`: long inputs are looked for by words, short ones by
    characters, and long ones by characters in rows that have a short text.
    """
    from sluice.curate.kernel.compiled import CHAR, WORD
    from sluice.curate.kernel.holders import Entries, holders
    from sluice.curate.similar.folding import blocks

    asked = Asked(eval_rows, relation).texts

    def entries(sort: Sort, of: Mask) -> Entries | None:
        some = (asked.all[sort], asked.left[sort])
        return Entries.of([sets.of(int(n)) for sets in some for n in np.flatnonzero(of)])

    looks = (
        (WORD, entries("word", ~asked.short), False),
        (CHAR, entries("char", asked.short), False),
        (CHAR, entries("char", ~asked.short), True),
    )
    touched = np.zeros(frame.height, dtype=bool)
    for done, some in blocks(frame, BATCH):
        for block in some:
            rows, first = block.by_row()
            texts = replace(block.segments, texts=first)
            # an input is short only where one of its texts is
            has_short = np.logical_or.reduceat(block.segments.short, first[:-1])
            found = np.zeros(len(rows), dtype=bool)
            for sort, sought, in_short in looks:
                if sought is not None:
                    holders(texts, has_short if in_short else np.ones(len(rows), dtype=bool), sort, sought, found)
            touched[rows[found]] = True
        if progress is not None:
            progress("leaks", done, frame.height)
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
