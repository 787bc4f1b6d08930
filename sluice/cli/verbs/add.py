"""`sluice add`: read files into a dataset. Exit codes: 0; 2 where a file cannot be read, or a line under --strict."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import dry_run_option, verb

if TYPE_CHECKING:
    from sluice.curate.add import AddResult


@verb(
    examples=[
        "sluice add tickets raw/*.csv --input body --target category --dry-run",
        "sluice add tickets raw/tickets.jsonl --input message --target answer",
        "sluice add tickets chats.jsonl                   rows with `messages` need no columns",
        "sluice add requests log.jsonl --input request --target intent,slots",
    ]
)
@click.argument("name")
@click.argument("files", nargs=-1, required=True, type=click.Path())
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
    draw_next(out, result, has_config=project.has_config)
    return result


def draw(out: Terminal, result: AddResult) -> None:
    """Draw what was read from each file and what the dataset holds now."""
    from sluice.curate.drops import one_line

    if result.dry_run:
        for file in result.files:
            out.say(f"{file.file}: {file.format}, {file.encoding}, {file.shape}, {file.rows:,} rows")
            out.say(f"  columns: {', '.join(file.columns)}", "dim")
        out.say()
        out.say("The first rows would be:")
        for row in result.first_rows[:3]:
            out.say(f"  {one_line(row.input)}")
            out.say(f"    -> {one_line(row.target) if row.target is not None else '(no target)'}", "dim")
        out.say()
        out.say(f"Nothing was added. It would be {_rows(result.added)} new to '{result.dataset}'.")
    elif not result.changed:
        out.say(f"{result.dataset}: nothing new; still {_rows(result.rows)} in {result.dataset}@{result.version}.")
    else:
        head = f"{result.dataset}@{result.version}"
        out.spans([(head, "bold"), (f"  {_rows(result.added)} added, {result.rows:,} in all", None)])
    if result.repeated:
        out.say(
            f"  {result.repeated:,} lines repeat a row that is there already: noted as further places it was seen at"
        )
    if result.dropped_before:
        out.say(f"  {result.dropped_before:,} lines hold a row that was dropped from it before: they stay out")
    if result.unanswered:
        out.say(f"  {result.unanswered:,} lines have no target")
    if result.parts and result.changed:
        out.say(f"  {', '.join(result.parts)} did not change: parts change only by `sluice split` again")


def draw_set_aside(out: Terminal, result: AddResult) -> None:
    """Say on stderr how many lines were set aside, and show the first."""
    if not result.set_aside:
        return
    many = "1 line" if result.set_aside == 1 else f"{result.set_aside:,} lines"
    out.warn(f"{many} set aside: they cannot be read exactly")
    for line in result.first_set_aside:
        place = f"{line.file}:{line.line}" + (f":{line.column}" if line.column else "")
        out.note(f"  {place}  {line.reason}")
    if result.set_aside > len(result.first_set_aside):
        out.note(f"  ... all of them: sluice show {result.dataset} --set-aside")


def draw_next(out: Terminal, result: AddResult, *, has_config: bool) -> None:
    """Say what comes next."""
    if result.dry_run:
        out.next(
            f"sluice add {result.dataset} {' '.join(shlex.quote(f.file) for f in result.files)} ...",
            "without --dry-run",
        )
    elif result.parts and result.changed:
        out.next(f"sluice dedup {result.dataset}", "drop repeated rows, each shown beside the row kept")
        out.next(f"sluice split {result.dataset}", "new rows follow the rows they are like; none moves")
    else:
        out.next(f"sluice audit {result.dataset}", "what is wrong with these rows?")
        out.next(f"sluice dedup {result.dataset}", "drop repeated rows, each shown beside the row kept")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
