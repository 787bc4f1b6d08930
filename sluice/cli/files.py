"""The files of a command line and how they are read: `-` is stdin, read here; other words stay as they were typed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluice.core.errors import UsageError

if TYPE_CHECKING:
    from sluice.curate.formats import Entry, ReadOptions

STDIN = "stdin"  # what rows that came that way are remembered by

READING = (
    click.option("--input", metavar="COL[,COL]", help="Of files: the input column, or several."),
    click.option("--target", metavar="COL[,COL]", help="Of files: the target column, or several."),
    click.option("--shape", metavar="NAME", help="What the columns are, where they do not say it: sharegpt, ..."),
    click.option("--map", multiple=True, metavar="FIELD=TEMPLATE", help="A field made of columns, by a template."),
    click.option("--thread", metavar="COL", help="Of one message a line: the column that says which conversation."),
    click.option("--order", metavar="COL", help="With --thread: the column of the order, numbers or times."),
    click.option("--role", metavar="COL", help="With --thread: the column that says who speaks."),
    click.option("--text", metavar="COL", help="With --thread: the column of what is said."),
    click.option("--roles", metavar="WORD=ROLE[,...]", help="With --thread: what the words of --role mean."),
    click.option("--encoding", metavar="NAME", help="Of files that are not UTF-8; auto detects it."),
    click.option("--delimiter", metavar="CHAR", help="Of CSV files: one character, or tab."),
    click.option("--format", metavar="NAME", help="Of files whose name does not say it, and of stdin."),
    click.option("--sheet", metavar="NAME", help="Of Excel workbooks; the first with cells where not named."),
    click.option(
        "--per", type=click.Choice(["file", "paragraph", "line"]), help="Of plain text: what a row is (file)."
    ),
)
"""How files are read, as `add` reads them. The names are those of ReadOptions."""


def reading_options(function: Any) -> Any:
    """Add the options by which a verb that stores nothing reads files (`**how`, for `read_options`)."""
    for option in reversed(READING):
        function = option(function)
    return function


def read_options(how: dict[str, Any]) -> ReadOptions:
    """Return the options of `reading_options` as the library takes them."""
    from sluice.curate.formats import ReadOptions

    return ReadOptions(**how)


def given_files(words: Sequence[str]) -> list[str | Entry]:
    """Return words as `add` and `audit_files` take them. Raises UsageError where `-` stands and nothing is piped in."""
    from sluice.curate.formats import STDIN as DASH
    from sluice.curate.formats import Entry

    given: list[str | Entry] = []
    for word in words:
        if word != DASH:
            given.append(word)
            continue
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(
                "'-' reads what is piped in, and nothing is",
                remedy="pipe something: zcat rows.jsonl.gz | sluice add NAME -",
            )
        given.append(Entry(Path(STDIN), name=STDIN, data=sys.stdin.buffer.read()))
    return given
