"""What opens above the row: a line to type, an answer to edit, a list to pick from, the keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static, TextArea

Answered = TypeVar("Answered")

LEAVE: list[BindingType] = [("escape", "leave", "leave")]


class Early(ModalScreen[Answered]):
    """A dialog with one place to type in: keys that come before it has the focus are put there, none is lost."""

    def place(self) -> Input | TextArea:
        """Return where typing goes."""
        return self.query_one(Input)

    async def on_key(self, event: events.Key) -> None:
        if self.focused is None:
            event.stop()
            await self.take(event)

    async def take(self, event: events.Key) -> None:
        """Type a key into the place, as if it had been pressed there."""
        place = self.place()
        place.focus()
        await place._on_key(event)
        if event.key == "backspace":
            place.action_delete_left()
        elif event.key == "enter" and isinstance(place, Input):
            await place.action_submit()
        elif event.key == "escape":
            await self.run_action("screen.leave")


class Line(Early[str | None]):
    """One line of text. Answers with it, empty or not; None where the person left."""

    BINDINGS: ClassVar[list[BindingType]] = LEAVE

    def __init__(self, what: str, before: str = ""):
        super().__init__()
        self._what, self._before = what, before

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(f"{self._what}  (enter: keep, esc: leave)", markup=False)
            yield Input(self._before)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())

    def action_leave(self) -> None:
        self.dismiss(None)


class Editor(Early[str | None]):
    """An answer to write or to mend. What is wrong with it is said under it, and nothing that was typed is lost."""

    BINDINGS: ClassVar[list[BindingType]] = [*LEAVE, ("ctrl+s", "keep", "keep")]

    def __init__(self, text: str, problem: Callable[[str], str | None], draft: Callable[[str], None]):
        super().__init__()
        self._text, self._problem, self._draft = text, problem, draft

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall"):
            yield Static("ctrl+s: keep it, esc: leave it for now", markup=False)
            yield TextArea(self._text, id="answer", soft_wrap=True)
            yield Static("", id="problem", markup=False)

    def place(self) -> TextArea:
        return self.query_one(TextArea)

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        area.focus()
        area.move_cursor(area.document.end)

    def action_keep(self) -> None:
        text = self.query_one(TextArea).text
        found = self._problem(text)
        if found is None:
            self.dismiss(text)
        else:
            self.query_one("#problem", Static).update(found)

    def action_leave(self) -> None:
        self._draft(self.query_one(TextArea).text)
        self.dismiss(None)


class Pick(Early[int | None]):
    """A list of answers, narrowed by what is typed. Answers with the place of one."""

    BINDINGS: ClassVar[list[BindingType]] = [*LEAVE, ("down", "down", "down"), ("up", "up", "up")]

    def __init__(self, labels: Sequence[str]):
        super().__init__()
        self._labels = list(labels)
        self._places = list(range(len(self._labels)))

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall"):
            yield Static("type to narrow, enter: this one, esc: leave", markup=False)
            yield Input()
            yield OptionList(*self._labels, markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.query_one(OptionList).highlighted = 0

    def on_input_changed(self, event: Input.Changed) -> None:
        wanted = event.value.casefold()
        self._places = [n for n, label in enumerate(self._labels) if wanted in label.casefold()]
        shown = self.query_one(OptionList)
        shown.clear_options()
        shown.add_options([self._labels[n] for n in self._places])
        shown.highlighted = 0 if self._places else None

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self.dismiss(self._places[at])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._places[event.option_index])

    def action_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        self.query_one(OptionList).action_cursor_up()

    def action_leave(self) -> None:
        self.dismiss(None)


class Keys(ModalScreen[None]):
    """All keys, a line each."""

    BINDINGS: ClassVar[list[BindingType]] = [*LEAVE, ("question_mark", "leave", "leave"), ("enter", "leave", "leave")]

    def __init__(self, lines: Sequence[tuple[str, str]]):
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        wide = max(len(key) for key, _ in self._lines)
        with VerticalScroll(classes="dialog tall"):
            yield Static("\n".join(f"{key:<{wide}}  {what}" for key, what in self._lines), markup=False)

    def action_leave(self) -> None:
        self.dismiss(None)
