"""Read and check a frozen eval set. Freezing one is evalsuite.freeze; here is what every room may rely on.

A set is a folder `evals/<name>-<8 hex>/` with `manifest.json` and `rows.jsonl`. The manifest names each row by hash;
the ledger's `frozen` fact names the manifest by hash. A set counts only where all three agree.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import JsonProblem, dump_exact, parse_exact
from sluice.core.errors import InputError, Tampered
from sluice.core.rows import AnyRow, Example, from_record, to_record

FORMAT = 1


class SetManifest(BaseModel):
    """What a frozen set pins about its rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    name: str
    dataset: str
    """The part that was frozen, and its version hash."""
    version: str
    guard: bool
    """A guard set watches for regressions; it is never evidence that tuning won."""
    rows: tuple[str, ...]
    """Row hashes, sorted."""
    inputs: tuple[str, ...]
    """Input hashes in the order of `rows`."""
    groups: tuple[tuple[str, ...], ...]
    rows_sha256: str
    """SHA-256 of the bytes of rows.jsonl."""
    similarity: int
    """Version of the one similarity."""
    boilerplate: tuple[str, ...]
    """Hashes of the n-grams that are left out as boilerplate."""

    def to_bytes(self) -> bytes:
        """Return the bytes of manifest.json."""
        return (json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()

    @property
    def sha256(self) -> str:
        """The hash that names the set everywhere."""
        return hashlib.sha256(b"sluice/evalset/1\n" + self.to_bytes()).hexdigest()

    def independent(self) -> int:
        """Return how many of the rows are independent of each other, rows that share a group value counting once."""
        return len(set(unit_labels(self.groups)))


class FrozenSet(BaseModel):
    """A frozen set as read and checked from its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    folder: Path
    manifest: SetManifest
    rows: tuple[Example, ...]

    @property
    def sha256(self) -> str:
        """The hash that names the set."""
        return self.manifest.sha256

    @property
    def name(self) -> str:
        """The name that people use."""
        return self.manifest.name

    def groups_by_row(self) -> dict[str, list[str]]:
        """Return group values by row hash."""
        return {row.row: list(values) for row, values in zip(self.rows, self.manifest.groups, strict=True)}

    def groups_by_input(self) -> dict[str, tuple[str, ...]]:
        """Return group values by input hash."""
        return dict(zip(self.manifest.inputs, self.manifest.groups, strict=True))


def unit_labels(groups: Sequence[Sequence[str]]) -> list[int]:
    """Return, for each row's group values, the number of the unit that it belongs to.

    Rows that share any value are one unit, also over a chain of rows; a row without a value is a unit of its own.
    Units are numbered by their first row.
    """
    first: dict[str, int] = {}
    parent = list(range(len(groups)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for row, values in enumerate(groups):
        for value in values:
            a, b = root(row), root(first.setdefault(value, row))
            parent[max(a, b)] = min(a, b)
    return [root(row) for row in range(len(groups))]


def rows_bytes(rows: list[AnyRow], groups: dict[str, list[str]]) -> bytes:
    """Return rows.jsonl: one record a line, sorted by row hash."""
    records = (to_record(row, groups.get(row.row)) for row in sorted(rows, key=lambda r: r.row))
    return "".join(dump_exact(record) + "\n" for record in records).encode()


def set_folders(evals: Path) -> list[Path]:
    """Return the folders of all frozen sets, by name."""
    if not evals.is_dir():
        return []
    return sorted(p.parent for p in evals.glob("*/manifest.json"))


def read_set(folder: Path) -> FrozenSet:
    """Read a frozen set and check it against its own manifest.

    Raises Tampered where a row, the file or the manifest is not what the manifest says, InputError where the folder
    holds no set. Whether the manifest is the one that was frozen is for the caller to hold against the ledger.
    """
    file, back = folder / "manifest.json", f"git checkout {folder.parent.name}/{folder.name}"
    if not file.is_file():
        raise InputError("no frozen set here", where=str(folder), remedy=f"{back}, or: sluice freeze")
    try:
        manifest = SetManifest.model_validate_json(file.read_bytes())
    except ValueError as problem:
        raise Tampered("the manifest cannot be read", where=str(file), remedy=back) from problem
    if manifest.format != FORMAT:
        raise InputError(f"a set in format {manifest.format}", where=str(file), remedy="use the sluice that froze it")
    if manifest.to_bytes() != file.read_bytes():
        raise Tampered("the manifest is not in the form that was written", where=str(file), remedy=back)
    rows_file = folder / "rows.jsonl"
    if not rows_file.is_file():
        raise Tampered("the rows are gone", where=str(rows_file), remedy=back)
    data = rows_file.read_bytes()
    if hashlib.sha256(data).hexdigest() != manifest.rows_sha256:
        raise Tampered("the rows are not those that were frozen", where=str(rows_file), remedy=back)
    rows: list[Example] = []
    for number, line in enumerate(data.decode("utf-8", "replace").removesuffix("\n").split("\n"), start=1):
        row = _read_row(line, f"{rows_file}:{number}", back)
        if not isinstance(row, Example):
            raise Tampered("an eval row is an example", where=f"{rows_file}:{number}", remedy=back)
        rows.append(row)
    if tuple(r.row for r in rows) != manifest.rows or tuple(r.input_hash for r in rows) != manifest.inputs:
        raise Tampered("rows and manifest disagree", where=str(folder), remedy=back)
    groups = {row.row: list(values) for row, values in zip(rows, manifest.groups, strict=False)}
    if len(manifest.groups) != len(rows) or rows_bytes(list(rows), groups) != data:
        raise Tampered("the rows are not in the form that was written", where=str(rows_file), remedy=back)
    return FrozenSet(folder=folder, manifest=manifest, rows=tuple(rows))


def _read_row(line: str, place: str, back: str) -> AnyRow:
    try:
        record: dict[str, Any] = parse_exact(line)
        row = from_record(record)
    except (JsonProblem, KeyError, TypeError, ValueError, InputError) as problem:
        raise Tampered(f"a row cannot be read: {problem}", where=place, remedy=back) from problem
    if row.row != record["row"]:
        raise Tampered("a row is not what its hash says", where=place, remedy=back)
    return row
