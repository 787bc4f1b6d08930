"""How a count reads ("1 row", "2,716 rows"), a path as it is typed, and a text that is shown. One way for all."""

from __future__ import annotations

import shlex
from pathlib import Path

_CONTROL = [code for code in (*range(32), *range(127, 160)) if code not in (9, 10)]
_REORDERING = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
"""Characters that reorder the text around them (Trojan Source, CVE-2021-42574)."""
_VISIBLE = {c: f"\\x{c:02x}" for c in _CONTROL} | {c: f"\\u{c:04x}" for c in _REORDERING}


def visible(text: str) -> str:
    """Return `text` with control characters and text-reordering marks written as escapes; tab and line feed stay."""
    return text.translate(_VISIBLE)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun.

    Args:
        number: how many.
        noun: of one of them; words may follow the noun where `plural` is given ("row is", "rows are").
        plural: of several, where an "s" at the end does not make it.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def typed(path: str) -> str:
    """Return a path as it is typed behind a verb: quoted where the shell needs it, never taken for an option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def export_command(dataset: str, folder: Path) -> str:
    """Return the command that writes a dataset to a file of its name in a folder, under a name that is still free."""
    stem, number = dataset.replace("/", "-"), 1
    name = f"{stem}.jsonl"
    while (folder / name).exists():  # rows may have been read from it
        name = f"{stem}-clean.jsonl" if number == 1 else f"{stem}-clean-{number}.jsonl"
        number += 1
    return f"sluice export {dataset} {name}"
