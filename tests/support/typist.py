"""A person at a terminal: runs a command on a pseudo-terminal and types when it asks.

It waits for the words that it was told to expect, so it neither sleeps nor depends on how fast a machine is.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

PATIENCE_SECONDS = 120.0


def typed(folder: Path, words: Sequence[str], script: Sequence[tuple[str, str]]) -> tuple[int, str]:
    """Run `sluice WORDS` in a folder on a pseudo-terminal; return its exit code and all that was shown.

    Args:
        folder: where the command runs.
        words: the command line behind `sluice`.
        script: pairs of a text to wait for (behind what was answered already) and the keys typed then.

    Raises:
        AssertionError: the command ended, or was silent too long, before a text came.
    """
    ours, theirs = os.openpty()
    command = subprocess.Popen(
        [sys.executable, "-m", "sluice", *words],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "120"},
    )
    os.close(theirs)
    shown, seen = "", 0
    waiting = list(script)
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        if not select.select([ours], [], [], max(0.0, until - time.monotonic()))[0]:
            command.kill()
            raise AssertionError(f"nothing came for {PATIENCE_SECONDS:.0f} s\n{shown[-2000:]}")
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            piece = b""
        if not piece:
            break
        shown += piece.decode(errors="replace")
        while waiting and (at := shown.find(waiting[0][0], seen)) >= 0:
            seen = at + len(waiting[0][0])
            keys = waiting.pop(0)[1]
            while not keys.endswith("\n") and _takes_lines(ours) and command.poll() is None:
                time.sleep(0.01)  # a key that is pressed before it is asked for is lost
            os.write(ours, keys.encode())
    os.close(ours)
    code = command.wait()
    assert not waiting, f"ended with {code} before {waiting[0][0]!r} came\n{shown[-2000:]}"
    return code, shown


def _takes_lines(terminal: int) -> bool:
    import termios

    return bool(termios.tcgetattr(terminal)[3] & termios.ICANON)
