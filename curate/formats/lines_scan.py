"""The lines of a large JSON Lines file: where each begins and ends, which are proven, and the columns of all of them.

Chunks of whole lines are scanned on all cores by `lines_compiled`. A line that is not proven is read by `parse_exact`,
as in a small file. Knows nothing of rows.
"""

from __future__ import annotations

import codecs
import itertools
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sluice.curate.formats.decode import TAR, UTF8_NAMES, wide_without_mark
from sluice.curate.formats.jsonl import read_line
from sluice.curate.formats.records import AUTO, Progress, ReadOptions, SetAside, Source, Table

CHUNK = 4 << 20  # bytes that one thread works on at a time


@dataclass(slots=True)
class Chunk:
    """Whole lines of a file."""

    starts: Any
    """Where each line begins in the file (int64), blank lines left out."""
    ends: Any
    numbers: Any
    """The number of each line."""
    proven: Any
    """1 where a line is proven (uint8)."""
    keys: list[tuple[int, list[str]]]
    """Keys of lines, with the lines' numbers, for each set of keys met in proven lines."""


@dataclass(slots=True)
class Lines:
    """A file's lines, scanned; what choosing a shape needs is read on demand."""

    data: bytes
    encoding: str
    chunks: list[Chunk]
    columns: list[str] = field(default_factory=list[str])

    def text(self, start: int, end: int) -> str:
        """Return a physical line."""
        return self.data[start:end].decode()


class Records(Sequence[dict[str, Any]]):
    """All records of a file, each read when it is asked for."""

    def __init__(self, lines: Lines):
        self._lines = lines

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for chunk in self._lines.chunks:
            for start, end in zip(chunk.starts.tolist(), chunk.ends.tolist(), strict=True):
                value = read_line(self._lines.text(start, end), 0)
                if not isinstance(value, SetAside):
                    yield value

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return next(iter(self), None) is not None

    def __getitem__(self, at: Any) -> Any:
        return next(itertools.islice(self, at, None))


def scan_lines(source: Source, options: ReadOptions, progress: Progress | None, chunk: int = CHUNK) -> Lines | None:
    """Return the lines of a file; None for one that has to be read line by line: no sound UTF-8, or odd at its head.

    Args:
        source: the file.
        options: what the user said of its encoding.
        progress: called with (what, bytes done, bytes in all).
        chunk: bytes that one thread works on at a time.
    """
    data = source.data
    marked = data.startswith(codecs.BOM_UTF8)
    head = data[3 if marked else 0 :][:4096].lstrip(b" \t\r\n")
    if not head.startswith(b"{") or data[257:262] == TAR or wide_without_mark(data) or not _is_utf8(options.encoding):
        return None
    cuts = [3 if marked else 0]
    while cuts[-1] < len(data):
        cuts.append(data.find(b"\n", cuts[-1] + chunk) + 1 or len(data))
    chunks: list[Chunk] = []
    number = 1
    with pool_of_cores() as pool:
        for start, found in zip(cuts, pool.map(lambda cut: _scan(data, *cut), itertools.pairwise(cuts)), strict=False):
            if found is None or (not chunks and not _opens(data, found)):
                return None
            part, count = found
            part.numbers += number
            part.keys = [(line + number, keys) for line, keys in part.keys]
            number += count
            chunks.append(part)
            if progress is not None:
                progress(f"reading {source.path.name}", start, len(data))
    lines = Lines(data, "utf-8-sig" if marked else "utf-8", chunks)
    lines.columns = _columns_of(lines)
    return lines


@contextmanager
def pool_of_cores() -> Iterator[ThreadPoolExecutor]:
    """Give threads, one a core: what they run is compiled, and lets others run. At the end none is left."""
    from sluice.curate.kernel.threads import cores

    pool = ThreadPoolExecutor(cores())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _is_utf8(encoding: str | None) -> bool:
    if encoding is None or encoding == AUTO:
        return True
    try:
        return codecs.lookup(encoding).name in UTF8_NAMES
    except LookupError:
        return False


def _opens(data: bytes, found: tuple[Chunk, int]) -> bool:
    """Return whether the first line that is not blank is a sound object: else the whole file may be something else."""
    part = found[0]
    if not part.starts.size:
        return False
    return part.proven[0] == 1 or not isinstance(read_line(data[part.starts[0] : part.ends[0]].decode(), 1), SetAside)


def _scan(data: bytes, first: int, last: int) -> tuple[Chunk, int] | None:
    """Return a chunk numbered from 0 and its physical lines; None where it is not UTF-8."""
    import numpy as np
    import pyarrow as pa

    from sluice.curate.formats.lines_compiled import scan

    part = pa.py_buffer(memoryview(data)[first:last])
    whole = pa.py_buffer(np.array([0, last - first], np.int64))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, whole, part]).validate(full=True)
    except pa.ArrowInvalid:
        return None
    view = np.frombuffer(data, np.uint8)
    feeds = np.flatnonzero(view[first:last] == 0x0A) + first
    starts = np.concatenate([[first], feeds + 1]).astype(np.int64)
    ends = np.concatenate([feeds, [last]]).astype(np.int64)
    proven, fresh = np.zeros(starts.size, np.uint8), np.zeros(starts.size, np.uint8)
    scan(view, starts, ends, proven, fresh)
    said = np.flatnonzero(proven != 2)
    keys = [(int(i), list(json.loads(data[starts[i] : ends[i]]))) for i in np.flatnonzero(fresh)]
    return Chunk(starts[said], ends[said], said.astype(np.int64), proven[said], keys), feeds.size


def _columns_of(lines: Lines) -> list[str]:
    """Return the keys of all lines in order of first appearance."""
    columns: dict[str, None] = {}
    for chunk in lines.chunks:
        others = list[tuple[int, list[str]]]()
        for i in (chunk.proven == 0).nonzero()[0].tolist():
            value = read_line(lines.text(chunk.starts[i], chunk.ends[i]), 0)
            if not isinstance(value, SetAside):
                others.append((int(chunk.numbers[i]), list(value)))
        for _, keys in sorted([*chunk.keys, *others], key=lambda pair: pair[0]):
            columns.update(dict.fromkeys(keys))
    return list(columns)


def plain_table(lines: Lines, chunk: Chunk, left: list[int]) -> Table:
    """Return some lines of a chunk, read one by one."""
    kept: list[int] = []
    records: list[dict[str, Any]] = []
    aside: list[SetAside] = []
    for i in left:
        value = read_line(lines.text(chunk.starts[i], chunk.ends[i]), int(chunk.numbers[i]))
        if isinstance(value, SetAside):
            aside.append(value)
        else:
            kept.append(i)
            records.append(value)

    def raw(k: int) -> str:
        return lines.text(chunk.starts[kept[k]], chunk.ends[kept[k]])

    return Table(lines.columns, [int(chunk.numbers[i]) for i in kept], records, raw, aside, lines.encoding)
