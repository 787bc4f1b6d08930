"""`sluice show`: look at rows, dropped rows, or set-aside lines. Exit codes: 0; 2 where nothing is so called."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.meaning import embedder, model_option
from sluice.cli.terminal import Terminal
from sluice.cli.verb import PATH, find_project, verb, yes_option
from sluice.core.errors import UsageError
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.curate.show import Shown


@verb(
    examples=[
        "sluice show tickets --dropped                    each beside the row kept in its place",
        "sluice show tickets --failing label-errors       what a check of audit names, the worst first; --out FILE",
        "sluice show tickets 7f3a91c25d                   one row, in full",
        'sluice show tickets --like "where is my parcel"  the rows nearest to a text',
        "sluice show tickets --set-aside --out mend.txt   lines that could not be read, to be mended",
    ]
)
@click.argument("ref", metavar="NAME[@N]")
@click.argument("row", required=False)
@click.option("--failing", metavar="CHECK", help="The rows that a check of `sluice audit` names, the worst first.")
@click.option("--like", metavar="TEXT", help="The rows whose inputs are nearest to a text, with their similarity.")
@click.option("--dropped", is_flag=True, help="The rows that were dropped and are still out.")
@click.option("--reason", metavar="REASON", help="With --dropped: only those dropped for this reason.")
@click.option("--set-aside", "set_aside", is_flag=True, help="The lines of files that could not be read exactly.")
@click.option(
    "--out",
    "sheet",
    type=PATH,
    metavar="FILE",
    help="With --set-aside or --failing: write all to FILE (.csv, .xlsx), for `add NAME --fix FILE`.",
)
@model_option
@yes_option
@click.option(
    "-n",
    "--rows",
    "limit",
    type=click.IntRange(min=1),
    help="How many.  [default: 10 rows, all with --json of --failing, --dropped and --set-aside]",
)
def command(
    out: Terminal,
    ref: str,
    row: str | None,
    failing: str | None,
    like: str | None,
    dropped: bool,
    reason: str | None,
    set_aside: bool,
    limit: int | None,
    sheet: str | None,
    model: str | None,
    yes: bool,
) -> Any:
    """Look at rows: the first ones, the dropped ones, one by its id."""
    from sluice.curate.show import (
        show_dropped,
        show_failing,
        show_like,
        show_rows,
        show_set_aside,
        write_failing,
        write_set_aside,
    )

    if sum((row is not None, failing is not None, like is not None, dropped, set_aside)) > 1:
        raise UsageError(
            "a row, --failing, --like, --dropped and --set-aside are different questions", remedy="ask one of them"
        )
    if reason is not None and not dropped:
        raise UsageError("--reason goes with --dropped", remedy=f"sluice show {ref} --dropped --reason {reason}")
    if sheet and not set_aside and failing is None:
        raise UsageError("--out goes with --set-aside or --failing", remedy=f"sluice export {ref} FILE writes rows")
    if model is not None and failing is None:
        raise UsageError("--model goes with --failing", remedy=f"sluice show {ref} --failing label-errors --model ID")
    few = limit if limit is not None or out.json else 10
    if failing is not None:
        project = find_project()
        embed = embedder(project, model) if model is not None else None
        most = limit if sheet else few
        shown = show_failing(project, ref, failing, limit=most, embed=embed, progress=out.progress)
        if sheet:
            shown = write_failing(shown, Path(sheet), replace=yes)
            draw_written(out, shown, ref)
        else:
            draw_failing(out, shown, ref)
        return shown
    if like is not None:
        shown = show_like(find_project(), ref, like, limit=few)
        draw_like(out, shown, ref)
    elif dropped:
        shown = show_dropped(find_project(), ref, reason=reason, limit=few)
        draw_dropped(out, shown, ref, reason)
        draw_next_dropped(out, shown, ref)
    elif sheet:
        shown = write_set_aside(find_project(), ref, Path(sheet), replace=yes)
        name = ref.partition("@")[0].partition(":")[0]
        out.say(f"{counted(shown.total, 'line')} written to {shown.out}, each below its place and reason")
        out.next(f"sluice add {name} --fix {shlex.quote(str(shown.out))}", "when you have mended what you can")
    elif set_aside:
        shown = show_set_aside(find_project(), ref, limit=few)
        draw_set_aside(out, shown, ref)
    else:
        shown = show_rows(find_project(), ref, row=row, limit=limit or 10)
        draw_rows(out, shown, ref, whole=row is not None)
    return shown


def draw_rows(out: Terminal, shown: Shown, ref: str, *, whole: bool) -> None:
    """Draw rows: id, input, target; one row alone in full."""
    from sluice.core.canonical import dump_exact
    from sluice.curate.drops import one_line

    if whole:
        row = shown.rows[0]
        out.say(row.row, "bold")
        for name, value in _fields(row.input):
            out.say(f"{name}: {value}")
        for answer in row.answers():
            out.say(f"-> {answer}")
        if row.groups:
            out.say(f"groups: {', '.join(row.groups)}", "dim")
        if row.metadata:
            out.say(f"beside it: {dump_exact(row.metadata)}", "dim")
        out.next(f"sluice why {ref.partition('@')[0]} {row.row[:10]}", "its whole story")
        return
    out.say(f"{shown.of}: {len(shown.rows):,} of {counted(shown.total, 'row')}")
    for row in shown.rows:
        out.spans([(row.row[:10], "bold"), (f"  {one_line(row.input)}", None)])
        for answer in row.answers():
            out.say(f"            -> {one_line(answer)}", "dim")
    if shown.rows:
        out.next(f"sluice show {ref} {shown.rows[0].row[:10]}", "one row in full")
        out.next(f"sluice show {ref} --dropped", "what was taken out, and why")


def draw_failing(out: Terminal, shown: Shown, ref: str) -> None:
    """Draw the rows that a check names, each with what it says."""
    from sluice.curate.drops import one_line

    out.say(f"{shown.of}: {len(shown.failing):,} of {counted(shown.total, 'row')} that {shown.check} names")
    for row in shown.failing:
        out.spans([(f"{row.rank:>4}  ", "dim"), (row.row[:10], "bold"), (f"  {one_line(row.input, 90)}", None)])
        out.say(f"{'':18}{one_line(row.detail, 110)}", "warn")
    name = ref.partition("@")[0].partition(":")[0]
    if len(shown.failing) < shown.total:
        out.next(f"sluice show {ref} --failing {shown.check} -n {shown.total}", "all of them")
    if shown.failing:
        out.next(f"sluice show {ref} {shown.failing[0].row[:10]}", "one row in full")
        out.next(f"sluice filter {name} --failing {shown.check} --dry-run", "drop them")


def draw_written(out: Terminal, shown: Shown, ref: str) -> None:
    """Say what was written, and how corrected labels come back."""
    name = ref.partition("@")[0].partition(":")[0]
    out.say(f"{counted(len(shown.failing), 'row')} that {shown.check} names written to {shown.out}, the worst first")
    if any("given" in row.figures for row in shown.failing):
        out.say("Change the column `label` where it is wrong; lines taken out or left as they are change nothing.")
        out.next(f"sluice add {name} --fix {shlex.quote(str(shown.out))} --dry-run", "when you have gone through it")


def draw_like(out: Terminal, shown: Shown, ref: str) -> None:
    """Draw the rows nearest to a text, each with its similarity."""
    from sluice.curate.drops import one_line

    alike = counted(shown.total, "row that is", "rows that are")
    out.say(f"{shown.of}: {len(shown.like):,} of {alike} at all like it, the nearest first")
    for row in shown.like:
        out.spans([(f"{row.similarity:.2f}  ", "bold"), (row.row[:10], "bold"), (f"  {one_line(row.input, 90)}", None)])
        for answer in row.answers():
            out.say(f"{'':16}  -> {one_line(answer)}", "dim")
    if shown.like:
        out.next(f"sluice show {ref} {shown.like[0].row[:10]}", "one row in full")


def draw_dropped(out: Terminal, shown: Shown, ref: str, reason: str | None) -> None:
    """Draw dropped rows, each above the row kept in its place."""
    from sluice.curate.drops import one_line

    out.say(f"{shown.of}: {len(shown.dropped):,} of {counted(shown.total, 'row that is out', 'rows that are out')}")
    for row in shown.dropped:
        near = f" {row.similarity:.2f}" if row.similarity is not None else ""
        out.spans([(row.row[:10], "bold"), (f"  {row.reason}{near}", "warn"), (f"  {one_line(row.input, 80)}", None)])
        if row.kept is not None:
            out.say(f"{'':10}  kept {row.kept.row[:10]}  {one_line(row.kept.input, 80)}", "dim")
        elif row.detail:
            out.say(f"{'':10}  {row.detail}", "dim")
    if len(shown.dropped) < shown.total:
        narrowed = f" --reason {shlex.quote(reason)}" if reason else ""
        out.next(f"sluice show {ref} --dropped{narrowed} -n {shown.total}", "all of them")


def draw_next_dropped(out: Terminal, shown: Shown, ref: str) -> None:
    """Name what may be done with one of the rows; to bring one back only where it may come back."""
    if not shown.dropped or out.json:
        return
    from sluice.curate.restore import may_come_back

    name = ref.partition("@")[0].partition(":")[0]
    out.next(f"sluice why {name} {shown.dropped[0].row[:10]}", "the whole story of one")
    one_each = {row.reason: row.row for row in reversed(shown.dropped)}
    back = may_come_back(find_project(), name, list(one_each.values())[::-1])
    if back is not None:
        out.next(f"sluice restore {name} {back[:10]}", "bring one back")


def draw_set_aside(out: Terminal, shown: Shown, ref: str) -> None:
    """Draw lines that were set aside."""
    from sluice.curate.drops import one_line

    out.say(f"{shown.of}: {len(shown.set_aside):,} of {counted(shown.total, 'line')} set aside")
    for line in shown.set_aside:
        place = f"{line.file}:{line.line}" + (f":{line.column}" if line.column else "")
        out.spans([(place, "bold"), (f"  {line.reason}", "warn")])
        out.say(f"  {one_line(line.raw, 120)}", "dim")
    if shown.set_aside:
        first = shown.set_aside[0]
        if len(shown.set_aside) < shown.total:
            out.next(f"sluice show {ref} --set-aside -n {shown.total}", "all of them")
        name = ref.partition("@")[0].partition(":")[0]
        out.next(f"sluice show {ref} --set-aside --out mend.txt", "write them to a file, to mend them there")
        out.next(f"sluice why {name} {shlex.quote(f'{first.file}:{first.line}')}", "one line in full")


def _fields(content: Any) -> list[tuple[str, str]]:
    from sluice.core.canonical import dump_exact
    from sluice.curate.drops import said

    if isinstance(content, dict) and isinstance(content.get("messages"), list):
        turns = [(turn["role"], said(turn)) for turn in content["messages"]]
        return [("tools", content["tools"]), *turns] if content.get("tools") else turns
    return [(k, v if isinstance(v, str) else dump_exact(v)) for k, v in content.items()]
