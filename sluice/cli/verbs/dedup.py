"""`sluice dedup`: drop repeated rows. Exit codes: 0; 5 where a model that was asked for is not here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.drawing import what_went
from sluice.cli.terminal import Terminal
from sluice.cli.verb import dry_run_option, find_project, typed_again, verb
from sluice.core.errors import UsageError
from sluice.core.part_sizes import size_options
from sluice.core.wording import counted, export_command

if TYPE_CHECKING:
    from sluice.curate.deduplicate import DeduplicateResult, Twins
    from sluice.curate.semantic import Semantic, SemanticPart

WIDTH = 45
"""Characters of the longest bar of the histogram."""
LEAST_SPLIT = 3
"""Rows that train, dev and eval can be drawn from."""
KEEPS = ("longest", "first", "newest", "best", "trusted")
REASONS = {
    "exact-duplicate": "say the same as another row, but for case, blanks and punctuation",
    "near-duplicate": "nearly the same as another row, input and target",
    "semantic-duplicate": "mean nearly the same as another row with the same target, as a model says",
    "near-other-target": "nearly the same input as another row, with another target (--drop-near)",
}
SHOWN = 2


@verb(
    examples=[
        "sluice dedup tickets --dry-run         what would go, how alike rows are, with pairs",
        "sluice dedup tickets --threshold 0.85  stricter; rows that are duplicates no more come back",
        "sluice dedup tickets --keep newest --by date",
        "sluice dedup new --against tickets     what tickets has already",
        "sluice dedup tickets --semantic --model FOLDER   also rows that mean the same",
    ]
)
@click.argument("name")
@click.option("--drop-near", is_flag=True, help="Also drop rows near another one in input that have another target.")
@click.option("--threshold", type=float, metavar="J", help="Least similarity (Jaccard), 0.4 to 1; else 0.7.")
@click.option("--on", type=click.Choice(["both", "input", "target"]), default="both", help="What has to be alike.")
@click.option("--keep", type=click.Choice(KEEPS), default="longest", help="Which of two rows stays; else the longest.")
@click.option("--by", metavar="COL | FILES", help="For --keep newest or best a column, for trusted the sources.")
@click.option(
    "--against", multiple=True, metavar="NAME", help="Another dataset whose rows count, and stay. Repeatable."
)
@click.option("--semantic", is_flag=True, help="Also drop rows that mean the same, as an embedding model says.")
@click.option("--model", metavar="FOLDER|ID", help="With --semantic: a sentence-transformers model that is here.")
@click.option("--cosine", type=float, metavar="C", help="With --semantic: least cosine, 0.5 to 1; else 0.95.")
@dry_run_option
def command(
    out: Terminal,
    name: str,
    drop_near: bool,
    semantic: bool,
    model: str | None,
    cosine: float | None,
    dry_run: bool,
    **how: Any,
) -> Any:
    """Drop repeated rows, each shown beside the row kept in its place.

    A row goes only for a kept row that it is proven like, input and target both (Jaccard of at least 0.7 over word
    3-grams, character 5-grams for short texts). Same input with another target is a conflict: both rows stay and are
    named. The result is that of the options given, whatever was dropped by dedup before.
    """
    from sluice.curate.deduplicate import deduplicate

    project = find_project()
    how |= {"drop_near": drop_near, "dry_run": dry_run, "note": out.note, "progress": out.progress}
    result = deduplicate(project, name, semantic=_semantic(semantic, model, cosine), **how)
    draw(out, result)
    return result


def _semantic(wanted: bool, model: str | None, cosine: float | None) -> Semantic | None:
    if not wanted:
        if model is not None or cosine is not None:
            option = "--model" if model is not None else "--cosine"
            raise UsageError("it goes with --semantic", where=option, remedy="add --semantic, or leave it out")
        return None
    from sluice.curate.duplicates.meaning import COSINE, check_cosine
    from sluice.curate.embeddings import DEFAULT_MODEL, load_embedder
    from sluice.curate.semantic import Semantic

    least = COSINE if cosine is None else cosine
    check_cosine(least)  # before a model is loaded
    return Semantic(load_embedder(model or DEFAULT_MODEL, where="--semantic"), least)


def draw(out: Terminal, result: DeduplicateResult) -> None:
    """Draw what went, for what, and what stays although it looks alike."""
    from sluice.curate.drops import one_line

    name = f"{result.dataset}@{result.version}"
    if not result.dropped:
        out.spans([(name, "bold"), (f"  no row repeats another; {counted(result.rows, 'row')}", None)])
    else:
        out.spans([(name, "bold"), (f"  {what_went(result)}", None)])
    for reason, count in sorted(result.counts.items()):
        out.say(f"  {count:>6,}  {reason}: {REASONS.get(reason, '')}")
    for twin in result.first_dropped[:SHOWN]:
        out.say(f"          drop {twin.row.row[:10]}  {one_line(twin.row.input)}", "dim")
        out.say(f"          keep {twin.kept.row[:10]}  {one_line(twin.kept.input)}", "dim")
    if result.returned:
        one, many = "row that an earlier dedup had dropped is", "rows that an earlier dedup had dropped are"
        out.say(f"  {counted(result.returned, one, many)} no duplicate under these options: back")
    if result.spread is not None:
        draw_spread(out, result)
    if result.semantic is not None:
        draw_meaning(out, result.semantic)
    if result.conflicts:
        out.say()
        out.say(
            f"{counted(result.conflicts, 'input has', 'inputs have')} more than one target "
            f"({counted(result.conflicting_rows, 'row')}). All stay:",
            "warn",
        )
        _twins(out, result.first_conflicts)
    if result.near_other_target:
        out.say()
        one, many = "row is near another one but has", "rows are near another one but have"
        out.say(f"{counted(result.near_other_target, one, many)} another target. All stay:")
        _twins(out, result.first_near_other_target)
    if result.parts and result.changed:
        out.say()
        out.say(f"{', '.join(result.parts)} did not change: parts change only by `sluice split` again")
    if result.dry_run:
        out.next(typed_again(), "the same without --dry-run")
        return
    if result.dropped:
        out.next(f"sluice show {result.dataset} --dropped", "every dropped row beside the one kept")
    if result.conflicts:
        out.next(f"sluice filter {result.dataset} --failing conflict", "drop rows that contradict each other")
    draw_road(out, result)
    out.next(export_command(result.dataset, Path.cwd()), "or only the clean rows, as a file")


def draw_meaning(out: Terminal, part: SemanticPart) -> None:
    """Draw what a model found: the least alike of what goes, and what is alike but has another target."""
    from sluice.curate.drops import one_line

    out.say()
    new = f"{part.embedded:,} embedded now" if part.embedded else "all embedded before"
    out.say(f"In meaning, by {part.model}: {counted(part.rows, 'row')} compared from {part.cosine:g} on ({new})")
    if part.too_long:
        one, many = "row is longer", "rows are longer"
        out.say(f"  {counted(part.too_long, one, many)} than the {part.window} tokens that it reads, and stay", "warn")
    for pair in part.first_dropped:
        out.spans(
            [(f"  {pair.cosine:.3f}  ", "bold"), (f"drop {pair.row.row[:10]}  {one_line(pair.row.input)}", "dim")]
        )
        out.say(f"         keep {pair.other.row[:10]}  {one_line(pair.other.input)}", "dim")
    if part.other_target:
        one, many = "row means the same as another one but has", "rows mean the same as another one but have"
        out.say(f"  {counted(part.other_target, one, many)} another target. All stay:")
        for pair in part.first_other_target[:SHOWN]:
            for row in (pair.row, pair.other):
                said = f"{one_line(row.input, 60)}  -> {one_line(row.target, 40)}"
                out.say(f"  {pair.cosine:.3f}  {row.row[:10]}  {said}", "dim")


def draw_spread(out: Terminal, result: DeduplicateResult) -> None:
    """Draw how alike rows are: a bar for each step of similarity, and a pair of it with the differing words marked."""
    from sluice.cli.wordwise import differing
    from sluice.curate.drops import one_line

    bars = result.spread or ()
    most = max((bar.rows for bar in bars), default=0)
    out.say()
    if not most:
        out.say("No two rows are alike in as much as half of their words.")
        return
    out.say(f"How alike rows are, each with its nearest one; from {result.threshold:.2f} on they count as near-equal:")
    for bar in bars:
        label = "1.00     " if bar.least == 1 else f"{bar.least:.2f}-{bar.most:.2f}"
        length = round(WIDTH * bar.rows / most) or (1 if bar.rows else 0)
        style = "bad" if bar.least >= result.threshold - 1e-9 else "dim"
        same = f"  {bar.same_target:,} with the same target" if bar.rows else ""
        out.spans([(f"  {label} {bar.rows:>8,}  ", None), ("#" * length, style), (same, "dim")])
    for bar in bars:
        if bar.pair is None or bar.least == 1:
            continue
        one, other = (one_line(row.input, 2000) for row in bar.pair.rows)
        out.say()
        out.say(f"  {bar.pair.similarity or 0:.2f}  {' and '.join(row.row[:10] for row in bar.pair.rows)}", "dim")
        for spans in differing(one, other, marks=not out.colour):
            out.spans([("        ", None), *spans])


def draw_road(out: Terminal, result: DeduplicateResult) -> None:
    """Say the next step of the road: a split, the parts brought in line with it, or a look at a part."""
    if "/" in result.dataset:
        out.next(f"sluice audit {result.dataset}", "what is wrong with these rows?")
    elif result.parts:
        out.next(f"sluice split {result.dataset}", "rows dropped since leave train, new ones join; no row moves")
    elif result.rows >= LEAST_SPLIT:
        out.next(f"sluice split {result.dataset} {size_options(result.rows)}", "parts that share nothing")


def _twins(out: Terminal, found: tuple[Twins, ...]) -> None:
    from sluice.curate.drops import one_line

    for twins in found[:SHOWN]:
        for row in twins.rows[:3]:
            out.say(f"  {row.row[:10]}  {one_line(row.input, 70)}  -> {one_line(row.target, 40)}", "dim")
