"""A person before a full screen: a command on a pseudo-terminal of a given size, its keys, and what it has drawn.

It waits for texts and never sleeps. What is drawn is taken without colours and
moves of the cursor: a text is found where it was written in one go.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PATIENCE_SECONDS = 20.0
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_].*?\x1b\\|[@-Z\\-_=>78])", re.S
)


class Screen:
    """`sluice WORDS` before a person.

    Args:
        folder: where it runs.
        words: the command line behind `sluice`.
        size: columns and lines.
        env: variables beside those of this process; `TERM` is xterm-256color unless said otherwise.
        program: what runs instead of `python -m sluice`, for tests that break something first.
    """

    def __init__(
        self,
        folder: Path,
        words: Sequence[str],
        *,
        size: tuple[int, int] = (110, 30),
        env: Mapping[str, str] | None = None,
        program: Sequence[str] = ("-m", "sluice"),
    ):
        self._ours, theirs = os.openpty()
        self.resize(*size)
        self.flags = termios.tcgetattr(self._ours)[3]
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, *program, *words],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_controls,
            env={**kept, "TERM": "xterm-256color", **(env or {})},
        )
        os.close(theirs)
        self.raw = ""
        self._seen = 0

    def resize(self, columns: int, lines: int) -> None:
        """Change the window's size, as a person who drags its corner."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    @property
    def shown(self) -> str:
        """All that was drawn, without colours and moves."""
        return _ESCAPES.sub("", self.raw)

    def until(self, text: str) -> Screen:
        """Wait until a text was drawn, behind what was waited for before."""
        end = time.monotonic() + PATIENCE_SECONDS
        while (at := self.shown.find(text, self._seen)) < 0:
            more = self._read(max(0.0, end - time.monotonic()))
            assert more, f"{text!r} did not come; exit {self.process.poll()}\n{self.shown[-3000:]}"
        self._seen = at + len(text)
        return self

    def press(self, keys: str) -> Screen:
        """Type keys; what is waited for next has to be drawn from now on."""
        while self._read(0.0):
            pass
        self._seen = len(self.shown)
        os.write(self._ours, keys.encode())
        return self

    def signal(self, number: signal.Signals) -> Screen:
        """Send a signal to the process."""
        os.kill(self.process.pid, number)
        return self

    def end(self) -> int:
        """Wait until the command ends; return its exit code."""
        end = time.monotonic() + PATIENCE_SECONDS
        while self._read(max(0.0, end - time.monotonic())):
            pass
        return self.process.wait(timeout=PATIENCE_SECONDS)

    @property
    def given_back(self) -> bool:
        """Whether the terminal is as it was: the first screen, the cursor, lines and echo."""
        left = self.raw.rfind("\x1b[?1049l") > self.raw.rfind("\x1b[?1049h") or "\x1b[?1049h" not in self.raw
        cursor = self.raw.rfind("\x1b[?25h") >= self.raw.rfind("\x1b[?25l")
        mouse = self.raw.rfind("\x1b[?1000l") >= self.raw.rfind("\x1b[?1000h")
        return left and cursor and mouse and termios.tcgetattr(self._ours)[3] == self.flags

    def close(self) -> None:
        """Kill what is left."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        try:
            piece = os.read(self._ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            return False
        self.raw += piece.decode(errors="replace")
        return bool(piece)


def _controls() -> None:
    """Make the terminal the child's own, so that Ctrl-C and a changed size reach it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
