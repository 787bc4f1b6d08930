"""Where an answer that people compared came from, as `shown.sides` names it: `target`, a run, or a side of a pair.

Whoever makes the items of a comparison names each `Answer.source` by `side_of_run` (or `TARGET`), so that what people
said can be turned into pairs of texts later. The person sees the text alone.
"""

from __future__ import annotations

from sluice.core.errors import InputError

TARGET = "target"
"""The target of the row that was shown."""
PAIR = ("chosen", "rejected")
"""The two answers of a preference row that was judged again."""
RUN = "run:"


def side_of_run(run: str, repeat: int = 0) -> str:
    """Return the name of a run's answer: `run:` and its id, with `#REPEAT` where it is not the first to that row."""
    return f"{RUN}{run}#{repeat}" if repeat else f"{RUN}{run}"


def run_of_side(side: str) -> tuple[str, int] | None:
    """Return (run, repeat) of a side's name; None where it is an answer of the row itself.

    Raises InputError for a name that says neither.
    """
    if side in (TARGET, *PAIR):
        return None
    if not side.startswith(RUN):
        raise InputError(f"'{side}' says not where an answer came from", where="decisions", remedy="sluice verify")
    run, _, repeat = side.removeprefix(RUN).partition("#")
    return run, int(repeat) if repeat.isdigit() else 0
