"""The screen: the row on the left, the written task on the right, the keys below. One key a decision, kept at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from sluice.cli.labelling import drawn
from sluice.cli.labelling.dialogs import Early, Editor, Keys, Line, Pick
from sluice.cli.labelling.drawn import WrittenTask
from sluice.cli.labelling.keys import Choice, Offer, offer_of
from sluice.core.errors import SluiceError
from sluice.curate.labels.record import Record
from sluice.curate.labels.session import Session

TASK_FROM = 100
"""Columns from which the written task stands beside the row."""
NARROWEST, LOWEST = 40, 10
"""Columns and lines that the screen needs."""
LOOKS_SECONDS = 1.0
"""How often it is looked what others have decided meanwhile."""


ALL = object()
"""The line of the list that closes it where several labels may hold."""


def no_news() -> list[Record]:
    """Where nobody else can decide anything."""
    return []


class Sitting(Screen[None]):
    """One row after the other."""

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        session: Session,
        task: WrittenTask,
        problem: Callable[[str], str | None],
        offer: Offer,
        news: Callable[[], list[Record]],
    ):
        super().__init__()
        self.session = session
        self._written, self._problem, self._offer, self._news = task, problem, offer, news
        self._choices = {c.key: c for c in offer.choices}
        self._small = False
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
                yield Static(drawn.task_text(self._written), markup=False)
        with Vertical(id="foot"):
            yield Static("", id="note", markup=False)
            yield Static("", id="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one("#row").focus()
        self.set_interval(LOOKS_SECONDS, self.look)
        self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        self.query_one("#task").display = event.size.width >= TASK_FROM
        self._small = event.size.width < NARROWEST or event.size.height < LOWEST
        self.redraw()

    def look(self) -> None:
        """Take in what was decided elsewhere since the last look."""
        before = self.session.at
        if self.session.take_in(self._news()):
            self.redraw(keep_place=before == self.session.at)

    # -- what is seen ------------------------------------------------------------------------------------------------

    def redraw(self, note: str = "", *, keep_place: bool = False) -> None:
        """Draw what the session says now, from its beginning or where it was scrolled to."""
        item = self.session.current
        if self.session.enough and not note:
            note = "enough others have decided this row by now; right: go on"
        self.query_one("#head", Static).update(drawn.head(self.session, self._written))
        self.query_one("#note", Static).update(note)
        keys = drawn.keys_line(self.session.question, self._offer, self._chosen, self.size.width - 2)
        self.query_one("#keys", Static).update(keys)
        first, second = self.query_one("#first", Static), self.query_one("#second", Static)
        first.display = second.display = False
        self.query_one("#answers").display = item is not None and bool(item.answers)
        self.query_one("#foot").display = not self._small
        if self._small or item is None:
            small = f"The window is too small: {NARROWEST} columns and {LOWEST} lines are needed. Nothing is lost."
            self.query_one("#answers").display = False
            self.query_one("#input", Static).update(small if self._small else "All rows are decided.")
            self.query_one("#beside", Static).update("")
            return
        self.query_one("#input", Static).update(drawn.fields(item.texts))
        for place, (widget, answer) in enumerate(zip((first, second), item.answers, strict=False)):
            widget.display = True
            widget.border_title = "answer" if len(item.answers) == 1 else "AB"[place]
            widget.update(drawn.visible(answer.text))
        self.query_one("#beside", Static).update(drawn.beside(self.session, item, self._comments.get(item.row)))
        if not keep_place:
            self.query_one("#row", VerticalScroll).scroll_home(animate=False)

    # -- what is pressed ---------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Take one key: an answer, or a command. What was typed while a dialog opened goes there, never to the row."""
        above = self.app.screen
        if above is not self:
            event.stop()
            if isinstance(above, Early):
                above.call_later(above.take, event)
            return
        key = event.key
        if key in ("up", "down", "pageup", "pagedown", "home", "end"):
            return  # they scroll
        event.stop()
        command = getattr(self, f"press_{key}", None)
        if self._small:
            if key == "escape":
                self.press_escape()
        elif command is not None and (key in self._offer.commands or key == "enter"):
            command()
        elif key == "e" and self._offer.written:
            self._edit()
        elif event.character in self._choices:
            self._choose(self._choices[event.character])
        elif event.is_printable:
            self.redraw(f"'{event.character}' is no key here; ? shows all keys")

    def _choose(self, choice: Choice) -> None:
        if self.session.question.many and choice.value is not None:
            self._mark(choice.value)
            self.redraw(keep_place=True)
        elif choice.value in self._offer.asks_why:
            self.app.push_screen(Line(f"{choice.label}: why?"), lambda reason: self._with_reason(choice, reason))
        else:
            self._decide(choice.value)

    def _mark(self, value: object) -> None:
        if value in self._chosen:
            self._chosen.remove(value)
        else:
            self._chosen.append(value)

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
        if self._offer.picked:
            self._pick()
        elif question.many:
            self._decide(list(self._chosen))
        elif question.mode == "correct":
            self._decide(item.answers[0].text)
        elif question.mode == "write":
            self._edit()

    def _pick(self) -> None:
        """Open the list: the answers, and behind them that nobody can tell; of several, first that these are all."""
        lines: list[tuple[str, object]] = [(str(value), value) for value in self._offer.picked]
        lines.append(("cannot tell", None))
        if self.session.question.many:
            marked = ", ".join(map(str, self._chosen)) or "none of them"
            lines.insert(0, (f"these are all: {marked}", ALL))
        self.app.push_screen(Pick([line for line, _ in lines]), lambda place: self._take_picked(lines, place))

    def _take_picked(self, lines: list[tuple[str, object]], place: int | None) -> None:
        if place is None:
            return
        value = lines[place][1]
        if value is ALL:
            self._decide(list(self._chosen))
        elif value is None or not self.session.question.many:
            self._decide(value)
        else:
            self._mark(value)
            self._pick()

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
        self.redraw("nothing to undo" if last is None else f"taken back: {drawn.said(last)}")

    def press_left(self) -> None:
        """One row back."""
        self._chosen = []
        self.session.step(-1)
        self.redraw()

    def press_right(self) -> None:
        """One row on; from a row that enough others have decided, to the next open one."""
        self._chosen = []
        if self.session.enough:
            self.session.forward()
        else:
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
        self.app.push_screen(Keys([*answers, ("", ""), *self._offer.commands.values()]))

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
        offer: what can be pressed; as the question says by default.
        news: records that were written elsewhere since it was last called.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "leave", show=False, priority=True)]
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

    def __init__(
        self,
        session: Session,
        task: WrittenTask,
        problem: Callable[[str], str | None] = lambda _text: None,
        offer: Offer | None = None,
        news: Callable[[], list[Record]] = no_news,
    ):
        super().__init__()
        self.session = session
        self._sitting = Sitting(session, task, problem, offer or offer_of(session.question), news)
        self.failure: Exception | None = None

    def on_mount(self) -> None:
        """Show the sitting. A process that is told to end gives the terminal back first."""
        self.push_screen(self._sitting)
        if not self.is_headless and not self.is_web:
            for sign in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(sign, self.exit)

    def action_leave(self) -> None:
        """Close what is open above the row, else stop: what was decided is kept."""
        if isinstance(self.screen, ModalScreen):
            self.call_later(self.screen.run_action, "screen.leave")
        else:
            self.exit()

    def _handle_exception(self, error: Exception) -> None:
        """End, and leave what went wrong to whoever started the app: it says so in the words of all of sluice."""
        self.failure = self.failure or error
        super()._handle_exception(error)
        self._exit_renderables.clear()
