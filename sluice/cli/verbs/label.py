"""`sluice label`: people decide about rows. Exit codes: 0."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.labelling.forms import form_of, read_line
from sluice.cli.terminal import Terminal
from sluice.cli.verb import by_option, find_project, verb

if TYPE_CHECKING:
    from sluice.cli.labelling.start import Prepared
    from sluice.curate.dataset import Version
    from sluice.curate.labels.question import Question
    from sluice.curate.labels.session import Item

MODES = ("classify", "rate", "grade", "correct", "write", "compare", "review")
OF_SERVER = frozenset({"web", "host", "port", "yes_this_is_open", "no_tui", "window", "by"})


@verb(
    examples=[
        "sluice label tickets                             one key a decision; stop anywhere, it goes on from there",
        "sluice label tickets --people ana,ben,cem --overlap 2 --gold known --by ana",
        "sluice label tickets/dev --mode compare --answers sft-1 --against few-shot",
        "sluice label tickets --web                       the same in a browser on this machine",
        "sluice label tickets --row 3f2a9c1b07 --label billing --by ana",
    ]
)
@click.argument("name", metavar="NAME")
@click.option("--mode", type=click.Choice(MODES), default="classify", show_default=True, help="What is asked.")
@click.option("--field", metavar="PATH", default="target", show_default=True, help="Where in a target in JSON.")
@click.option("--labels", metavar="A,B,...", help="What may be said; else as before, as the schema or the rows say.")
@click.option("--many", is_flag=True, help="Several labels may hold at once.")
@click.option("--ordered", is_flag=True, help="The labels are a scale, from least to most.")
@click.option("--answers", metavar="RUN", help="compare: a run's id, an adapter's or prompt's name, or target.")
@click.option("--against", metavar="RUN", help="compare: the other answers, named likewise.")
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
@click.option("--model", metavar="FOLDER|ID", help="A sentence-transformers model: queues go by meaning, not by words.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the draw: the same seed, the same order.")
@click.option("--no-tui", is_flag=True, help="Line by line: for a plain terminal, or answers through a pipe.")
@click.option("--web", is_flag=True, help="The same screen in a browser, under an address that nobody can guess.")
@click.option("--port", type=int, default=0, help="--web: on this port; else a free one.")
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="--web: on this address.")
@click.option("--yes-this-is-open", is_flag=True, help="--host: others can reach it, not encrypted, and that is meant.")
@click.option("--window", is_flag=True, hidden=True, help="Be the app of one browser window.")
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
    answers: str | None,
    against: str | None,
    queue: str,
    slice_: str | None,
    overlap: int | None,
    people: str | None,
    gold: str | None,
    gold_share: float,
    suggest: str | None,
    blind: bool | None,
    model: str | None,
    seed: int,
    no_tui: bool,
    web: bool,
    port: int,
    host: str,
    yes_this_is_open: bool,
    window: bool,
    row: str | None,
    value: str | None,
    adjudicate: bool,
    comment: str | None,
    by: str | None,
) -> Any:
    """Say what rows are: one key a decision, kept at once with who said it.

    Without --row the screen opens. In a terminal that cannot draw it, and with --no-tui, it goes line by line.
    """
    from sluice.core.errors import UsageError
    from sluice.curate.dataset import open_dataset
    from sluice.curate.labels.prepare import Plan

    if (row is None) != (value is None):
        missing = "--row" if row is None else "--label"
        raise UsageError(f"{missing} is missing", remedy="sluice label NAME --row ID --label L --by WHO")
    form = form_of(out, no_tui=no_tui, web=web, window=window)
    if row is None and form is None:
        raise UsageError(
            "there is no terminal to ask on",
            remedy="sluice label NAME --row ID --label L --by WHO, or lines on stdin: --no-tui --by WHO",
        )
    if web:
        from sluice.cli.labelling.web import check_host

        check_host(host, open_to_others=yes_this_is_open)
    if row is None and adjudicate:
        queue = "adjudicate"
    who = out.who(by)
    version = open_dataset(find_project(), name)
    given = [label.strip() for label in labels.split(",")] if labels else []
    if mode == "compare" and row is None:
        question, items = compared(version, answers, against)
    else:
        question, items = asked(version, mode, field, given, many=many, ordered=ordered, wanted=row is None)
    if row is not None and value is not None:
        return said(out, name, row, value, question, who, comment, adjudicate=adjudicate)

    from sluice.cli.labelling.start import prepare
    from sluice.cli.meaning import embedder

    named = tuple(one.strip() for one in people.split(",")) if people else ()
    plan = Plan(queue, seed, overlap, named, slice_, gold, gold_share, suggest, blind)
    embed = embedder(version.project, model) if model else None
    sitting = prepare(version, items, question, plan, by=who, embed=embed)
    for caution in sitting.cautions:
        out.say(caution, "warn")
    if form == "web":
        return serve(out, sitting, who, host, port)
    return sit(out, sitting, form or "screen", f"sluice labels {version.dataset}")


def asked(
    version: Version, mode: Any, field: str, labels: list[str], *, many: bool, ordered: bool, wanted: bool
) -> tuple[Question, list[Item]]:
    """Return the question, and, where they are wanted, the rows that it is asked about."""
    from sluice.curate.labels.choose import choose_question
    from sluice.curate.labels.items import items_of
    from sluice.curate.labels.log import read_log

    log = read_log(version.project)
    question = choose_question(version, log, mode=mode, field=field, labels=labels, many=many, ordered=ordered)
    return question, items_of(version, mode, field) if wanted else []


def compared(version: Version, answers: str | None, against: str | None) -> tuple[Question, list[Item]]:
    """Return the question which of two answers is better, and the inputs that both sides answer."""
    from sluice.core.errors import UsageError
    from sluice.curate.labels.choose import choose_question
    from sluice.curate.labels.log import read_log
    from sluice.curate.labels.versus import between, open_side, pair_items, versus_items

    log = read_log(version.project)
    if answers is None and against is None:
        question = choose_question(version, log, mode="compare")
        return question, pair_items(version, question)
    if answers is None or against is None:
        missing = "--answers" if answers is None else "--against"
        raise UsageError(f"{missing} is missing: two things are compared", remedy="--answers RUN --against RUN|target")
    first, second = open_side(version, answers), open_side(version, against)
    question = choose_question(version, log, mode="compare", between=between(first, second))
    return question, versus_items(version, question, first, second)


def said(
    out: Terminal,
    name: str,
    row: str,
    value: str,
    question: Question,
    by: str,
    comment: str | None,
    *,
    adjudicate: bool,
) -> Any:
    """Record one decision of a script."""
    from sluice.curate.labels.say import say

    answer: object = None if value == "cannot-tell" else value.split(",") if question.many else value
    result = say(find_project(), name, row, answer, question, by=by, comment=comment, adjudicate=adjudicate)
    told = "cannot tell" if result.value is None else value
    if not result.changed:
        out.say(f"{result.row[:10]}  {by} said so already: {told}")
    else:
        before = f", before: {result.before}" if result.before is not None else ""
        out.say(f"{result.row[:10]}  {question.field}: {told}, by {by}{before}")
    out.next(f"sluice labels {name.partition('@')[0]}", "how far it has come")
    return result


def sit(out: Terminal, sitting: Prepared, form: str, then: str) -> Any:
    """Open the sitting in its form, and say afterwards how far it has come."""
    from sluice.cli.labelling.start import in_window, line_by_line, on_screen

    session = sitting.session
    if form == "window":
        in_window(sitting)
        return None
    if form == "lines":
        line_by_line(sitting, read=read_line, say=out.say)
    else:
        on_screen(sitting)
    done = session.progress
    skipped = f", {done.skipped:,} skipped" if done.skipped else ""
    out.say(f"{done.decided:,} of {done.of:,} decided by {session.by}{skipped}")
    if session.question.between and done.left == 0:
        from sluice.curate.labels.versus import tally

        found = tally(list(session.words().values()))
        out.say("  better: " + ", ".join(f"{source} {count:,}" for source, count in found.better.items()))
        out.say(f"  as good {found.tie:,}, both bad {found.both_bad:,}; the first side {found.first_side:,} times")
    out.next(then, "how far it has come")
    return done


def serve(out: Terminal, sitting: Prepared, by: str, host: str, port: int) -> Any:
    """Serve the app until Ctrl-C. The sitting was prepared to see that there is something to ask."""
    from sluice.cli.labelling.web import serve as serve_app

    def ready(address: str) -> None:
        out.say(address, "bold")
        out.say(f"Each window is a sitting of {by}. Who has the address can decide as {by}; Ctrl-C ends it.")

    session, title = sitting.session, f"sluice label {sitting.task.title}"
    serve_app([*own_words(), "--by", by, "--window"], title=title, host=host, port=port, ready=ready)
    out.next(f"sluice labels {sitting.task.title}", "how far it has come")
    return {"question": session.question.hash}


def own_words() -> list[str]:
    """Return this command line as the process behind a window gets it: without what concerns the server."""
    ctx = click.get_current_context()
    words = [sys.executable, "-m", "sluice", "label"]
    for param in ctx.command.params:
        value = ctx.params.get(param.name or "")
        if param.name in OF_SERVER or value is None or value is False:
            continue
        if isinstance(param, click.Option):
            words.append(param.opts[0])
        if value is not True:
            words.append(str(value))
    return words
