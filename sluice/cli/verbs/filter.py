"""`sluice filter`: drop the rows that fail a check. Exit codes: 0; 2 where a check names no rows or lacks something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.drawing import what_went
from sluice.cli.terminal import Terminal
from sluice.cli.verb import PATH, dry_run_option, find_project, typed_again, verb
from sluice.core.errors import InputError
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.curate.filter import FilterResult


@verb(
    examples=[
        "sluice filter tickets/train --failing schema,overlong",
        "sluice filter tickets --failing conflict --dry-run",
        "sluice filter tickets --failing schema --schema schema.json",
    ]
)
@click.argument("name")
@click.option("--failing", metavar="CHECK,...", required=True, help="Checks of `sluice audit`, separated by commas.")
@click.option("--schema", metavar="FILE", type=PATH, help="JSON schema of an answer, in the place of the task's.")
@dry_run_option
def command(out: Terminal, name: str, failing: str, schema: str | None, dry_run: bool) -> Any:
    """Drop the rows that fail a check, each with the reason; `restore` brings them back."""
    from sluice.curate.audit_dataset import schema_file
    from sluice.curate.filter import filter_rows

    project = find_project()
    checks = [c.strip() for c in failing.split(",") if c.strip()]
    counter, limit = None, None
    if "overlong" in checks:
        from sluice.train.tokens import token_counter

        found = token_counter(project)
        if found.count is None:
            raise InputError(f"the check 'overlong' cannot look at the rows: {found.why_not}", where=name)
        counter, limit = found.count, found.max_tokens
        if found.note is not None:
            out.note(found.note)
    result = filter_rows(
        project,
        name,
        checks,
        schema=schema_file(schema) if schema else None,
        count_tokens=counter,
        max_tokens=limit,
        dry_run=dry_run,
        progress=out.progress,
    )
    draw(out, result)
    return result


def draw(out: Terminal, result: FilterResult) -> None:
    """Draw how many rows went for which check, and the first of them."""
    from sluice.curate.drops import one_line

    name = f"{result.dataset}@{result.version}"
    if not result.dropped:
        out.spans([(name, "bold"), (f"  no row fails; {counted(result.rows, 'row')}", None)])
    else:
        out.spans([(name, "bold"), (f"  {what_went(result)}", None)])
    for check, count in result.counts.items():
        out.say(f"  {count:>6,}  {check}")
    for row in result.first_dropped:
        out.say(f"          {row.row.row[:10]}  {one_line(row.row.input, 80)}", "dim")
        out.say(f"{'':22}{one_line(row.detail, 120)}", "dim")
    if result.parts and result.changed:
        out.say(f"{', '.join(result.parts)} did not change: parts change only by `sluice split` again")
    if result.dropped and result.dry_run:
        out.next(typed_again(), "the same without --dry-run")
        return
    if result.dropped:
        out.next(f"sluice show {result.dataset} --dropped", "every dropped row with its reason")
    out.next(f"sluice audit {result.dataset}", "what is left?")
