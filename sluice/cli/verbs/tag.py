"""`sluice tag`: give a version a name of its own. Exit codes: 0; 2 where the version or the name is none."""

from __future__ import annotations

from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project, verb
from sluice.core.wording import counted


@verb(examples=["sluice tag tickets reviewed        then: tickets:reviewed", "sluice tag tickets@3 reviewed"])
@click.argument("ref", metavar="NAME[@N]")
@click.argument("tag_name", metavar="TAG")
def command(out: Terminal, ref: str, tag_name: str) -> Any:
    """Give a version a name of its own; naming it again moves the tag."""
    from sluice.curate.dataset import tag

    version = tag(find_project(), ref, tag_name)
    out.say(f"{version.dataset}:{tag_name} is now {version.ref} ({counted(version.manifest.rows, 'row')})")
    out.next(f"sluice show {version.dataset}:{tag_name}")
    return {
        "tag": f"{version.dataset}:{tag_name}",
        "name": version.dataset,
        "version": version.number,
        "hash": version.hash,
    }
