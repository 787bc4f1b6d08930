"""How long a command takes to start: `python -c pass`, `sluice --help` and `sluice status`, in turn, ten times each.

Medians of wall time, and how many times the bare interpreter that is. It knows nothing about the verbs' work: `status`
runs in an empty project. Run it alone on a machine that does nothing else: `python benchmarks/startup.py`.
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPEATS = 10
LIMITS_MS = {"sluice --help": 100, "sluice status": 300}
"""What is asked of each where the bare interpreter takes 20 ms."""
BARE_MS = 20


def milliseconds(command: list[str], folder: Path) -> float:
    """Return the wall time of one command, in milliseconds; raises when it fails."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    return (time.perf_counter() - start) * 1000


def main() -> None:
    """Measure and print."""
    sluice = str(Path(sys.executable).with_name("sluice"))
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "sluice --help": [sluice, "--help"],
        "sluice status": [sluice, "status"],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rows.jsonl").write_text('{"prompt": "a", "completion": "b"}\n', encoding="utf-8")
        milliseconds([sluice, "add", "tickets", "rows.jsonl"], folder)
        for command in commands.values():  # once unmeasured: files come into the cache of the system
            milliseconds(command, folder)
        times: dict[str, list[float]] = {what: [] for what in commands}
        for _ in range(REPEATS):  # in turn, so that a slow moment hits all of them
            for what, command in commands.items():
                times[what].append(milliseconds(command, folder))
    bare = statistics.median(times["python -c pass"])
    print(f"{platform.machine()}, Python {platform.python_version()}, medians of {REPEATS}")
    print(f"{'command':<16} {'ms':>6} {'fastest':>8} {'x bare':>7}   limit where bare takes {BARE_MS} ms")
    for what, measured in times.items():
        median = statistics.median(measured)
        limit = f"{LIMITS_MS[what]} ms = {LIMITS_MS[what] / BARE_MS:.0f} x" if what in LIMITS_MS else ""
        print(f"{what:<16} {median:>6.0f} {min(measured):>8.0f} {median / bare:>7.1f}   {limit}")


if __name__ == "__main__":
    main()
