"""A row becomes another one: what the new version holds, and where the new row was seen.

The verbs that change rows (`redact`, `labels --apply`, `add --fix` of a sheet of labels) decide what a row becomes;
what goes with it is the same for all: two rows that become one are of all their groups, and the places a row was seen
at go along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sluice.core.rows import COLUMNS
from sluice.curate.dataset import Version, row_schema
from sluice.curate.metadata import metadata_by_row
from sluice.curate.operation import EDGES, OCCURRENCES

if TYPE_CHECKING:
    import polars as pl

Records = dict[str, dict[str, Any]]
"""Records of rows.COLUMNS by row, in the order of the version."""


def hold(records: Records, record: dict[str, Any]) -> bool:
    """Put a row among those that the version will hold; return whether it was there: then it is of all their groups."""
    held = records.setdefault(record["row"], record)
    if held is record:
        return False
    held["groups"] = sorted({*(held["groups"] or []), *(record["groups"] or [])})
    return True


def content(records: Records) -> pl.DataFrame:
    """Return the rows that the version will hold as a frame of rows.COLUMNS."""
    import polars as pl

    return pl.DataFrame(list(records.values()), schema=row_schema(), orient="row").select(COLUMNS)


def carried(version: Version, edges: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return where the new rows of (old, new) were seen: where the old ones were, with all that stood beside them."""
    beside = metadata_by_row(version, [old for old, _ in edges])
    return [
        {key: place[key] for key in OCCURRENCES} | {"row": new} for old, new in edges for place in beside.get(old, [])
    ]


def places_frame(places: Sequence[Mapping[str, Any]]) -> pl.DataFrame | None:
    """Return places as a frame of OCCURRENCES; None where there are none."""
    import polars as pl

    schema: dict[str, Any] = {name: pl.Int64 if name == "line" else pl.String for name in OCCURRENCES}
    return pl.DataFrame(places, schema=schema, orient="row") if places else None


def edges_frame(edges: Sequence[tuple[str, str]]) -> pl.DataFrame | None:
    """Return (old, new) rows as a frame of EDGES; None where there are none."""
    import polars as pl

    return pl.DataFrame(edges, schema=list(EDGES), orient="row") if edges else None
