"""Drop the rows that another row makes superfluous, and list those that only look so.

A row is dropped only for a kept row that it is proven similar to itself, input and target both: there are no chains,
so a row never goes because of a neighbour's neighbour. Rows are taken in a fixed order; each is kept unless it is
similar to a row kept before it, and then it goes for the first such row. So the kept rows are pairwise unlike, and a
second run drops nothing. The order is by content (the longest input first, then the row hash) or by a rank that the
caller gives; never the order in which rows are given.

Two ways lead to the same answer: `plain` joins exactly and misses nothing, `compiled` takes over where there are many
rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sluice.core.progress import Progress
from sluice.core.rows import AnyRow
from sluice.curate.duplicates import plain
from sluice.curate.duplicates.rules import Conflict, NearPair, Reason, Rules, Way
from sluice.curate.kernel.room import MEMORY, Room
from sluice.curate.similar.row_texts import ANSWERS

if TYPE_CHECKING:
    import polars as pl

    from sluice.curate.duplicates.kept import Kept

EXACT_UP_TO = 20_000
"""Rows from which on MinHash LSH finds the candidates; up to it the exact join is as fast and misses nothing."""


@dataclass(frozen=True)
class Dropped:
    """A row that goes, and the row kept in its place."""

    row: str
    reason: Reason
    kept: str
    jaccard: float
    """Of the two inputs, counted exactly (1.0 for an exact duplicate, 0.0 where only the meaning is alike)."""
    target_jaccard: float
    """Of the two targets: 1.0 where they are equal, less for near-equal prose, 0.0 for `near-other-target`."""
    cosine: float | None = None
    """Of the two texts as a model puts them (`semantic-duplicate`)."""

    @property
    def similarity(self) -> float:
        """The Jaccard, or for a duplicate in meaning the cosine."""
        return self.jaccard if self.cosine is None else self.cosine


@dataclass(frozen=True)
class DedupResult:
    """What `dedup` found. Rows are named by their hash."""

    kept: tuple[str, ...]
    """In the order of the rows given."""
    dropped: tuple[Dropped, ...]
    """In the order of the rows given."""
    conflicts: tuple[Conflict, ...] = ()
    near_other_target: tuple[NearPair, ...] = ()
    way: Way = "exact"
    """How candidates were found."""
    counts: dict[str, int] = field(default_factory=dict[str, int])
    """How many rows each reason took."""


def dedup(
    rows: Sequence[AnyRow] | pl.DataFrame,
    rules: Rules | None = None,
    *,
    fixed: Sequence[AnyRow] | pl.DataFrame = (),
    way: Way | None = None,
    room: Room | None = None,
    kept: Kept | None = None,
    progress: Progress | None = None,
) -> DedupResult:
    """Find the duplicates among rows.

    Args:
        rows: of any kinds (a sequence, or a frame of rows.COLUMNS); only rows of one kind and one shape of input are
            compared. A row that comes twice is one.
        rules: what counts as a duplicate; by default DESIGN's.
        fixed: rows of elsewhere that stay in any case: rows are dropped for them, they never are.
        way: "exact" or "lsh"; by default exact up to 20,000 rows.
        room: where the large arrays of "lsh" lie; by default in memory.
        kept: what "lsh" worked out before, which it need not work out again, and where it keeps what it does now.
        progress: told how many of the rows were compared.
    """
    rules = rules or Rules()
    frame, before = _frame(rows), _frame(fixed)
    elsewhere = set(before["row"])
    own = frame.filter(~frame["row"].is_in(before["row"].implode())) if elsewhere else frame
    if rules.on == "target":
        own, before = _taught(own), _taught(before)
    count = frame.height + before.height
    plainly = count <= EXACT_UP_TO or bool(rules.relation.boilerplate.ngrams)  # the kernel leaves no n-gram out
    chosen: Way = way or ("exact" if plainly else "lsh")
    if chosen == "exact":
        found = plain.find(own, before, rules, progress)
    else:
        from sluice.curate.duplicates import bulk  # loads numba

        found = bulk.find(own, before, rules, progress, room or MEMORY, kept)
    given: list[str] = frame["row"].to_list()
    dropped: list[Dropped] = []
    for name in given:
        if name in elsewhere:
            dropped.append(Dropped(name, "exact-duplicate", name, 1.0, 1.0))
            continue
        stand_in = found.exact.get(name, name)
        if stand_in in found.near:  # equal texts have equal n-grams: what was counted for it holds for the row
            twin, share, target = found.near[stand_in]
            reason: Reason = "near-duplicate" if target else "near-other-target"
            dropped.append(Dropped(name, reason, twin, share, target))
        elif stand_in != name:
            dropped.append(Dropped(name, "exact-duplicate", stand_in, 1.0, 1.0))
    gone = {d.row for d in dropped}
    conflicts = (Conflict(tuple(name for name in c.rows if name not in gone)) for c in found.conflicts)
    return DedupResult(
        kept=tuple(name for name in given if name not in gone),
        dropped=tuple(dropped),
        conflicts=tuple(conflicts),
        near_other_target=tuple(found.others),
        way=found.way,
        counts=dict(Counter(d.reason for d in dropped)),
    )


def _taught(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that teach an answer: where only that counts, two rows without one are not alike."""
    import polars as pl

    return frame.filter(pl.any_horizontal(pl.col(name).fill_null("") != "" for name in ANSWERS))


def _frame(rows: Sequence[AnyRow] | pl.DataFrame) -> pl.DataFrame:
    """Return rows as a frame of rows.COLUMNS, each once."""
    import polars as pl

    from sluice.curate.dataset import rows_frame

    frame = rows if isinstance(rows, pl.DataFrame) else rows_frame(list(rows))
    return frame.unique("row", keep="first", maintain_order=True)
