"""`sluice init`: start a project in this folder. Exit codes: 0; 2 where one was started, or a flag is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import PATH, verb, yes_option

if TYPE_CHECKING:
    from sluice.core.scaffold import InitAnswers, InitResult

KINDS = ("classification", "json", "text", "curate")
NEEDS = {"none": (), "retrieval": ("retrieval",), "tools": ("tools",), "both": ("retrieval", "tools")}


@verb(
    examples=[
        "sluice init                                   asks a few questions",
        'sluice init --kind json --description "Turn a message into one JSON object." --fields category,urgency',
        'sluice init --kind classification --description "Name the desk." --labels billing,delivery,other',
        'sluice init --kind curate --description "Clean support tickets." --yes',
    ]
)
@click.option("--name", metavar="TEXT", help="Name of the task.  [default: the folder's]")
@click.option(
    "--data",
    metavar="NAME",
    help="Name of the dataset.  [default: the one that is here, or near the task's name]",
)
@click.option("--description", metavar="TEXT", help="What is wanted, in one sentence; stands in every composed prompt.")
@click.option("--answers", type=click.Choice(["yes", "no"]), help="Whether the rows come with answers.  [default: yes]")
@click.option("--kind", type=click.Choice(KINDS), help="What an answer is; curate: only clean data is wanted.")
@click.option("--metric", metavar="NAME", help="Primary grader, in the place of the one that suits the kind.")
@click.option("--labels", metavar="A,B,...", help="The closed list of answers of a classification: grader choice.")
@click.option("--fields", metavar="A,B,...", help="Fields of a JSON answer, as refund or refund:boolean.")
@click.option("--schema", metavar="FILE", type=PATH, help="JSON schema of an answer, in the place of a draft.")
@click.option("--rubric", metavar="FILE", type=PATH, help="What right is; by default a template to fill in.")
@click.option("--base", metavar="MODEL", help="Model to be tuned: a folder, a Hugging Face id, or the small default.")
@click.option("--needs", type=click.Choice([*NEEDS]), help="What an answer takes beside its input; none: neither.")
@yes_option
def command(out: Terminal, yes: bool, **given: str | None) -> Any:
    """Start a project here: write sluice.toml, rubric.md and what else the answers ask for.

    On a terminal it asks for what no option says. Without one, --kind and --description are needed. Nothing that
    exists is overwritten; a rubric.md or schema.json that is there is used as it is.
    """
    from sluice.core.scaffold import scaffold

    here = Path.cwd()
    refuse_started(here)
    answers = ask(out, here, given, yes)
    result = scaffold(here, answers)
    draw(out, result)
    return result


def refuse_started(here: Path) -> None:
    """Raise InputError before anything is asked, where this folder has a sluice.toml."""
    from sluice.core.errors import InputError

    if (here / "sluice.toml").exists():
        raise InputError(
            "this project has been started already; nothing was written",
            where="sluice.toml",
            remedy="edit it, or see: sluice status",
        )


def ask(out: Terminal, here: Path, given: dict[str, str | None], yes: bool) -> InitAnswers:
    """Return the answers: what options say, and for the rest what a person types (with --yes the defaults)."""
    from sluice.core.errors import UsageError
    from sluice.core.scaffold import InitAnswers, datasets_here, default_dataset, default_name
    from sluice.evalsuite.graders import GRADERS
    from sluice.evalsuite.models.embedded import DEFAULT_MODEL

    guided = out.interactive and not yes
    if given["metric"]:
        GRADERS.get(given["metric"])  # an unknown one is said with the near one; one's own is added by hand later

    def answer(key: str, question: str, default: str | None, choices: tuple[str, ...] | None = None) -> str:
        value = given[key]
        if value is not None:
            return value
        if guided or default is None:
            if not guided and out.interactive:  # --yes answers what has a default
                raise UsageError(f'this has no default: "{question}"', remedy=f"--{key} ...")
            option = f"--{key} {'|'.join(choices) if choices else 'TEXT'}"
            return out.ask(question, default, choices, option)
        return default

    name = answer("name", "Name of the task", default_name(here))
    there = datasets_here(here)
    data = answer("data", "Name of the dataset", there[0] if len(there) == 1 else default_dataset(name))
    description = answer("description", "What is wanted, in one sentence", None)
    kind = answer("kind", "What is an answer? (curate: only clean data is wanted)", None, KINDS)
    answers, labels, fields = "yes", given["labels"] or "", given["fields"] or ""
    if kind != "curate":
        answers = answer("answers", "Do the rows come with answers?", "yes", ("yes", "no"))
    if kind == "classification" and not given["metric"] and not labels and guided:
        labels = out.ask("The labels, with commas between (empty: not known yet)", "")
    if kind == "json" and not given["schema"] and not fields and guided and not (here / "schema.json").exists():
        fields = out.ask("Fields of an answer, with commas between, as refund or refund:boolean", "")
    if given["metric"] == "choice" and not labels:
        raise UsageError("the grader choice needs the closed list of answers", remedy="--labels A,B,...")
    if labels and given["metric"] not in (None, "choice"):
        raise UsageError(f"labels are for the grader choice, not for {given['metric']}", remedy="leave one of them out")
    return InitAnswers(
        name=name,
        data=data,
        description=description,
        base=given["base"] or DEFAULT_MODEL,
        kind=kind,  # type: ignore[arg-type]
        answers=answers == "yes",
        metric=given["metric"],
        rubric=Path(given["rubric"]) if given["rubric"] else None,
        schema_file=Path(given["schema"]) if given["schema"] else None,
        fields=words(fields),
        labels=words(labels),
        needs=NEEDS[given["needs"]] if given["needs"] else None,  # type: ignore[arg-type]
    )


def words(text: str) -> tuple[str, ...]:
    """Return the words of a list with commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def draw(out: Terminal, result: InitResult) -> None:
    """Say what was written, what was left alone, and what comes next."""
    out.spans([(result.name, "bold"), (f" is started: {', '.join(result.written)}", None)])
    if result.extended:
        out.say(f"  lines added to {', '.join(result.extended)}")
    if result.kept:
        out.say(f"  used as they are: {', '.join(result.kept)}")
    for note in result.notes:
        out.say(f"  {note}")
    if not result.curate_only and "rubric.md" in result.written:
        out.say("  Say in rubric.md what a right answer is: prompts, people and gate go by it.")
    from sluice.core.project import Project
    from sluice.core.status import status

    for step in status(Project(result.root)).next:
        out.next(step.command, step.remark)
    out.next("sluice status", "what is done, what is missing, and the next command")
