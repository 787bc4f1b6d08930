"""The files of a command line: `-` is stdin, read here; all other words stay as they were typed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.core.errors import UsageError

if TYPE_CHECKING:
    from sluice.curate.formats import Entry

STDIN = "stdin"  # what rows that came that way are remembered by


def given_files(words: Sequence[str]) -> list[str | Entry]:
    """Return words as `add` and `audit_files` take them. Raises UsageError where `-` stands and nothing is piped in."""
    from sluice.curate.formats import STDIN as DASH
    from sluice.curate.formats import Entry

    given: list[str | Entry] = []
    for word in words:
        if word != DASH:
            given.append(word)
            continue
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(
                "'-' reads what is piped in, and nothing is",
                remedy="pipe something: zcat rows.jsonl.gz | sluice add NAME -",
            )
        given.append(Entry(Path(STDIN), name=STDIN, data=sys.stdin.buffer.read()))
    return given
