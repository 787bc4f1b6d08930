"""The part of `dedup` that asks a model: rows alike in meaning, with kept vectors, and what the result says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.wording import counted
from sluice.curate.drops import ShownRow
from sluice.curate.duplicates import DedupResult, Dropped, Rules
from sluice.curate.duplicates.meaning import BLOCK, InMeaning, check_cosine, in_meaning
from sluice.curate.duplicates.rules import NearPair
from sluice.curate.embeddings import Embedder, embedded

if TYPE_CHECKING:
    import polars as pl

FIRST = 5
COPIES = 4  # of the vectors at the peak: kept ones, new ones, in the order of rows, as they are written


@dataclass(frozen=True)
class Semantic:
    """What is asked: which model, and the least cosine."""

    model: Embedder
    cosine: float

    def __post_init__(self) -> None:
        check_cosine(self.cosine)


class MeaningPair(BaseModel):
    """Two rows and the cosine of their texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cosine: float
    row: ShownRow
    other: ShownRow
    """The row kept in its place, or the one beside which it stays."""


class SemanticPart(BaseModel):
    """What a model was asked about, and what it found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    identity: str
    """Hash of the model's weights, modules and tokenizer, by which its vectors are kept."""
    cosine: float
    rows: int
    """Rows that were compared."""
    embedded: int
    """Texts embedded now; those of the other rows were kept from before."""
    too_long: int
    """Rows that the model does not read to their end; they stay, and none goes for them."""
    window: int | None
    """Tokens that it reads."""
    dropped: int
    other_target: int
    """Rows alike in meaning to a kept row with another target; they stay."""
    memory_bytes: int
    """Estimate for the vectors and their products."""
    first_dropped: tuple[MeaningPair, ...]
    """The least alike of those dropped, by which a cosine can be chosen."""
    first_other_target: tuple[MeaningPair, ...]


@dataclass(frozen=True)
class Meaning:
    """What was found, before it is shown."""

    semantic: Semantic
    found: InMeaning
    new: int
    memory_bytes: int

    @property
    def parameters(self) -> dict[str, Any]:
        """What the operation says about it."""
        model = self.semantic.model
        return {"model": model.name, "identity": model.identity, "cosine": self.semantic.cosine}

    def pairs(self) -> tuple[tuple[NearPair, ...], tuple[NearPair, ...]]:
        """Return (the least alike pairs dropped, the first with another target)."""
        gone = [NearPair(d.row, d.kept, d.similarity) for d in self.found.result.dropped if d.cosine is not None]
        return tuple(sorted(gone, key=lambda p: (p.jaccard, p.row))[:FIRST]), self.found.other_target[:FIRST]

    def part(self, row: Callable[[str], ShownRow], drops: Sequence[Dropped]) -> SemanticPart:
        """Return what the result says.

        Args:
            row: a row by its hash.
            drops: the rows that go now.
        """
        gone, stay = (
            tuple(MeaningPair(cosine=p.jaccard, row=row(p.row), other=row(p.other)) for p in pairs)
            for pairs in self.pairs()
        )
        return SemanticPart(
            model=self.semantic.model.name,
            identity=self.semantic.model.identity,
            cosine=self.semantic.cosine,
            rows=self.found.compared,
            embedded=self.new,
            too_long=self.found.too_long,
            window=self.semantic.model.window,
            dropped=sum(d.cosine is not None for d in drops),
            other_target=len(self.found.other_target),
            memory_bytes=self.memory_bytes,
            first_dropped=gone,
            first_other_target=stay,
        )


def with_meaning(
    project: Project,
    found: DedupResult,
    frame: pl.DataFrame,
    fixed: Any,
    rules: Rules,
    semantic: Semantic,
    note: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> Meaning:
    """Return what goes when rows alike in meaning go, too (`duplicates.meaning`); vectors are kept in the project."""
    rows = frame.height + len(fixed)
    memory = COPIES * 4 * rows * semantic.model.dimensions + 6 * 4 * BLOCK * BLOCK * 4
    if note is not None:
        note(f"{counted(rows, 'row')} compared in meaning, about {memory / 1e6:,.0f} MB beside the model")
    new = 0

    def vectors(texts: Sequence[str]) -> Any:
        nonlocal new
        done = embedded(semantic.model, texts, project, progress)
        new = done.new
        return done.vectors

    reads = semantic.model.reads
    result = in_meaning(found, frame, fixed, rules, semantic.cosine, vectors, reads, progress)
    return Meaning(semantic, result, new, memory)
