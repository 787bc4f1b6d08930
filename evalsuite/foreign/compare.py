"""Two logs, one verdict: `compare A B` asks whether B really beat A, on the same rows, paired.

Needs no project and writes no fact: neither log is evidence for a gate. The word comes from `sluice.evalsuite.verdict`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError
from sluice.evalsuite.foreign.scores import ForeignLog, Kind
from sluice.evalsuite.stats.rates import Rate, mean_rate
from sluice.evalsuite.verdict import Verdict, decide

T = TypeVar("T")
MOST_NAMED = 3  # rows named in a refusal
Direction = Literal["higher", "lower"]


class Flip(BaseModel):
    """A row on which the two logs differ."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    a: float
    b: float


class Comparison(BaseModel):
    """What the comparison of two logs found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    a: str
    """The log compared against."""
    b: str
    """The candidate."""
    verdict: Verdict
    rate_a: Rate
    """Mean score of A with its 95% interval, over the compared rows."""
    rate_b: Rate
    kind: Kind
    range: tuple[float, float]
    metric: str | None
    """The metric of both logs, where they name one."""
    only_a: int
    """Rows of A that B lacks; 0 unless the shared ones were asked for."""
    only_b: int
    other_content: int
    """Rows of one id that ask or want something else in the two logs, left out when the shared ones were asked for."""
    flips: tuple[Flip, ...]
    """Rows whose scores differ, the largest gain of B first."""
    note: str = "No project, no ledger: nothing was recorded, and no gate counts this."


def compare_logs(
    a: ForeignLog,
    b: ForeignLog,
    *,
    kind: Kind | None = None,
    range: tuple[float, float] | None = None,
    direction: Direction | None = None,
    claim: Literal["better", "not-worse"] = "better",
    margin: float | None = None,
    shared: bool = False,
    groups: Mapping[str, str] | None = None,
    alpha: float = 0.05,
) -> Comparison:
    """Compare log `b` with log `a`, row by row.

    Args:
        a: the log compared against.
        b: the candidate.
        kind: whether scores are 0/1 or graded; needed where the logs do not declare it.
        range: lowest and highest score; needed for graded scores where the logs do not declare it.
        direction: whether higher scores are better (as by default) or lower.
        claim: what is asked.
        margin: the loss that not-worse allows, as a share of the range.
        shared: compare on the rows that both logs have, where they do not have the same ones.
        groups: id to group, for rows that belong together; else the logs' own `group`.
        alpha: error probability, two-sided.

    Raises:
        InputError: different rows (up to 3 named), different content or targets under one id, no shared row, a kind or
            range that is missing or contradicts a log, a score outside the range.
    """
    chosen_kind: Kind | None = _agreed("kind", kind, a, b, a.kind, b.kind)
    if chosen_kind is None:
        raise InputError(
            "the logs do not say whether their scores are 0/1 or graded, and that is never guessed",
            where=f"{a.name}, {b.name}",
            remedy="add --kind binary, or --kind graded --range LOW HIGH",
        )
    chosen_range = _agreed("range", range, a, b, a.range, b.range)
    if chosen_range is None:
        if chosen_kind == "graded":
            raise InputError(
                "graded scores need the range they can take",
                where=f"{a.name}, {b.name}",
                remedy="add --range LOW HIGH, such as --range 0 1",
            )
        chosen_range = (0.0, 1.0)
    chosen_direction = _agreed("direction", direction, a, b, a.direction, b.direction) or "higher"
    if a.metric != b.metric and a.metric is not None and b.metric is not None:
        raise InputError(
            f"the logs hold different metrics: {a.metric} and {b.metric}",
            where=f"{a.name}, {b.name}",
            remedy="name one metric for both with --metric",
        )
    if a.by_input or b.by_input:
        a, b = _by_input(a), _by_input(b)
    ids, other_content = _aligned(a, b, shared=shared)
    for log in (a, b):
        _check_scores(log, ids, chosen_kind, chosen_range)
    scores_a, scores_b = [a.rows[i].score for i in ids], [b.rows[i].score for i in ids]
    verdict = decide(
        scores_a,
        scores_b,
        kind=chosen_kind,
        score_range=chosen_range,
        higher_is_better=chosen_direction == "higher",
        claim=claim,
        margin=margin,
        groups=_groups(a, b, ids, groups),
        alpha=alpha,
        rows=ids,
    )
    flips = [Flip(row=i, a=x, b=y) for i, x, y in zip(ids, scores_a, scores_b, strict=True) if x != y]
    flips.sort(key=lambda f: f.a - f.b if chosen_direction == "higher" else f.b - f.a)
    return Comparison(
        a=a.name,
        b=b.name,
        verdict=verdict,
        rate_a=mean_rate(scores_a, kind=chosen_kind, score_range=chosen_range, alpha=alpha),
        rate_b=mean_rate(scores_b, kind=chosen_kind, score_range=chosen_range, alpha=alpha),
        kind=chosen_kind,
        range=chosen_range,
        metric=a.metric or b.metric,
        only_a=sum(i not in b.rows for i in a.rows),
        only_b=sum(i not in a.rows for i in b.rows),
        other_content=other_content,
        flips=tuple(flips),
    )


def _agreed(what: str, given: T | None, a: ForeignLog, b: ForeignLog, in_a: T | None, in_b: T | None) -> T | None:
    """Return the one value of caller and logs; what a log declares of itself cannot be changed."""
    for log, value in ((a, in_a), (b, in_b)):
        if given is not None and log.declared and value is not None and value != given:
            raise InputError(
                f"the log declares the {what} {value}, not {given}", where=log.name, remedy=f"leave out --{what}"
            )
    if given is not None:
        return given
    if in_a is not None and in_b is not None and in_a != in_b:
        raise InputError(
            f"the logs differ in {what}: {in_a} and {in_b}",
            where=f"{a.name}, {b.name}",
            remedy="compare scores of one grader",
        )
    return in_a if in_a is not None else in_b


def _by_input(log: ForeignLog) -> ForeignLog:
    """Return a log of ours under the hashes of its inputs, where each of its rows has one of its own."""
    rows = {row.content or name: row for name, row in log.rows.items()}
    if log.format != "ours" or log.by_input or len(rows) != len(log.rows):
        return log
    return log.model_copy(update={"rows": {key: row.model_copy(update={"content": None}) for key, row in rows.items()}})


def _aligned(a: ForeignLog, b: ForeignLog, *, shared: bool) -> tuple[list[str], int]:
    """Return the ids to compare, in A's order, and how many were left out for other content under the same id."""
    both = [i for i in a.rows if i in b.rows]
    differ = [i for i in both if _differs(a, b, i)]
    if not shared:
        for log, other in ((a, b), (b, a)):
            alone = [i for i in log.rows if i not in other.rows]
            if alone:
                raise InputError(
                    f"{len(alone)} of {len(log.rows)} rows are not in {other.name}: {_named(alone)}",
                    where=log.name,
                    remedy="compare runs over the same rows, or add --shared to compare the rows that both have",
                )
        if differ:
            raise InputError(
                f"{len(differ)} of {len(both)} rows ask or want something else in the two logs under one id: "
                f"{_named(differ)} (line {a.rows[differ[0]].line} and line {b.rows[differ[0]].line})",
                where=f"{a.name}, {b.name}",
                remedy="run both on the same data, or add --shared to leave these rows out",
            )
    left = set(differ)
    ids = [i for i in both if i not in left]
    if not ids:
        raise InputError(
            "the logs have no row in common",
            where=f"{a.name}, {b.name}",
            remedy="compare runs over the same rows",
        )
    return ids, len(differ)


def _differs(a: ForeignLog, b: ForeignLog, row: str) -> bool:
    one, other = a.rows[row], b.rows[row]
    return any(
        x is not None and y is not None and x != y
        for x, y in ((one.content, other.content), (one.target, other.target))
    )


def _named(rows: list[str]) -> str:
    more = f" and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    return ", ".join(rows[:MOST_NAMED]) + more


def _check_scores(log: ForeignLog, ids: list[str], kind: Kind, score_range: tuple[float, float]) -> None:
    low, high = score_range
    for i in ids:
        row = log.rows[i]
        if not low <= row.score <= high or (kind == "binary" and row.score not in (low, high)):
            wanted = f"{low:g} or {high:g}" if kind == "binary" else f"within {low:g} and {high:g}"
            raise InputError(
                f"the score {row.score:g} of row '{i}' is not {wanted}",
                where=f"{log.name}:{row.line}",
                remedy="say what the scores are: --kind graded --range LOW HIGH",
            )


def _groups(a: ForeignLog, b: ForeignLog, ids: list[str], given: Mapping[str, str] | None) -> list[str | None] | None:
    found: list[str | None] = []
    for i in ids:
        in_a, in_b = a.rows[i].group, b.rows[i].group
        if given is None and in_a is not None and in_b is not None and in_a != in_b:
            raise InputError(
                f"row '{i}' is of group {in_a} in one log and of {in_b} in the other",
                where=f"{a.name}:{a.rows[i].line}, {b.name}:{b.rows[i].line}",
                remedy="write the same groups into both",
            )
        found.append(given.get(i) if given is not None else in_a or in_b)
    return found if any(group is not None for group in found) else None
