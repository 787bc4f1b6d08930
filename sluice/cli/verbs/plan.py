"""`sluice plan`: what training would do. Exit codes: 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project, verb
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.train.plan import Piece, Plan


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
    out.next("sluice gate", "what training still lacks")
    out.next("sluice train sft", "once the gate is open")
    return result


def make(out: Terminal, dataset: str | None, *, epochs: int, batch: int, precision: str | None, probe: bool) -> Plan:
    """Render the rows as the spine would, and measure a few steps."""
    from sluice.cli.model import base_model
    from sluice.curate.dataset import open_dataset
    from sluice.evalsuite.forms import check_precision, parse_form
    from sluice.train.plan import plan
    from sluice.train.recipes.config import SftConfig
    from sluice.train.training_rows import length_limit, render_rows

    if precision:
        check_precision(precision, where="--precision")
    project = find_project()
    version = open_dataset(project, dataset or f"{project.config.task.data}/train")
    files, form, found = base_model(out, project)
    rendered = render_rows(project, files, version.examples(), progress=out.progress)
    training = parse_form(precision, found) if precision else form
    config = SftConfig(epochs=epochs, batch=batch)
    limit = length_limit(project, files)
    return plan(files, training, rendered, config, limit=limit, probe=probe, progress=out.progress)


def draw(out: Terminal, plan: Plan) -> None:
    """Draw the figures, and three rows with trained tokens coloured."""
    from sluice.train.training_rows import OF_TASK

    learnt = f"{plan.trained_tokens:,} of them learnt"
    out.say(f"{counted(plan.rows, 'row')}, {counted(plan.tokens, 'token')}, {learnt}", "bold")
    limit = "" if plan.limit_of == OF_TASK else f", {plan.limit_of}"
    out.say(f"  longest row {plan.longest:,} of {plan.max_tokens:,} tokens{limit}")
    for name, count in plan.problems.items():
        out.say(f"  {counted(count, 'row')} cannot be trained on: {name}", "bad")
    steps, epochs = counted(plan.steps, "step"), counted(plan.epochs, "epoch")
    out.say(f"  {steps} of {counted(plan.batch, 'row')}, {epochs}")
    if plan.seconds is not None:
        how = f"{plan.rows_per_second} rows a second, {plan.form} on {plan.device}"
        out.say(f"  about {duration(plan.seconds)} here ({how})")
    if plan.memory_gb is not None:
        out.say("  under 0.1 GB of memory" if plan.memory_gb < 0.1 else f"  about {plan.memory_gb:.1f} GB of memory")
    for sample in plan.samples:
        out.say()
        tokens = f"{counted(sample.tokens, 'token')}, {sample.trained:,} learnt (between >> and <<)"
        out.say(f"row {sample.row[:10]}: {tokens}", "dim")
        out.spans([(shown(piece), "good" if piece.trained else "dim") for piece in sample.pieces])


def shown(piece: Piece) -> str:
    """Return a piece as it is drawn: what is learnt whole and marked, what all rows repeat as a count of its tokens."""
    if piece.trained:
        return f">>{piece.text}<<"
    if piece.repeated:
        return f" [... {counted(piece.tokens, 'token')} that every row repeats ...] "
    return piece.text


def duration(seconds: float) -> str:
    """Return a duration as people say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
