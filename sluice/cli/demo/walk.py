"""Walk the demo's steps in a folder of their own, go on where it was, and keep to the time.

Runs each command in this process through the same front door as a user. Training gets what is left of nine minutes;
how many rows that is comes from a measurement, not from a constant.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.cli.demo import steps
from sluice.cli.demo.steps import Step
from sluice.core.errors import SurroundingsError
from sluice.core.files import atomic_write
from sluice.core.project import STORE

if TYPE_CHECKING:
    from sluice.cli.terminal import Terminal

BUDGET_SECONDS = 9 * 60
FEWEST_ROWS = 200
ROUND_ROWS = 50
MOST_EPOCHS = 2
ENOUGH_GFLOPS = 150.0
GFLOPS_OF_TEN_MINUTES = 150.0
ANSWERS = 140  # dev and eval rows that the adapter answers after training
SECONDS_AN_ANSWER = 0.45  # a tuned adapter on an AVX2 machine in float32, 166 GFLOPS
OVERHEAD_SECONDS = 25  # loading, saving, judging
MARK = f"{STORE}/demo.json"
"""What is done; it also tells a demo's folder from one that holds something of a person's own."""
DATA = ("raw.jsonl", "handwritten.jsonl", "rubric.md", "schema.json", "description.txt")


class Stopped(SurroundingsError):
    """A step of the demo did not end as it should. Exit 5."""


class Walk:
    """One demo folder and what is done in it."""

    def __init__(self, out: Terminal, folder: Path):
        self.out = out
        self.folder = folder
        self.file = folder / MARK
        self.done: dict[str, Any] = {}
        if self.file.is_file():
            self.done = json.loads(self.file.read_bytes())

    def remember(self, name: str, seconds: float, **more: Any) -> None:
        """Write down that a step is done."""
        self.done[name] = {"seconds": round(seconds, 1), **more}
        atomic_write(self.file, json.dumps(self.done, indent=1).encode())

    @property
    def spent(self) -> float:
        """Seconds of the steps so far, grading by a person not counted."""
        return sum(float(v["seconds"]) for k, v in self.done.items() if k != "grade")

    def step(self, step: Step) -> int:
        """Carry out one step unless it is done; return its exit code."""
        if step.name in self.done:
            return int(self.done[step.name].get("exit", 0))
        from sluice.cli.app import run

        if step.says:
            self.out.say(step.says, "dim")
        self.out.say(f"$ sluice {shlex.join(step.command)}", "bold")
        started = time.monotonic()
        with contextlib.redirect_stdout(sys.stderr) if self.out.json else contextlib.nullcontext():
            code = run(list(step.command))
        if code == 0:
            say_planted(self.out, step)
        self.out.say()
        if code == 130:
            raise KeyboardInterrupt
        if code not in step.exits:
            again = f"sluice demo {shlex.quote(str(self.folder))}"
            raise Stopped(
                f"the step '{step.name}' ended with exit code {code}",
                where=str(self.folder),
                remedy=f"mend what it says above, then: {again} (it goes on from here)",
            )
        self.remember(step.name, time.monotonic() - started, exit=code)
        return code


def walk(out: Terminal, folder: Path) -> dict[str, Any]:
    """Walk the whole road. Run again after an interruption, it goes on where it was."""
    prepare(folder)
    typed = shown(folder)
    with working_in(folder):
        w = Walk(out, folder)
        if w.done:
            out.say(f"Going on where the demo was ({len(w.done)} steps are done).", "dim")
        out.say(f"The whole road on sample data, in {folder}", "bold")
        out.say()
        say_estimate(out, w)
        description = (folder / "description.txt").read_text(encoding="utf-8").strip()
        for step in steps.before_training(description):
            w.step(step)
            if step.name == "init":
                configure(out, folder)
        grade(out, w)
        w.step(steps.train(choose_rows(out, w)))
        adapter = newest_adapter()
        codes = {step.name: w.step(step) for step in steps.after_gate(adapter)}
        out.say("That was the road. What to try next:", "bold")
        out.next(f"cd {typed}")
        out.next(f"sluice compare {adapter} --final --flips", "which rows it helped and hurt")
        out.next("sluice why tickets ROW", "the whole story of one row (sluice show tickets --dropped lists some)")
        out.next("sluice verify", "recompute every score from the stored answers")
        out.say(f"{w.spent:.0f} s of work in all", "dim")
        return {
            "folder": str(folder),
            "adapter": adapter,
            "final_exit": codes["final"],
            "seconds": w.spent,
            "steps": w.done,
        }


def prepare(folder: Path) -> None:
    """Copy the sample data and the files that a person wrote into the folder."""
    mark = folder / MARK
    others = sorted(p.name for p in folder.glob("*") if p.name == STORE or not p.name.startswith("."))
    if others and not mark.is_file():
        raise SurroundingsError(
            f"this folder holds something of yours ({', '.join(others[:3])}), and the demo writes files of its own",
            where=str(folder),
            remedy="name a folder that is empty or not there: sluice demo FOLDER",
        )
    source = Path(str(files("sluice") / "_samples" / "support-tickets"))
    if not source.is_dir():
        raise SurroundingsError("the sample data did not come with this install", where=str(source), remedy="reinstall")
    if not mark.is_file():
        atomic_write(mark, b"{}")
    (folder / "prompts").mkdir(exist_ok=True)
    for name in DATA:
        if not (folder / name).exists():
            shutil.copyfile(source / name, folder / name)
    if not (folder / "prompts" / "short.md").exists():
        shutil.copyfile(source / "prompt-train.md", folder / "prompts" / "short.md")


def configure(out: Terminal, folder: Path) -> None:
    """Uncomment two lines of sluice.toml, as a user would in an editor."""
    file = folder / "sluice.toml"
    text = file.read_text(encoding="utf-8")
    lines: list[str] = []
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        if bare.startswith(("stratify =", "[prompts]")):
            lines.append(bare)
        elif bare.startswith("train ="):
            lines.append('train = "prompts/short.md"')
        else:
            lines.append(line)
    changed = "\n".join(lines) + "\n"
    if changed != text:
        atomic_write(file, changed.encode())
        out.say('In sluice.toml: stratify = "target.category" and, below [prompts], train = "prompts/short.md".', "dim")
        out.say()


def say_estimate(out: Terminal, w: Walk) -> None:
    """Say how long it will take where this machine is slower than ten minutes need."""
    from sluice.core.paths import default_cache_dir
    from sluice.evalsuite.probe import probe

    found = probe(default_cache_dir())
    speed = f"{found.best_gflops:.0f} GFLOPS in {found.dtype} on {found.device_name}"
    if found.best_gflops >= ENOUGH_GFLOPS or w.done:
        out.say(f"This machine: {speed}.", "dim")
    else:
        minutes = 10 * GFLOPS_OF_TEN_MINUTES / max(found.best_gflops, 1.0)
        out.say(
            f"This machine: {speed}. It will take about {minutes:.0f} minutes; Ctrl-C stops, it goes on later.", "warn"
        )
    out.say()


def say_planted(out: Terminal, step: Step) -> None:
    """Say how many of the faults that were planted in the data this step has found."""
    from sluice.cli.demo.planted import tallies
    from sluice.core.project import Project

    said = tallies(Project(Path.cwd()), step.name, steps.DATASET)
    if said:
        out.say("; ".join(map(str, said)), "dim")


def grade(out: Terminal, w: Walk) -> None:
    """Offer the grading on a terminal; where nobody grades, or it does not hold, waive openly and say why."""
    if "waive" in w.done:
        return
    why = steps.NOBODY
    if "grade" in w.done or wants_to_grade(out):
        code = w.step(steps.GRADE)
        if code == 0 and graded():
            return
        why = steps.STOPPED if code == 0 else steps.NOT_HELD
    w.step(steps.waive(why))


def wants_to_grade(out: Terminal) -> bool:
    """Ask a person, where one is there."""
    if not out.interactive:
        return False
    answer = out.ask("Grade 30 answers now, about ten minutes? [y/N]", default="n")
    return answer.strip().lower().startswith("y")


def graded() -> bool:
    """Return whether the ledger says that a person has graded."""
    from sluice.core.ledger import Ledger
    from sluice.core.project import Project

    return bool(Ledger(Project.find()).read().of("graded"))


def choose_rows(out: Terminal, w: Walk) -> int:
    """Take as many training rows as there is time for, by the measured speed here; return how often to see each."""
    if "sample" in w.done or "train" in w.done:
        return int(w.done.get("sample", {}).get("epochs", 1))
    from sluice.cli.verbs.plan import make
    from sluice.core.project import Project
    from sluice.curate.dataset import open_dataset
    from sluice.evalsuite.models.quiet import quiet_libraries

    started = time.monotonic()
    with quiet_libraries():
        plan = make(out, None, epochs=1, batch=steps.BATCH, precision=None, probe=True)
    have = open_dataset(Project.find(), f"{steps.DATASET}/train").manifest.rows
    speed = plan.rows_per_second or 1.0
    factor = max(1.0, ENOUGH_GFLOPS / best_gflops())
    reserve = ANSWERS * SECONDS_AN_ANSWER * factor + OVERHEAD_SECONDS
    left = BUDGET_SECONDS - w.spent - (time.monotonic() - started) - reserve
    rows = max(FEWEST_ROWS, int(left * speed) // ROUND_ROWS * ROUND_ROWS)
    w.remember("measure", time.monotonic() - started, rows_per_second=speed, rows=rows)
    time_left = f"{speed:.1f} rows a second here, {max(left, 0):.0f} s left of nine minutes"
    if rows < have:
        w.step(steps.sample(rows, f"{time_left}: {rows:,} of {have:,} rows are taken."))
        return 1
    epochs = min(MOST_EPOCHS, rows // have)
    often = "once" if epochs == 1 else f"{epochs} times"
    out.say(f"{time_left}: there is time for all {have:,} training rows, {often} each.", "dim")
    out.say()
    w.remember("sample", 0.0, rows=have, epochs=epochs)
    return epochs


def best_gflops() -> float:
    """Return the measured speed of this machine in its best precision."""
    from sluice.core.paths import default_cache_dir
    from sluice.evalsuite.probe import probe

    return probe(default_cache_dir()).best_gflops


def newest_adapter() -> str:
    """Return the id of the adapter that was trained last."""
    from sluice.core.project import Project
    from sluice.train.adapters import adapter_ids

    return adapter_ids(Project.find())[-1]


def shown(folder: Path) -> str:
    """Return a folder as it is typed from here."""
    with contextlib.suppress(ValueError):
        return str(folder.relative_to(Path.cwd()))
    return str(folder)


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Change the working folder, and back."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
