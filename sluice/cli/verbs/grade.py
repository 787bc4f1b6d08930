"""`sluice grade`: judge 30 answers blind. Exit codes: 0; 3 no baseline to grade; 4 graded, and it does not hold."""

from __future__ import annotations

import time
from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import by_option, find_project, verb

KEYS = {"r": "right", "w": "wrong", "u": "undo", "q": "stop"}


@verb(
    examples=["sluice grade", "sluice grade --by ana", "sluice grade --by ana --words 1=r,2=w    without a terminal"],
    exits={3: "no baseline whose answers could be graded", 4: "all graded, and the rule gradable does not hold"},
)
@by_option
@click.option("--words", metavar="N=r|w,...", help="Without a terminal: decisions by number, as --list shows them.")
@click.option(
    "--list", "listing", is_flag=True, help="Print the answers to grade, numbered, without where they are from."
)
def command(out: Terminal, by: str | None, words: str | None, listing: bool) -> Any:
    """Judge 30 answers on dev, right or wrong, without knowing whose they are: one key each.

    If nobody can grade the outputs from the written task, it is too early to tune. Stop anywhere; it goes on later.
    """
    from sluice.cli.model import base_model

    project = find_project()
    project.config  # noqa: B018 - a missing sluice.toml is said before anything is loaded
    who = "-" if listing else out.who(by)
    files, form, _ = base_model(out, project)
    from sluice.core.ledger import Ledger
    from sluice.evalsuite import gradable
    from sluice.evalsuite.baselines.bench import bench

    facts = Ledger(project).read()
    b = bench(project, files, form, facts)
    items = gradable.items(b, facts)
    if listing:
        return show_all(out, items)
    if words is not None:
        for item, word in parse(words, items):
            gradable.decide_item(project, item, word, by=who, seconds=0.0)
    elif out.interactive:
        session(out, project, b, items, who)
    else:
        from sluice.core.errors import UsageError

        raise UsageError("grading needs a terminal", remedy="sluice grade --list, then --words 1=r,2=w,... --by NAME")
    result = gradable.seal(b, facts, items, who)
    if result.done < result.of:
        out.say(f"{result.done} of {result.of} graded by {who}; go on with: sluice grade")
        return result
    out.say(
        f"{who} judged {result.controls_right} of {result.controls} controls rightly and agrees with "
        f"{project.config.task.metric} on {result.agree} of {result.answers} answers.",
        "good" if result.holds else "bad",
    )
    if not result.holds:
        out.say("The written task and rubric do not yet tell right from wrong: mend them, then grade again.")
        out.exit_code = 4
    out.next("sluice train sft" if result.holds else "sluice gate")
    return result


def session(out: Terminal, project: Any, b: Any, items: list[Any], who: str) -> None:
    """Show one answer after the other and take one key each."""
    from sluice.core.canonical import dump_exact
    from sluice.evalsuite import gradable
    from sluice.evalsuite.scoring import plain_input

    task = project.config.task
    out.say(task.description, "bold")
    if task.rubric:
        out.say(project.read_text(task.rubric, what="the rubric"), "dim")
    done = gradable.decisions(project, who)
    waiting = [i for i in items if (i.id, who) not in done]
    at = 0
    while at < len(waiting):
        item = waiting[at]
        started = time.monotonic()
        out.say()
        out.say(f"{len(items) - len(waiting) + at + 1} of {len(items)}", "dim")
        for name, value in plain_input(item.row).items():
            out.say(f"{name}: {value if isinstance(value, str) else dump_exact(value)}")
        out.say(f"answer: {item.answer}", "bold")
        word = out.key("right or wrong?", KEYS)
        if word == "stop":
            return
        if word == "undo":
            at = max(0, at - 1)
            continue
        gradable.decide_item(project, item, word, by=who, seconds=time.monotonic() - started)  # type: ignore[arg-type]
        at += 1


def show_all(out: Terminal, items: list[Any]) -> dict[str, Any]:
    """Print all answers with their numbers."""
    from sluice.evalsuite.scoring import plain_input

    listed = [{"number": n, "input": plain_input(i.row), "answer": i.answer} for n, i in enumerate(items, start=1)]
    for entry in listed:
        out.say(f"{entry['number']:>3}  {entry['input']}")
        out.say(f"     answer: {entry['answer']}", "bold")
    return {"items": listed}


def parse(words: str, items: list[Any]) -> list[tuple[Any, Any]]:
    """Read `1=r,2=w`. Raises UsageError for a number or word that is none."""
    from sluice.core.errors import UsageError

    found: list[tuple[Any, Any]] = []
    for piece in words.split(","):
        number, _, word = piece.strip().partition("=")
        meant = {"r": "right", "w": "wrong", "right": "right", "wrong": "wrong"}.get(word)
        if not number.isdigit() or not 1 <= int(number) <= len(items) or meant is None:
            raise UsageError(f"'{piece}' is no decision", remedy=f"write N=r or N=w, N from 1 to {len(items)}")
        found.append((items[int(number) - 1], meant))
    return found
