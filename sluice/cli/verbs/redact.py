"""`sluice redact`: replace personal data by pseudonyms. Exit codes: 0; 2 for an unknown kind or finder of names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import dry_run_option, find_project, typed_again, verb
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.curate.redact import RedactResult


@verb(
    examples=[
        "sluice redact tickets --dry-run",
        "sluice redact tickets --kinds email,phone --region DE",
        "sluice redact tickets --mapping discard      nobody can say afterwards who [EMAIL_1] was",
        "sluice redact tickets --names spacy:en_core_web_sm",
    ]
)
@click.argument("name")
@click.option("--kinds", metavar="KIND,...", help="Only these kinds; docs/personal-data.md lists them.")
@click.option(
    "--mapping",
    type=click.Choice(["keep", "discard"]),
    default="keep",
    help="Keep in .sluice/ who has which pseudonym (for its owner's eyes, not encrypted), or throw it away.",
)
@click.option(
    "--region", metavar="COUNTRY,...", help="Whose national phone numbers are read; else the text's language."
)
@click.option("--names", metavar="FINDER", help="What finds names of people: spacy:MODEL or FILE.py:FUNCTION.")
@dry_run_option
def command(
    out: Terminal,
    name: str,
    kinds: str | None,
    mapping: str,
    region: str | None,
    names: str | None,
    dry_run: bool,
) -> Any:
    """Replace e-mail, phone, cards, ids, keys and the like by pseudonyms: one person stays one person.

    Changes texts, targets and the columns beside a row. Older versions keep the originals until `sluice forget`.
    """
    from sluice.curate.redact import redact

    result = redact(
        find_project(),
        name,
        kinds=_listed(kinds),
        keep_mapping=mapping == "keep",
        regions=_listed(region),
        names=names,
        dry_run=dry_run,
        progress=out.progress,
    )
    out.progress.clear()
    draw(out, result)
    return result


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def draw(out: Terminal, result: RedactResult) -> None:
    """Draw what was replaced, where, and what still holds the originals."""
    name = f"{result.dataset}@{result.version}"
    if result.brought_back:
        out.say(f"here again, by redacting as before: {', '.join(result.brought_back)}", "good")
    if not result.replaced:
        out.spans([(name, "bold"), (f"  nothing found by pattern in {counted(result.rows, 'row')}", None)])
        out.say(f"  {result.names}", "dim")
        return
    would = "would change" if result.dry_run else "changed"
    beside = f", {counted(result.beside, 'row')} only in what stands beside" if result.beside else ""
    out.spans([(name, "bold"), (f"  {counted(result.redacted, 'row')} {would}{beside}", None)])
    out.table(
        ("kind", "replaced", "different"),
        [(kind, n, result.values[kind]) for kind, n in result.replaced.items()],
    )
    out.say("in " + ", ".join(f"{place} {n}" for place, n in list(result.places.items())[:8]), "dim")
    for row in result.first:
        out.say(f"  {row.old[:10]} -> {row.new[:10]}  {row.detail}", "dim")
    if result.merged:
        out.say(f"{counted(result.merged, 'row')} became equal to another one")
    out.say(result.names, "dim")
    kept = "in .sluice/privacy/ (mode 600, not encrypted)" if result.mapping == "keep" else "thrown away"
    out.say(f"who has which pseudonym: {kept}", "dim")
    if result.originals:
        where = ", ".join((*result.originals[-4:], *(f"eval set {s}" for s in result.frozen)))
        out.say(f"The originals are still in {where}: only `sluice forget` takes them away.", "warn")
    if result.parts and result.changed:
        out.say(f"{', '.join(result.parts)} did not change: redact each of them, too")
    if result.dry_run:
        out.next(typed_again(), "the same without --dry-run")
        return
    out.next(f"sluice show {result.dataset} --dropped", "every row that changed, with the row it became")
