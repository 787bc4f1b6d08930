"""Preference rows: what tells chosen and rejected apart should be their worth, not their length or a comma."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sluice.core.rows import Preference
from sluice.curate.checks.base import (
    Check,
    CheckContext,
    CheckSpec,
    Examples,
    Finding,
    Found,
    file_check,
    rows_of,
    told,
)
from sluice.curate.checks.columns import cut, folded

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

NONE = "no preference rows"
FEWEST_PAIRS = 20
"""Pairs, below which nothing is said of all of them: a d of 0.5 has an interval of +-0.9 on 10."""
SURE = 1.96
"""Standard errors that d has to lie above its threshold's half: two-sided 95%."""
PREFIX = 20
"""Characters of a beginning that chosen and rejected share, from which on it is no chance."""
MOSTLY = 0.8
"""Share of the pairs that begin alike, from which on the prompt was left in the answers."""


def pairs_of(context: CheckContext) -> pl.DataFrame:
    """Return the preference rows: `i`, `chosen`, `rejected` and both folded (`a`, `b`)."""
    import polars as pl

    frame = context.columns.frame.filter(pl.col("kind") == "preference")
    return frame.select("i", chosen="answer", rejected="rejected", a=folded("answer"), b=folded("rejected"))


def sizes_of(pairs: pl.DataFrame) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return how long the chosen and the rejected answers are, in words and marks: close to tokens, in JSON too."""
    import polars as pl

    sizes = pairs.select(pl.col("chosen", "rejected").str.count_matches(r"\w+|[^\w\s]").cast(pl.Float64))
    return sizes["chosen"].to_numpy(), sizes["rejected"].to_numpy()


@file_check
class NearPairs(Check):
    """Two answers that differ in next to nothing: the pair teaches noise. Equal ones are `pairs`."""

    spec = CheckSpec(
        name="near-pairs",
        severity="warn",
        what="chosen and rejected are almost the same answer",
        threshold="they differ in case, blanks or punctuation only, or their n-grams have a Jaccard of {limit} or more "
        "(similarity version 1)",
        limit=0.9,
        limits=(0.7, 1.0),
        source="pairs of small edit distance lower the loss without telling good from bad (Pal et al. 2024, "
        "DPO-Positive, "
        "arXiv 2402.13228); the number is ours, above this project's near-equal of 0.7",
        remedy="sluice filter {dataset} --failing near-pairs",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the pairs that are almost equal, but not equal."""
        import polars as pl

        from sluice.curate.checks.empty import folded as same
        from sluice.curate.similar.similarity import Relation

        pairs = pairs_of(context)
        if not pairs.height:
            return Found(missing=(NONE,))
        relation, least = Relation(), self.limit(context)
        ratio = pl.min_horizontal(pl.col("a").str.len_chars(), pl.col("b").str.len_chars()) / pl.max_horizontal(
            pl.col("a").str.len_chars(), pl.col("b").str.len_chars(), 1
        )
        likely = pairs.filter((pl.col("a") == pl.col("b")) | (ratio >= least - 0.15))
        details: dict[int, str] = {}
        for i, chosen, rejected, a, b in likely.iter_rows():  # a Jaccard of two texts, of those alike in length only
            if same(chosen) == same(rejected):
                continue
            if a == b:
                details[i] = "chosen and rejected differ in case, blanks or punctuation only"
                continue
            share = relation.near_equal(chosen, rejected)
            if share is not None and share >= least:
                details[i] = f"chosen and rejected are {share:.0%} the same"
        return told(context, details, pairs.height, "prefer an answer to almost the same one")

    def examples(self) -> Examples:
        """Return two answers that differ in a mark, and two that say different things."""
        return Examples(
            found=CheckContext([_pair("No, it is closed on Sunday.", "No - it is closed on Sunday!")]),
            ok=CheckContext([_pair("No, it is closed on Sunday.", "Yes, from ten to four.")]),
        )


@file_check
class ChosenLonger(Check):
    """A length bias: a model tuned on these pairs learns to write long (or short), whatever it says."""

    spec = CheckSpec(
        name="chosen-longer",
        whole=True,
        severity="warn",
        what="chosen answers are far longer, or shorter, than rejected ones",
        threshold="Cohen's d of the lengths in words and marks at {limit} or more (either way), and its 95% interval "
        "above half of "
        f"that; from {FEWEST_PAIRS} pairs on",
        limit=0.5,
        limits=(0.0, 10.0),
        source="Cohen 1988: 0.5 is a medium effect; Singhal et al. 2023, arXiv 2310.03716: length explains most of the "
        "reward of such models",
        remedy="sluice show {dataset}; then pair answers of like length, or: sluice filter {dataset} EXPRESSION",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the bias as one finding about the set."""
        import numpy as np

        pairs = pairs_of(context)
        if pairs.height < FEWEST_PAIRS:
            return Found(missing=(NONE if not pairs.height else f"under {FEWEST_PAIRS} preference rows",))
        a, b = sizes_of(pairs)
        d = cohens_d(a, b)
        n = len(a)
        error = math.sqrt(2 / n + d * d / (4 * n))
        figures = {
            "cohens_d": round(d, 3),
            "standard_error": round(error, 3),
            "chosen_words": round(float(a.mean()), 1),
            "rejected_words": round(float(b.mean()), 1),
            "longer_is_chosen": round(float(np.mean(a > b)), 3),
            "length_auc": round(length_auc(a, b), 3),
        }
        sentence = (
            f"chosen answers have {a.mean():.0f} words and marks, rejected ones {b.mean():.0f} (d = {d:.2f}); "
            f"the longer one is chosen in {np.mean(a > b):.0%} of {rows_of(n)}; length alone explains the preference "
            f"with an AUC of {figures['length_auc']:.2f}"
        )
        least = self.limit(context)
        if abs(d) < least or abs(d) - SURE * error < least / 2:
            return Found(summary=sentence, figures=figures)
        return Found([Finding(row=None, detail=sentence)], sentence, figures)

    def examples(self) -> Examples:
        """Return pairs whose chosen answer is always the long one, and pairs of like length."""
        long, short = "It is open from ten to four on Sundays, but not on holidays.", "It is open then."
        return Examples(
            found=CheckContext([_pair(f"{long} {i}" + " so" * (i % 5), f"{short} {i}", i) for i in range(30)]),
            ok=CheckContext([_pair(*((long, short) if i % 2 else (short, long)), i) for i in range(30)]),
        )


def cohens_d(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    """Return the difference of two means over their pooled standard deviation (Cohen 1988, 2.2); inf where it is 0.

    Args:
        a, b: two samples of at least 2 values each.
    """
    import numpy as np

    gap = float(a.mean() - b.mean())
    variance = ((len(a) - 1) * np.var(a, ddof=1) + (len(b) - 1) * np.var(b, ddof=1)) / (len(a) + len(b) - 2)
    if variance == 0:
        return 0.0 if gap == 0 else math.copysign(LARGEST_D, gap)
    return gap / math.sqrt(float(variance))


def length_auc(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    """Return how well the difference of two lengths alone tells which answer was chosen: an AUC from 0.5 to 1.

    Each pair is shown both ways, as (a - b, chosen first) and (b - a, chosen second); the AUC of the difference is that
    of a logistic regression on it, which is monotone, and of either sign: a model that only counts words is the number
    to beat. 0.5: length says nothing. Mann-Whitney U over ranks, ties as a half (Hanley and McNeil 1982).

    Args:
        a, b: lengths of chosen and rejected answers, at least 1 pair.
    """
    import numpy as np

    gaps = a - b
    _, place, count = np.unique(np.concatenate([gaps, -gaps]), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    n = len(gaps)
    auc = float((ranks[:n].sum() - n * (n + 1) / 2) / (n * n))
    return max(auc, 1 - auc)


LARGEST_D = 1000.0
"""What stands for an infinite d, which JSON has no word for."""


@file_check
class SharedPrefix(Check):
    """Both answers of nearly every pair begin alike: the prompt, or turns before, were left in them."""

    spec = CheckSpec(
        name="shared-prefix",
        whole=True,
        severity="warn",
        what="chosen and rejected begin with the same text in nearly all pairs",
        threshold=f"{{limit}} of the pairs share their first {PREFIX} characters or more; from {FEWEST_PAIRS} pairs on",
        limit=MOSTLY,
        source="sets with an implicit prompt (HH-RLHF) hold it in both answers; TRL's extract_prompt takes it out",
        remedy="sluice show {dataset}; a set with its prompt in the answers is read by sluice add NAME FILE",
    )

    def find(self, context: CheckContext) -> Found:
        """Return what they share as one finding about the set."""
        import polars as pl

        pairs = pairs_of(context)
        if pairs.height < FEWEST_PAIRS:
            return Found(missing=(NONE if not pairs.height else f"under {FEWEST_PAIRS} preference rows",))
        alike = pairs.filter(
            (pl.col("chosen").str.head(PREFIX) == pl.col("rejected").str.head(PREFIX))
            & (pl.col("chosen").str.len_chars() > PREFIX)
            & (pl.col("a") != pl.col("b"))
        )
        share = alike.height / pairs.height
        figures = {"begin_alike": round(share, 4)}
        if share < self.limit(context):
            return Found(summary=f"{share:.0%} of the pairs begin alike", figures=figures)
        first = alike["chosen"][0]
        sentence = f"{share:.0%} of the pairs begin alike, as with {cut(first)!r}: was the prompt left in the answers?"
        return Found([Finding(row=None, detail=sentence)], sentence, figures)

    def examples(self) -> Examples:
        """Return transcripts with their prompt in front of both answers, and answers alone."""
        front = "Human: Is it open on Sunday?\n\nAssistant:"
        return Examples(
            found=CheckContext([_pair(f"{front} Yes, {i}.", f"{front} No, {i}.", i) for i in range(20)]),
            ok=CheckContext([_pair(f"Yes, from {i} on.", f"No, not before {i}.", i) for i in range(20)]),
        )


def _pair(chosen: str, rejected: str, number: int = 0) -> Preference:
    return Preference(input={"text": f"Is it open on Sunday? ({number})"}, chosen=chosen, rejected=rejected)
