"""Answers that say nothing of their own: the input again, one answer for many inputs, one mould for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.core.rows import Example
from sluice.curate.checks.balance import few_values
from sluice.curate.checks.base import (
    Check,
    CheckContext,
    CheckSpec,
    Examples,
    Finding,
    Found,
    file_check,
    no_answers,
    rows_of,
    told,
)
from sluice.curate.checks.columns import cut, folded

if TYPE_CHECKING:
    import polars as pl

EQUAL_WORDS = 3
HELD_WORDS = 8
"""Words of an input that an answer can repeat: whole from 3 on, as a part of something longer from 8 on (the length
from which the similarity of this project calls a text contained in another)."""
FEWEST_SAME = 5
"""Inputs with one and the same answer, from which on it is no chance."""
FEWEST_ANSWERS = 20
"""Answers, below which nothing is said of the set."""
NO_PROSE = "no answer that reads as language"


@file_check
class Echo(Check):
    """The answer is the input, or holds it whole: an export that left the prompt in front of each answer."""

    spec = CheckSpec(
        name="echo",
        severity="warn",
        what="the answer repeats the input",
        threshold=f"case, blanks and punctuation folded: the whole input from {EQUAL_WORDS} words on, or, from "
        f"{HELD_WORDS} words on, an answer that holds it",
        source="a known fault of generated sets (return_full_text); 8 words as in this project's similarity",
        remedy="sluice filter {dataset} --failing echo",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows whose answer repeats the input."""
        import polars as pl

        nothing = no_answers(context.rows)
        if nothing is not None:
            return nothing
        frame = context.columns.frame.filter(pl.col("answer").is_not_null() & ~pl.col("call"))
        pairs = frame.select("i", asked=folded("asked"), answer=folded("answer"))
        words = pl.col("asked").str.count_matches(r"\S+")
        equal = (words >= EQUAL_WORDS) & (pl.col("asked") == pl.col("answer"))
        held = (words >= HELD_WORDS) & pl.col("answer").str.contains(pl.col("asked"), literal=True)
        begins = pl.col("answer").str.starts_with(pl.col("asked"))
        found = pairs.filter(equal | held).select("i", equal=equal, begins=begins)
        said = {True: "the answer is the input", False: "the answer holds the whole input"}
        details = {
            i: "the answer begins with the whole input" if begin and not same else said[same]
            for i, same, begin in found.iter_rows()
        }
        usual = "most answers hold their input: was the prompt left in them, or is that the task?"
        return told(context, details, frame.height, "repeat the input", usual=usual)

    def examples(self) -> Examples:
        """Return an answer behind its own question, and one that takes a few words up."""
        asked = "Please tell me when the shop in Graz is open on Sundays"
        return Examples(
            found=CheckContext([Example(input={"text": asked}, target=f"{asked}? From ten to four.")]),
            ok=CheckContext([Example(input={"text": asked}, target="The shop in Graz is open on Sundays from ten.")]),
        )


def sentences(context: CheckContext) -> pl.DataFrame | None:
    """Return the prose answers of a set, folded (`i`, `asked`, `answer`), or None where they are labels or no prose."""
    import polars as pl

    frame = context.columns.prose().filter(pl.col("kind") != "text")
    if not frame.height or few_values(context.columns.frame["answer"].to_list()):
        return None
    return frame.select("i", asked=folded("asked"), answer=folded("prose"))


@file_check
class SameAnswer(Check):
    """One sentence that answers many different inputs: a default, an error message, a lost column."""

    spec = CheckSpec(
        name="same-answer",
        severity="warn",
        what="many different inputs have one and the same answer",
        threshold=f"prose answers, case, blanks and punctuation folded: one answer for {{limit}} of the inputs and for "
        f"{FEWEST_SAME} or more; sets of few answers are labels and not judged",
        limit=0.01,
        source="one row in a hundred is what a split keeps of a class; the number is ours",
        remedy="sluice filter {dataset} --failing same-answer",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows that share an answer."""
        import polars as pl

        frame = sentences(context)
        if frame is None:
            return Found(missing=(NO_PROSE,))
        most = max(FEWEST_SAME, self.limit(context) * frame.height)
        shared = frame.with_columns(inputs=pl.col("asked").n_unique().over("answer")).filter(pl.col("inputs") >= most)
        details = {
            i: f"{inputs:,} inputs have this answer: {cut(answer)}"
            for i, answer, inputs in shared.select("i", "answer", "inputs").iter_rows()
        }
        figures = {"answers": shared["answer"].n_unique()}
        usual = "most rows share few answers: are they labels, or was a column lost?"
        return told(context, details, frame.height, "share one answer with many", figures=figures, usual=usual)

    def examples(self) -> Examples:
        """Return a default answer among others, and answers of their own."""
        own = [_asked(i, f"You can fetch parcel {i} at counter {i * 7} from nine o'clock.") for i in range(30)]
        again = [_asked(i, "Sorry, something went wrong on our side.") for i in range(100, 108)]
        return Examples(found=CheckContext([*own, *again]), ok=CheckContext(own))


@file_check
class NearConstant(Check):
    """Answers cast in one mould: figures and names differ, or nothing but the end does."""

    spec = CheckSpec(
        name="near-constant",
        whole=True,
        severity="warn",
        what="nearly all answers are one text with other figures, or begin with the same words",
        threshold="prose answers, figures folded: one text for {limit} of them, or one beginning of 5 words for "
        "(1 + {limit}) / 2 of them",
        limit=0.5,
        source="a model that always gives the commonest text looks right for half of the rows; the number is ours",
        remedy="sluice show {dataset}; is that the task? Else add rows of other kinds: sluice add {dataset} FILE",
    )

    def find(self, context: CheckContext) -> Found:
        """Return what the answers have in common, as findings about the set."""
        import polars as pl

        frame = sentences(context)
        if frame is None or frame.height < FEWEST_ANSWERS:
            return Found(missing=(NO_PROSE if frame is None else f"under {FEWEST_ANSWERS} prose answers",))
        least = self.limit(context)
        forms = frame.select(
            whole=pl.col("answer").str.replace_all(r"\d+", "0"),
            begin=pl.col("answer").str.replace_all(r"\d+", "0").str.extract(r"^((?:\S+ ){4}\S+)", 1),
        )
        findings: list[Finding] = []
        figures: dict[str, float] = {}
        for column, bound, said in (("whole", least, "are"), ("begin", (1 + least) / 2, "begin with")):
            top = forms[column].drop_nulls().value_counts(sort=True)
            share = int(top["count"][0]) / frame.height if top.height else 0.0
            figures[column] = round(share, 4)
            if share >= bound:
                findings.append(Finding(row=None, detail=f"{share:.0%} of the answers {said} {cut(top[column][0])!r}"))
        if not findings:
            return Found(summary=f"{rows_of(frame.height)}: answers in words of their own", figures=figures)
        return Found(findings, findings[0].detail, figures)

    def examples(self) -> Examples:
        """Return one mould with figures, and sentences that differ."""
        words = ["lamp", "desk", "tent", "radio", "kettle"]
        return Examples(
            found=CheckContext([_asked(i, f"Your order {i} will arrive in {i} days.") for i in range(30)]),
            ok=CheckContext(
                [
                    _asked(i, f"{words[i % 5]} {words[i // 5 % 5]} {words[i * 3 % 4]} is in {i} days there")
                    for i in range(25)
                ]
            ),
        )


def _asked(i: int, target: str) -> Example:
    return Example(input={"text": f"Where is parcel number {i}?"}, target=target)
