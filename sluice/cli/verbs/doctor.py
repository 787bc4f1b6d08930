"""`sluice doctor`: what this machine can do. Exit codes: 0; 5 under --need where what is needed is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Style, Terminal
from sluice.cli.verb import verb

if TYPE_CHECKING:
    from sluice.evalsuite.doctor import Need

LOOKS: dict[str, tuple[str, Style]] = {"ok": ("ok", "good"), "missing": ("MISSING", "bad"), "warn": ("warn", "warn")}


@verb(
    examples=[
        "sluice doctor",
        "sluice doctor --fresh             measure again",
        "sluice doctor --need train        exit 5 where something is missing for it",
    ],
)
@click.option("--need", type=click.Choice(["curate", "train"]), help="Exit 5 where something is missing for this.")
@click.option("--fresh", is_flag=True, help="Measure the machine again, whatever was measured before.")
def command(out: Terminal, need: Need | None, fresh: bool) -> Any:
    """Say what this machine can do, and how to get what is missing. Needs no project; installs nothing.

    Without --need it always ends with 0: what is missing may not be wanted.
    """
    out.note("looking at this machine ...")
    from sluice.core.errors import SurroundingsError
    from sluice.core.project import Project
    from sluice.evalsuite.doctor import doctor

    found = doctor(Project.find_or_none(Path.cwd()), fresh=fresh, progress=out.progress)
    out.progress.clear()
    for line in found.lines:
        word, style = LOOKS[line.word]
        out.spans([(f"{word:<9}", style), (f"{line.name:<18}", "bold"), (line.found, None)])
        if line.fix:
            out.say(f"{'':9}Fix: {line.fix}")
    missing = found.missing("train")
    out.say()
    if not missing:
        out.say("Ready to curate, to measure and to train.", "good")
    elif found.missing("curate"):
        out.say("Something that everything needs is missing.", "bad")
    else:
        out.say("Ready to curate. Measuring and training need what is missing above.", "warn")
    lacking = found.missing(need) if need else []
    if lacking:
        out.failed(
            SurroundingsError(f"missing for {need}: {', '.join(x.name for x in lacking)}", remedy=lacking[0].fix)
        )
    return found
