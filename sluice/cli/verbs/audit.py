"""`sluice audit`: what is wrong with these rows?

Exit codes: 0; with --fail-on 1 where there is such a finding, 4 where a check named by --checks could not look.
"""

from __future__ import annotations

from dataclasses import asdict
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.files import given_files
from sluice.cli.meaning import embedder, model_option
from sluice.cli.reading import read_options, reading_options
from sluice.cli.terminal import Style, Terminal
from sluice.cli.verb import PATH, verb
from sluice.cli.verbs.add import draw_not_read
from sluice.core.errors import InputError, UsageError
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.core.project import Project
    from sluice.curate.audit import AuditReport
    from sluice.curate.audit_dataset import Audit, Seen
    from sluice.curate.checks import CheckResult
    from sluice.curate.checks.listing import CheckListing
    from sluice.curate.comparing.measure import TextTokens

WIDTH = 18
LEVELS = {"ok": 0, "warn": 1, "fail": 2}
VERDICTS: dict[str, tuple[str, Style]] = {
    "ok": ("Nothing found.", "good"),
    "warn": ("Nothing that has to be mended; some things to look at.", "warn"),
    "fail": ("There are rows to mend or drop.", "bad"),
}

NOT_LOOKED: tuple[str, Style] = ("No check could look.", "warn")


@verb(
    examples=[
        "sluice audit tickets/train",
        "sluice audit raw/*.csv --input body --target category    plain files, no project needed",
        "sluice audit tickets --out report.html    one page for those who were not there",
        "sluice audit tickets --checks conflict,label-errors --fail-on warn    these alone; exit 1 where found",
        "sluice audit tickets --model FOLDER       by meaning, too: how far apart rows lie, which labels are doubted",
    ],
    exits={
        1: "with --fail-on: a finding of that severity",
        4: "with --fail-on and --checks: nothing found, but a check that was named could not look",
    },
)
@click.argument("what", nargs=-1, metavar="NAME[@N] | FILES...", type=PATH)
@click.option("--checks", "names", metavar="CHECK,...", help="Run these checks alone.")
@click.option("--list", "listing", is_flag=True, help="Show every check with its severity, threshold and source.")
@click.option("--corpus", is_flag=True, help="Hold every row against the rules for text corpora (Gopher, C4, FineWeb).")
@model_option
@click.option("--schema", metavar="FILE", type=PATH, help="JSON schema of an answer, in the place of the task's.")
@click.option("--fail-on", type=click.Choice(["warn", "fail"]), help="Exit 1 where there is a finding this severe.")
@click.option("--out", "to", metavar="FILE", type=PATH, help="Write the report: one page (.html), or its data (.json).")
@reading_options
def command(
    out: Terminal,
    what: tuple[str, ...],
    names: str | None,
    listing: bool,
    corpus: bool,
    model: str | None,
    schema: str | None,
    fail_on: str | None,
    to: str | None,
    **how: Any,
) -> Any:
    """Say what is wrong with the rows of a dataset, or of plain files.

    Checks of severity fail find rows that nothing should be learnt from or measured on; those of severity warn find
    what a person should look at. A check that lacks something says so and never counts as passed.
    """
    from sluice.core.project import Project
    from sluice.curate.audit_dataset import audit_dataset, audit_files, schema_file
    from sluice.curate.next_steps import after_audit
    from sluice.curate.report.write import out_file, write_audit

    project = Project.find_or_none(Path.cwd())
    if listing:
        return draw_list(out, project)
    if not what:
        raise UsageError("nothing to audit is named", remedy="sluice audit NAME, sluice audit FILES, or --list")
    checks = [name.strip() for name in names.split(",") if name.strip()] if names is not None else None
    if checks == []:  # an empty shell variable: no check would run, and that reads like a pass
        raise UsageError("no check is named", remedy="leave --checks away for all checks; sluice audit --list")
    given = schema_file(schema) if schema else None
    target = out_file(to, what, project) if to else None
    options = read_options(how)
    looked_at: list[Seen] = []
    text_tokens: TextTokens | None = None
    refuse_unknown_word(project, what)
    of_dataset = project is not None and is_dataset(project, what)
    embed = embedder(project if of_dataset else None, model) if model is not None else None
    if project is not None and of_dataset:
        from sluice.train.tokens import token_counter

        counter = token_counter(project)
        if counter.count is None and not project.only_curates and (checks is None or "overlong" in checks):
            out.note(f"the check 'overlong' cannot look: {counter.why_not}")
        if counter.note is not None:
            out.note(counter.note)
        audit = audit_dataset(
            project,
            what[0],
            schema=given,
            count_tokens=counter.count,
            max_tokens=counter.max_tokens,
            checks=checks,
            corpus=corpus,
            embed=embed,
            progress=out.progress,
            seen=looked_at.append if target else None,
        )
        text_tokens = counter.texts
    else:
        audit = audit_files(
            given_files(what),
            options,
            project=project,
            schema=given,
            checks=checks,
            corpus=corpus,
            embed=embed,
            progress=out.progress,
            seen=looked_at.append if target else None,
        )
        draw_not_read(out, audit)
    steps = after_audit(audit, what, asdict(options))
    draw(out, audit)
    for step in steps:
        out.next(step.command, step.remark)
    if target is not None:
        size = write_audit(target, audit, looked_at[0], steps=steps, text_tokens=text_tokens, progress=out.progress)
        out.note(f"report: {target} ({size / 1000:,.0f} kB)")
    if fail_on is not None and LEVELS[audit.worst] >= LEVELS[fail_on]:
        out.exit_code = 1
    elif fail_on is not None and checks is not None and audit.report.absent:
        out.exit_code = 4  # what was asked for by name is no pass where it could not look
    return audit


def draw_list(out: Terminal, project: Project | None) -> CheckListing:
    """Draw every check: its severity, what it looks for, its rule and where that comes from."""
    from sluice.curate.checks.listing import list_checks

    listed = list_checks(project)
    for check in listed.checks:
        marks = [m for m, on in (("off", check.disabled), ("set here", check.changed), ("yours", check.own)) if on]
        style: Style = "bad" if check.severity == "fail" else "warn"
        said = check.what + (f" ({', '.join(marks)})" if marks else "")
        out.spans([(f"{check.severity:<6}", style), (f"{check.name:<{WIDTH}}", "bold"), (said, None)])
        out.say(f"{'':{WIDTH + 6}}{check.threshold}", "dim")
        number = f"threshold {check.limit:g}; " if check.limit is not None else ""
        needs = f"needs: {', '.join(check.needs)}; " if check.needs else ""
        out.say(f"{'':{WIDTH + 6}}{number}{needs}source: {check.source}", "dim")
    out.say()
    out.say("sluice.toml sets them: [checks] disable = [...], and severity, threshold under [checks.NAME].")
    out.say("Your own: checks/NAME.py with check(row), or checks/NAME.sql with SELECT row, detail FROM rows.")
    return listed


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
    if len(what) > 1 and project is not None:
        named = [w for w in what if not Path(w).exists() and is_dataset(project, (w,))]
        if named:
            raise UsageError(
                f"'{named[0]}' is a dataset: one is looked at alone, and files beside it are not",
                remedy=f"sluice audit {named[0]}; or files alone",
            )
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
    text, style = VERDICTS[audit.worst] if len(report.absent) < len(report.checks) else NOT_LOOKED
    out.spans([(audit.of, "bold"), (f"  {counted(report.rows, 'row')}: ", None), (text, style)])
    out.say()
    if audit.set_aside:
        out.spans(
            [
                ("FAIL    ", "bad"),
                (f"{'unreadable':<{WIDTH}}", "bold"),
                (f"{counted(audit.set_aside, 'line')} set aside, not to be read exactly", None),
            ]
        )
        for line in audit.first_set_aside:
            out.say(f"{'':{WIDTH + 8}}{line.file}:{line.line}  {line.reason}", "dim")
        if audit.set_aside > len(audit.first_set_aside):
            out.say(f"{'':{WIDTH + 8}}... and {audit.set_aside - len(audit.first_set_aside):,} more", "dim")
    for check in report.checks:
        if check.status == "found" or (check.status == "ok" and check.severity == "fail"):
            draw_check(out, audit, check)
    for check in report.checks:
        if check.status == "ok" and check.measures and check.severity == "warn":
            draw_check(out, audit, check)
    draw_rest(out, report)


def draw_rest(out: Terminal, report: AuditReport) -> None:
    """Say in a few lines which checks found nothing, and which could not look, by what they lack."""
    fine = [c.name for c in report.checks if c.status == "ok" and c.severity == "warn" and not c.measures]
    if fine:
        out.spans([(f"{'ok':<8}", "good"), (", ".join(fine), None)])
    lacking: dict[str, list[str]] = {}
    for check in report.absent:
        lacking.setdefault(", ".join(check.missing), []).append(check.name)
    for missing, names in lacking.items():
        out.spans([(f"{'absent':<8}", "dim"), (", ".join(names), "bold"), (f"  {missing}", None)])
    if report.disabled:
        out.spans([(f"{'off':<8}", "dim"), (", ".join(report.disabled), "bold"), ("  left out by sluice.toml", None)])


def draw_check(out: Terminal, audit: Audit, check: CheckResult) -> None:
    """Draw one check: its word, what it found, two rows, the remedy."""
    from sluice.curate.drops import one_line

    word: tuple[str, Style] = ("ok", "good")
    if check.status == "absent":
        word = ("absent", "dim")
    elif check.status == "found":
        word = ("FAIL", "bad") if check.severity == "fail" else ("warn", "warn")
    summary = ", ".join(check.missing) if check.status == "absent" else check.summary
    out.spans([(f"{word[0]:<8}", word[1]), (f"{check.name:<{WIDTH}}", "bold"), (summary, None)])
    if check.status != "found":
        return
    details = {f.row: f.detail for f in check.rows if f.row is not None}
    for row in audit.examples.get(check.name, ()):
        out.say(f"{'':{WIDTH + 8}}{row.row[:10]}  {one_line(row.input, 70)}", "dim")
        out.say(f"{'':{WIDTH + 20}}{one_line(details.get(row.row, ''), 100)}", "dim")
    if check.remedy and audit.dataset is not None:
        out.say(f"{'':{WIDTH + 8}}Fix: {check.remedy.format(dataset=audit.dataset)}")
