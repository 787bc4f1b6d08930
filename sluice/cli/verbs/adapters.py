"""`sluice adapters`: what was trained, and whether it is what its certificate says. Exit codes: 0; 1 tampered."""

from __future__ import annotations

from typing import Any

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project, verb


@verb(examples=["sluice adapters", "sluice adapters --json"], exits={1: "an adapter is not what was trained"})
def command(out: Terminal) -> Any:
    """List the adapters: on what, behind which waivers, whether they are whole, and where they lie."""
    from sluice.core.status import status
    from sluice.train.adapters import list_adapters

    project = find_project()
    lines = list_adapters(project)
    if not lines:
        out.say("No adapter yet.")
        for step in status(project).next:
            out.next(step.command, step.remark)
        return {"adapters": []}
    out.table(
        ("adapter", "state", "base", "rows", "waived", "eval sets opened"),
        [(a.id, a.word, a.base, a.rows, ", ".join(a.waived) or None, a.opened) for a in lines],
    )
    for a in lines:
        out.say(f"{a.id}: {a.folder}" + (f"  {a.reason}" if a.reason else ""), "bad" if a.word == "tampered" else "dim")
    out.next(f"sluice compare {lines[-1].id}", "against the best prompt")
    if any(a.word == "tampered" for a in lines):
        out.exit_code = 1
    return {"adapters": lines}
