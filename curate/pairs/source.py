"""What a source of pairs is, and how `--from` names one: `choices`, `samples:RUN`, `feedback:FILE`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from sluice.core.errors import UsageError
from sluice.core.registry import Registry
from sluice.curate.pairs.candidate import Gathered
from sluice.curate.pairs.material import Material


@dataclass(frozen=True)
class Asked:
    """What a source is asked for.

    Args:
        of: what stands behind the colon, a run or a file; empty for people's decisions.
        columns: by role the column of a file (`--columns answer=reply,good=thumb`).
        seed: of draws.
    """

    of: str = ""
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    seed: int = 0


class Source(Protocol):
    """Says which answers were preferred to which."""

    name: str
    takes: str
    """What stands behind the colon: `RUN`, `FILE`, or nothing."""
    what: str
    """One line for people."""

    def gather(self, material: Material, asked: Asked) -> Gathered:
        """Return what was preferred; ties and the like are counted by reason."""
        ...


SOURCES: Registry[Source] = Registry("source of pairs")
S = TypeVar("S", bound=Source)


def source(kind: type[S]) -> type[S]:
    """Register a source under its name (class decorator)."""
    made = kind()
    SOURCES.register(made.name)(made)
    return kind


def read_source(word: str) -> tuple[str, Source, str]:
    """Return (name, source, what it is asked of) of a `--from`.

    Raises InputError for a source that there is not, UsageError where it lacks its run or file, or has none.
    """
    name, _, of = word.partition(":")
    found = SOURCES.get(name)
    if found.takes and not of:
        raise UsageError(f"'{name}' needs to be told of what", where="--from", remedy=f"--from {name}:{found.takes}")
    if of and not found.takes:
        raise UsageError(f"'{name}' takes nothing behind it", where=f"--from {word}", remedy=f"--from {name}")
    return name, found, of
