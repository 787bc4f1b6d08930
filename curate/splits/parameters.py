"""What a split is asked for: the first time by a person and the task, ever after by the split that was made."""

from __future__ import annotations

import json
from typing import Any

from sluice.core.errors import UsageError
from sluice.core.files import file_sha256
from sluice.core.part_sizes import size_options
from sluice.core.project import Project
from sluice.curate.dataset import Version, versions
from sluice.curate.drops import operations_on
from sluice.curate.operation import Operation, damaged

OPTIONS = {"source": "from", "per_class": "per-class", "by_time": "by-time"}
"""Parameters whose option has another name."""


def first_parameters(project: Project, asked: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a first split: what was asked, else the task's. Raises UsageError for what cannot be."""
    if asked.get("by_time"):
        for key in ("source", "per_class", "stratify", "seed"):
            if asked[key] is not None and asked[key] is not False:
                raise UsageError(
                    f"--{OPTIONS.get(key, key)} is for a draw, and --by-time draws nothing: the newest rows are eval",
                    remedy=f"leave --{OPTIONS.get(key, key)} or --by-time away",
                )
    task = project.config.task if project.has_config else None
    return asked | {
        "seed": asked["seed"] or 0,
        "group": asked["group"] or (task.group if task else None),
        "stratify": asked["stratify"] or (task.stratify if task else None),
    }


def asked_by(asked: dict[str, Any], key: str) -> str:
    """Return what asks for a parameter, for messages: the option where it was given, else the line of sluice.toml."""
    return f"--{OPTIONS.get(key, key)}" if asked.get(key) else f"[task] {key}"


def first_split(parts: dict[str, Version]) -> Operation | None:
    """Return the split that made the parts, None where they were added part by part."""
    for version in parts.values():
        for older in versions(version.project, version.dataset):
            if older.operation.verb == "split":
                return older.operation
    return None


def same_parameters(dataset: str, first: Operation | None, asked: dict[str, Any], project: Project) -> dict[str, Any]:
    """Return the parameters of the split that was made. Raises UsageError where other ones are asked for now."""
    if first is None:
        return first_parameters(project, asked)
    for key, value in asked.items():
        was = first.parameters.get(key)
        if value not in (None, 0, False) and value != was:
            name = OPTIONS.get(key, key)
            how = f"with --{name} {was}" if was not in (None, 0, False) else f"without --{name}"
            raise UsageError(
                f"'{dataset}' is split already, {how}: a split never moves a row",
                remedy=f"sluice split {dataset} adds the rows that are new; for other parts use another dataset",
            )
    return dict(first.parameters)


def sizes_of(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the sizes as `sluice.curate.splits.split.split` takes them. Raises UsageError where there are none."""
    sizes = {part: parameters[part] for part in ("eval", "dev")}
    if parameters["per_class"]:
        return {f"{part}_per_class": size or None for part, size in sizes.items()}
    return sizes


def refuse_no_size(dataset: str, parameters: dict[str, Any], drawn_from: Version) -> None:
    """Raise UsageError where neither eval nor dev has a size, with sizes that fit."""
    if not parameters["eval"] and not parameters["dev"]:
        tail = f" --from {drawn_from.dataset}" if parameters["source"] else ""
        tail += f" --by-time {parameters['by_time']}" if parameters.get("by_time") else ""
        raise UsageError(
            "neither eval nor dev has a size: nothing would be drawn",
            remedy=f"sluice split {dataset} {size_options(drawn_from.manifest.rows)}{tail}",
        )


def report_of(project: Project, operation: Operation) -> dict[str, Any]:
    """Return the report of a split. Raises Tampered where it is not what was written."""
    file = project.operations / operation.id / "report.json"
    if not file.exists() or operation.files.get(file.name) not in (None, file_sha256(file)):
        raise damaged(project, file)
    return json.loads(file.read_bytes())


def last_made_of(parts: dict[str, Version]) -> dict[str, Any]:
    """Return what the last split of some parts said they are made of; {} where an earlier Sluice made it."""
    made = [o for version in parts.values() for o in operations_on(version) if o.verb == "split"]
    if not made:
        return {}
    newest = max(made, key=lambda o: (o.time, max(r.number for r in o.results)))
    report = report_of(next(iter(parts.values())).project, newest)
    return {key: report[key] for key in ("made_of", "heavy", "cuts") if key in report}
