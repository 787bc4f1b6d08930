"""What is written on the screen: how far it has come, the keys, the row. Texts of rows never act on the terminal."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

from sluice.cli.labelling.keys import Offer
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import Judgement
from sluice.curate.labels.session import Item, Session


@dataclass(frozen=True)
class WrittenTask:
    """What people judge by, as it is shown: texts, empty where there is none."""

    title: str
    description: str
    rubric: str


def head(session: Session, task: WrittenTask) -> Text:
    """Return the line on top: progress, pace, time left, which row, whose sitting."""
    progress, place = session.progress, session.at
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"{progress.decided:,} of {progress.of:,}", "bold")
    if progress.skipped:
        line.append(f", {progress.skipped:,} skipped")
    if progress.pace is not None and progress.seconds_left is not None:
        line.append(f"  {progress.pace:.1f} s a row, {duration(progress.seconds_left)} left")
    if place is not None:
        line.append(f"  row {place + 1:,}", "dim")
    line.append(f"  {session.question.shortened()}, {task.title}, {session.by}", "dim")
    return line


def keys_line(question: Question, offer: Offer, chosen: list[object], width: int) -> Text:
    """Return the keys of answers, those chosen in bold, and the most used commands; lines break between keys."""
    shown = [(c.key, c.label, "bold" if c.value in chosen else "") for c in offer.choices]
    shown += [(sign, what, "") for sign, what in entering(question, offer)]
    for name in ("space", "backspace", "question_mark", "escape"):
        if name in offer.commands:
            sign, what = offer.commands[name]
            shown.append((sign, what.partition(",")[0].partition(";")[0], "dim"))
    lines = Text()
    at = 0
    for sign, what, style in shown:
        piece = Text.assemble((f" {sign} ", f"{style} reverse"), (f" {visible(what)}", style), "   ")
        if at and at + piece.cell_len - 3 > width:
            lines.append("\n")
            at = 0
        lines.append_text(piece)
        at += piece.cell_len
    return lines


def beside(session: Session, item: Item, comment: str | None) -> Text:
    """Return what stands under the row: other columns, what is proposed, what was said before."""
    text = fields(item.beside)
    before = session.decision(session.at) if session.at is not None else None
    if item.suggestion and (before is not None or not item.hidden):
        text.append(f"\nproposed: {visible(item.suggestion[0])}", "italic")
    if before is not None:
        text.append(f"\nyou said: {said(before)}", "bold")
    if comment:
        text.append(f"\ncomment: {visible(comment)}")
    return text


def entering(question: Question, offer: Offer) -> list[tuple[str, str]]:
    """Return the keys beside those of single answers, and what each does."""
    found = [("enter", "these")] if question.many and not offer.picked else []
    found += [("enter", "pick")] if offer.picked else []
    found += [("e", "edit")] if offer.written else []
    return found + ([("enter", "right as it is")] if question.mode == "correct" else [])


def task_text(task: WrittenTask) -> Text:
    """Return description and rubric, or where to write them down."""
    text = Text()
    if task.description:
        text.append(visible(task.description) + "\n\n", "bold")
    text.append(visible(task.rubric))
    return text if text.plain.strip() else Text("No task is written down yet: sluice init", "dim")


def fields(texts: tuple[tuple[str, str], ...]) -> Text:
    """Return names and texts below each other."""
    drawn = Text()
    for name, text in texts:
        drawn.append(f"{visible(name)}\n", "bold dim")
        drawn.append(f"{visible(text)}\n\n")
    drawn.rstrip()
    return drawn


def visible(text: str) -> str:
    """Return a text in which no character can act on the terminal."""
    return "".join(c if c in "\n\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text.expandtabs(4))


def said(judgement: Judgement) -> str:
    """Return an answer on one line."""
    value = judgement.value
    if value is None:
        return "cannot tell"
    return ", ".join(value) if isinstance(value, tuple) else visible(str(value))


def duration(seconds: float) -> str:
    """Return a time in the unit that fits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
