"""Texts that run in circles: one character, one word or one phrase again and again, or Gopher's shares for long
texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from sluice.core.rows import Example, Text
from sluice.curate.checks.base import Check, CheckContext, CheckSpec, Examples, Found, file_check, told
from sluice.curate.checks.columns import cut
from sluice.curate.checks.repeats import LONGEST_LOOP, Words, over_table

if TYPE_CHECKING:
    import polars as pl

RUN = 20
"""Of one character: order numbers and drawn-out words ("soooo") stay below it."""
RULES = "-=_*.#~+<>/\\|·•…─━═ "
"""Characters that people draw lines with: a run of them counts only where it is half of the text."""
LONG = 50
"""Words from which on table A1 is meant: Gopher keeps no shorter document."""
TIMES_TABLE = 2
"""Times the shares of table A1, which was made for pages: in 20,000 answers with lists and examples of code 2.2% are
over
the table itself, rightly so."""
PHRASE_TIMES = 4
"""A phrase of 2 to 8 words that stands 4 times in a row, with nothing between."""
_RUN = re.compile(rf"([^\s])\1{{{RUN - 1},}}")


@file_check
class Repeated(Check):
    """Degenerate text, as a model leaves it that cannot stop; inputs are looked at for loops and runs only."""

    spec = CheckSpec(
        name="repeated",
        severity="warn",
        what="a text repeats itself: a run of one character, a loop of words, or more than language does",
        threshold=f"one character {RUN} times in a row (lines drawn with it apart), one word {{limit}} times, a "
        f"phrase of "
        f"2 to {LONGEST_LOOP} words {PHRASE_TIMES} times; from {LONG} words of prose on, twice the shares of Gopher's "
        f"table A1",
        limit=6,
        limits=(3, 1000),
        source="Rae et al. 2021, arXiv 2112.11446, table A1; runs and loops: measured on 15,000 real rows, none found",
        remedy="sluice filter {dataset} --failing repeated",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows with such a text."""
        import polars as pl

        times = int(self.limit(context))
        frame = context.columns.frame
        details: dict[int, str] = {}
        for field in ("input", "prose"):
            part = frame.select("i", "kind", text=pl.col(field)).drop_nulls("text")
            if field == "input":
                part = part.filter(pl.col("kind") != "text")
            place = part["i"].to_list()
            for n, detail in _circles(part["text"], times).items():
                details.setdefault(place[n], f"{'input' if field == 'input' else 'text'}: {detail}")
        answers = frame.filter((pl.col("words") >= LONG) & (pl.col("kind") != "text"))
        place = answers["i"].to_list()
        for n, detail in over_table(answers["prose"], TIMES_TABLE).items():
            details.setdefault(place[n], f"text: {detail}")
        return told(context, details, frame.height, "repeat themselves")

    def examples(self) -> Examples:
        """Return an answer that loops, and a list whose items begin alike."""
        asked = {"text": "Why is the sky blue?"}
        return Examples(
            found=CheckContext([Example(input=asked, target="It is because " + "the light is blue and " * 6)]),
            ok=CheckContext(
                [
                    Example(input=asked, target="No, no, no. Blue light is scattered more than red light is.\n-----"),
                    Text(input={"text": "ha ha ha " + "=" * 30 + " an end of some length, which is no line"}),
                ]
            ),
        )


def _circles(texts: pl.Series, times: int) -> dict[int, str]:
    """Return, by place, the run or loop of a text."""
    found: dict[int, str] = {}
    for n, text in enumerate(texts.to_list()):  # a run is a back reference, which no column engine knows
        run = _RUN.search(text)
        if run and (run[1] not in RULES or 2 * len(run[0]) >= len(text)):
            found[n] = f"{run[1]!r} {len(run[0])} times in a row"
    words = Words.of(texts)
    for period in range(1, LONGEST_LOOP + 1):
        counts = words.loops(period)
        for n in np.flatnonzero(counts >= (times if period == 1 else PHRASE_TIMES)).tolist():
            loop = _loop(texts[n], period, counts[n])
            if loop is not None:
                found.setdefault(n, f"{cut(loop, 40)!r} {counts[n]} times in a row")
    return found


def _loop(text: str, period: int, times: int) -> str | None:
    """Return the phrase that loops, where it holds a letter: rows of figures or dashes are tables."""
    words = text.split()
    folded = text.lower().split()
    for i in range(len(words) - period * times + 1):
        phrase = folded[i : i + period]
        if folded[i : i + period * times] == phrase * int(times):
            return " ".join(words[i : i + period]) if any(c.isalpha() for w in phrase for c in w) else None
    return None
