"""What the parts of a split are made of: rows, clusters, groups, labels, times, and what weighed how much before dedup.

Made when the parts are, kept in the operation's report, shown by `split NAME --report`. Pure: rows and what is known of
them in, one record out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.rows import AnyRow
from sluice.curate.similar.clusters import Groups, components
from sluice.curate.similar.similarity import Relation
from sluice.curate.splits.draw import SetAside
from sluice.curate.splits.strata import classes
from sluice.curate.splits.times import Times

LARGEST = 5
PARTS_AND_ASIDE = ("train", "dev", "eval", "set aside")


class Cluster(BaseModel):
    """Rows that hang together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    """One of them: the first by its hash."""
    rows: int
    weight: int
    """Places that its rows were seen at, those of the rows that dedup dropped for them included."""


class LabelShare(BaseModel):
    """Rows of one class in a part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    share: float
    """Of the part."""
    of_all: float
    """The share that the class has of all rows together."""


class PartReport(BaseModel):
    """What is in one part, or was set aside."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: str
    rows: int
    share: float
    """Of all rows together."""
    weight: int
    """Places that its rows were seen at before dedup."""
    weight_share: float
    clusters: int
    groups: int | None
    """Different group values; None where no row has any."""
    labels: dict[str, LabelShare]
    """By class; empty where the rows have no classes to be told apart by."""
    largest: tuple[Cluster, ...]
    """Its heaviest clusters."""
    oldest: str | None = None
    newest: str | None = None
    """The times of its rows, after a split by time."""


class HeavyClusters(BaseModel):
    """Every cluster that stood for more than one place, as columns of one length."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: tuple[str, ...]
    row: tuple[str, ...]
    rows: tuple[int, ...]
    weight: tuple[int, ...]


class SplitReport(BaseModel):
    """What the parts of a split are made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: tuple[PartReport, ...]
    """train, dev, eval, set aside; those that have rows."""
    rows: int
    weight: int
    classes: str
    """What the labels are, or why there are none."""
    time: str | None = None
    """The column of a split by time."""
    cuts: dict[str, str] = {}
    """The oldest time of eval and of dev, as it is written."""
    younger_in_train: int | None = None
    """Training rows that are not older than every cut: none, or the split is not what it says. None: not by time."""


def made_of(
    parts: Mapping[str, Sequence[AnyRow]],
    aside: Sequence[SetAside],
    all_rows: Mapping[str, AnyRow],
    clusters: Sequence[Sequence[str]] | None,
    relation: Relation,
    groups: Groups,
    edges: Iterable[tuple[str, str]],
    weights: Mapping[str, int],
    parameters: Mapping[str, Any],
    times: Times | None,
    cuts: Mapping[str, str],
) -> dict[str, Any]:
    """Return what a split's report says of its parts: `made_of`, and in `heavy` every cluster that weighs more than 1.

    Args:
        parts, aside, all_rows, groups, weights, times, cuts: as for `split_report`.
        clusters: row hashes that hang together; None: they are looked for, by `relation`, `groups` and `edges`.
        parameters: of the split.
    """
    if clusters is None:
        some = [*(row for rows in parts.values() for row in rows), *(all_rows[a.row] for a in aside)]
        clusters = [[some[n].row for n in numbers] for numbers in components(some, relation, groups, edges)]
    report, heavy = split_report(parts, aside, all_rows, clusters, groups, weights, parameters["stratify"], times, cuts)
    return {"made_of": report.model_dump(mode="json"), "heavy": heavy.model_dump(mode="json")}


def split_report(
    parts: Mapping[str, Sequence[AnyRow]],
    aside: Sequence[SetAside],
    all_rows: Mapping[str, AnyRow],
    clusters: Sequence[Sequence[str]],
    groups: Groups,
    weights: Mapping[str, int],
    stratify: str | None = None,
    times: Times | None = None,
    cuts: Mapping[str, str] | None = None,
) -> tuple[SplitReport, HeavyClusters]:
    """Return what the parts are made of, and every cluster that weighs more than 1.

    Args:
        parts: rows by part.
        aside: what is in none.
        all_rows: the rows by hash, those that are set aside included.
        clusters: row hashes that hang together.
        groups: group values by row hash.
        weights: places by row hash; a row that is not there weighs 1.
        stratify: path of the class.
        times, cuts: of a split by time.
    """
    part_of = {row.row: part for part, rows in parts.items() for row in rows}
    part_of |= {a.row: "set aside" for a in aside}
    members: dict[str, list[str]] = defaultdict(list)
    for row, part in part_of.items():
        members[part].append(row)
    of, why = classes([all_rows[row] for row in part_of], stratify)
    label = dict(zip(part_of, of, strict=True)) if of is not None else {}
    of_all = Counter(label.values())
    weight_of = {row: weights.get(row, 1) for row in part_of}
    total, heavy = sum(weight_of.values()), sum(map(len, members.values()))
    found = _clusters(clusters, part_of, weight_of)
    reports = [
        PartReport(
            part=part,
            rows=len(rows),
            share=len(rows) / heavy,
            weight=(weight := sum(weight_of[row] for row in rows)),
            weight_share=weight / total,
            clusters=len(found[part]),
            groups=len({v for row in rows for v in groups.get(row) or ()}) or None,
            labels={
                name: LabelShare(rows=count, share=count / len(rows), of_all=of_all[name] / heavy)
                for name, count in sorted(Counter(label[row] for row in rows).items())
            }
            if label
            else {},
            largest=tuple(found[part][:LARGEST]),
            **_range(rows, times),
        )
        for part in PARTS_AND_ASIDE
        if (rows := members.get(part))
    ]
    heaviest = sorted(((c, part) for part, cs in found.items() for c in cs if c.weight > 1), key=_heaviest_first)
    report = SplitReport(
        parts=tuple(reports),
        rows=heavy,
        weight=total,
        classes=why.replace("not stratified", "no labels").replace("stratified by", "labels:"),
        time=times.column if times else None,
        cuts=dict(cuts or {}),
        younger_in_train=_younger(members.get("train", ()), times, cuts or {}) if times else None,
    )
    return report, HeavyClusters(
        part=tuple(part for _, part in heaviest),
        row=tuple(c.row for c, _ in heaviest),
        rows=tuple(c.rows for c, _ in heaviest),
        weight=tuple(c.weight for c, _ in heaviest),
    )


def _clusters(
    clusters: Sequence[Sequence[str]], part_of: Mapping[str, str], weight_of: Mapping[str, int]
) -> dict[str, list[Cluster]]:
    """Return the clusters of each part, the heaviest first; one that was cut counts in each part it has rows in."""
    found: dict[str, list[Cluster]] = defaultdict(list)
    for names in clusters:
        inside: dict[str, list[str]] = defaultdict(list)
        for row in names:
            if row in part_of:
                inside[part_of[row]].append(row)
        for part, rows in inside.items():
            found[part].append(Cluster(row=min(rows), rows=len(rows), weight=sum(weight_of[r] for r in rows)))
    for part in found:
        found[part].sort(key=lambda c: (-c.weight, -c.rows, c.row))
    return found


def _heaviest_first(item: tuple[Cluster, str]) -> tuple[int, int, str]:
    cluster, _ = item
    return -cluster.weight, -cluster.rows, cluster.row


def _range(rows: Sequence[str], times: Times | None) -> dict[str, str]:
    dated = [row for row in rows if times and row in times.of]
    if times is None or not dated:
        return {}
    order = times.of
    dated.sort(key=lambda row: (order[row], row))
    return {"oldest": times.text[dated[0]], "newest": times.text[dated[-1]]}


def _younger(train: Sequence[str], times: Times, cuts: Mapping[str, str]) -> int:
    moments = [times.moment(text) for text in cuts.values()]
    return sum(row not in times.of or times.of[row] >= min(moments) for row in train) if moments else 0
