"""`sluice gate`: what training still lacks. Exit codes: 0 open; 3 closed."""

from __future__ import annotations

from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project, verb


@verb(
    examples=["sluice gate", "sluice gate --rows no-leakage", "sluice gate tickets/train@3"],
    exits={3: "closed: at least one rule does not hold"},
)
@click.argument("dataset", required=False)
@click.option("--rows", "rule", metavar="RULE", help="Show every row and place that a rule names.")
def command(out: Terminal, dataset: str | None, rule: str | None) -> Any:
    """Say what it takes to train: each rule with what was found and the command that would satisfy it."""
    from sluice.cli import drawing
    from sluice.core.errors import Refused, UsageError

    report = read(out, dataset)
    if rule is not None:
        found = report.rule(rule)
        if found is None:
            raise UsageError(f"no rule is called '{rule}'", remedy=f"rules: {', '.join(r.rule for r in report.rules)}")
        out.say(f"{found.rule}: {found.found}", "bold")
        for line in found.details:
            out.say(f"  {line}")
    else:
        drawing.gate(out, report)
    if not report.open:
        names = ", ".join(r.rule for r in report.refused)
        remedy = next((r.fix for r in report.refused if r.fix), "sluice gate")
        out.failed(Refused(f"the gate is closed: {names}", remedy=remedy))
    else:
        out.next("sluice train sft")
    return report


def read(out: Terminal, dataset: str | None) -> Any:
    """Collect the evidence and judge it."""
    from sluice.cli.model import base_model

    project = find_project()
    project.config  # noqa: B018 - a missing sluice.toml is said before anything is loaded
    files, form, _ = base_model(out, project)
    from sluice.train.evidence import collect
    from sluice.train.gate import evaluate
    from sluice.train.policy import policy_of

    evidence = collect(project, files, form, dataset=dataset, progress=out.progress)
    return evaluate(evidence, policy_of(project.config))
