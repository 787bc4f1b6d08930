"""Which class a row belongs to when a split is stratified, and how many rows of each class a part gets.

Knows rows and counts, nothing of similarity.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from sluice.core.canonical import canonical, structure_of
from sluice.core.errors import InputError, UsageError
from sluice.core.rows import AnyRow, Example
from sluice.core.wording import counted

MOST_CLASSES = 50
ROWS_A_CLASS = 5
NO_CLASS = "(none)"
_PARTS_OF_A_ROW = ("target", "input")


def classes(rows: Sequence[AnyRow], path: str | None, where: str = "--stratify") -> tuple[list[str] | None, str]:
    """Return the class of each row (None where the split is not stratified), and one sentence that says why.

    Args:
        rows: the rows that eval and dev are drawn from.
        path: such as "target.category", "input.language" or "target". Without it, the target is the class where it has
            at most 50 values of 5 rows or more on average.
        where: what asked for that path, for messages.

    Raises InputError where the path is found in no row, UsageError where it does not start with "target" or "input".
    """
    if path is None:
        values = [row.target if isinstance(row, Example) else None for row in rows]
        number = len(set(values))
        if not rows or number > MOST_CLASSES or len(rows) < ROWS_A_CLASS * number or set(values) == {None}:
            return None, "not stratified: the target has too many values"
        return [NO_CLASS if v is None else v for v in values], f"stratified by the target ({counted(number, 'value')})"
    steps = path.split(".")
    if steps[0] not in _PARTS_OF_A_ROW:
        known = [f"{part}.{path}" for part in _PARTS_OF_A_ROW if any(_look_up(row, [part, *steps]) for row in rows)]
        remedy = f"did you mean {' or '.join(known)}?" if known else "give target, target.KEY or input.KEY"
        raise UsageError(f"'{path}' begins with neither target nor input", where=where, remedy=remedy)
    found = [_look_up(row, steps) for row in rows]
    if rows and all(v is None for v in found):
        raise InputError(f"no row has a value at '{path}'", where=where, remedy=_suggestion(rows, steps, where))
    named = [NO_CLASS if v is None else v for v in found]
    return named, f"stratified by {path} ({counted(len(set(named)), 'value')})"


def _look_up(row: AnyRow, steps: Sequence[str]) -> str | None:
    value: Any = row.target if steps[0] == "target" and isinstance(row, Example) else None
    if steps[0] == "input" and isinstance(row.input, dict):
        value = row.input
    if steps[0] == "target" and len(steps) > 1:
        value = structure_of(value)
    for step in steps[1:]:
        value = cast("dict[str, Any]", value).get(step) if isinstance(value, dict) else None
    if value is None:
        return None
    return value if isinstance(value, str) else canonical(value)


def _suggestion(rows: Sequence[AnyRow], steps: Sequence[str], where: str) -> str:
    keys: Counter[str] = Counter()
    for row in rows[:1000]:
        value = row.input if steps[0] == "input" else structure_of(row.target) if isinstance(row, Example) else None
        if isinstance(value, dict):
            keys.update(list(cast("dict[str, Any]", value)))
    known = ", ".join(f"{steps[0]}.{key}" for key, _ in keys.most_common(5))
    if known:
        return f"one of {known}"
    return f"leave {where} out" if where.startswith("--") else f"take it out of sluice.toml ({where})"


def quotas(sizes: Mapping[str, int], total: int) -> dict[str, int]:
    """Share out a number of rows over classes in proportion to their sizes (largest remainders).

    No class gets more than its size; what it cannot take goes to the others. The sum is `total`, or the sum of the
    sizes where that is less. Ties go to the first class by name.
    """
    given = dict.fromkeys(sorted(sizes), 0)
    rest = min(total, sum(sizes.values()))
    while rest:
        room = {c: n - given[c] for c, n in sizes.items() if n > given[c]}
        everything = sum(room.values())
        shares = {c: rest * n / everything for c, n in room.items()}
        for c, share in shares.items():
            given[c] += int(share)
        rest -= sum(int(share) for share in shares.values())
        by_remainder = sorted(shares, key=lambda c: (-(shares[c] - int(shares[c])), c))
        for c in by_remainder:
            if rest and given[c] < sizes[c]:
                given[c] += 1
                rest -= 1
    return given
