"""`sluice train sft`: train an adapter behind the gate. Exit codes: 0; 3 the gate is closed."""

from __future__ import annotations

from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import dry_run_option, find_project, verb, verb_group, yes_option
from sluice.core.wording import counted


@verb_group(examples=["sluice train sft", "sluice train sft --dry-run"])
def command(out: Terminal) -> None:
    """Train an adapter, once the gate is open."""


@verb(
    group=command,
    name="sft",
    examples=[
        "sluice train sft",
        "sluice train sft --epochs 2 --seed 1",
        "sluice train sft --precision nf4     QLoRA: 4-bit weights, less memory",
    ],
    exits={3: "the gate is closed; nothing was trained"},
)
@click.option("--data", "dataset", metavar="NAME", help="Training rows; by default the task's train part.")
@click.option("--epochs", type=click.IntRange(1), default=1, show_default=True, help="Times each row is seen.")
@click.option("--batch", type=click.IntRange(1), default=16, show_default=True, help="Rows a step.")
@click.option(
    "--learning-rate", type=click.FloatRange(min=0, min_open=True), default=1e-3, show_default=True, help="Peak."
)
@click.option(
    "--rank", type=click.IntRange(1), default=16, show_default=True, help="Rank of LoRA, on all linear layers."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of shuffling and of LoRA's start.")
@click.option("--precision", metavar="NAME", help="Of training: bf16, fp32, nf4 (QLoRA); by default as measured.")
@yes_option
@dry_run_option
def sft(
    out: Terminal,
    dataset: str | None,
    epochs: int,
    batch: int,
    learning_rate: float,
    rank: int,
    seed: int,
    precision: str | None,
    yes: bool,
    dry_run: bool,
) -> Any:
    """Supervised fine-tuning with LoRA or QLoRA: shows gate and plan, asks, trains, measures on dev.

    Prompt tokens are masked; only the answer and the token that ends it are learnt. Interrupted, it goes on from the
    last checkpoint when the same command is run again.
    """
    from sluice.cli import drawing
    from sluice.cli.verbs.compare import next_verdict
    from sluice.cli.verbs.gate import look
    from sluice.cli.verbs.plan import draw as draw_plan
    from sluice.cli.verbs.plan import duration
    from sluice.core.errors import UsageError
    from sluice.evalsuite.forms import check_precision, parse_form
    from sluice.train.gate import evaluate
    from sluice.train.judge import judge
    from sluice.train.plan import plan
    from sluice.train.policy import policy_of
    from sluice.train.recipes.config import SftConfig
    from sluice.train.recipes.spine import Order, run
    from sluice.train.training_rows import LengthLimit

    if not (yes or dry_run or out.interactive):
        raise UsageError(
            "training asks before it begins, and there is no terminal to ask on",
            remedy="sluice train sft --dry-run shows gate and plan; --yes agrees to it",
        )
    if precision:
        check_precision(precision, where="--precision")
    project = find_project()
    evidence, model = look(out, project, dataset)
    report = evaluate(evidence, policy_of(project.config))
    drawing.gate(out, report, trained=True)
    if not report.open or evidence.rendered is None or model is None:
        out.failed(report.refusal())
        return report
    files, form, found = model
    config = SftConfig(rank=rank, alpha=2.0 * rank, learning_rate=learning_rate, batch=batch, epochs=epochs, seed=seed)
    training = parse_form(precision, found) if precision else form
    limit = LengthLimit(evidence.max_tokens, evidence.limit_of)
    planned = plan(files, training, evidence.rendered, config, limit=limit, progress=out.progress)
    draw_plan(out, planned)
    out.say()
    if dry_run:
        out.say("Nothing was trained.")
        return {"gate": report, "plan": planned}
    about = f", about {duration(planned.seconds)} here" if planned.seconds else ""
    out.confirm(f"Train on {counted(planned.rows, 'row')}{about}?", yes)
    out.if_interrupted = "The last checkpoint is kept. Go on with the same command."
    order = Order(dataset=evidence.dataset, method="sft", config=config, training=training, measured=form)
    trained = run(project, order, files, progress=out.progress)
    if trained.before:
        out.say(f"{trained.id} is this very training, and whole: nothing was trained again. Another: --seed 1")
    r = trained.result
    last = sum(r.losses[-5:]) / max(1, len(r.losses[-5:]))
    out.spans(
        [
            (trained.id, "bold"),
            (f" trained: {counted(r.samples, 'row')} in {max(1.0, r.seconds):.0f} s", None),
            (f" ({r.samples_per_second:.1f} a second), ", None),
            (f"loss {r.losses[0]:.2f} at the first step, {last:.2f} over the last five", None),
        ]
    )
    out.if_interrupted = f"{trained.id} is whole. Measure it with: sluice compare {trained.id}"
    judged = judge(project, trained.id, files, form, progress=out.progress)
    out.say()
    drawing.comparison(out, judged.comparison)
    next_verdict(out, judged)
    return {
        "adapter": trained.id,
        "sha256": trained.certificate.adapter,
        "folder": str(trained.folder),
        "result": r,
        "dev": judged.comparison,
        "gate": report,
    }
