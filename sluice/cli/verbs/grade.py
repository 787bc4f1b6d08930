"""`sluice grade`: judge 30 answers blind. Exit codes: 0; 3 no baseline to grade; 4 graded, and it does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.labelling.forms import form_of, read_line
from sluice.cli.terminal import Terminal
from sluice.cli.verb import by_option, find_project, verb

if TYPE_CHECKING:
    from sluice.evalsuite.gradable import Item, Word


@verb(
    examples=["sluice grade", "sluice grade --by ana", "sluice grade --by ana --words 1=r,2=w    without a terminal"],
    exits={3: "no baseline whose answers could be graded", 4: "all graded, and the rule gradable does not hold"},
)
@by_option
@click.option("--no-tui", is_flag=True, help="Line by line: for a plain terminal, or answers through a pipe.")
@click.option("--words", metavar="N=r|w,...", help="Without a terminal: decisions by number, as --list shows them.")
@click.option(
    "--list", "listing", is_flag=True, help="Print the answers to grade, numbered, without where they are from."
)
def command(out: Terminal, by: str | None, no_tui: bool, words: str | None, listing: bool) -> Any:
    """Judge 30 answers on dev, right or wrong, without knowing whose they are: one key each.

    If nobody can grade the outputs from the written task, it is too early to tune. Stop anywhere; it goes on later.
    """
    from sluice.cli.model import base_model
    from sluice.core.errors import UsageError
    from sluice.core.ledger import Ledger
    from sluice.evalsuite import gradable
    from sluice.evalsuite.baselines.bench import bench, require_asked

    if not (listing or form_of(out, no_tui=no_tui) or (words and by)):
        raise UsageError(
            "without a terminal it has to be said who grades, and how",
            remedy="sluice grade --list shows the answers, then: sluice grade --by NAME --words 1=r,2=w,...",
        )
    project = find_project()
    facts = Ledger(project).read()
    require_asked(project, facts)
    gradable.require_baseline(facts)
    who = "-" if listing else out.who(by)
    files, form, _ = base_model(out, project)
    b = bench(project, files, form, facts)
    items = gradable.items(b, facts)
    if listing:
        return show_all(out, items)
    if words is not None:
        for item, word in parse(words, items):
            gradable.decide_item(project, item, word, by=who, seconds=0.0)
    else:
        from sluice.cli.labelling.blind import prepare_grading
        from sluice.cli.labelling.start import line_by_line, on_screen

        sitting = prepare_grading(project, items, who)
        if form_of(out, no_tui=no_tui) == "screen":
            on_screen(sitting)
        else:
            line_by_line(sitting, read=read_line, say=out.say)
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


def show(out: Terminal, item: Item) -> None:
    """Draw what is graded: the input field by field, and the answer."""
    from sluice.core.canonical import dump_exact
    from sluice.evalsuite.scoring import plain_input

    for name, value in plain_input(item.row).items():
        out.say(f"{name}: {value if isinstance(value, str) else dump_exact(value)}")
    out.say(f"answer: {item.answer}", "bold")


def show_all(out: Terminal, items: list[Item]) -> dict[str, Any]:
    """Draw all answers with their numbers."""
    from sluice.evalsuite.scoring import plain_input

    for number, item in enumerate(items, start=1):
        out.say(f"{number} of {len(items)}", "dim")
        show(out, item)
        out.say()
    out.next("sluice grade --by NAME --words 1=r,2=w,...", "r right, w wrong; some now, the others later")
    return {"items": [{"number": n, "input": plain_input(i.row), "answer": i.answer} for n, i in enumerate(items, 1)]}


def parse(words: str, items: list[Item]) -> list[tuple[Item, Word]]:
    """Read `1=r,2=w`. Raises UsageError for a number or word that is none."""
    from sluice.core.errors import UsageError

    found: list[tuple[Item, Word]] = []
    for piece in words.split(","):
        number, _, word = piece.strip().partition("=")
        known: dict[str, Word] = {"r": "right", "w": "wrong", "right": "right", "wrong": "wrong"}
        meant = known.get(word)
        if not number.isdigit() or not 1 <= int(number) <= len(items) or meant is None:
            raise UsageError(f"'{piece}' is no decision", remedy=f"write N=r or N=w, N from 1 to {len(items)}")
        item = items[int(number) - 1]
        if any(item is other for other, _ in found):
            raise UsageError(f"{number} is judged twice", where="--words", remedy="give each number once")
        found.append((item, meant))
    return found
