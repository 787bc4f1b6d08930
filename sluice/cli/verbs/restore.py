"""`sluice restore`: bring dropped rows back. Exit codes: 0; 2 where none was dropped; 3 where it may not come back."""

from __future__ import annotations

from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import dry_run_option, find_project, typed_again, verb
from sluice.core.wording import counted


@verb(
    examples=[
        "sluice restore tickets 7f3a91c25d",
        "sluice restore tickets --reason-was near-duplicate",
        "sluice restore tickets/train --reason-was not-sampled --dry-run",
    ],
    exits={3: "the rows touch an eval row, or a row of another part"},
)
@click.argument("name")
@click.argument("rows", nargs=-1, metavar="[ROW...]")
@click.option("--reason-was", "reason", metavar="REASON", help="All rows that were dropped for this reason.")
@dry_run_option
def command(out: Terminal, name: str, rows: tuple[str, ...], reason: str | None, dry_run: bool) -> Any:
    """Bring dropped rows back into a dataset.

    A row that was redacted or mended comes back as it was, and what was made of it leaves.
    A part takes back only rows that touch no eval row and no row of another part; the others are named and stay out.
    """
    from sluice.curate.restore import restore

    result = restore(find_project(), name, rows, reason=reason, dry_run=dry_run)
    would = "would come back" if dry_run else "came back"
    out.spans(
        [
            (f"{name}@{result.version}", "bold"),
            (f"  {counted(result.restored, 'row')} {would}, {result.rows:,} in all", None),
        ]
    )
    for was, count in result.counts.items():
        out.say(f"  {count:>6,}  {was}")
    if result.replaced:
        what = "row that was made of one of them" if result.replaced == 1 else "rows that were made of them"
        out.say(f"  {result.replaced:,} {what} (redacted, mended) {'would leave' if dry_run else 'left'} for it")
    if result.side_by_side:
        stays = counted(
            result.side_by_side, "row that was made of one of them stays", "rows that were made of them stay"
        )
        out.warn(f"{stays}, since other rows were made the same")
    for row in result.already:
        out.say(f"  {row[:10]} is there anyway")
    if result.stay_out:
        out.warn(
            f"{counted(len(result.stay_out), 'row stays', 'rows stay')} out, "
            "or a part would hold what another holds, or what is newer than its cut"
        )
        for row in result.stay_out[:5]:
            out.note(f"  {row.row[:10]} {row.why}")
    if result.parts and result.changed:
        out.say(f"  {', '.join(result.parts)} did not change: parts change only by `sluice split` again")
    if dry_run and result.restored:
        out.next(typed_again(), "the same without --dry-run")
    else:
        out.next(f"sluice audit {name}", "what is wrong with these rows?")
    return result
