"""Errors that people can cause: what was wrong, where, and last the remedy.

Each child fixes the exit code of the command line (docs/exit-codes.md) and a stable `code` that scripts may match.
Nothing here knows about terminals; `sluice.cli` draws these, a library user catches them.
"""

from __future__ import annotations

from typing import Any, ClassVar


class SluiceError(Exception):
    """Base of every error with a known cause and a known remedy.

    Args:
        message: what is wrong, one sentence.
        where: the place: file, line, column, row id, key.
        remedy: what to do next, ideally an exact command.
        result: what a verb can still say on failure (shown as `result` by `--json`).
    """

    exit_code: ClassVar[int] = 2
    code: ClassVar[str] = "bad-input"

    def __init__(self, message: str, *, where: str | None = None, remedy: str | None = None, result: Any = None):
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy
        self.result = result

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.message}" if self.where else self.message]
        if self.remedy:
            parts.append(f"Fix: {self.remedy}")
        return " ".join(parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.where, self.remedy, self.result)


def _rebuild(kind: type[SluiceError], message: str, where: str | None, remedy: str | None, result: Any) -> SluiceError:
    return kind(message, where=where, remedy=remedy, result=result)


class InputError(SluiceError):
    """Bad input: a file, a row, a name, a configuration value. Exit 2."""


class BadPath(InputError):
    """No such file, or a folder where a file should be. Exit 2."""

    code = "bad-path"


class UsageError(SluiceError):
    """Words of a command or arguments of a call that do not fit together. Exit 2."""

    code = "usage"


class EvidenceSaysNo(SluiceError):
    """The evidence says no: worse, tampered, a failing check that was asked to fail. Exit 1."""

    exit_code = 1
    code = "evidence-says-no"


class Tampered(EvidenceSaysNo):
    """A stored file no longer holds what was recorded of it. Exit 1 in `verify`; refusals carry exit 3."""

    code = "tampered"


class Refused(SluiceError):
    """Gate, opening or promotion refused; the result says which rules. Exit 3."""

    exit_code = 3
    code = "refused"


class SurroundingsError(SluiceError):
    """Disk full, store busy, model absent, out of memory: mend and try again. Exit 5."""

    exit_code = 5
    code = "surroundings"


class StoreBusy(SurroundingsError):
    """Another process holds a lock for longer than we wait. Exit 5."""

    code = "store-busy"


class ModelNotFound(SurroundingsError):
    """No model of that name can be loaded here. Exit 5."""

    code = "model-not-found"


class DiskFull(SurroundingsError):
    """No space left, or none for this user or process. Exit 5."""

    code = "disk-full"


class NoPermission(SurroundingsError):
    """A file may not be read or written. Exit 5."""

    code = "no-permission"
