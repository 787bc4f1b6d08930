"""`sluice waive`: set one rule aside, openly. Exit codes: 0; 2 a rule that cannot be waived; 3 it does not refuse."""

from __future__ import annotations

from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import by_option, find_project, verb


@verb(
    examples=['sluice waive gradable --reason "two of us graded these on paper, 2 March" --by ana'],
    exits={3: "the rule does not refuse now, or cannot be judged yet"},
)
@click.argument("rule")
@click.option("--reason", metavar="TEXT", required=True, help="Why; stays on the adapter's certificate for good.")
@click.option("--dataset", metavar="NAME", help="The training rows it is for; by default the task's train part.")
@by_option
def command(out: Terminal, rule: str, reason: str, dataset: str | None, by: str | None) -> Any:
    """Set aside gradable, headroom or audit, one at a time, with a written reason.

    Under [gate] strict = true also what is advice elsewhere: train-size, dev-size, resolvable, ladder, label-agreement,
    pair-balance.
    Bound to the task, the dataset and what was found: it lapses when that gets worse.
    """
    from sluice.cli.verbs.gate import read
    from sluice.train.waive import check_waiver, waive

    check_waiver(rule, reason)
    who = out.who(by)

    report = read(out, dataset)
    fact = waive(find_project(), report, rule, reason, by=who)
    out.say(f"waived {rule} for {report.dataset}, by {who}: {reason}", "warn")
    out.say("It stays on the certificate and the card of every adapter trained under it.")
    out.next("sluice train sft")
    return {"rule": rule, "dataset": report.dataset, "value": fact.body["value"], "fact": fact.hash}
