"""The checks of one project: ours and its own, with its severities and thresholds.

```toml
[checks]
disable = ["personal"]            # warnings that nobody here wants to read
[checks.truncated]
severity = "fail"                 # then the gate refuses its rows
threshold = 0.95                  # the number in its rule: sluice audit --list
```

A check of ours whose severity is fail can neither be left out nor lowered here: it stands for the gate's rule `audit`,
which is waived in the open or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sluice.core.errors import InputError
from sluice.curate.checks.base import CHECKS, Check, CheckSpec, Setting

if TYPE_CHECKING:
    from sluice.core.project import Project

WHERE = "sluice.toml"
NEAR = 0.7
"""Likeness (difflib) from which a name is suggested: `conflcit` is 0.88 like `conflict`, `nope` 0.6 like `gopher`."""


def _ours() -> dict[str, Check]:
    return dict(CHECKS)


@dataclass(frozen=True)
class Choice:
    """Checks by name, in order, and what a project says of them."""

    checks: dict[str, Check] = field(default_factory=_ours)
    settings: dict[str, Setting] = field(default_factory=dict[str, Setting])
    disabled: tuple[str, ...] = ()

    def names(self) -> list[str]:
        """Return the checks that run where none is named."""
        return [name for name in self.checks if name not in self.disabled]

    def get(self, name: str) -> Check:
        """Return a check, or raise InputError that suggests the nearest name. One that is left out may be named."""
        if name not in self.checks:
            raise InputError(f"no check is called '{name}'", remedy=_near(name, self.checks))
        return self.checks[name]

    def specs(self) -> Iterator[CheckSpec]:
        """Yield the specs with the project's values in them."""
        return (check.spec.under(self.settings.get(name)) for name, check in self.checks.items())

    def severe(self) -> set[str]:
        """Return the names of the checks of severity fail, as the project has it."""
        return {spec.name for spec in self.specs() if spec.severity == "fail" and spec.name not in self.disabled}

    def for_gate(self) -> list[str]:
        """Return the checks that the gate runs: all but slow ones that could only warn."""
        severe = self.severe()
        return [name for name in self.names() if name in severe or not self.checks[name].spec.slow]


def checks_of(project: Project | None) -> Choice:
    """Return the checks of a project, its own among them; without a project, ours.

    Raises InputError for an unknown name or value in sluice.toml, and for a check of the project that cannot be loaded.
    """
    from sluice.curate.checks.own import own_checks

    if project is None:
        return Choice()
    checks = _ours() | own_checks(project.root)
    if not project.has_config:
        return Choice(checks)
    said = project.config.checks
    for i, name in enumerate(said.disable):
        place = f"{WHERE}: [checks] disable, entry {i + 1}"
        _known(name, checks, place)
        if name in CHECKS and CHECKS.get(name).spec.severity == "fail":
            raise _gates(name, place)
    settings = {name: _setting(name, one.severity, one.threshold, checks) for name, one in said.named.items()}
    return Choice(checks, settings, tuple(said.disable))


def _setting(name: str, severity: str | None, threshold: float | None, checks: dict[str, Check]) -> Setting:
    place = f"{WHERE}: [checks.{name}]"
    _known(name, checks, place)
    spec = checks[name].spec
    if severity == "warn" and spec.severity == "fail" and name in CHECKS:
        raise _gates(name, place)
    if threshold is not None and spec.limit is None:
        raise InputError(
            f"the check '{name}' has no threshold to set: {spec.threshold}", where=place, remedy="take the key out"
        )
    low, high = spec.limits
    if threshold is not None and not low <= threshold <= high:
        raise InputError(
            f"the threshold {threshold:g} is out of range", where=place, remedy=f"a number from {low:g} to {high:g}"
        )
    return Setting("fail" if severity == "fail" else "warn" if severity == "warn" else None, threshold)


def _known(name: str, checks: dict[str, Check], place: str) -> None:
    if name not in checks:
        raise InputError(f"no check is called '{name}'", where=place, remedy=_near(name, checks))


def _near(name: str, checks: dict[str, Check]) -> str:
    near: Sequence[str] = get_close_matches(name, checks, n=1, cutoff=NEAR)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(checks)}"


def _gates(name: str, place: str) -> InputError:
    return InputError(
        f"the check '{name}' is one that the gate asks for: it cannot be switched off or lowered here",
        where=place,
        remedy='take it out; for one training: sluice waive audit --reason "..."',
    )
