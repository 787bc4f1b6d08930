"""Waivers as they stand on record: the form that each must have, and whether one covers what is found now.

A fact is bytes that anybody can write, so a waiver is held against what its rule could have found at all. What can be
said of the rows that it was given for is said where these are at hand (evidence, `verify`). Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from sluice.core.ledger import Fact
from sluice.core.reasons import SHORTEST_REASON
from sluice.evalsuite.gradable import AGREEMENT_NEEDED, CONTROLS_NEEDED
from sluice.train.policy import ABSENT, ADVICE, FEWEST_DEV, TRAIN_ROWS, WAIVABLE

if TYPE_CHECKING:
    from sluice.train.rules.result import RuleResult

OF_ROWS = ("audit", "train-size")
"""Rules whose value speaks of rows: a waiver of them names the version, and is held against it."""
WORST = {
    "gradable": 1 + AGREEMENT_NEEDED + CONTROLS_NEEDED,
    "dev-size": float(FEWEST_DEV),
    "resolvable": 2.0,
    "ladder": 1.0,
    "label-agreement": 1.0,
    "pair-balance": 1.0,
}
"""By rule the worst value that it can find; of headroom it is the width of the metric's range."""


def form_problem(body: Mapping[str, Any], *, width: float | None = None) -> str | None:
    """Return why the body of a `waived` fact is none that `sluice waive` could have written, or None.

    Args:
        width: of the range of the metric's scores, where it is known: what a score can lie above a target.
    """
    rule = str(body.get("rule"))
    if rule not in (*WAIVABLE, *ADVICE):
        return f"'{rule}' cannot be waived"
    if len(str(body.get("reason") or "").strip()) < SHORTEST_REASON:
        return f"its reason has less than {SHORTEST_REASON} characters"
    value, parts = _number(body.get("value")), parts_of(body)
    if value is None or parts is None:
        return "it names no value that was found"
    most = width if rule == "headroom" else WORST.get(rule)
    if most is not None and value > most + 1e-6:
        return f"its value {body['value']} is more than {rule} can find ({most:g})"
    counts = [part for part in parts.values() if part != ABSENT]
    if rule != "audit":
        return "it has parts, and only audit has" if parts else None
    if not all(part.isdecimal() for part in counts) or value != sum(map(int, counts)):
        return f"its value {body['value']} is not the sum of its parts"
    return None


def rows_problem(body: Mapping[str, Any], rows: int) -> str | None:
    """Return what a `waived` fact says that cannot be of the rows it was given for.

    Args:
        rows: how many rows the version has that it names.
    """
    parts = parts_of(body) or {}
    over = [name for name, part in parts.items() if part != ABSENT and int(part) > rows]
    if over:
        return f"{over[0]} is said to name {parts[over[0]]} rows, and its version has {rows}"
    low, high = TRAIN_ROWS
    if body.get("rule") == "train-size" and _number(body.get("value")) != max(low - rows, rows - high):
        return f"its value {body.get('value')} is not that of a version of {rows} rows"
    return None


def covers(fact: Fact, result: RuleResult) -> bool:
    """Return whether a waiver is of this rule, and neither the value nor any part of it has got worse since."""
    bound, found = _number(fact.body.get("value")), parts_of(fact.body)
    if fact.body.get("rule") != result.rule or bound is None or found is None or result.value is None:
        return False
    return float(result.value) <= bound and all(_within(n, found.get(name, "")) for name, n in result.parts.items())


def parts_of(body: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the parts of a waiver by check; None where they are no such thing."""
    found = body.get("parts", {})
    if not isinstance(found, dict):
        return None
    return {str(name): str(part) for name, part in cast("dict[Any, Any]", found).items()}


def _within(count: str, then: str) -> bool:
    if ABSENT in (count, then):
        return count == then
    return then.isdecimal() and int(count) <= int(then)


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
