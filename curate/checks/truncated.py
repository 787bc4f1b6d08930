"""Answers that break off: in the middle of a sentence, at a length limit, with a fence, bracket or JSON left open."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from sluice.core.rows import Example
from sluice.curate.checks.base import Check, CheckContext, CheckSpec, Examples, Found, file_check, told
from sluice.curate.checks.columns import CODE, cut

if TYPE_CHECKING:
    import polars as pl

FEWEST = 20
"""Answers of one set, below which nothing is said of how its answers end."""
FEWEST_WORDS = 8
"""Words of an answer that can break off: shorter ones are headings and names."""
PILE = 3
"""Different texts of one and the same greatest length, all without an end: a field that was cut at its width."""
PILE_FLOOR = 100
"""Characters; below that a common greatest length is chance."""
MARKS = r"""[\p{Sentence_Terminal}…:;)\]}"'”’»›`*>|_~]|\p{Emoji_Presentation}|\p{Nd}"""
ENDS = rf"""(?:{MARKS})[\s\u200b\ufe0f]*$"""
MIDDLE = (
    r"(?:,|[^:;=8\s^'-][(\[{]|\s[-–—]|[a-z]{2}-|(?:^|\s)(?:the|an|and|or|but|of|because|including|my|your|their|und|oder|aber|dass|weil|"
    r"ein|eine|einen|ihre|ou|mais|parce "
    r"que|une|des|pero|porque|los|las|oppure|perché|della|em|uma|que|het|een|maar))\s*$"
)
"""A comma, an open bracket that is no smiley, a dash, half a word, or a word in small letters that no sentence ends
with."""
DASHED = r"(?:^|\s)-\w"
"""Something between dashes, which may well end in one."""
ELLIPSIS = r"(?:\.\.\.|…)\s*$"
_LAST_LINE = r"([^\n]*)\s*$"
USUAL_ELLIPSIS = 0.05
"""Share of answers that end in an ellipsis, up to which one is a sign of a cut."""


@file_check
class Truncated(Check):
    """A text that stops before its end."""

    spec = CheckSpec(
        name="truncated",
        severity="warn",
        what="the answer breaks off",
        threshold=f"prose of {FEWEST_WORDS} words or more that ends in a comma, an open bracket or a word like "
        f"`and`; or "
        f"without a closing mark where {{limit}} of the set's answers have one; or in an ellipsis where under "
        f"{USUAL_ELLIPSIS:.0%} do; or {PILE} texts of one greatest length of {PILE_FLOOR} characters or more, none "
        f"with "
        "an end; last lines that are list items, addresses or a name are no sentence",
        limit=0.9,
        source="C4 (Raffel et al. 2020, arXiv 1910.10683, 2.2) keeps lines with a closing mark; the rest: the rule "
        "itself",
        remedy="sluice filter {dataset} --failing truncated",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows that break off."""
        import polars as pl

        prose = context.columns.prose().filter(pl.col("words") >= FEWEST_WORDS)
        if not prose.height:
            return Found(missing=("no answer that reads as language",))
        last = pl.col("prose").str.strip_chars_end().str.extract(_LAST_LINE, 1)
        looked = prose.select(
            "i",
            text=pl.col("prose").str.strip_chars_end(),
            length=pl.col("prose").str.len_chars(),
            ended=pl.col("prose").str.contains(ENDS),
            middle=pl.col("prose").str.contains(MIDDLE)
            & ~(pl.col("prose").str.contains(r"-\s*$") & pl.col("prose").str.contains(DASHED)),
            dots=pl.col("prose").str.contains(ELLIPSIS),
            other=last.str.contains(r"^\s*(?:[-*•#>|]|\d+[.)])|https?://\S+$|^\S+(?:\s+\S+){0,3}$")
            & pl.col("prose").str.strip_chars().str.contains("\n"),
        )
        share = float(looked["ended"].mean() or 0)  # type: ignore[arg-type]
        dotted = float(looked["dots"].mean() or 0)  # type: ignore[arg-type]
        details: dict[int, str] = {}
        for i, text in looked.filter(pl.col("middle")).select("i", "text").iter_rows():
            details[i] = f"ends in the middle of a sentence: ...{cut(text[-40:])}"
        if looked.height >= FEWEST and share >= self.limit(context):
            for i, text in looked.filter(~pl.col("ended") & ~pl.col("other")).select("i", "text").iter_rows():
                details.setdefault(i, f"ends without a mark, {share:.0%} of the others have one: ...{cut(text[-40:])}")
        if looked.height >= FEWEST and dotted < USUAL_ELLIPSIS:
            for i in looked.filter(pl.col("dots"))["i"].to_list():
                details.setdefault(i, "ends in an ellipsis")
        longest, pile = _pile(looked)
        details |= {i: f"cut at {longest:,} characters, as {len(pile) - 1} more" for i in pile}
        figures = {"with_a_mark": round(share, 4), "with_an_ellipsis": round(dotted, 4)}
        usual = "most answers break off: was the column cut?"
        return told(context, details, looked.height, "break off", figures=figures, usual=usual)

    def examples(self) -> Examples:
        """Return an answer that stops at `and`, and whole ones."""
        asked = {"text": "How do I reset it?"}
        return Examples(
            found=CheckContext([Example(input=asked, target="Hold the button for ten seconds, let it go, and")]),
            ok=CheckContext(
                [
                    Example(input=asked, target="Hold the button for ten seconds and let it go again."),
                    Example(input=asked, target="Dear Ana,\nplease hold the button for ten seconds.\nKind regards\nJo"),
                ]
            ),
        )


def _pile(looked: pl.DataFrame) -> tuple[int, list[int]]:
    """Return the greatest length and the places of the texts that were cut at it; no places where none were."""
    import polars as pl

    longest = int(looked["length"].max())  # type: ignore[arg-type]
    top = looked.filter((pl.col("length") == longest) & ~pl.col("ended"))
    if longest < PILE_FLOOR or top["text"].n_unique() < PILE:
        return longest, []
    return longest, top["i"].to_list()


_JSON = re.compile(r'\s*(?:\{\s*"|\[\s*[\[{"0-9-])')
_PLAIN = r"""(?s)"[^"]*"|[:;=8][-^']?[(\[{]|[(\[{][-^']?[:;=]|\\.|[(\[]\s*\d*[.\d]*\s*[,;][^()\[\]]{0,20}[)\]]"""
"""What holds brackets that are none: quoted text, smileys, escapes, half-open intervals."""


@file_check
class Unclosed(Check):
    """A code fence, a bracket or a JSON value that is opened and never closed."""

    spec = CheckSpec(
        name="unclosed",
        severity="warn",
        what="the answer leaves a code fence, a bracket or JSON open",
        threshold="an odd number of ``` fences; JSON that ends before it is whole; more brackets opened than closed, "
        "quoted text, code, smileys and half-open intervals apart",
        source="CommonMark 0.31, 4.5 (a fence is closed by its like); RFC 8259",
        remedy="sluice filter {dataset} --failing unclosed",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows with something open."""
        import polars as pl

        texts = context.columns.texts().filter(~pl.col("call"))
        if not texts.height:
            return Found(missing=("no row has an answer yet",))
        details: dict[int, str] = {}
        fences = pl.col("text").str.count_matches(r"(?m)^\s{0,3}```")
        for i in texts.filter(fences % 2 == 1)["i"].to_list():
            details[i] = "a code fence is not closed"
        maybe = texts.filter(pl.col("text").str.contains(r'^\s*(?:\{\s*"|\[\s*[\[{"0-9-])'))
        for i, text in maybe.select("i", "text").iter_rows():  # JSON has no column form
            problem = _open_json(text)
            if problem:
                details.setdefault(i, problem)
        plain = pl.col("text").str.replace_all(CODE, " ").str.replace_all(_PLAIN, " ")
        rest = texts.filter(~pl.col("text").str.contains(r"^\s*[\[{]")).select("i", plain=plain)
        more = pl.col("plain").str.count_matches(r"[(\[{]") > pl.col("plain").str.count_matches(r"[)\]}]")
        for i, text in rest.filter(more).iter_rows():
            where = _last_open(text)
            details.setdefault(i, f"a bracket is not closed: {cut(text[where : where + 40])}")
        usual = "most answers leave something open: was the column cut?"
        return told(context, details, texts.height, "leave something open", usual=usual)

    def examples(self) -> Examples:
        """Return JSON that was cut, and whole JSON beside a smiley."""
        asked = {"text": "Where is my parcel?"}
        return Examples(
            found=CheckContext([Example(input=asked, target='{"category": "delivery", "order": "A-1')]),
            ok=CheckContext(
                [
                    Example(input=asked, target='{"category": "delivery"}'),
                    Example(input=asked, target="Lost in [0, 1) days :( a) look again, b) ask (us)."),
                ]
            ),
        )


def _last_open(text: str) -> int:
    """Return the place of the last bracket that nothing after it closes."""
    closed = 0
    for i in range(len(text) - 1, -1, -1):
        closed += (text[i] in ")]}") - (text[i] in "([{")
        if closed < 0:
            return i
    return 0


def _open_json(text: str) -> str | None:
    if not _JSON.match(text):
        return None
    try:
        json.loads(text)
    except json.JSONDecodeError as problem:
        whole = len(text.rstrip())
        if problem.pos >= whole - 1 or problem.msg.startswith("Unterminated string"):
            return f"JSON that ends before it is whole: ...{cut(text[-40:])}"
    except RecursionError:
        return None
    return None
