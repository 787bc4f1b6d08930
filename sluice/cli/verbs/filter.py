"""`sluice filter`: keep or drop rows by an expression, or drop what checks name. Exit codes: 0; 2 for a wrong one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.drawing import what_went
from sluice.cli.terminal import Terminal
from sluice.cli.verb import PATH, dry_run_option, find_project, typed_again, verb
from sluice.core.errors import InputError, UsageError
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.core.project import Project
    from sluice.curate.filter import FilterResult


@verb(
    examples=[
        "sluice filter tickets \"target_words > 3 AND language = 'en'\"      keeps these rows, drops the others",
        "sluice filter tickets --drop \"channel = 'fax' OR failing('truncated')\"",
        "sluice filter tickets \"target.category <> 'other'\" --dry-run",
        "sluice filter tickets/train --failing schema,overlong",
    ]
)
@click.argument("name")
@click.argument("expression", required=False)
@click.option("--drop", metavar="EXPRESSION", help="Drop the rows that this is true of.")
@click.option("--failing", metavar="CHECK,...", help="Drop what these checks of `sluice audit` name.")
@click.option("--schema", metavar="FILE", type=PATH, help="JSON schema of an answer, in the place of the task's.")
@dry_run_option
def command(
    out: Terminal,
    name: str,
    expression: str | None,
    drop: str | None,
    failing: str | None,
    schema: str | None,
    dry_run: bool,
) -> Any:
    """Keep the rows that an expression is true of, or drop what checks name; `restore` brings rows back.

    An EXPRESSION is one DuckDB condition over input fields, target (target.NAME of a JSON target), columns beside the
    rows (metadata.NAME), input_chars, input_words, target_chars, target_words, tokens, language, similarity (of input
    and target), labels (rows with the same target) and failing('CHECK'). Where a column is absent in a row it is not
    true. It is read where no file, setting or network can be reached.
    """
    from sluice.curate.audit_dataset import schema_file
    from sluice.curate.filter import filter_rows
    from sluice.curate.filter_where import filter_where

    asked = [text for text in (expression, drop, failing) if text is not None]
    if len(asked) != 1:
        said = (
            "nothing says which rows" if not asked else "an expression, --drop and --failing are three ways to say it"
        )
        raise UsageError(
            said, remedy=f'sluice filter {name} "target_words > 3", or --drop EXPRESSION, or --failing CHECK'
        )
    project = find_project()
    counter, limit = counter_for(out, project, name, asked[0])
    how: dict[str, Any] = {
        "schema": schema_file(schema) if schema else None,
        "count_tokens": counter,
        "max_tokens": limit,
        "dry_run": dry_run,
        "progress": out.progress,
    }
    if failing is not None:
        result = filter_rows(project, name, [c.strip() for c in failing.split(",") if c.strip()], **how)
    else:
        result = filter_where(project, name, asked[0], drop=drop is not None, **how)
    draw(out, result)
    return result


def counter_for(out: Terminal, project: Project, name: str, asked: str) -> tuple[Any, int | None]:
    """Return the token counter and the limit where what is asked needs them."""
    if not re.search(r"\b(overlong|tokens)\b", asked):
        return None, None
    from sluice.train.tokens import token_counter

    found = token_counter(project)
    if found.count is None:
        raise InputError(f"tokens cannot be counted: {found.why_not}", where=name)
    if found.note is not None:
        out.note(found.note)
    return found.count, found.max_tokens


def draw(out: Terminal, result: FilterResult) -> None:
    """Draw how many rows went for what, and the first of them."""
    from sluice.curate.drops import one_line

    name = f"{result.dataset}@{result.version}"
    if not result.dropped:
        said = "no row fails" if result.expression is None else "nothing to drop"
        out.spans([(name, "bold"), (f"  {said}; {counted(result.rows, 'row')}", None)])
    else:
        out.spans([(name, "bold"), (f"  {what_went(result)}", None)])
    if result.expression is not None:
        draw_expression(out, result)
    for check, count in result.counts.items() if result.expression is None else ():
        out.say(f"  {count:>6,}  {check}")
    for row in result.first_dropped:
        out.say(f"          {row.row.row[:10]}  {one_line(row.row.input, 80)}", "dim")
        if row.detail:
            out.say(f"{'':22}{one_line(row.detail, 120)}", "dim")
        elif row.row.target is not None:
            out.say(f"{'':22}-> {one_line(row.row.target, 100)}", "dim")
    if result.parts and result.changed:
        out.say(f"{', '.join(result.parts)} did not change: parts change only by `sluice split` again")
    if result.dropped and result.dry_run:
        out.next(typed_again(), "the same without --dry-run")
        return
    if result.dropped:
        out.next(f"sluice show {result.dataset} --dropped", "every dropped row with its reason")
    out.next(f"sluice audit {result.dataset}", "what is left?")


def draw_expression(out: Terminal, result: FilterResult) -> None:
    """Say in words which rows stay, which go, and of which the expression could not tell."""
    from sluice.curate.drops import one_line

    would = "would be " if result.dry_run else ""
    text = one_line(result.expression, 90)
    if result.keeps:
        out.say(f"  {result.rows:>6,}  {would}kept, where it is true:  {text}")
    else:
        out.say(f"  {result.dropped:>6,}  {would}dropped, where it is true:  {text}")
    if result.absent:
        word = "not kept" if result.keeps else "kept"
        out.say(f"  {result.absent:>6,}  {would}{word}: a column is absent in them, so that it is not true", "warn")
