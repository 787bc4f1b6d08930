"""What counts as a reason where something is set aside or changed for good: one rule for all verbs that ask for one."""

from __future__ import annotations

from sluice.core.errors import InputError

SHORTEST_REASON = 10  # characters: "ok" is no reason


def check_reason(reason: str, *, what: str, remedy: str) -> str:
    """Return a reason without blanks around it.

    Args:
        reason: as it was typed.
        what: what needs it: "a waiver".
        remedy: the command with a reason in it.

    Raises InputError for one that nobody could follow later.
    """
    given = reason.strip()
    if len(given) < SHORTEST_REASON:
        raise InputError(
            f"{what} needs a reason that a colleague would accept, of {SHORTEST_REASON} characters or more: "
            f"'{given}' has {len(given)}",
            where="--reason",
            remedy=remedy,
        )
    return given
