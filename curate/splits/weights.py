"""How often the world said what a row says: the places it was seen at, and those of the rows it stands for.

Dedup keeps one of many; whoever reads an accuracy as "of requests" and not "of distinct requests" needs the many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.curate.dataset import Version, lineage, operation_frames

if TYPE_CHECKING:
    import polars as pl

DUPLICATE = "duplicate"
"""Within the reasons of `dedup` for a row that a kept one stands for."""


def weights(version: Version, *beside: Version) -> dict[str, int]:
    """Return, by row, how many places stand behind it: its own, and those of its duplicates and earlier forms.

    Args:
        version: with all operations that it stands on.
        beside: further versions, such as the dataset that eval rows were drawn from.

    A row that no file is known for is left out. Places are files and lines, so a file that was added twice counts once.
    """
    import polars as pl

    operations = list({o.id: o for v in (version, *beside) for o in lineage(v)}.values())
    heirs: dict[str, str] = {}
    seen = operation_frames(version.project, operations, "occurrences")
    out = operation_frames(version.project, operations, "dropped")
    changed = operation_frames(version.project, operations, "edges")
    if out is not None:
        twins = out.filter(pl.col("kept").is_not_null() & pl.col("reason").str.contains(DUPLICATE, literal=True))
        heirs.update(zip(twins["row"], twins["kept"], strict=True))
    if changed is not None:
        heirs.update(zip(changed["old"], changed["new"], strict=True))
    for held in (version, *beside):  # a row that came back stands for itself
        for row in held.frame()["row"]:
            heirs.pop(row, None)
    own = _places(seen) if seen is not None else {}
    found: dict[str, int] = {}
    for row, number in own.items():
        heir = _heir(row, heirs)
        found[heir] = found.get(heir, 0) + number
    return found


def _places(seen: pl.DataFrame) -> dict[str, int]:
    counts = seen.unique(["row", "file", "line"]).group_by("row").len()
    return dict(zip(counts["row"].to_list(), counts["len"].to_list(), strict=True))


def _heir(row: str, heirs: dict[str, str]) -> str:
    """Return the row that stands for another one in the end. Kept, dropped, restored and dropped may make a circle."""
    passed = {row}
    while (after := heirs.get(row)) is not None and after not in passed:
        row = after
        passed.add(row)
    return row
