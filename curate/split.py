"""Draw train, dev and eval parts so that no row of one repeats a row of another.

Rows that hang together (near-equal, contained, one group, changed into one another) go to one part. Pure: rows in, a
`SplitResult` of row hashes out; the store writes the parts. The draw depends on the rows, the seed and the sizes, never
on the order of the rows. `sluice.curate.extend` adds rows to parts that exist.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sluice.core.errors import InputError, UsageError
from sluice.core.part_sizes import size_options
from sluice.core.progress import Progress
from sluice.core.rows import AnyRow
from sluice.core.wording import counted
from sluice.curate.boilerplate import find_boilerplate
from sluice.curate.clusters import Groups, components, histories, links
from sluice.curate.leaks import find_leaks
from sluice.curate.similarity import Boilerplate, Relation
from sluice.curate.strata import classes, quotas

DISTINCT: dict[str, int] = {"eval": 20, "dev": 5}
"""No component is more than a twentieth of eval: the gate asks for 20 distinct clusters. In dev a fifth will do."""
LOOKED_AT = 20
CANDIDATES = 4  # rows looked at for each row that must be cut out of an oversized component
HANGING_TOGETHER = 0.5  # of the rows in one component: said aloud, since a common instruction is the usual cause

Part = Literal["train", "dev", "eval"]


@dataclass(frozen=True)
class SetAside:
    """A row that is in no part."""

    row: str
    reason: str
    touches: str | None = None
    """The row that it would leak from or to."""


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


def split(
    rows: Sequence[AnyRow],
    *,
    eval: int | float = 0,
    dev: int | float = 0,
    eval_per_class: int | None = None,
    dev_per_class: int | None = None,
    seed: int = 0,
    stratify: str | None = None,
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
        stratify: path of the class (see `sluice.curate.strata.classes`).
        eval_from: another dataset: eval and dev are drawn from it, its other rows stay where they are, and rows of the
            dataset that repeat a drawn row are set aside.
        groups: group values by row hash.
        edges: (old, new) row hashes of changes.
        boilerplate: the list to use; by default found over all rows given.
        progress: (what, done, total).

    Raises InputError where sizes cannot be drawn (it says how many can) or nothing is left to train on; UsageError for
    sizes that make no sense.
    """
    rows = _unique(rows)
    source = rows if eval_from is None else _unique(eval_from)
    edges, groups = list(edges), groups or {}
    _check_sizes(len(source), eval, dev, eval_per_class, dev_per_class)
    of, why = classes(source, stratify)
    if of is None and (eval_per_class or dev_per_class):
        raise UsageError("rows per class were asked for, but there is no class", remedy="name one with stratify")
    if boilerplate is None:
        boilerplate = find_boilerplate([*rows, *(eval_from or ())])
    relation = Relation(boilerplate)
    tied = components(source, relation, groups, edges, progress)
    draw = _Draw(source, tied, of, seed, relation, groups, edges, keep_one=eval_from is None)
    for part, size, per_class in zip(_DRAWN, (eval, dev), (eval_per_class, dev_per_class), strict=True):
        if per_class is not None:
            draw.take_per_class(part, per_class)
        else:
            draw.take(part, round(size * len(source)) if isinstance(size, float) else size)
    drawn: dict[Part, list[AnyRow]] = {
        part: [row for row, state in zip(source, draw.state, strict=True) if state == part] for part in _DRAWN
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
    result = {"train": [r.row for r in train], **{part: [r.row for r in drawn[part]] for part in _DRAWN}}
    largest = max(map(len, tied), default=0)
    notes = [why, *draw.notes]
    if largest > HANGING_TOGETHER * len(source) and largest > LOOKED_AT:
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
    )


_DRAWN: tuple[Part, ...] = ("eval", "dev")


def _unique(rows: Sequence[AnyRow]) -> list[AnyRow]:
    return list({row.row: row for row in rows}.values())


def _check_sizes(rows: int, eval: int | float, dev: int | float, *per_class: int | None) -> None:
    for size in (eval, dev, *per_class):
        if size is not None and (size < 0 or (isinstance(size, float) and size >= 1)):
            raise UsageError(f"{size} is no size of a part", remedy="give a number of rows, or a share such as 0.1")
    if not any((eval, dev, *per_class)):
        raise UsageError("no size was given for eval or dev", remedy=f"sluice split NAME {size_options(rows)}")


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
    for part in _DRAWN:
        for leak in find_leaks(rows, drawn[part], relation, groups, edges=edges, progress=progress):
            reason = f"{leak.how} to a row of {part}" if leak.how != "group" else f"same group as a row of {part}"
            if leak.how == "contained":
                reason = f"contains a row of {part}"
            found.setdefault(leak.row, SetAside(leak.row, reason, leak.eval_row))
    return [found[row.row] for row in rows if row.row in found]


class _Draw:
    """Draws parts out of components: whole components while they fit, then rows cut out of those that do not."""

    def __init__(
        self,
        rows: Sequence[AnyRow],
        tied: Sequence[Sequence[int]],
        of: Sequence[str] | None,
        seed: int,
        relation: Relation,
        groups: Groups,
        edges: Sequence[tuple[str, str]],
        keep_one: bool,
    ):
        self.rows, self.relation, self.groups, self.edges = rows, relation, groups, edges
        self.of = list(of) if of is not None else [""] * len(rows)
        self.stratified = of is not None
        self.keep_one = keep_one
        self.state: list[str] = ["train"] * len(rows)
        self.aside: list[SetAside] = []
        self.notes: list[str] = []
        self.rank = [hashlib.sha256(f"sluice/split/1\n{seed}\n{row.row}".encode()).hexdigest() for row in rows]
        self.tied = sorted(tied, key=lambda numbers: min(self.rank[n] for n in numbers))
        if keep_one and self.stratified:
            lone = sorted(name for name, size in Counter(self.of).items() if size == 1)
            if lone:
                some = counted(len(lone), "class", "classes")
                self.notes.append(f"{some} with one row, which goes to train: {', '.join(lone[:10])}")

    def take(self, part: Part, size: int) -> None:
        """Draw `size` rows, in proportion to the classes; what a class cannot give is drawn from the others."""
        short = self._fill(part, quotas(self._room(), size), size)
        missing = size - self.state.count(part)
        if missing > 0:
            if short and self.stratified:
                self.notes.append(f"{part}: {counted(missing, 'row')} that {', '.join(sorted(short))} could not give")
            self._fill(part, dict.fromkeys(self._room(), missing), size, at_most=missing)
        got = self.state.count(part)
        if got < size:
            drawn = sum(state in _DRAWN for state in self.state)
            raise InputError(
                f"{counted(size, 'row was', 'rows were')} asked for {part}, {got:,} can be drawn from "
                f"{counted(len(self.rows), 'row')} in {counted(len(self.tied), 'group')} of similar rows",
                where=part,
                remedy=f"ask for fewer, such as {size_options(drawn)}" if drawn > 1 else "add rows that are not alike",
            )

    def take_per_class(self, part: Part, each: int) -> None:
        """Draw `each` rows of every class."""
        names = sorted(set(self.of))
        if self.keep_one:
            sizes = Counter(self.of)
            names = [name for name in names if sizes[name] > 1]
        short = self._fill(part, dict.fromkeys(names, each), each * len(names))
        if short:
            told = ", ".join(f"{name} ({each - missing})" for name, missing in sorted(short.items()))
            raise InputError(
                f"{counted(each, 'row')} of each class asked for {part}; fewer can be drawn of: {told}",
                where=part,
                remedy=f"ask for {each - max(short.values()):,} of each class, or add rows",
            )

    def _room(self) -> dict[str, int]:
        """Return how many rows each class can give: one always stays for train."""
        free = Counter(name for name, state in zip(self.of, self.state, strict=True) if state == "train")
        return {name: free[name] - (1 if self.keep_one else 0) for name in sorted(free)}

    def _fill(self, part: Part, wanted: Mapping[str, int], total: int, at_most: int | None = None) -> dict[str, int]:
        """Draw rows until each class has what is wanted; return the classes that fall short, and by how many."""
        rest = {name: number for name, number in wanted.items() if number > 0}
        left = sum(rest.values()) if at_most is None else at_most
        biggest = max(1, total // DISTINCT[part])
        room = self._room()
        for numbers in self.tied:
            if len(numbers) > min(biggest, left) or any(self.state[n] != "train" for n in numbers):
                continue
            needs = Counter(self.of[n] for n in numbers)
            if all(rest.get(name, 0) >= k and room[name] >= k for name, k in needs.items()):
                for n in numbers:
                    self.state[n] = part
                for name, k in needs.items():
                    rest[name] -= k
                    room[name] -= k
                left -= len(numbers)
        for name in sorted(rest):
            number = min(rest[name], left)
            if number > 0:
                cut = self._cut(part, name, number, room, biggest)
                rest[name] -= cut
                left -= cut
        return {name: number for name, number in rest.items() if number > 0}

    def _cut(self, part: Part, name: str, number: int, room: dict[str, int], biggest: int) -> int:
        """Take rows of one class out of components that are too large, those with the fewest neighbours first.

        Neighbours of the same class that touch nothing else come along, as many as fit; the others are set aside.
        """
        free = [n for n, state in enumerate(self.state) if state == "train" and self.of[n] == name]
        free = sorted(free, key=lambda n: self.rank[n])[: CANDIDATES * number + LOOKED_AT]
        around = self._neighbours(free)
        taken = 0
        for n in sorted(free, key=lambda n: (len(around[n]), self.rank[n])):
            if taken == number:
                break
            if self.state[n] != "train" or any(self.state[m] in _DRAWN for m in around[n]):
                continue
            cost = Counter(self.of[m] for m in around[n] if self.state[m] == "train")
            cost[name] += 1
            if any(room[c] < k for c, k in cost.items()):
                continue
            closed = around[n] | {n}
            along = [m for m in around[n] if self.state[m] == "train" and around.get(m, {-1}) <= closed]
            along = sorted(along, key=lambda m: self.rank[m])[: min(biggest, number - taken) - 1]
            for m in (n, *along):
                self.state[m] = part
                taken += 1
            for m in sorted(around[n], key=lambda m: self.rank[m]):
                if self.state[m] == "train":
                    self.state[m] = "aside"
                    reason = f"boundary of a large group of similar rows, beside a row of {part}"
                    self.aside.append(SetAside(self.rows[m].row, reason, self.rows[n].row))
            for c, k in cost.items():
                room[c] -= k
        return taken

    def _neighbours(self, numbers: Sequence[int]) -> dict[int, set[int]]:
        """Return, for some rows, all rows that they stand in the relation to, either way."""
        around: dict[int, set[int]] = {n: set() for n in numbers}
        chosen = set(numbers)
        beside = [n for tied in self.tied if chosen.intersection(tied) and len(tied) > 1 for n in tied]
        some, others = [self.rows[n] for n in numbers], [self.rows[n] for n in beside]
        for tie in links(some, others, self.relation):
            around[numbers[tie.asks]].add(beside[tie.answers])
        for tie in links(others, some, self.relation):
            around[numbers[tie.answers]].add(beside[tie.asks])
        history = histories(self.edges)
        shared: dict[object, list[int]] = defaultdict(list)
        for n in beside:
            for key in self._keys(n, history):
                shared[key].append(n)
        for n in numbers:
            for key in self._keys(n, history):
                around[n].update(shared.get(key, ()))
            around[n].discard(n)
        return around

    def _keys(self, n: int, history: Mapping[str, int]) -> list[object]:
        name = self.rows[n].row
        return [*self.groups.get(name, ()), *([history[name]] if name in history else [])]
