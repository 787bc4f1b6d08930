"""The edge: every exception that can reach the command becomes one line, one exit code, one remedy.

It knows which exceptions of which libraries mean that the surroundings are at fault, by name and without importing
those libraries. It draws nothing.
"""

from __future__ import annotations

import errno
import traceback
from pathlib import Path

import click

from sluice.cli.envelope import Failure
from sluice.cli.terminal import Declined
from sluice.cli.verb import words
from sluice.core.errors import SluiceError

INTERRUPTED = "Interrupted. What was finished is kept and nothing is half-written; the same command goes on from there."
DECLINED = "Nothing was done."

_FULL = {errno.ENOSPC, errno.EDQUOT}
_WRONG_PATH = (FileNotFoundError, IsADirectoryError, NotADirectoryError, FileExistsError)
_WRONG_PATH_TOO = {errno.ENAMETOOLONG, errno.ELOOP}  # those without a class of their own
_LOOP = "Symlink loop from "  # before Python 3.13 `Path.resolve` says it in a RuntimeError, with the path behind it
_OUT_OF_MEMORY = {("torch", "OutOfMemoryError"), ("duckdb", "OutOfMemoryException"), ("numpy", "_ArrayMemoryError")}
_OUT_OF_MEMORY_TEXTS = ("not enough memory: you tried to allocate", "can't allocate memory", "CUDA out of memory")
_TRAIN_EXTRA = {"accelerate", "bitsandbytes", "gguf", "peft", "safetensors", "torch", "transformers", "trl"}


def explain(error: BaseException, *, if_interrupted: str | None = None) -> Failure:
    """Return what is wrong, where, what to do, and the exit code for any exception.

    Args:
        error: what reached the edge.
        if_interrupted: the verb's own sentence for Ctrl-C.
    """
    if isinstance(error, SluiceError):
        return Failure(error.exit_code, error.code, error.message, error.where, error.remedy)
    if isinstance(error, Declined):
        return Failure(130, "interrupted", DECLINED)
    if _kind(error) == ("duckdb", "InterruptException") or isinstance(error, KeyboardInterrupt | click.Abort):
        return Failure(130, "interrupted", if_interrupted or INTERRUPTED)
    if isinstance(error, click.ClickException):  # click's own way to say what is wrong with a command line
        return _usage(error)
    return _surroundings(error) or _bug(error)


def _usage(error: click.ClickException) -> Failure:
    """A command line that does not fit, as click found it."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    verb = words(ctx) if ctx is not None else None
    message = error.format_message()
    remedy = getattr(error, "remedy", None) or (f"sluice {verb} --help" if verb else "sluice --help")
    return Failure(2, "usage", message, f"sluice {verb}" if verb else None, remedy)


def _surroundings(error: BaseException) -> Failure | None:
    """Disk, memory, rights, paths, missing packages: mend and try again. None where it is something else."""
    text = str(error)
    full = isinstance(error, OSError) and error.errno in _FULL
    if full or "No space left on device" in text:  # polars, duckdb and safetensors say it in their own exceptions
        return Failure(5, "disk-full", "the disk is full", _path(error), "free some space, then run the same command")
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        remedy = "raise the limit (ulimit -f, or that of the file system), then run the same command"
        return Failure(5, "disk-full", "a file may not grow that large here", _path(error), remedy)
    out_of_memory = isinstance(error, MemoryError) or _kind(error) in _OUT_OF_MEMORY
    if out_of_memory or (isinstance(error, RuntimeError) and any(part in text for part in _OUT_OF_MEMORY_TEXTS)):
        remedy = "close other programs, or make the work smaller (batch size, rows), then run the same command"
        return Failure(5, "out-of-memory", "there is not enough memory for this", None, remedy)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in _TRAIN_EXTRA:
        message = f"this needs the package {(error.name or '').partition('.')[0]}, which is not installed"
        return Failure(5, "extra-missing", message, None, "pip install 'sluiceway[train]'")
    if isinstance(error, RuntimeError) and text.startswith(_LOOP):
        where = text.removeprefix(_LOOP).strip("'\"")
        return Failure(2, "bad-path", "this link leads to itself", where, "check the path")
    if not isinstance(error, OSError):
        return None
    reason = (error.strerror or text or type(error).__name__).lower()
    if isinstance(error, _WRONG_PATH) or error.errno in _WRONG_PATH_TOO:
        return Failure(2, "bad-path", reason, _path(error), "check the path")
    if isinstance(error, PermissionError):
        return Failure(5, "no-permission", reason, _path(error), "get the right to read and write there")
    return Failure(5, "surroundings", reason, _path(error), "mend it, then run the same command")


def _kind(error: BaseException) -> tuple[str, str]:
    """The package and the class of an exception, by name: `_duckdb` and `duckdb` are one."""
    return type(error).__module__.partition(".")[0].lstrip("_"), type(error).__name__


def _path(error: BaseException) -> str | None:
    """The file that an operating-system error speaks of, as seen from here."""
    name = getattr(error, "filename", None)
    if not isinstance(name, str | bytes):
        return None
    path = name.decode(errors="backslashreplace") if isinstance(name, bytes) else name
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path


def _bug(error: BaseException) -> Failure:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "sluice" in Path(frame.filename).parts] or frames
    where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else None
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Failure(70, "bug", f"a bug of ours: {said}", where, "run the same command with --debug for the trace")
