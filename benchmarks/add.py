"""How long `sluice add` of a large JSONL of chats takes, beside a process that only reads it with `load_dataset`.

    python benchmarks/add.py --rows 400000 --repeats 3

Makes the file (deterministic; about 650 bytes a line: system, user and assistant turns), then runs in turn `sluice add`
as a command in a fresh folder and a Python process that calls `load_dataset("json")` into a fresh cache. Prints medians
of the wall time of each process, its peak memory with its children's, and the ratio. Only the second leaves the rows
unhashed, unchecked and without the places they were seen at; the same rows are held against its count at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

WORDS = (  # noqa: SIM905  # a list literal of these fills a page
    "account order refund parcel delivery invoice password reset address change cancel renew plan monthly yearly "
    "charge card declined support agent please thanks could would check status number email received waiting days "
    "broken screen replace warranty return label printed courier missing item wrong size colour exchange credit "
    "balance transfer limit daily branch opening hours closed weekend holiday app update crash login"
).split()

READ = """
import sys
from datasets import load_dataset
print(load_dataset("json", data_files=sys.argv[1], cache_dir=sys.argv[2], split="train").num_rows)
"""

RUN = """
import resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
print(code, time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""The parent of one command, fresh for each, so that the peak memory is that command's alone (kB on Linux)."""


def write_chats(path: Path, rows: int) -> None:
    """Write `rows` different chats of about 650 bytes, the same for the same number."""
    draw = random.Random(7)
    with path.open("w", encoding="utf-8") as file:
        for i in range(rows):
            system = "You are a calm and exact assistant of the shop. " + " ".join(draw.choices(WORDS, k=6))
            user = f"Request {i}: " + " ".join(draw.choices(WORDS, k=24)) + "?"
            answer = " ".join(draw.choices(WORDS, k=40)) + ' – as you said, "done".'
            turns = (("system", system), ("user", user), ("assistant", answer))
            line = {"id": i, "messages": [{"role": role, "content": text} for role, text in turns]}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Return the seconds and the peak memory in MB of one command, run in a folder. Exits where it fails."""
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    told = subprocess.run(
        [sys.executable, "-c", RUN, *command], cwd=folder, env=env, capture_output=True, text=True, check=True
    )
    code, seconds, peak = told.stdout.split()
    if code != "0":
        sys.exit(f"{' '.join(command)}: exit {code}")
    return float(seconds), int(peak) / 1024


def main() -> None:
    """Run both in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    figures: dict[str, list[tuple[float, float]]] = {"sluice add": [], "load_dataset": []}
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "chats.jsonl"
        write_chats(file, given.rows)
        print(f"{given.rows:,} chats, {file.stat().st_size / 1e6:.0f} MB, {os.cpu_count()} cores", flush=True)
        for turn in range(given.repeats):
            folder = Path(place) / f"project{turn}"
            folder.mkdir()
            add = [sys.executable, "-m", "sluice", "add", "chats", str(file)]
            figures["sluice add"].append(timed(add, folder))
            read = [sys.executable, "-c", READ, str(file), str(Path(place) / f"cache{turn}")]
            figures["load_dataset"].append(timed(read, folder))
            print("  ".join(f"{name} {runs[-1][0]:.2f} s" for name, runs in figures.items()), flush=True)
            held = subprocess.run([*add[:3], "show", "chats", "--json"], cwd=folder, capture_output=True, text=True)
            if json.loads(held.stdout)["result"]["total"] != given.rows:
                sys.exit("sluice add did not hold every row")
    seconds = {name: statistics.median(s for s, _ in runs) for name, runs in figures.items()}
    for name, runs in figures.items():
        print(f"{name:14} {seconds[name]:8.2f} s  {statistics.median(peak for _, peak in runs):8,.0f} MB peak")
    print(f"ratio {seconds['sluice add'] / seconds['load_dataset']:.2f}")


if __name__ == "__main__":
    main()
