"""Run a sluice command line that is killed with SIGKILL: at its k-th fsync, or after a while.

The store's promise is tested with it: whatever the moment, the project holds the old state or the new one. Used by the
tests of every verb that writes.

    kill.count_syncs(["add", "tickets", "raw.jsonl"], folder)            how many fault points there are
    kill.at_sync(["add", "tickets", "raw.jsonl"], folder, 3)             dies right after the third
    kill.after(["train", "sft", "--yes"], folder, seconds=2.5)           dies wherever it is
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_DRIVER = """
import os, signal, sys
from sluice.cli.app import run
from sluice.core.files import watch_syncs

at, count = int(sys.argv[1]), 0

def hook(path):
    global count
    count += 1
    if count == at:
        os.kill(os.getpid(), signal.SIGKILL)

with watch_syncs(hook):
    code = run(sys.argv[2:])
sys.stdout.flush()
print(f"SYNCS {count}", file=sys.stderr, flush=True)
sys.exit(code)
"""


@dataclass(frozen=True)
class Ended:
    """How a command line ended."""

    killed: bool
    code: int
    """The exit code; -9 where it was killed."""
    stdout: str
    stderr: str

    @property
    def syncs(self) -> int:
        """How many fsyncs it made; only where it ran to its end."""
        return int(self.stderr.rsplit("SYNCS ", 1)[1].split()[0])


def at_sync(
    argv: Sequence[str],
    folder: Path,
    at: int,
    *,
    env: Mapping[str, str] | None = None,
    timeout: float = 300,
) -> Ended:
    """Run a command line in a folder and kill it right after its `at`-th fsync (0: never)."""
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER, str(at), *argv],
        cwd=folder,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Ended(done.returncode == -signal.SIGKILL, done.returncode, done.stdout, done.stderr)


def count_syncs(argv: Sequence[str], folder: Path, *, env: Mapping[str, str] | None = None) -> int:
    """Run a command line to its end and return how many fsyncs it made: the fault points of `at_sync`."""
    done = at_sync(argv, folder, 0, env=env)
    if done.code != 0:
        raise RuntimeError(f"{list(argv)} ended with {done.code}: {done.stderr}")
    return done.syncs


def after(
    argv: Sequence[str], folder: Path, seconds: float, *, env: Mapping[str, str] | None = None, timeout: float = 300
) -> Ended:
    """Run a command line in a folder and kill it after some seconds; it may have ended before."""
    process = subprocess.Popen(
        [sys.executable, "-c", _DRIVER, "0", *argv],
        cwd=folder,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate(timeout=timeout)
    return Ended(process.returncode == -signal.SIGKILL, process.returncode, stdout, stderr)
