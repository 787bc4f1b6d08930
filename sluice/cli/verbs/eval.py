"""`sluice eval`: let a model or an adapter answer rows, and score them. Exit codes: 0; 3 rows of a frozen eval set."""

from __future__ import annotations

from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project, verb, yes_option


@verb(
    examples=[
        "sluice eval sft-1",
        "sluice eval base --on tickets/dev",
        "sluice eval sft-1 --on tickets --final",
        "sluice eval sft-1 --on tickets/train --samples 4 --limit 200    answers to make pairs of",
    ],
    exits={3: "rows of a frozen eval set without --final, or all openings are spent"},
)
@click.argument("what", metavar="ADAPTER | base")
@click.option("--on", metavar="NAME", help="A part or a guard set; by default dev.")
@click.option("--final", is_flag=True, help="Open the eval set. Dear: each trained candidate counts.")
@click.option("--prompt", metavar="FILE", help="For base, or an adapter without a certificate: a prompt file.")
@click.option("--samples", type=int, metavar="K", help="Answers to each training row, to make pairs of.")
@click.option("--limit", type=int, metavar="N", help="Training rows that are asked, drawn at random.")
@click.option("--temperature", type=float, metavar="T", help="Of --samples.  [default: 0.8 of several, 0 of one]")
@click.option("--seed", type=int, metavar="S", help="Of --samples and --limit.  [default: 0]")
@yes_option
def command(
    out: Terminal, what: str, on: str | None, final: bool, prompt: str | None, yes: bool, **draw: int | float | None
) -> Any:
    """Let the base or an adapter answer the rows of dev, a part or a set, and score the answers.

    With --samples or --limit it answers training rows, for `sluice pairs`: nothing of it is evidence.
    """
    from sluice.cli import drawing
    from sluice.cli.model import base_model
    from sluice.core.errors import UsageError
    from sluice.core.ledger import Ledger
    from sluice.core.prompt import load_prompt
    from sluice.evalsuite.baselines.bench import bench, reached_limit, require_asked
    from sluice.evalsuite.evaluate import Candidate, find_place, measure_on
    from sluice.evalsuite.openings import openings
    from sluice.train.adapters import open_adapter
    from sluice.train.judge import candidate_of, final_cost, final_room
    from sluice.train.seen_before import refuse_trained_leaks, require_certificate

    project = find_project()
    facts = Ledger(project).read()
    room = None
    adapter = None if what == "base" else open_adapter(project, what, facts)
    foreign = adapter is not None and adapter.certificate is None
    if adapter is not None and (final or not prompt):
        require_certificate(adapter)
    if adapter is not None and prompt and not foreign:
        raise UsageError("an adapter answers under the prompt of its certificate", remedy="leave --prompt out")
    chosen = load_prompt(project, prompt) if prompt else None
    require_asked(project, facts)
    sampled = any(value is not None for value in draw.values())
    if sampled and final:
        raise UsageError("--samples are of training rows, --final is of the eval set", remedy="leave one of them out")
    place = find_place(project, facts, on, final=final) if not sampled else None
    decides = place is not None and place.frozen is not None and not place.guard
    files, form, _ = base_model(out, project)
    b = bench(project, files, form, facts)
    if adapter is None:
        chosen = chosen or b.zero_shot()
        candidate = Candidate(label=f"base, {chosen.name}", prompt=chosen, files=files, form=form)
    else:
        if decides and place is not None and place.frozen is not None:
            refuse_trained_leaks(project, adapter, place.frozen)
            cost = final_cost(project, what, files, form)
            if not cost.already_open:
                out.confirm(
                    f"This opens the eval set for {what}: opening {cost.opening} of {cost.allowed}. Go on?", yes
                )
            room = final_room(facts, b, adapter, openings(project, facts, place.frozen, b.question))
        candidate = candidate_of(adapter, files, form, foreign_prompt=chosen)
    out.if_interrupted = "Every answer so far is kept. Run the same command to go on."
    if place is None:
        return sample_and_say(out, project, facts, candidate, on, draw, b.grader, reached_limit(b, facts))
    measured = measure_on(
        project,
        candidate,
        place,
        question=b.question,
        grader=b.grader,
        max_new_tokens=room or reached_limit(b, facts),
        role="baseline" if what == "base" and (decides or place.name == "dev") else "eval",
        progress=out.progress,
    )
    scores = measured.scores
    out.spans([(candidate.label, "bold"), (f" on {place.name}: {drawing.rate(scores.rate)}, n {scores.rate.n}", None)])
    lenient = scores.total.lenient_mean
    out.say(
        f"  {drawing.classes({str(k): v for k, v in scores.total.classes.items()})}"
        + (f"; lenient reading {lenient:.2f}" if lenient is not None else "")
    )
    if scores.total.per_field:
        out.table(
            ("field", "precision", "recall", "F1"),
            [(k, _two(v.precision), _two(v.recall), _two(v.f1)) for k, v in scores.total.per_field.items()],
        )
    if foreign:
        out.say(f"  {what} has no certificate: it opens no eval set and gets no verdict", "warn")
    elif what != "base":
        out.next(f"sluice compare {what}", "against the best prompt")
    return {
        "label": candidate.label,
        "foreign": foreign,
        "on": place.name,
        "run": measured.run,
        "fact": measured.fact,
        "rate": scores.rate,
        "lenient": lenient,
        "classes": scores.total.classes,
        "per_field": scores.total.per_field,
        "valid": scores.total.valid,
        "prompt_tokens": scores.prompt_tokens,
        "seconds": scores.seconds,
    }


def sample_and_say(
    out: Terminal, project: Any, facts: Any, candidate: Any, on: str | None, draw: Any, grader: Any, limit: int
) -> Any:
    """Draw several answers to training rows, and say what pairs could be made of them."""
    from sluice.core.wording import counted
    from sluice.evalsuite.sampling import Draw, sample

    asked = Draw(**{key: value for key, value in draw.items() if value is not None})
    done = sample(project, facts, candidate, on, asked, grader=grader, max_new_tokens=limit, progress=out.progress)
    each = counted(done.samples, "answer")
    out.spans([(done.label, "bold"), (f" on {done.on}: {each} to each of {counted(done.rows, 'row')}", None)])
    out.say(f"  mean {done.mean:.2f}, the best of each row {done.best:.2f}; {done.different:.1f} different texts a row")
    out.say(f"  {counted(done.apart, 'row has', 'rows have')} answers of different scores")
    if done.cut:
        out.say(f"  {counted(done.cut, 'answer was', 'answers were')} cut: those are in no pair", "warn")
    out.say(f"  run {done.run}")
    source = "samples" if done.apart else "gold"
    out.next(f"sluice pairs {done.on.partition('/')[0]} --from {source}:{done.run}", "pairs of them, audited")
    return done


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
