"""How far apart rows lie in meaning: where an embedding model is named, the spread of its vectors.

Words can differ where all say one thing: distinct-n (`diversity`) sees words, this sees what a model makes of them. Two
published figures of one sample: the mean cosine distance of two rows, and the Vendi score, the effective number of
different rows in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sluice.core.progress import Progress
from sluice.core.rows import Example
from sluice.curate.checks.base import Check, CheckContext, CheckSpec, Examples, Finding, Found, file_check

if TYPE_CHECKING:
    import numpy as np

MOST_ROWS = 2_000
"""Rows that are embedded, drawn by their hashes: the mean distance is then known to within 0.01, and a Vendi score
grows with the rows, so that only equal amounts can be compared."""
FEWEST_ROWS = 50
"""Rows, below which a spread says nothing."""


@file_check
class Spread(Check):
    """Inputs or answers that all mean nearly the same."""

    spec = CheckSpec(
        name="spread",
        severity="warn",
        what="inputs, or answers in prose, all lie close together in meaning",
        threshold=f"mean cosine distance of two rows under {{limit}}, over {MOST_ROWS:,} rows drawn by their hashes "
        f"({FEWEST_ROWS} at least), by the model that is named; a text longer than its window counts by its beginning",
        limit=0.35,
        limits=(0.0, 2.0),
        source="Tevet & Berant 2021, arXiv 2004.02990 (distance of sentence embeddings); Friedman & Dieng 2023, arXiv "
        "2210.02410 (Vendi score); measured with all-MiniLM-L6-v2: one sentence with other names in it 0.28, six "
        "wordings of one question 0.48, requests of one intent 0.61 to 0.83, of seven 0.86, support tickets 0.79",
        slow=True,
        measures=True,
        needs=frozenset({"model"}),
        remedy="sluice dedup {dataset} --semantic --model MODEL --dry-run; or add rows about other things: sluice add "
        "{dataset} FILE",
    )

    def find(self, context: CheckContext) -> Found:
        """Return what lies too close together as findings about the set."""
        import polars as pl

        from sluice.curate.sample import draw_order

        if context.embed is None:
            raise TypeError("spread was asked without a model")  # `run` asks for it
        frame = context.columns.frame
        sides = {
            "inputs": frame.select("i", text="input"),
            "answers": frame.filter(pl.col("kind") != "text").select("i", text="prose").drop_nulls("text"),
        }
        figures: dict[str, Any] = {}
        findings: list[Finding] = []
        for name, side in sides.items():
            spoken = side.filter(pl.col("text").str.contains(r"\S"))
            order = sorted(spoken["i"].to_list(), key=lambda i: draw_order(0, context.rows[i].row))[:MOST_ROWS]
            if len(order) < FEWEST_ROWS:
                continue
            said = dict(spoken.iter_rows())
            found = spread_of(context.embed([said[i] for i in order], context.progress))
            figures[name] = found | {"of": spoken.height}
            if found["mean_distance"] < self.limit(context):
                detail = f"{name}: mean cosine distance {found['mean_distance']:.2f} over {len(order):,} rows"
                findings.append(Finding(row=None, detail=detail))
        if not figures:
            return Found(missing=(f"{FEWEST_ROWS} inputs or answers in prose",))
        said_of = (
            f"{name}: mean cosine distance {one['mean_distance']:.2f}, Vendi score {one['vendi']:,.0f} of "
            f"{one['rows']:,} rows"
            for name, one in figures.items()
        )
        return Found(findings, "; ".join(said_of), figures | {"model": context.embed.name})

    def examples(self) -> Examples:
        """Return one message in sixty wordings, and messages that share nothing, to a model that counts letters."""
        same = [Example(input={"text": f"where is my order number {i}"}) for i in range(60)]
        letters = "abcdefghijklmnopqrstuvwxyz"
        other = [Example(input={"text": f"{letters[i % 26] * 5} {letters[(i * 7 + 3) % 26] * 3}"}) for i in range(60)]
        model = _Letters()
        return Examples(found=CheckContext(same, embed=model), ok=CheckContext(other, embed=model))


def spread_of(vectors: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return how far apart vectors lie: `rows`, `mean_distance` (0 to 2) and `vendi` (1 to the number of rows).

    The mean over all pairs of 1 - cosine follows from the length of the sum of the vectors. The Vendi score is exp of
    the entropy of the eigenvalues of K / n, where K holds the cosines; those of the (dimensions, dimensions) matrix
    X'X / n are the same but for zeros.

    Args:
        vectors: (rows, dimensions), each of length 1; two rows at least.
    """
    import numpy as np

    x = np.asarray(vectors, dtype=np.float64)
    n = len(x)
    total = x.sum(axis=0)
    mean = (float(total @ total) - float((x * x).sum())) / (n * (n - 1))
    gram = x.T @ x if x.shape[1] < n else x @ x.T
    values = np.linalg.eigvalsh(gram / n)
    shares = values[values > 1e-12]
    vendi = float(np.exp(-(shares * np.log(shares)).sum()))
    return {"rows": n, "mean_distance": round(1 - mean, 4), "vendi": round(vendi, 1)}


class _Letters:
    """A model for the examples: a text is how often it has each letter."""

    name = "letters"

    def __call__(self, texts: Sequence[str], progress: Progress | None = None) -> Any:
        import numpy as np

        counts = np.array([[text.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts], float)
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-12)
