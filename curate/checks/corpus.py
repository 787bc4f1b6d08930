"""The published rules for text corpora: Gopher's quality rules and repetition table, C4, FineWeb. For text rows only.

They were made for web pages of hundreds of words; on short instructions they would be wrong nearly always. So they look
at rows of kind `text`, and at other rows only where a caller says that the set is a corpus. A finding names the first
rule that is broken, with its figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.core.rows import AnyRow, Text
from sluice.curate.checks.base import Check, CheckContext, CheckSpec, Examples, Found, file_check, told
from sluice.curate.checks.repeats import over_table

if TYPE_CHECKING:
    import polars as pl

NONE = "no text rows (sluice audit --corpus holds every row against these rules)"
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
"""Gopher's eight: the rule knows English only."""
WORDS = (50, 100_000)
WORD_LENGTH = (3.0, 10.0)
SYMBOLS = 0.1
BULLETS = 0.9
ELLIPSES = 0.3
WITH_LETTER = 0.8
FEWEST_STOP_WORDS = 2
PUNCTUATED = 0.12
SHORT_LINES = 0.67
SHORT_LINE = 30
DUPLICATED = 0.01
NEWLINES = 0.3
FEWEST_C4_SENTENCES = 5
C4_LINE_WORDS = 3
_C4_END = r"""[.!?"'”’]\s*$"""
_C4_POLICY = (
    r"(?i)terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies"  # C4's own six phrases
)


def documents(context: CheckContext) -> pl.DataFrame | None:
    """Return the texts that count as documents (`i`, `text`), or None where there are none."""
    import polars as pl

    frame = context.columns.frame
    if not context.corpus:
        frame = frame.filter(pl.col("kind") == "text")
    texts = (
        pl.when(pl.col("kind") == "text")
        .then("input")
        .otherwise(pl.concat_str("input", "answer", separator="\n", ignore_nulls=True))
    )
    return frame.select("i", text=texts) if frame.height else None


def _first_broken(frame: pl.DataFrame, rules: dict[str, tuple[pl.Expr, pl.Expr]]) -> dict[int, str]:
    """Return, by `i`, the first rule that is broken and its figure.

    Args:
        rules: by name the figure, and whether it breaks the rule (over the same columns).
    """
    import polars as pl

    named = list(rules)
    looked = frame.select(
        "i",
        **{f"f{n}": rules[name][0].cast(pl.Float64) for n, name in enumerate(named)},
        **{f"b{n}": rules[name][1] for n, name in enumerate(named)},
    )
    found: dict[int, str] = {}
    for n, name in enumerate(named):
        for i, figure in looked.filter(pl.col(f"b{n}")).select("i", f"f{n}").iter_rows():
            found.setdefault(i, f"{name}: {figure:,.4g}")
    return found


@file_check
class Gopher(Check):
    """Gopher's quality rules: the shape of words and lines that prose has."""

    spec = CheckSpec(
        name="gopher",
        severity="warn",
        what="a text breaks one of Gopher's quality rules",
        threshold=f"{WORDS[0]} to {WORDS[1]:,} words; mean word of {WORD_LENGTH[0]:g} to {WORD_LENGTH[1]:g} "
        f"characters; "
        f"# and ellipses for {SYMBOLS} of the words at most; {BULLETS} of the lines with a bullet, {ELLIPSES} with an "
        f"ellipsis at most; {WITH_LETTER} of the words with a letter; {FEWEST_STOP_WORDS} of {', '.join(STOP_WORDS)}",
        source="Rae et al. 2021, arXiv 2112.11446, A.1.1",
        remedy="sluice filter {dataset} --failing gopher",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the texts that break a rule."""
        import polars as pl

        frame = documents(context)
        if frame is None:
            return Found(missing=(NONE,))
        text = pl.col("text")
        words = pl.max_horizontal(text.str.count_matches(r"\S+"), 1)
        lines = pl.max_horizontal(text.str.count_matches(r"(?m)^.*\S.*$"), 1)
        mean = text.str.replace_all(r"\s+", "").str.len_chars() / words
        hashes, dots = text.str.count_matches("#") / words, text.str.count_matches(r"\.\.\.|…") / words
        bullets = text.str.count_matches(r"(?m)^\s*[•‣▶◀◦■□▪▫–*-]") / lines
        ellipses = text.str.count_matches(r"(?m)(?:\.\.\.|…)\s*$") / lines
        letters = text.str.count_matches(r"\S*\p{L}\S*") / words
        stops = sum((text.str.contains(rf"(?i)\b{word}\b").cast(pl.Int32) for word in STOP_WORDS), pl.lit(0))
        details = _first_broken(
            frame,
            {
                "words": (words, ~words.is_between(*WORDS)),
                "mean word length": (mean, ~mean.is_between(*WORD_LENGTH)),
                "hashes a word": (hashes, hashes > SYMBOLS),
                "ellipses a word": (dots, dots > SYMBOLS),
                "lines with a bullet": (bullets, bullets > BULLETS),
                "lines that end in an ellipsis": (ellipses, ellipses > ELLIPSES),
                "words with a letter": (letters, letters < WITH_LETTER),
                "stop words": (stops, stops < FEWEST_STOP_WORDS),
            },
        )
        return told(context, details, frame.height, "break a quality rule of Gopher")

    def examples(self) -> Examples:
        """Return a text of figures, and a text of prose."""
        return Examples(found=CheckContext([Text(input={"text": "12 34 56 " * 30})]), ok=CheckContext([_prose()]))


@file_check
class GopherRepetition(Check):
    """Gopher's repetition table: lines, paragraphs and n-grams that come again and again."""

    spec = CheckSpec(
        name="gopher-repetition",
        severity="warn",
        what="a text repeats its lines, paragraphs or phrases",
        threshold="repeated lines .30, paragraphs .30, their characters .20; commonest 2-, 3-, 4-gram .20, .18, .16 "
        "of the "
        "characters; repeated 5- to 10-grams .15 down to .10",
        source="Rae et al. 2021, arXiv 2112.11446, table A1",
        remedy="sluice filter {dataset} --failing gopher-repetition",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the texts over one of the shares."""
        frame = documents(context)
        if frame is None:
            return Found(missing=(NONE,))
        place = frame["i"].to_list()
        details = {place[n]: detail for n, detail in over_table(frame["text"]).items()}
        return told(context, details, frame.height, "repeat themselves beyond Gopher's table")

    def examples(self) -> Examples:
        """Return one line five times, and a text of prose."""
        line = "Buy now and save a lot of money on all of our products today!\n"
        return Examples(found=CheckContext([Text(input={"text": line * 5})]), ok=CheckContext([_prose()]))


@file_check
class C4(Check):
    """C4's rules for pages. It drops single lines as well; here a text is named for what would be left of it."""

    spec = CheckSpec(
        name="c4",
        severity="warn",
        what="a text would not be left in C4",
        threshold=f"it holds `lorem ipsum`, `javascript` or a brace, or fewer than {FEWEST_C4_SENTENCES} lines or "
        f"sentences "
        f"that end in a mark and have {C4_LINE_WORDS} words, lines on cookies and terms of use left out",
        source="Raffel et al. 2020, arXiv 1910.10683, 2.2",
        remedy="sluice filter {dataset} --failing c4",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the texts that C4 drops."""
        import polars as pl

        frame = documents(context)
        if frame is None:
            return Found(missing=(NONE,))
        lines = (
            frame.select("i", line=pl.col("text").str.split("\n"))
            .explode("line")
            .filter(
                pl.col("line").str.contains(_C4_END)
                & ~pl.col("line").str.contains(r"(?:\.\.\.|…)\s*$")
                & (pl.col("line").str.count_matches(r"\S+") >= C4_LINE_WORDS)
                & ~pl.col("line").str.contains(_C4_POLICY)
                & ~pl.col("line").str.contains("(?i)javascript")
            )
            .group_by("i")
            .agg(sentences=pl.col("line").str.count_matches(r"[.!?]+(?:[\s\"'”’)]|$)").sum())
        )
        looked = frame.join(lines, on="i", how="left").with_columns(pl.col("sentences").fill_null(0))
        text, sentences, none = pl.col("text"), pl.col("sentences"), pl.lit(None, dtype=pl.Float64)
        details = _first_broken(
            looked,
            {
                "lorem ipsum": (none.fill_null(1), text.str.contains("(?i)lorem ipsum")),
                "braces": (text.str.count_matches(r"[{}]"), text.str.contains(r"[{}]")),
                "sentences left": (sentences, sentences < FEWEST_C4_SENTENCES),
            },
        )
        return told(context, details, frame.height, "would not be left in C4")

    def examples(self) -> Examples:
        """Return a menu, and a text of prose."""
        return Examples(
            found=CheckContext([Text(input={"text": "Home\nAbout us\nContact\nLog in"})]), ok=CheckContext([_prose()])
        )


@file_check
class FineWeb(Check):
    """FineWeb's own rules, beside those of Gopher and C4: lists and menus that pass for text."""

    spec = CheckSpec(
        name="fineweb",
        severity="warn",
        what="a text breaks one of FineWeb's rules",
        threshold=f"lines that end in a mark {PUNCTUATED} at least, lines of {SHORT_LINE} characters or less "
        f"{SHORT_LINES} at most, characters in repeated lines {DUPLICATED} at most, line breaks a word {NEWLINES} at "
        f"most",
        source="Penedo et al. 2024, arXiv 2406.17557, 3.5, and datatrove's FineWebQualityFilter",
        remedy="sluice filter {dataset} --failing fineweb",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the texts that break a rule."""
        import polars as pl

        from sluice.curate.checks.repeats import line_shares

        frame = documents(context)
        if frame is None:
            return Found(missing=(NONE,))
        text = pl.col("text").str.strip_chars()
        lines = pl.max_horizontal(text.str.count_matches(r"(?m)^.*\S.*$"), 1)
        marked = text.str.count_matches(r"(?m)[.!?…。！？\"'”’:;]\s*$") / lines
        short = text.str.count_matches(rf"(?m)^\s*\S.{{0,{SHORT_LINE - 1}}}$") / lines
        words = pl.max_horizontal(text.str.count_matches(r"\S+"), 1)
        breaks = text.str.count_matches("\n") / words
        again = frame.with_columns(again=pl.Series(line_shares(frame["text"])["characters in lines"]))
        details = _first_broken(
            again,
            {
                "lines that end in a mark": (marked, marked < PUNCTUATED),
                "short lines": (short, short > SHORT_LINES),
                "characters in repeated lines": (pl.col("again"), pl.col("again") > DUPLICATED),
                "line breaks a word": (breaks, breaks > NEWLINES),
            },
        )
        return told(context, details, frame.height, "break a rule of FineWeb")

    def examples(self) -> Examples:
        """Return a menu, and a text of prose."""
        return Examples(
            found=CheckContext([Text(input={"text": "Home\nAbout us\nContact\nLog in"})]), ok=CheckContext([_prose()])
        )


def _prose() -> AnyRow:
    return Text(
        input={
            "text": "The river rises in the hills to the north of the town and runs through it from end to end. In "
            "spring "
            "it carries so much water that the meadows below the bridge have to be closed for weeks. People who live "
            "there have learned to build on posts. An old mill, which nobody has used since the war, stands with its "
            "feet in the stream. Every few years somebody wants to turn it into a museum, and every time the money "
            "runs out before the roof is mended. Children know it as a place where one can fish."
        }
    )
