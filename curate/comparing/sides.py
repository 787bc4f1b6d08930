"""The two sides of a comparison: a version of a dataset, or a file, as rows with what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from glob import has_magic
from pathlib import Path
from typing import Any

from sluice.core.errors import InputError, UsageError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.rows import AnyRow
from sluice.curate.adding.add import name_of
from sluice.curate.dataset import Version, has_dataset, open_dataset, read_name
from sluice.curate.formats import Entry, ReadOptions, read_files
from sluice.curate.metadata import class_path, metadata_by_row, metadata_of

Word = str | Entry
"""A dataset, a version, a part; or a file, a folder, a pattern; or what was piped in."""


@dataclass(frozen=True)
class Side:
    """One of the two: rows by hash, in order, and what stands beside them."""

    name: str
    rows: dict[str, AnyRow]
    version: Version | None = None
    stratify: str | None = None
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    places: Mapping[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    set_aside: int = 0


def open_sides(
    project: Project | None, a: Word, b: Word | None, options: ReadOptions | None, progress: Progress | None
) -> tuple[Side, Side]:
    """Return both sides; without `b` a version and the one before it.

    Raises InputError where a side cannot be found or read, UsageError where there is nothing to compare with.
    """
    if b is not None:
        return _side(project, a, options, progress), _side(project, b, options, progress)
    if project is None or isinstance(a, Entry) or not _is_dataset(project, a):
        one = a if isinstance(a, str) else str(a.path)
        raise UsageError("there is one side only", where=one, remedy=f"name the other one: sluice diff {one} OTHER")
    version = open_dataset(project, a)
    if version.number == 1:
        raise InputError(
            f"'{version.dataset}' has no version before this one",
            where=version.ref,
            remedy=f"name the other side: sluice diff {version.dataset} OTHER",
        )
    return _of_version(Version(project, read_name(project, version.dataset, version.number - 1))), _of_version(version)


def _is_dataset(project: Project, word: str) -> bool:
    """Return whether a word names a dataset rather than a file (`./tickets` is a file)."""
    return not word.startswith((".", "/", "~")) and has_dataset(project, word.partition("@")[0].partition(":")[0])


def _side(project: Project | None, word: Word, options: ReadOptions | None, progress: Progress | None) -> Side:
    if project is None or isinstance(word, Entry):
        return _of_files(word, options, progress)
    if _is_dataset(project, word):
        return _of_version(open_dataset(project, word))
    path = Path(word)
    if not path.exists() and not path.suffix and not has_magic(word) and "/" not in word:
        return _of_version(open_dataset(project, word))  # raises, and says which was meant
    return _of_files(word, options, progress)


def _of_version(version: Version) -> Side:
    seen = metadata_by_row(version)
    return Side(
        name=version.ref,
        rows={row.row: row for row in version.rows()},
        version=version,
        stratify=class_path(version),
        metadata=metadata_of(version),
        groups=version.groups(),
        places={row: (str(places[0]["file"]), int(places[0]["line"])) for row, places in seen.items()},
    )


def _of_files(word: Word, options: ReadOptions | None, progress: Progress | None) -> Side:
    found = read_files([word], options or ReadOptions(), lambda path: name_of(Project("."), path), progress)
    rows: dict[str, AnyRow] = {}
    metadata: dict[str, Mapping[str, Any]] = {}
    places: dict[str, tuple[str, int]] = {}
    for name, read in found.files:
        for taken in read.rows:
            hashed = taken.row.row
            if hashed not in rows:
                rows[hashed], metadata[hashed], places[hashed] = taken.row, taken.metadata, (name, taken.line)
    named = found.files[0][0] if len(found.files) == 1 else str(word)
    aside = sum(len(read.set_aside) for _, read in found.files)
    return Side(named, rows, metadata=metadata, places=places, set_aside=aside)
