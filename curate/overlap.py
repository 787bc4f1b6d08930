"""N-gram overlap: which rows share long word sequences with an eval row. Stricter than the one relation, on request.

The ways of the reports on large models, over words as `normalise` makes them:

    any shared n-gram of 8 to 13 words    GPT-3 (Brown et al. 2020, arXiv 2005.14165, appendix C): n is the 5th
                                          percentile of a benchmark's lengths, at least 8; training was cleaned by 13
    70% of the 8-grams                    PaLM (Chowdhery et al. 2022, arXiv 2204.02311, section 8): `share` 0.7

GPT-3 passes over n-grams that more than ten documents hold; here those that are nothing but pinned boilerplate are
left out, and the rows lost for each eval row are shown. Question and answer are counted apart, and n-grams never cross
from one field into the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from sluice.core.errors import UsageError
from sluice.core.progress import Progress
from sluice.core.rows import AnyRow
from sluice.curate.row_texts import ANSWERS, row_texts
from sluice.curate.similarity import Mask, Numbers, Relation, normalise, spread, word_ngrams

if TYPE_CHECKING:
    import polars as pl

    from sluice.curate.folding import Block

FEWEST_WORDS = 5
"""Below, n-grams are phrases of a language and say nothing of a copy."""
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
    found: list[Overlap] = []
    if wanted.keys:
        from sluice.curate.folding import blocks

        for done, some in blocks(frame, BATCH):
            found += wanted.in_blocks(frame, some, share)
            if progress is not None:
                progress(f"{n}-grams", done, frame.height)
    return Overlaps(tuple(found), wanted.too_short)


class _Wanted:
    """The n-grams of eval rows, by row and part."""

    def __init__(self, eval_rows: Sequence[AnyRow], n: int, relation: Relation):
        from sluice.curate.kernel.fold import fold
        from sluice.curate.scan import Scanner, windows

        self.n = n
        texts: list[str] = []
        owner: list[tuple[int, Part]] = []
        for number, row in enumerate(eval_rows):
            for name, text in row.texts().items():
                if text:
                    texts.append(text)
                    owner.append((number, "answer" if name in ANSWERS else "question"))
        at, hashes = windows(fold(texts), n)
        stays = _not_boilerplate([normalise(text) for text in texts], at, n, relation)
        at, hashes = at[stays], hashes[stays]
        self.scanner = Scanner(hashes, n)
        numbers = self.scanner.number(hashes)
        self.keys = sorted({owner[t] for t in np.unique(at).tolist()})
        place = {key: i for i, key in enumerate(self.keys)}
        of = np.array([place[owner[t]] for t in at.tolist()], dtype=np.int64)
        pairs = np.unique(np.stack([numbers, of]), axis=1) if len(of) else np.zeros((2, 0), dtype=np.int64)
        self.members: Numbers = pairs[1]
        self.starts: Numbers = np.searchsorted(pairs[0], np.arange(len(self.scanner.known) + 1))
        self.sizes: Numbers = np.bincount(pairs[1], minlength=len(self.keys))
        self.too_short = len(eval_rows) - len({number for number, _ in self.keys})

    def in_blocks(self, frame: pl.DataFrame, some: Sequence[Block], share: float | None) -> list[Overlap]:
        """Return the overlaps of some texts of a frame's rows."""
        hits = [(block.rows[at], grams) for block in some for at, grams in [self.scanner.hits(block.segments)]]
        rows = np.concatenate([row for row, _ in hits]) if hits else np.empty(0, dtype=np.int64)
        if not len(rows):
            return []
        row, gram = np.unique(np.stack([rows, np.concatenate([gram for _, gram in hits])]), axis=1)
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
        from sluice.curate.scan import windows

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
