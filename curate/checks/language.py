"""Languages: an answer in another one than its input, a row in another one than nearly all rows.

py3langid (Lui & Baldwin 2012, langid.py; a naive Bayes over byte n-grams, offline) names a language and a probability.
Short texts say nothing and are not judged: which ones is said in the figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sluice.core.rows import Example
from sluice.curate.checks.base import Check, CheckContext, CheckSpec, Examples, Found, file_check, rows_of, told
from sluice.curate.checks.columns import CODE
from sluice.curate.checks.langid import BATCH, classify_all

if TYPE_CHECKING:
    import polars as pl

FEWEST_CHARACTERS = 40
"""Letters and blanks of a text that is judged."""
CERTAIN = 0.9
"""Probability from which on a language counts: of 4,446 requests in English that reach it (of 8,181 of 40 letters or
more, full of names of songs and towns) none was taken for another language, and none of 1,583 messages."""
LOOKED_AT = 200
"""Characters of a text that are read: more change nothing and cost time."""
TRANSLATION = 0.2
"""Share of the rows whose answer is in another language, from which on that is the task."""
FEWEST_ROWS = 20
"""Rows judged, below which there is no main language."""
NOISE = r"https?://\S+|\S+@\S+|<[^>]{1,200}>|[^\p{L}\p{M}'’\s]+"
"""What belongs to no language: addresses, tags, figures, punctuation."""


class Languages(NamedTuple):
    """Languages by row."""

    asked: list[str | None]
    answers: list[str | None]

    @property
    def rows(self) -> list[str | None]:
        """That of the input, where it is not certain that of the answer."""
        return [a if a is not None else b for a, b in zip(self.asked, self.answers, strict=True)]


def languages_of(texts: Sequence[str | None], context: CheckContext | None = None) -> list[str | None]:
    """Return the ISO 639-1 code of each text's language, None where the text is too short or it is not certain.

    A capital of proper names, a product list or code is often not certain, and so not judged.
    """
    import polars as pl

    plain = pl.Series(texts, dtype=pl.String).str.replace_all(CODE, " ")
    plain = plain.str.replace_all(NOISE, " ").str.replace_all(r"\s+", " ").str.strip_chars().str.head(LOOKED_AT)
    wide = plain.str.len_bytes() >= 2 * plain.str.len_chars()  # scripts of two or three bytes say more in fewer letters
    enough = (plain.str.len_chars() >= FEWEST_CHARACTERS) | (wide & (plain.str.len_bytes() >= FEWEST_CHARACTERS))
    judged = sorted({text for text, long in zip(plain.to_list(), enough.to_list(), strict=True) if long and text})
    known: dict[str, str] = {}
    for first in range(0, len(judged), BATCH):
        if context is not None and context.progress:
            context.progress("telling languages", first, len(judged))
        some = judged[first : first + BATCH]
        known |= {
            text: language
            for text, (language, probability) in zip(some, classify_all(some), strict=True)
            if probability >= CERTAIN
        }
    return [known.get(text) if text is not None else None for text in plain.to_list()]


def row_languages(frame: pl.DataFrame, context: CheckContext | None = None) -> Languages:
    """Return the language of each row's input and of its answer in prose; None where it is not certain.

    Args:
        frame: of `checks.columns`, one line a row.
    """
    import polars as pl

    asked = languages_of(frame["asked"].to_list(), context)
    answers = languages_of(frame.select(pl.when(pl.col("kind") != "text").then("prose"))["prose"].to_list())
    return Languages(asked, answers)


@file_check
class Language(Check):
    """A row in a language that the set is not in, or an answer that leaves the language of its input."""

    spec = CheckSpec(
        name="language",
        severity="warn",
        what="the answer is in another language than the input, or the row than the set",
        threshold=f"by py3langid at a probability of {CERTAIN} on texts of {FEWEST_CHARACTERS} letters or more; a "
        f"set has a "
        f"main language where {{limit}} of its rows do; where over {TRANSLATION:.0%} of the answers leave the language "
        "of their input that is the task",
        limit=0.9,
        limits=(0.5, 1.0),
        source="Lui & Baldwin 2012 (langid.py); the probability: measured",
        remedy="sluice filter {dataset} --failing language",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows in the wrong language."""
        frame = context.columns.frame
        found = row_languages(frame, context)
        asked, answers, rows = found.asked, found.answers, found.rows
        both = [i for i, (a, b) in enumerate(zip(asked, answers, strict=True)) if a is not None and b is not None]
        counts = Counter(language for language in rows if language is not None)
        judged = sum(counts.values())
        if not judged:
            return Found(missing=(f"no text of {FEWEST_CHARACTERS} letters in a language that is certain",))
        details: dict[int, str] = {}
        crossed = [i for i in both if asked[i] != answers[i]]
        if crossed and (len(crossed) <= TRANSLATION * len(both) or len(both) < FEWEST_ROWS):
            details |= {i: f"the input is in {asked[i]}, the answer in {answers[i]}" for i in crossed}
        main, most = counts.most_common(1)[0]
        if judged >= FEWEST_ROWS and most >= self.limit(context) * judged:
            for i, language in enumerate(rows):
                if language is not None and language != main:
                    details.setdefault(i, f"in {language}, {most / judged:.0%} of the rows are in {main}")
        figures = {"languages": dict(counts.most_common()), "not_judged": frame.height - judged, "answers": len(both)}
        if not details:
            shown = ", ".join(f"{n:,} {language}" for language, n in counts.most_common(3))
            return Found(summary=f"{rows_of(judged, frame.height)} judged: {shown}", figures=figures)
        return told(context, details, judged, "are in an unexpected language", figures=figures)

    def examples(self) -> Examples:
        """Return a German answer to an English question, and one in its own language."""
        asked = "The tracking page has shown nothing at all for two weeks, and nobody answers my letters about it."
        german = (
            "Wir haben Ihre Anfrage erhalten und werden uns in den nächsten Tagen mit einer Antwort bei Ihnen melden."
        )
        english = "We have received your letter and will come back to you with an answer within the next few days."
        return Examples(
            found=CheckContext([Example(input={"text": asked}, target=german)]),
            ok=CheckContext([Example(input={"text": asked}, target=english)]),
        )
