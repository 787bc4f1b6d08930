"""`decontaminate`: drop the rows of a part that repeat an eval row, and name the texts around them that do.

A split leaves no leaks; this is for rows that came another way. Train is cleaned at any time, dev only before the first
baseline: after that, choices have been made on it. Leaks in prompts, schema and rubric are for a person to mend.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, Refused, UsageError
from sluice.core.ledger import Ledger
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.wording import counted
from sluice.curate.add import parts_of
from sluice.curate.dataset import Version, has_dataset, open_dataset, open_newest
from sluice.curate.drops import Drop, ShownRow, drop_rows, shown_row
from sluice.curate.eval_side import EvalSide, change_edges, eval_side
from sluice.curate.leaks import Leak, find_leaks, find_leaks_in_texts
from sluice.curate.operation import Outcome, commit

FIRST = 5


class LostTo(BaseModel):
    """How many rows one eval row cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    eval_row: ShownRow
    rows: int


class LeakShown(BaseModel):
    """A dropped row, the eval row that it repeats, and the words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: ShownRow
    eval_row: ShownRow
    how: str
    share: float
    field: str
    span: str


class TextLeak(BaseModel):
    """A text of the project that holds an eval row: to be mended by a person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    eval_row: str
    how: str
    span: str


class DecontaminateResult(BaseModel):
    """What `decontaminate` did, or would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    changed: bool
    rows_in: int
    rows: int
    dropped: int
    counts: dict[str, int]
    """Dropped rows by the way they repeat an eval row: equal, near-equal, contained, group."""
    against: tuple[str, ...]
    """The eval rows that were looked for."""
    eval_rows: int
    lost: tuple[LostTo, ...]
    """For each eval row that was repeated, the rows it cost, the dearest first."""
    first_dropped: tuple[LeakShown, ...]
    texts: tuple[TextLeak, ...]
    """Prompts, schema and rubric that hold an eval row."""
    dry_run: bool = False


def decontaminate(
    project: Project,
    dataset: str,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> DecontaminateResult:
    """Drop the rows of a dataset that stand in the relation to an eval row, and make its next version.

    Args:
        project: of the dataset.
        dataset: a part such as `tickets/train`, or a dataset that no eval rows were drawn from.
        dry_run: only say what would be dropped.
        progress: called with (what, done, total).

    Raises UsageError for an eval part and for a whole dataset that was split, InputError where there are no eval rows
    yet, Refused for dev once something was measured on it.
    """
    _check_part(project, dataset)
    side = eval_side(project, dataset)
    if side is None:
        raise InputError(
            "there are no eval rows yet to hold the rows against",
            where=dataset,
            remedy=f"sluice split {dataset.partition('/')[0]}",
        )
    if dataset.endswith("/dev"):
        _refuse_measured_dev(project)
    seen: dict[str, Any] = {}

    def build() -> Outcome | None:
        version = open_newest(project, dataset)
        leaks = leaks_of(version, side, progress)
        worst = strongest(leaks)
        drops = [Drop(x.row, f"leak-{x.how}", x.eval_row, x.share, f"{x.field}: {x.span}") for x in worst.values()]
        stays, goes = drop_rows(version.frame(), drops)
        counts = dict(Counter(x.how for x in worst.values()))
        seen.update(rows_in=version.manifest.rows, leaks=leaks, worst=worst, goes=goes, counts=counts)
        if not drops:
            return None
        if not stays.height:
            raise InputError(
                f"all of it, {counted(goes.height, 'row')}, repeats eval rows: nothing would be left to train on",
                where=version.ref,
                remedy="collect rows that are not eval rows, then: sluice add",
            )
        return Outcome(
            verb="decontaminate",
            parameters={"against": list(side.names)},
            parents=(version.parent,),
            contents={dataset: stays},
            rows_in=seen["rows_in"],
            dropped=goes,
            counts=counts,
        )

    if dry_run:
        build()
        changed = False
    else:
        changed = commit(project, build) is not None
    return _result(project, dataset, side, seen, changed=changed, dry_run=dry_run)


def leaks_of(version: Version, side: EvalSide, progress: Progress | None = None) -> list[Leak]:
    """Return every leak from the eval rows into a version; a row that is an eval row itself is one."""
    base = version.dataset.partition("/")[0]
    part = f"{base}/eval"
    beside = [open_dataset(version.project, part)] if has_dataset(version.project, part) else []
    return find_leaks(
        version.rows(),
        side.rows,
        side.relation,
        groups=version.groups(),
        eval_groups=side.groups,
        edges=change_edges(version, *beside),
        progress=progress,
    )


def strongest(leaks: list[Leak]) -> dict[str, Leak]:
    """Return the strongest leak of each row."""
    order = {"equal": 0, "near-equal": 1, "contained": 2, "group": 3}
    found: dict[str, Leak] = {}
    for leak in leaks:
        best = found.get(leak.row)
        if best is None or (order[leak.how], -leak.share) < (order[best.how], -best.share):
            found[leak.row] = leak
    return found


def project_texts(project: Project) -> dict[str, str]:
    """Return the texts that stand around rows, by name: prompt files, schema, rubric, the task's description."""
    names = sorted(p.relative_to(project.root).as_posix() for p in (project.root / "prompts").glob("**/*.md"))
    found: dict[str, str] = {}
    if project.has_config:
        config = project.config
        named = [config.task.output_schema, config.task.rubric, *config.prompts.baseline, config.prompts.train]
        names += [n for n in named if n is not None]
        found["sluice.toml: description"] = config.task.description
    for name in dict.fromkeys(names):
        if (project.root / name).is_file():
            found[name] = project.read_text(name, what="a text of the project")
    return found


def _check_part(project: Project, dataset: str) -> None:
    if dataset.endswith("/eval"):
        base = dataset.removesuffix("/eval")
        train = f"{base}/train" if has_dataset(project, f"{base}/train") else "NAME, the rows to train on"
        raise UsageError(
            f"'{dataset}' holds the eval rows that other rows are held against: none of them is dropped, and none is "
            "trained on",
            remedy=f"sluice decontaminate {train}",
        )
    parts = parts_of(project, dataset)
    if f"{dataset}/eval" in parts:
        raise UsageError(
            f"'{dataset}' was split: its parts are what is trained and measured on",
            remedy=f"sluice decontaminate {dataset}/train",
        )


def _refuse_measured_dev(project: Project) -> None:
    measured = Ledger(project).read(write_back=False).of("evaluated", on="dev")
    if measured:
        raise Refused(
            f"choices were made on dev already ({counted(len(measured), 'run')}): "
            "its rows do not change after the first baseline",
            where=f"ledger/{measured[0].hash[:12]}...json",
            remedy="leave dev as it is; clean the training rows: sluice decontaminate NAME/train",
        )


def _result(
    project: Project, dataset: str, side: EvalSide, seen: dict[str, Any], *, changed: bool, dry_run: bool
) -> DecontaminateResult:
    from sluice.core.rows import to_record

    worst: dict[str, Leak] = seen["worst"]
    eval_rows = {row.row: row for row in side.rows}
    per_eval = Counter(eval_row for eval_row, _ in {(leak.eval_row, leak.row) for leak in seen["leaks"]})
    lost = [
        LostTo(eval_row=shown_row(to_record(eval_rows[row])), rows=count)
        for row, count in sorted(per_eval.items(), key=lambda item: (-item[1], item[0]))
    ]
    first = [
        LeakShown(
            row=shown_row(record),
            eval_row=shown_row(to_record(eval_rows[worst[record["row"]].eval_row])),
            how=worst[record["row"]].how,
            share=worst[record["row"]].share,
            field=worst[record["row"]].field,
            span=worst[record["row"]].span,
        )
        for record in seen["goes"].head(FIRST).iter_rows(named=True)
    ]
    texts = [
        TextLeak(text=leak.row, eval_row=leak.eval_row, how=leak.how, span=leak.span)
        for leak in find_leaks_in_texts(project_texts(project), side.rows, side.relation)
    ]
    return DecontaminateResult(
        dataset=dataset,
        version=open_dataset(project, dataset).number,
        changed=changed,
        rows_in=seen["rows_in"],
        rows=seen["rows_in"] - len(worst),
        dropped=len(worst),
        counts=seen["counts"],
        against=side.names,
        eval_rows=len(side.rows),
        lost=tuple(lost),
        first_dropped=tuple(first),
        texts=tuple(texts),
        dry_run=dry_run,
    )
