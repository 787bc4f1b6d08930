"""What is left of decisions when rows or people are forgotten.

A decision about a row that goes, or about an input that such a row has, goes whole: its value, comment and suggestion
may hold what is to be forgotten. In decisions that stay people are taken out of every text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sluice.curate.privacy.erasure import Eraser


def left_of(records: Sequence[dict[str, Any]], eraser: Eraser) -> list[dict[str, Any]]:
    """Return the records of one file that stay, as they stay."""
    gone = {id(r) for r in records if _is_about(r, eraser)}
    undone = {str(r.get("id")) for r in records if id(r) in gone}
    return [
        eraser.value(r)
        for r in records
        if id(r) not in gone and not (r.get("kind") == "unlabel" and str(r.get("of")) in undone)
    ]


def _is_about(record: dict[str, Any], eraser: Eraser) -> bool:
    if str(record.get("row")) in eraser.rows:
        return True
    return any(str(record.get(key)) in eraser.inputs for key in ("input", "subject"))
