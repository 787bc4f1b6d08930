"""The checks of `audit`: one idea a file, each registered in `CHECKS` under its name.

A check looks at rows in memory (`CheckContext`) and names those that it finds; `Check.run` is the only way to a result
and takes a missing input for `absent`, never for a pass. May import `sluice.core`, `sluice.curate.similar.similarity`,
`sluice.curate.leaks.find` and `sluice.curate.privacy`. To add one: a subclass of `Check` with a spec, `find` and
`examples`, under `@file_check`; the property test walks the registry.
"""

from __future__ import annotations

from sluice.curate.checks import (
    balance,
    conflict,
    corpus,
    diversity,
    drift,
    echo,
    empty,
    label_errors,
    language,
    leak,
    lengths,
    markup,
    pair_tells,
    personal,
    phrases,
    preference,
    repeated,
    schema,
    spread,
    truncated,
)
from sluice.curate.checks.base import (
    CHECKS,
    Check,
    CheckContext,
    CheckResult,
    CheckSpec,
    Examples,
    Finding,
    Found,
    Setting,
    file_check,
)

__all__ = [
    "CHECKS",
    "Check",
    "CheckContext",
    "CheckResult",
    "CheckSpec",
    "Examples",
    "Finding",
    "Found",
    "Setting",
    "balance",
    "conflict",
    "corpus",
    "diversity",
    "drift",
    "echo",
    "empty",
    "file_check",
    "label_errors",
    "language",
    "leak",
    "lengths",
    "markup",
    "pair_tells",
    "personal",
    "phrases",
    "preference",
    "repeated",
    "schema",
    "spread",
    "truncated",
]
