"""What this machine computes with: device, precision, threads, measured in about half a second.

Two CPUs of one size can be a hundred times apart in bfloat16, so precision is measured and never guessed from a
name. The result is cached by machine. Knows nothing of models.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from sluice.core.errors import InputError, SurroundingsError
from sluice.core.files import atomic_write
from sluice.evalsuite.models.local import Precision

_SIZE = 1024  # side of the matrices: near a small model's linear layers at training batch size
_FIRST = 192  # side of the first look
_BUDGET = 0.2  # seconds a precision
_WORTH = 1.2  # bfloat16 must be this much faster than float32 to be chosen on a CPU
_VERSION = 1


class Probe(BaseModel):
    """The measured abilities of a machine, and the choices that follow from them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str
    """"cuda", "mps" or "cpu"."""
    device_name: str
    """What the maker calls it."""
    float32_gflops: float
    """Measured on square matrix products, 10^9 operations a second."""
    bfloat16_gflops: float
    """The same in bfloat16; 0.0 where the device has no such products."""
    dtype: Precision
    """The precision to use: bfloat16 where it is measurably faster, else float32."""
    threads: int
    """Threads that PyTorch computes with."""

    @property
    def best_gflops(self) -> float:
        """The measured speed in the chosen precision."""
        return self.bfloat16_gflops if self.dtype == "bfloat16" else self.float32_gflops


def probe(
    cache_dir: Path,
    device: str | None = None,
    dtype: Precision | None = None,
    *,
    fresh: bool = False,
) -> Probe:
    """Measure this machine, or read what was measured before.

    Args:
        cache_dir: where `probe-<machine>.json` is kept.
        device: "cpu", "cuda", "cuda:N" or "mps"; None takes CUDA, else MPS, else the CPU.
        dtype: a precision to use whatever was measured; None chooses.
        fresh: measure again.

    Raises:
        InputError: the named device is unknown.
        SurroundingsError: the named device is not there, or torch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise SurroundingsError("torch is not installed", remedy='pip install "sluiceway[train]"') from error

    chosen = device or choose_device()
    _check_device(chosen)
    name = _device_name(chosen)
    threads = torch.get_num_threads()
    capability = torch.backends.cpu.get_cpu_capability()
    key = f"{_VERSION}|{platform.node()}|{chosen}|{name}|{torch.__version__}|{capability}|{threads}|{os.cpu_count()}"
    path = cache_dir / f"probe-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    found = None if fresh else _read(path)
    if found is None:
        float32 = _gflops(torch.float32, chosen)
        bfloat16 = _gflops(torch.bfloat16, chosen)
        best: Precision = "bfloat16" if bfloat16 > _WORTH * float32 else "float32"
        found = Probe(
            device=chosen,
            device_name=name,
            float32_gflops=round(float32, 1),
            bfloat16_gflops=round(bfloat16, 1),
            dtype=best,
            threads=threads,
        )
        atomic_write(path, (found.model_dump_json(indent=2) + "\n").encode())
    return found if dtype is None else found.model_copy(update={"dtype": dtype})


def choose_device() -> Literal["cuda", "mps", "cpu"]:
    """Return "cuda" where a GPU can be used, else "mps" on Apple silicon, else "cpu"."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _check_device(device: str) -> None:
    import torch

    kind, _, number = device.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and not number.isdigit()):
        raise InputError(f"'{device}' is no device", remedy="name cpu, cuda, cuda:N or mps")
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and int(number or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present[kind]:
        raise SurroundingsError(
            f"the device '{device}' is not there, or PyTorch was installed without it",
            remedy="name cpu, or install PyTorch for it",
        )


def _device_name(device: str) -> str:
    import torch

    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine() or "unknown"


def _gflops(dtype: Any, device: str) -> float:
    """Return the speed of large matrix products in about `_BUDGET` seconds; 0.0 where the device has none.

    A first look at small products on one thread says whether a large one fits the budget: without instructions for a
    precision it would take seconds. One thread, because threads that wait for each other on a busy machine make small
    products look a hundred times slower than they are.
    """
    import torch

    try:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            one = _best_product(dtype, device, _FIRST, _BUDGET / 4)
        finally:
            torch.set_num_threads(threads)
        guess = one * (threads if device == "cpu" else 1)
        if 2 * _SIZE**3 / (guess * 1e9) > _BUDGET:
            return guess
        return _best_product(dtype, device, _SIZE, _BUDGET)
    except RuntimeError:  # "not implemented for 'BFloat16'" and its like
        return 0.0


def _best_product(dtype: Any, device: str, size: int, seconds: float) -> float:
    """Return the GFLOPS of the fastest product of square matrices within some seconds (at least three products).

    The fastest, since other programs can only slow a product down.
    """
    import torch

    left = torch.ones(size, size, dtype=dtype, device=device)
    right = torch.ones(size, size, dtype=dtype, device=device)
    best, done, end = float("inf"), 0, time.perf_counter() + seconds
    while done < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        _ = left @ right
        _wait(device)
        best = min(best, time.perf_counter() - start)
        done += 1
    return 2 * size**3 / max(best, 1e-9) / 1e9


def _wait(device: str) -> None:
    """Wait until an accelerator has done what it was asked."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device == "mps":
        torch.mps.synchronize()


def _read(path: Path) -> Probe | None:
    """Read a cached probe; one that cannot be read is measured again."""
    try:
        return Probe.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return None
