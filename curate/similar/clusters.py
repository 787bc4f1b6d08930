"""From texts to rows: which rows stand in the relation, and which hang together.

A row *asks* with its input and *answers* with every text it has: its input is looked for in all fields of the others.
A field that is nothing but boilerplate (a system message that all share) is no part of the input. Group values and
change edges tie rows too. The one function `links` yields every tie; components, splits and leak
checks are built on it, so that what a split keeps apart is exactly what the gate asks to be apart.

A short field that is not an input (under 3 words or 10 characters, such as the label "refund") answers only by
containment, or every row about refunds would hang together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sluice.core.progress import Progress, watched
from sluice.core.rows import AnyRow, Messages, input_texts
from sluice.curate.similar.join import Side, each, related
from sluice.curate.similar.similarity import (
    Mask,
    Numbers,
    Prepared,
    Relation,
    Segments,
    normalise,
)

Groups = Mapping[str, Sequence[str]]
"""Row hash to its group values; a row that is not there belongs to none."""


@dataclass(frozen=True)
class Tie:
    """One row's input stands in the relation to another row.

    Args:
        asks: number of the row whose input it is.
        answers: number of the row that repeats or holds it.
        near: near-equal; else contained.
        share: Jaccard, or the share of the input's n-grams.
        field: of the answering row: "input", or a field's name.
        looked_for, found: the two texts, normalised.
    """

    asks: int
    answers: int
    near: bool
    share: float
    field: str
    looked_for: Segments
    found: Segments


class Forest:
    """Disjoint sets over the numbers 0 to n - 1 (union by smaller root, so that roots do not depend on the order)."""

    def __init__(self, n: int):
        self.parents: Numbers = np.arange(n, dtype=np.int64)

    def find(self, x: int) -> int:
        """Return the root of x, halving the path."""
        while self.parents[x] != x:
            self.parents[x] = self.parents[self.parents[x]]
            x = int(self.parents[x])
        return x

    def union(self, x: int, y: int) -> bool:
        """Put two numbers into one set; say whether they were apart."""
        x, y = self.find(x), self.find(y)
        if x == y:
            return False
        self.parents[max(x, y)] = min(x, y)
        return True

    def tie_all(self, keys: Iterable[tuple[Hashable, int]]) -> None:
        """Put numbers that come with the same key into one set."""
        first: dict[Hashable, int] = {}
        for key, x in keys:
            self.union(first.setdefault(key, x), x)

    def roots(self) -> Numbers:
        """Return the root of every number."""
        while True:
            above = self.parents[self.parents]
            if np.array_equal(above, self.parents):
                return self.parents
            self.parents = above

    def sets(self) -> list[list[int]]:
        """Return the sets, ordered by their smallest number."""
        found: dict[int, list[int]] = defaultdict(list)
        for x, root in enumerate(self.roots().tolist()):
            found[root].append(x)
        return [found[root] for root in sorted(found)]


def input_segments(row: AnyRow) -> list[tuple[str, str]]:
    """Return (field name, normalised text) of an input's fields that hold something, in order of turns or of names."""
    texts = input_texts(row.input)
    named = texts.items() if isinstance(row.input, Messages) else sorted(texts.items())
    return [(name, text) for name, raw in named if (text := normalise(raw))]


def is_tiny(text: str) -> bool:
    """Return whether a normalised text is too small to be anybody's copy: under 10 characters or, in letters of
    spaced scripts, under 3 words."""
    return len(text) < 10 or (text.isascii() and text.count(" ") < 2)


@dataclass(frozen=True)
class Unit:
    """One text that a row answers with."""

    field: str
    text: Segments
    near: bool
    holds: bool


Fields = list[tuple[str, str]]
"""What `input_segments` returns."""


def asked(segments: Fields, constant: Callable[[str], bool]) -> Segments:
    """Return the text that is looked for: an input's, without fields that are nothing but boilerplate."""
    return tuple(text for _, text in segments if not constant(text)) or tuple(text for _, text in segments)


def units(row: AnyRow, of_input: Fields, constant: Callable[[str], bool]) -> list[Unit]:
    """Return every text that a row can repeat an input with: its input, that without system turns, each field."""
    whole = asked(of_input, constant)
    found = [Unit("input", whole, True, len(whole) == 1)]
    segments = [(name, text) for name, text in of_input if not constant(text)]
    if isinstance(row.input, Messages):
        said = tuple(text for name, text in segments if name.split(".", 1)[1] not in ("system", "developer"))
        if said and said != whole:
            found.append(Unit("input", said, True, False))
    fields = segments if len(segments) > 1 else []
    learnt = [(k, normalise(v)) for k, v in row.texts().items() if k in ("target", "chosen", "rejected", "answer")]
    found += [Unit(name, (text,), not is_tiny(text), True) for name, text in fields + learnt if text]
    return found


def constant_fields(inputs: Sequence[Fields], relation: Relation) -> Callable[[str], bool]:
    """Return a test for texts of these inputs' fields: are they nothing but boilerplate? An only field never is."""
    if not relation.boilerplate.ngrams:
        return lambda text: False
    texts = sorted({text for fields in inputs if len(fields) > 1 for _, text in fields})
    prepared = relation.prepare([(text,) for text in texts])
    left = np.where(prepared.short, prepared.left["char"].sizes, prepared.left["word"].sizes)
    constant = {text for text, size in zip(texts, left.tolist(), strict=True) if not size}
    return constant.__contains__


class Asked:
    """The inputs of rows, each distinct text once, prepared to be looked for."""

    def __init__(self, rows: Sequence[AnyRow], relation: Relation, inputs: Sequence[Fields] | None = None):
        inputs = [input_segments(row) for row in rows] if inputs is None else inputs
        constant = constant_fields(inputs, relation)
        owners: dict[Segments, list[int]] = defaultdict(list)
        for number, fields in enumerate(inputs):
            owners[asked(fields, constant)].append(number)
        self.texts: Prepared = relation.prepare(list(owners))
        self.owners = list(owners.values())


class Answering:
    """The texts of rows, each distinct text once, prepared to be searched."""

    def __init__(self, rows: Sequence[AnyRow], relation: Relation, inputs: Sequence[Fields] | None = None):
        inputs = [input_segments(row) for row in rows] if inputs is None else inputs
        constant = constant_fields(inputs, relation)
        owners: dict[tuple[Segments, bool, bool], list[tuple[int, str]]] = defaultdict(list)
        for number, (row, fields) in enumerate(zip(rows, inputs, strict=True)):
            for unit in units(row, fields, constant):
                owners[unit.text, unit.near, unit.holds].append((number, unit.field))
        self.texts: Prepared = relation.prepare([text for text, _, _ in owners])
        self.near: Mask = np.array([near for _, near, _ in owners], dtype=bool)
        self.holds: Mask = np.array([holds for _, _, holds in owners], dtype=bool)
        self.owners = list(owners.values())

    def side(self) -> Side:
        """Return the texts as the right side of a join."""
        return Side(self.texts, self.near, self.holds)


def links(asking: Sequence[AnyRow], answering: Sequence[AnyRow], relation: Relation) -> Iterator[Tie]:
    """Yield every tie between the input of an asking row and a text of an answering row.

    The two sequences may be the same; a row is then tied to itself too. A pair of rows can come several times, by
    several fields.
    """
    left, right = Asked(asking, relation), Answering(answering, relation)
    for pairs in related(Side(left.texts), right.side()):
        for i, j, near, share in each(pairs):
            for asks in left.owners[i]:
                for answers, field in right.owners[j]:
                    yield Tie(asks, answers, near, share, field, left.texts.texts[i], right.texts.texts[j])


def components(
    rows: Sequence[AnyRow],
    relation: Relation,
    groups: Groups | None = None,
    edges: Iterable[tuple[str, str]] = (),
    progress: Progress | None = None,
) -> list[list[int]]:
    """Return the connected components of the relation, as numbers of rows, ordered by their first row.

    Args:
        rows: any rows; a row that comes twice is one.
        groups: group values by row hash; rows that share one are tied.
        edges: (old, new) row hashes of changes; hashes that are not among the rows tie through all the same.
        progress: told how many rows have been read, and how much of what they ask was looked up.
    """
    forest = Forest(len(rows))
    _tie_by_hash(forest, rows, groups or {}, edges)
    told = watched(rows, "texts read", len(rows), progress)
    inputs = [input_segments(row) for row in told]
    if progress is not None:
        progress("similarity", 0, len(rows))
    left, right = Asked(rows, relation, inputs), Answering(rows, relation, inputs)
    for owners in left.owners:
        for number in owners[1:]:
            forest.union(owners[0], number)
    asks = np.array([o[0] for o in left.owners], dtype=np.int64)
    answers = np.array([o[0][0] for o in right.owners], dtype=np.int64)
    single = np.array([len({n for n, _ in o}) == 1 for o in right.owners], dtype=bool)

    def roots() -> tuple[Numbers, Numbers]:
        now = forest.roots()
        return now[asks], np.where(single, now[answers], -1)

    for pairs in related(Side(left.texts), right.side(), roots=roots, progress=progress):
        for i, j, _, _ in each(pairs):
            for number, _ in right.owners[j] if not single[j] else right.owners[j][:1]:
                forest.union(int(asks[i]), number)
            single[j] = True  # all its rows are one set now: the first speaks for them
    return forest.sets()


def _tie_by_hash(forest: Forest, rows: Sequence[AnyRow], groups: Groups, edges: Iterable[tuple[str, str]]) -> None:
    forest.tie_all((row.row, number) for number, row in enumerate(rows))
    forest.tie_all((value, number) for number, row in enumerate(rows) for value in groups.get(row.row, ()))
    names = histories(edges)
    forest.tie_all((names[row.row], number) for number, row in enumerate(rows) if row.row in names)


def histories(edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return, for each row hash that a change names, the number of its history; one history is one row, changed."""
    pairs = list(edges)
    numbers: dict[str, int] = {}
    for pair in pairs:
        for name in pair:
            numbers.setdefault(name, len(numbers))
    forest = Forest(len(numbers))
    for old, new in pairs:
        forest.union(numbers[old], numbers[new])
    return {name: forest.find(number) for name, number in numbers.items()}


def similarity_clusters(rows: Sequence[AnyRow], relation: Relation, groups: Groups | None = None) -> list[list[AnyRow]]:
    """Return the rows by connected component of the relation (the gate counts the components of an eval set)."""
    return [[rows[n] for n in cluster] for cluster in components(rows, relation, groups)]
