"""`sluice regress`: did anything get worse? Exit codes: 0 not worse, or unchanged; 1 worse; 4 cannot tell."""

from __future__ import annotations

from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project, verb


@verb(
    examples=["sluice regress sft-1 --on safety --margin 0.05", "sluice regress base --margin 0.05"],
    exits={1: "worse", 3: "the eval set is not for this", 4: "cannot tell"},
)
@click.argument("what", metavar="ADAPTER | base")
@click.option("--on", metavar="NAME", help="A guard set or part; by default dev.")
@click.option("--margin", type=click.FloatRange(0, 1, min_open=True, max_open=True), help="The loss allowed.")
def command(out: Terminal, what: str, on: str | None, margin: float | None) -> Any:
    """Compare an adapter, or the base as it is now, with the recorded run on a guard set or dev.

    As often as wanted: it is never evidence that tuning won.
    """
    from sluice.cli import drawing
    from sluice.cli.model import base_model
    from sluice.core.ledger import Ledger
    from sluice.evalsuite.baselines.bench import require_asked
    from sluice.evalsuite.evaluate import find_place
    from sluice.train.adapters import open_adapter
    from sluice.train.regress import regress, require_margin

    project = find_project()
    facts = Ledger(project).read()
    _, question, _ = require_asked(project, facts)
    if what != "base":
        open_adapter(project, what, facts)
    find_place(project, facts, on, final=False)
    require_margin(question, margin)
    files, form, _ = base_model(out, project)

    out.if_interrupted = "Every answer so far is kept. Run the same command to go on."
    result = regress(project, what, files, form, on=on, margin=margin, progress=out.progress)
    if result.comparison is None:
        out.say(f"recorded: the base on {result.on}; from now on runs are compared with it", "good")
    elif result.word == "unchanged":
        out.say(f"unchanged: every answer on {result.on} is the same, byte for byte", "good")
    else:
        drawing.comparison(out, result.comparison)
    out.exit_code = result.exit_code
    return result
