"""`sluice export`: write a dataset to a file. Exit codes: 0; 2 where the format cannot hold a row."""

from __future__ import annotations

from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import PATH, find_project, verb, yes_option
from sluice.core.wording import counted


@verb(
    examples=[
        "sluice export tickets clean.csv                          the columns as they came",
        "sluice export tickets/train train.jsonl --format messages --prompt prompts/short.md",
        "sluice export tickets all.csv --all                      with the dropped rows, reason and kept row",
        "sluice export tickets@3 tickets.parquet",
    ]
)
@click.argument("ref", metavar="NAME[@N]")
@click.argument("file", type=PATH)
@click.option(
    "--format",
    "format_",
    metavar="NAME",
    help="messages, prompt-completion, jsonl, csv or parquet.  [default: by the file's ending]",
)
@click.option("--all", "everything", is_flag=True, help="Also dropped rows, with status, reason and the row kept.")
@click.option("--prompt", metavar="FILE", help="A prompt file that turns fields into messages.")
@yes_option
def command(
    out: Terminal, ref: str, file: str, format_: str | None, everything: bool, prompt: str | None, yes: bool
) -> Any:
    """Write a dataset to a file, one row a line: JSONL, CSV or Parquet.

    A file that is there and holds something else is replaced only when you agree (--yes), a file that rows were read
    from never.
    """
    from sluice.curate.export import export
    from sluice.curate.formats import FileStands

    how: dict[str, Any] = {"format": format_, "everything": everything, "prompt": prompt, "progress": out.progress}
    try:
        result = export(find_project(), ref, file, replace=yes, **how)
    except FileStands:
        out.confirm(f"{file} is there and holds something else. Replace it?", yes)
        result = export(find_project(), ref, file, replace=True, **how)
    out.say(
        f"{result.path}: {counted(result.rows, 'row')} of {result.of} as {result.format}, {result.size / 1e6:,.1f} MB"
    )
    if result.made_folder:
        out.say(f"  the folder {result.made_folder} was made for it")
    if everything:
        out.say(
            f"  {result.rows - result.dropped:,} kept, {result.dropped:,} dropped (columns status, reason, kept_row)"
        )
    return result
