"""`sluice verify`: recompute everything from stored files. Exit codes: 0; 1 where something was tampered with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Style, Terminal
from sluice.cli.verb import find_project, verb
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.train.verify import Verification

MOST = 20  # names shown of each word; all under --all and --json
LOOKS: dict[str, Style] = {"tampered": "bad", "absent": "warn", "intact": "good"}


@verb(
    examples=["sluice verify", "sluice verify --all       every name, the intact ones too", "sluice verify --json"],
    exits={1: "something was tampered with; it is named"},
)
@click.option("--all", "everything", is_flag=True, help="Name every thing that was checked, the intact ones too.")
def command(out: Terminal, everything: bool) -> Any:
    """Recompute everything from the stored files, and say of each: intact, absent or tampered.

    Ledger entries, what facts say of each other, eval sets, dataset versions, scores from stored answers, adapters,
    logs and models. Absent is no alarm: a clone without .sluice holds no data.
    """
    from sluice.core.errors import Tampered
    from sluice.train.verify import verify

    found = verify(find_project(), progress=out.progress)
    out.progress.clear()
    draw(out, found, everything)
    bad = found.of("tampered")
    if bad:
        out.failed(
            Tampered(
                f"{len(bad)} tampered: {bad[0].name}: {bad[0].reason}",
                remedy="restore them from git or a copy (git checkout ledger evals), or make them anew",
            )
        )
    return {"word": found.word, "counts": found.counts(), "findings": found.findings, "notes": found.notes}


def draw(out: Terminal, found: Verification, everything: bool) -> None:
    """Draw the sentence, a table by sort, then names: tampered first."""
    n = len(found.findings)
    if not n:
        out.say("There is nothing to verify yet.")
        return
    bad, gone = len(found.of("tampered")), len(found.of("absent"))
    if bad:
        out.say(
            f"Tampered: {bad} of {counted(n, 'thing')} that {'was' if n == 1 else 'were'} checked, not as recorded.",
            "bad",
        )
    elif gone:
        out.say(f"No alarm: {gone:,} of {counted(n, 'thing')} absent here, nothing tampered with.", "good")
    else:
        out.say(
            "The one thing that was checked is intact."
            if n == 1
            else f"All {n:,} things that were checked are intact.",
            "good",
        )
    out.say()
    out.table(
        ("what", "intact", "absent", "tampered"),
        [(sort, c["intact"], c["absent"], c["tampered"]) for sort, c in found.counts().items()],
    )
    for word in ("tampered", "absent", "intact"):
        listed = found.of(word) if everything or word != "intact" else []
        if listed:
            out.say()
        shown = listed if everything else listed[:MOST]
        for finding in shown:
            reason = f": {finding.reason}" if finding.reason else ""
            out.spans([(f"{word:<9}", LOOKS[word]), (finding.name, "bold"), (reason, None)])
        if len(listed) > len(shown):
            out.say(f"... and {len(listed) - len(shown):,} more (sluice verify --all)", "dim")
    if found.notes:
        out.say()
    for note in found.notes:
        out.say(note, "dim")
