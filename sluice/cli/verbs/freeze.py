"""`sluice freeze`: fix the eval set. Exit codes: 0; 2 rows that cannot be frozen; 3 another set or question stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project, verb
from sluice.core.errors import UsageError

if TYPE_CHECKING:
    from sluice.evalsuite.freeze import FreezeResult
    from sluice.evalsuite.stats.power import Power


@verb(
    examples=[
        "sluice freeze",
        "sluice freeze tickets/eval --as tickets",
        'sluice freeze --reason "the rubric was unclear"     pin a changed question',
        "sluice freeze safety --guard                        a set to watch for regressions",
        'sluice freeze --keep 7f3a91c2 --reason "..."        two copies froze apart',
    ],
    exits={3: "another set of that name, a changed question without a reason, or after the set was opened"},
)
@click.argument("part", required=False)
@click.option("--as", "name", metavar="NAME", help="Name of the set; by default the dataset's.")
@click.option("--guard", is_flag=True, help="A guard set: run as often as wanted, never evidence that tuning won.")
@click.option("--reason", metavar="TEXT", help="Why a new set is needed, or why the question changes.")
@click.option("--keep", metavar="HASH", help="Which of the sets that were frozen apart decides.")
def command(
    out: Terminal, part: str | None, name: str | None, guard: bool, reason: str | None, keep: str | None
) -> Any:
    """Fix the eval set: its rows never change, and what is asked of them is written down beside it.

    By default the eval part of the task's dataset. Says what so many rows can show.
    """
    from sluice.evalsuite import freeze as library

    project = find_project()
    if keep is not None:
        if part or guard or name:
            raise UsageError("--keep stands alone", remedy='sluice freeze --keep HASH --reason "..."')
        kept = library.keep(project, keep, reason)
        out.say(f"{kept.name} ({kept.sha256[:8]}) decides from now on.", "good")
        return {"set": kept.sha256, "name": kept.name}
    result = library.freeze(project, part, name=name, guard=guard, reason=reason, progress=out.progress)
    draw(out, result)
    return result


def draw(out: Terminal, result: FreezeResult) -> None:
    """Draw what was frozen and what it can show."""
    word = "is frozen already, nothing changed" if result.already and not result.changed else "frozen"
    if result.changed:
        word = f"now asks otherwise: {', '.join(result.changed)}"
    kind = "guard set" if result.guard else "eval set"
    out.spans(
        [(result.name, "bold"), (f" {word}: {kind} of {result.rows} rows, {result.clusters} unlike each other", None)]
    )
    out.say(f"  {result.folder}, set {result.set[:8]}; keep it in git")
    q = result.question
    claim = q.claim.replace("-", " ") + (f" by {float(q.margin):g}" if q.margin else "")
    if not result.guard:
        out.say(
            f"  asks: {q.metric}, {claim} than the best prompt, {q.openings} opening{'s' if q.openings > 1 else ''}"
        )
    out.say()
    out.say("What it can show (with 80% probability):", "bold")
    out.table(
        ("openings", "changed rows" if q.kind == "binary" else "spread", "smallest gain", "smallest margin"),
        [line for power in result.power for line in power_lines(power)],
    )
    if result.cannot_decide:
        out.say(f"This set cannot decide. About {result.n_that_could_decide:,} rows could.", "bad")
    if result.guard_too_small:
        out.say("This guard set is too small for its margin: even an unchanged model would not be shown.", "warn")
    for note in result.notes:
        out.say(note, "warn")
    margin = "" if result.question.margin else " --margin 0.05"
    out.next("sluice baseline" if not result.guard else f"sluice regress base --on {result.name}{margin}")


def power_lines(power: Power) -> list[tuple[Any, ...]]:
    """Return one line of the power table for each spread."""
    return [
        (
            power.openings,
            f"{line.spread:.1f}",
            "none" if line.gain is None else f"{line.gain:.3f}",
            "none" if line.margin is None else f"{line.margin:.3f}",
        )
        for line in power.lines
    ]
