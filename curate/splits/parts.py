"""`split`: a dataset becomes the parts NAME/train, NAME/dev and NAME/eval, versions of their own, that share nothing.

Where rows go is decided by `sluice.curate.splits.split` (first time) and `sluice.curate.splits.extend` (once parts
exist), or by `sluice.curate.splits.by_time`: a split never moves a row. Here their answer becomes versions. Rows that
can be in no part are kept as dropped, with the reason and the row they touch. The group values of rows are set on the
parts, and the boilerplate is pinned in the report.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from sluice.core.errors import UsageError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.rows import AnyRow
from sluice.core.wording import counted
from sluice.curate.adding.absent import bring_back
from sluice.curate.dataset import (
    PARTS,
    Version,
    has_dataset,
    open_dataset,
    open_newest,
    operation_frames,
    read_name,
)
from sluice.curate.drops import Drop, drop_rows, operations_on
from sluice.curate.leaks.eval_side import change_edges, eval_side, pinned_boilerplate
from sluice.curate.metadata import group_values
from sluice.curate.operation import Outcome, commit
from sluice.curate.similar.similarity import Relation
from sluice.curate.splits.by_time import AFTER_CUT, extend_by_time, split_by_time
from sluice.curate.splits.draw import Part, SetAside
from sluice.curate.splits.extend import extend_split
from sluice.curate.splits.parameters import (
    asked_by,
    first_parameters,
    first_split,
    last_made_of,
    refuse_no_size,
    report_of,
    same_parameters,
    sizes_of,
)
from sluice.curate.splits.parts_result import SplitDone, split_done
from sluice.curate.splits.report import made_of
from sluice.curate.splits.split import split
from sluice.curate.splits.times import times_of
from sluice.curate.splits.weights import weights

if TYPE_CHECKING:
    import polars as pl

LEFT_WHOLE = "dropped from the whole"


def split_dataset(
    project: Project,
    dataset: str,
    *,
    eval: int | float = 0,
    dev: int | float = 0,
    per_class: bool = False,
    source: str | None = None,
    seed: int | None = None,
    group: str | None = None,
    stratify: str | None = None,
    by_time: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SplitDone:
    """Draw the parts of a dataset; where they exist, add the rows that are new to it.

    Args:
        project: of the dataset; a sluice.toml is not needed, its `group` and `stratify` are used where it is there.
        dataset: the whole, not a part.
        eval, dev: rows of the part, or a share below 1; with `per_class` rows of each class.
        per_class: whether the sizes are for each class.
        source: another dataset that eval and dev are drawn from; its other rows stay where they are.
        seed: of the draw (0).
        group: the column beside a row whose values never straddle parts, in the place of the task's.
        stratify: path of the class, in the place of the task's.
        by_time: a column beside the rows; the newest rows become eval, those before them dev
            (`sluice.curate.splits.by_time`). dry_run: only say what would be done. progress: called with (what, done,
            total).

    Raises UsageError for a part, and for sizes, source or seed other than those of the split that was made; InputError
    where the sizes cannot be drawn.
    """
    if "/" in dataset:
        raise UsageError(f"'{dataset}' is a part already", remedy=f"sluice split {dataset.partition('/')[0]}")
    if source is not None and re.split("[@:/]", source)[0] == dataset:
        raise UsageError(
            f"'{dataset}' is drawn from in any case",
            where="--from",
            remedy="leave --from away, or name another",
        )
    asked = {"eval": eval, "dev": dev, "per_class": per_class, "source": source, "seed": seed}
    asked |= {"group": group, "stratify": stratify, "by_time": by_time}
    seen: dict[str, Any] = {}

    def build() -> Outcome | None:
        seen.clear()
        whole = open_newest(project, dataset)
        _ = whole.manifest  # absent, it is to come back before its parts can
        parts = {
            part: open_dataset(project, f"{dataset}/{part}")
            for part in PARTS
            if has_dataset(project, f"{dataset}/{part}")
        }
        if parts:
            return _extend(whole, parts, asked, seen, progress)
        return _draw(whole, asked, seen, progress)

    back: tuple[str, ...] = ()
    if dry_run:
        build()
        changed = False
    else:
        back = _bring_back(project, dataset, progress)
        changed = commit(project, build) is not None
    return split_done(project, dataset, seen, changed=changed, brought_back=back, dry_run=dry_run)


def _draw(whole: Version, asked: dict[str, Any], seen: dict[str, Any], progress: Progress | None) -> Outcome:
    project = whole.project
    parameters = first_parameters(project, asked)
    other = open_dataset(project, parameters["source"]) if parameters["source"] else None
    refuse_no_size(whole.dataset, parameters, other or whole)
    groups = _groups(parameters["group"], asked_by(asked, "group"), whole, *([other] if other else []))
    rows, beside = whole.rows(progress), other.rows(progress) if other else []
    edges = change_edges(whole, *([other] if other else []))
    times = times_of(whole, parameters.get("by_time"))
    if times is not None:
        done = split_by_time(rows, times, **sizes_of(parameters), groups=groups, edges=edges, progress=progress)
    else:
        done = split(
            rows,
            **sizes_of(parameters),
            seed=parameters["seed"],
            stratify=parameters["stratify"],
            stratify_by=asked_by(asked, "stratify"),
            eval_from=beside if other else None,
            groups=groups,
            edges=edges,
            progress=progress,
        )
    if progress:
        progress("report of the parts", 0, 0)
    frame, drawn_from = whole.frame(), (other or whole).frame()
    contents: dict[str, pl.DataFrame] = {}
    for part, names, of in (
        ("train", done.train, frame),
        ("dev", done.dev, drawn_from),
        ("eval", done.eval, drawn_from),
    ):
        if names:
            contents[f"{whole.dataset}/{part}"] = _with_groups(of.filter(of["row"].is_in(list(names))), groups)
    aside = list(done.set_aside)
    _, dropped = drop_rows(frame, [Drop(a.row, a.reason, a.touches) for a in aside])
    counts = {part: len(getattr(done, part)) for part in PARTS} | {"set_aside": len(aside)}
    by_name = {row.row: row for row in (*rows, *beside)}
    drawn = {part: [by_name[row] for row in getattr(done, part)] for part in PARTS}
    contents_report = made_of(
        drawn, aside, by_name, done.clusters, Relation(done.boilerplate), groups, edges,
        weights(whole, *([other] if other else [])), parameters, times, done.cuts,
    )  # fmt: skip
    seen.update(
        whole=whole,
        extended=False,
        aside=aside,
        rows={part: len(getattr(done, part)) for part in PARTS},
        new={part: len(getattr(done, part)) for part in PARTS},
        report={
            "notes": list(done.notes),
            "strata": done.strata,
            "components": done.components,
            "largest": done.largest,
            "left": len(done.left),
            "gone": 0,
            "cuts": dict(done.cuts),
            "boilerplate": done.boilerplate.model_dump(mode="json"),
            **contents_report,
        },
        seed=parameters["seed"],
    )
    return Outcome(
        verb="split",
        parameters=parameters,
        parents=(whole.parent, *([other.parent] if other else [])),
        contents=contents,
        rows_in=frame.height,
        dropped=_with_groups(dropped, groups),
        counts=counts,
        report=seen["report"],
    )


def _extend(
    whole: Version,
    parts: dict[str, Version],
    asked: dict[str, Any],
    seen: dict[str, Any],
    progress: Progress | None,
) -> Outcome | None:
    project = whole.project
    first = first_split(parts)
    parameters = same_parameters(whole.dataset, first, asked, project)
    side = eval_side(project, whole.dataset)
    relation = side.relation if side else Relation(pinned_boilerplate(next(iter(parts.values()))))
    groups = _groups(parameters["group"], asked_by(parameters if first else asked, "group"), whole)
    for version in parts.values():
        for row, values in version.groups().items():
            groups[row] = sorted({*groups.get(row, []), *(values or [])})
    if side:
        groups |= {row: values for row, values in side.groups.items() if values}
    rows: dict[Part, Sequence[AnyRow]] = {cast("Part", part): version.rows() for part, version in parts.items()}
    if side:
        rows["eval"] = side.rows
    frame = whole.frame()
    known = _ever_in_parts(parts)
    whole_rows = whole.rows(progress)
    new = [row for row in whole_rows if row.row not in known]
    edges = change_edges(whole, *parts.values())
    if progress:
        progress(f"placing {counted(len(new), 'new row')}", 0, len(new))
    times = times_of(whole, parameters.get("by_time"))
    cuts = report_of(project, first)["cuts"] if times and first else {}
    if times:
        placed = extend_by_time(rows, new, times, cuts, relation, groups, edges)
    else:
        placed = extend_split(rows, new, relation, groups, edges)
    aside = [SetAside(a.row, a.reason, a.touches) for a in placed if a.part is None]
    joins = {part: [a.row for a in placed if a.part == part] for part in PARTS}
    contents, gone = _extended_contents(whole, parts, joins, groups)
    seen.update(
        whole=whole,
        extended=True,
        aside=aside,
        rows={p: contents.get(f"{whole.dataset}/{p}", v.frame()).height for p, v in parts.items()},
        new={part: len(names) for part, names in joins.items()},
        report={
            "notes": _newer(whole.dataset, aside),
            "strata": {},
            "components": 0,
            "largest": 0,
            "left": 0,
            "gone": gone.height,
            "cuts": cuts,
            "boilerplate": relation.boilerplate.model_dump(mode="json"),
        },
        seed=parameters["seed"],
    )
    for part, names in joins.items():
        if names:
            seen["rows"][part] = contents[f"{whole.dataset}/{part}"].height
    if not contents and not aside:
        seen["report"] |= last_made_of(parts)
        return None
    by_name = {row.row: row for row in (*whole_rows, *(row for held in rows.values() for row in held))}
    held = {
        part: [by_name[r] for r in contents.get(f"{whole.dataset}/{part}", parts[part].frame())["row"]]
        for part in PARTS
        if part in parts or joins.get(part)
    }
    contents_report = made_of(
        held, aside, by_name, None, relation, groups, edges,
        weights(whole, *parts.values()), parameters, times, cuts,
    )  # fmt: skip
    seen["report"] |= contents_report
    if not contents:  # rows were set aside only: they are noted with a new number of the same rows
        part = "train" if "train" in parts else next(iter(parts))
        contents[f"{whole.dataset}/{part}"] = parts[part].frame()
    _, dropped = drop_rows(frame, [Drop(a.row, a.reason, a.touches) for a in aside])
    import polars as pl

    return Outcome(
        verb="split",
        parameters=parameters,
        parents=(whole.parent, *(v.parent for v in parts.values())),
        contents=contents,
        rows_in=frame.height,
        dropped=pl.concat([_with_groups(dropped, groups), gone]),
        counts={part: len(names) for part, names in joins.items()} | {"set_aside": len(aside), "gone": gone.height},
        report=seen["report"],
    )


def _newer(dataset: str, aside: Sequence[SetAside]) -> list[str]:
    """Return what can be done with rows that are newer than the parts of a split by time."""
    newer = sum(a.reason.startswith(AFTER_CUT) for a in aside)
    told = (
        f"newer rows cannot join parts that are cut by time: to train on them, split {dataset} anew as another dataset"
    )
    return [told] if newer else []


def _extended_contents(
    whole: Version, parts: dict[str, Version], joins: dict[str, list[str]], groups: dict[str, list[str]]
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Return (the parts that change, by name; the training rows that were dropped from the whole since)."""
    import polars as pl

    frame = whole.frame()
    contents: dict[str, pl.DataFrame] = {}
    held = set(frame["row"])
    since = operation_frames(whole.project, operations_on(whole), "dropped")
    out = (set(since["row"]) if since is not None else set[str]()) - held
    train = parts["train"].frame() if "train" in parts else frame.clear()
    stays, gone = drop_rows(train, [Drop(row, LEFT_WHOLE) for row in train["row"] if row in out])
    for part, names in joins.items():
        old = stays if part == "train" else parts[part].frame() if part in parts else frame.clear()
        if names or (part == "train" and gone.height):
            joined = _with_groups(frame.filter(frame["row"].is_in(names)), groups)
            contents[f"{whole.dataset}/{part}"] = pl.concat([old, joined])
    return contents, gone


def _bring_back(project: Project, dataset: str, progress: Progress | None) -> tuple[str, ...]:
    """Make absent content of the parts again: a split that is repeated gives the same rows. Returns their names."""

    def draw(version: Version) -> pl.DataFrame | None:
        operation = version.operation
        whole, *beside = (Version(project, read_name(project, p.dataset, p.number)) for p in operation.parents)
        if not all(v.is_here for v in (whole, *beside)):
            return None
        parts = {v.dataset.partition("/")[2]: v for v in beside if v.dataset.startswith(f"{dataset}/")}
        if parts:
            outcome = _extend(whole, parts, {}, {}, progress)
        else:
            outcome = _draw(whole, dict(operation.parameters), {}, progress)
        return outcome.contents.get(version.dataset) if outcome else None

    found: list[str] = []
    names = [f"{dataset}/{part}" for part in PARTS]
    while back := [ref for name in names for ref in bring_back(project, name, draw=draw)]:
        found += back  # a later version of one part may stand on one of another
    return tuple(sorted(found))


def _ever_in_parts(parts: dict[str, Version]) -> set[str]:
    """Return the rows that a part holds, and those that a split set aside or a verb dropped from a part.

    A row that left train because it had left the whole is not among them: brought back to the whole, it is new.
    """
    known: set[str] = set()
    for version in parts.values():
        known |= set(version.frame()["row"])
        dropped = operation_frames(version.project, operations_on(version), "dropped")
        if dropped is not None:
            known |= set(dropped.filter(dropped["reason"] != LEFT_WHOLE)["row"])
    return known


def _groups(column: str | None, where: str, *from_: Version) -> dict[str, list[str]]:
    """Return group values by row over some versions; at least the first of them must have the column."""
    if column is None:
        return {}
    found: dict[str, list[str]] = group_values(from_[0], column, where=where)
    for version in from_[1:]:
        found |= group_values(version, column, needed=False)
    return found


def _with_groups(frame: pl.DataFrame, groups: dict[str, list[str]]) -> pl.DataFrame:
    """Return the frame with the group values of its rows set; rows without any keep what they have."""
    import polars as pl

    values = [
        sorted(groups.get(row) or old or []) for row, old in zip(frame["row"], frame["groups"].to_list(), strict=True)
    ]
    return frame.with_columns(pl.Series("groups", values, dtype=pl.List(pl.String)))
