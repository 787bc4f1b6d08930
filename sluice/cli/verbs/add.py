"""`sluice add`: read files into a dataset. Exit codes: 0; 2 where a file cannot be read, or a line under --strict."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import PATH, dry_run_option, verb
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.curate.add import AddResult
    from sluice.curate.formats import ReadOptions


@verb(
    examples=[
        "sluice add tickets raw/*.csv --input body --target category --dry-run",
        "sluice add tickets raw/tickets.jsonl --input message --target answer",
        "sluice add tickets chats.jsonl                   rows with `messages` need no columns",
        "sluice add requests log.jsonl --input request --target intent,slots",
    ]
)
@click.argument("name")
@click.argument("files", nargs=-1, required=True, type=PATH)
@click.option("--input", "input_", metavar="COL[,COL]", help="The input column, or several.")
@click.option(
    "--target", metavar="COL[,COL]", help="The target column; several become one JSON object. May be left away."
)
@click.option("--encoding", metavar="NAME", help="Encoding of text files that are not UTF-8, such as cp1252.")
@click.option("--delimiter", metavar="CHAR", help="What separates the cells of a CSV file: one character, or tab.")
@click.option(
    "--format", "format_", metavar="NAME", help="jsonl, csv or parquet, where the file's name does not say it."
)
@click.option("--strict", is_flag=True, help="Add nothing where a line cannot be read exactly (exit 2).")
@dry_run_option
def command(out: Terminal, name: str, files: tuple[str, ...], strict: bool, dry_run: bool, **how: str | None) -> Any:
    """Read files into a dataset; columns not named stay beside the rows as metadata.

    A line that cannot be read exactly is set aside with its reason, and its neighbours arrive whole. Adding a file
    again changes nothing; one that has grown adds what is new. Works outside a project, too.
    """
    from sluice.core.project import Project
    from sluice.curate.add import add
    from sluice.curate.formats import ReadOptions

    project = Project.find_or_none(Path.cwd()) or Project(Path.cwd())
    options = ReadOptions(
        input=how["input_"],
        target=how["target"],
        encoding=how["encoding"],
        delimiter=how["delimiter"],
        format=how["format_"],
    )
    result = add(project, name, files, options, strict=strict, dry_run=dry_run, progress=out.progress)
    draw_set_aside(out, result)
    draw(out, result)
    draw_next(out, result, files, options)
    return result


def draw(out: Terminal, result: AddResult) -> None:
    """Draw what was read from each file and what the dataset holds now."""
    from sluice.curate.drops import one_line

    head = f"{result.dataset}@{result.version}"
    if result.dry_run:
        for file in result.files:
            out.say(f"{file.file}: {file.format}, {file.encoding}, {file.shape}, {counted(file.rows, 'row')}")
            out.say(f"  columns: {', '.join(file.columns)}", "dim")
        out.say()
        out.say("The first rows would be:")
        for row in result.first_rows[:3]:
            out.say(f"  {one_line(row.input)}")
            out.say(f"    -> {one_line(row.target) if row.target is not None else '(no target)'}", "dim")
        out.say()
        out.say(f"Nothing was added. It would be {counted(result.added, 'row')} new to '{result.dataset}'.")
    elif not result.changed:
        out.say(f"{result.dataset}: nothing new; still {counted(result.rows, 'row')} in {head}.")
    else:
        out.spans([(head, "bold"), (f"  {counted(result.added, 'row')} added, {result.rows:,} in all", None)])
    if result.brought_back:
        out.say(f"  here again, made of these files: {', '.join(result.brought_back)}", "good")
    if result.repeated:
        out.say(
            f"  {counted(result.repeated, 'line repeats', 'lines repeat')} a row that is there already: "
            "noted as further places it was seen at"
        )
    if result.forgotten:
        out.say(f"  {counted(result.forgotten, 'line holds', 'lines hold')} a row that was forgotten: left out")
    if result.dropped_before:
        one, many = "line holds a row that was", "lines hold rows that were"
        out.say(f"  {counted(result.dropped_before, one, many)} dropped from it before: left out")
    if result.unanswered:
        out.say(f"  {counted(result.unanswered, 'line has', 'lines have')} no target")
    if result.parts and result.changed:
        out.say(f"  {', '.join(result.parts)} did not change: parts change only by `sluice split` again")


def draw_set_aside(out: Terminal, result: AddResult) -> None:
    """Say on stderr which columns were left out and how many lines were set aside, and show the first."""
    for file in result.files:
        for why in file.left_out.values():
            out.warn(f"{file.file}: {why}; left out of the metadata")
    if not result.set_aside:
        return
    out.warn(f"{counted(result.set_aside, 'line')} set aside, not to be read exactly")
    for line in result.first_set_aside:
        place = f"{line.file}:{line.line}" + (f":{line.column}" if line.column else "")
        out.note(f"  {place}  {line.reason}")
    if result.set_aside > len(result.first_set_aside):
        rest = result.set_aside - len(result.first_set_aside)
        look = "" if result.dry_run else f": sluice show {result.dataset} --set-aside -n {result.set_aside}"
        out.note(f"  ... and {rest:,} more{look}")


def draw_next(out: Terminal, result: AddResult, files: tuple[str, ...], options: ReadOptions) -> None:
    """Say what comes next."""
    from sluice.curate.add_command import add_command

    if result.dry_run:
        out.next(add_command(result.dataset, files, asdict(options)), "the same without --dry-run")
    elif result.parts and result.changed:
        out.next(f"sluice dedup {result.dataset}", "drop repeated rows, each shown beside the row kept")
        out.next(f"sluice split {result.dataset}", "new rows follow the rows they are like; none moves")
    else:
        out.next(f"sluice audit {result.dataset}", "what is wrong with these rows?")
        out.next(f"sluice dedup {result.dataset}", "drop repeated rows, each shown beside the row kept")
