"""`sluice plan`: what training would do. Exit codes: 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project, verb

if TYPE_CHECKING:
    from sluice.train.plan import Plan


@verb(examples=["sluice plan", "sluice plan tickets/train@3", "sluice plan --no-probe    without measuring the speed"])
@click.argument("dataset", required=False)
@click.option("--epochs", type=click.IntRange(1), default=1, show_default=True, help="Times each row is seen.")
@click.option("--batch", type=click.IntRange(1), default=16, show_default=True, help="Rows a step.")
@click.option("--precision", metavar="NAME", help="Of training: bf16, fp32, nf4; by default as measured.")
@click.option("--probe/--no-probe", default=True, help="Measure the speed with a few steps.")
def command(out: Terminal, dataset: str | None, epochs: int, batch: int, precision: str | None, probe: bool) -> Any:
    """Show what training would do: rows, tokens, steps, memory, time, and rows with what is learnt in them."""
    result = make(out, dataset, epochs=epochs, batch=batch, precision=precision, probe=probe)
    draw(out, result)
    out.next("sluice train sft")
    return result


def make(out: Terminal, dataset: str | None, *, epochs: int, batch: int, precision: str | None, probe: bool) -> Plan:
    """Render the rows as the spine would, and measure a few steps."""
    from sluice.cli.model import base_model

    project = find_project()
    project.config  # noqa: B018 - a missing sluice.toml is said before anything is loaded
    files, form, found = base_model(out, project)
    from sluice.curate.dataset import open_dataset
    from sluice.evalsuite.forms import parse_form
    from sluice.train.evidence import render_rows
    from sluice.train.plan import plan
    from sluice.train.recipes.config import SftConfig

    version = open_dataset(project, dataset or f"{project.config.task.data}/train")
    rendered = render_rows(project, files, version.examples(), progress=out.progress)
    training = parse_form(precision, found) if precision else form
    config = SftConfig(epochs=epochs, batch=batch)
    return plan(
        files, training, rendered, config, max_tokens=project.config.task.max_tokens, probe=probe, progress=out.progress
    )


def draw(out: Terminal, plan: Plan) -> None:
    """Draw the figures, and three rows with trained tokens coloured."""
    out.say(f"{plan.rows:,} rows, {plan.tokens:,} tokens, {plan.trained_tokens:,} of them learnt", "bold")
    out.say(f"  longest row {plan.longest:,} of {plan.max_tokens:,} tokens")
    for name, count in plan.problems.items():
        out.say(f"  {count:,} rows cannot be trained on: {name}", "bad")
    out.say(f"  {plan.steps:,} steps of {plan.batch} rows, {plan.epochs} epoch{'s' if plan.epochs > 1 else ''}")
    if plan.seconds is not None:
        out.say(
            f"  about {minutes(plan.seconds)} here ({plan.rows_per_second} rows a second, {plan.form} on {plan.device})"
        )
    if plan.memory_gb is not None:
        out.say(f"  about {plan.memory_gb:.1f} GB of memory")
    for sample in plan.samples:
        out.say()
        out.say(f"row {sample.row[:10]}: {sample.tokens} tokens, {sample.trained} learnt (between >> and <<)", "dim")
        spans = [(p.text if not p.trained else f">>{p.text}<<", "good" if p.trained else "dim") for p in sample.pieces]
        out.spans(spans)  # type: ignore[arg-type]


def minutes(seconds: float) -> str:
    """Return a duration as people say it."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
