"""The screen: the row on the left, the written task on the right, the keys below. One key a decision, kept at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from sluice.cli.labelling.dialogs import Editor, Keys, Line, Pick
from sluice.cli.labelling.keys import COMMANDS, Choice, choices, needs_reason, picked, written
from sluice.core.errors import SluiceError
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import Judgement
from sluice.curate.labels.session import Item, Session

TASK_FROM = 100
"""Columns from which the written task stands beside the row."""


@dataclass(frozen=True)
class WrittenTask:
    """What people judge by, as it is shown: texts, empty where there is none."""

    title: str
    description: str
    rubric: str


class Sitting(Screen[None]):
    """One row after the other."""

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, session: Session, task: WrittenTask, problem: Callable[[str], str | None]):
        super().__init__()
        self.session = session
        self._written, self._problem = task, problem
        self._choices = {c.key: c for c in choices(session.question)}
        self._picked = picked(session.question)
        self._chosen: list[object] = []
        self._comments: dict[str, str] = {}
        self._drafts: dict[str, str] = {}
        self._hits: list[int] = []
        self._searched = ""

    def compose(self) -> ComposeResult:
        yield Static("", id="head", markup=False)
        with Horizontal(id="body"):
            with VerticalScroll(id="row"):
                yield Static("", id="input", markup=False)
                with Horizontal(id="answers"):
                    yield Static("", id="first", classes="answer", markup=False)
                    yield Static("", id="second", classes="answer", markup=False)
                yield Static("", id="beside", markup=False)
            with VerticalScroll(id="task"):
                yield Static(_task_text(self._written), markup=False)
        with Vertical(id="foot"):
            yield Static("", id="note", markup=False)
            yield Static("", id="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one("#row").focus()
        self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        self.query_one("#task").display = event.size.width >= TASK_FROM
        self.redraw()

    # -- what is seen ------------------------------------------------------------------------------------------------

    def redraw(self, note: str = "") -> None:
        """Draw what the session says now."""
        item = self.session.current
        self.query_one("#head", Static).update(self._head())
        self.query_one("#note", Static).update(note)
        self.query_one("#keys", Static).update(self._keys_line())
        first, second = self.query_one("#first", Static), self.query_one("#second", Static)
        first.display = second.display = False
        self.query_one("#answers").display = item is not None and bool(item.answers)
        if item is None:
            self.query_one("#input", Static).update("All rows are decided.")
            self.query_one("#beside", Static).update("")
            return
        self.query_one("#input", Static).update(_fields(item.texts))
        for place, (widget, answer) in enumerate(zip((first, second), item.answers, strict=False)):
            widget.display = True
            widget.border_title = "answer" if len(item.answers) == 1 else "AB"[place]
            widget.update(_visible(answer.text))
        self.query_one("#beside", Static).update(self._beside(item))
        self.query_one("#row", VerticalScroll).scroll_home(animate=False)

    def _head(self) -> Text:
        progress, place = self.session.progress, self.session.at
        said = Text(no_wrap=True, overflow="ellipsis")
        said.append(f"{progress.decided:,} of {progress.of:,}", "bold")
        if progress.skipped:
            said.append(f", {progress.skipped:,} skipped")
        if progress.pace is not None and progress.seconds_left is not None:
            said.append(f"  {progress.pace:.1f} s a row, {_duration(progress.seconds_left)} left")
        if place is not None:
            said.append(f"  row {place + 1:,}", "dim")
        said.append(f"  {self.session.question.shortened()}, {self._written.title}, {self.session.by}", "dim")
        return said

    def _keys_line(self) -> Text:
        line = Text()
        for choice in self._choices.values():
            here = choice.value in self._chosen
            _key(line, choice.key, choice.label, "bold" if here else "")
        for key, what in _entering(self.session.question, picks=bool(self._picked)):
            _key(line, key, what)
        for key in ("space", "backspace", "question_mark", "escape"):
            sign, what = COMMANDS[key]
            _key(line, sign, what.partition(",")[0].partition(";")[0], "dim")
        return line

    def _beside(self, item: Item) -> Text:
        said = _fields(item.beside)
        before = self.session.decision(self.session.at) if self.session.at is not None else None
        if item.suggestion and (before is not None or not item.hidden):
            said.append(f"\nproposed: {_visible(item.suggestion[0])}", "italic")
        if before is not None:
            said.append(f"\nyou said: {_said(before)}", "bold")
        comment = self._comments.get(item.row)
        if comment:
            said.append(f"\ncomment: {_visible(comment)}")
        return said

    # -- what is pressed ---------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Take one key: an answer, or a command."""
        event.stop()
        key = event.key
        command = getattr(self, f"press_{key}", None)
        if command is not None and key in (*COMMANDS, "enter"):
            command()
        elif key == "e" and written(self.session.question):
            self._edit()
        elif event.character in self._choices:
            self._choose(self._choices[event.character])
        elif event.is_printable:
            self.redraw(f"'{event.character}' is no key here; ? shows all keys")

    def _choose(self, choice: Choice) -> None:
        if self.session.question.many and choice.value is not None:
            if choice.value in self._chosen:
                self._chosen.remove(choice.value)
            else:
                self._chosen.append(choice.value)
            self.redraw()
        elif needs_reason(self.session.question, choice.value):
            self.app.push_screen(Line(f"{choice.label}: why?"), lambda reason: self._with_reason(choice, reason))
        else:
            self._decide(choice.value)

    def _with_reason(self, choice: Choice, reason: str | None) -> None:
        if reason is not None:
            self._decide(choice.value, reason=reason or None)

    def _decide(self, value: object, *, reason: str | None = None) -> None:
        item = self.session.current
        if item is None:
            self.redraw("all rows are decided")
            return
        try:
            self.session.decide(value, comment=self._comments.get(item.row), reason=reason)
        except SluiceError as problem:
            self.redraw(str(problem))
            return
        self._comments.pop(item.row, None)
        self._drafts.pop(item.row, None)
        self._chosen = []
        self.redraw()

    def press_enter(self) -> None:
        """Take the marked labels, open the list, or accept the answer as it stands."""
        item, question = self.session.current, self.session.question
        if item is None:
            return
        if question.many:
            self._decide(list(self._chosen))
        elif self._picked:
            self.app.push_screen(Pick([str(p) for p in self._picked]), self._take_picked)
        elif question.mode == "correct":
            self._decide(item.answers[0].text)
        elif question.mode == "write":
            self._edit()

    def _take_picked(self, place: int | None) -> None:
        if place is not None:
            self._decide(self._picked[place])

    def _edit(self) -> None:
        item = self.session.current
        if item is None:
            return
        text = self._drafts.get(item.row, item.answers[0].text if item.answers else "")
        self.app.push_screen(
            Editor(text, self._problem, lambda draft: self._drafts.update({item.row: draft})), self._take_text
        )

    def _take_text(self, text: str | None) -> None:
        if text is None:
            self.redraw("not decided; what you typed is kept while this is open")
        else:
            self._decide(text)

    def press_space(self) -> None:
        """Leave the row for the end."""
        self._chosen = []
        self._try(self.session.skip)

    def press_backspace(self) -> None:
        """Take the last decision back."""
        self._chosen = []
        try:
            last = self.session.undo()
        except SluiceError as problem:
            self.redraw(str(problem))
            return
        self.redraw("nothing to undo" if last is None else f"taken back: {_said(last)}")

    def press_left(self) -> None:
        """One row back."""
        self._chosen = []
        self.session.step(-1)
        self.redraw()

    def press_right(self) -> None:
        """One row on."""
        self._chosen = []
        self.session.step(1)
        self.redraw()

    def press_slash(self) -> None:
        """Search in all that is shown; the same again goes on to the next row."""
        self.app.push_screen(Line("search", self._searched), self._search)

    def _search(self, text: str | None) -> None:
        if not text:
            return
        self._searched = text
        self._hits = self.session.find(text)
        at = -1 if self.session.at is None else self.session.at
        later = [n for n in self._hits if n > at] or self._hits
        if not later:
            self.redraw(f"no row shows '{text}'")
            return
        self.session.go(later[0])
        self.redraw(f"{self._hits.index(later[0]) + 1} of {len(self._hits)} rows that show '{text}'; / again: the next")

    def press_semicolon(self) -> None:
        """A remark that goes with the decision."""
        item = self.session.current
        if item is not None:
            self.app.push_screen(Line("comment", self._comments.get(item.row, "")), self._comment)

    def _comment(self, text: str | None) -> None:
        item = self.session.current
        if item is not None and text is not None:
            self._comments[item.row] = text
            if not text:
                del self._comments[item.row]
        self.redraw()

    def press_equals_sign(self) -> None:
        """Go to a row by its number."""
        self.app.push_screen(Line(f"row, 1 to {len(self.session.items)}"), self._go)

    def _go(self, text: str | None) -> None:
        if not text:
            return
        if not text.isdecimal():
            self.redraw(f"'{text}' is no number")
            return
        self._try(lambda: self.session.go(int(text) - 1))

    def press_question_mark(self) -> None:
        """Show all keys."""
        answers = [(c.key, c.label) for c in self._choices.values()]
        self.app.push_screen(Keys([*answers, ("", ""), *COMMANDS.values()]))

    def press_escape(self) -> None:
        """Stop."""
        self.app.exit()

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except SluiceError as problem:
            self.redraw(str(problem))
        else:
            self.redraw()


class LabelApp(App[None]):
    """The app around a sitting.

    Args:
        session: who is asked what about which rows; it keeps each decision.
        task: shown beside the row.
        problem: what is wrong with a text that was written, None where nothing is.
    """

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #head { height: 1; background: $panel; }
    #row { width: 2fr; padding: 1 2; }
    #row:focus { background-tint: transparent; }
    #task { width: 1fr; padding: 1 2; border-left: solid $panel; color: $text-muted; }
    #answers { height: auto; margin-top: 1; }
    .answer { width: 1fr; height: auto; border: round $accent; padding: 0 1; }
    #beside { margin-top: 1; }
    #foot { height: auto; background: $panel; padding: 0 1; }
    #note { color: $warning; height: auto; }
    .dialog { width: 80%; max-width: 100; height: auto; background: $surface; border: round $accent; padding: 1 2; }
    .tall { height: 80%; }
    .dialog TextArea { height: 1fr; }
    .dialog OptionList { height: 1fr; }
    #problem { color: $error; height: auto; }
    ModalScreen { align: center middle; }
    """

    def __init__(self, session: Session, task: WrittenTask, problem: Callable[[str], str | None] = lambda _text: None):
        super().__init__()
        self.session = session
        self._sitting = Sitting(session, task, problem)

    def on_mount(self) -> None:
        """Show the sitting."""
        self.push_screen(self._sitting)


def _key(line: Text, key: str, what: str, style: str = "") -> None:
    """Add a key and what it does to a line that may break between keys alone."""
    line.append(f"\N{NO-BREAK SPACE}{key}\N{NO-BREAK SPACE}", f"{style} reverse")
    line.append(f"\N{NO-BREAK SPACE}{what}".replace(" ", "\N{NO-BREAK SPACE}"), style).append("   ")


def _entering(question: Question, *, picks: bool) -> list[tuple[str, str]]:
    """Return the keys beside those of single answers, and what each does."""
    found = [("enter", "these")] if question.many and not picks else []
    found += [("enter", "pick")] if picks else []
    found += [("e", "edit")] if written(question) else []
    return found + ([("enter", "right as it is")] if question.mode == "correct" else [])


def _task_text(task: WrittenTask) -> Text:
    said = Text()
    if task.description:
        said.append(_visible(task.description) + "\n\n", "bold")
    said.append(_visible(task.rubric))
    return said if said.plain.strip() else Text("No task is written down yet: sluice init", "dim")


def _fields(texts: tuple[tuple[str, str], ...]) -> Text:
    said = Text()
    for name, text in texts:
        said.append(f"{_visible(name)}\n", "bold dim")
        said.append(f"{_visible(text)}\n\n")
    said.rstrip()
    return said


def _visible(text: str) -> str:
    """Return a text in which no character can act on the terminal."""
    return "".join(c if c in "\n\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text.expandtabs(4))


def _said(judgement: Judgement) -> str:
    value = judgement.value
    if value is None:
        return "cannot tell"
    return ", ".join(value) if isinstance(value, tuple) else _visible(str(value))


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
