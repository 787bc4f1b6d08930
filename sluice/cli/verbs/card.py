"""`sluice card`: a dataset card and Croissant metadata, from what is known. Exit codes: 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import PATH, find_project, verb, yes_option

F = TypeVar("F", bound=Callable[..., Any])


def word_options(function: F) -> F:
    """Add `--title`, `--license` and `--language`: what only people can state of a dataset."""
    options = (
        click.option("--title", metavar="TEXT", help="Of the card: its title.  [default: the dataset's name]"),
        click.option("--license", metavar="ID", help="Of the card: the licence of the data, such as cc-by-4.0."),
        click.option(
            "--language", metavar="TAG", multiple=True, help="Of the card: a language, such as en; repeatable."
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def checks_option(function: F) -> F:
    """Add `--no-checks`: leave the audit out of a card (`checks: bool`)."""
    told = "Of the card: whether the checks of audit are run for it.  [default: they are]"
    return click.option("--checks/--no-checks", default=True, help=told)(function)


@verb(
    examples=[
        "sluice card tickets                                 show it",
        "sluice card tickets --out README.md --license cc-by-4.0 --language en",
        "sluice card tickets --croissant croissant.json      machine-readable metadata",
    ]
)
@click.argument("ref", metavar="NAME[@N]")
@click.option("--out", "file", metavar="FILE", type=PATH, help="Write the card to a file.")
@click.option("--croissant", metavar="FILE", type=PATH, help="Write Croissant 1.0 metadata (JSON-LD) to a file.")
@click.option("--rows", "shape", metavar="SHAPE", default="columns", help="The shape of rows, as in export --rows.")
@click.option("--samples", metavar="N", type=click.IntRange(0), default=0, help="Show N rows of each split.")
@checks_option
@word_options
@yes_option
def command(out: Terminal, ref: str, file: str | None, croissant: str | None, yes: bool, **how: Any) -> Any:
    """Write down what is known of a dataset: where its rows came from, what was done to them, what checks found.

    Nothing is made up: what nobody stated is said to be missing. State it with options, or in card.toml (title,
    license, language, description, creators, publisher, homepage, citation, tags, task_categories, published).
    """
    from sluice.curate.card import card
    from sluice.curate.formats import FileStands
    from sluice.curate.publish.words import how_to_state, read_words

    project = find_project()
    words = read_words(project, title=how["title"], license=how["license"], language=how["language"])
    given: dict[str, Any] = {"out": file, "croissant": croissant, "shape": how["shape"], "samples": how["samples"]}
    given["checks"] = how["checks"]
    try:
        result = card(project, ref, words, replace=yes, progress=out.progress, **given)
    except FileStands as problem:
        out.confirm(f"{problem.where} is there and holds something else. Replace it?", yes)
        result = card(project, ref, words, replace=True, progress=out.progress, **given)
    if file is None and croissant is None:
        out.say(result.text)
    for path in (result.path, result.croissant):
        if path is not None:
            out.say(f"{path}: written")
    if result.not_stated:
        out.say(f"not stated: {', '.join(result.not_stated)} ({how_to_state(result.not_stated)})")
    return result
