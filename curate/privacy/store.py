"""Erase rows and people from the store: versions, operations, tags stay; each step may be done twice.

A version keeps its name. Its manifest then says what it lacks (`forgotten`: keyed hashes) and under which hash the rest
can be checked (`left`), and leads to the files of that rest, which is stored as a version of its own.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.core.canonical import dump_exact
from sluice.core.files import atomic_write, file_sha256, read_lines
from sluice.core.project import Project
from sluice.curate.dataset import (
    Manifest,
    dataset_names,
    manifest_bytes,
    open_dataset,
    read_stored,
    version_hash,
    write_version,
)
from sluice.curate.operation import Operation, Outcome, commit
from sluice.curate.privacy.erasure import Eraser, shred
from sluice.curate.privacy.meant import content_of, versions_stored
from sluice.curate.privacy.sealed import read_pseudonyms, write_pseudonyms

if TYPE_CHECKING:
    import polars as pl


def left_of(frame: pl.DataFrame, eraser: Eraser) -> pl.DataFrame:
    """Return what is left of a frame of rows: without those that go, and without people among the group values."""
    import polars as pl

    left = frame.filter(~pl.col("row").is_in(list(eraser.rows)))
    if eraser.people and left.height:
        groups = [
            None if values is None else [v for v in values if not eraser.names_a_person(v)] for values in left["groups"]
        ]
        left = left.with_columns(groups=pl.Series(groups, dtype=pl.List(pl.String)))
    return left


def plan_versions(project: Project, eraser: Eraser) -> list[dict[str, Any]]:
    """Return what the fact says of each version that loses something: its hash, the hash of what is left, rows left."""
    found: list[dict[str, Any]] = []
    for _, manifest in versions_stored(project):
        frame = content_of(project, manifest)
        left = left_of(frame, eraser)
        if version_hash(left) != version_hash(frame):
            found.append({"version": manifest.version, "left": version_hash(left), "rows": left.height})
    return found


def erase_store(project: Project, eraser: Eraser) -> None:
    """Take everything that goes out of versions, operations and the mapping of pseudonyms."""
    _erase_versions(project, eraser)
    shred(sorted(p for p in project.cache.glob("*") if p.is_file()))  # made of rows, and made anew when asked for
    for folder in sorted(project.operations.iterdir()) if project.operations.is_dir() else []:
        if (folder / "operation.json").is_file():
            _erase_operation(project, folder, eraser)
    mapping = read_pseudonyms(project)
    if mapping.forget({(one.kind, one.normal) for one in eraser.people}):
        write_pseudonyms(project, mapping, keep=True)


def _erase_versions(project: Project, eraser: Eraser) -> None:
    for folder, manifest in list(versions_stored(project)):
        frame = content_of(project, manifest)
        left = left_of(frame, eraser)
        digest = version_hash(left)
        if digest == version_hash(frame):
            continue
        gone = [eraser.hashes[row] for row in frame["row"] if row in eraser.rows]
        with project.staging.job() as job:
            write_version(project, job, left)
        rest = Manifest.model_validate_json((project.data / digest / "manifest.json").read_bytes())
        changed = manifest.model_copy(
            update={
                "rows": left.height,
                "kinds": rest.kinds,
                "files": rest.files,
                "left": digest,
                "forgotten": tuple(sorted({*manifest.forgotten, *gone})),
            }
        )
        atomic_write(folder / "manifest.json", manifest_bytes(changed))
    used = {f.path for _, manifest in versions_stored(project) for f in manifest.files}
    stored = [p for p in project.data.glob("*/*.parquet") if p.relative_to(project.data).as_posix() not in used]
    shred(sorted(stored))


def number_what_is_left(project: Project, erasure_id: str) -> tuple[str, ...]:
    """Give what is left of each dataset's newest version a number of its own, and return them (`tickets@4`)."""
    made: list[str] = []
    for name in dataset_names(project):

        def build(name: str = name) -> Outcome | None:
            version = open_dataset(project, name)
            if not version.is_here or version.manifest.left is None:
                return None
            return Outcome(
                verb="forget",
                parameters={"id": erasure_id},
                parents=(version.parent,),
                contents={name: version.frame()},
                rows_in=version.manifest.rows + len(version.manifest.forgotten),
                counts={"forgotten": len(version.manifest.forgotten)},
            )

        if commit(project, build) is not None:
            made.append(open_dataset(project, name).ref)
    return tuple(made)


def _erase_operation(project: Project, folder: Path, eraser: Eraser) -> None:
    changed = False
    for name, change in (("dropped", _dropped), ("occurrences", _occurrences), ("edges", _edges)):
        file = folder / f"{name}.parquet"
        if file.is_file():
            frame = read_stored(project, file)
            after = change(frame, eraser)
            if not after.equals(frame, null_equal=True):
                _replace_parquet(file, after)
                changed = True
    lines = folder / "set_aside.jsonl"
    if lines.is_file():
        rest = [line for line in read_lines(lines) if not eraser.names_a_person(dump_exact(line))]
        changed |= replace_file(lines, "".join(dump_exact(eraser.value(line)) + "\n" for line in rest).encode())
    report = folder / "report.json"
    if report.is_file():
        said = json.loads(report.read_bytes())
        kept = eraser.value(said)  # value by value: what reads it later needs the rest whole
        if kept != said:
            changed |= replace_file(report, json.dumps(kept, ensure_ascii=False, indent=1).encode())
    operation = Operation.model_validate_json((folder / "operation.json").read_bytes())
    files = {f.name: file_sha256(f) for f in sorted(folder.iterdir()) if f.name != "operation.json"}
    spoken = {"parameters": eraser.value(operation.parameters), "counts": eraser.value(operation.counts)}
    after = operation.model_copy(update={"files": files, **spoken})
    if after != operation:
        atomic_write(folder / "operation.json", (after.model_dump_json(indent=1) + "\n").encode())


def _dropped(frame: pl.DataFrame, eraser: Eraser) -> pl.DataFrame:
    import polars as pl

    left = left_of(frame, eraser)
    kept = [eraser.hashes.get(k, k) if k is not None else None for k in left["kept"]]
    said = {  # the reason of a filter is its expression, which may name a person
        name: pl.Series([None if text is None else eraser.text(text) for text in left[name]], dtype=pl.String)
        for name in ("reason", "detail")
    }
    return left.with_columns(kept=pl.Series(kept, dtype=pl.String), **said)


def _occurrences(frame: pl.DataFrame, eraser: Eraser) -> pl.DataFrame:
    import polars as pl

    places: list[dict[str, Any]] = []
    for place in frame.iter_rows(named=True):
        if place["row"] in eraser.rows:
            if eraser.erasure.forget_key:
                continue
            file = eraser.text(place["file"])
            places.append(place | {"row": eraser.hashes[place["row"]], "file": file, "metadata": "{}"})
        elif not (eraser.names_a_person(place["metadata"]) or eraser.names_a_person(place["file"])):
            places.append(place)
    return pl.DataFrame(places, schema=frame.schema, orient="row")


def _edges(frame: pl.DataFrame, eraser: Eraser) -> pl.DataFrame:
    import polars as pl

    if eraser.rows.isdisjoint({*frame["old"], *frame["new"]}):
        return frame
    return frame.with_columns(
        pl.Series(name, [eraser.hashes.get(row, row) for row in frame[name]], dtype=pl.String)
        for name in ("old", "new")
    )


def _replace_parquet(file: Path, frame: pl.DataFrame) -> None:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    replace_file(file, buffer.getvalue())


def replace_file(file: Path, data: bytes) -> bool:
    """Replace a file in one step and overwrite what it held; return whether it held anything else."""
    if file.read_bytes() == data:
        return False
    old = file.with_name(f".{file.name}.old")
    clear_replaced(file.parent)
    with contextlib.suppress(OSError):  # a volume without hard links: the old bytes cannot be overwritten then
        os.link(file, old)
    atomic_write(file, data)
    shred([old])
    return True


def clear_replaced(folder: Path) -> None:
    """Overwrite what a killed process was about to; a second name of a file that still stands is only taken away."""
    for old in sorted(folder.rglob(".*.old")):
        file = old.with_name(old.name[1 : -len(".old")])
        if file.exists() and file.samefile(old):
            old.unlink()
        else:
            shred([old])
