"""How varied a set is: the share of distinct words and word pairs, and of rows that are nearly another row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluice.core.rows import Example
from sluice.curate.checks.base import Check, CheckContext, CheckSpec, Examples, Finding, Found, file_check, rows_of

if TYPE_CHECKING:
    import polars as pl

BUDGET = 5_000
"""Words that are looked at: distinct-n falls with the number of words, so that only equal amounts can be compared."""
FEWEST_WORDS = 1_000
"""Words, below which nothing is said."""
SEED = 1  # which rows are looked at: the same ones each time


@file_check
class Diversity(Check):
    """Inputs or answers in ever the same words."""

    spec = CheckSpec(
        name="diversity",
        severity="warn",
        what="inputs, or answers in prose, are made of ever the same pairs of words",
        threshold=f"distinct-2 under {{limit}} over {BUDGET:,} words of rows drawn at random ({FEWEST_WORDS:,} at "
        f"least)",
        limit=0.1,
        source="Li et al. 2016, arXiv 1510.03055 (distinct-n); measured at this amount: 13,784 requests written by "
        "people "
        "0.63, 1,586 tickets put together from phrases 0.59",
        measures=True,
        remedy="sluice dedup {dataset}; or add rows in other words: sluice add {dataset} FILE",
    )

    def find(self, context: CheckContext) -> Found:
        """Return what is poor in words as findings about the set."""
        import polars as pl

        frame = context.columns.frame
        sides = {
            "inputs": frame["asked"],
            "answers": frame.filter(pl.col("kind") != "text")["prose"].drop_nulls(),
        }
        figures: dict[str, Any] = {}
        findings: list[Finding] = []
        for name, texts in sides.items():
            found = distinct(texts)
            if found is None:
                continue
            figures[name] = found
            if found["distinct_2"] < self.limit(context):
                detail = (
                    f"{name}: {found['distinct_2']:.0%} of the word pairs are distinct, over {found['words']:,} words"
                )
                findings.append(Finding(row=None, detail=detail))
        if not figures:
            return Found(missing=(f"{FEWEST_WORDS:,} words of inputs or answers",))
        said = "; ".join(f"{name}: distinct-2 {value['distinct_2']:.2f}" for name, value in figures.items())
        return Found(findings, said, figures)

    def examples(self) -> Examples:
        """Return one message with changing figures, and words of many kinds."""
        same = [Example(input={"text": f"please look at my order and tell me where it is now {i}"}) for i in range(200)]
        words = [f"{a}{b}{c}" for a in "bdfgklmn" for b in "aeiou" for c in "lmnrst"]
        varied = [
            Example(input={"text": " ".join(words[(i * k * k + 7 * k) % len(words)] for k in range(3, 15))})
            for i in range(150)
        ]
        return Examples(found=CheckContext(same), ok=CheckContext(varied))


def distinct(texts: pl.Series) -> dict[str, Any] | None:
    """Return distinct-1 and distinct-2 over BUDGET words of texts drawn from a seed; None where there are too few
    words.

    Args:
        texts: of any number of rows; n-grams never cross from one text into the next.
    """
    import polars as pl

    drawn = texts.sample(fraction=1.0, shuffle=True, seed=SEED).head(BUDGET)
    words = (
        pl.DataFrame({"text": drawn})
        .with_row_index("n")
        .select("n", word=pl.col("text").str.to_lowercase().str.extract_all(r"[\p{L}\p{M}\p{N}']+"))
        .explode("word")
        .drop_nulls("word")
        .head(BUDGET)
    )
    if words.height < FEWEST_WORDS:
        return None
    pairs = words.with_columns(then=pl.col("word").shift(-1).over("n")).drop_nulls("then")
    return {
        "words": words.height,
        "distinct_1": round(words["word"].n_unique() / words.height, 4),
        "distinct_2": round(pairs.select("word", "then").n_unique() / max(pairs.height, 1), 4),
    }


@file_check
class NearDuplicates(Check):
    """Rows whose input is nearly another's: `dedup` says which, this says how many."""

    spec = CheckSpec(
        name="near-duplicates",
        severity="warn",
        what="too many rows are nearly another row, input and answer",
        threshold="{limit} of the rows have a near-equal row before them (similarity version 1: Jaccard 0.7), input "
        "and "
        "answer both",
        limit=0.02,
        source="Lee et al. 2022, arXiv 2107.06499: 3% to 14% near-duplicates in common corpora, and what they cost",
        slow=True,
        remedy="sluice dedup {dataset}",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rate as one finding about the set."""
        share, count = _near_share(context)
        total = len(context.rows)
        figures = {"rows": count, "share": round(share, 4)}
        sentence = f"{rows_of(count, total)} are nearly another row ({share:.1%})"
        if share < self.limit(context):
            return Found(summary=sentence, figures=figures)
        return Found([Finding(row=None, detail=sentence)], sentence, figures)

    def examples(self) -> Examples:
        """Return one message twice in other case, and two messages."""
        asked = "My parcel has been on its way for two weeks and the tracking page shows nothing at all"
        rows = [
            Example(input={"text": asked}, target="delivery"),
            Example(input={"text": asked.upper()}, target="delivery"),
        ]
        other = Example(input={"text": "Why was I charged twice for the same lamp last Friday?"}, target="billing")
        return Examples(found=CheckContext(rows), ok=CheckContext([rows[0], other]))


def _near_share(context: CheckContext) -> tuple[float, int]:
    from sluice.curate.duplicates import dedup

    found = dedup(context.rows, progress=context.progress)
    return len(found.dropped) / len(context.rows), len(found.dropped)
