"""`sluice freeze`: fix the eval set. Exit codes: 0; 2 rows that cannot be frozen; 3 another set or question stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project, verb
from sluice.core.errors import UsageError
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.evalsuite.freeze import FreezeResult
    from sluice.evalsuite.stats.power import Power

USUAL_SPREAD = {"binary": 0.2, "graded": 0.3}  # of rows that change, of changes: what `usual_gain` takes, too


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
        [
            (result.name, "bold"),
            (f" {word}: {kind} of {counted(result.rows, 'row')}, {result.clusters:,} unlike each other", None),
        ]
    )
    out.say(f"  {result.folder}, set {result.set[:8]}; keep it in git")
    q = result.question
    claim = q.claim.replace("-", " ") + (f" by {float(q.margin):g}" if q.margin else "")
    if not result.guard:
        out.say(f"  asks: {q.metric}, {claim} than the best prompt, {counted(q.openings, 'opening')}")
    out.say()
    out.say("What it can show (with 80% probability):", "bold")
    out.table(
        ("openings", "changed rows" if q.kind == "binary" else "spread", "smallest gain", "smallest margin"),
        [line for power in result.power for line in power_lines(power)],
    )
    example = reading(result)
    if example:
        out.say(example)
    if result.cannot_decide:
        out.say(f"This set cannot decide. About {result.n_that_could_decide:,} rows could.", "bad")
    if result.guard_too_small:
        out.say("This guard set is too small for its margin: even an unchanged model would not be shown.", "warn")
    for note in result.notes:
        out.say(note, "warn")
    if result.personal:
        kinds = ", ".join(f"{n} {kind}" for kind, n in result.personal.items())
        out.say(
            f"Personal data in {counted(result.personal_rows, 'row')} of it ({kinds}): git keeps what is committed. "
            "Redact before the set is used, or `sluice forget` later.",
            "warn",
        )
    margin = "" if result.question.margin else " --margin 0.05"
    out.next("sluice baseline" if not result.guard else f"sluice regress base --on {result.name}{margin}")


def reading(result: FreezeResult) -> str | None:
    """Return how the table is read, by one of its lines; None where no line can show what is claimed."""
    wanted = 1 if result.guard else result.question.openings
    power = next((p for p in result.power if p.openings == wanted), None)
    if power is None:
        return None
    not_worse = result.guard or result.question.claim == "not-worse"
    able = [line for line in power.lines if (line.margin if not_worse else line.gain) is not None]
    if not able:
        return None
    line = min(able, key=lambda x: abs(x.spread - USUAL_SPREAD[power.kind]))
    differ = f"the scores of {line.spread:.0%} of the rows change"
    if power.kind == "graded":
        differ = f"the changes of the scores spread by {line.spread:.1f} (standard deviation, range as 1)"
    judged = "" if result.guard else f" and {counted(power.openings, 'adapter')} may be judged"
    if not_worse:
        return f"To read: where {differ}{judged}, 'not worse' can be shown for a margin of {line.margin:.3f} or more."
    return (
        f"To read: where {differ}{judged}, a true gain of {line.gain:.3f} or more will mostly be shown; "
        "a smaller one may end as 'cannot tell'."
    )


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
