"""Add rows to parts that exist. A split never moves a row, and what was an eval row stays one.

A new row follows the rows it hangs together with. One that touches an eval row, or would tie two parts together, is set
aside. Pure, like `sluice.curate.splits.split`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sluice.core.progress import Progress
from sluice.core.rows import AnyRow
from sluice.curate.leaks.find import find_leaks
from sluice.curate.similar.clusters import Groups, components
from sluice.curate.similar.similarity import Relation
from sluice.curate.splits.draw import Part


@dataclass(frozen=True)
class Assignment:
    """Where a new row goes."""

    row: str
    part: Part | None
    """None: set aside."""
    reason: str
    touches: str | None = None
    """A row of the part that it follows, or must not join."""


def extend_split(
    parts: Mapping[Part, Sequence[AnyRow]],
    new: Sequence[AnyRow],
    relation: Relation,
    groups: Groups | None = None,
    edges: Iterable[tuple[str, str]] = (),
) -> list[Assignment]:
    """Return where each new row goes, in order.

    Args:
        parts: the rows of train, dev and eval as they are.
        new: rows to be added; those that a part holds already are passed over.
        relation: with the boilerplate of the split (pinned with the frozen set).
        groups: group values by row hash, of old and new rows.
        edges: (old, new) row hashes of changes: a changed eval row touches the eval row it came from.

    A new row that repeats an eval row (any field), shares its group, or is repeated by a field of it is set aside; so
    is one that touches dev where the rows it hangs together with are tied to train. The others follow their component:
    to dev where it is tied to dev alone, else to train.
    """
    groups, edges = groups or {}, list(edges)
    held = {row.row for rows in parts.values() for row in rows}
    fresh = list({row.row: row for row in new if row.row not in held}.values())
    found: dict[str, Assignment] = {}
    for name, other in touches(fresh, parts.get("eval", ()), relation, groups, edges).items():
        found[name] = Assignment(name, None, "touches an eval row", other)
    dev, train = parts.get("dev", ()), parts.get("train", ())
    at_dev = touches(fresh, dev, relation, groups, edges)
    free = [row for row in fresh if row.row not in found]
    at_train = touches(free, train, relation, groups, edges)
    for numbers in components(free, relation, groups, edges):
        names = [free[n].row for n in numbers]
        near_train = any(name in at_train for name in names)
        near_dev = any(name in at_dev for name in names)
        for name in names:
            if near_dev and near_train and name in at_dev:
                found[name] = Assignment(name, None, "ties a dev row to train rows", at_dev[name])
            elif near_dev and not near_train:
                found[name] = Assignment(name, "dev", "follows rows of dev", at_dev.get(name))
            else:
                why = "follows rows of train" if near_train else "touches no part"
                found[name] = Assignment(name, "train", why, at_train.get(name))
    return [found[row.row] for row in fresh]


def touches(
    new: Sequence[AnyRow],
    part: Sequence[AnyRow],
    relation: Relation,
    groups: Groups,
    edges: Sequence[tuple[str, str]],
    progress: Progress | None = None,
) -> dict[str, str]:
    """Return new rows that stand in the relation to a row of a part, either way, with the first such row."""
    if not new or not part:
        return {}
    touched: dict[str, str] = {}
    for leak in find_leaks(new, part, relation, groups, edges=edges, progress=progress):
        touched.setdefault(leak.row, leak.eval_row)
    for leak in find_leaks(part, new, relation):
        touched.setdefault(leak.eval_row, leak.row)
    return touched
