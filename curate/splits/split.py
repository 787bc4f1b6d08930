"""Draw train, dev and eval parts so that no row of one repeats a row of another.

Rows that hang together (near-equal, contained, one group, changed into one another) go to one part. Pure: rows in, a
`SplitResult` of row hashes out; the store writes the parts. The draw depends on the rows, the seed and the sizes, never
on the order of the rows; `sluice.curate.splits.draw` has its rule. `sluice.curate.splits.extend` adds rows to parts
that exist.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sluice.core.errors import InputError, UsageError
from sluice.core.part_sizes import size_options
from sluice.core.progress import Progress
from sluice.core.rows import AnyRow
from sluice.core.wording import counted
from sluice.curate.leaks.find import find_leaks
from sluice.curate.similar.boilerplate import find_boilerplate
from sluice.curate.similar.clusters import Groups, components
from sluice.curate.similar.similarity import Boilerplate, Relation
from sluice.curate.splits.draw import DRAWN, Draw, Part, SetAside
from sluice.curate.splits.strata import classes

HANGING_TOGETHER = 0.5  # of the rows in one component: said aloud, since a common instruction is the usual cause
FEWEST = 20  # rows in that component


@dataclass(frozen=True)
class SplitResult:
    """The parts, as row hashes in the order of the rows given."""

    train: tuple[str, ...]
    dev: tuple[str, ...]
    eval: tuple[str, ...]
    set_aside: tuple[SetAside, ...] = ()
    left: tuple[str, ...] = ()
    """Rows of the other dataset (`eval_from`) that were not drawn: they stay where they are."""
    notes: tuple[str, ...] = ()
    strata: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    """Class to rows in each part; empty where the split is not stratified."""
    components: int = 0
    """Of the rows that eval and dev were drawn from."""
    largest: int = 0
    """Rows in the largest of them."""
    boilerplate: Boilerplate = field(default_factory=Boilerplate)
    """Of all rows split together; to be pinned when the eval part is frozen."""
    clusters: tuple[tuple[str, ...], ...] | None = None
    """Rows that hang together, of all rows; None where only those of the other dataset were looked at, or none."""
    cuts: dict[str, str] = field(default_factory=dict[str, str])
    """Of a split by time: the oldest time of eval and of dev."""


def split(
    rows: Sequence[AnyRow],
    *,
    eval: int | float = 0,
    dev: int | float = 0,
    eval_per_class: int | None = None,
    dev_per_class: int | None = None,
    seed: int = 0,
    stratify: str | None = None,
    stratify_by: str = "--stratify",
    eval_from: Sequence[AnyRow] | None = None,
    groups: Groups | None = None,
    edges: Iterable[tuple[str, str]] = (),
    boilerplate: Boilerplate | None = None,
    progress: Progress | None = None,
) -> SplitResult:
    """Draw eval, then dev; the rest is train.

    Args:
        rows: the dataset. A row that comes twice is one.
        eval, dev: a number of rows, or a share (a float between 0 and 1) of the rows they are drawn from.
        eval_per_class, dev_per_class: instead of those, a number of rows of each class.
        seed: of the draw.
        stratify: path of the class (see `sluice.curate.splits.strata.classes`). stratify_by: what asked for it.
        eval_from: another dataset: eval and dev are drawn from it, its other rows stay where they are, and rows of the
            dataset that repeat a drawn row are set aside.
        groups: group values by row hash.
        edges: (old, new) row hashes of changes.
        boilerplate: the list to use; by default found over all rows given.
        progress: (what, done, total).

    Raises InputError where sizes cannot be drawn (it says how many can) or nothing is left to train on; UsageError for
    sizes that make no sense.
    """
    rows = unique_rows(rows)
    source = rows if eval_from is None else unique_rows(eval_from)
    edges, groups = list(edges), groups or {}
    check_sizes(len(source), eval, dev, eval_per_class, dev_per_class, trains=eval_from is None)
    of, why = classes(source, stratify, stratify_by)
    if of is None and (eval_per_class or dev_per_class):
        raise UsageError(
            f"rows of each class were asked for, but there is no class ({why})",
            where="--per-class",
            remedy="name the class: --stratify target.KEY, or input.KEY",
        )
    if boilerplate is None:
        boilerplate = find_boilerplate([*rows, *(eval_from or ())], progress)
    relation = Relation(boilerplate)
    tied = components(source, relation, groups, edges, progress)
    if progress is not None:
        progress("drawing", 0, 0)
    draw = Draw(source, tied, of, seed, relation, groups, edges, keep_one=eval_from is None)
    for part, size, per_class in zip(DRAWN, (eval, dev), (eval_per_class, dev_per_class), strict=True):
        if per_class is not None:
            draw.take_per_class(part, per_class)
        else:
            draw.take(part, rows_of_size(size, len(source)))
    drawn: dict[Part, list[AnyRow]] = {
        part: [row for row, state in zip(source, draw.state, strict=True) if state == part] for part in DRAWN
    }
    if eval_from is None:
        train = [row for row, state in zip(source, draw.state, strict=True) if state == "train"]
        aside, left = draw.aside, []
    else:
        taken = {row.row for part in drawn.values() for row in part}
        left = [row.row for row in source if row.row not in taken]
        aside = _touching(rows, drawn, relation, groups, edges, progress)
        out = {a.row for a in aside}
        train = [row for row in rows if row.row not in out]
    if not train:
        raise InputError(
            f"no row is left to train on: {len(aside):,} of {len(rows):,} repeat an eval or dev row",
            remedy="draw fewer rows, or add rows that are not alike",
        )
    result = {"train": [r.row for r in train], **{part: [r.row for r in drawn[part]] for part in DRAWN}}
    largest = max(map(len, tied), default=0)
    notes = [why, *draw.notes]
    if largest > HANGING_TOGETHER * len(source) and largest > FEWEST:
        notes.append(
            f"{largest:,} of {len(source):,} rows hang together; where an instruction is repeated in every input, "
            "move it to a prompt file"
        )
    return SplitResult(
        train=tuple(result["train"]),
        dev=tuple(result["dev"]),
        eval=tuple(result["eval"]),
        set_aside=tuple(aside),
        left=tuple(left),
        notes=tuple(notes),
        strata=_strata(source, of, result),
        components=len(tied),
        largest=largest,
        boilerplate=boilerplate,
        clusters=tuple(tuple(source[n].row for n in numbers) for numbers in tied) if eval_from is None else None,
    )


def unique_rows(rows: Sequence[AnyRow]) -> list[AnyRow]:
    """Return rows in order, each once."""
    return list({row.row: row for row in rows}.values())


def check_sizes(rows: int, eval: int | float, dev: int | float, *per_class: int | None, trains: bool = True) -> None:
    """Raise UsageError for sizes that make no sense or are less than one row, InputError for those of all rows.

    Args:
        rows: that the parts are drawn from.
        eval, dev, per_class: as for `split`.
        trains: whether those that are not drawn are what is left to train on.
    """
    for size in (eval, dev, *per_class):
        if size is not None and (size < 0 or (isinstance(size, float) and size >= 1)):
            raise UsageError(f"{size} is no size of a part", remedy="give a number of rows, or a share such as 0.1")
    if any(isinstance(size, float) for size in per_class):
        raise UsageError(
            "a share is no number of rows of each class",
            where="--per-class",
            remedy="give rows of each class, such as --eval 20",
        )
    if not any((eval, dev, *per_class)):
        raise UsageError(
            "neither eval nor dev has a size: nothing would be drawn", remedy=f"sluice split NAME {size_options(rows)}"
        )
    for part, size in (("eval", eval), ("dev", dev)):
        if size and not rows_of_size(size, rows):
            raise UsageError(
                f"{part}: {size:.2%} of {counted(rows, 'row')} is less than one row",
                remedy=f"give a number of rows, such as {size_options(rows)}",
            )
    wanted = rows_of_size(eval, rows) + rows_of_size(dev, rows)
    if wanted > rows or (wanted == rows and trains):
        parts = " and ".join(part for part, size in (("eval", eval), ("dev", dev)) if size)
        raise InputError(
            f"{parts} would take {wanted:,} of {counted(rows, 'row')}"
            + (": none would be left to train on" if trains else ""),
            remedy=f"ask for fewer, such as {size_options(rows)}",
        )


def rows_of_size(size: int | float, rows: int) -> int:
    """Return a size in rows; a share is rounded."""
    return round(size * rows) if isinstance(size, float) else size


def _strata(
    source: Sequence[AnyRow], of: Sequence[str] | None, parts: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, int]]:
    if of is None:
        return {}
    part_of = {name: part for part, names in parts.items() for name in names}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row, name in zip(source, of, strict=True):
        counts[name][part_of.get(row.row, "none")] += 1
    return {name: dict(counts[name]) for name in sorted(counts)}


def _touching(
    rows: Sequence[AnyRow],
    drawn: Mapping[Part, Sequence[AnyRow]],
    relation: Relation,
    groups: Groups,
    edges: Sequence[tuple[str, str]],
    progress: Progress | None,
) -> list[SetAside]:
    """Return the rows that repeat a drawn row, with the eval row first where one touches both parts."""
    found: dict[str, SetAside] = {}
    for part in DRAWN:
        for leak in find_leaks(rows, drawn[part], relation, groups, edges=edges, progress=progress):
            reason = f"{leak.how} to a row of {part}" if leak.how != "group" else f"same group as a row of {part}"
            if leak.how == "contained":
                reason = f"contains a row of {part}"
            found.setdefault(leak.row, SetAside(leak.row, reason, leak.eval_row))
    return [found[row.row] for row in rows if row.row in found]
