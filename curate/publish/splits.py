"""Which versions are published under which names: the parts of a dataset, else the dataset itself as `train`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from sluice.core.project import Project
from sluice.curate.dataset import PARTS, Version, has_dataset, open_dataset
from sluice.curate.export_rows import ExportRows
from sluice.curate.formats import ExportRow

NAMES = {"train": "train", "dev": "validation", "eval": "test"}
"""Parts, and what Hugging Face calls them."""


@dataclass(frozen=True, slots=True)
class Split:
    """One version under the name that it is published by."""

    name: str
    version: Version
    rows: ExportRows
    dataset: str
    """What was asked for: the dataset whose part this is, or the part itself."""


def splits_of(project: Project, ref: str, *, kind: str | None = None) -> list[Split]:
    """Return what is published of a dataset.

    A bare name stands for its parts where a split made some; `NAME@3`, `NAME:tag` and a part stand for themselves.
    """
    version = open_dataset(project, ref)
    parts = [f"{ref}/{part}" for part in PARTS if "/" not in ref and has_dataset(project, f"{ref}/{part}")]
    if ref != version.dataset or not parts:
        part = version.dataset.partition("/")[2]
        return [Split(NAMES.get(part, "train"), version, ExportRows(version, kind=kind), version.dataset)]
    versions = [open_dataset(project, part) for part in parts]
    return [Split(NAMES[v.dataset.partition("/")[2]], v, ExportRows(v, kind=kind), ref) for v in versions]


def in_no_part(project: Project, ref: str, splits: Sequence[Split]) -> int:
    """Return how many rows of what was named are in none of the splits that stand for it: added since, or set aside."""
    whole = open_dataset(project, ref)
    if all(split.version.ref == whole.ref for split in splits):
        return 0
    published = {row for split in splits for row in split.version.frame()["row"]}
    return len(set(whole.frame()["row"]) - published)


class AllRows(Sequence[ExportRow]):
    """The rows of several splits, one after the other."""

    def __init__(self, splits: Sequence[Split]):
        self._splits = splits

    @property
    def metadata_columns(self) -> list[str]:
        """The columns beside the rows, in order of appearance."""
        return list(dict.fromkeys(name for split in self._splits for name in split.rows.metadata_columns))

    def __len__(self) -> int:
        return sum(len(split.rows) for split in self._splits)

    def __iter__(self) -> Iterator[ExportRow]:
        for split in self._splits:
            yield from split.rows

    @overload
    def __getitem__(self, index: int) -> ExportRow: ...

    @overload
    def __getitem__(self, index: slice) -> list[ExportRow]: ...

    def __getitem__(self, index: int | slice) -> ExportRow | list[ExportRow]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = index if index >= 0 else len(self) + index
        for split in self._splits:
            if at < len(split.rows):
                return split.rows[at]
            at -= len(split.rows)
        raise IndexError(index)
