"""`sluice status`: where this project stands, and the next command. Exit codes: 0."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project, verb


@verb(examples=["sluice status                 bare `sluice` inside a project is the same", "sluice status --json"])
def command(out: Terminal) -> Any:
    """Show the whole way with what is done, what is missing, and the next command.

    It reads and recomputes nothing, so it answers at once: `sluice gate` judges, `sluice verify` recomputes.
    """
    from sluice.core.status import status
    from sluice.evalsuite.question import task_problems

    project = find_project()
    found = status(project)
    if found.started and not found.broken:
        problems = [f"{p.where}: {p.message} ({p.remedy})" for p in task_problems(project)]
        found = replace(found, notices=(*problems, *found.notices))
    out.spans([(found.name, "bold"), (f"    {short(found.root)}", "dim")])
    out.say()
    for stage in found.stages:
        style = "good" if stage.done else None
        out.spans([(f"  {stage.name:<12}", None), (stage.text, style), ("     <- you are here" * stage.here, "bold")])
    if found.openings_allowed is not None and not found.curate_only:
        out.say()
        out.say(f"  openings    {found.openings_used} of {found.openings_allowed} used")
    for waiver in found.waived:
        out.say(f"  waived      {waiver}", "warn")
    if found.notices:
        out.say()
    for notice in found.notices:
        out.say(f"  {notice}", "warn")
    width = max((len(s.command) for s in found.next), default=0)
    for step in found.next:
        out.next(f"{step.command:<{width}}" if step.remark else step.command, step.remark)
    if found.advice:
        out.say()
    for line in found.advice:
        out.say(line)
    return found


def short(root: str) -> str:
    """Return a path with the home folder as `~`."""
    home = str(Path.home())
    return "~" + root[len(home) :] if root == home or root.startswith(home + "/") else root
