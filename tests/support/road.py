"""The acceptance runs' road: the command as a user types it, on real requests, through the product's own verbs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DATA_VARIABLE = "SLUICE_TEST_DATA"
INTENTS = 7


def requests_file() -> Path | None:
    """Return the file of crowd-written requests, or None where the folder is not given."""
    named = os.environ.get(DATA_VARIABLE)
    file = Path(named) / "snips" / "requests.jsonl" if named else None
    return file if file is not None and file.is_file() else None


@dataclass
class Road:
    """A project folder and the commands that were run in it."""

    folder: Path
    seconds: dict[str, float] = field(default_factory=dict)

    def __call__(self, *words: str, code: int | None = 0) -> dict[str, Any]:
        """Run `sluice WORDS --json`, check its exit code (None: any), and return the envelope's result (or error)."""
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "sluice", *words, "--json"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=3000,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )
        self.seconds[" ".join(words[:2])] = round(time.monotonic() - started, 1)
        if code is not None and done.returncode != code:
            raise AssertionError(
                f"sluice {' '.join(words)}: exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            )
        envelope = json.loads(done.stdout)
        assert envelope["exit"] == done.returncode
        return envelope["result"] if envelope["result"] is not None else envelope["error"]


def start(folder: Path, *, dev: str, evaluation: str, per_class: bool) -> Road:
    """Go from raw requests to parts and a frozen eval set. Sizes are rows, or rows an intent with `per_class`."""
    source = requests_file()
    assert source is not None
    road = Road(folder)
    (folder / "requests.jsonl").write_bytes(source.read_bytes())
    road(
        "init",
        *("--name", "requests", "--data", "requests", "--kind", "json", "--fields", "intent,slots"),
        *("--description", "Turn a request to a voice assistant into one JSON object with its intent and slots."),
        "--yes",
    )
    (folder / "prompts" / "short.md").write_text("Return the request as JSON with intent and slots.\n\n{{ request }}\n")
    (folder / "schema.json").write_text(
        json.dumps(
            {
                "type": "object",
                "properties": {"intent": {"type": "string"}, "slots": {"type": "object"}},
                "required": ["intent", "slots"],
            }
        )
    )
    (folder / "rubric.md").write_text(
        "Right: the intent is the one meant, and each slot holds the words of the request that fill it.\n"
    )
    config = folder / "sluice.toml"
    text = config.read_text()
    text = text.replace('# stratify = "target.category"', 'stratify = "target.intent"')
    text = text.replace("# [prompts]", "[prompts]").replace(
        '# train = "prompts/short.md"', 'train = "prompts/short.md"'
    )
    config.write_text(text)
    added = road("add", "requests", "requests.jsonl", "--input", "request", "--target", "intent,slots")
    assert added["added"] > 13_000
    road("dedup", "requests")
    sizes = ("--eval", evaluation, "--dev", dev)
    road("split", "requests", *sizes, *(("--per-class",) if per_class else ()))
    road("freeze")
    return road


def answers_on(road: Road, run: str, rows_file: str) -> list[tuple[dict[str, Any] | None, dict[str, Any]]]:
    """Return (answer, target) as objects for each row of a run; None where the answer is no JSON object."""
    targets: dict[str, dict[str, Any]] = {}
    for line in (road.folder / rows_file).read_text().splitlines():
        record = json.loads(line)
        targets[record["row"]] = json.loads(record["target"])
    found: list[tuple[dict[str, Any] | None, dict[str, Any]]] = []
    for line in (road.folder / ".sluice" / "runs" / run / "answers.jsonl").read_text().splitlines():
        record = json.loads(line)
        try:
            answer = json.loads(record["text"])
        except ValueError:
            answer = None
        found.append((answer if isinstance(answer, dict) else None, targets[record["row"]]))
    return found


def figures(pairs: list[tuple[dict[str, Any] | None, dict[str, Any]]]) -> dict[str, float]:
    """Return valid JSON, intents right, exact objects (shares) and the micro F1 of slots."""
    n = len(pairs)
    return {
        "n": n,
        "valid": sum(a is not None for a, _ in pairs) / n,
        "intent": sum(a is not None and a.get("intent") == t["intent"] for a, t in pairs) / n,
        "exact": sum(a == t for a, t in pairs) / n,
        "slot_f1": float(micro_f1(slot_counts(pairs).sum(axis=0))),
    }


def slot_counts(pairs: list[tuple[dict[str, Any] | None, dict[str, Any]]]) -> NDArray[np.int64]:
    """Return slots rightly given, wrongly given and missed, shape (rows, 3)."""
    given = [(slot_items(answer), slot_items(target)) for answer, target in pairs]
    return np.array([(len(mine & theirs), len(mine - theirs), len(theirs - mine)) for mine, theirs in given])


def micro_f1(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the F1 over all slots of counts summed over rows, shape (..., 3)."""
    right, extra, missed = np.moveaxis(counts, -1, 0)
    return 2 * right / np.maximum(1, 2 * right + extra + missed)


def slot_f1_upper(pairs: list[tuple[dict[str, Any] | None, dict[str, Any]]], draws: int = 10_000) -> float:
    """Return the one-sided 95% upper bound of the slots' F1: the percentile over draws of the rows, seeded.

    Rows are drawn and not slots, since the slots of one request are right or wrong together.
    """
    counts = slot_counts(pairs)
    drawn = np.random.default_rng(1).integers(0, len(counts), size=(draws, len(counts)))
    return float(np.quantile(micro_f1(counts[drawn].sum(axis=1)), 0.95))


def slot_items(answer: dict[str, Any] | None) -> set[tuple[str, str]]:
    """Return the (slot, value) pairs of an answer, each value of a list by itself."""
    slots = answer.get("slots") if answer else None
    items: set[tuple[str, str]] = set()
    for name, value in slots.items() if isinstance(slots, dict) else ():
        for one in value if isinstance(value, list) else [value]:
            items.add((name, json.dumps(one, ensure_ascii=False)))
    return items
