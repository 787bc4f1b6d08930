"""The rows nearest to eval rows in meaning: a report for a person, never a reason to drop.

Embeddings find the paraphrases and translations that the one relation cannot, and much that is no leak at all: rows of
one narrow task are near each other by nature. So the nearest pairs are shown, and nothing is decided by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sluice.core.errors import InputError, UsageError
from sluice.core.progress import Progress
from sluice.core.rows import AnyRow, from_record, input_texts, to_record
from sluice.curate.drops import shown_row
from sluice.curate.embeddings import Embedder, load_embedder
from sluice.curate.leaks.result import Neighbour

if TYPE_CHECKING:
    import polars as pl

BATCH = 512  # texts embedded together
MOST = 50
"""Neighbours of one eval row that are worth a person's time."""


def nearest(
    frame: pl.DataFrame,
    eval_rows: Sequence[AnyRow],
    number: int,
    embed: Embedder,
    progress: Progress | None = None,
) -> tuple[Neighbour, ...]:
    """Return the rows of a frame whose inputs are nearest to the inputs of eval rows, by cosine of their embeddings.

    Args:
        frame: of rows.COLUMNS.
        eval_rows: whose neighbours are looked for.
        number: of neighbours of each eval row, up to 50.
        embed: a model of `load_model`.
        progress: called with (what, texts embedded, texts in all).

    Returns all of them, the nearest pair first.
    """
    import numpy as np

    rows = [from_record(record) for record in frame.iter_rows(named=True)]
    wanted = _embedded(embed, [_text(row) for row in eval_rows], "embedding eval rows", progress)
    best_score = np.full((len(eval_rows), number), -2.0, dtype=np.float32)
    best_row = np.zeros((len(eval_rows), number), dtype=np.int64)
    for low in range(0, len(rows), BATCH):
        batch = _embedded(embed, [_text(row) for row in rows[low : low + BATCH]], None, None)
        scores = np.concatenate([best_score, wanted @ batch.T], axis=1)
        places = np.concatenate(
            [best_row, np.broadcast_to(np.arange(low, low + len(batch)), (len(eval_rows), len(batch)))], axis=1
        )
        top = np.argsort(-scores, axis=1, kind="stable")[:, :number]
        best_score, best_row = np.take_along_axis(scores, top, 1), np.take_along_axis(places, top, 1)
        if progress is not None:
            progress("embedding rows", min(low + BATCH, len(rows)), len(rows))
    found = [
        Neighbour(
            eval_row=shown_row(to_record(eval_rows[i])),
            row=shown_row(to_record(rows[int(best_row[i, k])])),
            cosine=float(best_score[i, k]),
        )
        for i in range(len(eval_rows))
        for k in range(min(number, len(rows)))
    ]
    return tuple(sorted(found, key=lambda n: (-n.cosine, n.eval_row.row, n.row.row)))


def load_model(model: str | None, number: int) -> Embedder:
    """Return a model that embeds texts, by folder or id, that is asked for `number` neighbours of each eval row.

    Raises UsageError without a name or for a number that makes no sense, ModelNotFound where the model or the extra
    `semantic` is not here.
    """
    if not 0 < number <= MOST:
        raise UsageError(f"{number} neighbours of each eval row", where="--nearest", remedy=f"ask for 1 to {MOST}")
    if model is None:
        raise UsageError(
            "neighbours in meaning need a model that embeds texts",
            where="--nearest",
            remedy="--model FOLDER or --model ID, such as sentence-transformers/all-MiniLM-L6-v2",
        )
    return load_embedder(model, where="--nearest")


def _text(row: AnyRow) -> str:
    return "\n".join(input_texts(row.input).values())


def _embedded(embed: Embedder, texts: list[str], what: str | None, progress: Progress | None) -> Any:
    if not texts:
        raise InputError("there are no rows to embed", where="--nearest", remedy="sluice ls")
    if progress is not None and what:
        progress(what, 0, len(texts))
    return embed(texts)
