"""Wordings that give an answer away: refusals, an assistant's boilerplate, an input that points to a text not there.

The wordings are a list, `phrases.txt`, one regular expression a line with its language, so that a language is added
without a line of code. Only what is taught is looked at for refusals and boilerplate; what people ask may say anything.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.core.rows import Example
from sluice.curate.checks.base import Check, CheckContext, CheckSpec, Examples, Found, file_check, no_answers, told
from sluice.curate.checks.columns import cut

if TYPE_CHECKING:
    import polars as pl

FILE = Path(__file__).with_name("phrases.txt")
BEGINNING = 300
"""Characters in which an answer refuses; later on it quotes."""
SHORT_ASKED = 400
"""Characters: a longer input holds the text that it speaks of."""


@cache
def pattern(sort: str) -> str:
    """Return the expressions of one sort as a single one, cases folded, the match in group 1."""
    lines = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    return "(?i)(" + "|".join(f"(?:{expression})" for name, _, expression in lines if name == sort) + ")"


def languages(sort: str) -> list[str]:
    """Return the languages that a sort of wording is known in."""
    lines = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    return sorted({language for name, language, _ in lines if name == sort})


def matches(texts: pl.DataFrame, sort: str, *, within: int | None = None) -> dict[int, str]:
    """Return, by `i`, the first words of `text` that match, typographic apostrophes read as plain ones."""
    import polars as pl

    text = pl.col("text") if within is None else pl.col("text").str.head(within)
    plain = text.str.replace_all("[\u2018\u2019\u02bc`]", "'").str.strip_chars_start(" \n\t\"'*_#>")
    found = texts.select("i", hit=plain.str.extract(pattern(sort), 1)).drop_nulls("hit")
    return {i: f"'{cut(hit)}'" for i, hit in found.iter_rows()}


@file_check
class Refusal(Check):
    """An answer that declines: fine where declining is the task, poison where a scraped model declined by habit."""

    spec = CheckSpec(
        name="refusal",
        severity="warn",
        what="the answer declines to help",
        threshold=f"a wording of the list (curate/checks/phrases.txt) in the first {BEGINNING} characters of the "
        f"answer",
        source="wordings that instruction sets are cleaned of (Vicuna, ShareGPT and WizardLM unfiltered); the list",
        remedy="sluice filter {dataset} --failing refusal",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows whose answer declines."""
        nothing = no_answers(context.rows)
        if nothing is not None:
            return nothing
        texts = context.columns.texts().filter(~context.columns.texts()["call"])
        answers = texts.filter(texts["field"] == "answer")
        details = matches(answers, "refusal", within=BEGINNING)
        known = {"languages": languages("refusal")}
        return told(
            context, details, answers.height, "decline", figures=known, usual="most answers decline: is that the task?"
        )

    def examples(self) -> Examples:
        """Return an assistant's refusal, and a shop that is sorry."""
        asked = {"text": "How do I open the lid of my blender?"}
        return Examples(
            found=CheckContext(
                [Example(input=asked, target="I\u2019m sorry, but I can\u2019t assist with that request.")]
            ),
            ok=CheckContext([Example(input=asked, target="I'm sorry that it is stuck. Turn it to the left.")]),
        )


@file_check
class Boilerplate(Check):
    """What a chat assistant or a web page says around an answer, and a model would learn to say each time."""

    spec = CheckSpec(
        name="boilerplate",
        severity="warn",
        what="the answer holds an assistant's or a web page's set phrases",
        threshold="a wording of the list (curate/checks/phrases.txt) in the answer, or in a `text` row",
        source="wordings that instruction sets are cleaned of (Vicuna, ShareGPT); C4's list of page footers",
        remedy="sluice filter {dataset} --failing boilerplate",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows with such a wording."""
        texts = context.columns.texts().filter(~context.columns.texts()["call"])
        if not texts.height:
            return Found(missing=("no row has an answer yet",))
        details = matches(texts, "boilerplate")
        known = {"languages": languages("boilerplate")}
        usual = "most answers hold such a phrase: does the prompt ask for it?"
        return told(context, details, texts.height, "hold set phrases", figures=known, usual=usual)

    def examples(self) -> Examples:
        """Return an answer that says what it is, and one that answers."""
        asked = {"text": "What is a good name for a cat?"}
        return Examples(
            found=CheckContext([Example(input=asked, target="As an AI language model, I like Minka.")]),
            ok=CheckContext([Example(input=asked, target="Minka. I hope she likes it.")]),
        )


@file_check
class SeeAbove(Check):
    """An input that points to a text which is not there: the column with it was lost on the way."""

    spec = CheckSpec(
        name="see-above",
        severity="warn",
        what="the input points to a text that it does not hold",
        threshold="it says `the text above`, `the following passage` or the like and ends there, or all it holds is "
        "`see "
        f"above` or `no input`; inputs of {SHORT_ASKED} characters or more hold what they speak of",
        source="a known fault of instruction sets (the cleaned Alpaca set names it first); the list phrases.txt",
        remedy="sluice filter {dataset} --failing see-above",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows whose input points nowhere."""
        import polars as pl

        frame = context.columns.frame.filter(pl.col("kind") != "text")
        if not frame.height:
            return Found(summary="text rows have no input that could point anywhere")
        alone = frame.filter(pl.col("asked").str.len_chars() < SHORT_ASKED)
        lost = _alone(context, alone)
        details = matches(lost, "points")
        bare = alone.select("i", text=pl.col("asked").str.strip_chars())
        details |= matches(bare, "bare")
        return told(context, details, frame.height, "point to a text that is not there")

    def examples(self) -> Examples:
        """Return an instruction whose text is missing, and one whose text is there."""
        told = "Summarise the following text in one sentence"
        return Examples(
            found=CheckContext([Example(input={"instruction": f"{told}.", "input": ""}, target="It rained.")]),
            ok=CheckContext([Example(input={"instruction": told, "input": "It rained all day."}, target="Rain.")]),
        )


def _alone(context: CheckContext, frame: pl.DataFrame) -> pl.DataFrame:
    """Return `i` and `text` of the inputs of one paragraph: fields with one text, chats with one turn."""
    import polars as pl

    from sluice.core.rows import Messages, input_texts

    places = []
    for i in frame["i"].to_list():
        content = context.rows[i].input
        turns = content.turns if isinstance(content, Messages) else ()
        said = [t for t in turns if t.role not in ("system", "developer")] if turns else []
        texts = [t.content for t in said] if turns else [t for t in input_texts(content).values() if t.strip()]
        if len(texts) == 1 and "\n" not in texts[0].strip():
            places.append(i)
    return frame.filter(pl.col("i").is_in(places)).select("i", text=pl.col("asked").str.strip_chars())
