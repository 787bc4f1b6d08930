"""Rows as columns, for the compiled way: what a row is compared by, each value as a hash of itself.

Says the same of a row as `keys_of`, without making a row of it. Hashes mean the same in every run and every dataset, so
what is worked out of a row once can be kept (`kept`): it depends on the row alone.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from sluice.curate.duplicates.keys import NO_ANSWER, Answer, On, Shape, answer_of, taught, texts_of, value_of
from sluice.curate.kernel.fold import Folded, fold
from sluice.curate.kernel.room import MEMORY, Room
from sluice.curate.similar.similarity import Hashes, Mask, Numbers

if TYPE_CHECKING:
    import polars as pl

PARTS = 2  # answers of a row at most: chosen and rejected, or an answer and its judgement
REMEMBERED = 200_000  # answers: labels repeat, prose does not
BATCH = 20_000  # inputs parsed at a time

_ANSWER = ("kind", "target_form", "target", "chosen", "rejected", "answer", "good")
NOTHING = b"\0" * 16

Hash = Any
"""(2,) 64-bit numbers: the first 16 bytes of a hash; zeros stand for nothing."""


@dataclass(frozen=True)
class Columns:
    """Rows as hashes, (n, 2) each but for the parts.

    Args:
        names: of the row (the beginning of its own hash).
        shapes: kind, and what input and answer are made of: rows of two shapes are never compared.
        texts: the normalised texts of the input.
        learnt: what is learnt.
        claims: what the row says something about, beside its input; nothing where it cannot contradict.
        says: what it says about that.
        values, prose: (n, PARTS, 2) of each answer its value, and where it is prose its normalised text.
    """

    names: Hashes
    shapes: Hashes
    texts: Hashes
    learnt: Hashes
    claims: Hashes
    says: Hashes
    values: Hashes
    prose: Hashes

    def __len__(self) -> int:
        return len(self.names)

    def take(self, numbers: Numbers) -> Columns:
        """Return some of the rows."""
        return Columns(**{name: column[numbers] for name, column in vars(self).items()})

    def followed_by(self, others: Columns) -> Columns:
        """Return these rows, then others."""
        return Columns(**{name: np.concatenate((c, vars(others)[name])) for name, c in vars(self).items()})


@dataclass(frozen=True)
class Wording:
    """Texts of rows in normal form.

    Args:
        folded: the inputs, one a row, then answers that are prose.
        hashes: (texts, 2) of each.
    """

    folded: Folded
    hashes: Hashes


def names_of(frame: pl.DataFrame) -> Hashes:
    """Return the (n, 2) names of rows."""
    digits = bytes.fromhex("".join(frame["row"].to_list()))
    return np.frombuffer(digits, ">u8").reshape(-1, 4)[:, :2].astype(np.uint64)


def columns_of(frame: pl.DataFrame, on: On = "both", room: Room = MEMORY) -> tuple[Columns, Wording]:
    """Return rows (a frame of rows.COLUMNS, each row once) as columns, and their texts; normal forms lie in `room`."""
    segments, starts, shapes = _inputs(frame, on)
    count = frame.height
    answers = _answers(frame) if on == "both" else [NO_ANSWER] * count
    owners, places = _prose(frame, answers, segments, starts)
    folded = _filled(fold(segments, np.array(starts, np.int64), room), shapes)
    hashes = _text_hashes(folded)
    prose = np.zeros((count, PARTS, 2), np.uint64)
    prose[owners, places] = hashes[count:]
    whole = [(*shape, *answer.form) for shape, answer in zip(shapes, answers, strict=True)]
    forms = {shape: _hash_of(shape) for shape in set(whole)}
    known = {answer: _answer_hashes(answer) for answer in set(answers)}
    said = _as_hashes([known[answer] for answer in answers]).reshape(count, 3 + PARTS, 2)
    columns = Columns(
        names=names_of(frame),
        shapes=_as_hashes([forms[shape] for shape in whole]),
        texts=hashes[:count],
        learnt=said[:, 0],
        claims=said[:, 1],
        says=said[:, 2],
        values=said[:, 3:],
        prose=prose,
    )
    return columns, Wording(folded, hashes)


def inputs_of(frame: pl.DataFrame) -> Folded:
    """Return the inputs of rows (a frame of rows.COLUMNS) in normal form, one text a row."""
    segments, starts, shapes = _inputs(frame, "input")
    return _filled(fold(segments, np.array(starts, np.int64)), shapes)


def _inputs(frame: pl.DataFrame, on: On) -> tuple[list[str], list[int], list[Shape]]:
    """Return (texts of all inputs, where each input's begin, shapes)."""
    segments: list[str] = []
    starts = [0]
    shapes: list[Shape] = []
    kinds: list[str] = frame["kind"].to_list()
    if on == "target":
        answers = zip(*(frame[name].to_list() for name in ("target", "chosen", "rejected", "answer")), strict=True)
        for kind, row in zip(kinds, answers, strict=True):
            segments += taught(dict(zip(("target", "chosen", "rejected", "answer"), row, strict=True)))
            starts.append(len(segments))
            shapes.append((kind,))
        return segments, starts, shapes
    forms, inputs = frame["input_form"].to_list(), frame["input"].to_list()
    for low in range(0, len(inputs), BATCH):
        some = inputs[low : low + BATCH]
        for k, value in enumerate(json.loads(f"[{','.join(some)}]"), start=low):  # parsed in one go: by C, row by row
            found, tools = texts_of(forms[k], value, inputs[k])
            segments += [text for _, text in found]
            starts.append(len(segments))
            shape: Shape = (kinds[k], tuple(name for name, _ in found))
            shapes.append((*shape, value_of(tools or "")) if forms[k] == "messages" else shape)
    return segments, starts, shapes


def _answers(frame: pl.DataFrame) -> list[Answer]:
    @lru_cache(REMEMBERED)
    def remembered(*values: Any) -> Answer:
        return answer_of(dict(zip(_ANSWER, values, strict=True)))

    return list(map(remembered, *(frame[name].to_list() for name in _ANSWER)))


def _prose(
    frame: pl.DataFrame, answers: Sequence[Answer], segments: list[str], starts: list[int]
) -> tuple[Numbers, Numbers]:
    """Append the answers that are prose to the texts; return (row, part) of each."""
    owners: list[int] = []
    parts: list[int] = []
    some = [i for i, answer in enumerate(answers) if True in answer.prose]
    if some:
        columns = [frame[name].gather(some).to_list() for name in ("target", "chosen", "rejected", "answer")]
        for i, raw in zip(some, zip(*columns, strict=True), strict=True):
            written = [text for text in raw if text]
            for part, prose in enumerate(answers[i].prose):
                if prose:
                    segments.append(written[part])
                    starts.append(len(segments))
                    owners.append(i)
                    parts.append(part)
    return np.array(owners, np.int64), np.array(parts, np.int64)


def _filled(texts: Folded, shapes: list[Shape]) -> Folded:
    """Leave out segments that hold nothing once they are normalised (format characters), and their names of a shape."""
    empty = np.flatnonzero(np.diff(texts.starts) == 0)
    if not len(empty):
        return texts
    owners = np.searchsorted(texts.texts, empty, side="right") - 1
    for owner in np.unique(owners[owners < len(shapes)]).tolist():
        gone = {int(s - texts.texts[owner]) for s in empty[owners == owner]}
        kind, *rest = shapes[owner]
        if rest and isinstance(rest[0], tuple):
            names = tuple(name for k, name in enumerate(rest[0]) if k not in gone)
            shapes[owner] = (kind, names, *rest[1:])
    lost = np.bincount(owners, minlength=len(texts))
    sizes = np.diff(texts.texts)
    blanks = np.maximum(0, sizes - 1) - np.maximum(0, sizes - lost - 1)
    return replace(
        texts,
        starts=np.delete(texts.starts, empty),
        texts=np.concatenate(([0], np.cumsum(sizes - lost))).astype(np.int64),
        characters=texts.characters - blanks,
    )


def _text_hashes(texts: Folded) -> Hashes:
    """Return the hash of each text; no byte of UTF-8 is 0xff, which stands between segments."""
    raw: Any = np.ascontiguousarray(texts.data)
    data = memoryview(raw).cast("B") if len(raw) else b""
    starts, firsts = texts.starts.tolist(), texts.texts.tolist()
    found: list[bytes] = []
    for a, b in itertools.pairwise(firsts):
        if b - a < 2:
            text: Any = data[starts[a] : starts[b]]
        else:
            text = b"\xff".join([data[starts[s] : starts[s + 1]] for s in range(a, b)])
        found.append(hashlib.blake2b(text, digest_size=16).digest())
    return _as_hashes(found)


def _hash_of(value: Any) -> bytes:
    return hashlib.blake2b(json.dumps(value, ensure_ascii=False).encode(), digest_size=16).digest()


def _answer_hashes(answer: Answer) -> bytes:
    claim = NOTHING if answer.claim is None else _hash_of(answer.claim)
    values = [_hash_of(v) for v in answer.learnt[:PARTS]] + [NOTHING] * (PARTS - len(answer.learnt))
    return b"".join((_hash_of(answer.learnt), claim, _hash_of(answer.says), *values))


def _as_hashes(digests: list[bytes]) -> Hashes:
    return np.frombuffer(b"".join(digests), "<u8").reshape(-1, 2).astype(np.uint64)


def numbered(hashes: Hashes) -> tuple[Numbers, Numbers]:
    """Return (a number for each of (n, 2) hashes, equal where they are, in order of coming; where each comes first)."""
    count = len(hashes)
    order = np.argsort(hashes[:, 0], kind="stable")
    new = _changes(hashes[order])
    if (new & ~_changes(hashes[order, :1])).any():  # 64 bits of 128 agree: hardly ever
        order = np.lexsort((hashes[:, 1], hashes[:, 0]))
        new = _changes(hashes[order])
    firsts = order[new]
    ranks = np.empty(len(firsts), np.int64)
    ranks[np.argsort(firsts)] = np.arange(len(firsts))
    numbers = np.empty(count, np.int64)
    numbers[order] = ranks[np.cumsum(new) - 1]
    return numbers, np.sort(firsts)


def _changes(rows: Any) -> Mask:
    """Return where a row of numbers differs from the one before; True for the first."""
    found = np.ones(len(rows), bool)
    found[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    return found


def together(one: Numbers, other: Numbers) -> Numbers:
    """Return numbers that are equal where two numbers both are."""
    return np.unique(one * (int(other.max(initial=0)) + 1) + other, return_inverse=True)[1]


def places_in(wanted: Hashes, known: Hashes) -> Numbers:
    """Return the place of each hash among others (each once), -1 where it is not there."""
    if wanted.shape == known.shape and (wanted == known).all():  # the usual case: the same again
        return np.arange(len(known))
    numbers, firsts = numbered(np.concatenate((known, wanted)))
    place = np.full(len(firsts), -1, np.int64)
    place[numbers[: len(known)]] = np.arange(len(known))
    return place[numbers[len(known) :]]
