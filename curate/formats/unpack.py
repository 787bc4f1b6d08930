"""gzip and zstd files to the bytes inside them: whole, checked, and never more than a file can sensibly hold.

Members of one gzip file and frames of one zstd file are joined. A file that is cut, whose checksum fails, or that
unpacks to far more than it weighs (a bomb) is one error and no rows. Knows nothing of formats.
"""

from __future__ import annotations

from pathlib import Path

from sluice.core.errors import InputError

EXTENSIONS = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"}
MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
COMMANDS = {"gzip": "gunzip --keep", "zstd": "zstd -d"}
STEP = 1 << 20  # bytes unpacked at a time
FREE = 64 << 20
"""Bytes that any file may unpack to."""
MOST = 200
"""Times its own size that a larger one may unpack to: texts reach 5 to 50, a gzip bomb 1,030, a zstd bomb more."""


def packing(data: bytes) -> str | None:
    """Return how bytes are packed, by their first bytes: `gzip`, `zstd` or None."""
    return next((name for name, magic in MAGIC.items() if data.startswith(magic)), None)


def inner_path(path: Path) -> Path:
    """Return the path of what is inside a packed file: `rows.jsonl` for `rows.jsonl.gz`."""
    return path.with_suffix("") if path.suffix.lower() in EXTENSIONS else path


def too_much(packed: int, unpacked: int) -> bool:
    """Return whether bytes unpack to more than the limits allow."""
    return unpacked > FREE and unpacked > MOST * packed


def unpack(path: Path, data: bytes, kind: str) -> bytes:
    """Return the bytes inside a gzip or zstd file.

    Raises InputError where it is cut or damaged, holds nothing, or unpacks to over 64 MiB and 200 times its size.
    """
    import pyarrow as pa

    parts: list[bytes] = []
    size = 0
    try:
        stream = pa.CompressedInputStream(pa.BufferReader(data), kind)
        while part := stream.read(STEP):
            parts.append(part)
            size += len(part)
            if too_much(len(data), size):
                raise InputError(
                    f"this {kind} file unpacks to more than {MOST} times its size ({size >> 20:,} MiB and going on)",
                    where=str(path),
                    remedy=f"if that is right, unpack it first: {COMMANDS[kind]} {path}",
                )
    except (pa.ArrowException, OSError) as problem:
        cut = "truncated" in str(problem).lower()
        what = "cut off" if cut else "damaged, or has other bytes behind it"
        raise InputError(
            f"this {kind} file is {what} (sound up to byte {size:,} of what it holds)",
            where=str(path),
            remedy="fetch or pack it again",
        ) from None
    if not size:
        raise InputError(f"this {kind} file holds nothing", where=str(path), remedy="check that this is the file")
    return b"".join(parts)
