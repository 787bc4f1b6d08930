"""Duplicates among many rows: columns into the compiled kernel. Candidates by MinHash LSH, each pair proven exactly.

The answer is the one of `plain` for all pairs that share a band of their signatures; recall at the threshold is 0.99.
What is kept of earlier runs (`kept`) is not worked out again: only new rows are read and signed, only new pairs are
counted, and of old rows only those are read that such a pair asks for. The answer is the same with it and without.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from sluice.core.progress import Progress
from sluice.curate.duplicates.columns import PARTS, Columns, columns_of, names_of, numbered, places_in, together
from sluice.curate.duplicates.kept import Counted, Kept
from sluice.curate.duplicates.keys import keys_of_record
from sluice.curate.duplicates.plain import conflicts_among
from sluice.curate.duplicates.rules import Conflict, Found, NearPair, Rules
from sluice.curate.duplicates.signing import Signing, Texts
from sluice.curate.kernel.room import MEMORY, Room
from sluice.curate.kernel.survivors import NO_PAIRS, Pairs, Rows, Survivors, counted, meeting, survivors
from sluice.curate.similar.similarity import Mask, Numbers

if TYPE_CHECKING:
    import polars as pl


def find(
    frame: pl.DataFrame,
    fixed: pl.DataFrame,
    rules: Rules,
    progress: Progress | None,
    room: Room = MEMORY,
    kept: Kept | None = None,
) -> Found:
    """Find the duplicates among rows (frames of rows.COLUMNS), given others that stay; large arrays lie in `room`."""
    import polars as pl

    every = pl.concat([fixed, frame])
    if progress is not None:
        progress("texts of rows", 0, every.height)
    columns, texts = _read(every, rules, room, kept)
    signing = Signing.of(texts, rules.percent, kept, room)
    if progress is not None:
        progress("duplicates", 0, every.height)
    names, before = every["row"].to_list(), fixed.height
    rows, claims, says = _rows(columns, texts)
    conflicts, contested = _conflicts(every, columns, claims, says, rules)
    rows.held[contested] = True
    rows.held[:before] = True
    order = _order(columns, names, signing.lengths[rows.texts], before, rules)
    first = _first_of_equals(rows, order)
    alone = first[order] == order
    found = _survivors(texts, signing, rows, order[alone], int(alone[:before].sum()), rules, kept, room)
    if progress is not None:
        progress("duplicates", every.height, every.height)
    elsewhere = set(names[:before])
    return Found(
        exact={names[i]: names[first[i]] for i in np.flatnonzero(first != np.arange(len(names))).tolist()},
        near={
            names[i]: (names[found.kept[i]], float(found.share[i]), float(found.target[i]))
            for i in np.flatnonzero(found.kept >= 0).tolist()
        },
        others=[
            NearPair(names[i], names[found.other[i]], float(found.other_share[i]))
            for i in order[alone & (found.other[order] >= 0)].tolist()
            if names[i] not in elsewhere
        ],
        conflicts=[c for c in conflicts if any(name not in elsewhere for name in c.rows)],
        way="lsh",
    )


def _read(every: pl.DataFrame, rules: Rules, room: Room, kept: Kept | None) -> tuple[Columns, Texts]:
    """Return what rows are compared by, and their texts, of which those of rows that are not kept are here."""
    old = kept.rows(rules.on) if kept else None
    if old is None:
        columns, wording = columns_of(every, rules.on, room)
    else:
        place = places_in(names_of(every), old.names)
        new = np.flatnonzero(place < 0)
        read, wording = columns_of(every[new], rules.on, room)
        place[new] = len(old) + np.arange(len(new))
        columns = old.followed_by(read).take(place)
    if kept and (old is None or len(wording.hashes)):
        kept.keep_rows(rules.on, columns, old)
    return columns, Texts.of(every, rules.on, columns, wording, room)


def _rows(columns: Columns, texts: Texts) -> tuple[Rows, Numbers, Numbers]:
    """Return (rows for the kernel; number of what each row says something about, -1: it cannot contradict; what)."""
    shapes, _ = numbered(columns.shapes)
    inputs = together(texts.of_rows, shapes)
    claims = together(inputs, numbered(columns.claims)[0])
    parts = PARTS if columns.prose.any() else 0
    rows = Rows(
        texts=texts.of_rows,
        shapes=shapes,
        inputs=inputs,
        learnt=numbered(columns.learnt)[0],
        part_texts=np.ascontiguousarray(texts.of_parts[:, :parts].T),
        part_values=np.array([numbered(columns.values[:, p])[0] for p in range(parts)]).reshape(parts, len(columns)),
        held=np.zeros(len(columns), bool),
    )
    return rows, np.where(columns.claims.any(axis=1), claims, -1), numbered(columns.says)[0]


def _order(columns: Columns, names: list[str], lengths: Numbers, before: int, rules: Rules) -> Numbers:
    """Return rows in keeping order: those of elsewhere, then the others."""
    low, high = columns.names[:, 1], columns.names[:, 0]
    fixed = np.lexsort((low[:before], high[:before]))
    if rules.rank is None:
        return np.concatenate((fixed, before + np.lexsort((low[before:], high[before:], -lengths[before:]))))
    own = sorted(range(before, len(names)), key=lambda i: rules.order(names[i], 0))
    return np.array([*fixed.tolist(), *own], np.int64)


def _first_of_equals(rows: Rows, order: Numbers) -> Numbers:
    """Return, for each row, the first in order that asks and teaches the same: itself where it is alone."""
    keys = rows.inputs * (int(rows.learnt.max(initial=0)) + 1) + rows.learnt
    _, first, which = np.unique(keys[order], return_index=True, return_inverse=True)
    found = np.empty(len(order), np.int64)
    found[order] = order[first[which]]
    return found


def _conflicts(
    frame: pl.DataFrame, columns: Columns, claims: Numbers, says: Numbers, rules: Rules
) -> tuple[list[Conflict], Mask]:
    """Return (the conflicts, which rows are in one): only where all that is said is prose are rows looked at."""
    claiming = claims >= 0
    pairs = np.unique(np.stack((claims[claiming], says[claiming])), axis=1)
    several, counts = np.unique(pairs[0], return_counts=True)
    torn = np.flatnonzero(claiming & np.isin(claims, several[counts > 1]))
    plain = ~columns.prose[torn, 0].any(axis=1)
    clear = np.isin(claims[torn], claims[torn][plain])
    names: list[str] = frame["row"].gather(torn.tolist()).to_list()
    of_claim: dict[int, list[str]] = defaultdict(list)
    for claim, name, sure in zip(claims[torn].tolist(), names, clear.tolist(), strict=True):
        if sure:
            of_claim[claim].append(name)
    found = [Conflict(tuple(sorted(rows))) for rows in of_claim.values()]
    unsure = frame[torn[~clear].tolist()].iter_rows(named=True)
    found += conflicts_among({r["row"]: keys_of_record(r, rules.on) for r in unsure}, rules.relation)
    told = {name for conflict in found for name in conflict.rows}
    contested = np.zeros(len(claims), bool)
    contested[torn[[name in told for name in names]]] = True
    return sorted(found, key=lambda conflict: conflict.rows), contested


def _survivors(
    texts: Texts,
    signing: Signing,
    rows: Rows,
    order: Numbers,
    fixed: int,
    rules: Rules,
    kept: Kept | None,
    room: Room,
) -> Survivors:
    """Decide which rows stay; texts are brought until no pair is left uncounted that a decision hangs on."""
    taking_part = np.zeros(len(rows.shapes), bool)
    taking_part[order] = True
    groups, offsets = signing.groups(rows.texts, taking_part, rules.percent, room)
    old = kept.pairs() if kept else None
    known = NO_PAIRS if old is None else _known(old, texts)
    new = texts.mask(signing.new)
    one, other = meeting(groups, offsets, rows, new) if new.any() else (np.zeros(0, np.int64), np.zeros(0, np.int64))
    wanted = texts.mask(np.concatenate((one, other)))
    here = texts.here(signing.short, wanted)
    pairs = known.with_others(counted(here, one, other))
    fresh = len(pairs.later) - len(known.later)
    while True:
        found = survivors(
            here,
            rows,
            order,
            percent=rules.percent,
            drop_near=rules.drop_near,
            fixed=fixed,
            found=(groups, offsets),
            known=pairs,
        )
        fresh += len(found.made.later)
        pairs = pairs.with_others(found.made)
        if not found.asked.any():
            break
        wanted |= found.asked
        here = texts.here(signing.short, wanted)
    if kept and (old is None or fresh):
        numbers = (pairs.hits.astype(np.uint32), pairs.unions.astype(np.uint32))
        kept.keep_pairs(Counted(texts.hashes[pairs.later], texts.hashes[pairs.earlier], *numbers), old, texts.hashes)
    return found


def _known(old: Counted, texts: Texts) -> Pairs:
    one, other = places_in(old.one, texts.hashes), places_in(old.other, texts.hashes)
    both = np.flatnonzero((one >= 0) & (other >= 0))
    columns: tuple[Any, ...] = (one, other, old.hits.astype(np.int64), old.unions.astype(np.int64))
    return Pairs.of(*(column[both] for column in columns))
