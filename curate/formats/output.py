"""One file in one step: chunks go to a temporary sibling, hashed and packed on the way, which then takes the name.

A killed process leaves the old file, or none. Packed bytes carry no time and no name. Knows nothing of what is written.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sluice.core.errors import InputError
from sluice.core.files import disk_errors, file_sha256, make_folder, sync_fd, sync_folder
from sluice.core.siblings import clear_siblings, sibling
from sluice.curate.formats.pipe import Pipe

PACKED = {".gz": "gzip", ".zst": "zstd"}
"""Endings behind a file's own."""
DEVICES = (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd"))
"""Folders of names that stand for no file: what takes such a name would take the device's place for everybody."""
GZIP_LEVEL = 6  # gzip's own


class FileStands(InputError):
    """A file of that name is there and holds something else. Exit 2."""


@dataclass(frozen=True, slots=True)
class Written:
    """One file that was written."""

    size: int
    """Bytes."""
    sha256: str
    """Of the file's bytes, 64 hex digits."""


def write_file(path: Path, chunks: Iterable[bytes], *, packing: str | None = None, replace: bool = True) -> Written:
    """Write a file in one step.

    Args:
        path: the file; its folder is made.
        chunks: its bytes in order, before packing.
        packing: `gzip`, `zstd` or None.
        replace: whether a file that holds something else is replaced; the same bytes are never in the way.

    Raises FileStands where it is not, InputError for a folder or a device, SurroundingsError where the disk refuses,
    and whatever `chunks` raises; the old file then stands.
    """
    if path.is_dir():
        raise InputError("this is a folder", where=str(path), remedy="name a file in a folder")
    if path.name == "-":
        raise InputError("rows go to a file, not down a pipe", where=str(path), remedy="name a file, then: cat FILE")
    if path.absolute().parent in DEVICES or (path.exists() and not path.is_file()):
        raise InputError("this is a pipe or a device, not a file", where=str(path), remedy="name a file")
    if any(above.exists() and not above.is_dir() for above in path.parents):
        raise InputError(f"{path.parent} is not a folder", where=str(path), remedy="name a file in a folder")
    make_folder(path.parent)
    with disk_errors(path):
        clear_siblings(path.parent)
        temporary = sibling(path)
        digest, size = hashlib.sha256(), 0
        try:
            with open(temporary, "wb") as file:
                for chunk in _packed(chunks, packing):
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
                file.flush()
                sync_fd(file.fileno(), temporary)
            written = Written(size, digest.hexdigest())
            if not replace and path.exists() and file_sha256(path) != written.sha256:
                raise FileStands(
                    "a file of that name holds something else",
                    where=str(path),
                    remedy="choose another name, or add --yes",
                )
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    return written


def _packed(chunks: Iterable[bytes], packing: str | None) -> Iterator[bytes]:
    if packing is None:
        yield from chunks
    elif packing == "gzip":
        pack = zlib.compressobj(GZIP_LEVEL, wbits=31)  # a gzip header with neither time nor name
        for chunk in chunks:
            yield pack.compress(chunk)
        yield pack.flush()
    else:
        yield from _zstd(chunks)


def _zstd(chunks: Iterable[bytes]) -> Iterator[bytes]:
    import pyarrow as pa

    out = Pipe()
    with pa.CompressedOutputStream(pa.PythonFile(out, "w"), "zstd") as pack:
        for chunk in chunks:
            pack.write(chunk)
            yield out.taken()
    yield out.taken()
