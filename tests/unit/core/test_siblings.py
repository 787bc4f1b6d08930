"""Temporary files of killed writers are cleared, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from sluice.core.files import atomic_write


def test_what_killed_writers_left_is_cleared_and_nothing_else_is(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    dead, old = process.pid, time.time() - 7200
    left = {f".a.json.{dead}-0123abcd.tmp", f".other.md.{dead}-ffffffff.tmp"}
    kept = {
        f".a.json.{os.getpid()}-0123abcd.tmp",  # of a job that runs
        f".a.json.{dead}-0123abcd.tmp.bak",
        f"a.json.{dead}-0123abcd.tmp",
        ".a.json.0123abcd.tmp",
        ".gitignore",
    }
    for name in left | kept:
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (old, old))
    half = tmp_path / f".folder.{dead}-0123abcd.tmp"
    half.mkdir()
    (half / "data").write_bytes(b"half")
    os.utime(half, (old, old))
    just = f".a.json.{dead}-aaaaaaaa.tmp"  # perhaps of another machine's job
    (tmp_path / just).write_bytes(b"half")
    atomic_write(tmp_path / "a.json", b"whole")
    assert set(os.listdir(tmp_path)) == kept | {just, "a.json"}
