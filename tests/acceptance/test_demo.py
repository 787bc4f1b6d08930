"""The demo as a newcomer types it: to its end on this machine, within its memory, with a clear verdict.

Time is said, not asserted: it depends on the machine, and the demo itself says its estimate.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]
MOST_MEMORY = 6 * 1024**3


def test_the_demo_reaches_a_clear_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "sluice-demo"
    started = time.monotonic()
    with capsys.disabled():
        demo = subprocess.Popen(
            [sys.executable, "-m", "sluice", "demo"],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )
        _, status, used = os.wait4(demo.pid, 0)
        demo.returncode = os.waitstatus_to_exitcode(status)
        kib = used.ru_maxrss // 1024 if sys.platform == "darwin" else used.ru_maxrss
        sys.stdout.write(f"\nthe demo took {time.monotonic() - started:.0f} s and {kib / 1024**2:.1f} GiB at most\n")
    assert demo.returncode == 0
    assert kib * 1024 < MOST_MEMORY

    verdict = subprocess.run(
        [sys.executable, "-m", "sluice", "compare", "sft-1", "--final", "--yes", "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    result = json.loads(verdict.stdout)["result"]
    assert verdict.returncode == 0, verdict.stdout[-2000:]
    assert result["comparison"]["verdict"]["word"] == "better"
    again = subprocess.run(
        [sys.executable, "-m", "sluice", "verify", "--json"], cwd=folder, capture_output=True, check=False
    )
    assert again.returncode == 0, again.stdout[-2000:]
