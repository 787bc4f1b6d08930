"""`sluice gate`: what training still lacks. Exit codes: 0 open; 3 closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project, verb

if TYPE_CHECKING:
    from sluice.cli.model import Bench
    from sluice.core.project import Project
    from sluice.train.evidence import Evidence
    from sluice.train.gate import GateReport


@verb(
    examples=["sluice gate", "sluice gate --rows no-leakage", "sluice gate tickets/train@3"],
    exits={3: "closed: at least one rule does not hold"},
)
@click.argument("dataset", required=False)
@click.option("--rows", "rule", metavar="RULE", help="Show every row and place that a rule names.")
def command(out: Terminal, dataset: str | None, rule: str | None) -> Any:
    """Say what it takes to train: each rule with what was found and the command that would satisfy it."""
    from sluice.cli import drawing
    from sluice.core.errors import UsageError
    from sluice.train.policy import RULES

    if rule is not None and rule not in RULES:
        raise UsageError(f"no rule is called '{rule}'", where="--rows", remedy=f"one of {', '.join(RULES)}")
    report = read(out, dataset)
    if rule is not None and (found := report.rule(rule)) is not None:
        out.say(f"{found.rule}: {found.found}", "bold")
        for line in found.details:
            out.say(f"  {line}")
    else:
        drawing.gate(out, report)
    if not report.open:
        out.failed(report.refusal())
    else:
        out.next("sluice train sft")
    return report


def read(out: Terminal, dataset: str | None) -> GateReport:
    """Collect the evidence and judge it."""
    from sluice.train.gate import evaluate
    from sluice.train.policy import policy_of

    project = find_project()
    evidence, _ = look(out, project, dataset)
    return evaluate(evidence, policy_of(project.config))


def look(out: Terminal, project: Project, dataset: str | None) -> tuple[Evidence, Bench | None]:
    """Collect the evidence, and return the model with it: None before there are rows that it could be tuned on."""
    from sluice.cli.model import base_model
    from sluice.curate.dataset import has_dataset, open_dataset
    from sluice.evalsuite.question import task_problems
    from sluice.train.evidence import collect

    for problem in task_problems(project):
        raise problem
    if dataset is not None:
        open_dataset(project, dataset)
    elif not has_dataset(project, f"{project.config.task.data}/train"):
        return collect(project, None, None, progress=out.progress), None
    model = base_model(out, project)
    return collect(project, model.files, model.form, dataset=dataset, progress=out.progress), model
