"""`ls`: the datasets of a project and their versions. Reads names, operations and manifests, no rows."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import SluiceError
from sluice.core.project import Project
from sluice.curate.dataset import Version, dataset_names, open_dataset, tags, versions


class ListedVersion(BaseModel):
    """One version of a dataset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: int
    rows: int
    """Rows that it holds: those that `forget` erased are none."""
    forgotten: int
    """Rows that it held and that were erased."""
    hash: str
    """Of the content, 64 hex digits."""
    tags: tuple[str, ...]
    verb: str
    """What made it."""
    time: str


class Listing(BaseModel):
    """Datasets, newest version of each; or all versions of one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    datasets: tuple[ListedVersion, ...]


def list_datasets(project: Project, name: str | None = None) -> Listing:
    """Return the newest version of each dataset, or all versions of the one named, newest last."""
    if name is not None:
        found = versions(project, open_dataset(project, name).dataset)
    else:
        found = [open_dataset(project, n) for n in dataset_names(project)]
    return Listing(datasets=tuple(_listed(v) for v in found))


def _listed(version: Version) -> ListedVersion:
    named = tags(version.project, version.dataset)
    made = next(r.rows for r in version.operation.results if r.dataset == version.dataset)
    gone = _forgotten(version)
    return ListedVersion(
        name=version.dataset,
        version=version.number,
        rows=made - gone,
        forgotten=gone,
        hash=version.hash,
        tags=tuple(t for t, number in named.items() if number == version.number),
        verb=version.operation.verb,
        time=version.entry.time,
    )


def _forgotten(version: Version) -> int:
    """Return how many rows were erased of a version; 0 where its content is not here or damaged (`verify` says so)."""
    try:
        return len(version.manifest.forgotten) if version.is_here else 0
    except SluiceError:
        return 0
