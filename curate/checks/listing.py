"""`audit --list`: every check with its source, threshold and severity, as this project has them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sluice.core.project import Project
from sluice.curate.checks.base import CHECKS, MISSING, Severity
from sluice.curate.checks.choice import checks_of


class ListedCheck(BaseModel):
    """What is known of a check before it runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    severity: Severity
    what: str
    threshold: str
    """The rule, with its number in it."""
    limit: float | None
    """That number, where a project may set it."""
    limits: tuple[float, float] | None
    source: str
    needs: tuple[str, ...]
    """What it lacks where it is absent."""
    own: bool
    """A check of the project."""
    changed: bool
    """Whether sluice.toml says something of it."""
    disabled: bool


class CheckListing(BaseModel):
    """All checks; those of severity fail first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checks: tuple[ListedCheck, ...]


def list_checks(project: Project | None) -> CheckListing:
    """Return all checks of a project, or ours without one."""
    choice = checks_of(project)
    listed = [
        ListedCheck(
            name=spec.name,
            severity=spec.severity,
            what=spec.what,
            threshold=spec.rule,
            limit=spec.limit,
            limits=spec.limits if spec.limit is not None else None,
            source=spec.source,
            needs=tuple(MISSING[need].removeprefix("no ") for need in sorted(spec.needs)),
            own=spec.name not in CHECKS,
            changed=spec.name in choice.settings,
            disabled=spec.name in choice.disabled,
        )
        for spec in choice.specs()
    ]
    return CheckListing(checks=tuple(sorted(listed, key=lambda check: check.severity != "fail")))
