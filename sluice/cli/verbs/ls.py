"""`sluice ls`: the datasets of this project and their versions. Exit codes: 0."""

from __future__ import annotations

from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project, verb
from sluice.core.wording import counted


@verb(examples=["sluice ls", "sluice ls tickets          all versions of one dataset", "sluice ls --json"])
@click.argument("name", required=False)
def command(out: Terminal, name: str | None) -> Any:
    """Show the datasets of this project, or all versions of one."""
    from sluice.curate.listing import list_datasets

    project = find_project()
    listing = list_datasets(project, name)
    if not listing.datasets:
        from sluice.core.status import status

        out.say("No dataset yet.")
        for step in status(project).next:
            out.next(step.command, step.remark)
        return listing
    rows = [
        (
            d.name,
            d.version,
            d.rows,
            d.hash[:10],
            d.verb,
            d.time.replace("T", " ").rstrip("Z"),
            ", ".join(d.tags) or None,
        )
        for d in listing.datasets
    ]
    out.table(("name", "version", "rows", "hash", "made by", "time (UTC)", "tags"), rows)
    for d in (d for d in listing.datasets if d.forgotten):
        out.say(f"{d.name}@{d.version}: {counted(d.forgotten, 'row')} of it forgotten since", "dim")
    first = listing.datasets[0].name
    if name is None:
        out.next(f"sluice ls {first}", "all versions of one")
    out.next(f"sluice show {first}", "look at its rows")
    return listing
