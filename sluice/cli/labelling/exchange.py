"""`sluice labels --import` and `--export`: which question is meant, and what became of the file, drawn."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.core.project import Project
    from sluice.curate.labels.question import Question

F = TypeVar("F", bound=Callable[..., Any])
MODES = ("classify", "rate", "grade", "correct", "write", "compare", "review")
FORMATS = ("label-studio", "argilla", "prodigy", "doccano", "csv", "inspect")
SHOWN = 12
"""Lines of what was set aside that are drawn."""


def exchange_options(function: F) -> F:
    """Add the options of `--import` and `--export`."""
    for option in reversed(
        (
            click.option("--import", "taken", metavar="FILE", type=click.Path(path_type=Path), help="Take labels in."),
            click.option(
                "--export", "given", metavar="FILE", type=click.Path(path_type=Path), help="Write labels out."
            ),
            click.option("--format", "form", type=click.Choice(FORMATS), help="Of that file; else by its content."),
            click.option(
                "--what", default="words", metavar="W", show_default=True, help="--export: words, settled or tasks."
            ),
            click.option("--mode", type=click.Choice(MODES), help="The question, where nobody was asked it before."),
            click.option("--field", metavar="PATH", help="Its field."),
            click.option("--labels", "choices", metavar="A,B,...", help="Its labels."),
            click.option("--many", is_flag=True, help="Several of them may hold at once."),
            click.option("--answer", metavar="NAME", help="--import: which control or column holds the answer."),
            click.option(
                "--who", multiple=True, metavar="ID=NAME", help="--import: what a person of the file is called here."
            ),
            click.option("--strict", is_flag=True, help="--import: all of the file, or nothing."),
            click.option("--loosely", is_flag=True, help="--import: match inputs whatever their case and blanks."),
            click.option("--yes", is_flag=True, help="--export: replace a file that holds something else."),
            click.option(
                "--by", metavar="NAME", help="--import: who decided what names nobody; --export: only theirs."
            ),
        )
    ):
        function = option(function)
    return function


def exchange(
    out: Terminal, name: str, word: str | None, rule: str, dry_run: bool, apply_it: bool, given: dict[str, Any]
) -> Any | None:
    """Take labels in or write them out; None where neither was asked for.

    Args:
        out: the terminal.
        name: the dataset.
        word: the question, as typed.
        rule: how disagreements are settled.
        dry_run: whether nothing is written.
        apply_it: whether labels are to become targets, which is another step.
        given: what `exchange_options` added.

    Raises UsageError for words that do not fit together.
    """
    from sluice.core.errors import UsageError

    taken, written = given["taken"], given["given"]
    if taken is None and written is None:
        typed = next((o for o, k in _OPTIONS.items() if given[k] not in (None, False, (), "words")), None)
        if typed is not None:
            raise UsageError(
                f"{typed} says nothing without a file", where=typed, remedy="--import FILE or --export FILE"
            )
        return None
    if (taken is not None) + (written is not None) + apply_it > 1:
        raise UsageError("one step at a time", where="--import, --export, --apply", remedy="first one, then the next")
    project = find_project()
    question = chosen(project, name, word, given)
    if taken is not None:
        return take_in(out, project, name, taken, question, dry_run, given)
    if dry_run:
        raise UsageError("an export changes nothing", where="--dry-run", remedy="leave it out")
    return write_out(out, project, name, written, question, rule, given)


_OPTIONS = {
    "--format": "form",
    "--what": "what",
    "--mode": "mode",
    "--field": "field",
    "--labels": "choices",
    "--many": "many",
    "--answer": "answer",
    "--who": "who",
    "--strict": "strict",
    "--loosely": "loosely",
    "--yes": "yes",
    "--by": "by",
}


def chosen(project: Project, name: str, word: str | None, given: dict[str, Any]) -> Question:
    """Return the question that is meant: named, described, the last that was asked, or classify."""
    from sluice.core.errors import UsageError
    from sluice.curate.dataset import open_dataset
    from sluice.curate.labels.choose import choose_question, find_question
    from sluice.curate.labels.log import read_log

    log = read_log(project)
    described = any(given[key] for key in ("mode", "field", "choices", "many"))
    if word is not None and described:
        raise UsageError("a question is named or described, not both", where="--question", remedy="leave one out")
    if word is not None or (log.questions() and not described):
        return find_question(log, word)
    labels = [label.strip() for label in given["choices"].split(",")] if given["choices"] else []
    return choose_question(
        open_dataset(project, name),
        log,
        mode=given["mode"] or "classify",
        field=given["field"] or "target",
        labels=labels,
        many=given["many"],
    )


def described(given: dict[str, Any]) -> str:
    """Return the options that described a question, to be typed again."""
    words = [
        f"--{o} {shlex.quote(given[k])}"
        for o, k in (("mode", "mode"), ("field", "field"), ("labels", "choices"))
        if given[k]
    ]
    return "".join(f" {word}" for word in [*words, *(["--many"] if given["many"] else [])])


def take_in(
    out: Terminal, project: Project, name: str, file: Path, question: Question, dry_run: bool, given: dict[str, Any]
) -> Any:
    """Take labels in, and say what was not taken."""
    from sluice.core.errors import UsageError
    from sluice.curate.labels.exchange.importing import import_labels

    broken = next((pair for pair in given["who"] if "=" not in pair), None)
    if broken is not None:
        raise UsageError(f"'{broken}' is no ID=NAME", where="--who", remedy="--who 3=ana")
    result = import_labels(
        project,
        name,
        file,
        question,
        format=given["form"],
        by=given["by"],
        names=dict(pair.split("=", 1) for pair in given["who"]),
        answer=given["answer"],
        strict=given["strict"],
        loosely=given["loosely"],
        dry_run=dry_run,
        progress=out.progress,
    )
    verb = "would be new" if dry_run else "new"
    out.spans(
        [
            (f"{counted(result.new, 'word')} {verb}", "bold"),
            (f"  {question.shortened()}, question {question.hash[:8]}, read as {result.format}", None),
        ]
    )
    if result.known:
        out.say(f"  {counted(result.known, 'word')} known already")
    if result.skipped:
        out.say(f"  {counted(result.skipped, 'record')} without a word: left, or nobody's turn yet")
    if result.people:
        out.say("  " + ", ".join(f"{who} {n:,}" for who, n in list(result.people.items())[:12]))
    if result.unknown_labels:
        named = ", ".join(f"{label!r} {n:,}" for label, n in list(result.unknown_labels.items())[:8])
        out.say(f"  no label of this question: {named}", "warn")
    if result.set_aside:
        out.say(f"  {counted(len(result.set_aside), 'record')} not taken; the file still holds them:", "warn")
        out.table(
            ("line", "record", "why"), [(f"{a.line:,}", f"{a.record:,}", a.reason) for a in result.set_aside[:SHOWN]]
        )
        if len(result.set_aside) > SHOWN:
            out.say(f"  and {len(result.set_aside) - SHOWN:,} more; all of them with --json", "dim")
    out.next(f"sluice labels {result.dataset} --question {question.hash[:8]}", "what people agree on")
    return result


def write_out(
    out: Terminal, project: Project, name: str, file: Path, question: Question, rule: str, given: dict[str, Any]
) -> Any:
    """Write labels or tasks, and say what the format could not hold."""
    from sluice.curate.labels.exchange.exporting import export_labels

    result = export_labels(
        project,
        name,
        file,
        question,
        format=given["form"],
        what=given["what"],
        by=given["by"],
        rule=rule,
        replace=given["yes"],
    )
    held = counted(result.rows, "row") if result.what == "tasks" else counted(result.words, "word")
    out.spans([(result.file, "bold"), (f"  {held} for {result.format}, {question.shortened()}", None)])
    for reason, number in result.left_out.items():
        out.say(f"  {counted(number, 'word')} left out: {reason}", "warn")
    if result.lost:
        out.say(f"  this format has no place for: {', '.join(result.lost)}", "warn")
    if result.what == "tasks":
        out.say(result.setup)
        out.next(f"sluice labels {result.dataset} --import FILE{described(given)}", "when people are done there")
    return result
