"""Split by time: the newest rows are eval, those before them dev, all older ones train.

The parts are cut between two times, never within one, so nothing is drawn and no seed counts: every row of train is
older than every row of dev, and that than every row of eval. Rows that hang together across a cut would leak from the
past into the test, so those on its older side are set aside: the newer part keeps its size, and what is lost is lost
to train, where it would have been an answer learnt by heart. Rows added later join train where they are older than
every cut; all others are set aside, since dev and eval do not change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import cast

from sluice.core.errors import InputError
from sluice.core.progress import Progress
from sluice.core.rows import AnyRow
from sluice.core.wording import counted
from sluice.curate.similar.boilerplate import find_boilerplate
from sluice.curate.similar.clusters import Groups, components
from sluice.curate.similar.similarity import Boilerplate, Relation
from sluice.curate.splits.draw import DRAWN, Part, SetAside
from sluice.curate.splits.extend import Assignment, extend_split, touches
from sluice.curate.splits.split import SplitResult, check_sizes, rows_of_size, unique_rows
from sluice.curate.splits.times import NO_TIME, Times

AFTER_CUT = "not older than"
"""Begins the reason of rows that a part cannot take because of their time; such a row does not come back to train."""


_NEWER_AND_OLDER: tuple[tuple[Part, Part], ...] = (("eval", "dev"), ("eval", "train"), ("dev", "train"))


def split_by_time(
    rows: Sequence[AnyRow],
    times: Times,
    *,
    eval: int | float = 0,
    dev: int | float = 0,
    groups: Groups | None = None,
    edges: Iterable[tuple[str, str]] = (),
    boilerplate: Boilerplate | None = None,
    progress: Progress | None = None,
) -> SplitResult:
    """Cut a dataset at two times.

    Args:
        rows: the dataset. A row that comes twice is one.
        times: of the rows; a row without a time is set aside.
        eval, dev: rows of the part, or a share (a float below 1) of the rows that have a time. The cut comes as near
            to it as whole times allow.
        groups: group values by row hash.
        edges: (old, new) row hashes of changes.
        boilerplate: the list to use; by default found over all rows.
        progress: (what, done, total).

    Raises InputError where there are too few different times, or nothing older is left to train on.
    """
    rows = unique_rows(rows)
    edges, groups = list(edges), groups or {}
    dated = [row for row in rows if row.row in times.of]
    check_sizes(len(dated), eval, dev)
    aside = [SetAside(row.row, times.undated.get(row.row, NO_TIME)) for row in rows if row.row not in times.of]
    sizes: dict[Part, int] = {"eval": rows_of_size(eval, len(dated)), "dev": rows_of_size(dev, len(dated))}
    cuts = _cuts([times.of[row.row] for row in dated], sizes, times)
    parts: dict[Part, list[AnyRow]] = {"train": [], "dev": [], "eval": []}
    for row in dated:
        parts[_part(times.of[row.row], cuts)].append(row)
    notes = [f"by time: cut at {', '.join(f'{times_text(times, cut)} ({part})' for part, cut in cuts.items())}"]
    notes += [
        f"{part}: {counted(len(parts[part]), 'row')}, not {size:,}; rows of one time stay together"
        for part, size in sizes.items()
        if size and len(parts[part]) != size
    ]
    if boilerplate is None:
        boilerplate = find_boilerplate(rows, progress)
    relation = Relation(boilerplate)
    tied = components(dated, relation, groups, edges, progress)
    part_of = [_part(times.of[row.row], cuts) for row in dated]
    across = {dated[n].row for numbers in tied if len({part_of[n] for n in numbers}) > 1 for n in numbers}
    lost: Counter[tuple[Part, Part]] = Counter()
    for newer, older in _NEWER_AND_OLDER:
        some, others = ([row for row in parts[part] if row.row in across] for part in (older, newer))
        found = touches(some, others, relation, groups, edges)
        reason = f"older than the cut of {newer}, and hangs together with a row of it"
        aside += [SetAside(row.row, reason, found[row.row]) for row in parts[older] if row.row in found]
        parts[older] = [row for row in parts[older] if row.row not in found]
        lost[older, newer] = len(found)
    notes += [
        f"{part}: {counted(number, 'row')} less, which hang together with newer rows of {newer}"
        for (part, newer), number in lost.items()
        if number
    ]
    for part in DRAWN:
        if sizes[part] and not parts[part]:
            raise _too_few(part, "all its rows hang together with newer ones")
    if not parts["train"]:
        raise _too_few("train", f"all {sum(lost.values()):,} older rows hang together with newer ones")
    return SplitResult(
        train=tuple(r.row for r in parts["train"]),
        dev=tuple(r.row for r in parts["dev"]),
        eval=tuple(r.row for r in parts["eval"]),
        set_aside=tuple(aside),
        notes=tuple(notes),
        boilerplate=boilerplate,
        components=len(tied),
        largest=max(map(len, tied), default=0),
        clusters=tuple(tuple(dated[n].row for n in numbers) for numbers in tied),
        cuts={part: times_text(times, cut) for part, cut in cuts.items()},
    )


def _cuts(moments: Sequence[Decimal], sizes: Mapping[Part, int], times: Times) -> dict[str, Decimal]:
    """Return the oldest time of each part that is cut off, so that its size comes as near as whole times allow."""
    counts = sorted(Counter(moments).items(), reverse=True)
    wanted: list[Part] = [part for part in DRAWN if sizes[part]]
    if len(counts) <= len(wanted):
        raise _too_few(
            wanted[-1],
            f"'{times.column}' has {counted(len(counts), 'time')}, and {len(wanted) + 1} parts need one each",
        )
    cuts: dict[str, Decimal] = {}
    place = 0
    for number, part in enumerate(wanted):
        spare = len(wanted) - number  # times that the older parts need
        best, got, nearest = place, 0, None
        for at in range(place, len(counts) - spare):
            got += counts[at][1]
            off = abs(got - sizes[part])
            if nearest is None or off < nearest:
                best, nearest = at, off
            if got >= sizes[part]:
                break
        cuts[part] = counts[best][0]
        place = best + 1
    return cuts


def _part(moment: Decimal, cuts: Mapping[str, Decimal]) -> Part:
    return cast("Part", next((part for part, cut in cuts.items() if moment >= cut), "train"))


def times_text(times: Times, moment: Decimal) -> str:
    """Return a time as the first of the rows (by their hashes) writes it."""
    return min((row, times.text[row]) for row, found in times.of.items() if found == moment)[1]


def _too_few(part: str, why: str) -> InputError:
    return InputError(
        f"no row would be left for {part}: {why}",
        where=part,
        remedy="ask for fewer rows, a finer column, or split without --by-time",
    )


def extend_by_time(
    parts: Mapping[Part, Sequence[AnyRow]],
    new: Sequence[AnyRow],
    times: Times,
    cuts: Mapping[str, str],
    relation: Relation,
    groups: Groups | None = None,
    edges: Iterable[tuple[str, str]] = (),
) -> list[Assignment]:
    """Return where each new row goes after a split by time, in order: train, or set aside.

    Args:
        parts: the rows of train, dev and eval as they are.
        new: rows to be added; those that a part holds already are passed over.
        times: of the new rows.
        cuts: the oldest time of eval and of dev, as the split wrote them.
        relation, groups, edges: as for `extend_split`.

    A row that is not older than every cut, or has no time, is set aside, and so is an older one that touches dev or
    eval. What a row that is set aside hangs together with does not matter: it is in no part.
    """
    held = {row.row for rows in parts.values() for row in rows}
    order = {part: times.moment(text) for part, text in cuts.items()}
    found: dict[str, Assignment] = {}
    old: list[AnyRow] = []
    fresh = list({row.row: row for row in new if row.row not in held}.values())
    for row in fresh:
        moment = times.of.get(row.row)
        part = _part(moment, order) if moment is not None else None
        if part == "train":
            old.append(row)
        else:
            reason = f"{AFTER_CUT} the cut of {part}" if part else times.undated.get(row.row, NO_TIME)
            found[row.row] = Assignment(row.row, None, reason)
    for placed in extend_split(parts, old, relation, groups, edges):
        if placed.part == "dev" and placed.touches is None:  # its neighbour touches dev, and is in no part now
            placed = Assignment(placed.row, "train", "touches no part")
        elif placed.part == "dev":
            reason = "older than the cut of dev, and hangs together with a row of it"
            placed = Assignment(placed.row, None, reason, placed.touches)
        found[placed.row] = placed
    return [found[row.row] for row in fresh]
