"""The rows that others must not repeat: every frozen eval set of the project and the eval part, with what was pinned.

Used by `audit`, `filter`, `decontaminate` and `restore`, so that all of them mean the same by a leak. Guard sets are
left out: they watch for regressions and decide nothing. The facts behind a frozen set are for the gate to check.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sluice.core.evalset import FrozenSet, read_set, set_folders
from sluice.core.files import file_sha256
from sluice.core.project import Project
from sluice.core.rows import AnyRow
from sluice.curate.dataset import Version, dataset_names, has_dataset, lineage, open_dataset, operation_frames
from sluice.curate.operation import damaged
from sluice.curate.similar.similarity import Boilerplate, Relation


@dataclass(frozen=True)
class EvalSide:
    """Rows that others must not repeat."""

    rows: tuple[AnyRow, ...]
    """Each once; never empty."""
    groups: dict[str, list[str]]
    relation: Relation
    """With the pinned boilerplate: of several sets, what all of them left out (the stricter reading)."""
    names: tuple[str, ...]
    """Where they are from: `eval set tickets`, `tickets/eval@2`."""


def eval_side(project: Project, dataset: str) -> EvalSide | None:
    """Return the eval rows that concern a dataset, None where there are none yet. Raises Tampered for a bad set."""
    sets = frozen_sets(project)
    base = dataset.partition("/")[0]
    part = open_dataset(project, f"{base}/eval") if has_dataset(project, f"{base}/eval") else None
    rows: dict[str, AnyRow] = {}
    groups: dict[str, list[str]] = {}
    names: list[str] = []
    for frozen in sets:
        names.append(f"eval set {frozen.name}")
        rows.update((row.row, row) for row in frozen.rows)
        groups.update(frozen.groups_by_row())
    if part is not None:
        of_part = part.groups()
        new = [row for row in part.rows() if row.row not in rows]
        rows.update((row.row, row) for row in new)
        groups.update((row.row, of_part[row.row]) for row in new)
        if new:
            names.append(part.ref)
    if not rows:
        return None
    return EvalSide(tuple(rows.values()), groups, Relation(_boilerplate(sets, part)), tuple(names))


def frozen_sets(project: Project) -> list[FrozenSet]:
    """Return the frozen eval sets of a project, without guard sets."""
    return [s for s in map(read_set, set_folders(project.evals)) if not s.manifest.guard]


def pinned_boilerplate(version: Version) -> Boilerplate:
    """Return the boilerplate that the last split behind a version pinned; none where there was no split."""
    for operation in lineage(version):
        file = version.project.operations / operation.id / "report.json"
        if operation.verb == "split" and file.exists():
            if operation.files.get(file.name) not in (None, file_sha256(file)):
                raise damaged(version.project, file)
            found = json.loads(file.read_bytes()).get("boilerplate")
            if found is not None:
                return Boilerplate.model_validate(found)
    return Boilerplate()


def relation_of(frozen: FrozenSet) -> Relation:
    """Return the relation that a frozen set pins. Raises InputError where another similarity version pinned it."""
    return Relation(Boilerplate(version=frozen.manifest.similarity, ngrams=frozen.manifest.boilerplate))


def change_edges(*versions: Version) -> list[tuple[str, str]]:
    """Return the changes of rows (old, new) that some versions stand on, and those of every eval part of their project.

    An eval row may have been changed where it is, before or after it was frozen: what it was is a leak as much as what
    it became, in whatever dataset it turns up.
    """
    found: dict[tuple[str, str], None] = {}
    projects = {id(v.project): v.project for v in versions}.values()
    parts = [open_dataset(p, name) for p in projects for name in dataset_names(p) if name.endswith("/eval")]
    for version in (*versions, *parts):
        frame = operation_frames(version.project, lineage(version), "edges")
        if frame is not None:
            found.update(dict.fromkeys(zip(frame["old"], frame["new"], strict=True)))
    return list(found)


def _boilerplate(sets: list[FrozenSet], part: Version | None) -> Boilerplate:
    if not sets:
        return pinned_boilerplate(part) if part is not None else Boilerplate()
    shared = set(sets[0].manifest.boilerplate).intersection(*(s.manifest.boilerplate for s in sets[1:]))
    return Boilerplate(version=sets[0].manifest.similarity, ngrams=tuple(shared))
