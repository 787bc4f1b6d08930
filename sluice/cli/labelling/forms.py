"""Which form a sitting takes here: the screen, lines, a browser, the app behind one of its windows."""

from __future__ import annotations

import os
import sys

from sluice.cli.terminal import Terminal
from sluice.core.errors import UsageError


def form_of(out: Terminal, *, no_tui: bool = False, web: bool = False, window: bool = False) -> str | None:
    """Return the form that a sitting takes here: screen, lines, web or window; None where nobody can be asked.

    Raises UsageError where two are wanted, or one that --json cannot have.
    """
    if no_tui and web:
        raise UsageError("--no-tui and --web are two forms of one thing", remedy="leave one out")
    if web and out.json:
        raise UsageError(
            "--web says where it can be opened, and --json says nothing until the end", remedy="one of them"
        )
    if window:
        return "window"
    if web:
        return "web"
    piped = not sys.stdin.isatty()
    if no_tui and (piped or out.interactive):
        return "lines"
    if not out.interactive:
        return None
    return "lines" if os.environ.get("TERM") in ("dumb", None, "") else "screen"


def read_line() -> str | None:
    """Return the next line of stdin without its end; None where there are no more."""
    line = sys.stdin.readline()
    return line.rstrip("\r\n") if line else None
