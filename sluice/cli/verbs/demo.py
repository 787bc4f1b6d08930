"""`sluice demo`: the whole road on sample data. Exit codes: 0 whatever the verdict; 5 a step could not be done."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import verb

DEFAULT = "sluice-demo"


@verb(examples=["sluice demo", "sluice demo /tmp/try"])
@click.argument("folder", required=False, default=DEFAULT, type=click.Path(file_okay=False, readable=False))
def command(out: Terminal, folder: str) -> Any:
    """Walk the whole road on sample data in a folder of its own: from raw rows to a measured adapter.

    Under ten minutes where this machine reaches 150 GFLOPS. Ctrl-C stops it; run again, it goes on where it was.
    """
    from sluice.cli.demo.walk import walk

    again = "" if folder == DEFAULT else f" {shlex.quote(folder)}"
    out.if_interrupted = f"What is done stays done. Go on with: sluice demo{again}"
    return walk(out, Path(folder).resolve())
