"""`sluice add`: read files into a dataset. Exit codes: 0; 2 where a file cannot be read, or a line under --strict."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.collecting import rare_collections
from sluice.cli.files import given_files
from sluice.cli.reading import read_options, reading_options
from sluice.cli.terminal import Terminal
from sluice.cli.verb import PATH, dry_run_option, find_project, verb
from sluice.core.errors import UsageError
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.curate.adding.add import AddResult
    from sluice.curate.audit_dataset import Audit
    from sluice.curate.formats import ReadOptions
    from sluice.curate.labels.relabel import RelabelResult

MOST_NAMED = 3  # files of one shape
MOST_SHOWN = 10  # files of a dry run
MOST_COLUMNS = 30


@verb(
    examples=[
        "sluice add tickets raw/*.csv --input body --target category --dry-run",
        "sluice add tickets chats.jsonl                   messages, ShareGPT, Alpaca, pairs need no columns",
        "sluice add tickets desk.csv --map input='{{subject}}\\n{{body}}' --map target='{{label}}'",
        "sluice add talks desk.csv --thread ticket --order sent --role author --roles agent=assistant",
        "sluice add requests raw/                         or 'raw/*.csv', hf://owner/name, - for what is piped in",
    ]
)
@click.argument("name")
@click.argument("files", nargs=-1, type=PATH)
@reading_options
@click.option("--fix-mojibake", is_flag=True, help="Mend texts such as GrÃ¶ÃŸe; each is kept as the file has it.")
@click.option(
    "--fix",
    type=PATH,
    metavar="FILE",
    help="Take back what was mended in FILE: lines set aside, or labels (show NAME --set-aside | --failing, --out).",
)
@click.option("--strict", is_flag=True, help="Add nothing where a line cannot be read exactly (exit 2).")
@dry_run_option
def command(out: Terminal, name: str, files: tuple[str, ...], strict: bool, dry_run: bool, **how: Any) -> Any:
    """Read files (or folders, '-' for stdin) into a dataset; columns not named stay beside the rows as metadata.

    A line that cannot be read exactly is set aside with its reason, and its neighbours arrive whole. Adding a file
    again changes nothing; one that has grown adds what is new. Works outside a project, too.
    """
    if how.pop("fix") is not None:
        return take_back(out, name, files, click.get_current_context().params, dry_run=dry_run)
    if not files:
        raise UsageError("no file to add", remedy=f"sluice add {name} FILE...")
    from sluice.core.project import Project
    from sluice.curate.adding.add import add

    project = Project.find_or_none(Path.cwd()) or Project(Path.cwd())
    options = read_options(how)
    with rare_collections():
        result = add(project, name, given_files(files), options, strict=strict, dry_run=dry_run, progress=out.progress)
    draw_set_aside(out, result)
    draw(out, result)
    draw_next(out, result, files, options)
    return result


def take_back(
    out: Terminal, name: str, files: tuple[str, ...], given: dict[str, Any], *, dry_run: bool
) -> AddResult | RelabelResult:
    """Take mended lines or labels back. Raises UsageError where something else is asked for beside them."""
    from sluice.curate.adding.mend import mend
    from sluice.curate.labels.review import is_review

    other = [key for key, value in given.items() if value and key not in ("name", "files", "fix", "dry_run")]
    if files or other:
        beside = "files" if files else f"--{other[0].strip('_')}"
        raise UsageError(
            f"--fix reads its lines as their files were read; {beside} cannot stand beside it",
            remedy=f"sluice add {name} --fix {given['fix']}",
        )
    if is_review(Path(given["fix"])):
        return take_labels(out, name, Path(given["fix"]), dry_run=dry_run)
    result = mend(find_project(), name, Path(given["fix"]), dry_run=dry_run)
    draw_set_aside(out, result)
    lines = counted(result.fixed, "mended line is a row now", "mended lines are rows now")
    head = f"{result.dataset}@{result.version}"
    out.spans([(head, "bold"), (f"  {lines}, {result.added:,} of them new; {result.rows:,} rows in all", None)])
    if result.set_aside:
        out.next(f"sluice show {name} --set-aside", "what is still set aside, and why")
    out.next(f"sluice audit {name}", "what is wrong with these rows?")
    return result


def take_labels(out: Terminal, name: str, sheet: Path, *, dry_run: bool) -> RelabelResult:
    """Take corrected labels back, and say what became of each line of the sheet."""
    from sluice.curate.labels.relabel import relabel

    result = relabel(find_project(), name, sheet, dry_run=dry_run)
    said = (
        counted(result.relabelled, "row gets", "rows get")
        if dry_run
        else counted(result.relabelled, "row has", "rows have")
    )
    head = f"{result.dataset}@{result.version}"
    out.spans([(head, "bold"), (f"  {said} another label; {counted(result.rows, 'row')} in all", None)])
    for row in result.first:
        out.say(f"  {row.old[:10]} -> {row.new[:10]}  {row.given!r}, now {row.label!r}", "dim")
    if result.confirmed:
        out.say(f"  {counted(result.confirmed, 'line')} left as given")
    if result.gone:
        one, many = "line is of a row that is", "lines are of rows that are"
        out.say(f"  {counted(result.gone, one, many)} not in it: changed or dropped before")
    for label, count in result.new_labels.items():
        out.warn(f"no row had the label '{label}' before ({counted(count, 'line')}): a slip?")
    if result.parts and result.changed:
        out.say(f"  {', '.join(result.parts)} did not change: parts change only by `sluice split` again")
    if dry_run and result.relabelled:
        out.next(f"sluice add {name} --fix {shlex.quote(str(sheet))}", "the same without --dry-run")
    elif result.first:
        out.next(f"sluice why {name} {result.first[0].new[:10]}", "the story of one")
    return result


def draw(out: Terminal, result: AddResult) -> None:
    """Draw what was read from each file and what the dataset holds now."""
    from sluice.curate.drops import one_line

    head = f"{result.dataset}@{result.version}"
    for title in dict.fromkeys(file.read_as for file in result.files):
        out.say(f"read as {title}: {', '.join(_few([f.file for f in result.files if f.read_as == title]))}", "dim")
    for note in dict.fromkeys(file.note for file in result.files if file.note):
        out.say(f"  it could also be read as {note}", "dim")
    if result.dry_run:
        for file in result.files[:MOST_SHOWN]:
            encoding = f"{file.encoding} (detected)" if file.encoding_detected else file.encoding
            form = f"{file.packed} of {file.format}" if file.packed else file.format
            form += f", sheet {file.sheet}" if file.sheet else ""
            out.say(f"{file.file}: {form}, {encoding}, {counted(file.rows, 'row')}")
            more = ", ..." if len(file.columns) > MOST_COLUMNS else ""
            out.say(f"  columns: {', '.join(file.columns[:MOST_COLUMNS])}{more}", "dim")
        if len(result.files) > MOST_SHOWN:
            out.say(f"... and {len(result.files) - MOST_SHOWN:,} more files")
        out.say()
        out.say("The first rows would be:")
        for row in result.first_rows[:3]:
            out.say(f"  {one_line(row.input)}")
            for answer in row.answers():
                out.say(f"    -> {one_line(answer)}", "dim")
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
            f"  {counted(result.repeated, 'line repeats', 'lines repeat')} a row that is there already"
            + (": noted as further places it was seen at" if result.changed or result.dry_run else "")
        )
    if result.forgotten:
        out.say(f"  {counted(result.forgotten, 'line holds', 'lines hold')} a row that was forgotten: left out")
    if result.forgotten_unknown:
        out.say(
            f"  {counted(result.forgotten_unknown, 'row was', 'rows were')} forgotten in another copy of this project, "
            "whose .sluice/privacy/key is not here: lines that hold them cannot be told, and are taken",
            "warn",
        )
    if result.dropped_before:
        one, many = "line holds a row that was", "lines hold rows that were"
        out.say(f"  {counted(result.dropped_before, one, many)} dropped from it before: left out")
    if result.unanswered:
        out.say(f"  {counted(result.unanswered, 'line has', 'lines have')} no target")
    if result.parts and result.changed:
        out.say(f"  {', '.join(result.parts)} did not change: parts change only by `sluice split` again")


def _few(names: list[str]) -> list[str]:
    return names if len(names) <= MOST_NAMED else [*names[:MOST_NAMED], f"and {len(names) - MOST_NAMED} more"]


def draw_set_aside(out: Terminal, result: AddResult) -> None:
    """Say on stderr which files, columns and lines were left out, and show the first."""
    detected = [f"{file.file} as {file.encoding}" for file in result.files if file.encoding_detected]
    if detected and not result.dry_run:
        out.note(f"encoding detected: {', '.join(_few(detected))}")
    draw_not_read(out, result)
    for file in result.files:
        for why in file.left_out.values():
            out.warn(f"{file.file}: {why}; left out of the metadata")
    if not result.set_aside:
        return
    since = f"; {result.mended_since:,} of them mended before, and rows now" if result.mended_since else ""
    out.warn(f"{counted(result.set_aside, 'line')} set aside, not to be read exactly{since}")
    for line in result.first_set_aside:
        place = f"{line.file}:{line.line}" + (f":{line.column}" if line.column else "")
        out.note(f"  {place}  {line.reason}")
    if result.set_aside > len(result.first_set_aside):
        rest = result.set_aside - len(result.first_set_aside)
        look = "" if result.dry_run else f": sluice show {result.dataset} --set-aside -n {result.set_aside}"
        out.note(f"  ... and {rest:,} more{look}")


def draw_not_read(out: Terminal, result: AddResult | Audit) -> None:
    """Say on stderr which files were not read, and where texts were decoded twice."""
    for file in result.files_set_aside:
        out.warn(f"{file.file} set aside whole: {file.reason}")
    if result.passed_over:
        out.note(f"passed over: {counted(len(result.passed_over), 'file')}")
        for file in result.passed_over[:5]:
            out.note(f"  {file.file}  {file.reason}")
        if len(result.passed_over) > 5:
            out.note(f"  ... and {len(result.passed_over) - 5:,} more")
    if not result.mojibake:
        return
    mended = getattr(result, "mended", False)
    out.warn(f"{counted(result.mojibake, 'row')} with text that was decoded twice{', mended' if mended else ''}")
    for place in result.first_mojibake[:3]:
        out.note(f"  {place.file}:{place.line}  {place.column}: {place.found!r}, meant as {place.mended!r}")
    if not mended:
        out.note("  `sluice add` with --fix-mojibake mends them and keeps each as it was")


def draw_next(out: Terminal, result: AddResult, files: tuple[str, ...], options: ReadOptions) -> None:
    """Say what comes next."""
    from sluice.curate.adding.command import add_command

    if result.dry_run:
        out.next(add_command(result.dataset, files, asdict(options)), "the same without --dry-run")
    elif result.parts and result.changed:
        out.next(f"sluice dedup {result.dataset}", "drop repeated rows, each shown beside the row kept")
        out.next(f"sluice split {result.dataset}", "new rows follow the rows they are like; none moves")
    else:
        out.next(f"sluice audit {result.dataset}", "what is wrong with these rows?")
        out.next(f"sluice dedup {result.dataset}", "drop repeated rows, each shown beside the row kept")
