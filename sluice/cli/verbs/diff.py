"""`sluice diff`: what changed between two versions or files? Exit codes: 0; 1 with --fail-on where something did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.files import given_files
from sluice.cli.reading import read_options, reading_options
from sluice.cli.terminal import Style, Terminal
from sluice.cli.verb import PATH, verb
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.curate.comparing.diff import Diff
    from sluice.curate.drops import ShownRow

TIES = {"change": "changed by", "key": "same key", "input": "same input, another answer"}


@verb(
    examples=[
        "sluice diff tickets                      the newest version against the one before it",
        "sluice diff tickets@2 tickets@5          any two versions, datasets or parts",
        "sluice diff old.csv new.csv --input body --target label --key id",
        "sluice diff tickets --out diff.html      one page",
        "sluice diff tickets --fail-on drift      exit 1 where a distribution differs",
    ],
    exits={1: "with --fail-on: a row differs (changes), or a distribution does (drift)"},
)
@click.argument("a", metavar="NAME[@N] | FILE", type=PATH)
@click.argument("b", required=False, metavar="[NAME[@N] | FILE]", type=PATH)
@click.option("--key", metavar="COL", help="Column that names a row: one key with other content is a change.")
@click.option("-n", "limit", metavar="ROWS", type=click.IntRange(min=0), default=20, help="Rows of each sort [20].")
@click.option("--out", "to", metavar="FILE", type=PATH, help="Write it as one page (.html), or its data (.json).")
@click.option("--fail-on", type=click.Choice(["changes", "drift"]), help="Exit 1 where there are some.")
@reading_options
def command(
    out: Terminal,
    a: str,
    b: str | None,
    key: str | None,
    limit: int,
    to: str | None,
    fail_on: str | None,
    **how: Any,
) -> Any:
    """Compare two versions, or two files: row by row, and distribution by distribution.

    A row that went and one that came are one change where an operation recorded it, where they have the same key, or
    where they have the same input. A distribution is called the same where the two are no further apart than two random
    draws from one source would be, 99 times of 100.
    """
    from sluice.core.project import Project
    from sluice.curate.comparing.diff import diff
    from sluice.curate.report.write import out_file, write_diff

    project = Project.find_or_none(Path.cwd())
    target = out_file(to, (a, b) if b else (a,), project) if to else None
    first, *other = given_files([a] if b is None else [a, b])
    found = diff(
        project,
        first,
        *other,
        options=read_options(how),
        key=key,
        limit=limit,
        progress=out.progress,
    )
    draw(out, found)
    if target is not None:
        written = write_diff(target, found)
        out.note(f"page: {target} ({written / 1000:,.0f} kB)")
    if (fail_on == "changes" and found.any_rows) or (fail_on == "drift" and found.drifted):
        out.exit_code = 1
    return found


def draw(out: Terminal, found: Diff) -> None:
    """Draw the sentence, the rows of each sort, and the distributions."""
    out.spans([(f"{found.a} -> {found.b}", "bold"), (f"  {sentence(found)}", None)])
    if found.set_aside:
        out.say(f"{counted(found.set_aside, 'line')} of the files set aside, not to be read exactly", "warn")
    heading(out, "changed", found.changed, len(found.first_changed))
    for change in found.first_changed:
        tie = f"{TIES[change.tie]} {change.verb}" if change.verb else TIES[change.tie]
        out.say(f"  {change.old.row[:10]} -> {change.new.row[:10]}  {tie}", "dim")
        draw_change(out, change.old, change.new)
    heading(out, "removed", found.removed, len(found.first_removed))
    for reason, count in found.reasons.items():
        out.say(f"  {count:>6,}  {reason}")
    for gone in found.first_removed:
        row(
            out,
            "-",
            "bad",
            gone.row,
            f"{gone.reason}{f', {gone.detail}' if gone.detail else ''}" if gone.reason else "",
        )
        if gone.kept is not None and gone.kept.input is not None:
            row(out, "=", None, gone.kept, "stands in its place")
    heading(out, "added", found.added, len(found.first_added))
    for came in found.first_added:
        row(out, "+", "good", came.row, came.place or "")
    heading(out, "moved", found.moved, len(found.first_moved))
    for moved in found.first_moved:
        row(out, ">", None, moved.row, f"{moved.before} -> {moved.after}")
    out.say()
    width = max(len(line.what) for line in found.distributions)
    for line in found.distributions:
        word: tuple[str, Style] = ("same", "good") if line.word == "same" else ("differs", "warn")
        out.spans([(f"{word[0]:<9}", word[1]), (f"{line.what:<{width}}  ", "bold"), (line.sentence, None)])


def sentence(found: Diff) -> str:
    """Return what differs in one sentence."""
    if not found.any_rows:
        return f"no row differs: the same {counted(found.same, 'row')}"
    parts = [
        f"{number:,} {word}"
        for word, number in (
            ("changed", found.changed),
            ("removed", found.removed),
            ("added", found.added),
            ("moved", found.moved),
        )
        if number
    ]
    return f"{', '.join(parts)}; {found.same:,} the same"


def heading(out: Terminal, word: str, total: int, shown: int) -> None:
    """Draw the line above rows of one sort, where there are any."""
    if total:
        out.say()
        out.spans([(f"{word} ", "bold"), (f"{total:,}" + (f", {shown:,} shown" if shown < total else ""), None)])


def row(out: Terminal, sign: str, style: Style | None, shown: ShownRow, remark: str) -> None:
    """Draw one row on a line, and a remark below it."""
    from sluice.curate.drops import one_line

    answer = f"  -> {one_line(shown.target, 30)}" if shown.target is not None else ""
    out.spans([(f"  {sign} ", style), (f"{shown.row[:10]}  {one_line(shown.input, 70)}{answer}", None)])
    if remark:
        out.say(f"{'':16}{one_line(remark, 100)}", "dim")


def draw_change(out: Terminal, old: ShownRow, new: ShownRow) -> None:
    """Draw both sides of a change, the words that differ in colour, or in brackets where there is none."""
    from sluice.cli.wordwise import differing
    from sluice.curate.drops import one_line

    pairs = [(one_line(old.input, 4_000), one_line(new.input, 4_000)), (old.target or "", new.target or "")]
    for place, (before, after) in enumerate(pairs):
        if before == after:
            continue
        mine, other = differing(before, after, marks=not out.colour)
        arrow: str = "-> " if place else ""
        out.spans([("  - ", "bad"), (arrow, None), *mine])
        out.spans([("  + ", "good"), (arrow, None), *other])
