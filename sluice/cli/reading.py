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
    click.option(
        "--shape",
        metavar="NAME",
        help="Read the columns as this shape (sharegpt, text, ...); else told by their names.",
    ),
    click.option(
        "--map",
        multiple=True,
        metavar="FIELD=TEMPLATE",
        help="Make a field by a template: input='{{subject}} {{body}}'; repeatable.",
    ),
    click.option("--thread", metavar="COL", help="One message a line: the column that says which conversation."),
    click.option("--order", metavar="COL", help="With --thread: the column of the order, numbers or times."),
    click.option("--role", metavar="COL", help="With --thread: the column that says who speaks."),
    click.option("--text", metavar="COL", help="With --thread: the column of what is said."),
    click.option("--roles", metavar="WORD=ROLE[,...]", help="With --thread: what the words of --role mean."),
    click.option(
        "--encoding", metavar="NAME", help="The encoding, where it is not UTF-8: cp1252, ...; auto: detect it."
    ),
    click.option(
        "--delimiter", metavar="CHAR", help="What separates the cells of a CSV file: a character, or tab. [detected]"
    ),
    click.option(
        "--format",
        "format_",
        metavar="NAME",
        help="The kind of file, where its name does not say it: csv, xlsx, text, ...",
    ),
    click.option("--sheet", metavar="NAME", help="Which sheet of an Excel workbook. [the first with cells]"),
    click.option(
        "--per", type=click.Choice(["file", "paragraph", "line"]), help="What a row of a plain text file is. [file]"
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
