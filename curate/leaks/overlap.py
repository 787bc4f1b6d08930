"""N-gram overlap: which rows share long word sequences with an eval row. Stricter than the one relation, on request.

The ways of the reports on large models, over words as `normalise` makes them:

    any shared n-gram of 8 to 13 words    GPT-3 (Brown et al. 2020, arXiv 2005.14165, appendix C): n is the 5th
                                          percentile of a benchmark's lengths, at least 8; training was cleaned by 13
    70% of the 8-grams                    PaLM (Chowdhery et al. 2022, arXiv 2204.02311, section 8): `share` 0.7

As GPT-3 does, n-grams that more than ten of the rows hold are passed over: common phrases (a row that was copied so
often is found by the relation). So are those that are nothing but pinned boilerplate, and answers that are JSON, whose
keys all rows share. Question and answer are counted apart, and n-grams never cross from one field into the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from sluice.core.canonical import structure_of
from sluice.core.errors import UsageError
from sluice.core.progress import Progress
from sluice.core.rows import AnyRow
from sluice.curate.similar.row_texts import ANSWERS, row_texts
from sluice.curate.similar.similarity import Mask, Numbers, Relation, normalise, spread, word_ngrams

if TYPE_CHECKING:
    import polars as pl

    from sluice.curate.similar.folding import Block

FEWEST_WORDS = 5
"""Below, n-grams are phrases of a language and say nothing of a copy."""
COMMON = 10
"""Rows beyond which an n-gram is a common phrase: GPT-3's number."""
BATCH = 25_000

Part = Literal["question", "answer"]


@dataclass(frozen=True)
class Overlap:
    """A row and an eval row that share n-grams."""

    row: str
    eval_row: int
    """Its number among the eval rows."""
    part: Part
    """Of the eval row."""
    share: float
    """Of that part's n-grams."""
    field: str
    """Of the row, where the first of them stands."""
    span: str
    """The longest run of shared words in that field, normalised."""


@dataclass(frozen=True)
class Overlaps:
    """What was found, and what could not be looked for."""

    found: tuple[Overlap, ...]
    """In order of the rows, then of the eval rows; one for each part."""
    too_short: int
    """Eval rows with no text of `n` words: their copies are found by the relation only."""
    common: int = 0
    """n-grams that were passed over because more than 10 rows hold them."""


def ngram_overlap(
    frame: pl.DataFrame,
    eval_rows: Sequence[AnyRow],
    n: int,
    share: float | None = None,
    relation: Relation | None = None,
    progress: Progress | None = None,
) -> Overlaps:
    """Return which rows of a frame share word n-grams with which eval rows.

    Args:
        frame: of rows.COLUMNS; every text of a row is searched.
        eval_rows: whose inputs and answers are looked for.
        n: words of an n-gram, from 5 on.
        share: of a part's n-grams that a row has to hold, above 0 up to 1; None: any one of them.
        relation: with the boilerplate that is left out.
        progress: told how many rows were searched.

    Raises UsageError for an n or a share that makes no sense.
    """
    if n < FEWEST_WORDS:
        raise UsageError(f"{n} words are a phrase, not a copy", where="--ngrams", remedy="--ngrams 8, or --ngrams 13")
    if share is not None and not 0 < share <= 1:
        raise UsageError(f"{share} is no share", where="--ngram-share", remedy="give one above 0 up to 1, such as 0.7")
    wanted = _Wanted(eval_rows, n, relation or Relation())
    if not wanted.keys:
        return Overlaps((), wanted.too_short)
    from sluice.curate.similar.folding import blocks

    held: list[Numbers] = []
    for done, some in blocks(frame, BATCH):
        held.append(wanted.held_by(some))
        if progress is not None:
            progress(f"{n}-grams", done, frame.height)
    row, gram = np.concatenate(held, axis=1)
    common = np.bincount(gram, minlength=len(wanted.scanner.known)) > COMMON
    wanted.pass_over(common)
    stays = ~common[gram]
    return Overlaps(tuple(wanted.overlaps(frame, row[stays], gram[stays], share)), wanted.too_short, int(common.sum()))


def is_structured(text: str) -> bool:
    """Return whether an answer is a JSON object or list: a label with a frame of keys, whoever says it."""
    return structure_of(text) is not None


class _Wanted:
    """The n-grams of eval rows, by row and part."""

    def __init__(self, eval_rows: Sequence[AnyRow], n: int, relation: Relation):
        from sluice.curate.kernel.fold import fold
        from sluice.curate.leaks.scan import Scanner, windows

        self.n = n
        texts: list[str] = []
        owner: list[tuple[int, Part]] = []
        for number, row in enumerate(eval_rows):
            for name, text in row.texts().items():
                part: Part = "answer" if name in ANSWERS else "question"
                if text and not (part == "answer" and is_structured(text)):
                    texts.append(text)
                    owner.append((number, part))
        at, hashes = windows(fold(texts), n)
        stays = _not_boilerplate([normalise(text) for text in texts], at, n, relation)
        at, hashes = at[stays], hashes[stays]
        self.scanner = Scanner(hashes, n)
        numbers = self.scanner.number(hashes)
        self.keys = sorted({owner[t] for t in np.unique(at).tolist()})
        place = {key: i for i, key in enumerate(self.keys)}
        of = np.array([place[owner[t]] for t in at.tolist()], dtype=np.int64)
        self.pairs: Numbers = np.unique(np.stack([numbers, of]), axis=1)
        """(n-gram, key) of everything that is looked for."""
        self._index()
        self.too_short = len(eval_rows) - len({number for number, _ in self.keys})

    def _index(self) -> None:
        self.members: Numbers = self.pairs[1]
        self.starts: Numbers = np.searchsorted(self.pairs[0], np.arange(len(self.scanner.known) + 1))
        self.sizes: Numbers = np.bincount(self.pairs[1], minlength=len(self.keys))

    def pass_over(self, common: Mask) -> None:
        """Look for some of the n-grams no longer."""
        self.pairs = self.pairs[:, ~common[self.pairs[0]]]
        self._index()

    def held_by(self, some: Sequence[Block]) -> Numbers:
        """Return (row, n-gram), each pair once, of what stands in some texts."""
        hits = [(block.rows[at], grams) for block in some for at, grams in [self.scanner.hits(block.segments)]]
        rows = [row for row, _ in hits] or [np.empty(0, dtype=np.int64)]
        grams = [gram for _, gram in hits] or [np.empty(0, dtype=np.int64)]
        return np.unique(np.stack([np.concatenate(rows), np.concatenate(grams)]), axis=1)

    def overlaps(self, frame: pl.DataFrame, row: Numbers, gram: Numbers, share: float | None) -> list[Overlap]:
        """Return the overlaps that pairs of row and n-gram make."""
        if not len(row):
            return []
        counts = self.starts[gram + 1] - self.starts[gram]
        key = self.members[spread(self.starts[gram], counts)]
        pairs, held = np.unique(np.repeat(row, counts) * len(self.keys) + key, return_counts=True)
        need = np.ones(len(pairs)) if share is None else np.ceil(share * self.sizes[pairs % len(self.keys)] - 1e-9)
        pairs, held = pairs[held >= need], held[held >= need]
        evidence = _Evidence(self, frame, np.unique(pairs // len(self.keys)))
        found: list[Overlap] = []
        for pair, number in zip(pairs.tolist(), held.tolist(), strict=True):
            at_row, at_key = divmod(pair, len(self.keys))
            eval_row, part = self.keys[at_key]
            field, span = evidence.of(at_row, at_key)
            found.append(Overlap(evidence.names[at_row], eval_row, part, number / int(self.sizes[at_key]), field, span))
        return found


class _Evidence:
    """Where the shared n-grams of some rows stand.

    Args:
        wanted: the n-grams.
        frame: all rows.
        rows: numbers of those that share some.
    """

    def __init__(self, wanted: _Wanted, frame: pl.DataFrame, rows: Numbers):
        from sluice.curate.kernel.fold import fold
        from sluice.curate.leaks.scan import windows

        self.wanted = wanted
        part = frame[rows.tolist()]
        self.names = dict(zip(rows.tolist(), part["row"], strict=True))
        self.fields: list[str] = []
        self.texts: dict[int, list[int]] = {}
        raw: list[str] = []
        for some in row_texts(part):
            for number, field in zip(some.rows, some.fields, strict=True):
                self.texts.setdefault(int(rows[number]), []).append(len(self.fields))
                self.fields.append(field)
            raw += some.texts
        self.words = fold(raw)
        self.at, hashes = windows(self.words, wanted.n)
        self.grams = wanted.scanner.number(hashes)
        """The known n-gram of each window, -1: none."""

    def of(self, row: int, key: int) -> tuple[str, str]:
        """Return (field, the longest run of shared words) in the first text of a row that shares n-grams."""
        for text in self.texts[row]:
            low, high = np.searchsorted(self.at, [text, text + 1])
            best = run = 0
            end = -1
            for place, gram in enumerate(self.grams[low:high].tolist()):
                run = run + 1 if gram >= 0 and self._holds(gram, key) else 0
                if run > best:
                    best, end = run, place
            if best:
                words = self.words.text(text)[0].split(" ")
                return self.fields[text], " ".join(words[end - best + 1 : end + self.wanted.n])
        raise AssertionError("a pair without a hit")

    def _holds(self, gram: int, key: int) -> bool:
        wanted = self.wanted
        return key in wanted.members[wanted.starts[gram] : wanted.starts[gram + 1]]


def _not_boilerplate(texts: Sequence[str], at: Numbers, n: int, relation: Relation) -> Mask:
    """Return which n-grams hold at least one word 3-gram that is no boilerplate."""
    stays = np.ones(len(at), dtype=bool)
    if not len(relation.boilerplate.hashes) or not len(at):
        return stays
    for number in map(int, np.unique(at)):
        known = np.isin(word_ngrams([texts[number]])[0], relation.boilerplate.hashes)
        inside = np.convolve(known, np.ones(n - 2, dtype=np.int64), "valid")
        stays[at == number] = inside < n - 2
    return stays
