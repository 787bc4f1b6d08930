"""`sluice label`: people decide about rows. Exit codes: 0."""

from __future__ import annotations

from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import by_option, find_project, verb

MODES = ("classify", "rate", "grade", "correct", "write", "compare", "review")


@verb(
    examples=[
        "sluice label tickets --row 3f2a9c1b07 --label billing --by ana",
        "sluice label tickets --field target.category --labels billing,shipping,other --row 3f2a9c1b07 "
        "--label other --by ana",
    ]
)
@click.argument("name", metavar="NAME")
@click.option("--mode", type=click.Choice(MODES), default="classify", show_default=True, help="What is asked.")
@click.option("--field", metavar="PATH", default="target", show_default=True, help="Where in a target in JSON.")
@click.option("--labels", metavar="A,B,...", help="What may be said; else as before, as the schema or the rows say.")
@click.option("--many", is_flag=True, help="Several labels may hold at once.")
@click.option("--ordered", is_flag=True, help="The labels are a scale, from least to most.")
@click.option("--row", metavar="ID", help="One row, by its first digits, for scripts.")
@click.option("--label", "value", metavar="L", help="What is said of that row; 'cannot-tell' where nobody can.")
@click.option("--comment", metavar="TEXT", help="A remark on that row.")
@by_option
def command(
    out: Terminal,
    name: str,
    mode: Any,
    field: str,
    labels: str | None,
    many: bool,
    ordered: bool,
    row: str | None,
    value: str | None,
    comment: str | None,
    by: str | None,
) -> Any:
    """Say what a row is: one decision, kept with who said it."""
    from sluice.core.errors import UsageError
    from sluice.curate.dataset import open_dataset
    from sluice.curate.labels.choose import choose_question
    from sluice.curate.labels.log import read_log
    from sluice.curate.labels.say import say

    if row is None or value is None:
        missing = "--row" if row is None else "--label"
        raise UsageError(f"{missing} is missing", remedy="sluice label NAME --row ID --label L --by WHO")
    who = out.who(by)
    project = find_project()
    version = open_dataset(project, name)
    given = [label.strip() for label in labels.split(",")] if labels else []
    question = choose_question(
        version, read_log(project), mode=mode, field=field, labels=given, many=many, ordered=ordered
    )
    answer: object = None if value == "cannot-tell" else value.split(",") if question.many else value
    result = say(project, name, row, answer, question, by=who, comment=comment)
    said = "cannot tell" if result.value is None else value
    if not result.changed:
        out.say(f"{result.row[:10]}  {who} said so already: {said}")
    else:
        before = f", before: {result.before}" if result.before is not None else ""
        out.say(f"{result.row[:10]}  {field}: {said}, by {who}{before}")
    out.next(f"sluice labels {version.dataset}", "how far it has come")
    return result
