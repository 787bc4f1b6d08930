"""How fast people decide: seconds a decision, by person and by hour of work. It knows nothing of what was decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError
from sluice.core.wording import counted

AWAY = 300.0
"""Seconds above which a person had left the desk: five minutes, several times what the slowest rubric takes. Such a
decision counts as one, and as this long in the time worked."""
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision: who, when (anything that sorts by time, such as an ISO text in UTC) and how long it took."""

    annotator: str
    time: str
    seconds: float


class HourPace(BaseModel):
    """One hour of work: breaks are not counted, so the second hour begins after 3,600 seconds of deciding."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hour: int
    """From 1."""
    decisions: int
    median: float
    """Seconds."""


class Pace(BaseModel):
    """One person's pace, or everybody's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    annotator: str | None
    """None: everybody."""
    decisions: int
    median: float
    """Seconds a decision."""
    ninth: float
    """Seconds that nine decisions of ten stay under."""
    worked: float
    """Hours of deciding."""
    an_hour: float
    """Decisions an hour of work."""
    away: int
    """Decisions of more than five minutes."""
    hours: tuple[HourPace, ...]

    @property
    def sentence(self) -> str:
        """Return the pace in words."""
        who = self.annotator or "all"
        return f"{who}: {counted(self.decisions, 'decision')}, {self.median:.1f} s each, {self.an_hour:,.0f} an hour"


def pace(decisions: Iterable[Decision]) -> tuple[Pace, ...]:
    """Return the pace of everybody together, then of each person by name; empty where nothing was decided.

    The hours of everybody together are each person's own hours, pooled: the first hour is everyone's first.

    Raises:
        InputError: a time below zero or not finite.
    """
    people: dict[str, list[Decision]] = {}
    for decision in decisions:
        if not 0 <= decision.seconds < float("inf"):
            raise InputError(f"a decision of {decision.seconds} seconds cannot be", where=decision.annotator)
        people.setdefault(decision.annotator, []).append(decision)
    if not people:
        return ()
    seconds, hours = {}, {}
    for name, theirs in sorted(people.items()):
        took = np.array([one.seconds for one in sorted(theirs, key=lambda one: one.time)])
        seconds[name] = took
        before = np.cumsum(np.minimum(took, AWAY)) - np.minimum(took, AWAY)
        hours[name] = (before // HOUR).astype(np.int64) + 1
    everybody = _pace(None, np.concatenate(list(seconds.values())), np.concatenate(list(hours.values())))
    return (everybody, *(_pace(name, seconds[name], hours[name]) for name in seconds))


def _pace(annotator: str | None, seconds: np.ndarray, hours: np.ndarray) -> Pace:
    worked = float(np.minimum(seconds, AWAY).sum()) / HOUR
    return Pace(
        annotator=annotator,
        decisions=len(seconds),
        median=round(float(np.median(seconds)), 3),
        ninth=round(float(np.quantile(seconds, 0.9)), 3),
        worked=round(worked, 4),
        an_hour=round(len(seconds) / worked, 1) if worked else 0.0,
        away=int((seconds > AWAY).sum()),
        hours=tuple(
            HourPace(
                hour=int(hour),
                decisions=int((hours == hour).sum()),
                median=round(float(np.median(seconds[hours == hour])), 3),
            )
            for hour in np.unique(hours)
        ),
    )
