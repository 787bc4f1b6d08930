"""Duplicates among many rows: columns into the compiled kernel. Candidates by MinHash LSH, each pair proven exactly.

The answer is the one of `plain` for all pairs that share a band of their signatures; recall at the threshold is 0.99.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sluice.core.progress import Progress
from sluice.core.rows import from_record
from sluice.curate.duplicates.columns import Columns, columns_of
from sluice.curate.duplicates.keys import keys_of
from sluice.curate.duplicates.plain import conflicts_among
from sluice.curate.duplicates.rules import Conflict, Found, NearPair, Rules
from sluice.curate.kernel.room import MEMORY, Room
from sluice.curate.kernel.survivors import Rows, survivors
from sluice.curate.similar.similarity import Mask, Numbers

if TYPE_CHECKING:
    import polars as pl


def find(
    frame: pl.DataFrame, fixed: pl.DataFrame, rules: Rules, progress: Progress | None, room: Room = MEMORY
) -> Found:
    """Find the duplicates among rows (frames of rows.COLUMNS), given others that stay; large arrays lie in `room`."""
    import polars as pl

    every = pl.concat([fixed, frame])
    if progress is not None:
        progress("texts of rows", 0, every.height)
    columns = columns_of(every, rules.on, room)
    if progress is not None:
        progress("duplicates", 0, every.height)
    names, before = columns.names, fixed.height
    conflicts = _conflicts(every, columns, rules)
    contested = {name for conflict in conflicts for name in conflict.rows}
    held: Mask = np.array([name in contested for name in names], bool)
    held[:before] = True
    lengths = columns.lengths().tolist()
    order = np.array(
        [
            *sorted(range(before), key=names.__getitem__),
            *sorted(range(before, len(names)), key=lambda i: rules.order(names[i], lengths[i])),
        ],
        np.int64,
    )
    first = _first_of_equals(columns.rows, order)
    alone = first[order] == order
    found = survivors(
        columns.texts,
        replace(columns.rows, held=held),
        order[alone],
        percent=rules.percent,
        drop_near=rules.drop_near,
        fixed=int(alone[:before].sum()),
        room=room,
    )
    if progress is not None:
        progress("duplicates", every.height, every.height)
    elsewhere = set(names[:before])
    exact = {names[i]: names[first[i]] for i in np.flatnonzero(first != np.arange(len(names))).tolist()}
    return Found(
        exact=exact,
        near={
            names[i]: (names[found.kept[i]], float(found.share[i]), float(found.target[i]))
            for i in np.flatnonzero(found.kept >= 0).tolist()
        },
        others=[
            NearPair(names[i], names[found.other[i]], float(found.other_share[i]))
            for i in order[alone].tolist()
            if found.other[i] >= 0 and names[i] not in elsewhere
        ],
        conflicts=[c for c in conflicts if any(name not in elsewhere for name in c.rows)],
        way="lsh",
    )


def _first_of_equals(rows: Rows, order: Numbers) -> Numbers:
    """Return, for each row, the first in order that asks and teaches the same: itself where it is alone."""
    keys = rows.inputs * (int(rows.learnt.max(initial=0)) + 1) + rows.learnt
    _, first, which = np.unique(keys[order], return_index=True, return_inverse=True)
    found = np.empty(len(order), np.int64)
    found[order] = order[first[which]]
    return found


def _conflicts(frame: pl.DataFrame, columns: Columns, rules: Rules) -> list[Conflict]:
    """Return the conflicts: rows whose one claim has several sayings are looked at one by one."""
    claiming = columns.claims >= 0
    pairs = np.unique(np.stack((columns.claims[claiming], columns.says[claiming])), axis=1)
    claims, counts = np.unique(pairs[0], return_counts=True)
    torn = np.flatnonzero(claiming & np.isin(columns.claims, claims[counts > 1]))
    rows = frame[torn.tolist()].iter_rows(named=True)
    return conflicts_among({r["row"]: keys_of(from_record(r), rules.on) for r in rows}, rules.relation)
