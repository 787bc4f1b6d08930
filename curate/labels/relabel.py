"""Labels that a person corrected in a sheet: each changed row is a new row with an edge to the old one.

The old row leaves with the reason "relabelled" and both labels, so that `why` tells the story and `restore` can bring
it back; groups and columns beside the row stay. Only labels that are (part of) the answer can be changed.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import JsonProblem, dump_exact, parse_exact
from sluice.core.errors import InputError
from sluice.core.files import file_sha256
from sluice.core.project import Project
from sluice.core.rows import AnyRow, Example, to_record
from sluice.curate.adding.add import name_of, parts_of
from sluice.curate.changed_rows import carried, content, edges_frame, hold, places_frame
from sluice.curate.checks.balance import label_values
from sluice.curate.dataset import Version, open_dataset, open_newest
from sluice.curate.drops import Drop, drop_rows
from sluice.curate.labels.review import Answer, read_review
from sluice.curate.metadata import class_path, metadata_of
from sluice.curate.operation import Outcome, commit

REASON = "relabelled"


class Relabelled(BaseModel):
    """A row whose label was corrected."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    old: str
    new: str
    given: str
    label: str


class RelabelResult(BaseModel):
    """What became of a sheet of labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    changed: bool
    rows: int
    """Rows that the dataset holds now."""
    relabelled: int
    """Rows whose label is another one now."""
    added: int
    """Rows that are new to the dataset by it: one that became equal to another is not."""
    confirmed: int
    """Lines whose label a person left as it was."""
    gone: int
    """Lines of rows that are not in the dataset (any more): relabelled before, dropped, or of another dataset."""
    set_aside: int = 0
    """Always 0: a sheet with a line that cannot be read is refused whole."""
    new_labels: dict[str, int]
    """Labels that no row had before, with the lines that give them: a slip of the pen, or a new class."""
    first: tuple[Relabelled, ...]
    parts: tuple[str, ...]
    dry_run: bool = False


def relabel(project: Project, dataset: str, sheet: Path, *, dry_run: bool = False) -> RelabelResult:
    """Take the labels of a sheet into a dataset, and make its next version where any was changed.

    Args:
        project: of the dataset.
        dataset: its name; the newest version is read.
        sheet: what `show NAME --failing label-errors --out FILE` wrote, gone through by a person.
        dry_run: only say what would be changed.

    Raises InputError for a file that is no such sheet, for one that was written for other labels, and where the label
    is no part of the answer.
    """
    answers = read_review(sheet)
    seen: dict[str, Any] = {}
    fix = {"file": name_of(project, sheet), "sha256": file_sha256(sheet)}

    def build() -> Outcome | None:
        return _outcome(open_newest(project, dataset), answers, sheet, fix, seen)

    changed = False
    if dry_run:
        build()
    else:
        changed = commit(project, build) is not None
    return RelabelResult(
        dataset=dataset,
        version=open_dataset(project, dataset).number,
        changed=changed,
        dry_run=dry_run,
        parts=parts_of(project, dataset),
        **seen["said"],
    )


def _outcome(
    version: Version, answers: list[Answer], sheet: Path, fix: dict[str, str], seen: dict[str, Any]
) -> Outcome | None:
    frame = version.frame()
    path = class_path(version) or "target"
    rows = {row.row: row for row in version.rows()}
    labels = dict(zip(rows, label_values(list(rows.values()), path, metadata_of(version)), strict=True))
    known = {label for label in labels.values() if label is not None}
    changes: dict[str, AnyRow] = {}
    told: list[Relabelled] = []
    confirmed = gone = 0
    for answer in answers:
        if answer.row not in rows:
            gone += 1
            continue
        if labels[answer.row] != answer.given:
            raise InputError(
                f"row {answer.row[:10]} has no label '{answer.given}' at '{path}': the sheet is of other labels",
                where=f"{sheet}:{answer.line}",
                remedy=f"write it again: sluice show {version.dataset} --failing label-errors --out FILE",
            )
        if answer.label == answer.given:
            confirmed += 1
            continue
        new = _with_label(rows[answer.row], path, answer.label, f"{sheet}:{answer.line}")
        changes[answer.row] = new
        told.append(Relabelled(old=answer.row, new=new.row, given=answer.given, label=answer.label))
    records: dict[str, dict[str, Any]] = {}
    for record in frame.iter_rows(named=True):  # a few rows change, but one may become what another is
        changed = changes.get(record["row"])
        hold(records, record if changed is None else to_record(changed, record["groups"] or []))
    seen["said"] = {
        "rows": len(records),
        "relabelled": len(told),
        "added": len({t.new for t in told} - set(rows)),
        "confirmed": confirmed,
        "gone": gone,
        "new_labels": dict(Counter(t.label for t in told if t.label not in known)),
        "first": tuple(told[:5]),
    }
    if not told:
        return None
    edges = [(t.old, t.new) for t in told]
    drops = [Drop(t.old, REASON, t.new, None, f"given '{t.given}', by a person '{t.label}'") for t in told]
    return Outcome(
        verb="relabel",
        parameters={"path": path, "fix": fix},
        parents=(version.parent,),
        contents={version.dataset: content(records)},
        rows_in=frame.height,
        occurrences=places_frame(carried(version, edges)),
        dropped=drop_rows(frame, drops)[1],
        edges=edges_frame(edges),
        counts={REASON: len(told)},
    )


def _with_label(row: AnyRow, path: str, label: str, where: str) -> AnyRow:
    """Return a row with another label at a path of its answer."""
    root, *steps = path.split(".")
    if root != "target" or not isinstance(row, Example) or row.target is None:
        what = f"the label is at '{path}'" if root != "target" else "the row is no example with a target"
        raise InputError(
            f"{what}: only a label that is the answer, or a place in it, can be changed here",
            where=where,
            remedy="change it in the file that the rows came from, and add that again",
        )
    return Example(input=row.input, target=put(row.target, steps, label), target_form=row.target_form)


def put(target: str, steps: list[str], label: str) -> str:
    """Return an answer with another label in it; all else of its text stays as it is where that can be told.

    Args:
        target: the answer; JSON where there are steps.
        steps: keys that lead to the label; none: the answer is the label.
        label: as `label_values` gives it: a text as it is, any other value as its JSON.
    """
    if not steps:
        return label
    whole: Any = parse_exact(target)
    at = whole
    for step in steps[:-1]:
        at = at[step]
    old = at[steps[-1]]
    at[steps[-1]] = new = label if isinstance(old, str) else _value(label)
    place = re.compile(rf"({re.escape(dump_exact(steps[-1]))}\s*:\s*){re.escape(dump_exact(old))}(?=\s*[,}}])")
    if len(place.findall(target)) == 1:
        changed = place.sub(lambda found: found[1] + dump_exact(new), target)
        if parse_exact(changed) == whole:
            return changed
    return dump_exact(whole)


def _value(label: str) -> Any:
    try:
        return parse_exact(label)
    except JsonProblem:
        return label
