"""`sluice labels`: what people said of rows, and making it a version. Exit codes: 0; 4 nothing could be applied."""

from __future__ import annotations

from typing import Any

import click

from sluice.cli.labelling.exchange import exchange, exchange_options
from sluice.cli.terminal import Terminal
from sluice.cli.verb import dry_run_option, find_project, typed_again, verb
from sluice.core.wording import counted


@verb(
    examples=[
        "sluice labels tickets                          all questions: how far, who, which labels",
        "sluice labels tickets --question target.category --json",
        "sluice labels tickets --apply                  agreed labels become targets",
        "sluice labels tickets --apply --settle majority",
        "sluice labels tickets --import project-7.json --who 3=ana    from Label Studio, Argilla, Prodigy, ...",
        "sluice labels tickets --export tasks.json --format label-studio --what tasks",
    ],
    exits={4: "--apply, and no label is settled"},
)
@click.argument("name", metavar="NAME[@N]")
@click.option("--question", "word", metavar="WORD", help="One question: its field, mode or the beginning of its id.")
@click.option("--settle", "rule", metavar="RULE", default="agreed", show_default=True, help="agreed, or majority.")
@click.option("--apply", "apply_it", is_flag=True, help="Put settled labels into the targets: a new version.")
@exchange_options
@dry_run_option
def command(
    out: Terminal, name: str, word: str | None, rule: str, apply_it: bool, dry_run: bool, **exchanged: Any
) -> Any:
    """Show what people said of a dataset's rows, or make it the next version."""
    from sluice.core.errors import UsageError
    from sluice.curate.labels.choose import find_question
    from sluice.curate.labels.log import read_log
    from sluice.curate.labels.overview import overview

    exchanging = exchange(out, name, word, rule, dry_run, apply_it, exchanged)
    if exchanging is not None:
        return exchanging
    project = find_project()
    if dry_run and not apply_it:
        raise UsageError("nothing would be done without --apply", where="--dry-run", remedy="add --apply")
    if apply_it:
        return apply(out, name, word, rule, dry_run)
    question = find_question(read_log(project), word) if word else None
    result = overview(project, name, question=question, rule=rule)
    if not result.questions:
        out.say(f"Nobody was asked about {result.dataset}@{result.version} yet.")
        out.next(f"sluice label {name}", "one key a decision")
        return result
    for asked in result.questions:
        field = "" if asked.field == "target" else f" {asked.field}"
        out.spans(
            [
                (f"{asked.mode}{field}", "bold"),
                (f"  {asked.decided:,} of {counted(asked.rows, 'row')}, question {asked.question[:8]}", None),
            ]
        )
        if asked.counts:
            out.say("  " + ", ".join(f"{label} {n:,}" for label, n in list(asked.counts.items())[:12]))
        if asked.open:
            out.say(f"  {counted(asked.open, 'row')} that people disagree on", "warn")
        if asked.cannot_tell:
            out.say(f"  {counted(asked.cannot_tell, 'row')} of which nobody can tell")
        if asked.elsewhere:
            out.say(f"  {counted(asked.elsewhere, 'label')} of rows that are not in this version", "dim")
        out.table(
            ("by", "decided", "cannot tell", "minutes"),
            [(p.by, f"{p.decided:,}", f"{p.cannot_tell:,}", f"{p.minutes:,.1f}") for p in asked.people],
        )
    if result.rows:
        out.table(("row", "label", "how"), [(r.row[:10], shown(r.value), r.how) for r in result.rows[:20]])
        if len(result.rows) > 20:
            out.say(f"  and {len(result.rows) - 20:,} more; all of them with --json", "dim")
    out.next(f"sluice labels {result.dataset} --apply --dry-run", "what would they change?")
    return result


def apply(out: Terminal, name: str, word: str | None, rule: str, dry_run: bool) -> Any:
    """Make settled labels the targets of the next version."""
    from sluice.curate.labels.apply import apply_labels
    from sluice.curate.labels.choose import find_question
    from sluice.curate.labels.log import read_log

    project = find_project()
    result = apply_labels(project, name, find_question(read_log(project), word), rule=rule, dry_run=dry_run)
    settled = result.labelled + result.same
    where = result.field if result.field != "target" else "the target"
    if dry_run:
        out.say(f"Nothing was changed. It would set {where} of {counted(result.labelled, 'row')}.")
    elif result.changed:
        out.spans(
            [
                (f"{result.dataset}@{result.version}", "bold"),
                (f"  {where} set in {counted(result.labelled, 'row')} of {result.rows:,}", None),
            ]
        )
    elif settled:
        out.say(f"{result.dataset}@{result.version} says so already; nothing changed.")
    else:
        out.say(f"No label of {result.dataset}@{result.version} is settled yet; nothing changed.")
    if result.how:
        out.say("  " + ", ".join(f"{how} {n:,}" for how, n in result.how.items()))
    if result.open:
        out.say(f"  {counted(result.open, 'row')} that people disagree on, left as before", "warn")
    if result.without:
        out.say(f"  {counted(result.without, 'row')} that nobody was asked about")
    if result.merged:
        out.say(f"  {counted(result.merged, 'row')} became equal to another one")
    if result.parts and result.changed:
        out.say(f"  the parts are as before; `sluice split {result.dataset}` draws new rows in", "warn")
    if not settled:
        out.exit_code = 4
    if dry_run:
        out.next(typed_again(), "the same without --dry-run")
    elif result.changed:
        out.next(f"sluice diff {result.dataset}@{result.version - 1} {result.dataset}", "what changed, row by row")
    return result


def shown(value: object) -> str:
    """Return an answer on one line of a table."""
    if value is None:
        return "-"
    text = ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    return " ".join(text.split())
