"""Rows that an operation took out: how they are kept, found again and shown.

Each dropped row is stored whole beside its reason and, where there is one, the row kept in its place. `drop_rows` cuts
a frame in two for a new operation, and `drop_from` carries it out; `dropped_rows` lists what is still out of a dataset.
It knows nothing of why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import JsonProblem, dump_exact, parse_exact
from sluice.core.errors import InputError
from sluice.core.evalset import read_set, set_folders
from sluice.core.project import Project
from sluice.core.rows import COLUMNS, to_record
from sluice.curate.dataset import (
    PARTS,
    Version,
    dataset_names,
    has_dataset,
    lineage,
    open_dataset,
    open_newest,
    operation_frames,
)
from sluice.curate.operation import DROPPED_EXTRA, Operation, Outcome, commit

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Drop:
    """One row that goes."""

    row: str
    reason: str
    kept: str | None = None
    """The row that stays in its place, or the eval row that it repeats."""
    similarity: float | None = None
    detail: str | None = None


class ShownRow(BaseModel):
    """A row as people and scripts see it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    input: Any
    """The fields, or {"messages": [...]}, as JSON values; None where the row is in no version that is here."""
    target: str | None = None
    """What the row teaches to answer: the target, the preferred answer, the judged answer."""
    kind: str = "example"
    rejected: str | None = None
    """Of a pair: the other answer."""
    good: bool | None = None
    """Of a judged answer."""

    def answers(self) -> list[str]:
        """Return what the row says about its input, a line each for people: none for a text."""
        if self.kind == "text" or (self.kind != "example" and self.target is None):
            return []
        if self.target is None:
            return ["(no target)"]
        judged = "" if self.good is None else "good: " if self.good else "bad: "
        first = judged + _spoken(self.target)
        return [first] if self.rejected is None else [first, f"rejected: {_spoken(self.rejected)}"]


def _spoken(text: str) -> str:
    """Return an answer for people: turns and calls as they are said, all else as it is."""
    if not text.startswith(('[{"role":"', '{"role":"assistant"')):
        return text
    try:
        turns = parse_exact(text)
        return " | ".join(said(turn) for turn in (turns if isinstance(turns, list) else [turns]))
    except (JsonProblem, AttributeError, TypeError):
        return text


class DroppedRow(BaseModel):
    """A row that is out of a dataset: why, since when, and what stayed in its place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    reason: str
    input: Any
    target: str | None
    kept: ShownRow | None
    similarity: float | None
    detail: str | None
    verb: str
    operation: str
    time: str


@dataclass(frozen=True)
class Plan:
    """What a verb would drop from a version, and what it says of it."""

    verb: str
    drops: Sequence[Drop]
    parameters: dict[str, Any]
    counts: dict[str, int]
    none_left: InputError
    """What is raised where no row would stay."""
    report: dict[str, Any] | None = None


@dataclass(frozen=True)
class Gone:
    """What `drop_from` did, or would do."""

    before: Version
    goes: pl.DataFrame
    """The rows that went, with the reason, in order."""
    counts: dict[str, int]
    """As the plan gave them."""
    changed: bool


def drop_from(project: Project, dataset: str, plan: Callable[[Version], Plan], *, dry_run: bool) -> Gone:
    """Drop rows of a dataset and make its next version where there are any: the one end of every verb that drops.

    Args:
        project: of the dataset.
        dataset: its name.
        plan: reads the newest version and says what goes; it is asked again where another process was faster.
        dry_run: only ask.
    """
    seen: list[tuple[Version, pl.DataFrame, dict[str, int]]] = []

    def build() -> Outcome | None:
        version = open_newest(project, dataset)
        planned = plan(version)
        stays, goes = drop_rows(version.frame(), planned.drops)
        seen.append((version, goes, planned.counts))
        if not goes.height:
            return None
        if not stays.height:
            raise planned.none_left
        return Outcome(
            verb=planned.verb,
            parameters=planned.parameters,
            parents=(version.parent,),
            contents={version.dataset: stays},
            rows_in=stays.height + goes.height,
            dropped=goes,
            counts=planned.counts,
            report=planned.report,
        )

    if dry_run:
        build()
        changed = False
    else:
        changed = commit(project, build) is not None
    return Gone(*seen[-1], changed=changed)


def drop_rows(frame: pl.DataFrame, drops: Sequence[Drop]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (what stays, what goes with reason, kept, similarity and detail), both in the frame's order."""
    import polars as pl

    extra = pl.DataFrame(
        {
            "row": [d.row for d in drops],
            "reason": [d.reason for d in drops],
            "kept": [d.kept for d in drops],
            "similarity": [d.similarity for d in drops],
            "detail": [d.detail for d in drops],
        },
        schema=dropped_schema(),
    )
    gone = frame.join(extra, on="row", how="inner", maintain_order="left")
    return frame.filter(~pl.col("row").is_in(gone["row"].implode())), gone.select(*COLUMNS, *DROPPED_EXTRA)


def dropped_schema() -> Any:
    """Return the polars schema of a row's hash and DROPPED_EXTRA."""
    import polars as pl

    return {"row": pl.String, "reason": pl.String, "kept": pl.String, "similarity": pl.Float64, "detail": pl.String}


def shown_row(record: dict[str, Any]) -> ShownRow:
    """Return a record of rows.COLUMNS as it is shown."""
    return ShownRow(
        row=record["row"],
        input=parse_exact(record["input"]),
        target=answer_of(record),
        kind=record["kind"],
        rejected=record["rejected"],
        good=record["good"],
    )


def answer_of(record: dict[str, Any]) -> str | None:
    """Return what a record teaches to answer: target, chosen, or the judged answer."""
    return record["target"] if record["target"] is not None else (record["chosen"] or record["answer"])


def one_line(content: Any, width: int = 100) -> str:
    """Return an input as one line for people: its texts, blanks folded, cut to `width` characters."""
    if content is None:
        return "(not here)"
    if isinstance(content, dict) and isinstance(content.get("messages"), list):
        text = " | ".join(f"{turn.get('role')}: {said(turn)}" for turn in content["messages"])
    elif isinstance(content, dict):
        texts = [v if isinstance(v, str) else dump_exact(v) for v in content.values()]
        text = " | ".join(texts)
    else:
        text = str(content)
    folded = " ".join(text.split())
    return folded if len(folded) <= width else folded[: width - 3] + "..."


def said(turn: Mapping[str, Any]) -> str:
    """Return what a turn says: its content, and each call with its arguments."""
    calls = parse_exact(turn["tool_calls"]) if turn.get("tool_calls") else []
    told = [f"calls {_call(call)}" for call in calls]
    return " ".join(text for text in (turn.get("content", ""), *told) if text)


def _call(call: Any) -> str:
    function = cast("Any", call.get("function", call) if isinstance(call, dict) else None)
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return dump_exact(call)
    arguments = function.get("arguments")
    told = arguments if isinstance(arguments, str) else dump_exact(arguments) if arguments is not None else ""
    return f"{function['name']} {told}".rstrip()


def operations_on(version: Version) -> list[Operation]:
    """Return the operations that made versions of this very dataset, newest first."""
    return [o for o in lineage(version) if any(r.dataset == version.dataset for r in o.results)]


def dropped_frame(version: Version) -> pl.DataFrame | None:
    """Return what is out of a dataset: the latest drop of each row that no version beside it holds now, oldest first.

    For a part, a row that is in another part is not out.
    """
    import polars as pl

    operations = operations_on(version)
    frame = operation_frames(version.project, operations[::-1], "dropped")
    if frame is None:
        return None
    held = held_rows(version)
    frame = frame.filter(~pl.col("row").is_in(list(held)))
    return frame.unique("row", keep="last", maintain_order=True)


def held_rows(version: Version) -> set[str]:
    """Return the rows of a version and, for a part, of the newest versions of its sister parts."""
    held = set(version.frame()["row"])
    base, _, part = version.dataset.partition("/")
    for other in PARTS if part else ():
        if other != part and has_dataset(version.project, f"{base}/{other}"):
            held |= set(open_dataset(version.project, f"{base}/{other}").frame()["row"])
    return held


def dropped_rows(version: Version, reasons: Collection[str] | None = None) -> list[DroppedRow]:
    """Return the rows that are out of a dataset, with the row kept in the place of each.

    Args:
        version: of the dataset.
        reasons: only those dropped for one of these reasons; None: all.
    """
    import polars as pl

    frame = dropped_frame(version)
    if frame is None:
        return []
    if reasons is not None:
        frame = frame.filter(pl.col("reason").is_in(list(reasons)))
    told = {o.id: o for o in operations_on(version)}
    kept = find_records(version, {k for k in frame["kept"] if k is not None})
    found: list[DroppedRow] = []
    for record in frame.iter_rows(named=True):
        operation = told[record["operation"]]
        stayed = kept.get(record["kept"])
        shown = shown_row(stayed) if stayed else ShownRow(row=record["kept"], input=None) if record["kept"] else None
        found.append(
            DroppedRow(
                row=record["row"],
                reason=record["reason"],
                input=parse_exact(record["input"]),
                target=answer_of(record),
                kept=shown,
                similarity=record["similarity"],
                detail=record["detail"],
                verb=operation.verb,
                operation=operation.id,
                time=operation.time,
            )
        )
    return found


def find_records(version: Version, wanted: set[str]) -> dict[str, dict[str, Any]]:
    """Return the records of rows by hash, wherever they are: this version, its parts, drops, ancestors, eval sets."""
    found: dict[str, dict[str, Any]] = {}
    for frame in _places(version):
        missing = wanted - found.keys()
        if not missing:
            break
        import polars as pl

        part = frame.filter(pl.col("row").is_in(list(missing)))
        found.update((record["row"], record) for record in part.iter_rows(named=True))
    if wanted - found.keys():
        found.update((r, record) for r, record in _frozen(version.project).items() if r in wanted and r not in found)
    return found


def _places(version: Version) -> Iterable[pl.DataFrame]:
    project = version.project
    yield version.frame()
    base = version.dataset.partition("/")[0]
    for name in (base, *(f"{base}/{part}" for part in PARTS)):
        if name != version.dataset and has_dataset(project, name):
            yield open_dataset(project, name).frame()
    operations = lineage(version)
    dropped = operation_frames(project, operations, "dropped")
    if dropped is not None:
        yield dropped
    for operation in operations:
        for parent in operation.parents:
            if (project.data / parent.version / "manifest.json").exists():
                yield open_dataset(project, f"{parent.dataset}@{parent.number}").frame()
    for name in dataset_names(project):  # a row can go for one of another dataset
        if name.partition("/")[0] != base and open_dataset(project, name).is_here:
            yield open_dataset(project, name).frame()


def _frozen(project: Project) -> dict[str, dict[str, Any]]:
    rows = [row for folder in set_folders(project.evals) for row in read_set(folder).rows]
    return {row.row: to_record(row) for row in rows}
