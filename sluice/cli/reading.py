"""How files are read, on the command line: the options that `add`, `audit`, `decontaminate` and `diff` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.verb import F

if TYPE_CHECKING:
    from sluice.curate.formats import ReadOptions

_OPTIONS = (
    click.option("--input", "input_", metavar="COL[,COL]", help="The input column, or several."),
    click.option(
        "--target", metavar="COL[,COL]", help="The target column; several become one JSON object. May be left away."
    ),
    click.option("--shape", metavar="NAME", help="What the columns are, where they do not say it: sharegpt, text, ..."),
    click.option("--map", multiple=True, metavar="FIELD=TEMPLATE", help="A field made of columns, by a template."),
    click.option("--thread", metavar="COL", help="One message a line: the column that says which conversation."),
    click.option("--order", metavar="COL", help="With --thread: the column of the order, numbers or times."),
    click.option("--role", metavar="COL", help="With --thread: the column that says who speaks."),
    click.option("--text", metavar="COL", help="With --thread: the column of what is said."),
    click.option("--roles", metavar="WORD=ROLE[,...]", help="With --thread: what the words of --role mean."),
    click.option("--encoding", metavar="NAME", help="Of texts that are not UTF-8, such as cp1252; auto detects it."),
    click.option("--delimiter", metavar="CHAR", help="What separates the cells of a CSV file: one character, or tab."),
    click.option(
        "--format", "format_", metavar="NAME", help="json, jsonl, csv, xlsx, text, ... where the name does not say it."
    ),
    click.option("--sheet", metavar="NAME", help="Of Excel workbooks; the first sheet with cells where not named."),
    click.option(
        "--per", type=click.Choice(["file", "paragraph", "line"]), help="Of plain text: what a row is [file]."
    ),
)


def reading_options(function: F) -> F:
    """Add the options of how files are read; a verb takes them as `**how` and hands them to `read_options`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def read_options(how: dict[str, Any]) -> ReadOptions:
    """Return what was said of how files are read."""
    from sluice.curate.formats import ReadOptions

    return ReadOptions(**{key.rstrip("_"): value for key, value in how.items()})
