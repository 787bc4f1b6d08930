"""manifest.json of a dataset version: which files hold its rows, and what `forget` left of it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

FORMAT = 1


class DataFile(BaseModel):
    """One Parquet file of a version, by its path under `.sluice/data/`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    sha256: str
    rows: int


class Manifest(BaseModel):
    """What a version holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    version: str
    rows: int
    kinds: dict[str, int]
    columns: tuple[str, ...]
    files: tuple[DataFile, ...]
    left: str | None = None
    """After `forget`: the hash of what is left, as the version's hash is taken; the version keeps its name."""
    forgotten: tuple[str, ...] = ()
    """After `forget`: keyed hashes of the rows that are gone, sorted."""

    @property
    def content(self) -> str:
        """The hash that the rows must have."""
        return self.version if self.left is None else self.left


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return the bytes of manifest.json; what only `forget` says is left out elsewhere."""
    spared = {"left", "forgotten"} if manifest.left is None else set[str]()
    return (manifest.model_dump_json(indent=1, exclude=spared) + "\n").encode()
