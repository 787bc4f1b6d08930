"""The one progress line: what, how far, how fast, how long still.

It is called by the library as `(what, done, total)` and draws on stderr: one line that renews itself on a terminal, at
most a line every ten seconds elsewhere. It knows nothing about verbs, and never writes to stdout.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import TextIO

REDRAW_SECONDS = 0.1  # ten frames a second are smooth to the eye and cost nothing
LINE_SECONDS = 10.0  # in a log file, a line every ten seconds shows life and stays readable
BAR_CELLS = 24


def duration(seconds: float) -> str:
    """Return a time in words as a person would say it: `8 s`, `3 min`, `1 h 20 min`."""
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def rate(per_second: float) -> str:
    """Return a speed: `1,240/s`, `1.9/s`, or per minute below one in two seconds."""
    if per_second >= 100:
        return f"{per_second:,.0f}/s"
    return f"{per_second:.1f}/s" if per_second >= 0.5 else f"{per_second * 60:.1f}/min"


class Progress:
    """A progress line over one stream.

    Args:
        stream: where it is drawn (stderr).
        live: True on a terminal: one line, renewed in place.
        silent: True to draw nothing at all.
        clock: seconds, monotonic; given by tests.
    """

    def __init__(self, stream: TextIO, *, live: bool, silent: bool, clock: Callable[[], float] = time.monotonic):
        self._stream = stream
        self._live = live
        self._silent = silent
        self._clock = clock
        self._what: str | None = None
        self._started = 0.0
        self._first_done = 0
        self._drawn_at = 0.0
        self._on_screen = False

    def __call__(self, what: str, done: int, total: int) -> None:
        """Say that `done` of `total` of `what` are done; total 0 means that nobody knows how many there are."""
        if self._silent:
            return
        now = self._clock()
        if what != self._what or done < self._first_done:
            self._what, self._started, self._first_done = what, now, done
            self._drawn_at = now - REDRAW_SECONDS if self._live else now
        finished = 0 < total <= done
        if self._live:
            if finished:
                self.clear()
                self._what = None
            elif now - self._drawn_at >= REDRAW_SECONDS or not self._on_screen:
                self._draw_live(what, done, total, now)
        elif now - self._drawn_at >= LINE_SECONDS:
            self._write(self._line(what, done, total, now) + "\n")
            self._drawn_at = now

    def clear(self) -> None:
        """Take the line off the screen, so that other text can be written."""
        if self._on_screen:
            self._write("\r\x1b[K")
            self._on_screen = False

    def _draw_live(self, what: str, done: int, total: int, now: float) -> None:
        text = self._line(what, done, total, now)
        width = shutil.get_terminal_size().columns
        if total > 0 and len(text) + BAR_CELLS + 2 < width:
            filled = round(BAR_CELLS * min(1.0, done / total))
            text = f"{'#' * filled}{'.' * (BAR_CELLS - filled)}  {text}"
        self._write("\r" + text[: max(1, width - 1)] + "\x1b[K")
        self._on_screen = True
        self._drawn_at = now

    def _line(self, what: str, done: int, total: int, now: float) -> str:
        if total <= 0 and done <= 0:
            return f"{what} ..."
        parts = [what, f"{done:,} of {total:,}" if total > 0 else f"{done:,}"]
        elapsed, steps = now - self._started, done - self._first_done
        if elapsed >= 0.5 and steps > 0:
            parts.append(rate(steps / elapsed))
            if total > done:
                parts.append(f"{duration((total - done) * elapsed / steps)} left")
        return "  ".join(parts)

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # nobody reads stderr any more: the work goes on
            self._silent = True
