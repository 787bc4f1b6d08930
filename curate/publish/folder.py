"""A published folder: tables, card, Croissant metadata, and `sluice.json`, which names every file, version and hash.

The folder is made beside its place and moved there whole. One that stands is replaced only where it is one of these,
with nothing of anyone else's in it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sluice import __version__
from sluice.core.errors import InputError
from sluice.core.files import disk_errors, file_sha256, make_folder, publish_folder, sync_files, sync_folder
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.siblings import clear_siblings, sibling
from sluice.curate.formats import ExportRow, FileStands, WriteOptions
from sluice.curate.publish.croissant import croissant
from sluice.curate.publish.facts import Facts, facts_of
from sluice.curate.publish.splits import Split
from sluice.curate.publish.tables import PublishedFile, PublishedSplit, Tables, write_tables
from sluice.curate.publish.text import card_text
from sluice.curate.publish.words import CardWords, missing_words

RECORD, CARD, CROISSANT = "sluice.json", "README.md", "croissant.json"
Layout = Literal["hf", "hf-disk"]


class FolderResult(BaseModel):
    """What was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: str
    """The name of the dataset."""
    path: str
    format: Layout
    shape: str
    """The shape of rows: columns (as they came), trl, ..."""
    rows: int
    splits: tuple[PublishedSplit, ...]
    columns: tuple[str, ...]
    size: int
    """Bytes of all files."""
    sha256: str
    """Of sluice.json, which holds the hash of every other file."""
    inexact: dict[str, str]
    """Columns that are not read back as they were, each with what became of their values."""
    findings: dict[str, int]
    """By check of the audit that found something in a split: how many rows, or findings about a split."""
    not_stated: tuple[str, ...]
    """Keys of card.toml that nobody stated, so that the card says that they are missing."""
    in_no_part: int = 0
    """Rows of the dataset that are in none of its parts, and so not in the folder."""


def build_folder(
    splits: Sequence[Split],
    folder: Path,
    layout: Layout,
    shape: str,
    options: WriteOptions,
    words: CardWords,
    *,
    samples: int = 0,
    checks: bool = True,
    progress: Progress | None = None,
) -> tuple[Facts, Tables]:
    """Write all files of a published folder into an empty one.

    Args:
        splits: what is published; none of them empty.
        folder: is there, empty.
        layout: `hf` (Parquet below data/) or `hf-disk` (as `datasets.save_to_disk` writes).
        shape: a name in WRITERS.
        options: how rows become columns.
        words: what people state.
        samples: rows of each split that the card shows.
        checks: whether the audit is run for the card.
        progress: called with (what, done, total).
    """
    disk = layout == "hf-disk"
    for split in splits:
        if not len(split.rows):
            raise InputError(f"{split.version.ref} has no rows to write", remedy="choose other rows, or another --kind")
    tables = write_tables(splits, folder, shape, options, disk=disk, progress=progress)
    facts = facts_of(splits, checks=checks, progress=progress)
    shown: list[tuple[str, ExportRow]] = [(s.name, row) for s in splits for row in islice(s.rows, samples)]
    (folder / CARD).write_text(card_text(facts, words, tables, samples=shown, disk=disk), encoding="utf-8")
    if not disk:
        (folder / CROISSANT).write_text(croissant(facts, words, tables), encoding="utf-8")
    (folder / RECORD).write_text(_record(folder, facts, tables), encoding="utf-8")
    return facts, tables


def _record(folder: Path, facts: Facts, tables: Tables) -> str:
    """Return sluice.json: what the folder is, hash by hash, without a path of the machine or a time of writing."""
    files = [
        PublishedFile(path=path.relative_to(folder).as_posix(), sha256=file_sha256(path), size=path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    told = {
        "format": 1,
        "tool": f"sluice {__version__}",
        "dataset": facts.dataset,
        "shape": tables.shape,
        "splits": [
            {"split": s.split, "dataset": s.dataset, "version": s.version, "rows": s.rows} for s in tables.splits
        ],
        "sources": [{"name": s.name, "sha256": s.sha256, "rows": s.rows} for s in facts.sources],
        "operations": [
            o.model_dump(include={"id", "verb", "rows_in", "rows_out", "counts", "time", "tool"})
            for o in facts.operations
        ],
        "files": [f.model_dump(exclude_none=True) for f in files],
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def export_folder(
    project: Project,
    name: str,
    splits: Sequence[Split],
    folder: Path,
    layout: Layout,
    shape: str,
    options: WriteOptions,
    words: CardWords,
    *,
    samples: int = 0,
    checks: bool = True,
    replace: bool = False,
    progress: Progress | None = None,
) -> FolderResult:
    """Make a published folder in one step (see `build_folder`).

    Raises FileStands where another export stands there and is not to be replaced, InputError where the folder holds
    anything else, or is a file.
    """
    _refuse_others(project, folder)
    with disk_errors(folder):
        make_folder(folder.parent)
        clear_siblings(folder.parent)
        staged = sibling(folder)
        staged.mkdir()
        try:
            facts, tables = build_folder(
                splits, staged, layout, shape, options, words, samples=samples, checks=checks, progress=progress
            )
            record = (staged / RECORD).read_bytes()
            size = sum(path.stat().st_size for path in staged.rglob("*") if path.is_file())
            sha256 = file_sha256(staged / RECORD)
            if not (folder.is_dir() and _is_whole(folder, record)):
                _put(staged, folder, replace)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    return FolderResult(
        of=name,
        path=str(folder),
        format=layout,
        shape=shape,
        rows=facts.rows,
        splits=tables.splits,
        columns=tuple(feature.name for feature in tables.features),
        size=size,
        sha256=sha256,
        inexact=tables.inexact,
        findings=facts.findings,
        not_stated=missing_words(words, facts.described),
    )


def _refuse_others(project: Project, folder: Path) -> None:
    """Raise InputError where the place is a file, holds the project, or holds anything that no export put there."""
    if folder.exists() and not folder.is_dir():
        raise InputError("this is a file", where=str(folder), remedy="name a folder")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if project.root.is_relative_to(folder.resolve()):
        raise InputError("the project lies in this folder", where=str(folder), remedy="name a new folder")
    known = {file["path"] for file in _listed(folder)} | {RECORD}
    other = next(
        (p for p in sorted(folder.rglob("*")) if p.is_file() and p.relative_to(folder).as_posix() not in known), None
    )
    if other is not None:
        raise InputError(
            f"it holds files that are no export of Sluice, such as {other.relative_to(folder).as_posix()}",
            where=str(folder),
            remedy="name a new folder",
        )


def _listed(folder: Path) -> list[dict[str, str]]:
    try:
        return list(json.loads((folder / RECORD).read_bytes())["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _is_whole(folder: Path, record: bytes) -> bool:
    """Return whether a folder is the export that `record` tells of, byte by byte."""
    if not (folder / RECORD).is_file() or (folder / RECORD).read_bytes() != record:
        return False
    files = [(folder / file["path"], file["sha256"]) for file in json.loads(record)["files"]]
    return all(path.is_file() and file_sha256(path) == sha256 for path, sha256 in files)


def _put(staged: Path, folder: Path, replace: bool) -> None:
    """Move a finished folder to its place, in one step where the system can exchange two folders (Linux)."""
    stands = folder.is_dir() and any(folder.iterdir())
    if stands and not replace:
        raise FileStands(
            "another export stands in this folder", where=str(folder), remedy="choose another name, or add --yes"
        )
    if not stands:
        publish_folder(staged, folder)
        return
    sync_files(staged)
    if exchange(staged, folder):  # what stood there is now the staged one, and goes
        sync_folder(folder.parent)
        return
    old = sibling(folder)
    os.rename(folder, old)
    try:
        publish_folder(staged, folder)
    except BaseException:
        os.rename(old, folder)
        raise
    shutil.rmtree(old)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step (renameat2 with RENAME_EXCHANGE). Returns False where the system cannot."""
    import ctypes

    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    here = -100  # AT_FDCWD
    return rename(here, os.fsencode(one), here, os.fsencode(other), 2) == 0
