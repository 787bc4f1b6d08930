"""`dedup`: a version without its repeated rows, each shown beside the row kept in its place.

What counts as a duplicate is the business of `sluice.curate.duplicates`; here its answer becomes a version, with every
dropped row kept. Conflicts and near rows with another target are reported and stay. Rows that an earlier dedup dropped
are asked again each time: under a higher threshold some are duplicates no more and come back, and none stays out for a
row that has gone itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import UsageError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.rows import COLUMNS
from sluice.curate.adding.add import parts_of
from sluice.curate.dataset import Version, open_dataset, open_newest
from sluice.curate.drops import Drop, ShownRow, drop_rows, dropped_frame, shown_row
from sluice.curate.duplicates import DedupResult, Dropped, NearPair, Rules, dedup
from sluice.curate.duplicates.dedup import EXACT_UP_TO
from sluice.curate.duplicates.keeping import Keep, rank_by
from sluice.curate.duplicates.keys import On
from sluice.curate.duplicates.memory import TOLD_FROM, available_bytes, peak_bytes, room_for
from sluice.curate.duplicates.rules import REASONS
from sluice.curate.duplicates.spread import Bar, similarity_spread
from sluice.curate.operation import Outcome, commit
from sluice.curate.semantic import Semantic, SemanticPart, with_meaning
from sluice.curate.similar.similarity import NEAR_PERCENT

if TYPE_CHECKING:
    import polars as pl

FIRST = 5
"""Examples of each finding in the result."""


class DroppedTwin(BaseModel):
    """A dropped row beside the row that stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str
    similarity: float
    row: ShownRow
    kept: ShownRow


class Twins(BaseModel):
    """Rows that are alike and stay: a conflict, or near rows with different targets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: tuple[ShownRow, ...]
    similarity: float | None = None


class SpreadBar(BaseModel):
    """Rows whose nearest other row is about this alike, before anything is dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least: float
    most: float
    """The Jaccard from `least` on, under `most` (1.0 is a bar of its own)."""
    rows: int
    same_target: int
    """Of those, rows whose nearest one has the same target."""
    pair: Twins | None
    """The most alike pair of the bar."""


class DeduplicateResult(BaseModel):
    """What `dedup` did, or would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    changed: bool
    rows_in: int
    rows: int
    """Rows that are left."""
    dropped: int
    returned: int
    """Rows that an earlier dedup had dropped and that are duplicates no more."""
    counts: dict[str, int]
    """Dropped rows by reason."""
    conflicts: int
    """Inputs that are there with more than one target; all their rows stay."""
    conflicting_rows: int
    near_other_target: int
    """Rows near another in input, with another target; they stay unless `drop_near`."""
    first_dropped: tuple[DroppedTwin, ...]
    first_conflicts: tuple[Twins, ...]
    first_near_other_target: tuple[Twins, ...]
    threshold: float
    """Least Jaccard of a near-duplicate."""
    on: str
    """What had to be alike: `both`, `input` or `target`."""
    keep: str
    """Which of two rows stays."""
    against: tuple[str, ...]
    """Other versions whose rows counted, and stay in any case."""
    way: str
    """How candidates were found: `exact`, or `lsh` above 20,000 rows."""
    memory_bytes: int | None
    """Estimate of what finding them takes at its peak, beside the rows; None up to 20,000 rows, which take little."""
    spread: tuple[SpreadBar, ...] | None
    """How alike rows are (a dry run only)."""
    parts: tuple[str, ...]
    semantic: SemanticPart | None = None
    """What a model was asked and found (`semantic`)."""
    dry_run: bool = False


def deduplicate(
    project: Project,
    dataset: str,
    *,
    on: On = "both",
    threshold: float | None = None,
    keep: Keep = "longest",
    by: str | None = None,
    against: Sequence[str] = (),
    drop_near: bool = False,
    semantic: Semantic | None = None,
    dry_run: bool = False,
    exact_up_to: int = EXACT_UP_TO,
    memory: int | None = None,
    note: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> DeduplicateResult:
    """Drop the rows of a dataset that repeat another one, and make its next version where that changes it.

    Args:
        project: of the dataset.
        dataset: its name; the newest version is read.
        on: what has to be alike: input and target both, the input alone, the target alone.
        threshold: least Jaccard, 0.4 to 1, in hundredths; by default the similarity's own, 0.7.
        keep, by: which of two rows stays, see `duplicates.keeping`.
        against: other datasets: rows are dropped for theirs, which stay.
        drop_near: also drop rows near another one in input that have another target.
        semantic: also drop rows alike in meaning, as a model says.
        exact_up_to: rows up to which every pair is looked at; above, candidates come from signatures.
        memory: bytes that may be used; by default what the machine has free. Where that is too little, files help out.
        note: told in a sentence what a person should know before long work.
        dry_run: only say what would be dropped, and how alike rows are.
        progress: called with (what, done, total).
    """
    if threshold is not None and not isfinite(threshold):
        raise UsageError(f"a threshold of {threshold:g} is no number", remedy="choose one from 0.4 to 1, such as 0.85")
    percent = NEAR_PERCENT if threshold is None else round(100 * threshold)
    if threshold is not None and abs(100 * threshold - percent) > 1e-6:
        raise UsageError("a threshold has at most two decimals", where="--threshold", remedy=f"say {percent / 100:g}")
    Rules(percent=percent)  # refused before anything is read
    others = [open_dataset(project, ref) for ref in dict.fromkeys(against)]
    if any(other.dataset == dataset for other in others):
        raise UsageError(
            f"'{dataset}' is compared with itself in any case", where="--against", remedy="leave --against out"
        )
    fixed = _frames(others)
    seen: dict[str, Any] = {}

    def build() -> Outcome | None:
        version = open_newest(project, dataset)
        universe, earlier = _universe(version)
        rank = rank_by(version, universe["row"].to_list(), keep, by)
        rules = Rules(on=on, percent=percent, drop_near=drop_near, rank=rank)
        found, seen["memory"] = _found(project, dataset, universe, fixed, rules, exact_up_to, memory, note, progress)
        if semantic is not None:
            seen["meaning"] = with_meaning(project, found, universe, fixed, rules, semantic, note, progress)
            found = seen["meaning"].found.result
        change = _change(universe, earlier, found, on)
        seen.update(version=version, universe=universe, found=found, change=change)
        if not change.goes.height and not change.returned.height:
            return None
        parameters: dict[str, Any] = {"drop_near": drop_near, "way": found.way, "threshold": percent / 100}
        parameters |= {"on": on, "keep": keep, "by": by, "against": [other.ref for other in others]}
        if "meaning" in seen:
            parameters["semantic"] = seen["meaning"].parameters
        report: dict[str, Any] = {
            "conflicts": [list(c.rows) for c in found.conflicts],
            "near_other_target": [[p.row, p.other, round(p.jaccard, 4)] for p in found.near_other_target],
        }
        if "meaning" in seen:
            pairs = seen["meaning"].found.other_target
            report["semantic_other_target"] = [[p.row, p.other, round(p.jaccard, 4)] for p in pairs]
        return Outcome(
            verb="dedup",
            parameters=parameters,
            parents=(version.parent,),
            contents={version.dataset: change.content},
            rows_in=version.manifest.rows,
            dropped=change.goes,
            counts=found.counts | ({"returned": change.returned.height} if change.returned.height else {}),
            report=report,
        )

    if dry_run:
        build()
        changed = False
    else:
        changed = commit(project, build) is not None
    version, found = seen["version"], seen["found"]
    universe: pl.DataFrame = seen["universe"]
    change: _Change = seen["change"]
    bars = similarity_spread(universe, on) if dry_run and universe.height > 1 else None
    here = [d for d in found.dropped if d.row in change.new]
    meaning = seen.get("meaning")
    alike = [pair for pairs in meaning.pairs() for pair in pairs] if meaning else ()
    wanted = _Shown(universe, fixed, found, here, bars or (), alike)
    return DeduplicateResult(
        dataset=version.dataset,
        version=open_dataset(project, version.dataset).number,
        changed=changed,
        rows_in=version.manifest.rows,
        rows=change.content.height,
        dropped=len(here),
        returned=change.returned.height,
        counts=dict(Counter(d.reason for d in here)),
        conflicts=len(found.conflicts),
        conflicting_rows=len({r for c in found.conflicts for r in c.rows}),
        near_other_target=len(found.near_other_target),
        first_dropped=wanted.dropped(here),
        first_conflicts=tuple(wanted.twins(*c.rows) for c in found.conflicts[:FIRST]),
        first_near_other_target=tuple(
            wanted.twins(p.row, p.other, similarity=p.jaccard) for p in found.near_other_target[:FIRST]
        ),
        threshold=percent / 100,
        on=on,
        keep=keep,
        against=tuple(other.ref for other in others),
        way=found.way,
        memory_bytes=seen["memory"],
        spread=None if bars is None else tuple(wanted.bar(bar) for bar in bars),
        parts=parts_of(project, version.dataset),
        semantic=None if meaning is None else meaning.part(wanted.row, here),
        dry_run=dry_run,
    )


def _found(
    project: Project,
    dataset: str,
    universe: pl.DataFrame,
    fixed: Any,
    rules: Rules,
    exact_up_to: int,
    memory: int | None,
    note: Callable[[str], None] | None,
    progress: Progress | None,
) -> tuple[DedupResult, int | None]:
    """Return (what is found, the estimate of memory); large arrays go to files where memory would not hold them."""
    frames = [f for f in (universe, fixed) if len(f)]
    if sum(map(len, frames)) <= exact_up_to:
        return dedup(universe, rules, fixed=fixed, way="exact", progress=progress), None
    needed, available = peak_bytes(*frames), available_bytes() if memory is None else memory
    if note is not None and (needed > TOLD_FROM or needed > available):
        short = f", more than the {available / 1e9:.1f} GB that are free: a part goes to .sluice/tmp/"
        note(f"dedup needs about {needed / 1e9:.1f} GB{short if needed > available else ''}")
    with project.staging.job() as folder:
        from sluice.curate.duplicates.kept import Kept  # loads numba

        room = room_for(needed, available, folder)
        kept = None if room.folder else Kept(project, dataset)  # to keep it takes memory, too
        return dedup(universe, rules, fixed=fixed, way="lsh", room=room, kept=kept, progress=progress), needed


def _universe(version: Version) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (the rows of a version and those that an earlier dedup dropped from it, the latter with what was said)."""
    import polars as pl

    frame = version.frame()
    gone = dropped_frame(version)
    if gone is None:
        return frame, frame.clear().with_columns(reason=pl.lit(""), kept=pl.lit(""))
    earlier = gone.filter(pl.col("reason").is_in(list(REASONS)) & ~pl.col("row").is_in(frame["row"].implode()))
    return pl.concat([frame, earlier.select(COLUMNS)]), earlier


def _frames(versions: Sequence[Version]) -> Any:
    import polars as pl

    return pl.concat([version.frame() for version in versions]) if versions else ()


@dataclass(frozen=True)
class _Change:
    """What an answer means for a version."""

    new: set[str]
    """Rows that go now."""
    goes: pl.DataFrame
    """Those, and rows that stay out for another row than was said before: what the operation tells."""
    returned: pl.DataFrame
    content: pl.DataFrame


def _change(universe: pl.DataFrame, earlier: pl.DataFrame, found: DedupResult, on: On) -> _Change:
    """Return what the answer about a version's rows, and behind them those dropped earlier, means for the version."""
    import polars as pl

    frame = universe.head(universe.height - earlier.height)
    kept = set(found.kept)
    held = set(frame["row"])
    stood_for = dict(zip(earlier["row"].to_list(), earlier["kept"].to_list(), strict=True))
    new = {d.row for d in found.dropped if d.row in held}
    told_anew = {
        d.row
        for d in found.dropped
        if d.row in stood_for and stood_for[d.row] != d.kept and stood_for[d.row] not in kept
    }
    drops = [
        Drop(d.row, d.reason, d.kept, d.similarity, _detail(d, on)) for d in found.dropped if d.row in new | told_anew
    ]
    _, goes = drop_rows(universe, drops)
    returned = universe.filter(pl.col("row").is_in([r for r in stood_for if r in kept]))
    stays = frame.filter(~pl.col("row").is_in(list(new)))
    return _Change(new, goes, returned, pl.concat([stays, returned]))


def _detail(drop: Dropped, on: On) -> str | None:
    if on != "both":
        return f"by the {on} alone"
    return None if drop.target_jaccard == 1 else f"targets {drop.target_jaccard:.2f}"


class _Shown:
    """The rows that the result shows, taken from all frames at once."""

    def __init__(
        self,
        universe: pl.DataFrame,
        fixed: Any,
        found: DedupResult,
        drops: Sequence[Dropped],
        bars: Sequence[Bar],
        alike: Sequence[NearPair],
    ):
        import polars as pl

        wanted = {r for d in _first_of_each(drops) for r in (d.row, d.kept)}
        wanted |= {r for c in found.conflicts[:FIRST] for r in c.rows}
        wanted |= {r for p in (*found.near_other_target[:FIRST], *alike) for r in (p.row, p.other)}
        wanted |= {r for bar in bars if bar.pair for r in bar.pair[:2]}
        self._rows: dict[str, ShownRow] = {}
        for frame in (universe, fixed):
            if isinstance(frame, pl.DataFrame):
                some = frame.filter(pl.col("row").is_in(list(wanted)))
                self._rows |= {r["row"]: shown_row(r) for r in some.iter_rows(named=True)}

    def row(self, name: str) -> ShownRow:
        return self._rows.get(name) or ShownRow(row=name, input=None)

    def twins(self, *names: str, similarity: float | None = None) -> Twins:
        return Twins(rows=tuple(map(self.row, names)), similarity=similarity)

    def dropped(self, drops: Sequence[Dropped]) -> tuple[DroppedTwin, ...]:
        return tuple(
            DroppedTwin(reason=d.reason, similarity=d.similarity, row=self.row(d.row), kept=self.row(d.kept))
            for d in _first_of_each(drops)
        )

    def bar(self, bar: Bar) -> SpreadBar:
        pair = self.twins(*bar.pair[:2], similarity=bar.pair[2]) if bar.pair else None
        return SpreadBar(least=bar.least, most=bar.most, rows=bar.rows, same_target=bar.same_target, pair=pair)


def _first_of_each(drops: Sequence[Dropped]) -> list[Dropped]:
    """Return the first drops, one of each reason before a second of any."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, int, Dropped]] = []
    for number, drop in enumerate(drops):
        ranked.append((seen[drop.reason], number, drop))
        seen[drop.reason] += 1
    return [drop for _, _, drop in sorted(ranked, key=lambda r: r[:2])[:FIRST]]
