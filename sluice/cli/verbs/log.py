"""`sluice log`: the story of this project, in order. Exit codes: 0."""

from __future__ import annotations

from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project, verb
from sluice.core.wording import counted


@verb(examples=["sluice log", "sluice log -n 5            the last five facts", "sluice log --json"])
@click.option("-n", "last", type=click.IntRange(1), help="Only so many facts, the last ones.  [default: all]")
def command(out: Terminal, last: int | None) -> Any:
    """Tell what was frozen, measured, opened, waived and trained, one line a fact, in the order it stands on.

    Order is who stands on whom, never a clock; account and time are shown as they were said.
    """
    from sluice.core.story import SHOWN, story

    told = story(find_project(), last)
    if not told.total:
        out.say("Nothing is on record yet: the first fact is written by `sluice freeze`.")
        out.next("sluice status")
    if len(told.lines) < told.total:
        out.say(f"... {told.total - len(told.lines):,} before these", "dim")
    width = max((len(line.account) for line in told.lines), default=0)
    for line in told.lines:
        when = line.time.replace("T", " ").removesuffix("Z")
        mark = " (not committed)" if line.committed is False else ""
        style = "bold" if line.kind in ("frozen", "opened", "waived", "trained", "promoted") else None
        out.spans(
            [
                (f"{line.hash[:SHOWN]}  {when}  {line.account:<{width}}  ", "dim"),
                (line.text, style if line.known else "warn"),
                (mark, "dim"),
            ]
        )
        if out.closed:
            break
    for problem in told.problems:
        out.warn(f"{problem} (sluice verify)")
    if told.written_back:
        out.warn(f"{counted(len(told.written_back), 'fact was', 'facts were')} missing from ledger/: written back")
    return told
