"""`sluice decontaminate`: drop rows that repeat an eval row. Exit codes: 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.drawing import what_went
from sluice.cli.reading import read_options, reading_options
from sluice.cli.terminal import Terminal
from sluice.cli.verb import dry_run_option, find_project, typed_again, verb
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.cli.terminal import Style
    from sluice.curate.leaks.result import DecontaminateResult, LeakShown
    from sluice.curate.similar.shared_words import Stretches

SHOWN = 3
BESIDE = 6
"""Words shown at each end of what is not shared."""


@verb(
    examples=[
        "sluice decontaminate tickets/train",
        "sluice decontaminate tickets/train --against bench/*.jsonl --against exam.md --dry-run",
        "sluice decontaminate tickets/train --ngrams 13            any 13 words in a row, as for GPT-3",
        "sluice decontaminate tickets/train --ngrams 8 --ngram-share 0.7    70% of the 8-grams, as for PaLM",
        "sluice decontaminate tickets/dev                          its baselines are owed again",
    ]
)
@click.argument("name")
@click.option(
    "--against",
    multiple=True,
    metavar="FILE|NAME",
    help="Also hold rows against this: a file of rows, a document (.md, .txt), a pattern, a dataset, an eval set. "
    "--input to --per say how such files are read.",
)
@click.option("--ngrams", type=int, metavar="N", help="Also drop rows that share N words in a row with an eval row.")
@click.option("--ngram-share", type=float, metavar="X", help="... but only from this share of its n-grams on (0.7).")
@click.option("--answers", is_flag=True, help="Also drop rows that hold an eval row's answer of 8 words or more.")
@click.option(
    "--documents", multiple=True, metavar="FILE", help="Look for eval rows in these texts, too; you mend them."
)
@click.option("--nearest", type=int, default=0, metavar="N", help="Report the N rows nearest in meaning; drops none.")
@click.option("--model", metavar="M", help="Embedding model for --nearest: a folder or an id.")
@dry_run_option
@reading_options
def command(
    out: Terminal,
    name: str,
    against: tuple[str, ...],
    documents: tuple[str, ...],
    ngrams: int | None,
    ngram_share: float | None,
    answers: bool,
    nearest: int,
    model: str | None,
    dry_run: bool,
    **how: Any,
) -> Any:
    """Drop training rows that repeat an eval row: equal, nearly equal, holding it, or of the same group.

    Rows are held against the eval sets and eval rows of the project (train against dev, too) and what --against names.
    It finds copies, not meaning: a rephrased or translated eval row passes, and --nearest shows what is like it. Leaks
    in prompts, schema, rubric and documents/ are named for you to mend.
    """
    from sluice.curate.leaks.decontaminate import decontaminate

    result = decontaminate(
        find_project(),
        name,
        against=against,
        options=read_options(how),
        in_documents=documents,
        neighbours=nearest,
        dry_run=dry_run,
        ngrams=ngrams,
        ngram_share=ngram_share,
        answers=answers,
        model=model,
        progress=out.progress,
    )
    draw(out, result)
    return result


def draw(out: Terminal, result: DecontaminateResult) -> None:
    """Draw what was lost to which eval row, the evidence side by side, and the texts that hold one."""
    from sluice.curate.drops import one_line

    name = f"{result.dataset}@{result.version}"
    against = f"{counted(result.eval_rows, 'eval row')} ({', '.join(result.against)})"
    if not result.dropped:
        out.spans([(name, "bold"), (f"  no row repeats one of {against}; {counted(result.rows, 'row')}", None)])
    else:
        out.spans([(name, "bold"), (f"  {what_went(result)}", None)])
        out.say(f"  they repeat {len(result.lost):,} of {against}")
        for how, count in sorted(result.counts.items()):
            out.say(f"  {count:>6,}  {how}")
        _draw_sides(out, result)
        out.say()
        out.say("Rows lost for each eval row:")
        for lost in result.lost[:10]:
            of = lost.where or lost.eval_row.row[:10]
            out.say(f"  {lost.rows:>6,}  {of}  {one_line(lost.eval_row.input, 80)}", "warn" if lost.too_many else None)
        if len(result.lost) > 10:
            out.say(f"  ... and {len(result.lost) - 10:,} more (--json has all)", "dim")
        for leak in result.first_dropped[:SHOWN]:
            _draw_leak(out, leak)
    for warning in result.warnings:
        out.warn(warning)
    if result.texts:
        out.say()
        out.say("These texts hold an eval row; mend them by hand:", "bad")
        for text in result.texts[:10]:
            out.say(f'  {text.text}: {text.how} to {text.eval_row[:10]}  "{one_line(text.span, 80)}"')
    if result.nearest:
        out.say()
        out.say("Nearest in meaning (none is dropped for it):", "bold")
        for near in result.nearest[:10]:
            out.say(f"  {near.cosine:.2f}  {near.eval_row.row[:10]}  {one_line(near.eval_row.input, 90)}")
            out.say(f"        {near.row.row[:10]}  {one_line(near.row.input, 90)}", "dim")
    if result.dry_run:
        out.next(typed_again(), "Nothing was dropped yet.")
        return
    if result.dropped:
        out.next(f"sluice show {result.dataset} --dropped", "every row that went, and why")
    out.next(f"sluice audit {result.dataset}", "what is wrong with the rows that are left?")
    if not find_project().only_curates:
        out.next("sluice gate", "what training still lacks")


def _draw_sides(out: Terminal, result: DecontaminateResult) -> None:
    sides = result.sides
    told = [
        f"{number:,} {what}"
        for number, what in (
            (sides.question, "the question alone"),
            (sides.answer, "the answer alone"),
            (sides.both, "both"),
            (sides.neither, "neither (a group)"),
        )
        if number
    ]
    out.say(f"  of the eval row they hold: {', '.join(told)}", "dim")


def _draw_leak(out: Terminal, leak: LeakShown) -> None:
    """Draw what is repeated above the row, the shared words bold, or in brackets where there is no colour."""
    out.say()
    of = leak.where or leak.eval_row.row[:10]
    out.say(f"  {leak.row.row[:10]}  {leak.how} {leak.share:.0%}, in {leak.field}, to {of}", "dim")
    out.spans([("    eval  ", "dim"), *_marked(leak.eval_text, leak.eval_shared, marks=not out.colour)])
    out.spans([("    row   ", "dim"), *_marked(leak.row_text, leak.row_shared, marks=not out.colour)])


def _marked(text: str, shared: Stretches, *, marks: bool) -> list[tuple[str, Style | None]]:
    """Return a text as spans on one line, its shared words marked; what lies between is cut to its ends."""
    spans: list[tuple[str, Style | None]] = []
    at = 0
    for low, high in [*shared, (len(text), len(text))]:
        spans.append((_shortened(text[at:low]), None))
        words = " ".join(text[low:high].split())
        if words:
            spans.append((f"[{words}]" if marks else words, "bad"))
        at = high
    return spans


def _shortened(text: str) -> str:
    """Return a stretch as one line, no more than a few words at either end of it."""
    words = text.split()
    middle = " ".join(words) if len(words) <= 2 * BESIDE else " ".join([*words[:BESIDE], "...", *words[-BESIDE:]])
    before, after = (" " if text[:1].isspace() else ""), (" " if words and text[-1:].isspace() else "")
    return f"{before}{middle}{after}"
