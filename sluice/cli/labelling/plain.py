"""The sitting line by line, for a terminal that cannot draw a screen, and for answers that come through a pipe.

A line is a key of the screen, the answer itself, or a word: `skip`, `undo`, `back`, `next`, `stop`; `/text`, `;remark`
and `=12` are as on the screen. Several labels are given as `1,3`. What is written ends with a line that is a dot.
"""

from __future__ import annotations

from collections.abc import Callable

from sluice.cli.labelling.drawn import WrittenTask, entering, said, visible
from sluice.cli.labelling.keys import Choice, Offer
from sluice.core.errors import SluiceError
from sluice.curate.labels.record import Record
from sluice.curate.labels.session import Session

COMMANDS = {" ": "skip", "skip": "skip", "undo": "undo", "back": "back", "next": "next", "stop": "stop", "?": "keys"}
NOT_HERE = object()
"""What was typed is no answer."""


class PlainSitting:
    """One row after the other, a line at a time.

    Args:
        session, task, problem, offer, news: as for `app.LabelApp`.
        read: returns the next line without its end, None where there are no more.
        say: draws a line.
    """

    def __init__(
        self,
        session: Session,
        task: WrittenTask,
        problem: Callable[[str], str | None],
        offer: Offer,
        news: Callable[[], list[Record]],
        *,
        read: Callable[[], str | None],
        say: Callable[[str], None],
    ):
        self.session, self._task, self._problem, self._offer, self._news = session, task, problem, offer, news
        self._read, self._say = read, say
        self._comments: dict[str, str] = {}
        self._over = False

    def run(self) -> None:
        """Ask until all rows are decided, the person stops, or no more lines come."""
        for text in (self._task.description, self._task.rubric):
            if text:
                self._say(visible(text))
        self._keys()
        while not self._over and self.session.current is not None:
            self._show()
            self._answered()
        if self.session.current is None:
            self._say("All rows are decided.")

    def _show(self) -> None:
        item, progress, at = self.session.current, self.session.progress, self.session.at
        if item is None or at is None:
            return
        self._say("")
        self._say(f"{progress.decided:,} of {progress.of:,}, row {at + 1:,}")
        for name, text in (*item.texts, *item.beside):
            self._say(f"{visible(name)}: {visible(text)}")
        for place, answer in enumerate(item.answers):
            self._say(f"{'answer' if len(item.answers) == 1 else 'AB'[place]}: {visible(answer.text)}")
        if item.suggestion and not item.hidden:
            self._say(f"proposed: {visible(item.suggestion[0])}")
        before = self.session.decision(at)
        if before is not None:
            self._say(f"you said: {said(before)}")

    def _answered(self) -> None:
        """Read lines until the row is left: a line that means nothing is said, and asked for again."""
        at, decided = self.session.at, self.session.progress.decided
        while not self._over and (at, decided) == (self.session.at, self.session.progress.decided):
            self._say("?")
            line = self._read()
            if line is None:
                self._over = True
                return
            self.session.take_in(self._news())
            try:
                shows_again = self._do(line)
            except SluiceError as problem:
                self._say(str(problem))
                continue
            if shows_again:
                return

    def _do(self, line: str) -> bool:
        """Do what a line says. Return whether the row has to be shown again."""
        word = line if line == " " else line.strip()
        value = self._value(word)
        if value is not NOT_HERE:
            return self._decide(value)
        if word[:1] in ("/", ";", "=") and word:
            return self._sign(word[0], word[1:].strip())
        if self._offer.written and word in ("", "e"):
            return self._write(keep=word == "")
        command = COMMANDS.get(word if word == " " else word.casefold())
        if command is None:
            self._say(f"'{visible(word)}' is no answer here; ? shows all")
            return False
        return self._command(command)

    def _command(self, command: str) -> bool:
        if command == "stop":
            self._over = True
        elif command == "keys":
            self._keys()
        elif command == "skip":
            self.session.skip()
        elif command == "undo" and "backspace" in self._offer.without:
            self._say("go back to it, and decide anew")
        elif command == "undo":
            last = self.session.undo()
            self._say("nothing to undo" if last is None else f"taken back: {said(last)}")
        else:
            self.session.step(1 if command == "next" else -1)
        return command not in ("stop", "keys")

    def _sign(self, sign: str, rest: str) -> bool:
        item = self.session.current
        if sign == ";" and item is not None and "semicolon" not in self._offer.without:
            self._comments[item.row] = rest
            return False
        if sign == "=" and rest.isdecimal():
            self.session.go(int(rest) - 1)
            return True
        hits = self.session.find(rest) if sign == "/" else []
        if not hits:
            self._say(f"nothing is found by '{visible(sign + rest)}'")
            return False
        at = -1 if self.session.at is None else self.session.at
        self.session.go(next((n for n in hits if n > at), hits[0]))
        return True

    def _value(self, word: str) -> object:
        """Return the answer that a word means, by its key or in full; NOT_HERE where it means none."""
        if self.session.question.many and word:
            pieces = [] if word == "none" else [piece.strip() for piece in word.split(",")]
            found = [self._one(piece) for piece in pieces]
            if NOT_HERE in found:
                return NOT_HERE
            return None if found == [None] else found
        return self._one(word)

    def _one(self, word: str) -> object:
        for choice in self._offer.choices:
            if word in (choice.key, choice.label, choice.value):
                return choice.value
        if self._offer.picked and word in ("0", "cannot tell") and word not in map(str, self._offer.picked):
            return None
        return next((value for value in self._offer.picked if str(value) == word), NOT_HERE)

    def _decide(self, value: object) -> bool:
        item = self.session.current
        reason = None
        if value in self._offer.asks_why if isinstance(value, str) else False:
            self._say("why?")
            reason = self._read()
        comment = self._comments.get(item.row) if item else None
        self.session.decide(value, comment=comment or None, reason=(reason or "").strip() or None)
        return True

    def _write(self, *, keep: bool) -> bool:
        """Take a text: the answer as it stands on an empty line, else what is typed up to a dot."""
        item = self.session.current
        if keep and self.session.question.mode == "correct" and item is not None:
            return self._decide(item.answers[0].text)
        self._say("write it; a line with a dot alone ends it")
        lines: list[str] = []
        while (line := self._read()) is not None and line != ".":
            lines.append(line)
        if line is None:  # cut off in the middle: not an answer
            self._over = True
            return True
        text = "\n".join(lines)
        problem = self._problem(text)
        if problem is not None:
            self._say(problem)
            return False
        return self._decide(text)

    def _keys(self) -> None:
        offered = [*self._offer.choices, *(Choice(str(value), value, "") for value in self._offer.picked)]
        for choice in offered:
            self._say(f"  {choice.key}  {choice.label}".rstrip())
        for sign, what in entering(self.session.question, self._offer):
            if not (self.session.question.many or self._offer.picked):
                self._say(f"  {sign}  {what}")
        several = "several as 1,3 or none; " if self.session.question.many else ""
        self._say(f"  {several}skip, undo, back, next, stop, /text, =row, ;remark, ?")
