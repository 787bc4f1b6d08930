"""The second `dedup` of a big dataset beside the first: another threshold, another keep policy, one percent new rows.

    python benchmarks/again.py                  200,000 rows
    python benchmarks/again.py 20500 --rounds 1

Rows are the documents of `near_duplicates.py` with one of a dozen labels, added to a project of their own. Each
measurement is one process that finds the duplicates of the version (`--dry-run` without its histogram: nothing is
written but what is kept), from the rows' files to the list of what goes; "from scratch" has an empty `.sluice/cache/`.
Rounds go through all of them in turn. Answers are compared: what is kept must change none.

First of all: `sluice dedup` of 2,000 rows in a fresh process with an empty numba cache, as after an install.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from near_duplicates import documents

from sluice.core.project import Project

LABELS = 12
NEW = 0.01
WAYS: dict[str, dict[str, Any]] = {
    "from scratch": {"scratch": True},
    "the same again": {},
    "threshold 0.8": {"percent": 80},
    "threshold 0.8, from scratch": {"percent": 80, "scratch": True},
    "the first seen stays": {"keep": "first"},
    "1% new rows": {"dataset": "grown"},
    "1% new rows, from scratch": {"dataset": "grown", "scratch": True},
}


def lines(count: int) -> list[str]:
    """Return rows as JSON lines."""
    rng = random.Random(1)
    texts = documents(count)[0].to_pylist()
    return [json.dumps({"request": text, "intent": f"label {rng.randrange(LABELS)}"}) for text in texts]


def command(root: Path, *words: str, **environment: str) -> float:
    """Run the command in a folder and return its seconds."""
    before = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "sluice", *words],
        cwd=root, env=os.environ | environment, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    return time.perf_counter() - before


def make(root: Path, count: int) -> None:
    """Add the rows: `first`, and `grown` with new ones behind them."""
    every = lines(count + int(NEW * count))
    for name, some in (("old", every[:count]), ("new", every[count:]), ("small", every[:2000])):
        (root / f"{name}.jsonl").write_text("\n".join(some) + "\n")
    shape = ("--input", "request", "--target", "intent")
    command(root, "add", "small", "small.jsonl", *shape)
    command(root, "add", "first", "old.jsonl", *shape)
    command(root, "add", "grown", "old.jsonl", *shape)
    measured(root, {"dataset": "grown"})  # what was known of the old rows
    command(root, "add", "grown", "new.jsonl", *shape)


def measured(root: Path, way: dict[str, Any]) -> dict[str, Any]:
    """Find the duplicates in a process of its own."""
    given = [sys.executable, __file__, "--measure", str(root), json.dumps(way)]
    done = subprocess.run(given, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def measure(root: Path, way: dict[str, Any]) -> None:
    """Do it once, and print the seconds and a hash of the answer."""
    import hashlib

    from sluice.curate.dataset import open_dataset
    from sluice.curate.duplicates import Rules, dedup
    from sluice.curate.duplicates.keeping import rank_by
    from sluice.curate.duplicates.kept import Kept

    project, name = Project(root), way.get("dataset", "first")
    if way.get("scratch"):
        shutil.rmtree(project.cache, ignore_errors=True)
    before, cpu = time.perf_counter(), time.process_time()
    version = open_dataset(project, name)
    rows = version.frame()
    rank = rank_by(version, rows["row"].to_list(), way.get("keep", "longest"), None)
    rules = Rules(percent=way.get("percent", 70), rank=rank)
    found = dedup(rows, rules, way="lsh", kept=Kept(project, name))
    seconds, cpu = time.perf_counter() - before, time.process_time() - cpu
    answer = hashlib.sha256(repr((found.dropped, found.conflicts, found.near_other_target)).encode()).hexdigest()
    kept = sum(file.stat().st_size for file in project.cache.iterdir())
    print(json.dumps({"seconds": seconds, "cpu": cpu, "answer": answer, "kept": kept, "dropped": len(found.dropped)}))


def compare(root: Path, rounds: int) -> None:
    """Measure all ways in turn and print a table."""
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    full = root / "full"
    for _ in range(rounds):
        for name, way in WAYS.items():
            cache = Project(root).cache
            if way.get("scratch"):
                if cache.is_dir():
                    cache.rename(full)
                runs[name].append(measured(root, way))
                if full.is_dir():
                    shutil.rmtree(cache)
                    full.rename(cache)
                continue
            before = {f.name: f.read_bytes() for f in cache.iterdir()}
            runs[name].append(measured(root, way))
            for file in cache.iterdir():
                file.unlink()
            for file, data in before.items():
                (cache / file).write_bytes(data)
    for one, other in (
        ("from scratch", "the same again"),
        ("threshold 0.8", "threshold 0.8, from scratch"),
        ("1% new rows", "1% new rows, from scratch"),
    ):
        if runs[one][0]["answer"] != runs[other][0]["answer"]:
            sys.exit(f"'{one}' and '{other}' do not agree")
    base = statistics.median(run["seconds"] for run in runs["from scratch"])
    print(f"{'':<28} {'seconds':>8} {'fastest':>8} {'cpu':>6} {'of scratch':>10} {'dropped':>8} {'kept MB':>8}")
    for name, found in runs.items():
        seconds = [run["seconds"] for run in found]
        middle, one = statistics.median(seconds), found[0]
        cpu = statistics.median(run["cpu"] for run in found)
        share = f"{cpu:>6.2f} {middle / base:>10.2f}"
        print(f"{name:<28} {middle:>8.2f} {min(seconds):>8.2f} {share} {one['dropped']:>8,} {one['kept'] / 1e6:>8.1f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="dedup again, beside dedup from scratch")
    parser.add_argument("count", nargs="?", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", nargs=2, metavar=("FOLDER", "WAY"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure(Path(asked.measure[0]), json.loads(asked.measure[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make(root, asked.count)
        empty = root / "numba"
        seconds = command(root, "dedup", "small", NUMBA_CACHE_DIR=str(empty))
        print(f"the first dedup of 2,000 rows, nothing compiled yet: {seconds:.1f} s\n\n{asked.count:,} rows")
        measured(root, {"dataset": "first"})  # compiles; what the next ones know
        compare(root, asked.rounds)


if __name__ == "__main__":
    main()
