"""`restore`: bring rows that were dropped back into a dataset, whole and with the same name.

A row that was changed (redacted, mended) takes its place again: what was made of it leaves, for the reason `restored`.
A part takes back only what keeps it apart from the others: a row that touches an eval row, or a row of a sister part,
stays out and is named with what it touches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, Refused, UsageError
from sluice.core.project import Project
from sluice.core.rows import COLUMNS, SHOWN, AnyRow, from_record
from sluice.curate.adding.add import parts_of
from sluice.curate.catalogue import SHORTEST_PREFIX
from sluice.curate.dataset import PARTS, Version, has_dataset, open_dataset, open_newest
from sluice.curate.drops import Drop, drop_rows, dropped_frame
from sluice.curate.leaks.eval_side import change_edges, eval_side, pinned_boilerplate
from sluice.curate.leaks.find import Leak, find_leaks
from sluice.curate.operation import Outcome, commit
from sluice.curate.similar.similarity import Relation
from sluice.curate.splits.by_time import AFTER_CUT
from sluice.curate.splits.times import NO_TIME
from sluice.curate.stand_ins import stand_ins

RESTORED = "restored"
"""The reason of a row that leaves because the row that it was made of is there again."""


class StaysOut(BaseModel):
    """A row that was not brought back, and the row that it touches."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    touches: str | None
    """None where it is the row's time that keeps it out."""
    where: str
    how: str

    @property
    def why(self) -> str:
        """What keeps it out, in words."""
        if self.touches is None:
            return f"was set aside by the split of {self.where}: {self.how}"
        return f"touches row {self.touches[:SHOWN]} of {self.where} ({self.how})"


class RestoreResult(BaseModel):
    """What `restore` did, or would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    changed: bool
    rows: int
    restored: int
    """Rows brought back."""
    restored_rows: tuple[str, ...]
    counts: dict[str, int]
    """Rows brought back, by the reason they were dropped for."""
    stay_out: tuple[StaysOut, ...]
    replaced: int
    """Rows that left, since they had been made of rows that came back (redacted, mended)."""
    side_by_side: int
    """Rows that stay beside one that came back and that they were made of, since they stand for others as well."""
    already: tuple[str, ...]
    """Rows named that the dataset holds anyway."""
    parts: tuple[str, ...]
    dry_run: bool = False


def restore(
    project: Project,
    dataset: str,
    rows: Sequence[str] = (),
    *,
    reason: str | None = None,
    dry_run: bool = False,
) -> RestoreResult:
    """Bring dropped rows back and make the dataset's next version.

    Args:
        project: of the dataset.
        dataset: its name.
        rows: beginnings of row hashes, 6 digits or more.
        reason: all rows that were dropped for this reason; with `rows`, only those of them.
        dry_run: only say what would be brought back.

    Raises InputError for a row that was not dropped here (or a reason that none was), UsageError where neither rows nor
    a reason are named, Refused where all rows that were asked for touch an eval row or a sister part.
    """
    if not rows and reason is None:
        raise UsageError(
            "which rows?",
            remedy=f"sluice restore {dataset} ROW..., or --reason-was REASON (sluice show {dataset} --dropped)",
        )
    seen: dict[str, Any] = {}

    def build() -> Outcome | None:
        version = open_newest(project, dataset)
        frame, already = _wanted(version, rows, reason)
        touching = _touching(version, [from_record(r) for r in frame.iter_rows(named=True)])
        back = frame.filter(~frame["row"].is_in([t.row for t in touching]))
        standing = stand_ins(version, back)
        back = back.filter(~back["row"].is_in(list(standing.covered)))
        kept, left = drop_rows(
            version.frame(), [Drop(row, RESTORED, original) for row, original in standing.leave.items()]
        )
        counts = {str(r): int(n) for r, n in sorted(back.group_by("reason").len().iter_rows())}
        seen.update(back=back, already=already, touching=touching, counts=counts, rows=kept.height, standing=standing)
        if not back.height:
            return None
        import polars as pl

        return Outcome(
            verb="restore",
            parameters={"rows": list(rows), "reason": reason},
            parents=(version.parent,),
            contents={dataset: pl.concat([kept, back.select(COLUMNS)])},
            rows_in=version.manifest.rows,
            dropped=left if left.height else None,
            counts={"restored": back.height} | ({"replaced": left.height} if left.height else {}),
            report={"restored": back["row"].to_list(), "stay_out": [t.model_dump() for t in touching]},
        )

    if dry_run:
        build()
        changed = False
    else:
        changed = commit(project, build) is not None
    back, touching = seen["back"], seen["touching"]
    result = RestoreResult(
        dataset=dataset,
        version=open_dataset(project, dataset).number,
        changed=changed,
        rows=seen["rows"] + back.height,
        restored=back.height,
        restored_rows=tuple(back["row"]),
        counts=seen["counts"],
        stay_out=tuple(touching),
        replaced=len(seen["standing"].leave),
        side_by_side=len(seen["standing"].shared),
        already=seen["already"],
        parts=parts_of(project, dataset),
        dry_run=dry_run,
    )
    if touching and not back.height:
        first = touching[0]
        raise Refused(
            f"row {first.row[:SHOWN]} {first.why}" + (f"; so do {len(touching) - 1} more" if len(touching) > 1 else ""),
            where=dataset,
            remedy="it stays out, or the parts would share content; sluice why tells its story",
            result=result,
        )
    return result


def may_come_back(project: Project, dataset: str, rows: Sequence[str]) -> str | None:
    """Return the first of some rows that are out of a dataset which `restore` would bring back; None without one."""
    version = open_newest(project, dataset)
    gone = dropped_frame(version)
    if gone is None:
        return None
    asked = gone.filter(gone["row"].is_in(list(rows)))
    touching = {t.row for t in _touching(version, [from_record(r) for r in asked.iter_rows(named=True)])}
    return next((row for row in asked["row"] if row not in touching), None)


def _wanted(version: Version, rows: Sequence[str], reason: str | None) -> tuple[Any, tuple[str, ...]]:
    """Return (the dropped rows that are meant, rows named that are held anyway)."""
    import polars as pl

    gone = dropped_frame(version)
    if gone is None or not gone.height:
        raise InputError("nothing was dropped here", where=version.dataset, remedy="sluice ls")
    if reason is not None:
        reasons = sorted(set(gone["reason"]))
        gone = gone.filter(pl.col("reason") == reason)
        if not gone.height:
            raise InputError(
                f"no row is out for the reason '{reason}'",
                where=version.dataset,
                remedy=f"reasons: {', '.join(reasons)}",
            )
    if not rows:
        return gone, ()
    held = version.frame()["row"]
    found: list[str] = []
    already: list[str] = []
    for word in rows:
        if len(word) < SHORTEST_PREFIX:
            raise InputError(f"'{word}' is too short for a row", remedy=f"give {SHORTEST_PREFIX} digits or more")
        match = gone.filter(pl.col("row").str.starts_with(word.lower()))["row"].to_list()
        if not match and held.str.starts_with(word.lower()).any():
            already.append(word)
        elif len(match) != 1:
            raise InputError(
                f"'{word}' fits {len(match)} dropped rows" if match else f"no row '{word}' was dropped here",
                where=version.dataset,
                remedy="give more digits" if match else f"sluice show {version.dataset} --dropped",
            )
        found += match
    return gone.filter(pl.col("row").is_in(found)), tuple(already)


def _touching(version: Version, rows: list[AnyRow]) -> list[StaysOut]:
    """Return which rows touch an eval row or a row of a sister part; a whole dataset touches nothing."""
    project = version.project
    base, _, part = version.dataset.partition("/")
    if not part or not rows:
        return []
    groups = version.groups()
    gone = dropped_frame(version)
    if gone is not None:
        groups |= dict(zip(gone["row"], gone["groups"], strict=True))
    found = {row.row: row for row in _by_time(base, gone, rows)} if part != "eval" else {}
    for other in PARTS:
        if other == part or not has_dataset(project, f"{base}/{other}"):
            continue
        sister = open_dataset(project, f"{base}/{other}")
        relation, edges, theirs = Relation(pinned_boilerplate(sister)), change_edges(version, sister), sister.rows()
        for mine, leaks in (
            ("row", find_leaks(rows, theirs, relation, groups, sister.groups(), edges)),
            ("eval_row", find_leaks(theirs, rows, relation, sister.groups(), groups, edges)),
        ):
            _note(found, leaks, mine, sister.dataset)
    side = eval_side(project, version.dataset) if part != "eval" else None
    if side is not None:
        leaks = find_leaks(rows, side.rows, side.relation, groups, side.groups, change_edges(version))
        _note(found, leaks, "row", side.names[0])
    return list(found.values())


def _by_time(base: str, gone: Any, rows: list[AnyRow]) -> list[StaysOut]:
    """Return the rows that a split by time set aside because of their time: older than the parts they would join."""
    if gone is None:
        return []
    why = dict(zip(gone["row"], gone["reason"], strict=True))
    kept_out = [(row.row, why[row.row]) for row in rows if str(why.get(row.row)).startswith((AFTER_CUT, NO_TIME))]
    return [StaysOut(row=row, touches=None, where=base, how=reason) for row, reason in kept_out]


def _note(found: dict[str, StaysOut], leaks: list[Leak], mine: str, where: str) -> None:
    for leak in leaks:
        row, touches = (leak.row, leak.eval_row) if mine == "row" else (leak.eval_row, leak.row)
        found.setdefault(row, StaysOut(row=row, touches=touches, where=where, how=leak.how))
