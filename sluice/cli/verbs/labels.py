"""`sluice labels`: what people said of rows, and making it a version. Exit codes: 0; 4 nothing could be applied."""

from __future__ import annotations

from typing import Any

import click

from sluice.cli.collecting import rare_collections
from sluice.cli.labelling.exchange import exchange, exchange_options
from sluice.cli.terminal import Terminal
from sluice.cli.verb import dry_run_option, find_project, typed_again, verb
from sluice.core.wording import counted


@verb(
    examples=[
        "sluice labels tickets                          all questions: how far, who, how far they agree",
        "sluice labels tickets --disputed               what a third person should decide",
        "sluice labels tickets --apply --settle dawid-skene --least 0.95",
        "sluice labels tickets --question grade --keep right,partly    rows graded wrong leave",
        "sluice labels tickets --import project-7.json --who 3=ana    from Label Studio, Argilla, Prodigy, ...",
    ],
    exits={4: "--apply or --keep, and no label is settled"},
)
@click.argument("name", metavar="NAME[@N]")
@click.option("--question", "word", metavar="WORD", help="One question: its field, mode or the beginning of its id.")
@click.option(
    "--settle",
    "rule",
    metavar="RULE",
    default="agreed",
    show_default=True,
    help="agreed, majority, dawid-skene, mace, or a person.",
)
@click.option("--least", type=float, metavar="P", help="Probability below which a label stays open; of a model 0.9.")
@click.option("--disputed", is_flag=True, help="List only the rows that are open.")
@click.option("--by-column", "column", metavar="COL", help="Measure agreement for each value of a column, too.")
@click.option("--apply", "apply_it", is_flag=True, help="Put settled labels into the targets: a new version.")
@click.option("--keep", metavar="A,B,...", help="Leave out rows of which people said otherwise: right,partly or 4,5.")
@exchange_options
@dry_run_option
def command(
    out: Terminal,
    name: str,
    word: str | None,
    rule: str,
    least: float | None,
    disputed: bool,
    column: str | None,
    apply_it: bool,
    keep: str | None,
    dry_run: bool,
    **exchanged: Any,
) -> Any:
    """Show what people said of a dataset's rows and how far they agree, or make it the next version."""
    from sluice.cli.labelling.overview import draw_question, draw_rows
    from sluice.core.errors import UsageError
    from sluice.curate.labels.choose import find_question
    from sluice.curate.labels.log import read_log
    from sluice.curate.labels.overview import overview

    exchanging = exchange(out, name, word, rule, dry_run, apply_it or keep is not None, exchanged)
    if exchanging is not None:
        return exchanging
    project = find_project()
    if dry_run and not apply_it and keep is None:
        raise UsageError("nothing would be done without --apply", where="--dry-run", remedy="add --apply")
    if apply_it or keep is not None:
        asked = "--disputed" if disputed else "--by-column" if column else "--keep" if apply_it and keep else None
        if asked is not None:
            raise UsageError(f"{asked} and --apply are two things", where=asked, remedy="one after the other")
        if keep is not None:
            return leave_out(out, name, word, keep, rule, least, dry_run)
        return apply(out, name, word, rule, least, dry_run)
    question = find_question(read_log(project), word) if word or disputed else None
    with rare_collections():
        result = overview(
            project,
            name,
            question=question,
            rule=rule,
            least=least,
            disputed=disputed,
            column=column,
            progress=out.progress,
        )
    if not result.questions:
        out.say(f"Nobody was asked about {result.dataset}@{result.version} yet.")
        out.next(f"sluice label {name}", "one key a decision")
        return result
    for asked in result.questions:
        draw_question(out, asked, whole=(len(result.questions) == 1 or bool(column)) and not disputed)
    if question is not None:
        draw_rows(out, result.rows)
    if any(asked.open for asked in result.questions):
        out.next(f"sluice label {result.dataset} --queue adjudicate", "a third person decides what others disagree on")
    out.next(f"sluice labels {result.dataset} --apply --dry-run", "what would they change?")
    return result


def apply(out: Terminal, name: str, word: str | None, rule: str, least: float | None, dry_run: bool) -> Any:
    """Make settled labels the targets of the next version."""
    from sluice.cli.labelling.overview import shown
    from sluice.curate.labels.apply import apply_labels
    from sluice.curate.labels.choose import find_question
    from sluice.curate.labels.log import read_log

    project = find_project()
    result = apply_labels(
        project, name, find_question(read_log(project), word), rule=rule, least=least, dry_run=dry_run
    )
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
    if result.rejected:
        out.say(f"  {counted(result.rejected, 'row')} whose suggestion was rejected, left as before")
    if result.merged:
        out.say(f"  {counted(result.merged, 'row')} became equal to another one")
    if result.refused:
        out.say(f"  {counted(len(result.refused), 'row')} cannot take the label, left as before", "warn")
        out.table(("row", "label", "why"), [(r.row[:10], shown(r.value), r.why) for r in result.refused[:10]])
    if result.conflicts:
        out.say(f"  {counted(result.conflicts, 'input has', 'inputs have')} more than one target now", "warn")
    for frozen in result.frozen:
        out.say(
            f"  the frozen eval set {frozen} keeps its old targets; to measure on the new ones freeze its part again:"
            f' sluice freeze PART --as NAME --reason "..."',
            "warn",
        )
    if result.parts and result.changed:
        out.say(f"  the parts are as before; `sluice split {result.dataset}` draws new rows in", "warn")
    if not settled:
        out.exit_code = 4
    if dry_run:
        out.next(typed_again(), "the same without --dry-run")
    elif result.changed:
        out.next(f"sluice diff {result.dataset}@{result.version - 1} {result.dataset}", "what changed, row by row")
    return result


def leave_out(
    out: Terminal, name: str, word: str | None, keep: str, rule: str, least: float | None, dry_run: bool
) -> Any:
    """Drop the rows of which people said something else than what is kept."""
    from sluice.curate.labels.choose import find_question
    from sluice.curate.labels.keep import keep_rows
    from sluice.curate.labels.log import read_log

    project = find_project()
    answers = [answer.strip() for answer in keep.split(",")]
    question = find_question(read_log(project), word)
    result = keep_rows(project, name, question, answers, rule=rule, least=least, dry_run=dry_run)
    gone = sum(result.dropped.values())
    told = ", ".join(f"{answer} {n:,}" for answer, n in result.dropped.items())
    if dry_run:
        out.say(f"Nothing was changed. {counted(gone, 'row')} would leave" + (f": {told}" if told else ""))
    elif result.changed:
        out.spans([(f"{result.dataset}@{result.version}", "bold"), (f"  {counted(gone, 'row')} left: {told}", None)])
    else:
        out.say(f"No row of {result.dataset}@{result.version} was judged otherwise; nothing changed.")
    out.say(f"  {counted(result.kept, 'row')} judged {', '.join(map(str, result.keep))}, {result.without:,} not judged")
    if result.open:
        out.say(f"  {counted(result.open, 'row')} that people disagree on, kept", "warn")
    if result.untold:
        out.say(f"  {counted(result.untold, 'row')} of which nobody could tell, kept")
    if not gone and not result.kept:
        out.exit_code = 4
    if dry_run:
        out.next(typed_again(), "the same without --dry-run")
    elif result.changed:
        out.next(f"sluice restore {result.dataset} --reason-was judged", "brings them back")
    return result
