"""Draw parts out of components: whole ones wherever that is possible, so that hardly a row is lost.

The rule, for each part in turn (eval, then dev; what is not drawn is train):

1. Whole components, in the order of the draw, as long as they fit: first those of up to a twentieth of eval (a fifth of
   dev), so that the part has 20 (5) that are unlike, then those of up to twice as much, and so on. The classes are kept
   in proportion; what one cannot give is drawn from the others. A component that fits no part is train, whole.
2. A component that is too large to be taken whole is cut where that is cheap: a row is drawn out of it and those it
   touches are set aside. Cheap is at most 4 rows for each row that is drawn, and more than half of the component stays:
   one whose rows all touch each other, such as the rows of one group, is never cut here.
3. Where that gives fewer rows than were asked for, one more component is taken whole if the part comes nearer to its
   size with it than without it, or if it is empty without and the component has 10 rows too many at most.
4. Where it is still less than half, the smallest component is cut, whatever is set aside for it.

A size that the components do not give exactly is said in the notes. With enough rows that hang together with no other
it is always given exactly, and none is set aside.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sluice.core.errors import InputError
from sluice.core.part_sizes import size_options
from sluice.core.rows import AnyRow
from sluice.core.wording import counted
from sluice.curate.similar.clusters import Groups, histories, links
from sluice.curate.similar.similarity import Relation
from sluice.curate.splits.strata import quotas

DISTINCT: dict[str, int] = {"eval": 20, "dev": 5}
"""Components that a part should have: the gate asks for 20 that are unlike in eval; in dev 5 will do."""
WORTH = 4
"""Rows that may be set aside for a row that is cut out: a text and its copies, not a whole group."""
SPARE = 10
"""Rows that a part which would be empty may have too many: few to train on are lost, and none is set aside."""
CANDIDATES, LOOKED_AT = 4, 20  # rows looked at in a cut: 4 for each row wanted, and 20

Part = Literal["train", "dev", "eval"]
DRAWN: tuple[Part, ...] = ("eval", "dev")


@dataclass(frozen=True)
class SetAside:
    """A row that is in no part."""

    row: str
    reason: str
    touches: str | None = None
    """The row that it would leak from or to."""


@dataclass
class _Wanted:
    """Rows that a part still wants: by class, or in all (every row then has the class "")."""

    part: Part
    of: Sequence[str]
    asked: dict[str, int]
    rest: dict[str, int] = field(init=False)
    """Below 0 where there are too many."""

    def __post_init__(self) -> None:
        self.rest = dict(self.asked)

    @property
    def left(self) -> int:
        return sum(number for number in self.rest.values() if number > 0)

    def better(self, needs: Mapping[str, int]) -> tuple[bool, int]:
        """Return (whether the sizes come nearer with these rows, or have to have them; how many are too many)."""
        useful = sum(min(k, max(0, self.rest.get(name, 0))) for name, k in needs.items())
        over = sum(needs.values()) - useful
        empty = any(self.asked.get(name, 0) == self.rest.get(name, 0) > 0 for name in needs)
        return useful > over or (empty and over <= SPARE), over


class Draw:
    """The state of one draw: the part of each row, and how many rows each class can still give."""

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
        self.rows, self.relation, self.groups, self.history = rows, relation, groups, histories(edges)
        self.one = [""] * len(rows)
        self.of = list(of) if of is not None else self.one
        self.keep_one = keep_one
        self.state: list[str] = ["train"] * len(rows)
        self.aside: list[SetAside] = []
        self.notes: list[str] = []
        self.rank = [hashlib.sha256(f"sluice/split/1\n{seed}\n{row.row}".encode()).hexdigest() for row in rows]
        self.tied = sorted(tied, key=lambda numbers: min(self.rank[n] for n in numbers))
        self.component = [0] * len(rows)
        for place, numbers in enumerate(self.tied):
            for n in numbers:
                self.component[n] = place
        self.used: Counter[int] = Counter()
        """Rows of a component that are no longer in train."""
        sizes = Counter(self.of)
        self.room = {name: sizes[name] - (1 if keep_one else 0) for name in sorted(sizes)}
        lone = sorted(name for name, size in sizes.items() if size == 1) if keep_one and of is not None else []
        if lone:
            some = counted(len(lone), "class", "classes")
            self.notes.append(f"{some} with one row, which goes to train: {', '.join(lone[:10])}")

    def take(self, part: Part, size: int) -> None:
        """Draw about `size` rows, in proportion to the classes. Raises InputError where too few can be drawn."""
        if not size:
            return
        wanted = _Wanted(part, self.of, quotas(self.room, size))
        self._whole(wanted, size, spread=True)
        self._cut_each(wanted, size)
        if missing := size - self.state.count(part):
            self._take_of_any(wanted, size, missing)
        got = Counter(name for name, state in zip(self.of, self.state, strict=True) if state == part)
        few = [name for name, share in wanted.asked.items() if name and 2 * got[name] < share]
        if few:
            told = ", ".join(f"{name} ({got[name]:,} of {wanted.asked[name]:,} rows)" for name in few[:10])
            self.notes.append(f"{part}: less than half of its share of {told}")
        self._tell(part, size)

    def _take_of_any(self, shares: _Wanted, size: int, missing: int) -> None:
        """Draw what the classes did not give in their shares, of those classes first and then of any."""
        part = shares.part
        wanted = _Wanted(part, self.one, {"": size})
        wanted.rest[""] = missing
        self._whole(wanted, size, spread=True, first=shares.rest)
        self._whole(wanted, size, first=shares.rest)
        self._cut_each(wanted, size)
        self._nearest(wanted)
        if self._lacks(wanted):
            self._cut_each(wanted, size, whatever=True)
        if self._lacks(wanted):
            drawn = sum(state in DRAWN for state in self.state)
            raise InputError(
                f"{counted(size, 'row was', 'rows were')} asked for {part}, {self.state.count(part):,} can be drawn "
                f"from {counted(len(self.rows), 'row')} in {counted(len(self.tied), 'group')} that hang together",
                where=part,
                remedy=self._remedy(part, drawn),
            )

    def _remedy(self, part: Part, drawn: int) -> str:
        if drawn > 1 and len(self.tied) > len(DRAWN):
            return f"ask for fewer, such as {size_options(drawn)}"
        return "leave --dev away, or add rows that are not alike" if part == "dev" else "add rows that are not alike"

    def take_per_class(self, part: Part, each: int) -> None:
        """Draw about `each` rows of every class. Raises InputError where too few of one can be drawn."""
        if not each:
            return
        sizes = Counter(self.of)
        names = [name for name in sorted(sizes) if sizes[name] > 1 or not self.keep_one]
        wanted = _Wanted(part, self.of, dict.fromkeys(names, each))
        size = each * len(names)
        self._whole(wanted, size, spread=True)
        self._cut_each(wanted, size)
        self._whole(wanted, size)
        self._nearest(wanted)

        self._cut_each(wanted, size, whatever=True, only=self._lacks(wanted))
        if short := self._lacks(wanted):
            told = ", ".join(f"{name} ({each - wanted.rest[name]})" for name in short)
            raise InputError(
                f"{counted(each, 'row')} of each class asked for {part}; fewer can be drawn of: {told}",
                where=part,
                remedy=f"ask for {each - max(wanted.rest[name] for name in short):,} of each class, or add rows",
            )
        for name in names:
            if wanted.rest[name]:
                self.notes.append(f"{part}: {each - wanted.rest[name]:,} rows of {name}, not {each:,}; {_WHOLE}")
        self._tell(part, None)

    def _lacks(self, wanted: _Wanted) -> list[str]:
        """Return the classes of which more must be drawn: less than half is there, or no whole component is left."""
        short = [name for name, number in wanted.rest.items() if number > 0]
        return [n for n in short if 2 * wanted.rest[n] > wanted.asked[n] or not self._more(wanted.of, n)]

    def _tell(self, part: Part, size: int | None) -> None:
        """Note a size that is not the one asked for, and an eval part of too few groups to be frozen."""
        got, unlike = self.state.count(part), self._unlike(part)
        if size is not None and got != size:
            self.notes.append(f"{part}: {counted(got, 'row')}, not {size:,}; {_WHOLE}")
        if part == "eval" and unlike < DISTINCT[part] <= got:
            enough = round(DISTINCT[part] * got / unlike)
            ask = f", such as --eval {enough}" if size is not None and 2 * enough <= len(self.rows) else ""
            few = f"in {unlike:,} groups" if unlike > 1 else "all in one group"
            self.notes.append(f"eval: its rows hang together {few}; to freeze it there must be {DISTINCT[part]}{ask}")

    def _unlike(self, part: Part) -> int:
        return len({self.component[n] for n, state in enumerate(self.state) if state == part})

    def _needs(self, numbers: Sequence[int], of: Sequence[str]) -> Counter[str] | None:
        """Return what a whole component takes of each class; None where it is not free, or a class has no room."""
        if any(self.state[n] != "train" for n in numbers):
            return None
        if any(self.room[name] < k for name, k in Counter(self.of[n] for n in numbers).items()):
            return None
        return Counter(of[n] for n in numbers)

    def _more(self, of: Sequence[str], name: str) -> bool:
        """Return whether a component with rows of a class could be taken whole, were it of the right size."""
        return any(needs is not None and name in needs for needs in (self._needs(ns, of) for ns in self.tied))

    def _leave(self, numbers: Sequence[int], state: str) -> None:
        for n in numbers:
            self.state[n] = state
            self.room[self.of[n]] -= 1
            self.used[self.component[n]] += 1

    def _whole(
        self, wanted: _Wanted, size: int, *, spread: bool = False, first: Mapping[str, int] | None = None
    ) -> None:
        """Take whole components that fit, small ones first.

        Args:
            wanted: is brought up to date.
            size: of the part.
            spread: take larger ones only as long as enough unlike ones can follow.
            first: rows that classes still want; components that go least beyond them come first.
        """
        part, smallest = wanted.part, max(1, size // DISTINCT[wanted.part])
        unlike, drawn, left = self._unlike(part), self.state.count(part), wanted.left
        most, below = smallest, 0
        while left:
            tied = [numbers for numbers in self.tied if below < len(numbers) <= min(most, left)]
            if first:
                beyond = Counter({name: -rest for name, rest in first.items()})
                tied.sort(key=lambda ns: sum((beyond + Counter(self.of[n] for n in ns)).values()))
            for numbers in tied:
                k = len(numbers)
                if k > left or (below and spread and unlike + 1 + size - drawn - k < min(size, DISTINCT[part])):
                    continue
                needs = self._needs(numbers, wanted.of)
                if needs is None or any(wanted.rest.get(name, 0) < wants for name, wants in needs.items()):
                    continue
                self._leave(numbers, part)
                for name, wants in needs.items():
                    wanted.rest[name] -= wants
                unlike, drawn, left = unlike + 1, drawn + k, left - k
                if not left:
                    return
            if most >= left:
                return
            below, most = most, 2 * most

    def _nearest(self, wanted: _Wanted) -> None:
        """Take components that are too large for what is left, as long as the sizes come nearer to what was asked."""
        if not wanted.left:
            return
        found = [(needs, numbers) for numbers in self.tied if (needs := self._needs(numbers, wanted.of)) is not None]
        for _, numbers in sorted(found, key=lambda item: wanted.better(item[0])[1]):  # stable: the order of the draw
            needs = self._needs(numbers, wanted.of)
            if wanted.left and needs is not None and wanted.better(needs)[0]:
                self._leave(numbers, wanted.part)
                for name, k in needs.items():
                    wanted.rest[name] = wanted.rest.get(name, 0) - k

    def _cut_each(
        self, wanted: _Wanted, size: int, *, whatever: bool = False, only: Sequence[str] | None = None
    ) -> None:
        """Cut what is wanted of each class out of components that do not fit whole."""
        together = max(1, size // DISTINCT[wanted.part])
        for name in sorted(only if only is not None else wanted.rest):
            while (number := wanted.rest[name]) > 0:
                cut = self._cut(wanted, name, number if whatever else min(number, together), whatever)
                wanted.rest[name] -= cut
                if not cut:
                    break

    def _cut(self, wanted: _Wanted, name: str, together: int, whatever: bool) -> int:
        """Take rows of one class out of large components, those with the fewest neighbours first.

        Neighbours that touch nothing else come along, as many as fit in `together`; the others are set aside. Returns
        how many rows were taken.
        """
        part, number = wanted.part, wanted.rest[name]
        free = [
            n
            for n, state in enumerate(self.state)
            if state == "train" and wanted.of[n] == name and (whatever or len(self.tied[self.component[n]]) > number)
        ]

        def first(n: int) -> tuple[int, int]:
            """One component after the other, the smallest first, where each of them is lost."""
            return (len(self.tied[self.component[n]]), self.component[n]) if whatever else (0, 0)

        free = sorted(free, key=lambda n: (first(n), self.rank[n]))[: CANDIDATES * number + LOOKED_AT]
        around = self._neighbours(free)
        taken = 0
        for n in sorted(free, key=lambda n: (first(n), len(around[n]), self.rank[n])):
            if taken == number:
                break
            if self.state[n] != "train" or any(self.state[m] in DRAWN for m in around[n]):
                continue
            touched = [m for m in around[n] if self.state[m] == "train"]
            cost = Counter(self.of[m] for m in (n, *touched))
            if any(self.room[c] < k for c, k in cost.items()):
                continue
            closed = around[n] | {n}
            along = [m for m in touched if around.get(m, {-1}) <= closed]
            along = sorted(along, key=lambda m: self.rank[m])[: min(together, number - taken) - 1]
            lost = [m for m in sorted(touched, key=lambda m: self.rank[m]) if m not in set(along)]
            place = self.component[n]
            cheap = len(lost) <= WORTH * (1 + len(along))
            if not whatever and not (cheap and 2 * (self.used[place] + 1 + len(touched)) < len(self.tied[place])):
                continue
            self._leave([n, *along], part)
            self._leave(lost, "aside")
            taken += 1 + len(along)
            self.aside += [SetAside(self.rows[m].row, self._why(m, n, part), self.rows[n].row) for m in lost]
        return taken

    def _why(self, n: int, drawn: int, part: Part) -> str:
        """Return why a row is in no part beside a row that was drawn."""
        shared = set(self._keys(n)) & set(self._keys(drawn))
        if any(isinstance(key, str) for key in shared):
            return f"same group as a row of {part}, too large to be drawn whole"
        if shared:
            return f"a row of {part} in an earlier or a later form"
        return f"boundary of many rows that are alike, beside a row of {part}"

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
        shared: dict[str | int, list[int]] = defaultdict(list)
        for n in beside:
            for key in self._keys(n):
                shared[key].append(n)
        for n in numbers:
            for key in self._keys(n):
                around[n].update(shared.get(key, ()))
            around[n].discard(n)
        return around

    def _keys(self, n: int) -> list[str | int]:
        """Return the group values of a row, and the number of its history."""
        name = self.rows[n].row
        return [*self.groups.get(name, ()), *([self.history[name]] if name in self.history else [])]


_WHOLE = "rows that hang together stay together"
