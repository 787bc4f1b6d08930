"""What to do after an audit: the commands that its terminal and its report close with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sluice.core.wording import export_command
from sluice.curate.adding.command import add_command

if TYPE_CHECKING:
    from sluice.curate.audit_dataset import Audit


class NextStep(NamedTuple):
    """A command as it is typed, and what it is for."""

    command: str
    remark: str = ""


def after_audit(audit: Audit, what: Sequence[str], how: Mapping[str, str | None]) -> tuple[NextStep, ...]:
    """Return what comes next: of files to add them as they were read here, of a dataset to drop what fails.

    Args:
        audit: what was found.
        what: the words behind the verb: a dataset, or files.
        how: the options by which files were read.
    """
    if audit.dataset is None:
        steps = [NextStep(add_command("NAME", what, how), "make a dataset of them, then: dedup, filter, split")]
        if audit.set_aside > len(audit.first_set_aside):
            remark = "then: all lines that were set aside"
            steps.append(NextStep(f"sluice show NAME --set-aside -n {audit.set_aside}", remark))
        return tuple(steps)
    return tuple(_after_dataset(audit, audit.dataset))


def _after_dataset(audit: Audit, dataset: str) -> list[NextStep]:
    steps: list[NextStep] = []
    shown = next((rows[0].row for rows in audit.examples.values() if rows), None)
    failing = [c.name for c in audit.report.checks if c.fails and c.droppable]
    rest = [c for c in failing if c != "leak"]
    if rest:
        steps.append(NextStep(f"sluice filter {dataset} --failing {','.join(rest)}", "drop them, each with its reason"))
    if "leak" in failing:
        steps.append(NextStep(f"sluice decontaminate {dataset}", "drop rows that repeat an eval row"))
    if not failing and "/" not in dataset:
        near = next((c for c in audit.report.checks if c.name == "near-duplicates"), None)
        if near is None or near.figures.get("rows", 1):  # nobody looked, or there are some
            steps.append(NextStep(f"sluice dedup {dataset}", "drop repeated rows, each shown beside the row kept"))
        elif audit.worst == "ok":
            steps.append(NextStep(export_command(dataset, Path()), "the rows as a file"))
    if shown is not None:
        steps.append(NextStep(f"sluice show {audit.of} {shown[:10]}", "a row in full"))
    elif "/" in dataset and not failing:
        steps.append(NextStep(f"sluice show {dataset}"))
    return steps
