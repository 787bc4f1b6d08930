"""The tables of a published folder: each split as Parquet shards, or as `datasets.save_to_disk` writes them.

All splits get the same columns and types. Shards are cut by the size of the texts, so that the same version gives the
same files.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from sluice.core.progress import Progress
from sluice.curate.formats import WriteOptions
from sluice.curate.formats.encoders import Survey
from sluice.curate.formats.encoders.arrow import encode_parquet, encode_stream, schema_of
from sluice.curate.formats.output import write_file
from sluice.curate.formats.table import Table, table_of
from sluice.curate.publish.features import Feature, as_json, features_of
from sluice.curate.publish.splits import AllRows, Split

SHARD = 500_000_000
"""Bytes of text in one file, as `datasets` and the hub cut them (max_shard_size)."""


class PublishedFile(BaseModel):
    """One file of a folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    """Within the folder."""
    sha256: str
    size: int
    """Bytes."""
    rows: int | None = None
    """Of a table."""


class PublishedSplit(BaseModel):
    """One split: which version it is, and its files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: str
    dataset: str
    """`tickets/train@2`."""
    version: str
    """The hash of the version, 64 hex digits."""
    rows: int
    memory: int
    """Bytes of its Arrow table."""
    files: tuple[PublishedFile, ...]


class Tables(NamedTuple):
    """What was written of the rows."""

    splits: tuple[PublishedSplit, ...]
    features: list[Feature]
    inexact: dict[str, str]
    shape: str


def write_tables(
    splits: Sequence[Split],
    folder: Path,
    shape: str,
    options: WriteOptions,
    *,
    disk: bool,
    shard: int | None = None,
    progress: Progress | None = None,
) -> Tables:
    """Write the rows of all splits below a folder.

    Args:
        splits: at least one, none of them empty.
        folder: where `data/<split>-00000-of-0000N.parquet` go, or with `disk` `<split>/data-00000-of-0000N.arrow`.
        shape: a name in WRITERS.
        options: how rows become columns.
        disk: as `datasets.save_to_disk` writes them.
        shard: bytes of text in one file; None: SHARD.
        progress: called with (what, rows done, rows in all).

    Raises InputError for a row that the shape cannot hold.
    """
    whole = table_of(AllRows(splits), shape, options, progress)
    survey = whole.survey("", values=True)
    features = features_of(schema_of(survey))
    written = tuple(_split(split, whole, survey, features, folder, disk, shard or SHARD) for split in splits)
    if disk:
        names = {"splits": [split.name for split in splits]}
        (folder / "dataset_dict.json").write_text(json.dumps(names), encoding="utf-8")
    return Tables(written, features, dict(whole.notes), shape)


def _split(
    split: Split, whole: Table, survey: Survey, features: list[Feature], folder: Path, disk: bool, shard: int
) -> PublishedSplit:
    rows = len(split.rows)
    number = min(rows, max(1, math.ceil(split.rows.text_bytes / shard)))
    table = Table(split.rows, whole.writer, whole.options, whole.progress, f"writing {split.name}", whole.names)
    lines = table.lines(list(survey.columns))
    each, over = divmod(rows, number)
    files: list[PublishedFile] = []
    memory = 0
    for i in range(number):
        count = each + (i < over)
        part = Survey(survey.columns, count, "")
        name = f"data-{i:05}-of-{number:05}.arrow" if disk else f"{split.name}-{i:05}-of-{number:05}.parquet"
        path = folder / (split.name if disk else "data") / name
        some = islice(lines, count)
        schema = schema_of(survey)
        if disk:
            told = json.dumps({"info": {"features": as_json(features)}})
            chunks = encode_stream(some, schema.with_metadata({"huggingface": told}))
        else:
            chunks = encode_parquet(some, part)
        done = write_file(path, chunks)
        memory += _memory(path, disk)
        inside = path.relative_to(folder).as_posix()
        files.append(PublishedFile(path=inside, sha256=done.sha256, size=done.size, rows=count))
    if disk:
        _describe(split, files, features, memory, folder / split.name)
    version = split.version
    return PublishedSplit(
        split=split.name, dataset=version.ref, version=version.hash, rows=rows, memory=memory, files=tuple(files)
    )


def _memory(path: Path, disk: bool) -> int:
    """Return the bytes of a table in memory, which `datasets` calls num_bytes."""
    import pyarrow as pa
    import pyarrow.ipc as ipc
    import pyarrow.parquet as pq

    if not disk:
        return sum(batch.nbytes for batch in pq.ParquetFile(path).iter_batches(use_threads=False))
    with pa.memory_map(str(path)) as file, ipc.open_stream(file) as reader:
        return sum(batch.nbytes for batch in reader)


def _describe(split: Split, files: list[PublishedFile], features: list[Feature], memory: int, folder: Path) -> None:
    """Write the two files beside a saved table. The fingerprint is of the version, not of the moment."""
    state = {
        "_data_files": [{"filename": Path(file.path).name} for file in files],
        "_fingerprint": split.version.hash[:16],
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": split.name,
    }
    size = sum(file.size for file in files)
    info = {
        "citation": "",
        "dataset_size": memory,
        "description": "",
        "features": as_json(features),
        "homepage": "",
        "license": "",
        "size_in_bytes": size,
        "splits": {split.name: {"name": split.name, "num_bytes": memory, "num_examples": len(split.rows)}},
    }
    (folder / "state.json").write_text(json.dumps(state, indent=2), encoding="utf-8")
    (folder / "dataset_info.json").write_text(json.dumps(info, indent=2), encoding="utf-8")
