"""`--slice`: only a part of the rows is asked about. `column=value`, or a condition as `filter` has it."""

from __future__ import annotations

import re

from sluice.core.canonical import dump_exact
from sluice.core.errors import InputError
from sluice.core.progress import Progress
from sluice.curate.checks import CheckContext
from sluice.curate.dataset import Version
from sluice.curate.metadata import metadata_of
from sluice.curate.sql.ask import judge
from sluice.curate.sql.names import Names

_PLAIN = re.compile(r"\s*([^\W\d][\w.-]*)\s*=\s*([^=<>'\"()]*?)\s*")
"""A name, one sign of equality and a bare value: what people type without quotes."""


def in_slice(version: Version, expression: str, progress: Progress | None = None) -> set[str]:
    """Return the hashes of the rows and of the inputs that are in a slice.

    Args:
        version: whose rows.
        expression: `channel=web` (a column, field or place in the target, compared as text), or a DuckDB condition over
            the same names as `filter` knows, and `failing('CHECK')`.
        progress: called with (what, done, total).

    Raises InputError with the place for what is no condition over these rows, and where no row is in it.
    """
    rows = version.rows(progress)
    names = Names(CheckContext(rows, metadata=metadata_of(version, progress=progress), progress=progress))
    plain = _PLAIN.fullmatch(expression)
    if plain is not None:
        _, values = names.values(tuple(plain[1].split(".")), "--slice")
        inside = [_text(value) == plain[2] for value in values]
    else:
        inside = [value is True for value in judge(expression, names, lambda check: _failing(version, check)).values]
    found = {one for row, here in zip(rows, inside, strict=True) if here for one in (row.row, row.input_hash)}
    if not found:
        raise InputError(
            f"no row is in the slice {expression}",
            where="--slice",
            remedy=f"look at the values first: sluice audit {version.dataset}",
        )
    return found


def _failing(version: Version, check: str) -> set[str]:
    from sluice.curate.audit import failing_rows
    from sluice.curate.audit_dataset import audit_dataset

    report = audit_dataset(version.project, version.ref, checks=[check]).report
    return set(failing_rows(report, [check], version.dataset))


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else dump_exact(value)
