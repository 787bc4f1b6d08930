"""`sluice label`: people decide about rows. Exit codes: 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import by_option, find_project, verb

if TYPE_CHECKING:
    from sluice.curate.dataset import Version
    from sluice.curate.labels.prepare import Plan
    from sluice.curate.labels.question import Question
    from sluice.curate.labels.session import Progress

MODES = ("classify", "rate", "grade", "correct", "write", "compare", "review")


@verb(
    examples=[
        "sluice label tickets                             one key a decision; stop anywhere, it goes on from there",
        "sluice label tickets --mode grade --overlap 2 --by ana",
        "sluice label tickets --queue adjudicate          decide what others disagree on",
        "sluice label tickets --queue uncertain --suggest rules",
        "sluice label tickets --people ana,ben,cem --overlap 2 --gold known --by ana",
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
@click.option(
    "--queue",
    metavar="NAME",
    default="random",
    show_default=True,
    help="Which rows come first: random, order, uncertain, different, spread:COLUMN, disagreed, adjudicate, suspects.",
)
@click.option("--slice", "slice_", metavar="COND", help="Only these rows: column=value, or a condition as in filter.")
@click.option("--overlap", type=int, metavar="K", help="How many people decide each row; else everyone decides all.")
@click.option("--people", metavar="A,B,...", help="Deal the rows to these people, each row to --overlap of them.")
@click.option("--gold", metavar="NAME|FILE", help="Mix in rows with known answers: a dataset, or a table row, label.")
@click.option("--gold-share", type=float, default=0.1, show_default=True, help="How many of the rows are gold.")
@click.option("--suggest", metavar="SOURCE", help="Propose answers: run:ID, rules (labels/*.py), model or suspects.")
@click.option("--blind/--shown", default=None, help="Keep what is proposed until the decision; so with gold rows.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the draw: the same seed, the same order.")
@click.option("--row", metavar="ID", help="One row, by its first digits, for scripts.")
@click.option("--label", "value", metavar="L", help="What is said of that row; 'cannot-tell' where nobody can.")
@click.option("--adjudicate", is_flag=True, help="Decide what others disagree on: it counts over their words.")
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
    queue: str,
    slice_: str | None,
    overlap: int | None,
    people: str | None,
    gold: str | None,
    gold_share: float,
    suggest: str | None,
    blind: bool | None,
    seed: int,
    row: str | None,
    value: str | None,
    adjudicate: bool,
    comment: str | None,
    by: str | None,
) -> Any:
    """Say what a row is: one decision, kept with who said it."""
    from sluice.core.errors import UsageError
    from sluice.curate.dataset import open_dataset
    from sluice.curate.labels.choose import choose_question
    from sluice.curate.labels.log import read_log
    from sluice.curate.labels.prepare import Plan
    from sluice.curate.labels.say import say

    if (row is None) != (value is None):
        missing = "--row" if row is None else "--label"
        raise UsageError(f"{missing} is missing", remedy="sluice label NAME --row ID --label L --by WHO")
    if row is None and not out.interactive:
        raise UsageError("there is no terminal to ask on", remedy="sluice label NAME --row ID --label L --by WHO")
    if row is None and adjudicate:
        queue = "adjudicate"
    who = out.who(by)
    project = find_project()
    version = open_dataset(project, name)
    given = [label.strip() for label in labels.split(",")] if labels else []
    question = choose_question(
        version, read_log(project), mode=mode, field=field, labels=given, many=many, ordered=ordered
    )
    if row is None or value is None:
        named = tuple(one.strip() for one in people.split(",")) if people else ()
        plan = Plan(queue, seed, overlap, named, slice_, gold, gold_share, suggest, blind)
        return sit(out, version, question, who, plan)
    answer: object = None if value == "cannot-tell" else value.split(",") if question.many else value
    result = say(project, name, row, answer, question, by=who, comment=comment, adjudicate=adjudicate)
    said = "cannot tell" if result.value is None else value
    if not result.changed:
        out.say(f"{result.row[:10]}  {who} said so already: {said}")
    else:
        before = f", before: {result.before}" if result.before is not None else ""
        out.say(f"{result.row[:10]}  {field}: {said}, by {who}{before}")
    out.next(f"sluice labels {version.dataset}", "how far it has come")
    return result


def sit(out: Terminal, version: Version, question: Question, by: str, plan: Plan) -> Progress:
    """Open the screen, and say afterwards how far it has come."""
    from sluice.cli.labelling.start import start_sitting

    done, cautions = start_sitting(version, question, plan, by=by)
    for caution in cautions:
        out.say(caution, "warn")
    out.say(
        f"{done.decided:,} of {done.of:,} decided by {by}" + (f", {done.skipped:,} skipped" if done.skipped else "")
    )
    out.next(f"sluice labels {version.dataset}", "who said what, and what people agree on")
    return done
