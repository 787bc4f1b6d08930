"""`sluice forget`: erase rows or a person. Exit codes: 0; 2 for what is not there; 3 where eval sets are undecided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import dry_run_option, find_project, typed_again, verb, yes_option
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.train.forget import ForgetResult


MOST_LINES = 5
"""Lines of a file that are named where it still holds what was forgotten; --json has more."""


@verb(
    examples=[
        "sluice forget tickets --person jane.doe@example.com --dry-run",
        'sluice forget tickets --person jane.doe@example.com --person "+49 30 901820" --reason "asked for on 1 May"',
        'sluice forget tickets --row 7f3a91c25d --reason "..."     and duplicates that were dropped for it',
        'sluice forget tickets --where customer=C17 --reason "..."',
        "sluice forget                                             finish one that was cut",
    ],
    exits={3: "eval sets were frozen apart, and nobody chose"},
)
@click.argument("name", required=False)
@click.option("--row", "rows", metavar="ROW", multiple=True, help="A row, by the first 6 or more digits; repeatable.")
@click.option(
    "--person", "people", metavar="VALUE", multiple=True, help="A mail address, number, id or name; repeatable."
)
@click.option("--where", metavar="COL=VALUE | EXPR", help="Rows by a column or field; or an expression as for filter.")
@click.option("--reason", metavar="TEXT", help="Why; kept in the ledger for good, so without the person.")
@click.option(
    "--region", metavar="COUNTRY,...", help="Whose national phone numbers are read; else the text's language."
)
@click.option(
    "--forget-key", is_flag=True, help="Throw the key of the hashes away: nobody can ask again for these rows."
)
@dry_run_option
@yes_option
def command(
    out: Terminal,
    name: str | None,
    rows: tuple[str, ...],
    people: tuple[str, ...],
    where: str | None,
    reason: str | None,
    region: str | None,
    forget_key: bool,
    dry_run: bool,
    yes: bool,
) -> Any:
    """Erase rows or a person from every file of this project; only keyed hashes and a fact stay.

    Cannot be undone. Says what still holds them: git's history, your own files, adapters.
    """
    from sluice.train.forget import checked_reason, forget

    project = find_project()
    asked: dict[str, Any] = {
        "rows": rows,
        "people": people,
        "where": where,
        "reason": reason,
        "regions": region.split(",") if region is not None else None,
        "forget_key": forget_key,
        "progress": out.progress,
    }
    if name is not None and not dry_run and (rows or people or where is not None):
        checked_reason(name, reason)  # before anybody is asked
    if dry_run or (name is not None and not yes):
        said = forget(project, name, **asked, dry_run=True)
        out.progress.clear()
        draw(out, said, reasoned=bool(reason))
        if dry_run:
            return said
        if not _something(said):
            return said
        out.confirm("This cannot be undone. Go on?", yes)
    result = forget(project, name, **asked)
    out.progress.clear()
    draw(out, result)
    return result


def _something(result: ForgetResult) -> bool:
    return bool(result.rows or result.places or result.set_aside or result.versions)


def draw(out: Terminal, result: ForgetResult, *, reasoned: bool = True) -> None:
    """Draw what went, what stands in its place, and what still holds it."""
    if result.finished and not result.dataset:
        out.say(f"Finished a forget that was cut: {counted(result.rows, 'row')} gone.", "good")
        return
    if not _something(result) and not result.changed:
        out.say("Nothing here is meant by that.")
        return
    went = "would be erased" if result.dry_run else "erased"
    reasons = ", ".join(
        f"{n} {'by' if why in ('row', 'person', 'where') else 'as'} {why}" for why, n in result.why.items()
    )
    out.say(f"{counted(result.rows, 'row')} {went}" + (f" ({reasons})" if reasons else ""), "bold")
    out.table(
        ("where", "how many"),
        [
            (what, n)
            for what, n in (
                ("versions", result.versions),
                ("places of rows that stay", result.places),
                ("lines set aside", result.set_aside),
                ("frozen sets", len(result.sets)),
                ("runs", result.runs),
                ("decisions", result.decisions),
            )
            if n
        ],
    )
    for one in result.sets:
        follow = f"followed by {one.after[:8]} with {counted(one.left, 'row')}" if one.after else "nothing follows it"
        out.say(f"  {one.name} ({one.set[:8]}, {one.rows} rows): {follow}")
    for verdict in result.verdicts:
        out.say(f"  {verdict.label} on {verdict.set}")
        out.say(f"    with these rows      {verdict.with_rows}", "dim")
        out.say(f"    without them         {verdict.without_rows}", "dim")
    if result.new_versions:
        out.say(f"what is left: {', '.join(result.new_versions)}")
    if result.redacted:
        stay = counted(
            result.redacted, "redacted row that came from them stays", "redacted rows that came from them stay"
        )
        out.say(f"{stay}: nothing in them names the person")
    if result.key == "thrown away":
        out.say(
            "The key is thrown away: nobody can tell again which rows these were."
            if result.changed
            else "The key goes, too."
        )
    _draw_holders(out, result)
    if result.dry_run:
        reason = "" if reasoned else ' --reason "asked for on ..."'
        out.next(typed_again() + reason, "the same without --dry-run; it cannot be undone")
        return
    if result.sets:
        out.next("sluice baseline", "the set that follows has no baseline yet")
    out.next("sluice verify", "says forgotten, not tampered")


def _draw_holders(out: Terminal, result: ForgetResult) -> None:
    """Draw what is out of reach."""
    if result.adapters:
        out.say(f"Trained on these rows, and still is: {', '.join(result.adapters)}. Train again without them.", "warn")
    for file in result.still_there[:10]:
        more = ", ..." if len(file.lines) > MOST_LINES else ""
        lines = f", line {', '.join(map(str, file.lines[:MOST_LINES]))}{more}" if file.lines else ""
        out.say(f"Still in your file {file.file}{lines}", "warn")
    for commit in result.commits[:10]:
        out.say(f"Still in git: {commit.commit[:10]} of {commit.time[:10]} ({', '.join(commit.files[:3])})", "warn")
    if result.commits:
        out.say("Git forgets only when its history is written anew (git filter-repo), in every clone.", "dim")
