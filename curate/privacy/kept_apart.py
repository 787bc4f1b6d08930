"""Group values behind pseudonyms: rows of one group must stay known as one group to every leak check to come.

Eval and dev parts and frozen sets keep the values that their rows had. Where other rows lose such a value, no check
would find that they belong together.
"""

from __future__ import annotations

from sluice.core.canonical import dump_exact, parse_exact
from sluice.core.errors import InputError
from sluice.core.wording import counted
from sluice.curate.dataset import Version, has_dataset, open_dataset
from sluice.curate.leaks.eval_side import eval_side


def renamed_values(before: str, after: str) -> set[str]:
    """Return the values of metadata (JSON texts), as group values are written, that are others afterwards."""
    now = parse_exact(after)
    return {
        value if isinstance(value, str) else dump_exact(value)
        for name, value in parse_exact(before).items()
        if value is not None and now.get(name) != value
    }


def refuse_parted_groups(version: Version, renamed: set[str]) -> None:
    """Raise InputError where some of the values that rows lose are group values of eval or dev rows."""
    project, (base, _, part) = version.project, version.dataset.partition("/")
    side = eval_side(project, version.dataset)
    apart = {value for values in (side.groups.values() if side else ()) for value in values or ()}
    if has_dataset(project, f"{base}/dev"):
        apart |= {value for values in open_dataset(project, f"{base}/dev").groups().values() for value in values or ()}
    parted = apart & renamed
    if not parted:
        return
    remedy = f"drop its rows of those groups first: sluice decontaminate {version.dataset}"
    if part in ("eval", "dev"):
        remedy = f"redact the whole before it is split: sluice redact {base}"
    elif has_dataset(project, f"{base}/train") and not part:
        remedy = f"redact what is trained on: sluice redact {base}/train"
    raise InputError(
        f"{counted(len(parted), 'group')} of eval or dev rows {'is' if len(parted) == 1 else 'are'} named by what "
        "would be replaced: behind a pseudonym, rows of one group would no longer be kept apart",
        where=version.ref,
        remedy=remedy,
    )
