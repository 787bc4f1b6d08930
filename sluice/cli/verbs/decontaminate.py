"""`sluice decontaminate`: drop rows that repeat an eval row. Exit codes: 0; 3 for dev once it was measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.drawing import what_went
from sluice.cli.terminal import Terminal
from sluice.cli.verb import dry_run_option, find_project, verb
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.curate.decontaminate import DecontaminateResult


@verb(
    examples=[
        "sluice decontaminate tickets/train",
        "sluice decontaminate tickets/train --dry-run",
        "sluice decontaminate tickets/dev             only before the first baseline",
    ],
    exits={3: "choices were made on dev already, so its rows do not change"},
)
@click.argument("name")
@dry_run_option
def command(out: Terminal, name: str, dry_run: bool) -> Any:
    """Drop training rows that repeat an eval row: equal, nearly equal, holding it, or of the same group.

    It finds copies, not meaning: a rephrased or translated eval row passes. Leaks in prompts, schema and rubric are
    named for you to mend.
    """
    from sluice.curate.decontaminate import decontaminate

    result = decontaminate(find_project(), name, dry_run=dry_run, progress=out.progress)
    draw(out, result)
    return result


def draw(out: Terminal, result: DecontaminateResult) -> None:
    """Draw what was lost to which eval row, and the texts that hold one."""
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
        out.say()
        out.say("Rows lost for each eval row:")
        for lost in result.lost[:10]:
            out.say(f"  {lost.rows:>6,}  {lost.eval_row.row[:10]}  {one_line(lost.eval_row.input, 80)}")
        if len(result.lost) > 10:
            out.say(f"  ... and {len(result.lost) - 10:,} more (--json has all)", "dim")
        for leak in result.first_dropped[:2]:
            how = f"{leak.how} {leak.share:.0%}, in {leak.field}"
            out.say(f'          {how}: {leak.row.row[:10]} "{one_line(leak.span, 80)}"', "dim")
    if result.texts:
        out.say()
        out.say("These texts hold an eval row; mend them by hand:", "bad")
        for text in result.texts[:10]:
            out.say(f'  {text.text}: {text.how} to {text.eval_row[:10]}  "{one_line(text.span, 80)}"')
    if result.dry_run:
        out.next(f"sluice decontaminate {result.dataset}", "Nothing was dropped yet.")
        return
    out.next(f"sluice audit {result.dataset}", "what is wrong with the rows that are left?")
    out.next("sluice gate", "what training still lacks")
