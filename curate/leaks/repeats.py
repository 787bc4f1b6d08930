"""Which rows repeat which eval rows, by every way that was asked for; one answer for each row, the strongest way.

The one relation always; n-grams and answers on request; rows that stand in a document. It decides nothing: who drops
what is the business of `sluice.curate.leaks.decontaminate`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from sluice.core.errors import UsageError
from sluice.core.progress import Progress
from sluice.core.rows import AnyRow, Text
from sluice.curate.leaks.against import Reference
from sluice.curate.leaks.in_documents import leaks_of_documents
from sluice.curate.leaks.in_frame import leaks_in_frame
from sluice.curate.leaks.overlap import FEWEST_WORDS, is_structured, ngram_overlap
from sluice.curate.similar.row_texts import ANSWERS
from sluice.curate.similar.similarity import LONG_CHARACTERS, SHORT_WORDS, Relation, is_short, normalise

if TYPE_CHECKING:
    import polars as pl

How = Literal["equal", "near-equal", "contained", "group", "document", "n-grams", "answer"]
_ORDER = {how: place for place, how in enumerate(How.__args__)}  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Wish:
    """What is asked for beyond the one relation."""

    ngrams: int | None = None
    ngram_share: float | None = None
    answers: bool = False

    def check(self) -> None:
        """Raise UsageError for what makes no sense, before anything is read."""
        if self.ngram_share is not None and self.ngrams is None:
            raise UsageError("a share of which n-grams?", where="--ngram-share", remedy="--ngrams 8 --ngram-share 0.7")
        if self.ngrams is not None and self.ngrams < FEWEST_WORDS:
            raise UsageError(
                f"{self.ngrams} words are a phrase, not a copy", where="--ngrams", remedy="--ngrams 8, or --ngrams 13"
            )
        if self.ngram_share is not None and not 0 < self.ngram_share <= 1:
            raise UsageError(
                f"{self.ngram_share} is no share",
                where="--ngram-share",
                remedy="give one above 0 up to 1, such as 0.7",
            )


@dataclass(frozen=True)
class Repeat:
    """A row that repeats an eval row, and how."""

    row: str
    eval_row: str
    how: How
    share: float
    field: str
    span: str
    where: str | None = None
    """FILE:LINE of an eval row that is not of the project; the name of a document that holds the row."""
    part: Literal["question", "answer"] = "question"
    """Which side of the eval row was found."""

    @property
    def detail(self) -> str:
        """What is kept beside the dropped row, for people."""
        return f"{f'{self.where}, ' if self.where else ''}{self.field}: {self.span}"

    @property
    def rank(self) -> tuple[int, float]:
        """Order of strength, the strongest first."""
        return _ORDER[self.how], -self.share


@dataclass(frozen=True)
class Repeats:
    """Every repeat that was found."""

    strongest: tuple[Repeat, ...]
    """One for each row, in the order of the rows."""
    lost: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """(where, eval row) to rows that repeat it in any way; a row can count for several eval rows."""
    too_short: int = 0
    common: int = 0
    """n-grams passed over because more than 10 rows hold them."""
    answers_too_short: int = 0
    answers_shared: int = 0


def find_repeats(
    frame: pl.DataFrame,
    held: Sequence[Reference],
    relation: Relation,
    edges: Sequence[tuple[str, str]] = (),
    wish: Wish | None = None,
    progress: Progress | None = None,
) -> Repeats:
    """Return which rows of a frame of rows.COLUMNS repeat which rows of the references.

    Args:
        frame: the rows that are searched.
        held: what they are held against; where two of them hold a row, the first one names it.
        relation: with its boilerplate.
        edges: (old, new) row hashes of changes.
        wish: what is asked for beyond the relation.
        progress: called with (what, done, total).
    """
    wish = wish or Wish()
    places: dict[str, str | None] = {}
    eval_rows: dict[str, AnyRow] = {}
    groups: dict[str, list[str]] = {}
    for one in held:
        for row in one.rows:
            eval_rows.setdefault(row.row, row)
            places.setdefault(row.row, one.places.get(row.row))
        groups |= {row: values for row, values in one.groups.items() if values}
    rows = list(eval_rows.values())
    found: list[Repeat] = [
        Repeat(x.row, x.eval_row, x.how, x.share, x.field, x.span, places[x.eval_row])
        for x in leaks_in_frame(frame, rows, relation, groups, edges, progress)
    ]
    too_short, common, tally = 0, 0, Counter[str]()
    if wish.ngrams is not None:
        overlaps = ngram_overlap(frame, rows, wish.ngrams, wish.ngram_share, relation, progress)
        too_short, common = overlaps.too_short, overlaps.common
        for x in overlaps.found:
            name = rows[x.eval_row].row
            found.append(Repeat(x.row, name, "n-grams", x.share, x.field, x.span, places[name], x.part))
    if wish.answers:
        found += _with_answers(frame, rows, places, relation, tally, progress)
    found += _in_documents(frame, held, relation, progress)
    order = {row: place for place, row in enumerate(frame["row"])}
    best: dict[str, Repeat] = {}
    for one in found:
        if one.row not in best or one.rank < best[one.row].rank:
            best[one.row] = one
    lost = Counter((where or "", eval_row) for _, where, eval_row in {(x.row, x.where, x.eval_row) for x in found})
    return Repeats(
        tuple(sorted(best.values(), key=lambda x: order[x.row])),
        dict(lost),
        too_short,
        common,
        tally["short"],
        tally["shared"],
    )


def _with_answers(
    frame: pl.DataFrame,
    eval_rows: Sequence[AnyRow],
    places: Mapping[str, str | None],
    relation: Relation,
    tally: Counter[str],
    progress: Progress | None,
) -> list[Repeat]:
    """Return the rows that hold an eval row's answer, by the relation. An answer of several inputs is no leak."""
    said: dict[str, list[AnyRow]] = {}
    for row in eval_rows:
        for text in answers_of(row):
            said.setdefault(normalise(text), []).append(row)
    long = {text: rows for text, rows in said.items() if _long_enough(text)}
    tally["short"] = sum(len(rows) for text, rows in said.items() if text not in long)
    lone = {
        text: rows[0]
        for text, rows in long.items()
        if len({row.input_hash for row in rows}) == 1 and not any(map(is_structured, answers_of(rows[0])))
    }
    tally["shared"] = sum(len(rows) for text, rows in long.items() if text not in lone)
    asked = {Text(input={"text": text}).row: row for text, row in lone.items()}
    texts = [Text(input={"text": text}) for text in lone]
    return [
        Repeat(x.row, (row := asked[x.eval_row]).row, "answer", x.share, x.field, x.span, places[row.row], "answer")
        for x in leaks_in_frame(frame, texts, relation, progress=progress)
    ]


def answers_of(row: AnyRow) -> list[str]:
    """Return what a row teaches to answer."""
    return [text for name, text in row.texts().items() if name in ANSWERS and name != "rejected"]


def _long_enough(text: str) -> bool:
    return len(text) >= LONG_CHARACTERS if is_short((text,)) else text.count(" ") + 1 >= SHORT_WORDS


def _in_documents(
    frame: pl.DataFrame, held: Sequence[Reference], relation: Relation, progress: Progress | None
) -> list[Repeat]:
    """Return the rows whose input stands in a document."""
    named = {one.name: one.document for one in held if one.document is not None}
    if not named:
        return []
    leaks = leaks_of_documents(frame, named, relation, progress)
    return [Repeat(x.eval_row, x.row, "document", x.share, "input", x.span, x.row) for x in leaks]
