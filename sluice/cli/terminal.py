"""The only place that touches the terminal: lines, tables, messages, questions, and the one object of `--json`.

Results go to stdout, messages and progress to stderr. Under `--json` everything drawn is silent and one envelope is
written at the end. It knows nothing about verbs or projects. Text is plain: no markup is read, and control
characters that come from people's data are made visible, so that a row cannot move the cursor or recolour the screen.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NoReturn, TextIO

import click

from sluice.cli.envelope import Failure, envelope
from sluice.cli.progress import Progress
from sluice.core.errors import SluiceError, UsageError

Style = Literal["good", "bad", "warn", "dim", "bold"]

_LOOKS: dict[str, dict[str, Any]] = {
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "warn": {"fg": "yellow"},
    "dim": {"dim": True},
    "bold": {"bold": True},
}
_RICH_LOOKS = {"good": "green", "bad": "bold red", "warn": "yellow", "dim": "dim", "bold": "bold"}
_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
# Characters that reorder the text around them (Trojan Source, CVE-2021-42574).
_VISIBLE |= {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


class Declined(Exception):
    """A person was asked and said no; the verb stops before it began."""


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # a closed stream
        return False


def visible(text: str) -> str:
    """Return `text` with control characters and text-reordering marks written as escapes; tab and line feed stay."""
    return text.translate(_VISIBLE)


class Terminal:
    """What a verb draws with and asks with; one for each run of the command.

    Args:
        json: True under `--json`: nothing is drawn, nobody is asked.
        debug: True under `--debug`: the edge shows tracebacks.
        argv: the words of this command line behind `sluice`, without the two above.

    Attributes:
        exit_code: what the process exits with when the verb returns; set it for verdicts (1, 4).
        if_interrupted: the sentence shown on Ctrl-C: what is safe, how to go on.
        verb: the words of the verb ("train sft"), None before one is known.
        closed: True once the reader of stdout has gone; further results are dropped, the work goes on.
    """

    def __init__(self, *, json: bool = False, debug: bool = False, argv: Sequence[str] = ()):
        self.json = json
        self.argv = tuple(argv)
        self.debug = debug
        self.exit_code = 0
        self.if_interrupted: str | None = None
        self.verb: str | None = None
        self.closed = False
        self.result: Any = None
        self.failure: Failure | None = None
        self._out, self._err = sys.stdout, sys.stderr
        self._next_shown = False
        plain_wanted = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        self._out_colour = _is_terminal(self._out) and not plain_wanted
        self._err_colour = _is_terminal(self._err) and not plain_wanted
        self._line_by_line = _is_terminal(self._out)
        live = _is_terminal(self._err) and os.environ.get("TERM") != "dumb"
        self.progress = Progress(self._err, live=live, silent=json)

    @property
    def colour(self) -> bool:
        """Whether results are drawn in colour: where not, what colour would say needs marks."""
        return self._out_colour

    # -- results, on stdout ------------------------------------------------------------------------------------------

    def say(self, text: str = "", style: Style | None = None) -> None:
        """Draw a line of the result."""
        self.spans([(text, style)])

    def spans(self, parts: Iterable[tuple[str, Style | None]]) -> None:
        """Draw one line whose parts have styles of their own."""
        if self.json:
            return
        self._write("".join(self._styled(text, style, self._out_colour) for text, style in parts))

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[Any]], styles: Sequence[Style | None] | None = None
    ) -> None:
        """Draw rows under column names: whole numbers to the right, None as `-`.

        Args:
            columns: the names, one a column.
            rows: one sequence of cells a row, as long as `columns`.
            styles: a style for each column, or None.
        """
        if self.json:
            return
        from sluice.cli.layout import plain_table, terminal_table

        names = [visible(name) for name in columns]
        cells = [[visible(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
        if not _is_terminal(self._out):
            lines = plain_table(names, cells)
        else:
            looks = [_RICH_LOOKS[style] if style else "" for style in styles or [None] * len(names)]
            lines = terminal_table(names, cells, looks, shutil.get_terminal_size().columns, self._out_colour)
        for line in lines:
            self._write(line)

    def next(self, command: str, remark: str = "") -> None:
        """Draw a closing "Next:" line; call it once for each command worth knowing now."""
        if self.json:
            return
        if not self._next_shown:
            self.say()
            self.say("Next:", "dim")
            self._next_shown = True
        self.spans([(f"  {command}", "bold"), (f"    {remark}" if remark else "", None)])

    # -- messages, on stderr -----------------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """Say what is going on; silent under --json."""
        if not self.json:
            self._message(text, None)

    def warn(self, text: str) -> None:
        """Say what a person should know even where a script reads the result."""
        self._message(text, "warn")

    def error(self, failure: Failure) -> None:
        """Draw the one line of a failure: `error: WHERE: message. Fix: remedy`; under --json the envelope says it."""
        if self.json:
            return
        self._message(_one_line(failure), None, label="" if failure.code == "interrupted" else "error: ")

    # -- questions ---------------------------------------------------------------------------------------------------

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked: a terminal on stdin and stderr, and no --json."""
        return not self.json and _is_terminal(sys.stdin) and _is_terminal(self._err)

    def confirm(self, question: str, yes: bool) -> None:
        """Go on only when a person agrees, now or by `--yes`.

        Raises:
            UsageError: nobody can be asked and `yes` is False.
            Declined: the person said no.
        """
        if yes:
            return
        if not self.interactive:
            self._nobody(question, "--yes")
        self.progress.clear()
        if not click.confirm(visible(question), default=False, err=True):
            raise Declined

    def ask(
        self, question: str, default: str | None = None, choices: Sequence[str] | None = None, option: str | None = None
    ) -> str:
        """Return a line typed by a person, the default on an empty one.

        Args:
            question: what is asked.
            default: the answer of an empty line; None asks until there is one.
            choices: the answers that are taken; None takes any.
            option: the option that answers instead, named to those who cannot be asked.

        Raises:
            UsageError: nobody can be asked.
        """
        if not self.interactive:
            self._nobody(question, option)
        self.progress.clear()
        kind = click.Choice(list(choices)) if choices else click.STRING
        return str(click.prompt(visible(question), default=default, type=kind, err=True))

    def key(self, question: str, keys: Mapping[str, str]) -> str:
        """Return the key that a person presses, one of `keys` (key to its meaning).

        Raises:
            UsageError: nobody can be asked.
        """
        if not self.interactive:
            self._nobody(question, None)
        self.progress.clear()
        offer = "  ".join(f"[{key}] {meaning}" for key, meaning in keys.items())
        self._message(f"{question}   {offer}", None)
        while (pressed := click.getchar().lower()) not in keys:
            if pressed == "\x04":
                raise click.Abort
        return pressed

    def who(self, by: str | None) -> str:
        """Return who does this: `by` where given, else the account of the person at the terminal.

        Raises:
            UsageError: no name is given and nobody is at a terminal.
        """
        if by and by.strip():
            return by.strip()
        if not self.interactive:
            raise UsageError("without a terminal it has to be said who decides this", remedy="--by NAME")
        import getpass

        return getpass.getuser()

    def _nobody(self, question: str, option: str | None) -> NoReturn:
        why = "--json asks nobody" if self.json else "there is no terminal to ask on"
        raise UsageError(f'{why}: "{question}"', remedy=option or "run it in a terminal")

    # -- the end of a run --------------------------------------------------------------------------------------------

    def failed(self, error: SluiceError) -> None:
        """Record an error that the verb has drawn by itself: exit code and envelope, no further line."""
        self.exit_code = error.exit_code
        self.failure = Failure(error.exit_code, error.code, error.message, error.where, error.remedy)

    def finish(self) -> None:
        """Take the progress line away and, under --json, write the one object."""
        self.progress.clear()
        if self.json:
            encoding = getattr(self._out, "encoding", None) or "utf-8"
            self._write(envelope(self.verb, self.exit_code, self.result, self.failure, encoding))
        self._flush()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _styled(self, text: str, style: Style | None, colour: bool) -> str:
        text = visible(text)
        return click.style(text, **_LOOKS[style]) if style and colour and text else text

    def _message(self, text: str, style: Style | None, label: str = "") -> None:
        self.progress.clear()
        self._flush()  # in a log of both streams, what was said first stands first
        head = self._styled(label, "bad", self._err_colour) if label else ""
        try:
            self._err.write(head + self._styled(text, style, self._err_colour) + "\n")
            self._err.flush()
        except (OSError, ValueError):  # nobody reads the messages, or a full disk takes none: the work goes on
            pass

    def _write(self, line: str) -> None:
        """Write one line to stdout. A reader that has gone (`| head`) stops the output, never the work."""
        if self.closed:
            return
        self.progress.clear()
        try:
            self._out.write(line + "\n")
            if self._line_by_line:
                self._out.flush()
        except BrokenPipeError:
            self.closed = True
        except UnicodeEncodeError:
            encoding = getattr(self._out, "encoding", None) or "ascii"
            self._out.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")

    def _flush(self) -> None:
        if self.closed:
            return
        try:
            self._out.flush()
        except BrokenPipeError:
            self.closed = True


def _one_line(failure: Failure) -> str:
    message = " ".join(failure.message.split())
    if failure.remedy and message and message[-1] not in ".!?":
        message += "."
    where = f"{failure.where}: " if failure.where else ""
    remedy = f" Fix: {' '.join(failure.remedy.split())}" if failure.remedy else ""
    return f"{where}{message}{remedy}"
