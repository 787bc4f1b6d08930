"""The words of `sluice add` for files and options: what messages tell people to run, so that it can be run as said."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from sluice.core.wording import typed
from sluice.curate.formats.records import ReadOptions

FLAGS: tuple[str, ...] = tuple(f.name for f in fields(ReadOptions))
"""The options of ReadOptions, called alike on the command line."""
MOST_FILES = 3


def add_command(dataset: str, files: Sequence[str], options: Mapping[str, Any]) -> str:
    """Return the command that adds files under the options given; many files of one folder are named by a pattern."""
    flags = [word for flag in FLAGS for word in _flag(flag, options.get(flag))]
    return " ".join(["sluice add", dataset, _named(files), *flags])


def _flag(name: str, value: Any) -> list[str]:
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool) or not value:
        return [flag] if value else []
    values = value if isinstance(value, (list, tuple)) else [value]
    return [f"{flag} {shlex.quote(str(one))}" for one in values]


def _named(files: Sequence[str]) -> str:
    if len(files) > MOST_FILES:
        first = Path(files[0])
        pattern = f"*{first.suffix}"
        beside = {path for path in first.parent.glob(pattern) if not path.name.startswith(".")}
        if beside == set(map(Path, files)):  # what the shell would make of it
            folder = "" if first.parent == Path() else f"{typed(str(first.parent))}/"
            return folder + pattern
    return " ".join(map(typed, files))
