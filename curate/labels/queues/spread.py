"""`spread:COLUMN`: by turns from each value of a column, so that a small slice is seen as soon as a large one."""

from __future__ import annotations

from difflib import get_close_matches

from sluice.core.canonical import dump_exact
from sluice.core.errors import InputError, UsageError
from sluice.curate.labels.queues.base import QUEUES, Asking


@QUEUES.register("spread")
def spread(asking: Asking) -> list[str]:
    """Return all in rounds: of each value of the column the next one that is drawn. Absent is a value as well."""
    if not asking.of:
        raise UsageError("spread over which column?", where="--queue", remedy="--queue spread:COLUMN")
    beside = {
        s: {**dict(asking.items[s].texts), **asking.columns.get(asking.items[s].row, {})} for s in asking.subjects
    }
    known = {name for columns in beside.values() for name in columns}
    if asking.of not in known:
        near = get_close_matches(asking.of, known, n=1)
        raise InputError(
            f"no row has a column '{asking.of}'",
            where="--queue",
            remedy=f"did you mean spread:{near[0]}?" if near else f"columns here: {', '.join(sorted(known)) or 'none'}",
        )
    turns: dict[str, int] = {}
    round_of: dict[str, int] = {}
    for subject in (drawn := asking.drawn()):
        value = dump_exact(beside[subject].get(asking.of))
        round_of[subject] = turns.get(value, 0)
        turns[value] = round_of[subject] + 1
    return sorted(drawn, key=round_of.__getitem__)
