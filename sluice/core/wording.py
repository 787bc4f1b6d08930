"""How a count reads ("1 row", "2,716 rows"), and a path as it is typed. One way for all that is said to people."""

from __future__ import annotations

import shlex


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
