"""The audit of pairs: what tells chosen from rejected beside their worth, measured before anyone trains on them.

`sluice pairs` shows it for what it built; the gate's advice `pair-balance` and the checks `chosen-longer`,
`shared-prefix`, `format-tells`, `pair-position` and `pair-cycles` go by the same numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.rows import Preference
from sluice.core.wilson import wilson_bounds
from sluice.curate.checks.conflict import same_answer
from sluice.curate.checks.pair_tells import in_rings, tells_of
from sluice.curate.checks.preference import PREFIX, cohens_d, length_auc, sizes_of
from sluice.curate.dataset import Version
from sluice.curate.metadata import metadata_of


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LengthBias(_Record):
    """How far length alone goes. Lengths are in words and marks, close to tokens."""

    chosen: float
    """Mean of the chosen answers."""
    rejected: float
    difference: float
    cohens_d: float
    longer_chosen: float
    """Share of the pairs whose longer answer is chosen, equal lengths counted as a half."""
    auc: float
    """Of a model that sees the difference of the lengths alone: 0.5 says that length explains nothing."""


class PositionBias(_Record):
    """Which side of the screen people chose. Of choices that were all made in one order of the sides."""

    choices: int
    first_chosen: float
    low: float
    high: float
    """Ends of Wilson's 95% interval."""


class Tell(_Record):
    """A form, and how many of the answers have it."""

    form: str
    chosen: float
    rejected: float


class Margins(_Record):
    """How far apart the answers of a pair are, on a scale from 0 to 1."""

    least: float
    lower_quarter: float
    median: float
    upper_quarter: float
    most: float


class PairAudit(_Record):
    """What is known of a set of pairs. None: nothing could be measured, never that all is well."""

    pairs: int
    inputs: int
    length: LengthBias | None
    position: PositionBias | None
    people: dict[str, int]
    """Pairs by who or what preferred; a pair that several preferred counts for each."""
    tells: tuple[Tell, ...]
    """The forms whose shares differ most, at most five."""
    same_prefix: float
    """Share of the pairs whose answers share their first 20 characters or more."""
    sources: dict[str, int]
    """Pairs by source; of unknown ones `elsewhere`."""
    margins: Margins | None
    rings: int
    """Pairs that stand in a ring of preferences (transitivity)."""
    on_policy: float | None
    """Share of the pairs whose answers were both written by one and the same model."""
    models: dict[str, int]
    """Answers by the model that wrote them."""


def audit_version(version: Version) -> PairAudit:
    """Return the audit of the preference rows of a version, with what was kept beside them."""
    rows = [row for row in version.rows() if isinstance(row, Preference)]
    return audit_pairs(rows, metadata_of(version, [row.row for row in rows]))


def audit_pairs(rows: Sequence[Preference], beside: Mapping[str, Mapping[str, Any]]) -> PairAudit:
    """Return the audit of pairs.

    Args:
        rows: the pairs.
        beside: by row what `sluice pairs` keeps beside it (`Candidate.provenance`); pairs without it count as from
            elsewhere.
    """
    import polars as pl

    said = [beside.get(row.row, {}) for row in rows]
    frame = pl.DataFrame({"chosen": [r.chosen for r in rows], "rejected": [r.rejected for r in rows]},
                         schema={"chosen": pl.String, "rejected": pl.String})  # fmt: skip
    prefix = (pl.col("chosen").str.head(PREFIX) == pl.col("rejected").str.head(PREFIX)) & (
        pl.col("chosen").str.len_chars() > PREFIX
    )
    edges: dict[str, list[tuple[int, str, str]]] = {}
    for i, row in enumerate(rows):
        edges.setdefault(row.input_hash, []).append((i, same_answer(row.chosen), same_answer(row.rejected)))
    people = Counter(by for one in said for by in one.get("preferred_by", ()))
    models = Counter(str(one[k]) for one in said for k in ("chosen_model", "rejected_model") if one.get(k))
    own = [bool(one.get("chosen_model")) and one.get("chosen_model") == one.get("rejected_model") for one in said]
    return PairAudit(
        pairs=len(rows),
        inputs=len(edges),
        length=_length(frame) if rows else None,
        position=_position([str(one["shown_first"]) for one in said if one.get("shown_first")]),
        people=dict(people.most_common()),
        tells=tuple(
            Tell(form=name, chosen=round(a, 4), rejected=round(b, 4))
            for name, a, b in (tells_of(frame)[:5] if rows else ())
            if a != b
        ),
        same_prefix=round(frame.filter(prefix).height / len(rows), 4) if rows else 0.0,
        sources=dict(Counter(str(one.get("source", "elsewhere")) for one in said).most_common()),
        margins=_margins([float(one["margin"]) for one in said if "margin" in one]),
        rings=sum(len(in_rings(of)) for of in edges.values() if len(of) >= 3),
        on_policy=round(sum(own) / len(own), 4) if any(said) else None,
        models=dict(models.most_common()),
    )


def _length(frame: Any) -> LengthBias:
    import numpy as np

    a, b = sizes_of(frame)
    return LengthBias(
        chosen=round(float(a.mean()), 2),
        rejected=round(float(b.mean()), 2),
        difference=round(float(a.mean() - b.mean()), 2),
        cohens_d=round(cohens_d(a, b), 3) if len(a) > 1 else 0.0,
        longer_chosen=round(float(np.mean((a > b) + 0.5 * (a == b))), 4),
        auc=round(length_auc(a, b), 4),
    )


def _position(first: Sequence[str]) -> PositionBias | None:
    if not first:
        return None
    hits = first.count("chosen")
    low, high = wilson_bounds(hits, len(first))
    return PositionBias(
        choices=len(first), first_chosen=round(hits / len(first), 4), low=round(low, 4), high=round(high, 4)
    )


def _margins(margins: Sequence[float]) -> Margins | None:
    import numpy as np

    if not margins:
        return None
    least, lower, median, upper, most = (round(float(q), 4) for q in np.quantile(margins, [0, 0.25, 0.5, 0.75, 1]))
    return Margins(least=least, lower_quarter=lower, median=median, upper_quarter=upper, most=most)
