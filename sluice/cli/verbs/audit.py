"""`sluice audit`: what is wrong with these rows? Exit codes: 0; 1 with --fail-on where there is such a finding."""

from __future__ import annotations

from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.files import given_files
from sluice.cli.terminal import Style, Terminal
from sluice.cli.verb import PATH, verb
from sluice.cli.verbs.add import draw_not_read
from sluice.core.errors import InputError
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.core.project import Project
    from sluice.curate.audit_dataset import Audit
    from sluice.curate.checks import CheckResult

LEVELS = {"ok": 0, "warn": 1, "fail": 2}
VERDICTS: dict[str, tuple[str, Style]] = {
    "ok": ("Nothing found.", "good"),
    "warn": ("Nothing that stops training; some things to look at.", "warn"),
    "fail": ("There are rows to mend or drop.", "bad"),
}


@verb(
    examples=[
        "sluice audit tickets/train",
        "sluice audit raw/*.csv --input body --target category    plain files, no project needed",
        "sluice audit tickets --schema schema.json --fail-on fail  exit 1 where a check fails",
    ],
    exits={1: "with --fail-on: a finding of that severity"},
)
@click.argument("what", nargs=-1, required=True, metavar="NAME[@N] | FILES...", type=PATH)
@click.option("--schema", metavar="FILE", type=PATH, help="JSON schema of an answer, in the place of the task's.")
@click.option("--fail-on", type=click.Choice(["warn", "fail"]), help="Exit 1 where there is a finding this severe.")
@click.option("--input", "input_", metavar="COL[,COL]", help="Of files: the input column, or several.")
@click.option("--target", metavar="COL[,COL]", help="Of files: the target column, or several.")
@click.option("--encoding", metavar="NAME", help="Of files that are not UTF-8.")
@click.option("--delimiter", metavar="CHAR", help="Of CSV files: one character, or tab.")
@click.option("--format", "format_", metavar="NAME", help="Of files whose name does not say it, and of stdin.")
@click.option("--sheet", metavar="NAME", help="Of Excel workbooks; the first with cells where not named.")
@click.option("--per", type=click.Choice(["file", "paragraph", "line"]), help="Of plain text: what a row is (file).")
def command(out: Terminal, what: tuple[str, ...], schema: str | None, fail_on: str | None, **how: Any) -> Any:
    """Say what is wrong with the rows of a dataset, or of plain files.

    Checks of severity fail find rows that must not be trained on; those of severity warn find what a person should
    look at. A check that lacks something says so and never counts as passed.
    """
    from sluice.core.project import Project
    from sluice.curate.audit_dataset import audit_dataset, audit_files, schema_file
    from sluice.curate.formats import ReadOptions

    given = schema_file(schema) if schema else None
    project = Project.find_or_none(Path.cwd())
    refuse_unknown_word(project, what)
    if project is not None and is_dataset(project, what):
        from sluice.train.tokens import token_counter

        counter = token_counter(project)
        if counter.count is None and project.has_config:
            out.note(f"the check 'overlong' cannot look: {counter.why_not}")
        if counter.note is not None:
            out.note(counter.note)
        audit = audit_dataset(
            project,
            what[0],
            schema=given,
            count_tokens=counter.count,
            max_tokens=counter.max_tokens,
            progress=out.progress,
        )
    else:
        how |= {"input": how.pop("input_"), "format": how.pop("format_")}
        audit = audit_files(given_files(what), ReadOptions(**how), schema=given, progress=out.progress)
        draw_not_read(out, audit)
    draw(out, audit)
    draw_next(out, audit, what, how)
    if fail_on is not None and LEVELS[audit.worst] >= LEVELS[fail_on]:
        out.exit_code = 1
    return audit


def is_dataset(project: Project, what: tuple[str, ...]) -> bool:
    """Return whether the words name a dataset of the project rather than files (`./tickets` is a file)."""
    from sluice.curate.dataset import has_dataset

    word = what[0]
    if len(what) > 1 or word.startswith((".", "/", "~", "-", "hf://")):
        return False
    return has_dataset(project, word.partition("@")[0].partition(":")[0])


def refuse_unknown_word(project: Project | None, what: tuple[str, ...]) -> None:
    """Raise InputError for one word that is neither a dataset nor looks like a file."""
    from sluice.curate.dataset import open_dataset

    word = what[0]
    if len(what) > 1 or Path(word).exists() or Path(word).suffix or word.startswith((".", "/", "~", "-", "hf://")):
        return
    if word.endswith("/") or has_magic(word):
        return
    if project is None:
        raise InputError(
            f"'{word}' is no file, and there is no project here that could have a dataset of that name",
            remedy="name a file, or go to the project's folder",
        )
    open_dataset(project, word)  # raises where there is none, and says which was meant


def draw(out: Terminal, audit: Audit) -> None:
    """Draw the verdict, then one line a check with its remedy and two example rows."""
    report = audit.report
    text, style = VERDICTS[audit.worst]
    out.spans([(audit.of, "bold"), (f"  {counted(report.rows, 'row')}: ", None), (text, style)])
    out.say()
    if audit.set_aside:
        out.spans(
            [
                ("FAIL    ", "bad"),
                (f"{'unreadable':<13}", "bold"),
                (f"{counted(audit.set_aside, 'line')} set aside, not to be read exactly", None),
            ]
        )
        for line in audit.first_set_aside:
            out.say(f"{'':21}{line.file}:{line.line}  {line.reason}", "dim")
        if audit.set_aside > len(audit.first_set_aside):
            out.say(f"{'':21}... and {audit.set_aside - len(audit.first_set_aside):,} more", "dim")
    for check in report.checks:
        draw_check(out, audit, check)


def draw_next(out: Terminal, audit: Audit, what: tuple[str, ...], how: dict[str, str | None]) -> None:
    """Say what comes next: of files to add them as they were read here, of a dataset to drop what fails."""
    from sluice.curate.add_command import add_command

    shown = next((rows[0].row for rows in audit.examples.values() if rows), None)
    failing = [c.name for c in audit.report.checks if c.fails and c.droppable]
    if audit.dataset is None:
        out.next(add_command("NAME", what, how), "make a dataset of them, then: dedup, filter, split")
        if audit.set_aside > len(audit.first_set_aside):
            out.next(f"sluice show NAME --set-aside -n {audit.set_aside}", "then: all lines that were set aside")
        return
    if failing:
        leaks = [c for c in failing if c == "leak"]
        rest = [c for c in failing if c != "leak"]
        if rest:
            out.next(f"sluice filter {audit.dataset} --failing {','.join(rest)}", "drop them, each with its reason")
        if leaks:
            out.next(f"sluice decontaminate {audit.dataset}", "drop rows that repeat an eval row")
    elif "/" not in audit.dataset:
        out.next(f"sluice dedup {audit.dataset}")
    if shown is not None:
        out.next(f"sluice show {audit.of} {shown[:10]}", "a row in full")
    elif "/" in audit.dataset and not failing:
        out.next(f"sluice show {audit.dataset}")


def draw_check(out: Terminal, audit: Audit, check: CheckResult) -> None:
    """Draw one check: its word, what it found, two rows, the remedy."""
    from sluice.curate.drops import one_line

    word: tuple[str, Style] = ("ok", "good")
    if check.status == "absent":
        word = ("absent", "dim")
    elif check.status == "found":
        word = ("FAIL", "bad") if check.severity == "fail" else ("warn", "warn")
    summary = ", ".join(check.missing) if check.status == "absent" else check.summary
    out.spans([(f"{word[0]:<8}", word[1]), (f"{check.name:<13}", "bold"), (summary, None)])
    if check.status != "found":
        return
    details = {f.row: f.detail for f in check.rows if f.row is not None}
    for row in audit.examples.get(check.name, ()):
        out.say(f"{'':21}{row.row[:10]}  {one_line(row.input, 70)}", "dim")
        out.say(f"{'':33}{one_line(details.get(row.row, ''), 100)}", "dim")
    if check.remedy and audit.dataset is not None:
        out.say(f"{'':21}Fix: {check.remedy.format(dataset=audit.dataset)}")
