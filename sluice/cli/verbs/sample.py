"""`sluice sample`: draw a smaller dataset at random. Exit codes: 0."""

from __future__ import annotations

from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import dry_run_option, find_project, typed_again, verb
from sluice.core.wording import counted


@verb(
    examples=[
        "sluice sample tickets/train 1400              the others are dropped and can be restored",
        "sluice sample tickets 100 --to tickets-small  a dataset of its own; tickets stays as it is",
        "sluice sample tickets@2 100 --seed 7 --to tickets-small",
    ]
)
@click.argument("ref", metavar="NAME[@N]")
@click.argument("rows", type=int)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the draw: the same seed, the same rows.")
@click.option("--to", metavar="NAME", help="Put the sample into a new dataset of this name.")
@dry_run_option
def command(out: Terminal, ref: str, rows: int, seed: int, to: str | None, dry_run: bool) -> Any:
    """Draw rows at random, each class in proportion, the same each time."""
    from sluice.curate.sample import sample

    result = sample(find_project(), ref, rows, seed=seed, to=to, dry_run=dry_run)
    name = f"{result.dataset}@{result.version}"
    if dry_run:
        out.say(f"Nothing was drawn. It would be {result.rows:,} of {counted(result.rows_in, 'row')} of {result.of}.")
    elif not result.changed:
        out.say(f"{name} holds {counted(result.rows, 'row')} already; nothing changed.")
    else:
        out.spans(
            [
                (name, "bold"),
                (f"  {result.rows:,} of {counted(result.rows_in, 'row')} of {result.of}, seed {seed}", None),
            ]
        )
    if result.rows < rows:
        out.say(f"  {counted(rows, 'row was', 'rows were')} asked for; there are no more", "warn")
    if result.labels:
        named = ", ".join(f"{label} {count:,}" for label, count in list(result.labels.items())[:8])
        out.say(f"  in proportion by {result.stratified_by}: {named}" + (", ..." if len(result.labels) > 8 else ""))
    if to is None and result.changed:
        out.say("  the other rows are dropped with the reason 'not-sampled'")
        if result.parts:
            out.say(f"  {', '.join(result.parts)} did not change: parts change only by `sluice split` again")
        out.next(f"sluice restore {result.dataset} --reason-was not-sampled", "bring them back")
    if dry_run:
        out.next(typed_again(), "the same without --dry-run")
    else:
        out.next(f"sluice audit {result.dataset}", "what is wrong with these rows?")
    return result
