"""Kill many command lines cheaply: a process that has imported everything forks one child for each, which is killed.

Each child is a real process that runs the command line from its start and dies by SIGKILL at its k-th fsync or after
some seconds; only the imports (8 s with torch) are shared. Several can be let run at once. The server itself runs no
step of any model: autograd's threads do not survive a fork.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from support.kill import Ended

_SERVER = """
import json, os, signal, sys, time
import peft, torch, transformers, trl
from sluice.cli.app import run
from sluice.core.files import watch_syncs
import sluice.train.judge, sluice.train.plan, sluice.train.recipes.fit, sluice.train.recipes.spine
import sluice.train.recipes.trainer, sluice.curate.adding.add, sluice.curate.splits.split

torch.set_num_threads(1)

def child(job):
    os.chdir(job["cwd"])
    for number, file in ((1, job["out"]), (2, job["err"])):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    count = 0
    def hook(path):
        nonlocal count
        count += 1
        if count == job["at"]:
            os.kill(os.getpid(), signal.SIGKILL)
    with watch_syncs(hook):
        code = run(job["argv"])
    sys.stdout.flush()
    print(f"SYNCS {count}", file=sys.stderr, flush=True)
    os._exit(code)

print("ready", flush=True)
for line in sys.stdin:
    jobs = json.loads(line)
    running, codes = {}, [None] * len(jobs)
    for i, job in enumerate(jobs):
        pid = os.fork()
        if pid == 0:
            try:
                child(job)
            finally:
                os._exit(99)
        running[pid] = (i, time.monotonic() + job["seconds"] if job["seconds"] else None)
    while running:
        for pid, (i, ends) in list(running.items()):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                codes[i] = os.waitstatus_to_exitcode(status)
                del running[pid]
            elif ends and time.monotonic() > ends:
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
    print(json.dumps(codes), flush=True)
"""


class ForkServer:
    """Runs command lines in forked children."""

    def __init__(self, place: Path):
        self.place = place
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._reply() == "ready"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ended: object) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        stdin.close()
        self._process.wait(timeout=60)

    def __call__(self, argv: Sequence[str], folder: Path, *, at: int = 0, seconds: float = 0) -> Ended:
        """Run a command line in a folder; kill it right after its `at`-th fsync, or after some seconds (0: never)."""
        return self._run([{"argv": list(argv), "cwd": str(folder), "at": at, "seconds": seconds}])[0]

    def together(self, commands: Sequence[Sequence[str]], folder: Path) -> list[Ended]:
        """Run command lines in a folder at once, each in a process of its own."""
        return self._run([{"argv": list(argv), "cwd": str(folder), "at": 0, "seconds": 0} for argv in commands])

    def _run(self, jobs: list[dict[str, Any]]) -> list[Ended]:
        places = [(self.place / f"out-{i}", self.place / f"err-{i}") for i in range(len(jobs))]
        for job, (out, err) in zip(jobs, places, strict=True):
            job |= {"out": str(out), "err": str(err)}
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(json.dumps(jobs) + "\n")
        stdin.flush()
        return [
            Ended(code == -9, code, out.read_text(errors="replace"), err.read_text(errors="replace"))
            for code, (out, err) in zip(json.loads(self._reply()), places, strict=True)
        ]

    def _reply(self) -> str:
        stdout = self._process.stdout
        assert stdout is not None
        return stdout.readline().strip()
