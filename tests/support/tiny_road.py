"""A whole project on a tiny random-weight model, made once by the command line in this process and copied for tests.

Its answers are junk and its verdict is never "better"; all around is real: facts, runs, adapter, certificate.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sluice.cli.app import run
from sluice.core.ledger import Facts, Ledger
from sluice.core.project import Project
from sluice.core.runs import Run, all_runs

LABELS = ("billing", "delivery", "other")
EVAL, DEV, TRAIN = 24, 22, 30
WAIVED = "nobody grades in a test of the product"
TOML = """[task]
name = "tickets"
data = "tickets"
description = "Name the desk."
rubric = "rubric.md"
metric = "exact"
openings = 1
max_tokens = 512

[model]
base = "{base}"
serve = "fp32"

[project]
id = "p-tiny"
"""


def words(seed: int, n: int) -> list[str]:
    """Return made-up texts that are unlike each other."""
    draw = random.Random(seed)
    syllables = [c + v for c in "bcdfgklmnprstvw" for v in "aeiou"]
    return [" ".join("".join(draw.choices(syllables, k=2)) for _ in range(11)) for _ in range(n)]


def write_rows(file: Path, texts: list[str]) -> None:
    """Write texts as JSONL with a label each, the same for the same text."""
    lines = [json.dumps({"input": t, "target": LABELS[sum(map(ord, t)) % 3]}) for t in texts]
    file.write_text("\n".join(lines) + "\n")


@dataclass
class Ended:
    """How a command ended: exit code, result and error of its envelope."""

    code: int
    result: Any
    error: Any


class Tiny:
    """A project folder and the commands that run in it, in this process."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str] | None = None):
        self.root = root
        self.project = Project(root)
        self.capsys = capsys

    def __call__(self, *argv: str, code: int | None = 0) -> Ended:
        """Run `sluice ARGV --json` here; `code` is the exit code it must have (None: any)."""
        before = Path.cwd()
        os.chdir(self.root)
        try:
            if self.capsys is not None:
                self.capsys.readouterr()
                got = run([*argv, "--json"])
                out, err = self.capsys.readouterr()
            else:
                out, err, got = _quietly(argv)
        finally:
            os.chdir(before)
        assert code is None or got == code, f"sluice {' '.join(argv)}: exit {got}\n{out[-3000:]}\n{err[-2000:]}"
        envelope = json.loads(out)
        return Ended(got, envelope["result"], envelope["error"])

    def facts(self) -> Facts:
        """Return the facts as they are, without writing any back."""
        return Ledger(self.project).read(write_back=False)

    def edit(self, old: str, new: str) -> None:
        """Change sluice.toml."""
        file = self.root / "sluice.toml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def gate(self) -> dict[str, dict[str, Any]]:
        """Return the gate's rules by name, as the command prints them."""
        ended = self("gate", code=None)
        assert ended.code in (0, 3), ended.error
        return {r["rule"]: r for r in (*ended.result["rules"], *ended.result["advice"])}

    def refuses(self, rule: str, word: str = "") -> dict[str, Any]:
        """Assert that the rule refuses, that training is refused with exit 3, and that nothing is written by it."""
        found = self.gate()[rule]
        assert found["status"] == "refused", found
        assert word == "" or found["word"] == word, found
        before = {f.hash for f in self.facts().facts}, self.adapters()
        ended = self("train", "sft", "--yes", code=3)
        assert ended.error["code"] == "refused"
        assert ({f.hash for f in self.facts().facts}, self.adapters()) == before
        return found

    def adapters(self) -> list[str]:
        """Return the ids of the adapters."""
        folder = self.project.adapters
        return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []

    def tampered(self) -> list[str]:
        """Return what `sluice verify` calls tampered, each as "name: reason"."""
        ended = self("verify", code=None)
        assert ended.code in (0, 1), ended.error
        found = ended.result["findings"] if "findings" in ended.result else ended.result["tampered"]
        names = [f"{f['name']}: {f['reason']}" for f in found if f.get("word", "tampered") == "tampered"]
        assert bool(names) == (ended.code == 1)
        return names

    @property
    def model(self) -> Any:
        """Return the base model's files."""
        from sluice.evalsuite.models.identity import ModelFiles

        base = self.project.config.model.base
        return ModelFiles(base, Path(base))

    def forge(self, kind: str, body: dict[str, Any]) -> str:
        """Write a fact as any script can, by the library's own door."""
        return Ledger(self.project).write(kind, body).hash

    def eval_folder(self) -> Path:
        """Return the folder of the one frozen set."""
        return next(self.project.evals.iterdir())

    def eval_rows(self) -> list[dict[str, Any]]:
        """Return the records of the one frozen set."""
        return [json.loads(line) for line in (self.eval_folder() / "rows.jsonl").read_text().splitlines()]

    def eval_text(self, i: int = 0) -> str:
        """Return the text of an eval row."""
        return json.loads(self.eval_rows()[i]["input"])["input"]

    def run_of(self, on: str, *, adapter: bool = False) -> Run:
        """Return a run on a place, by the base or by an adapter."""
        return next(r for r in all_runs(self.project) if r.spec.on == on and bool(r.spec.adapter) == adapter)

    def add_rows(self, part: str, texts: list[str], target: str = "billing") -> None:
        """Add rows to a part, as `sluice add` or a script can."""
        file = self.root / "more.jsonl"
        file.write_text("".join(json.dumps({"input": t, "target": target}) + "\n" for t in texts))
        self("add", part, "more.jsonl")

    def freeze_later(self, texts: list[str]) -> None:
        """Freeze other rows as the eval set that decides from now on, and measure the baselines on it."""
        self.add_rows("later", texts)
        self("freeze", "later", "--as", "second", "--reason", "a fresh start, please")
        self("baseline")

    def waive(self) -> None:
        """Waive what a person would grade."""
        self("waive", "gradable", "--reason", WAIVED, "--by", "test")

    def train(self, *more: str, code: int = 0) -> Ended:
        """Train an adapter."""
        return self("train", "sft", "--yes", "--batch", "8", "--rank", "4", *more, code=code)

    def copy(self, to: Path) -> Tiny:
        """Return a copy of the whole folder."""
        shutil.copytree(self.root, to, symlinks=True)
        return Tiny(to, self.capsys)


def _quietly(argv: tuple[str, ...]) -> tuple[str, str, int]:
    import contextlib
    import io

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        got = run([*argv, "--json"])
    return out.getvalue(), err.getvalue(), got


def start(root: Path, base: Path, capsys: pytest.CaptureFixture[str] | None = None) -> Tiny:
    """Write sluice.toml, rubric and rows; add, dedup, split and freeze them."""
    root.mkdir(parents=True)
    (root / "sluice.toml").write_text(TOML.format(base=base))
    (root / "rubric.md").write_text("Right: the very name of the desk.\n")
    texts = words(1, EVAL + DEV + TRAIN)
    write_rows(root / "rows.jsonl", [*texts, *(f"{t}..." for t in texts[:3])])
    road = Tiny(root, capsys)
    road("add", "tickets", "rows.jsonl")
    road("dedup", "tickets")
    road("split", "tickets", "--eval", str(EVAL), "--dev", str(DEV))
    return road


def measure(road: Tiny) -> None:
    """Freeze, and measure the baselines."""
    road("freeze")
    road("baseline")


def train(road: Tiny) -> None:
    """Waive what a person would grade, and train sft-1."""
    road.waive()
    road.train()
