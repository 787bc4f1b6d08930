"""What one rule says."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Status = Literal["ok", "refused", "waived", "later", "advice"]


class RuleResult(BaseModel):
    """One rule's answer: what was found, and last the exact command that would satisfy it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    status: Status
    word: str = ""
    """`absent` or `tampered` where the evidence is that; empty otherwise."""
    found: str
    fix: str | None = None
    details: tuple[str, ...] = ()
    """Rows and places, one a line, for `sluice gate --rows RULE`."""
    value: str | None = None
    """How bad it is, as a decimal string: what a waiver is bound to."""
    parts: dict[str, str] = {}
    """What the value is made of: by name a count, or `absent`. A waiver is bound to each of them, too."""
    waiver: str | None = None
    """The reason that was given, where the rule is waived."""

    @property
    def holds(self) -> bool:
        """Whether the rule does not stand in the way."""
        return self.status in ("ok", "waived", "advice")


def ok(rule: str, found: str, **more: object) -> RuleResult:
    """Return a rule that holds."""
    return RuleResult(rule=rule, status="ok", found=found, **more)  # type: ignore[arg-type]


def refused(rule: str, found: str, fix: str | None, **more: object) -> RuleResult:
    """Return a rule that does not hold."""
    return RuleResult(rule=rule, status="refused", found=found, fix=fix, **more)  # type: ignore[arg-type]


def later(rule: str, found: str) -> RuleResult:
    """Return a rule that cannot be judged before another one holds."""
    return RuleResult(rule=rule, status="later", found=found)


def absent(rule: str, found: str, fix: str | None, **more: object) -> RuleResult:
    """Return a rule whose evidence is not there: refused like failing evidence."""
    return refused(rule, f"absent: {found}", fix, word="absent", **more)
