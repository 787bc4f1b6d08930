"""Duplicates in meaning: rows whose texts a model puts close together, after those that share their words.

The greedy of `dedup`, in the same order: a row goes only for a kept row within the cosine of itself, same shape, same
target or near-equal prose. A row that stands for others (its exact and near-duplicates) goes only where all of them are
within the cosine of the kept row, too; else it stays, since one of them would have to. Cosines are counted over every
pair, nothing is sampled.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sluice.core.errors import UsageError
from sluice.core.progress import Progress
from sluice.core.rows import AnyRow, from_record, input_texts, to_record
from sluice.curate.duplicates.dedup import DedupResult, Dropped
from sluice.curate.duplicates.keys import Keys, On, keys_of, taught
from sluice.curate.duplicates.plain import numbered
from sluice.curate.duplicates.rules import NearPair, Rules
from sluice.curate.similar.similarity import Mask, Relation

if TYPE_CHECKING:
    import polars as pl

COSINE = 0.95
LOWEST = 0.5
"""Below this nearly any two texts of one domain are alike to a model."""
BLOCK = 1024
SLACK = 1e-4  # of 32-bit products: pairs this far below are counted again with 64 bits
EVEN = 1e-6  # what two orders of adding up the same vector may differ by

Vectors = np.ndarray[Any, np.dtype[np.float32]]
Embed = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True)
class InMeaning:
    """What the model found beside `dedup`.

    Args:
        result: what is dropped, those in meaning among them.
        other_target: kept rows within the cosine of an earlier kept row that has another target, the first such each.
        compared: rows whose text the model was asked about.
        too_long: rows that the model does not read to their end: they stay and nothing goes for them.
    """

    result: DedupResult
    other_target: tuple[NearPair, ...]
    compared: int
    too_long: int


def check_cosine(cosine: float) -> None:
    """Raise UsageError for a cosine that says nothing."""
    if not LOWEST <= cosine <= 1:
        raise UsageError(
            f"a cosine of {cosine:g} is none that rows can be compared by",
            where="--cosine",
            remedy=f"choose one from {LOWEST:g} to 1",
        )


def spoken(row: AnyRow, on: On) -> str:
    """Return the text of a row that a model is asked about."""
    texts = taught(to_record(row)) if on == "target" else list(input_texts(row.input).values())
    return "\n".join(text for text in texts if text and not text.isspace())


def in_meaning(
    found: DedupResult,
    frame: pl.DataFrame,
    fixed: pl.DataFrame | Sequence[AnyRow],
    rules: Rules,
    cosine: float,
    embed: Embed,
    reads: Callable[[Sequence[str]], Mask],
    progress: Progress | None = None,
    block: int = BLOCK,
) -> InMeaning:
    """Return what goes when rows alike in meaning go, too.

    Args:
        found: what `dedup` said of the same rows, by the same rules.
        frame: the rows (rows.COLUMNS).
        fixed: rows of elsewhere that stay in any case.
        rules: what was alike, and what orders rows.
        cosine: least cosine, 0.5 to 1.
        embed: texts to vectors of length 1.
        reads: whether the model reads each text to its end.
        progress: called with (what, done, total).
        block: rows whose cosines are counted together, against four times as many.
    """
    check_cosine(cosine)
    before = [from_record(r) for r in fixed.iter_rows(named=True)] if not isinstance(fixed, Sequence) else list(fixed)
    elsewhere = {row.row for row in before}
    own = list(map(from_record, frame.unique("row", maintain_order=True).iter_rows(named=True)))
    rows = [*before, *(row for row in own if row.row not in elsewhere)]
    texts = [spoken(row, rules.on) for row in rows]
    fits = reads(texts)
    asked: Mask = fits & np.array([bool(text) for text in texts], bool)
    places = np.flatnonzero(asked).tolist()
    vectors = np.zeros((0, 1), np.float32)
    if places:
        vectors = embed([texts[i] for i in places])
    if progress is not None:
        progress("meaning of rows", 0, len(places))
    greedy = _Greedy(found, [rows[i] for i in places], elsewhere, vectors, rules, cosine)
    dropped = greedy.run(progress, block)
    told = {d.row: d for d in found.dropped} | dropped
    gone = set(told)
    every = [row.row for row in own]
    return InMeaning(
        result=replace(
            found,
            kept=tuple(name for name in found.kept if name not in gone),
            dropped=tuple(told[name] for name in every if name in told),
            near_other_target=tuple(p for p in found.near_other_target if p.row not in gone and p.other not in gone),
            counts=dict(Counter(d.reason for d in told.values())),
        ),
        other_target=greedy.apart(),
        compared=len(places),
        too_long=int((~fits).sum()),
    )


class _Greedy:
    """Takes the rows that words kept, in order, and keeps each that is unlike all kept before it."""

    def __init__(
        self, found: DedupResult, rows: list[AnyRow], elsewhere: set[str], vectors: Vectors, rules: Rules, cosine: float
    ):
        self.names = [row.row for row in rows]
        self.keys: list[Keys] = [keys_of(row, rules.on) for row in rows]
        self.vectors, self.cosine, self.elsewhere = vectors, cosine, elsewhere
        self.relation: Relation = rules.relation
        known = {name: i for i, name in enumerate(self.names)}
        self.stands_for: dict[int, list[int]] = defaultdict(list)
        self.held = elsewhere | {name for c in found.conflicts for name in c.rows}
        for drop in found.dropped:
            if drop.kept in known and drop.row in known:
                self.stands_for[known[drop.kept]].append(known[drop.row])
            else:  # a row that no vector is known of: what stands for it stays
                self.held.add(drop.kept)
        gone = {d.row for d in found.dropped} - elsewhere
        still = [i for i, name in enumerate(self.names) if name not in gone]
        self.order = np.array(
            [
                *sorted((i for i in still if self.names[i] in elsewhere), key=self.names.__getitem__),
                *sorted(
                    (i for i in still if self.names[i] not in elsewhere),
                    key=lambda i: rules.order(self.names[i], sum(map(len, self.keys[i].input))),
                ),
            ],
            np.int64,
        )
        self.shapes = numbered([key.shape for key in self.keys])
        self.learnt = numbered([key.learnt for key in self.keys])
        self.prose: Mask = np.array([any(key.prose) for key in self.keys], bool)
        self.dropped: dict[str, Dropped] = {}
        self.others: dict[int, tuple[int, float]] = {}
        self.gone: Mask = np.zeros(len(rows), bool)

    def run(self, progress: Progress | None, size: int) -> dict[str, Dropped]:
        """Return what goes in meaning, by row."""
        ranked = self.vectors[self.order]
        stays = np.zeros(0, np.int64)  # places in the order
        for low in range(0, len(self.order), size):
            block = np.arange(low, min(low + size, len(self.order)))
            for start in range(0, len(stays), 4 * size):
                self._settle(ranked, block, stays[start : start + 4 * size])
                block = block[~self.gone[self.order[block]]]
            self._settle(ranked, block, block)
            stays = np.concatenate((stays, block[~self.gone[self.order[block]]]))
            if progress is not None:
                progress("meaning of rows", min(low + size, len(self.order)), len(self.order))
        return self.dropped

    def _settle(self, ranked: Vectors, later: Any, earlier: Any) -> None:
        """Decide the pairs of two selections of places in order: the first near kept row takes the later one."""
        a, b = self.order[later], self.order[earlier]
        near = ranked[later] @ ranked[earlier].T >= self.cosine - SLACK
        near &= (earlier[None, :] < later[:, None]) & (self.shapes[a][:, None] == self.shapes[b][None, :])
        same = self.learnt[a][:, None] == self.learnt[b][None, :]
        same |= self.prose[a][:, None] & self.prose[b][None, :]  # such targets are looked at one by one
        for i, j in zip(*(side.tolist() for side in np.nonzero(near & same)), strict=True):
            if not self.gone[a[i]] and not self.gone[b[j]]:
                self._decide(int(a[i]), int(b[j]))
        other = near & ~same & ~self.gone[b][None, :]
        for i in np.flatnonzero(other.any(axis=1)).tolist():
            row, first = int(a[i]), int(b[int(other[i].argmax())])
            share = self._cosine(row, first)
            if share is not None:
                self.others.setdefault(row, (first, share))

    def _decide(self, row: int, other: int) -> None:
        share = self._cosine(row, other)
        if share is None:
            return
        target = self._target_share(row, other)
        if not target:
            self.others.setdefault(row, (other, share))
            return
        if self.names[row] in self.held:
            return
        along: list[Dropped] = [self._drop(row, other, share, target)]
        for twin in self.stands_for.get(row, ()):
            twin_share, twin_target = self._cosine(twin, other), self._target_share(twin, other)
            if twin_share is None or not twin_target:
                return
            along.append(self._drop(twin, other, twin_share, twin_target))
        self.dropped |= {drop.row: drop for drop in along}
        self.gone[row] = True

    def _drop(self, row: int, other: int, share: float, target: float) -> Dropped:
        return Dropped(self.names[row], "semantic-duplicate", self.names[other], 0.0, target, cosine=share)

    def _cosine(self, i: int, j: int) -> float | None:
        a, b = self.vectors[i].astype(np.float64), self.vectors[j].astype(np.float64)
        share = float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12))
        return min(share, 1.0) if share >= self.cosine - EVEN else None

    def _target_share(self, i: int, j: int) -> float:
        """Return 1 where targets are equal, their smallest Jaccard where the parts that differ are near-equal prose."""
        if self.learnt[i] == self.learnt[j]:
            return 1.0
        least = 1.0
        one, two = self.keys[i], self.keys[j]
        for p, (a, b) in enumerate(zip(one.learnt, two.learnt, strict=True)):
            if a != b:
                share = self.relation.near_equal(a, b) if one.prose[p] and two.prose[p] else None
                if share is None:
                    return 0.0
                least = min(least, share)
        return least

    def apart(self) -> tuple[NearPair, ...]:
        """Return the kept rows that are near a kept one in meaning and have another target."""
        return tuple(
            NearPair(self.names[i], self.names[j], share)
            for i, (j, share) in sorted(self.others.items())
            if not self.gone[i] and not self.gone[j] and self.names[i] not in self.elsewhere
        )
