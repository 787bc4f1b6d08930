"""What `decontaminate` says: what went and why, side by side with what it repeats, and what it cost."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sluice.curate.drops import ShownRow
from sluice.curate.similar.shared_words import Stretches

TOO_MANY = 0.01
"""Of the rows lost to one eval row: beyond, it is likelier a common phrase or a whole topic than a leak."""


class LostTo(BaseModel):
    """How many rows one eval row cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    eval_row: ShownRow
    where: str | None
    """FILE:LINE of a row that is not of this project."""
    rows: int
    share: float
    """Of all rows."""
    too_many: bool
    """Whether that is over 1%."""


class LeakShown(BaseModel):
    """A dropped row, the eval row that it repeats, and the words of both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: ShownRow
    eval_row: ShownRow
    where: str | None
    how: str
    """equal, near-equal, contained, group; n-grams, answer where they were asked for; document."""
    share: float
    """Jaccard, or the share of the eval row's n-grams that were found."""
    field: str
    span: str
    """What was found there, normalised."""
    row_text: str
    """The field of the row, as it stands."""
    eval_text: str
    """What it repeats, as it stands."""
    row_shared: Stretches
    eval_shared: Stretches
    """Where the shared words stand in the two texts: (from, to) in characters."""
    question: bool
    """Whether the eval row's input was found in the row."""
    answer: bool
    """Whether its answer was found among what the row teaches."""


class TextLeak(BaseModel):
    """A text of the project that holds an eval row: to be mended by a person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    eval_row: str
    how: str
    span: str


class Sides(BaseModel):
    """Dropped rows by the side of an eval row that they repeat."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: int
    """The input alone."""
    answer: int
    """The answer alone."""
    both: int
    neither: int
    """Rows of the same group, or changed into one another."""


class Asked(BaseModel):
    """What was looked for beyond the one relation, and what of it could not be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ngrams: int | None = None
    ngram_share: float | None = None
    """None: any one shared n-gram."""
    too_short_for_ngrams: int = 0
    """Eval rows without a text of that many words."""
    common_ngrams: int = 0
    """n-grams of eval rows that more than 10 rows hold: common phrases, passed over."""
    answers: bool = False
    answers_too_short: int = 0
    """Eval rows whose answer is under 8 words (40 characters)."""
    answers_shared: int = 0
    """Eval rows whose answer is JSON, or that of others, too: a label or a stock phrase, not a leak."""


class Neighbour(BaseModel):
    """A row near an eval row in meaning; reported, never dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    eval_row: ShownRow
    row: ShownRow
    cosine: float


class DecontaminateResult(BaseModel):
    """What `decontaminate` did, or would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    changed: bool
    rows_in: int
    rows: int
    dropped: int
    counts: dict[str, int]
    """Dropped rows by the way they repeat an eval row; a row that does in several counts for the strongest."""
    sides: Sides
    against: tuple[str, ...]
    """What the rows were held against."""
    eval_rows: int
    """How many rows (and paragraphs of documents) that is."""
    asked: Asked
    lost: tuple[LostTo, ...]
    """For each eval row that was repeated, the rows it cost, the dearest first."""
    warnings: tuple[str, ...]
    first_dropped: tuple[LeakShown, ...]
    texts: tuple[TextLeak, ...]
    """Prompts, schema, rubric and documents of the project that hold an eval row."""
    texts_read: tuple[str, ...] = ()
    nearest: tuple[Neighbour, ...] = ()
    """The nearest rows in meaning, where asked for: the nearest pairs first."""
    dry_run: bool = False
